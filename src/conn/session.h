/*
 * A session: what two peers agreed on, as far as a later connection or the application needs it.
 * Frozen once shared (RFC 8446, 4.6.1: every ticket makes its own copy).
 */
#ifndef TENON_CONN_SESSION_H
#define TENON_CONN_SESSION_H

#include "base/blob.h"
#include "base/secret.h"
#include "crypto/peer_chain.h"
#include "crypto/suite.h"
#include <openssl/crypto.h>

#define SESSION_MAX_ID      32
#define SESSION_MAX_CONTEXT 32
#define SESSION_BINDING_LEN 49

/* X509_V_OK */
#define SESSION_VERIFIED 0

/* Of a session's ex_data. */
enum ex_state { EX_NONE, EX_BEGUN, EX_MADE };

struct ssl_session_st {
    _Atomic uint32_t refs;
    uint16_t version; /* TLS version */
    const struct ssl_cipher_st *suite;
    uint32_t suite_id;    /* 0x03000000 | code point, also when suite is NULL */
    struct secret master; /* TLS 1.2 master secret; TLS 1.3 resumption PSK or, before a
                             ticket, the resumption master secret */
    uint8_t id[SESSION_MAX_ID];
    uint8_t id_len;
    uint8_t context[SESSION_MAX_CONTEXT]; /* session id context */
    uint8_t context_len;
    _Atomic int64_t time;     /* seconds since the epoch; this and the next: may be set on a
                                 shared session */
    _Atomic int64_t timeout;  /* seconds */
    long verify_result;       /* X509_V_* */
    struct peer_chain *peer;  /* counted; its leaf is the peer's certificate; NULL: none */
    struct peer_chain *chain; /* counted; what the peer sent, as far as it is known */
    uint16_t group;           /* code point of the key exchange; 0: none */
    bool extended_master_secret;
    bool bound;                           /* binding is set */
    uint8_t binding[SESSION_BINDING_LEN]; /* what it may be resumed for: api/session_binding.h */
    _Atomic bool not_resumable;           /* may be set on a shared session */
    int32_t unknown_flags; /* bits of an encoding that mean nothing here, kept as they came */

    struct blob *ticket;           /* counted */
    uint32_t ticket_lifetime_hint; /* seconds */
    uint32_t ticket_age_add;
    uint32_t max_early_data;        /* bytes */
    uint8_t max_fragment_code;      /* RFC 6066, 4 */
    struct blob *ticket_appdata;    /* counted */
    struct blob *alpn;              /* counted; the protocol of early data */
    char *hostname;                 /* owns */
    char *psk_identity;             /* owns */
    char *psk_identity_hint;        /* owns */
    CRYPTO_EX_DATA ex_data;         /* reached through session_ex_data() */
    _Atomic unsigned char ex_state; /* enum ex_state */

    /* Place in an SSL_CTX's cache; guarded by that cache's lock. Which that is, others ask first.
     */
    struct ssl_ctx_st *_Atomic cache;
    struct ssl_session_st *newer, *older;
};

/* An empty session with one reference, time now, timeout default_timeout seconds. NULL: out of
 * memory. */
MUST_CHECK struct ssl_session_st *session_new(int64_t now, int64_t default_timeout);

/* The application's data of a session, which comes to be when it is first asked for: libcrypto
 * takes a lock of the whole process, for writing, to begin and to end it, and few sessions have
 * any. NULL: out of memory. */
MUST_CHECK CRYPTO_EX_DATA *session_ex_data(struct ssl_session_st *session);

/* A copy for a new purpose: not in any cache, ex_data duplicated, without the ticket unless
 * with_ticket. NULL: out of memory. */
MUST_CHECK struct ssl_session_st *session_copy(const struct ssl_session_st *session,
                                               bool with_ticket);

/* True when the session names something that a peer can resume, and nothing forbids it. */
bool session_is_resumable(const struct ssl_session_st *session);

/* Remembers the server name. False: out of memory, unchanged. */
MUST_CHECK bool session_set_hostname(struct ssl_session_st *session, const struct blob *name);

/* One more reference; NULL is allowed. */
struct ssl_session_st *session_ref(struct ssl_session_st *session);

/* Drops a reference; wipes and frees with the last. NULL is allowed. */
void session_free(struct ssl_session_st *session);

#endif
