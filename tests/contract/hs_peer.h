/*
 * A scripted TLS 1.3 peer: a client or server of its own (RFC 8446 with TLS_AES_128_GCM_SHA256,
 * X25519 or P-256) that plays a normal handshake against an SSL under test, and sends whatever a
 * list of edits makes of each of its messages and records. Keys and transcript follow what was
 * really sent, so that a case fails for the reason that it is about.
 */
#ifndef HS_PEER_H
#define HS_PEER_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; all zero is empty; bytes_free() gives the memory back. */
struct bytes {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

void bytes_free(struct bytes *b);
void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_add_number(struct bytes *b, size_t num_bytes, size_t value); /* big-endian */
void bytes_add_hex(struct bytes *b, const char *hex);                   /* spaces are allowed */
void bytes_remove(struct bytes *b, size_t offset, size_t len);
void bytes_insert(struct bytes *b, size_t offset, const void *data, size_t len);
/* Writes the length of what follows `offset` into the `num_bytes` bytes before it. */
void bytes_fix_length(struct bytes *b, size_t offset, size_t num_bytes);

/* What the peer is about to send. */
enum peer_stage {
    AT_CLIENT_HELLO,
    AT_RETRY_REQUEST,
    AT_SECOND_HELLO, /* the client's, after a HelloRetryRequest */
    AT_SERVER_HELLO,
    AT_CCS, /* before the client's second flight, after the server's ServerHello or retry request */
    AT_ENCRYPTED_EXTENSIONS,
    AT_CERTIFICATE_REQUEST,
    AT_CERTIFICATE,
    AT_CERTIFICATE_VERIFY,
    AT_FINISHED,
    AT_CONNECTED, /* nothing is sent by itself */
    /* TLS 1.2 alone, t12_peer.h */
    AT_CERTIFICATE_STATUS,
    AT_SERVER_KEY_EXCHANGE,
    AT_SERVER_HELLO_DONE,
    AT_CLIENT_KEY_EXCHANGE,
    AT_NEXT_PROTO,
    AT_NEW_SESSION_TICKET
};

enum peer_edit_kind {
    EDIT_END,
    EDIT_SET,           /* overwrites at offset `a` of the message with `hex` */
    EDIT_REMOVE,        /* removes `b` bytes at offset `a`; the message's length follows */
    EDIT_INSERT,        /* inserts `hex` at offset `a`; the message's length follows */
    EDIT_CUT,           /* drops the last `a` bytes; the message's length follows */
    EDIT_TAIL,          /* appends `hex`; the message's length follows */
    EDIT_LENGTH,        /* the message's length field becomes `a` */
    EDIT_BODY,          /* the whole body becomes `hex` */
    EDIT_TYPE,          /* the message's type becomes `a` */
    EDIT_EXT_DROP,      /* extension `a`, in the message's extension block */
    EDIT_EXT_DUPLICATE, /* appends a copy of extension `a` */
    EDIT_EXT_ADD,       /* appends extension `a` with body `hex` */
    EDIT_EXT_FIRST,     /* the same in front of the others */
    EDIT_EXT_BODY,      /* the body of extension `a` becomes `hex` */
    EDIT_EXT_LENGTH,    /* adds (int)`a` to the length field of the extension block */
    EDIT_SKIP,          /* the message is not sent */
    EDIT_TWICE,         /* the message is sent twice */
    EDIT_EXTRA,         /* `hex` follows the message in the same record, outside the transcript */
    EDIT_SPLIT,         /* the message travels in records of `a` bytes */
    EDIT_SPLIT_BETWEEN, /* the same, and between the first two a record of type `b` with `hex` */
    EDIT_RECORD_TYPE,   /* the (inner) type of the message's record becomes `a` */
    EDIT_OUTER_TYPE,    /* the outer type of the message's record becomes `a` */
    EDIT_VERSION,       /* the version of the message's record becomes `a` */
    EDIT_BEFORE,        /* `b` records of type `a` with content `hex` go before the message */
    EDIT_AFTER,         /* the same after it */
    EDIT_RAW_BEFORE,    /* the bytes `hex` as they are, before the message */
    EDIT_PADDED,        /* the message's record is padded with `a` zero bytes */
    EDIT_HOLD,          /* the message waits for the next one and shares its record */
    EDIT_LATER,         /* the message is sent after the next one, in a record of its own */
    EDIT_BREAK_TAG,     /* the last bit of the message's record is flipped */
    EDIT_BIG,           /* before the message one record of type `a` with `b` bytes of zero */
    EDIT_V2             /* TLS 1.2: the ClientHello has the format of SSL 2.0, and the server under
                           test is at security level 0 */
};

struct peer_edit {
    enum peer_stage at;
    enum peer_edit_kind kind;
    unsigned a;
    unsigned b;
    const char *hex;
};

#define PEER_EDITS_MAX 6

/* One exchange. `server_under_test`: the peer is the client. */
struct peer_case {
    const char *name;
    bool server_under_test;
    bool retry;       /* a HelloRetryRequest for P-256 takes place */
    bool client_auth; /* the server asks for a certificate, the client has one */
    struct peer_edit edits[PEER_EDITS_MAX];
};

struct peer_direction {
    bool on;
    uint8_t secret[32];
    uint8_t key[16];
    uint8_t iv[12];
    uint64_t sequence;
};

struct t12_state;

struct peer {
    struct t12_state *tls12; /* of a TLS 1.2 peer, otherwise NULL */
    SSL *ssl;                /* borrowed, with memory BIOs of its own */
    const struct peer_case *script;
    bool is_server;
    struct bytes transcript;
    struct bytes raw;      /* records of the SSL under test, not looked at yet */
    struct bytes incoming; /* handshake bytes out of them */
    struct bytes hello;    /* the first ClientHello, whoever sent it */
    struct bytes held;     /* messages that share the next one's record */
    struct bytes later;    /* a message that waits until the next one is sent */
    enum peer_stage later_stage;
    uint8_t session_id[32];
    size_t session_id_len;
    EVP_PKEY *share;
    uint8_t shared_secret[80];
    size_t shared_secret_len;
    uint8_t handshake_secret[32];
    uint8_t master_secret[32];
    uint8_t client_handshake[32], server_handshake[32];
    uint8_t client_application[32], server_application[32];
    struct peer_direction in, out;
    /* What came of it. */
    bool asked_retry; /* the server under test sent a HelloRetryRequest */
    bool connected;   /* the SSL under test finished its handshake */
    bool failed;      /* a call on it failed for good: the next four say how */
    const char *call;
    int ret;
    int error;
    unsigned long reason;      /* first entry of the error queue that is libssl's own */
    unsigned long last_reason; /* last entry */
    int alert;                 /* first alert received: level << 8 | description, or -1 */
    bool alert_encrypted;      /* whether it came under keys */
    bool saw_ccs;              /* a ChangeCipherSpec has come */
    size_t num_alerts;
    size_t data_received; /* application data bytes that the SSL under test delivered */
};

/* Runs one exchange on `ssl` (fresh, with connect or accept state set; gets its BIOs here). */
void peer_run(struct peer *peer, SSL *ssl, const struct peer_case *script);
void peer_free(struct peer *peer);

/* What the SSL under test did, and which alert it sent, as text without a line end: how the call
 * failed, the kind of reason (peer_reason() has it exactly), the alert. Where the client's alert
 * travels before it has sent its Finished is not said: see peer_run_table(). */
void peer_describe(const struct peer *peer, char *text, size_t size);

/* First and last entry of the error queue of the failed call. */
void peer_reason(const struct peer *peer, char *text, size_t size);

/* A table of exchanges, each with a default SSL of the role under test: the client offers the name
 * "localhost" and ALPN "h2", a server accepts any ALPN; with client_auth both have a certificate.
 * Runs all with a line each, and asserts whether the exchange may succeed. Accepting an exchange is
 * "the handshake finished and no later call failed".
 *
 * What may differ stands in lines of its own: "contract: hs-peer-reason", which of several reasons
 * of one kind names a malformed message; "contract: hs-client-alert-keys", whether a client that
 * has the handshake keys uses them for an alert (RFC 8446, 6) before it has sent anything else. */
enum peer_verdict {
    PEER_FAILS,       /* must not be accepted */
    PEER_WORKS,       /* must be */
    PEER_ANY,         /* RFC 8446 leaves it open */
    PEER_STRICT,      /* must not be, but the system's library does: "contract: hs-strict-peer" */
    PEER_FAILS_ANYHOW /* must not be, and several alerts are right: "contract: hs-peer-alert" */
};

struct peer_row {
    enum peer_verdict verdict;
    struct peer_case script;
};

void peer_run_table(const struct peer_row *rows, size_t num_rows);

/* Logs an exchange that is over, and asserts the verdict. */
void peer_judge(const struct peer *peer, enum peer_verdict verdict);

/* Building blocks of peer_run(), in hs_peer_wire.c: records, keys, the calls on the SSL. */
void peer_join(struct peer *peer, SSL *ssl);
void peer_set_keys(struct peer_direction *direction, const uint8_t secret[32]);
void peer_hash(const struct peer *peer, uint8_t hash[32]);
void peer_handshake_keys(struct peer *peer);
void peer_application_keys(struct peer *peer);
void peer_finished(const struct peer *peer, const uint8_t secret[32], uint8_t mac[32]);
void peer_send_raw(struct peer *peer, const void *data, size_t len);
struct peer_record {
    unsigned type;
    unsigned outer_type; /* 0: as RFC 8446 has it */
    unsigned version;    /* 0: 0x0303 */
    size_t padding;
    bool break_tag;
};
void peer_send_record(struct peer *peer, const struct peer_record *form, const void *data,
                      size_t len);
void peer_run_ssl(struct peer *peer); /* until it waits or fails */
bool peer_take_message(struct peer *peer, struct bytes *message);
/* Takes one content of a received record, in the clear by now: alerts and handshake bytes. */
void peer_take_content(struct peer *peer, unsigned type, bool encrypted, const uint8_t *data,
                       size_t len);
void peer_drain(struct peer *peer); /* looks at all records that are left, for alerts */
void peer_new_share(struct peer *peer, bool p256);
void peer_derive(struct peer *peer, const uint8_t *public_key, size_t len);

/* The same for TLS 1.2, in t12_peer_wire.c: sealing, and what a record holds. */
void t12_send_record(struct peer *peer, const struct peer_record *form, const void *data,
                     size_t len);
void t12_take_record(struct peer *peer, const uint8_t *record, size_t len);

/* Applies the edits of the script to a message of `stage`, in hs_peer_edit.c, and sends it. */
void peer_send_message(struct peer *peer, enum peer_stage stage, struct bytes *message);

#endif
