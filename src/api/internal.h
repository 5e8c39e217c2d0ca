/*
 * The objects behind the opaque types of <openssl/ssl.h>, for the files of api/ alone.
 *
 * Settings that OpenSSL copies from an SSL_CTX to each SSL at SSL_new() are in struct ssl_config,
 * which is copied on write. Settings that OpenSSL reads from the SSL_CTX whenever they are needed
 * (stores, server callbacks, session cache) are in struct ssl_ctx_st itself.
 */
#ifndef TENON_API_INTERNAL_H
#define TENON_API_INTERNAL_H

#include "conn/conn.h"

#include <openssl/async.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

/* A protocol method: which versions and roles its objects may take. */
struct ssl_method_st {
    int version;    /* TLS_ANY_VERSION (0x10000), or the one version */
    enum role role; /* ROLE_NONE: both */
    bool dtls;
    const char *refusal; /* NULL, or why SSL_CTX_new() refuses this method */
};

struct custom_extension {
    uint16_t type;
    unsigned context; /* SSL_EXT_* */
    SSL_custom_ext_add_cb_ex add;
    SSL_custom_ext_free_cb_ex free;
    void *add_arg;
    SSL_custom_ext_parse_cb_ex parse;
    void *parse_arg;
    void *old_style; /* owns: arguments of the callbacks of SSL_CTX_add_client_custom_ext */
    bool for_client, for_server;
};

struct ssl_config {
    struct tls_config core; /* first, so that a pointer to it is a pointer to this */
    _Atomic uint32_t refs;

    uint32_t mode;       /* SSL_MODE_* */
    uint32_t cert_flags; /* SSL_CERT_FLAG_* */
    int verify_mode;     /* SSL_VERIFY_* */
    SSL_verify_cb verify_callback;
    X509_VERIFY_PARAM *param; /* owns */

    int security_level;
    int (*security_callback)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);
    void *security_ex_data;

    void (*msg_callback)(int, int, int, const void *, size_t, SSL *, void *);
    void *msg_callback_arg;
    int (*cert_cb)(SSL *, void *);
    void *cert_cb_arg;
    ssl_ct_validation_cb ct_callback; /* NULL: no Certificate Transparency */
    void *ct_callback_arg;
    pem_password_cb *passwd_callback;
    void *passwd_userdata;

    X509_STORE *verify_store;        /* counted; NULL: the SSL_CTX's */
    X509_STORE *chain_store;         /* counted; NULL: the SSL_CTX's */
    STACK_OF(SSL_CIPHER) *ciphers;   /* owns; all enabled, TLS 1.3 first, as SSL_get_ciphers */
    STACK_OF(SSL_CIPHER) *ciphers13; /* owns; as configured */
    bool own_ciphers;                /* set on the SSL itself, else its SSL_CTX's are in force */
    struct blob *client_cert_types;  /* counted */

    struct custom_extension *custom; /* owns */
    size_t num_custom;

    uint8_t session_context[SESSION_MAX_CONTEXT];
    size_t session_context_len;
    GEN_SESSION_CB generate_session_id;
    int (*not_resumable_callback)(SSL *, int);

    int read_ahead; /* 0: off; else as set */
    size_t read_buffer_len;
    uint32_t max_pipelines;
    int status_type; /* TLSEXT_STATUSTYPE_*; -1: none */
    int quiet_shutdown;
    SSL_allow_early_data_cb_fn allow_early_data;
    void *allow_early_data_arg;

    size_t (*padding_callback)(SSL *, int, size_t, void *);
    void *padding_arg;
    size_t block_padding;

    EVP_PKEY *dh_pkey; /* owns */
    DH *(*dh_callback)(SSL *, int, int);
    bool dh_auto;

    SSL_psk_client_cb_func psk_client_callback;
    SSL_psk_server_cb_func psk_server_callback;
    SSL_psk_use_session_cb_func psk_use_session;
    SSL_psk_find_session_cb_func psk_find_session;

    SSL_async_callback_fn async_callback;
    void *async_callback_arg;
};

/* Where a context's ticket keys come from: each period's seed gives its key and the next seed, and
 * is forgotten then (api/ticket_keys.c). */
struct ticket_seed {
    uint8_t bytes[32];
    _Atomic int64_t period; /* whose seed it is; no key of an earlier one can be derived any more */
};

struct ssl_ctx_st {
    _Atomic uint32_t refs;
    const SSL_METHOD *method;
    const struct crypto_lib *lib;      /* counted */
    struct ssl_config *_Atomic config; /* counted: what SSL_new() hands out */
    _Atomic uint32_t readers;          /* threads that are about to count a reference to it */
    CRYPTO_RWLOCK *lock;               /* owns: guards the cache, statistics and ticket keys */
    CRYPTO_EX_DATA ex_data;

