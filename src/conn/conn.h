/*
 * A connection: two record pipes, what was negotiated and, while one is running, a handshake.
 * Plain data; the verbs are in handshake/ and engine/.
 */
#ifndef TENON_CONN_CONN_H
#define TENON_CONN_CONN_H

#include "conn/config.h"
#include "conn/hooks.h"
#include "conn/session.h"
#include "record/message_in.h"
#include "record/record_in.h"
#include "record/record_out.h"

struct handshake;

enum role { ROLE_NONE, ROLE_CLIENT, ROLE_SERVER };

/* Why a running step stopped; the API translates it into SSL_want and SSL_ERROR_WANT_*. */
enum pause {
    PAUSE_NONE,
    PAUSE_CLIENT_HELLO, /* SSL_CLIENT_HELLO_CB */
    PAUSE_X509_LOOKUP,  /* SSL_X509_LOOKUP */
    PAUSE_RETRY_VERIFY  /* SSL_RETRY_VERIFY */
};

/* The first failure. Sticky: a connection that has failed stays failed. */
struct conn_error {
    bool failed;
    uint8_t alert;  /* description that is sent */
    bool raised;    /* the API has put it into the error queue */
    bool in_record; /* of a record, where a handshake message was read; not of a message */
    int reason;     /* SSL_R_*, or 0 when libcrypto's queue says it */
    int line;
    const char *file;
    const char *function;
};

/* What became of early data (RFC 8446, 4.2.10); the values of SSL_get_early_data_status(). */
enum early_data { EARLY_DATA_NOT_SENT, EARLY_DATA_REJECTED, EARLY_DATA_ACCEPTED };

/* What SSL_get_* reports about the handshake. Blobs are counted. */
struct negotiated {
    uint16_t version;        /* 0: not yet known */
    uint16_t client_version; /* highest that the client offered */
    enum key_slot own_slot;  /* whose certificate we sent; KEY_NONE */
    const struct ssl_cipher_st *suite;
    const struct group *group;
    const struct sig_scheme *own_scheme;  /* of our CertificateVerify */
    const struct sig_scheme *peer_scheme; /* of the peer's */
    struct blob *alpn;                    /* selected protocol */
    struct blob *next_protocol;           /* the client's choice by NPN */
    struct blob *server_name;             /* what the client asked for */
    EVP_PKEY *peer_dhe;                   /* counted; TLS 1.2 client: the server's DHE key */
    struct blob *peer_share;              /* key shares, for SSL_get_peer_tmp_key */
    struct blob *own_share;               /* and SSL_get_tmp_key */
    const struct group *own_share_group;
    uint8_t client_random[32];
    uint8_t server_random[32];
    /* What the client offered, kept by a server for SSL_get_client_ciphers and friends. */
    struct blob *peer_suites;       /* raw bytes of the list */
    struct blob *peer_groups;       /* code points in host order */
    struct blob *peer_sigalgs;      /* the same; of the peer, either role */
    struct blob *peer_cert_sigalgs; /* signature_algorithms_cert */
    struct blob *peer_point_formats;
    struct blob *peer_cert_types; /* TLS 1.2 client: of the CertificateRequest */
    struct secret own_finished;   /* verify_data of our last Finished */
    struct secret peer_finished;
    uint8_t max_fragment_code; /* RFC 6066, 4 */
    bool server_name_acknowledged;
    bool encrypt_then_mac;       /* RFC 7366 was agreed on */
    bool extended_master_secret; /* RFC 7627 was agreed on: so it has to be when renegotiating */
    bool kept_extended_master;   /* and was, in a renegotiation */
    bool secure_renegotiation;   /* RFC 5746 was agreed on */
    bool peer_wants_ocsp;
    bool was_retried; /* HelloRetryRequest took place */
    bool resumed;     /* a session was resumed, or a pre-shared key of TLS 1.3 was used */
    enum early_data early_data;
};

/* TLS 1.3 secrets that outlive the handshake (RFC 8446, 7.1). */
struct traffic_secrets {
    struct secret client_application;
    struct secret server_application;
    struct secret exporter_master;
    struct secret resumption_master;
    struct secret *early_exporter_master; /* owns; NULL: early data was never possible */
};

/* Those that end with it. */
struct handshake_secrets {
    struct secret client_early;
    struct secret client_handshake;
    struct secret server_handshake;
};

/* Key updates: what we owe or want to send. */
enum key_update { KEY_UPDATE_NONE = -1, KEY_UPDATE_NOT_REQUESTED = 0, KEY_UPDATE_REQUESTED = 1 };

/* Renegotiation: RFC 5246, 7.4.1.1. */
enum renegotiation {
    RENEGOTIATION_NONE,
    RENEGOTIATION_WANTED,    /* one is due and not begun */
    RENEGOTIATION_ASKED,     /* we begin one: a ClientHello, or a HelloRequest */
    RENEGOTIATION_REQUESTED, /* server: the HelloRequest is out, the client may answer */
    RENEGOTIATION_UNDERWAY   /* from the ClientHello to the end, or to a failure */
};

/* What becomes of application data that the peer sent before it knew of a renegotiation. OpenSSL's
 * calls other than reads take it for an error, unless the last read has met such data. */
