/*
 * Both ends of a connection in memory, engine to engine: an endpoint is an engine with hooks of the
 * tests instead of OpenSSL's API. With deterministic_random_install() everything that happens
 * between two of them is the same in every run. No part of it needs cmocka, so that fuzz targets
 * can use it, too: what must not fail here ends the program.
 */
#ifndef TENON_TESTS_ENGINES_H
#define TENON_TESTS_ENGINES_H

#include "engine/engine.h"
#include "handshake/handshake.h"
#include "handshake/keys13.h"
#include "handshake/states.h"

/* Handshake messages and ChangeCipherSpecs as they were before protection. */
struct item {
    uint8_t content; /* CONTENT_HANDSHAKE, CONTENT_CCS, ... */
    enum epoch epoch;
    size_t len;
    uint8_t *bytes; /* owns */
};

#define MAX_ITEMS 64

/* The first of what was recorded. */
struct items {
    size_t num;
    struct item at[MAX_ITEMS];
};

struct endpoint {
    struct tls_conn conn;
    struct tls_config config;

    /* Answers of the hooks; set by endpoint_init() so that everything goes well. */
    enum hook_answer verify_answer;
    uint8_t verify_alert;
    unsigned pauses_left;  /* each hook that may pause does so that often, then this starts again */
    bool knows_extensions; /* unknown extensions are somebody's */
    size_t padding;        /* bytes for each record */
    struct blob *alpn;     /* server: protocol to choose; NULL: none. Owns */
    struct blob *ocsp;     /* server: response to staple; NULL: none. Owns */
    EVP_PKEY *dhe;         /* server: parameters of DHE; NULL: none. Owns */
    struct blob *npn;      /* NPN: a server's list, a client's choice; NULL: it has none. Owns */
    bool tickets;          /* the endpoint takes and gives tickets */
    bool never_rests;      /* a server that accepts early data goes on at once */
    bool renews_tickets;   /* server: also when one was taken */
    int64_t now;           /* milliseconds */
    bool keeps_sessions;   /* server: sessions by id */
    struct ssl_session_st *kept;              /* the last one that can be resumed. Counted */
    enum hook_answer resume_answer;           /* whether one that was found may be */
    bool is_elsewhere;                        /* server: it belongs to another name */
    bool guards_early_data;                   /* server: it can tell replays */
    bool is_replay;                           /* server: what it says */
    int64_t claimed;                          /* server: when the flight it was asked about was
                                                 sent */
    struct ssl_session_st *psk;               /* external key; NULL: none. Counted */
    struct blob *psk_identity;                /* counted */
    bool (*random)(uint8_t *out, size_t len); /* NULL: counts */
    struct group_key *(*generate_key)(const struct group *group, struct writer *share);

    /* What happened. */
    struct items sent;
    struct items received;
    const struct step *rows[MAX_ITEMS]; /* that took the received items */
    unsigned num_pauses;
    unsigned num_done;
    unsigned num_verified;
    unsigned num_alerts_received;
    uint16_t last_alert;
    size_t peer_ocsp_len;

    unsigned pauses_now;
    uint8_t random_next;
};

/* Every ticket of an endpoint: it stands for the session that is kept. */
extern const uint8_t the_ticket[9];

/* How endpoints answer; the owner is the struct endpoint. */
extern const struct tls_hooks endpoint_hooks;

/* An endpoint that is ready to start: TLS 1.3 with the defaults of the library, an Ed25519
 * certificate, middlebox compatibility. */
void endpoint_init(struct endpoint *e, enum role role);

/* Makes it speak TLS 1.2 alone, with that suite (a code point) alone. Where the suite takes an RSA
 * key it has one, and parameters for DHE. */
void endpoint_use_tls12(struct endpoint *e, uint16_t suite);

/* Gives both an external pre-shared key for TLS_AES_128_GCM_SHA256, which allows some early data.
 */
void endpoint_share_psk(struct endpoint *client, struct endpoint *server);

/* The session of an earlier connection of TLS 1.2, whose id is all 4; a client's may have
 * the_ticket. One reference is the caller's. */
struct ssl_session_st *earlier_session12(uint16_t suite, bool has_ticket);

/* Frees everything; e may then be initialised again. */
void endpoint_wipe(struct endpoint *e);

/* Puts bytes into the engine. */
void endpoint_feed(struct endpoint *e, const void *bytes, size_t len);

/* Starts what is due, if nothing runs, and runs it until it can't go on. Output stays where it is
 * except that it counts as delivered where the engine waits for that: it is appended to *out (which
 * may be NULL). */
enum tls_status endpoint_run(struct endpoint *e, struct buffer *out);

/* Takes everything that is to be delivered; appended to *out, or dropped when out is NULL. An alert
 * that is due is sealed first. */
void endpoint_take(struct endpoint *e, struct buffer *out);

/* Reads until input is missing, application data comes (up to cap bytes, *got of them), or the
 * connection ends; runs unprompted handshakes on the way, whose output goes to *out. */
enum tls_status endpoint_read(struct endpoint *e, uint8_t *dst, size_t cap, size_t *got,
                              struct buffer *out);

/* Runs both handshakes to their end, at most `piece` bytes moving at a time (0: all). False: one of
 * the two failed or nothing moves any more. */
bool endpoints_connect(struct endpoint *client, struct endpoint *server, size_t piece);

/* Moves len bytes of data from one end to the other. True: they arrived. */
bool endpoints_exchange(struct endpoint *from, struct endpoint *to, const void *data, size_t len);

/* A list of code points for a config. */
struct blob *u16_list_of(const uint16_t *ids, size_t num);

/* The certificate and key that every endpoint has. */
X509 *endpoint_cert(void);
EVP_PKEY *endpoint_key(void);

/* How long its RSA key is made. */
extern unsigned endpoint_rsa_bits;

/* The certificate that a server of endpoint_use_tls12() has for that suite. */
X509 *endpoint_cert_for(uint16_t suite);

/* Frees them. */
void endpoint_identity_free(void);

/* Makes libcrypto's generator count instead. Before anything of libcrypto draws from it.
 * deterministic_random_restart() starts it anew. */
void deterministic_random_install(void);
void deterministic_random_restart(void);

/* Appends a copy; drops everything. */
void items_add(struct items *items, uint8_t content, enum epoch epoch, const void *bytes,
               size_t len);
void items_wipe(struct items *items);

/* --- Speaking in an endpoint's place --- */

struct forger {
    struct tls_conn conn; /* only its keys and its output are used */
};

/* Takes over what `of` writes: its keys as they are now. The epoch is PLAINTEXT. */
void forger_init(struct forger *f, const struct endpoint *of);
void forger_wipe(struct forger *f);

/* Learns the secrets that `of` has by now. */
void forger_learn(struct forger *f, const struct endpoint *of);

/* The next records are sealed for that epoch; keys start anew when it changes. */
void forger_enter(struct forger *f, enum epoch epoch);

/* On to the next application key; in TLS 1.2 to that of the last secret learnt. */
void forger_next_key(struct forger *f);

/* Seals one record of content and appends it to *out. */
void forger_seal(struct forger *f, uint8_t content, const void *bytes, size_t len,
                 struct buffer *out);

#endif
