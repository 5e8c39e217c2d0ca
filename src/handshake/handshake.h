/*
 * A handshake while it runs: allocated when a script starts, wiped and freed at its end. The
 * handlers in this folder fill it in; what must outlive it goes into struct tls_conn.
 */
#ifndef TENON_HANDSHAKE_HANDSHAKE_H
#define TENON_HANDSHAKE_HANDSHAKE_H

#include "conn/psk.h"
#include "crypto/cert.h"
#include "crypto/dhe.h"
#include "crypto/group.h"
#include "handshake/step.h"
#include "handshake/transcript.h"
#include "record/protection.h"

#define RANDOM_LEN     32
#define SESSION_ID_MAX 32

/* Extensions in one block: each takes 4 bytes at least, but nobody has use for more than these. A
 * limit of ours against a ClientHello that is nothing but extension headers. */
#define HELLO_MAX_EXTENSIONS 128

struct raw_extension {
    uint16_t type;
    struct reader body;
};

/* A parsed ClientHello: views into hello_bytes of the handshake. */
struct client_hello {
    bool is_v2;              /* it came in the format of SSL 2.0 */
    struct reader v2_suites; /* as they stood there, 3 bytes each */
    uint16_t legacy_version;
    const uint8_t *random;
    struct reader session_id;
    struct reader suites;
    struct reader compressions;
    struct reader extensions_block;
    struct raw_extension extensions[HELLO_MAX_EXTENSIONS];
    size_t num_extensions;
};

/* HelloRetryRequest: whether one is due or took place. */
enum retry { RETRY_NONE, RETRY_DUE, RETRY_DONE };

/* A pre-shared key that a client offers (RFC 8446, 4.2.11): that of its session's ticket, one of
 * the application's. */
#define PSK_MAX_OFFERS 2

struct psk_offer {
    struct ssl_session_st *session; /* counted */
    struct blob *identity;          /* counted */
    uint32_t obfuscated_age;        /* milliseconds + ticket_age_add, modulo 2^32 */
    bool external;
};

/* PskKeyExchangeModes as a set: RFC 8446, 4.2.9. */
enum psk_mode { PSK_KE = 1, PSK_DHE_KE = 2 };

/* Longest key block: two MAC keys of SHA-384, two keys and two IVs of AES-256. Where an IV of CBC
 * is part of it, the MAC key is SHA-1's. */
#define KEY_BLOCK_MAX                                                                              \
    (2 * (PROTECTION_MAX_MAC_KEY_LEN + PROTECTION_MAX_KEY_LEN + PROTECTION_MAX_IV_LEN))

struct handshake {
    struct tls_conn *conn; /* borrows */

    /* The runner's. */
    const struct step *step; /* the row that is to run */
    bool entered;            /* its callbacks were called; it is being run again */
    bool writing;            /* the last row that talked was a SEND, or none has yet */
    bool unflushed;          /* messages of this script may still be in the output */
    bool initial;            /* the first handshake of the connection: START and DONE are told */
    struct buffer outgoing;  /* the message under construction */

    struct transcript transcript;
    struct secret handshake_secret;
    struct secret master_secret;
    uint8_t key_block[KEY_BLOCK_MAX]; /* TLS 1.2: the keys of both directions */
    size_t key_block_len;             /* 0: not yet made */

    /* Key exchange. */
    struct group_key *key;           /* owns; the client's */
    struct buffer own_share;         /* our key share */
    bool is_v2_hello;                /* the message that is being read is a ClientHello in the
                                        format of SSL 2.0 */
    bool ends_record;                /* nothing is behind the message that is being read */
    EVP_PKEY *dhe_key;               /* owns; TLS 1.2 DHE */
    struct shared_secret *shared;    /* owns; until the handshake secret is derived */
    struct psk *psk;                 /* owns; TLS 1.2: until the master secret is derived */
    const struct group *share_group; /* of the key share in use */
    enum retry retry;
    uint8_t first_hello[HASH_MAX_LEN]; /* server: hash of the ClientHello that is retried */

    /* Hello messages. */
    uint8_t session_id[SESSION_ID_MAX]; /* legacy_session_id: sent by us, or to be echoed */
    size_t session_id_len;
    struct blob *hello_bytes;         /* counted; the ClientHello that was received */
    struct client_hello *hello;       /* owns */
    struct blob *cookie;              /* counted; from a HelloRetryRequest */
    uint64_t sent_extensions;         /* bits by row of the extension table: in our ClientHello */
    uint64_t seen_extensions;         /* the same: in the block that was read last */
    const struct group *picked_group; /* server: of the client's key shares, the first we have */
    struct reader picked_share;       /* its key_exchange, a view */
    struct reader offered_shares;     /* server: client_shares of key_share, a view */
    struct reader offered_alpn;       /* server: protocol_name_list, a view; empty: none */
    struct reader offered_cookie;     /* server */
    struct reader answered_share;     /* client: key_exchange of the server's share, a view */

