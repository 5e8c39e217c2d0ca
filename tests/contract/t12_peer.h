/*
 * The scripted peer of hs_peer.h for TLS 1.2: a client or server of its own (RFC 5246, 5288, 5746,
 * 7627) with AES_128_GCM_SHA256 and one of six key exchanges (RFC 5246, 4279). Messages and records
 * are edited as there; keys and transcript follow what was really sent.
 */
#ifndef T12_PEER_H
#define T12_PEER_H

#include "hs_peer.h"

enum t12_exchange {
    T12_ECDHE, /* X25519, ECDSA P-256 */
    T12_DHE,   /* ffdhe2048, RSA */
    T12_RSA,
    /* With a key of 32 bytes 'k', whose identity is "someone"; the server's hint is "a hint", the
     * server under test has none. */
    T12_PSK,
    T12_DHE_PSK,
    T12_RSA_PSK
};

/* What makes the premaster secret, alone or beside a pre-shared key. */
enum t12_secret { T12_SECRET_NONE, T12_SECRET_ECDHE, T12_SECRET_DHE, T12_SECRET_RSA };

struct t12_traits {
    unsigned suite;
    enum t12_secret secret;
    bool certificate; /* the server has one */
    bool psk;
};

const struct t12_traits *t12_traits_of(enum t12_exchange exchange);

/* One exchange. `base.retry` has no meaning here. */
struct t12_case {
    struct peer_case base;
    enum t12_exchange exchange;
    bool status;                      /* the server staples a response, the client asks for it */
    bool npn;                         /* next protocol negotiation takes place */
    bool ticket;                      /* the server, as the peer, sends a NewSessionTicket */
    bool resumed;                     /* the session of t12_session() */
    uint64_t options;                 /* SSL_OP_* of the SSL under test */
    void (*after)(struct peer *peer); /* what happens once it is connected; NULL: nothing */
};

#define T12_MASTER_LEN 48
#define T12_ID_LEN     32

/* What such a peer knows beyond struct peer. */
struct t12_state {
    const struct t12_case *script;
    uint8_t client_random[32];
    uint8_t server_random[32];
    uint8_t master[T12_MASTER_LEN];
    bool extended;                           /* both hellos have extended_master_secret */
    bool next_proto;                         /* a client's NextProto message is due */
    struct peer_direction next_in, next_out; /* from change_cipher_spec on */
};

/* Runs one exchange with a default SSL of the role under test, logs it as peer_run_table() does,
 * and asserts the verdict. */
void t12_run(enum peer_verdict verdict, const struct t12_case *script);

struct t12_row {
    enum peer_verdict verdict;
    struct t12_case script;
};

void t12_run_table(const struct t12_row *rows, size_t num_rows);

/* Frees the RSA identity that the exchanges share. */
void t12_peer_free(void);

/* Building blocks, in t12_peer_exchange.c. */
#define T12_PREMASTER_MAX 320
const struct identity *t12_identity(enum t12_exchange exchange); /* until t12_peer_free() */
EVP_PKEY *t12_dh_key(void);
void t12_begin(struct bytes *message, unsigned type); /* the header, its length still 0 */
void t12_add_signature(struct peer *peer, struct bytes *message, const struct bytes *content);
void t12_build_server_key_exchange(struct peer *peer, struct bytes *message);
/* The premaster secret of the client's ClientKeyExchange; returns its length. */
size_t t12_read_client_key_exchange(struct peer *peer, const struct bytes *message,
                                    uint8_t out[T12_PREMASTER_MAX]);
/* Fills in the ClientKeyExchange that answers the server's ServerKeyExchange (empty: there was
 * none); returns the premaster secret's length. */
size_t t12_build_client_key_exchange(struct peer *peer, struct bytes *message,
                                     const struct bytes *server_params,
                                     uint8_t premaster[T12_PREMASTER_MAX]);
/* Callbacks of the SSL under test: they log the length of what they are given. */
unsigned int t12_psk_client(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                            unsigned char *psk, unsigned int max_psk);
unsigned int t12_psk_server(SSL *ssl, const char *identity, unsigned char *psk,
                            unsigned int max_psk);

/* Building blocks, in t12_peer_wire.c. */
void t12_prf(uint8_t *out, size_t out_len, const uint8_t *secret, size_t secret_len,
             const char *label, const uint8_t *seed, size_t seed_len);
/* The session, without extended master secret, that both sides have: id and secret are all 's'.
 * SSL_SESSION_free() it. */
SSL_SESSION *t12_session(SSL *ssl);
/* Both directions' keys out of the master secret. */
void t12_install_keys(struct peer *peer);
/* Master secret and both directions' keys out of a premaster secret (RFC 5246, 8.1; 7627, 4). */
void t12_derive_keys(struct peer *peer, const uint8_t *premaster, size_t len);
void t12_finished(const struct peer *peer, bool of_client, uint8_t mac[12]);

#endif
