#include "system_ssl.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <string.h>

static bool load_one(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);

    memcpy(slot, &symbol, sizeof(symbol));
    return symbol != NULL;
}

const struct system_ssl *system_ssl_load(void)
{
    static struct system_ssl ssl;
    void *lib = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    bool found = lib != NULL;

    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        { "TLS_method", &ssl.method },
        { "SSL_CTX_new", &ssl.ctx_new },
        { "SSL_CTX_free", &ssl.ctx_free },
        { "SSL_CTX_ctrl", &ssl.ctx_ctrl },
        { "SSL_CTX_set_cipher_list", &ssl.set_cipher_list },
        { "SSL_CTX_set_ciphersuites", &ssl.set_ciphersuites },
        { "SSL_CTX_get_ciphers", &ssl.get_ciphers },
        { "SSL_new", &ssl.ssl_new },
        { "SSL_free", &ssl.ssl_free },
        { "SSL_CIPHER_find", &ssl.find },
        { "SSL_CIPHER_get_id", &ssl.get_id },
        { "SSL_CIPHER_get_name", &ssl.get_name },
        { "SSL_CIPHER_standard_name", &ssl.standard_name },
        { "SSL_CIPHER_get_bits", &ssl.get_bits },
        { "SSL_CIPHER_get_version", &ssl.get_version },
        { "SSL_CIPHER_is_aead", &ssl.is_aead },
        { "SSL_CIPHER_get_kx_nid", &ssl.get_kx_nid },
        { "SSL_CIPHER_get_auth_nid", &ssl.get_auth_nid },
        { "SSL_CIPHER_get_cipher_nid", &ssl.get_cipher_nid },
        { "SSL_CIPHER_get_digest_nid", &ssl.get_digest_nid },
        { "SSL_CIPHER_get_handshake_digest", &ssl.get_handshake_digest },
    };

    for (size_t i = 0; found && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        found = load_one(lib, wanted[i].name, wanted[i].slot);
    }
    return found && OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0 ? &ssl : NULL;
}