    /* Pre-shared keys of TLS 1.3. */
    struct psk_offer offers[PSK_MAX_OFFERS]; /* client */
    size_t num_offers;
    size_t hello_len;                 /* client: of its ClientHello as far as it is written */
    unsigned psk_modes;               /* enum psk_mode: of the client */
    uint16_t psk_identity;            /* which of the client's the server has chosen */
    bool external_psk;                /* server: the key is the application's, no ticket's */
    struct secret early_secret;       /* of the key that is used; empty: none, or done with */
    struct running_hash before_hello; /* server: the transcript before a second ClientHello */
    bool began_early;                 /* client: went on to early data after its ClientHello */
    bool early_offered;               /* client: its ClientHello had early_data */
    bool early_is_fit;                /* nothing speaks against early data so far */
    bool early_is_first;              /* server: no other flight can have come with this key, or
                                         the application sees to that */
    int64_t early_sent;               /* server: when the client sent it, by the clock that stamped
                                         the session; milliseconds since the epoch */
    bool ticket_due;                  /* server: the client is to get tickets */
    bool told_done;                   /* server: HANDSHAKE_DONE was told before the tickets */

    /* Authentication. */
    bool extended_master_secret;     /* RFC 7627 was agreed on */
    bool client_is_secure;           /* the client knows RFC 5746 */
    bool expect_status;              /* client: CertificateStatus was announced */
    bool expect_ticket;              /* NewSessionTicket was announced, or is going to be */
    bool fresh_session;              /* the session was made by this handshake */
    bool has_secret;                 /* TLS 1.2: the application has given the master secret */
    bool found_by_id;                /* server: it looked for a session id, not for a ticket */
    bool made_session;               /* TLS 1.2: there is a session that can be kept */
    bool peer_wants_npn;             /* server: the client asked for our protocols */
    bool next_protocol_due;          /* NPN was agreed on: the client tells its choice */
    bool asked_cert;                 /* a CertificateRequest was sent or received */
    bool have_cert;                  /* we send a certificate */
    bool peer_has_cert;              /* the peer sent one */
    bool is_post_auth;               /* this script is post-handshake authentication */
    struct blob *request_context;    /* counted */
    struct peer_chain *peer_chain;   /* counted; received, being verified */
    const struct sig_scheme *scheme; /* of our CertificateVerify */
    struct blob *ocsp_response;      /* counted; to staple */
};

/* Starts script on c: allocates the handshake. False: out of memory (conn_fail() was called). */
MUST_CHECK bool handshake_start(struct tls_conn *c, const struct step *script, bool initial);

/* Wipes and frees c's handshake, if any. */
void handshake_end(struct tls_conn *c);

/* Makes sure that there is an hs->shared. False: out of memory. */
MUST_CHECK bool handshake_reserve_shared(struct handshake *hs);

/* Wipes and frees what the agreed keys are derived from. */
void handshake_free_secrets(struct handshake *hs);

/* What the runner returns to the engine. */
enum run_status {
    RUN_DONE,       /* the script has ended; c->hs is NULL */
    RUN_WANT_INPUT, /* output may be pending: flush first */
    RUN_WANT_FLUSH, /* everything in c->out must be delivered before the script may end */
    RUN_PAUSED,
    RUN_RESTS,  /* conn->rests: early data may be read or written */
    RUN_OTHER,  /* the current record holds something else than handshake messages */
    RUN_CLOSED, /* something came from a peer that has closed, and was thrown away */
    RUN_FAILED
};

/* Runs the script until it ends or cannot go on. */
MUST_CHECK enum run_status handshake_run(struct tls_conn *c);

/* --- Handlers, by file --- */

/* key_exchange12.c */
enum step_result write_server_key_exchange(struct handshake *hs, struct writer *w);
enum step_result read_server_key_exchange(struct handshake *hs, struct reader *body);
enum step_result write_client_key_exchange(struct handshake *hs, struct writer *w);
enum step_result read_client_key_exchange(struct handshake *hs, struct reader *body);
enum step_result derive_master_secret(struct handshake *hs);

/* signature12.c: what ends a message of TLS 1.2 or older, over content; reason is what the error
 * says when the key cannot sign. */
enum step_result write_signature12(struct handshake *hs, struct writer *w, const uint8_t *content,
                                   size_t len, int reason);
enum step_result check_signature12(struct handshake *hs, struct reader *body,
                                   const uint8_t *content, size_t len);

/* key_exchange_psk12.c: the parts that key exchanges with a pre-shared key have before the others,
 * and the secret that both parts make. */
