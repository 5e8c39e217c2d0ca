/*
 * What the questions share: certificates, two ends of a connection in one process over flat
 * buffers, and a meter that one side's calls run in. Public OpenSSL API only, so that the same
 * program asks the system's libssl and ours. What must not fail ends the program with a message.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include "counts.h"
#include "measure.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- Start --- */

/* Says on standard output which file SSL_new came from and which libcrypto is used, for bench/run
 * to check. The first line of main(). counted: the figures are counts, the shim must be there. */
void bench_begin(bool counted);

/* --- Meter --- */

/* Time and counts of the calls between meter_start and meter_stop, summed up. */
struct meter {
    uint64_t ns;
    struct bench_counts counts; /* zeros without the shim */
    uint64_t start_ns;
    struct bench_counts start_counts;
};

void meter_start(struct meter *m);
void meter_stop(struct meter *m);

/* --- Certificates --- */

enum key_kind { KEY_P256, KEY_RSA2048 };

/* A leaf for bench.example under an intermediate under a root. */
struct identity {
    EVP_PKEY *key;
    EVP_PKEY *root_key, *intermediate_key;
    X509 *leaf, *intermediate, *root;
};

/* Makes one, with keys of its own. */
void identity_make(struct identity *id, enum key_kind kind);

/* Another leaf and intermediate under the same root, with the same keys but other serial numbers:
 * certificates nobody has seen. */
void identity_make_fresh(struct identity *id, const struct identity *like);

void identity_wipe(struct identity *id);

/* One suite of TLS 1.3 (whose names begin with "TLS_") or 1.2 and only that version, X25519; all
 * else as by default. verify_root: NULL, or the peer must show a certificate under it. */
SSL_CTX *context_make(bool server, const struct identity *own, const X509 *verify_root,
                      const char *suite);

/* --- Connections --- */

/* A transport of OpenSSL's over two of them. */
BIO *flat_new(struct pipe *in, struct pipe *out);

struct link {
    SSL *client, *server;
    struct pipe to_server, to_client;
    BIO *client_bio, *server_bio;         /* counted */
    const struct identity *server_speaks; /* NULL: what its context says */
    SSL_SESSION *session;                 /* NULL, or what the client offers to resume */
    size_t early_len;                     /* bytes of early data that the client sends */
};

/* pipe_size: how many bytes may lie between the ends. */
void link_init(struct link *l, size_t pipe_size);
void link_wipe(struct link *l);

/* SSL_new to the end of both handshakes, and until the client has read the tickets that follow;
 * each side's calls are added to its meter. */
void link_connect(struct link *l, SSL_CTX *client, SSL_CTX *server, struct meter *client_meter,
                  struct meter *server_meter);

/* SSL_free of both, each in its meter, as if they had said goodbye. */
void link_disconnect(struct link *l, struct meter *client_meter, struct meter *server_meter);

/* A session that the server lets the client resume: from a connection of these two, which ends.
 * The contexts stay as they were. The caller frees it. */
SSL_SESSION *session_make(SSL_CTX *client, SSL_CTX *server);

/* Exactly len bytes by SSL_write; by SSL_read calls of at most len bytes each. */
void write_all(SSL *s, const void *data, size_t len);
void read_all(SSL *s, void *data, size_t len);

#endif
