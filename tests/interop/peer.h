/*
 * What the interoperability tests' program is told, and how it ends when something fails.
 */
#ifndef INTEROP_PEER_H
#define INTEROP_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

struct settings {
    bool server;
    bool verify_client;     /* server: ask for a certificate and insist on it */
    bool later;             /* allow (client) or do (server) the asking after the handshake */
    bool echo;              /* send back what comes instead of sending first */
    long echo_total;        /* close after so many bytes; 0: when the other side closes */
    bool reversed;          /* expect each line back to front */
    int port;               /* 0: the server chooses and prints it */
    int key_updates;        /* how many we ask for, one before each block */
    int renegotiations;     /* the same, in TLS 1.2 */
    bool no_etm;            /* no encrypt-then-mac */
    bool no_ticket;         /* TLS 1.2: sessions have ids and no tickets */
    int connections;        /* how many, one after another; a client resumes its last session */
    size_t early;           /* client: bytes of early data, where a session allows them */
    bool early_unanswered;  /* client: the server keeps what early data it takes */
    unsigned max_early;     /* server: what its tickets allow; 0: it does not look for any */
    unsigned recv_early;    /* server: how many bytes it takes; 0: what the ticket allows */
    const char *version;    /* "1.3", "1.2", or "any" for both */
    const char *ciphers;    /* of TLS 1.2 */
    const char *first_line; /* sent before the blocks; the answer to it is not looked at */
    const char *suites;
    const char *groups;
    const char *sigalgs;
    const char *client_sigalgs;
    const char *cert;
    const char *key;
    const char *other_name; /* server: the name that gets the other certificate */
    const char *other_cert;
    const char *other_key;
    const char *ca;
    const char *alpn; /* names with commas between */
    const char *sni;
    const char *psk; /* the bytes of a pre-shared key of TLS 1.2; NULL: none */
    const char *psk_identity;
};

/* Says `what` and the error queue on standard error, and ends the program. */
_Noreturn void fail(int status, const char *what);

/* The same with status 1, unless the condition holds. */
void require(bool condition, const char *what);

/* Reads the command line; ends the program when it is wrong. */
void parse_options(struct settings *set, int argc, char **argv);

/* What the connection's callbacks saw. */
struct seen {
    const struct settings *set;
    SSL_CTX *other;
    unsigned int client_hellos;
    unsigned int cert_requests;
    unsigned int tickets;
    unsigned int key_updates_in;
    unsigned int key_updates_out;
    bool encrypt_then_mac;
    size_t early_data; /* bytes that a server has taken */
    char sni[256];
};

/* The context of every connection, whose callbacks note what they see in *seen; ends the program
 * when the settings cannot be had. SSL_CTX_free() it. */
SSL_CTX *make_context(const struct settings *set, struct seen *seen);

/* A server's context for its other name. SSL_CTX_free() it. */
SSL_CTX *make_other_context(const struct settings *set);

/* Prints a line "suite NUMBER OPENSSL-NAME IANA-NAME" for each suite of the library. */
void list_suites(void);

#endif
