/*
 * Question "peers": the same handshakes and records on other TLS libraries, each in its own API.
 * driver.c measures; a library is one file that fills in struct peer.
 *
 * Client and server live in one process and talk through flat buffers. ECDSA P-256, X25519 and
 * AES-128-GCM, certificates from files, no tickets; the client verifies leaf, intermediate and
 * name.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "measure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_version { PEER_TLS12, PEER_TLS13 };

struct peer_files {
    char chain[4096], key[4096], root[4096];
};

/* The two directions as one side sees them. */
struct peer_wire {
    struct pipe *in, *out;
};

#define PEER_HOST "bench.example"

struct peer {
    /* What the library says of its own version. */
    const char *(*version)(void);
    /* What is made once per process for one version; false: the library does not have it. */
    bool (*set_up)(enum peer_version version, const struct peer_files *files);
    /* One side of a connection, with its transport. */
    void *(*open)(bool server, struct peer_wire *wire);
    /* As far as it comes; true when the handshake is done. */
    bool (*handshake)(void *side);
    void (*write)(void *side, const uint8_t *data, size_t len);
    /* At most len bytes, at least one. */
    size_t (*read)(void *side, uint8_t *data, size_t len);
    void (*close)(void *side);
};

/* Each library's file defines it. */
extern const struct peer peer;

#endif
