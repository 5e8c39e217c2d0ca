/*
 * Compression methods, which a build without compression does not have, and what is left of the
 * functions for them. Manual pages: SSL_COMP_add_compression_method(3),
 * SSL_SESSION_get_compress_id(3).
 */
#include "contract.h"

#include <openssl/comp.h>
#include <openssl/err.h>

int main(void)
{
    STACK_OF(SSL_COMP) *methods;
    STACK_OF(SSL_COMP) *before;
    struct pair p;

    contract_start();
    section("methods");
    methods = SSL_COMP_get_compression_methods();
    note("there are %d", methods == NULL ? -1 : sk_SSL_COMP_num(methods));
    before = SSL_COMP_set0_compression_methods(NULL);
    note("set none: %d, the same %d", before != NULL, before == methods);
    note("again: %d", SSL_COMP_set0_compression_methods(NULL) != NULL);
    note("back: %d", SSL_COMP_set0_compression_methods(before) != NULL);
    for (int id = -1; id <= 256; id += id < 2 ? 1 : 127) {
        note("add %d: %d", id, SSL_COMP_add_compression_method(id, NULL));
        log_errors("error");
    }
    note("name of none: %s", SSL_COMP_get_name(NULL) == NULL ? "NULL" : SSL_COMP_get_name(NULL));
    SSL_COMP_free_compression_methods();
    section("methods as objects");
    {
        const SSL_COMP *none = NULL;

        note("sk %d", methods == NULL || sk_SSL_COMP_num(methods) == 0 ? 0 : 1);
        if (methods != NULL && sk_SSL_COMP_num(methods) > 0) {
            none = sk_SSL_COMP_value(methods, 0);
            note("%s %d", SSL_COMP_get0_name(none), SSL_COMP_get_id(none));
        }
    }
    section("a connection");
    pair_init_connected(&p, OVER_MEMORY, 0);
    note("compression %d expansion %d", SSL_get_current_compression(p.client) != NULL,
         SSL_get_current_expansion(p.server) != NULL);
    note("compress id %u", SSL_SESSION_get_compress_id(SSL_get0_session(p.client)));
    note("no compression %d", (SSL_get_options(p.client) & SSL_OP_NO_COMPRESSION) != 0);
    pair_free(&p);
    identity_default_free();
    return contract_finish();
}
