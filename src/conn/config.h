/*
 * What the core must know of how a connection is configured: lists, limits, option bits and
 * credentials. A value: the API copies it before it changes a shared one, so an SSL costs one
 * reference until somebody sets something on it.
 */
#ifndef TENON_CONN_CONFIG_H
#define TENON_CONN_CONFIG_H

#include "base/blob.h"
#include "conn/credential.h"
#include "crypto/group.h"
#include "crypto/sigscheme.h"
#include "crypto/suite.h"
#include "record/record.h"

/* Bits of tls_config.options that the core looks at; api/options.c asserts that they are SSL_OP_*
 * of <openssl/ssl.h>. */
#define OPTION_TLSEXT_PADDING              (UINT64_C(1) << 4)
#define OPTION_ALLOW_NO_DHE_KEX            (UINT64_C(1) << 10)
#define OPTION_IGNORE_UNEXPECTED_EOF       (UINT64_C(1) << 7)
#define OPTION_NO_EXTENDED_MASTER_SECRET   (UINT64_C(1) << 0)
#define OPTION_ALLOW_CLIENT_RENEGOTIATION  (UINT64_C(1) << 8)
#define OPTION_LEGACY_SERVER_CONNECT       (UINT64_C(1) << 2)
#define OPTION_ALLOW_UNSAFE_RENEGOTIATION  (UINT64_C(1) << 18)
#define OPTION_DONT_INSERT_EMPTY_FRAGMENTS (UINT64_C(1) << 11)
#define OPTION_NO_RESUMING_RENEGOTIATION   (UINT64_C(1) << 16)
#define OPTION_NO_ENCRYPT_THEN_MAC         (UINT64_C(1) << 19)
#define OPTION_NO_TICKET                   (UINT64_C(1) << 14)
#define OPTION_NO_COMPRESSION              (UINT64_C(1) << 17)
#define OPTION_ENABLE_MIDDLEBOX_COMPAT     (UINT64_C(1) << 20)
#define OPTION_PRIORITIZE_CHACHA           (UINT64_C(1) << 21)
#define OPTION_CIPHER_SERVER_PREFERENCE    (UINT64_C(1) << 22)
#define OPTION_TLS_ROLLBACK_BUG            (UINT64_C(1) << 23)
#define OPTION_NO_ANTI_REPLAY              (UINT64_C(1) << 24)
#define OPTION_NO_SSL3                     (UINT64_C(1) << 25)
#define OPTION_NO_TLS1                     (UINT64_C(1) << 26)
#define OPTION_NO_TLS12                    (UINT64_C(1) << 27)
#define OPTION_NO_TLS11                    (UINT64_C(1) << 28)
#define OPTION_NO_TLS13                    (UINT64_C(1) << 29)
#define OPTION_NO_RENEGOTIATION            (UINT64_C(1) << 30)

/* Suite B's levels of security; the values are those of SSL_CERT_FLAG_SUITEB_*, shifted. */
enum suite_b { SUITE_B_OFF, SUITE_B_128_ONLY, SUITE_B_192, SUITE_B_128 };

struct tls_config {
    const struct crypto_lib *lib; /* borrowed from the SSL_CTX */
    uint64_t options;             /* SSL_OP_* */
    uint16_t min_version;         /* as set; 0: the lowest there is */
    uint16_t max_version;         /* as set; 0: the highest there is */
    uint16_t only_version;        /* the one version of a method like TLSv1_2_method(); 0: any */

    /* Lists of 16-bit code points in host order, most preferred first; counted. */
    struct blob *suites13;       /* TLS 1.3 suites; NULL: the defaults */
    struct blob *suites;         /* every enabled suite of older versions; NULL: the defaults */
    struct blob *groups;         /* NULL: the defaults */
    struct blob *sigalgs;        /* NULL: the defaults */
    struct blob *client_sigalgs; /* for client authentication; NULL: sigalgs */
    struct blob *alpn;           /* the client's protocols in wire format; NULL: none */
    enum suite_b suite_b;        /* RFC 6460: overrides groups and sigalgs */
    bool strict_certs;           /* SSL_CERT_FLAG_TLS_STRICT */

    struct credentials *credentials; /* counted; never NULL */
    struct blob *psk_identity_hint;  /* counted; a server's, without a NUL; NULL: none */

    bool send_fallback_scsv;    /* SSL_MODE_SEND_FALLBACK_SCSV */
    bool ask_client_cert;       /* SSL_VERIFY_PEER of a server */
    bool require_client_cert;   /* SSL_VERIFY_FAIL_IF_NO_PEER_CERT */
    bool ask_client_cert_once;  /* SSL_VERIFY_CLIENT_ONCE */
    bool ask_client_cert_later; /* SSL_VERIFY_POST_HANDSHAKE: in TLS 1.3 only when told to */
    bool verify_server;         /* SSL_VERIFY_PEER of a client */
    bool post_handshake_auth;   /* the client offers it */
    bool request_ocsp;          /* the client sends status_request */
    uint8_t max_fragment_code;  /* RFC 6066, 4: 0 (off) to 4 */

    uint32_t max_cert_list;       /* longest Certificate message accepted, bytes */
    uint32_t max_send_fragment;   /* longest plaintext of a record, 512..16384 bytes */
    uint32_t split_send_fragment; /* plaintext of the records a long write is cut into */

    bool reports_records; /* hooks.message() is told of records; of messages it always is */
    bool pads_records;    /* hooks.pad() is asked */

    size_t num_tickets;           /* of a TLS 1.3 server, after a full handshake */
    uint32_t max_early_data;      /* bytes that a server's tickets allow; 0: none */
    uint32_t recv_max_early_data; /* bytes that a server takes, accepted or not */
    bool protects_early_data;     /* against replays, whatever OPTION_NO_ANTI_REPLAY says */
};

/* Number of code points in a list; its i-th element. */
size_t u16_list_len(const struct blob *list);
uint16_t u16_list_at(const struct blob *list, size_t i);
void u16_list_set(struct blob *list, size_t i, uint16_t value); /* while it has one owner */
bool u16_list_has(const struct blob *list, uint16_t value);

/* The lists in force: what is configured or the default (OpenSSL 3.0's). */
const struct blob *config_suites13(const struct tls_config *config);
const struct blob *config_groups(const struct tls_config *config);
const struct blob *config_sigalgs(const struct tls_config *config);
const struct blob *config_client_sigalgs(const struct tls_config *config);

/* True when early data must not be accepted twice: the application has not said otherwise, or the
 * operator insists. */
bool config_is_anti_replay(const struct tls_config *config);

/* True when a choice goes by our own order of preference: the option, or Suite B, has it so. */
bool config_own_first(const struct tls_config *config);

/* Makes copy a second owner of everything source refers to. */
void config_copy(struct tls_config *copy, const struct tls_config *source);

/* Drops what config refers to (not config itself). */
void config_wipe(struct tls_config *config);

/* True when options, minimum and maximum allow the version, or a method of one version has it,
 * which asks for nothing else, as in OpenSSL. The security level is asked elsewhere. */
bool config_allows_version(const struct tls_config *config, uint16_t version);

#endif
