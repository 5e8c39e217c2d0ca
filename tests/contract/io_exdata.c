/*
 * Application data on SSL and SSL_CTX: indices, callbacks and their order.
 * CRYPTO_get_ex_new_index(3), SSL_get_ex_new_index(3), SSL_set_app_data(3).
 */
#include "contract.h"

static int values[8];

/* What the callbacks are told; `arg` names the index. */
static void log_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    note("  new %s idx %d argl %ld value %s", (const char *)argp, idx, argl,
         ptr == NULL ? "none" : "set");
}

static void log_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    note("  free %s idx %d argl %ld value %d", (const char *)argp, idx, argl,
         ptr == NULL ? -1 : (int)((int *)ptr - values));
}

static int log_dup(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int idx,
                   long argl, void *argp)
{
    int *value = *from_d;

    (void)to;
    (void)from;
    note("  dup %s idx %d argl %ld value %d", (const char *)argp, idx, argl,
         value == NULL ? -1 : (int)(value - values));
    if (value != NULL) {
        *from_d = value + 1;
    }
    return 1;
}

static char first_name[] = "first";
static char second_name[] = "second";
static char ctx_name[] = "ctx";

static void ssl_data(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl;
    SSL *copy;
    int first;
    int second;

    section("SSL");
    first = SSL_get_ex_new_index(11, first_name, log_new, log_dup, log_free);
    second = SSL_get_ex_new_index(22, second_name, log_new, log_dup, log_free);
    note("indices %d %d", first, second);
    note("SSL_new");
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("get %d %d app_data %d", SSL_get_ex_data(ssl, first) != NULL,
         SSL_get_ex_data(ssl, second) != NULL, SSL_get_app_data(ssl) != NULL);
    note("set %d %d %d", SSL_set_ex_data(ssl, first, &values[1]),
         SSL_set_ex_data(ssl, second, &values[3]), SSL_set_app_data(ssl, &values[5]));
    note("get %d %d app_data %d", SSL_get_ex_data(ssl, first) == &values[1],
         SSL_get_ex_data(ssl, second) == &values[3], SSL_get_app_data(ssl) == &values[5]);
    note("unknown index: %d", SSL_get_ex_data(ssl, 1000) == NULL);
    log_errors("queue");
    note("SSL_clear %d", SSL_clear(ssl));
    note("get %d %d", SSL_get_ex_data(ssl, first) == &values[1],
         SSL_get_ex_data(ssl, second) == &values[3]);
    note("SSL_dup");
    copy = SSL_dup(ssl);
    REQUIRE(copy != NULL);
    note("copy has %d %d", SSL_get_ex_data(copy, first) == &values[2],
         SSL_get_ex_data(copy, second) == &values[4]);
    note("SSL_free of the copy");
    SSL_free(copy);
    note("SSL_free");
    SSL_free(ssl);
    log_errors("queue");
    SSL_CTX_free(ctx);
}

static void ctx_data(void)
{
    SSL_CTX *ctx;
    SSL *ssl;
    int index;

    section("SSL_CTX");
    index = SSL_CTX_get_ex_new_index(33, ctx_name, log_new, log_dup, log_free);
    note("index %d", index);
    note("SSL_CTX_new");
    ctx = client_ctx_new();
    note("set %d", SSL_CTX_set_ex_data(ctx, index, &values[6]));
    note("get %d", SSL_CTX_get_ex_data(ctx, index) == &values[6]);
    note("app_data %d", SSL_CTX_set_app_data(ctx, &values[7]));
    note("SSL_new and SSL_free");
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    SSL_free(ssl);
    note("SSL_CTX_free of one of two");
    REQUIRE(SSL_CTX_up_ref(ctx) == 1);
    SSL_CTX_free(ctx);
    note("SSL_CTX_free of the last");
    SSL_CTX_free(ctx);
}

/* In SSL_free, the callbacks still see the SSL's own data. */
static int busy_index;

static void look_at_parent(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
                           void *argp)
{
    const SSL *ssl = parent;

    (void)ad;
    (void)argl;
    (void)argp;
    if (ptr != NULL) {
        note("  free: idx ok %d value seen %d context %d", idx == busy_index,
             SSL_get_ex_data(ssl, idx) == ptr, SSL_get_SSL_CTX(ssl) != NULL);
    }
}

static void parent_is_usable(void)
{
    struct pair p;

    section("the parent in the free callback");
    busy_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, look_at_parent);
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(SSL_set_ex_data(p.client, busy_index, &values[0]) == 1);
    note("SSL_free");
    SSL_free(p.client);
    p.client = NULL;
    pair_free(&p);
}

int main(void)
{
    contract_start();
    ssl_data();
    ctx_data();
    note("x509 store ctx index %d", SSL_get_ex_data_X509_STORE_CTX_idx());
    parent_is_usable();
    identity_default_free();
    return contract_finish();
}
