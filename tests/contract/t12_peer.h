/*
 * The scripted peer of hs_peer.h for TLS 1.2: a client or server of its own (RFC 5246, 5288, 5746,
 * 7627) with AES_128_GCM_SHA256 and one of three key exchanges. Messages and records are edited as
 * there; keys and transcript follow what was really sent.
 */
#ifndef T12_PEER_H
#define T12_PEER_H

#include "hs_peer.h"

enum t12_exchange {
    T12_ECDHE, /* X25519, ECDSA P-256 */
    T12_DHE,   /* ffdhe2048, RSA */
    T12_RSA
};

/* One exchange. `base.retry` has no meaning here. */
struct t12_case {
    struct peer_case base;
    enum t12_exchange exchange;
    bool status; /* the server staples a response, the client asks for it */
};

/* What such a peer knows beyond struct peer. */
struct t12_state {
    const struct t12_case *script;
    uint8_t client_random[32];
    uint8_t server_random[32];
    uint8_t master[48];
    bool extended;                           /* both hellos have extended_master_secret */
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

/* Building blocks, in t12_peer_wire.c. */
void t12_prf(uint8_t *out, size_t out_len, const uint8_t *secret, size_t secret_len,
             const char *label, const uint8_t *seed, size_t seed_len);
/* Master secret and both directions' keys out of a premaster secret (RFC 5246, 8.1; 7627, 4). */
void t12_derive_keys(struct peer *peer, const uint8_t *premaster, size_t len);
void t12_finished(const struct peer *peer, bool of_client, uint8_t mac[12]);

#endif