enum data_in_flight {
    DATA_REFUSED,
    DATA_GIVEN, /* the caller is reading, and gets it */
    DATA_KEPT   /* for the next read; other calls don't get past it */
};

/* Post-handshake authentication, as the server and the client see it. */
enum post_auth {
    POST_AUTH_NONE,
    POST_AUTH_OFFERED, /* client: sent the extension; server: received it */
    POST_AUTH_ASKED,   /* server: a request is to be sent */
    POST_AUTH_PENDING  /* server: request sent; client: request received, answer due */
};

struct tls_conn {
    const struct tls_config *config; /* borrowed; the owner replaces it with what it edits */
    const struct tls_hooks *hooks;
    void *owner;

    struct record_in in;
    struct record_out out;
    struct message_in message;
    struct handshake *hs;           /* owns; NULL when no script is running */
    struct ssl_session_st *session; /* counted; NULL before the first handshake */
    struct negotiated neg;
    struct traffic_secrets *secrets; /* owns; NULL until one of either is derived */
    struct handshake_secrets
        *handshake_secrets;    /* owns; NULL until then, and after the handshake */
    struct blob *auth_request; /* counted; server: the CertificateRequest that is outstanding */
    struct running_hash *post_transcript;    /* transcript to the client's Finished, kept only where
                                                post-handshake authentication is possible */
    const struct ssl_cipher_st *early_suite; /* that protects early data; NULL: none is or was
                                                possible */
    struct conn_error error;
    enum role role;
    int state; /* OSSL_HANDSHAKE_STATE for SSL_get_state */

    enum key_update key_update;    /* owed or asked for; sent before the next application data */
    int received_fatal;            /* description of a fatal alert that came; -1: none */
    uint32_t num_renegotiations;   /* begun; SSL_num_renegotiations */
    uint32_t total_renegotiations; /* the same, never reset */
    uint32_t num_requests;         /* CertificateRequests sent on this connection */
    uint32_t num_vain_requests;    /* of the peer, without application data in between */
    uint32_t early_data_left;      /* client: bytes that may still be written early */
    uint32_t handshakes_done;

    /* NewSessionTickets of a TLS 1.3 server. */
    uint32_t sent_tickets;      /* since the client was last authenticated */
    uint32_t extra_tickets;     /* that SSL_new_session_ticket() asked for */
    uint64_t next_ticket_nonce; /* never repeats on a connection */

    enum pause pause : 8;
    enum renegotiation renegotiation : 8; /* TLS 1.2 and older */
    enum data_in_flight in_flight : 8;    /* application data while a client waits for the answer to
                                            its renegotiation */
    enum post_auth post_auth : 8;
    bool renegotiation_due;  /* one begins when nothing is in the way; it may become due
                                while another is under way */
    bool full_renegotiation; /* it is not to resume the session */
    bool peer_has_closed;    /* the next record of a handshake is thrown away, and
                                none is read behind it */
    bool closing;   /* our close_notify is out: handshake messages of TLS 1.2 come too late */
    bool alert_due; /* an alert is to be sent: level and description follow */
    uint8_t alert_level;
    uint8_t alert_description;
    uint8_t last_warning;  /* description of the last warning alert that came; as in
                              OpenSSL close_notify, 0, when none has */
    uint8_t num_warnings;  /* consecutive warning alerts */
    bool reporting_done;   /* HANDSHAKE_DONE is being told, although tickets are to follow */
    bool wants_early_data; /* the owner writes or reads early data: the handshake rests where that
                              is done */
    bool rests;            /* it does; tls_run() goes on with it */
    bool stateless;      /* a server forgets the client after a HelloRetryRequest, whose cookie has
                            to come back; it also rests behind its first flight */
    bool cookie_is_good; /* one has come back */
    bool has_rested;     /* and tells that it begins anew */
};

/* Prepares c, which is all zeros. */
void conn_init(struct tls_conn *c, const struct tls_hooks *hooks, void *owner);

/* Forgets everything negotiated and buffered so that the connection can be used again; keeps hooks,
 * owner, role and config. The session is kept when keep_session. A running handshake must have been
 * ended (handshake_end). */
void conn_reset(struct tls_conn *c, bool keep_session);

/* Frees everything c holds; a running handshake must have been ended. */
void conn_wipe(struct tls_conn *c);

/* Makes room for the secrets of TLS 1.3, where there is none yet, but for the exporter of early
 * data; the same with it. False: out of memory. The third wipes and frees those that end with the
 * handshake. */
MUST_CHECK bool conn_reserve_secrets(struct tls_conn *c);
MUST_CHECK bool conn_reserve_early_secrets(struct tls_conn *c);
void conn_drop_handshake_secrets(struct tls_conn *c);

/* The session of the connection, for changing it: where others may see it, a copy (without its
 * place in a cache) takes its place first. NULL: out of memory, nothing has changed. */
MUST_CHECK struct ssl_session_st *conn_own_session(struct tls_conn *c);

/* Remembers the first failure; later ones are ignored. Use conn_fail(). */
COLD void conn_fail_at(struct tls_conn *c, uint8_t alert, int reason, const char *file, int line,
                       const char *function);
#define conn_fail(c, alert, reason)                                                                \
    conn_fail_at((c), (alert), (reason), __FILE__, __LINE__, __func__)

#endif
