/*
 * The system's own libssl, loaded beside the code under test, as the judge of names, facts and
 * orders that applications see. The tests that ask it are skipped where it is not OpenSSL 3.0.
 */
#ifndef TENON_TESTS_SYSTEM_SSL_H
#define TENON_TESTS_SYSTEM_SSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct system_ssl {
    __typeof__(&TLS_method) method;
    __typeof__(&SSL_CTX_new) ctx_new;
    __typeof__(&SSL_CTX_free) ctx_free;
    __typeof__(&SSL_CTX_ctrl) ctx_ctrl;
    __typeof__(&SSL_CTX_set_cipher_list) set_cipher_list;
    __typeof__(&SSL_CTX_set_ciphersuites) set_ciphersuites;
    __typeof__(&SSL_CTX_get_ciphers) get_ciphers;
    __typeof__(&SSL_new) ssl_new;
    __typeof__(&SSL_free) ssl_free;
    __typeof__(&SSL_CIPHER_find) find;
    __typeof__(&SSL_CIPHER_get_id) get_id;
    __typeof__(&SSL_CIPHER_get_name) get_name;
    __typeof__(&SSL_CIPHER_standard_name) standard_name;
    __typeof__(&SSL_CIPHER_get_bits) get_bits;
    __typeof__(&SSL_CIPHER_get_version) get_version;
    __typeof__(&SSL_CIPHER_is_aead) is_aead;
    __typeof__(&SSL_CIPHER_get_kx_nid) get_kx_nid;
    __typeof__(&SSL_CIPHER_get_auth_nid) get_auth_nid;
    __typeof__(&SSL_CIPHER_get_cipher_nid) get_cipher_nid;
    __typeof__(&SSL_CIPHER_get_digest_nid) get_digest_nid;
    __typeof__(&SSL_CIPHER_get_handshake_digest) get_handshake_digest;
};

/* The library's functions; NULL: no OpenSSL 3.0 there. */
const struct system_ssl *system_ssl_load(void);

#endif
