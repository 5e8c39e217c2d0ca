/*
 * A default library context that can do nothing, as programs have it that keep to one of their own:
 * contexts of the other one are made without a trace of that in the error queue.
 * Manual pages: SSL_CTX_new(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/provider.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

int main(void)
{
    OSSL_PROVIDER *nothing;
    OSSL_LIB_CTX *libctx;
    SSL_CTX *ctx;

    contract_start();
    section("a context of another library context");
    nothing = OSSL_PROVIDER_load(NULL, "null");
    libctx = OSSL_LIB_CTX_new();
    REQUIRE(nothing != NULL && libctx != NULL);
    for (int i = 0; i < 2; i++) {
        ctx = SSL_CTX_new_ex(libctx, NULL, TLS_method());
        CHECK(ctx != NULL);
        log_errors("error");
        note("groups: %d", (int)SSL_CTX_set1_groups_list(ctx, "X25519:P-256"));
        log_errors("error");
        SSL_CTX_free(ctx);
    }
    OSSL_LIB_CTX_free(libctx);
    (void)OSSL_PROVIDER_unload(nothing);
    return contract_finish();
}