    /* What an SSL uses when it has none of its own, at the moment it needs it. */
    STACK_OF(X509_NAME) *ca_names;        /* owns; SSL_CTX_set0_CA_list */
    STACK_OF(X509_NAME) *client_ca_names; /* owns; SSL_CTX_set_client_CA_list */
    void (*info_callback)(const SSL *, int, int);

    X509_STORE *cert_store;      /* counted; others than stores.c ask stores_for_...() */
    _Atomic bool store_is_open;  /* it may hold what did not come from CA files, or be changed by
                                    the application */
    _Atomic bool store_is_short; /* CA files are behind it: api/ca_lookup.h */
    X509_VERIFY_PARAM *param;    /* owns; NULL until SSL_CTX_get0_param() gives it out: from then
                                    on used and copied to every new SSL instead of config's */
    STACK_OF(X509) *extra_certs; /* owns */
    int (*app_verify_callback)(X509_STORE_CTX *, void *);
    void *app_verify_arg;
    int (*client_cert_cb)(SSL *, X509 **, EVP_PKEY **);
    ENGINE *client_cert_engine; /* owns a functional reference */
    CTLOG_STORE *ctlog_store;   /* owns */
    struct dane_ctx_st *dane;   /* owns; NULL: SSL_CTX_dane_enable() was not called */
    SSL_client_hello_cb_fn client_hello_cb;
    void *client_hello_arg;
    int (*servername_cb)(SSL *, int *, void *);
    void *servername_arg;
    SSL_CTX_alpn_select_cb_func alpn_select_cb;
    void *alpn_select_arg;
    SSL_CTX_npn_advertised_cb_func npn_advertised_cb;
    void *npn_advertised_arg;
    SSL_CTX_npn_select_cb_func npn_select_cb;
    void *npn_select_arg;
    SSL_CTX_keylog_cb_func keylog_cb;
    STACK_OF(SRTP_PROTECTION_PROFILE) *srtp_profiles; /* owns; an SSL without its own uses them */
    int (*status_cb)(SSL *, void *);
    void *status_arg;
    int (*cookie_generate)(SSL *, unsigned char *, unsigned int *);
    int (*cookie_verify)(SSL *, const unsigned char *, unsigned int);
    int (*stateless_generate)(SSL *, unsigned char *, size_t *);
    int (*stateless_verify)(SSL *, const unsigned char *, size_t);
    uint8_t cookie_key[32];                  /* MAC key of HelloRetryRequest cookies */
    struct ticket_seed ticket_seed;          /* of keys that rotate by themselves */
    struct ticket_ring *_Atomic ticket_keys; /* owns; NULL until the first ticket */
    EVP_CIPHER_CTX *_Atomic ticket_cipher;   /* owns; for tickets under these keys, while none is
                                                sealed or opened; NULL: none yet */
    int (*ticket_key_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, HMAC_CTX *,
                         int);
    int (*ticket_key_evp_cb)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
                             EVP_MAC_CTX *, int);
    SSL_CTX_generate_session_ticket_fn generate_ticket_cb;
    SSL_CTX_decrypt_session_ticket_fn decrypt_ticket_cb;
    void *ticket_cb_arg;

    int (*new_session_cb)(SSL *, SSL_SESSION *);
    void (*remove_session_cb)(SSL_CTX *, SSL_SESSION *);
    SSL_SESSION *(*get_session_cb)(SSL *, const unsigned char *, int, int *);
    uint32_t session_cache_mode;
    size_t session_cache_size;
    long session_timeout;                  /* seconds */
    LHASH_OF(SSL_SESSION) *sessions;       /* owns */
    struct ssl_session_st *_Atomic newest; /* ends of the list of the cache's sessions, by expiry;
                                              read without the lock: NULL, there is none */
    struct ssl_session_st *oldest;
    struct {
        _Atomic int connect, connect_good, connect_renegotiate;
        _Atomic int accept, accept_good, accept_renegotiate;
        _Atomic int hit, cb_hit, miss, timeout, cache_full;
    } stats;
};

/* A write that has not finished: what SSL_write() promised to send, and how far it came. One record
 * is on its way at a time, on a plain socket a few. */
struct pending_write {
    const void *buf;   /* their plaintext in the caller's memory */
    size_t len;        /* plaintext bytes that are sealed and not delivered to the BIO */
    size_t sent;       /* bytes of the caller's buffer whose records were delivered earlier */
    const void *first; /* what the first call passed, for the error message: buffer */
    size_t asked;      /* and length */
};

/* A public call as a function that SSL_MODE_ASYNC may run inside a job. */
struct io_call {
    SSL *s;
    int (*run)(struct io_call *call);
    void *buf;
    const void *data;
    size_t len;
    size_t done;
    bool peek;
};

