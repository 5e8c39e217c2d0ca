/*
 * An ENGINE that does AES-128-GCM and is the default for it: records go there, those of other
 * ciphers do not.
 * Manual pages: SSL_CTX_new(3), SSL_write(3).
 */
#include "contract.h"

#include <openssl/engine.h>
#include <openssl/evp.h>

static EVP_CIPHER *cipher;
static size_t num_crypted;

static int do_cipher(EVP_CIPHER_CTX *ctx, unsigned char *out, const unsigned char *in, size_t len)
{
    num_crypted++;
    return EVP_CIPHER_meth_get_do_cipher(EVP_aes_128_gcm())(ctx, out, in, len);
}

static int give_cipher(ENGINE *e, const EVP_CIPHER **out, const int **nids, int nid)
{
    static const int all[] = { NID_aes_128_gcm };

    (void)e;
    if (out == NULL) {
        *nids = all;
        return 1;
    }
    *out = nid == all[0] ? cipher : NULL;
    return *out != NULL;
}

/* libcrypto's own, but for the functions that count. */
static void make_cipher(void)
{
    const EVP_CIPHER *own = EVP_aes_128_gcm();

    cipher = EVP_CIPHER_meth_new(NID_aes_128_gcm, 1, 16);
    REQUIRE(cipher != NULL && EVP_CIPHER_meth_set_iv_length(cipher, 12) == 1 &&
            EVP_CIPHER_meth_set_flags(cipher, EVP_CIPHER_get_flags(own)) == 1 &&
            EVP_CIPHER_meth_set_impl_ctx_size(cipher, EVP_CIPHER_impl_ctx_size(own)) == 1 &&
            EVP_CIPHER_meth_set_init(cipher, EVP_CIPHER_meth_get_init(own)) == 1 &&
            EVP_CIPHER_meth_set_do_cipher(cipher, do_cipher) == 1 &&
            EVP_CIPHER_meth_set_cleanup(cipher, EVP_CIPHER_meth_get_cleanup(own)) == 1 &&
            EVP_CIPHER_meth_set_ctrl(cipher, EVP_CIPHER_meth_get_ctrl(own)) == 1);
}

static ENGINE *make_engine(void)
{
    ENGINE *e = ENGINE_new();

    make_cipher();
    REQUIRE(e != NULL);
    REQUIRE(ENGINE_set_id(e, "counting") == 1 && ENGINE_set_name(e, "counts its calls") == 1);
    REQUIRE(ENGINE_set_ciphers(e, give_cipher) == 1);
    REQUIRE(ENGINE_set_default_ciphers(e) == 1);
    return e;
}

static void connection(int version, const char *suite)
{
    struct pair p;
    size_t before;

    section("version %x, %s", (unsigned)version, suite);
    pair_version = version;
    num_crypted = 0;
    pair_init(&p, OVER_WIRE, 0);
    REQUIRE(version == TLS1_3_VERSION ? SSL_set_ciphersuites(p.client, suite) == 1
                                      : SSL_set_cipher_list(p.client, suite) == 1);
    (void)log_handshake(p.client, p.server);
    note("crypted %d", num_crypted > 0);
    before = num_crypted;
    log_alive(p.client, p.server);
    note("data crypted %d", num_crypted > before);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    ENGINE *e = make_engine();

    connection(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    connection(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384");
    connection(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
    connection(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384");
    identity_default_free();
    ENGINE_unregister_ciphers(e);
    ENGINE_free(e);
    EVP_CIPHER_meth_free(cipher);
    return contract_finish();
}