void write_psk_hint(struct handshake *hs, struct writer *w);
enum step_result read_psk_hint(struct handshake *hs, struct reader *body);
enum step_result write_psk_identity(struct handshake *hs, struct writer *w);
enum step_result read_psk_identity(struct handshake *hs, struct reader *body);
MUST_CHECK bool derive_with_psk(struct handshake *hs);

/* key_exchange_rsa12.c */
enum step_result write_client_rsa(struct handshake *hs, struct writer *w);
enum step_result read_client_rsa(struct handshake *hs, struct reader *body);

/* certificate12.c */
enum step_result write_certificate12(struct handshake *hs, struct writer *w);
enum step_result read_certificate12(struct handshake *hs, struct reader *body);
/* After verify_peer: a server's key must be of the kind that the suite names (RFC 5246, 7.4.2). */
enum step_result check_server_key(struct handshake *hs);
/* When its flight is complete: its certificate must be for what the suite does with it. */
enum step_result check_key_usage(struct handshake *hs);
enum step_result write_certificate_status(struct handshake *hs, struct writer *w);
enum step_result read_certificate_status(struct handshake *hs, struct reader *body);
enum step_result write_certificate_request12(struct handshake *hs, struct writer *w);
enum step_result read_certificate_request12(struct handshake *hs, struct reader *body);
enum step_result write_certificate_verify12(struct handshake *hs, struct writer *w);
enum step_result read_certificate_verify12(struct handshake *hs, struct reader *body);
enum step_result write_nothing(struct handshake *hs, struct writer *w);
enum step_result read_nothing(struct handshake *hs, struct reader *body);

/* resume12.c */
enum step_result find_session12(struct handshake *hs);
/* After the server name callback, which may have changed what the session has to fit. */
enum step_result confirm_session12(struct handshake *hs);
enum step_result accept_resumption12(struct handshake *hs);
enum step_result write_new_session_ticket12(struct handshake *hs, struct writer *w);
enum step_result read_new_session_ticket12(struct handshake *hs, struct reader *body);

/* secret12.c */
enum step_result ask_session_secret12(struct handshake *hs);
enum step_result resume_by_secret12(struct handshake *hs);

/* server_choices12.c */
enum step_result choose_credential_server12(struct handshake *hs);
enum step_result read_hello_extensions12(struct handshake *hs);
enum step_result choose_suite12(struct handshake *hs);
enum step_result make_random12(struct handshake *hs);
enum step_result write_server_hello12(struct handshake *hs, struct writer *w);

/* client_hello.c */
enum step_result check_versions(struct handshake *hs);
enum step_result prepare_client_hello(struct handshake *hs);
enum step_result write_client_hello(struct handshake *hs, struct writer *w);
enum step_result read_client_hello(struct handshake *hs, struct reader *body);

/* client_hello_v2.c: the body of a hello in the format of SSL 2.0, without its type, made into one
 * like all others. hello_bytes becomes its memory. */
enum step_result parse_v2_hello(struct handshake *hs, struct reader *body);

/* server_choices.c */
enum step_result ask_client_hello_hook(struct handshake *hs);
enum step_result choose_version(struct handshake *hs);
enum step_result choose_suite(struct handshake *hs);
enum step_result read_hello_extensions(struct handshake *hs);
/* What has to come together, and the key share; depends on whether a session is resumed. */
enum step_result check_hello_extensions(struct handshake *hs);
enum step_result ask_server_name(struct handshake *hs);
enum step_result choose_group(struct handshake *hs);
enum step_result ask_alpn(struct handshake *hs);
enum step_result choose_credential_server(struct handshake *hs);
enum step_result ask_ocsp(struct handshake *hs);

/* The group of the client's first key share that we can use; NULL: none. Looks at the extension as
 * it came. */
const struct group *first_shared_group(const struct handshake *hs);

/* cookie13.c */
enum step_result check_cookie(struct handshake *hs);

/* server_hello.c */
struct cookie13;
/* The HelloRetryRequest that carried a cookie, as it was sent. */
void write_retry_again(struct handshake *hs, struct writer *w, const struct cookie13 *cookie,
                       struct reader sealed);
enum step_result write_server_hello(struct handshake *hs, struct writer *w);
enum step_result write_hello_retry_request(struct handshake *hs, struct writer *w);
enum step_result read_server_hello(struct handshake *hs, struct reader *body);
enum step_result write_encrypted_extensions(struct handshake *hs, struct writer *w);
enum step_result read_encrypted_extensions(struct handshake *hs, struct reader *body);

/* certificate.c */
enum step_result write_certificate_request(struct handshake *hs, struct writer *w);
enum step_result read_certificate_request(struct handshake *hs, struct reader *body);
enum step_result choose_credential_client(struct handshake *hs);
enum step_result write_certificate(struct handshake *hs, struct writer *w);
enum step_result read_certificate(struct handshake *hs, struct reader *body);
enum step_result verify_peer(struct handshake *hs);
enum step_result check_stapled(struct handshake *hs);