/* How far the application is with early data: what the functions of early_data.c may do next. */
enum early_state {
    EARLY_NONE,
    EARLY_CONNECT_RETRY,
    EARLY_CONNECTING,
    EARLY_WRITE_RETRY,
    EARLY_WRITING,
    EARLY_WRITE_FLUSH,
    EARLY_UNAUTHENTICATED_WRITING, /* a server, to a client that has not finished */
    EARLY_FINISHED_WRITING,
    EARLY_ACCEPT_RETRY,
    EARLY_ACCEPTING,
    EARLY_READ_RETRY,
    EARLY_READING,
    EARLY_FINISHED_READING
};

struct ssl_st {
    struct tls_conn conn; /* first */
    SSL_CTX *ctx;         /* counted where it is another than the next */
    SSL_CTX *session_ctx; /* counted; the one it was created with: session cache */
    const SSL_METHOD *method;
    struct ssl_config *config; /* counted; conn.config points into it */
    CRYPTO_EX_DATA ex_data;

    BIO *rbio; /* owns */
    BIO *wbio; /* owns */
    _Atomic uint32_t refs;
    int rwstate;             /* SSL_NOTHING, SSL_READING, ...: SSL_want() */
    int shutdown;            /* SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN */
    int quiet_shutdown;      /* copied at SSL_new; not part of config so that it is cheap */
    int last_error;          /* what this SSL's last call put into the error queue, as SSL_get_error
                                tells it: SSL_ERROR_NONE, _SSL or _SYSCALL */
    enum key_slot sent_slot; /* whose certificate the last handshake sent, and which is therefore
                                the current one until a setter is called; KEY_NONE */
    unsigned npn_list_len;
    uint16_t num_custom;
    enum early_state early_state : 8;
    bool state_set;          /* SSL_set_connect_state or SSL_set_accept_state was called */
    bool born_server : 1;    /* what SSL_is_server says before that: the method of SSL_new */
    bool scts_collected : 1; /* scts has them */
    bool in_handshake;       /* inside SSL_do_handshake: callbacks may call back */
    bool in_client_hello_cb; /* SSL_client_hello_get0_* may look */
    bool cert_cb_done;       /* cert_cb has answered; client_cert_cb is being asked */
    bool work_due;           /* SSL_key_update or SSL_verify_client_post_handshake was called */
    bool flush_due;          /* the BIO has not yet been flushed after a flight */
    bool alert_sealed;       /* the queued alert is in the output */

    struct pending_write pending;
    /* NULL: those of ctx, whichever it is at the time, are in force. */
    STACK_OF(X509_NAME) *ca_names;        /* owns */
    STACK_OF(X509_NAME) *client_ca_names; /* owns */
    void (*info_callback)(const SSL *, int, int);

    char *hostname;                 /* owns; SSL_set_tlsext_host_name */
    X509_VERIFY_PARAM *param;       /* NULL until SSL_get0_param(): then owned and used instead of
                                       config's */
    long verify_result;             /* X509_V_* */
    STACK_OF(X509) *verified_chain; /* owns */
    struct peer_chain *verified;    /* counted; whose certificates verified_chain has as the library
                                       sees them; NULL: none, or the application's own */
    STACK_OF(X509_NAME) *peer_ca_names; /* owns; what the peer sent */
    struct custom_exchange *custom;     /* owns; which custom extensions went which way */
    struct ssl_dane_st *dane;           /* owns; NULL: never asked for */
    struct blob *tls_scts;              /* counted; the timestamps the peer sent in its handshake */
    STACK_OF(SCT) *scts; /* owns; all the peer's timestamps, on demand, see scts_collected */
    STACK_OF(SSL_CIPHER) *peer_ciphers; /* owns; made on demand */
    unsigned char *ocsp_response;       /* owns (OPENSSL_malloc); to staple, or received */
    size_t ocsp_response_len;
    STACK_OF(OCSP_RESPID) *ocsp_ids;                  /* owns */
    STACK_OF(X509_EXTENSION) *ocsp_exts;              /* owns */
    STACK_OF(SRTP_PROTECTION_PROFILE) *srtp_profiles; /* owns; NULL: those of ctx */
    const unsigned char *npn_list; /* the application's, while a ServerHello is written;
                                      npn_list_len bytes */
    void (*tlsext_debug_cb)(SSL *, int, int, const unsigned char *, int, void *);
    void *tlsext_debug_arg;
    struct app_tickets *tickets; /* owns; NULL: none of the functions of app_ticket.c was called */
    struct async_calls *async;   /* owns; NULL until a call is made with SSL_MODE_ASYNC */
};

/* --- config.c: copy on write --- */

/* A reference to settings with OpenSSL's defaults, which may be shared: change them only behind
 * ssl_config_edit(). NULL: out of memory, or the library has no suite; an error was raised. */
