/*
 * What the tests of pre-shared keys share: callbacks that answer by plan, a pair that has them, and
 * what both sides say of the keys afterwards.
 */
#ifndef CONTRACT_T12_PSK_PAIR_H
#define CONTRACT_T12_PSK_PAIR_H

#include "contract.h"

/* What the callbacks answer, and whether they say that they were called. */
struct psk_plan {
    bool silent;
    const char *identity;     /* the client's */
    size_t fill;              /* client: the buffer is filled with so many 'x' instead */
    unsigned client_len;      /* of the key, as claimed */
    unsigned server_len;      /* the same */
    unsigned char client_key; /* every byte of it */
    unsigned char server_key;
};

extern struct psk_plan plan;

/* An identity of 7 bytes and a key of 32 that both sides have. */
void plan_reset(void);

unsigned int on_client(SSL *ssl, const char *hint, char *identity, unsigned int max_identity_len,
                       unsigned char *psk, unsigned int max_psk_len);
unsigned int on_server(SSL *ssl, const char *identity, unsigned char *psk,
                       unsigned int max_psk_len);

/* The server's certificate; made by main(). */
extern struct identity *rsa;

/* One suite for each key exchange. */
#define NUM_EXCHANGES 4
extern const char *const exchanges[NUM_EXCHANGES];

enum with { WITH_RSA, WITHOUT_CERT };

/* Both sides, both with callbacks; both offer what `ciphers` says, NULL: the default. */
void prepare(struct pair *p, enum with with, const char *ciphers);

/* A string, or a word that stands for none. */
const char *shown(const char *text);

/* Identity and hint as a side tells them; the same of both, after suite and certificate. */
void log_names(const SSL *ssl);
void log_parameters(const struct pair *p);

#endif