/* certverify.c */
enum step_result write_certificate_verify(struct handshake *hs, struct writer *w);
enum step_result read_certificate_verify(struct handshake *hs, struct reader *body);
/* The signature that ends a message, by the peer's key over content; remembers its scheme. */
enum step_result read_signature(struct handshake *hs, struct reader *body,
                                const struct sig_scheme *scheme, EVP_PKEY *key,
                                const uint8_t *content, size_t len);

/* finished.c */
enum step_result write_finished12(struct handshake *hs, struct writer *w);
enum step_result read_finished12(struct handshake *hs, struct reader *body);
enum step_result write_finished(struct handshake *hs, struct writer *w);
enum step_result read_finished(struct handshake *hs, struct reader *body);

/* ext/ext_npn.c */
enum step_result write_next_protocol(struct handshake *hs, struct writer *w);
enum step_result read_next_protocol(struct handshake *hs, struct reader *body);

/* renegotiate.c */
/* False when something has to go before: output that is held up, or raw input that was read ahead.
 * A record that is partly read is no obstacle, as a client reads its rest while it waits. */
bool renegotiation_is_in_order(const struct tls_conn *c);
enum step_result write_hello_request(struct handshake *hs, struct writer *w);
enum step_result read_hello_request(struct handshake *hs, struct reader *body);
enum step_result read_refused_hello(struct handshake *hs, struct reader *body);

/* psk13.c */
enum step_result choose_session13(struct handshake *hs);
/* After the server name callback, which may have changed what the session has to fit. */
enum step_result confirm_session13(struct handshake *hs);

/* early13.c */
enum step_result begin_early_data(struct handshake *hs);
enum step_result choose_early_data(struct handshake *hs);
enum step_result read_end_of_early_data(struct handshake *hs, struct reader *body);

/* ticket13.c */
enum step_result begin_tickets(struct handshake *hs);
enum step_result tell_done(struct handshake *hs);
enum step_result write_new_session_ticket(struct handshake *hs, struct writer *w);
enum step_result read_new_session_ticket(struct handshake *hs, struct reader *body);
bool ticket_is_due(const struct handshake *hs);

/* post.c */
enum step_result write_key_update(struct handshake *hs, struct writer *w);
enum step_result read_key_update(struct handshake *hs, struct reader *body);
enum step_result begin_post_auth(struct handshake *hs);
enum step_result end_post_auth(struct handshake *hs);

/* What a peer may ask for between two records of application data: KeyUpdates, which make us derive
 * keys; HelloRequests and ClientHellos, which make us write a refusal or run a whole handshake (the
 * attack of CVE-2011-1473). Far above what any peer has use for. */
#define MAX_VAIN_REQUESTS 1024

/* Counts one of them; true: it is too many. */
bool handshake_is_flooded(struct tls_conn *c);

/* Translates a hook's answer: OK and NONE become STEP_OK, PAUSE STEP_PAUSED, FAIL conn_fail(). */
enum step_result step_of_answer(struct handshake *hs, enum hook_answer answer,
                                const struct record_error *failure, enum pause pause);

/* Puts a max_fragment_length that was agreed on into force (RFC 6066, 4). */
void handshake_apply_max_fragment(struct tls_conn *c);

/* Gives the connection a new session in place of the one it has. */
enum step_result handshake_new_session(struct handshake *hs);

/* Remembers our key share for SSL_get_tmp_key; the private half is gone after the handshake. */
void handshake_keep_own_share(struct handshake *hs);

/* Remembers what we sign with, and thereby which of our certificates it goes with; NULL: none. */
void handshake_choose_scheme(struct handshake *hs, const struct sig_scheme *scheme);

/* A Certificate message's chain, certificate by certificate: its begin, one DER encoding (*cert is
 * borrowed), and what follows from having it or not. */
enum step_result certificate_begin_chain(struct handshake *hs);
/* Our own chain, leaf first, for cert_list_free(); *chain is NULL where we have none to show. */
enum step_result certificate_own_chain(struct handshake *hs, STACK_OF(X509) **chain);
enum step_result certificate_take(struct handshake *hs, struct reader der);
enum step_result certificate_end_chain(struct handshake *hs);

/* What the result of a key agreement means for the handshake: RFC 8446, 4.2.8.2, 7.4.2. */
enum step_result step_of_group(struct handshake *hs, enum group_result result);

/* conn_fail() and STEP_FAILED in one; the same for what nobody's bytes can cause. */
#define step_fail(hs, alert, reason)                                                               \
    step_fail_at((hs), (alert), (reason), __FILE__, __LINE__, __func__)
#define step_internal(hs) step_fail((hs), ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR)
COLD enum step_result step_fail_at(struct handshake *hs, uint8_t alert, int reason,
                                   const char *file, int line, const char *function);

#endif