MUST_CHECK struct ssl_config *ssl_config_default(const struct crypto_lib *lib);
struct ssl_config *ssl_config_ref(struct ssl_config *config);
void ssl_config_free(struct ssl_config *config);

/* A copy with one reference; NULL: out of memory. */
MUST_CHECK struct ssl_config *ssl_config_copy(const struct ssl_config *source);

/* A reference to a context's settings, safe against another thread that changes them. */
struct ssl_config *ctx_config_ref(SSL_CTX *ctx);

/* Makes *config exclusively the caller's; NULL: out of memory, *config unchanged. */
MUST_CHECK struct ssl_config *ssl_config_edit(struct ssl_config **config);

/* The settings of a context, or of a connection, ready to be changed; NULL: out of memory, an error
 * was raised. ssl_edit() also points the connection at the result. */
MUST_CHECK struct ssl_config *ctx_edit(SSL_CTX *ctx);
MUST_CHECK struct ssl_config *ssl_edit(SSL *s);

/* Settings that OpenSSL reads from the SSL_CTX of the moment unless the SSL has its own: cipher
 * lists and the info callback. ssl_follow_ctx() brings the connection's cipher lists up to date; it
 * is called when a handshake starts and by SSL_set_SSL_CTX(). False: out of memory, raised. */
MUST_CHECK bool ssl_follow_ctx(SSL *s);
void (*ssl_info_callback(const SSL *s))(const SSL *, int, int);

/* --- session_cache.c --- */

/* Makes the empty cache of a new context; false: out of memory. The other removes every session
 * (the remove callback is called for each) and frees the cache; without a cache it does nothing. */
MUST_CHECK bool session_cache_init(SSL_CTX *ctx);
void session_cache_wipe(SSL_CTX *ctx);

/* --- async.c --- */

/* Frees what SSL_MODE_ASYNC needed. */
void async_wipe(SSL *s);

/* --- conf_module.c --- */

/* Applies the section system_default of openssl.cnf's ssl_conf, if there is one, to a new context.
 * Its errors are ignored. */
void conf_apply_system_default(SSL_CTX *ctx);

/* A setting of this library, which OpenSSL does not know: the variable of the environment, else the
 * command in the section "tenon" of openssl.cnf's ssl_conf. NULL: it is not set. Borrowed. */
const char *conf_own_setting(const char *variable, const char *command);

/* --- errors.c --- */

/* Puts an SSL library error into the queue with the place of the call. */
#define raise_error(reason) raise_error_at((reason), __FILE__, __LINE__, __func__)
COLD void raise_error_at(int reason, const char *file, int line, const char *function);

/* The same with data that explains it. */
#define raise_error_with(reason, ...)                                                              \
    raise_error_with_at((reason), __FILE__, __LINE__, __func__, __VA_ARGS__)
COLD void raise_error_with_at(int reason, const char *file, int line, const char *function,
                              const char *format, ...) PRINTF_LIKE(5, 6);

/* Says that the calling function is there, but what it is for is not: an error with the names of
 * both. capability is a string literal: tools/list-refused reads it. */
#define refuse(capability) raise_error_with(ERR_R_UNSUPPORTED, "%s: %s", __func__, capability)

/* Loads the reason strings once; used by SSL_CTX_new and ERR_load_SSL_strings. */
bool load_error_strings(void);

/* --- security.c --- */

/* True when the security level or the application's callback allows it; for an SSL and for a
 * context. Arguments as in SSL_CTX_set_security_callback(3). */
bool ssl_is_allowed(const SSL *s, int op, int bits, int nid, void *other);
bool ctx_is_allowed(const SSL_CTX *ctx, int op, int bits, int nid, void *other);

/* --- callbacks.c: the engine's questions as OpenSSL's callbacks --- */
extern const struct tls_hooks ssl_hooks;

/* --- verify.c --- */

/* Judges chain (leaf first) as OpenSSL does for the connection's role; sets verify_result and
 * verified_chain. >0: accepted; 0: refused; <0: the application wants to be asked again
 * (SSL_set_retry_verify). */
int ssl_verify_chain(SSL *s, struct peer_chain *chain);

/* The alert that belongs to an X509_V_* code. */
uint8_t alert_of_verify_result(long result);

/* --- certs.c --- */

/* The chain to send for the credential in slot, leaf first: the configured chain, the context's
 * extra certificates, or one that is built from the stores. NULL: failure with an error raised. */
STACK_OF(X509) *ssl_chain_to_send(SSL *s, enum key_slot slot);

/* Calls the application's client_cert_cb; 1: credentials set; 0: none; <0: suspend. */
int ssl_ask_client_cert(SSL *s);

/* --- pump.c, io.c and connect.c: see pump.h --- */

#endif
