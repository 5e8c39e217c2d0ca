/*
 * Contexts and connections from inside: who shares settings with whom, and that every allocation on
 * the way may fail.
 */
#include "unit.h"

#include "api/certs.h"
#include "api/internal.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <string.h>

static bool make_context(void *arg)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    (void)arg;
    SSL_CTX_free(ctx);
    return ctx != NULL;
}

static bool make_connection(void *arg)
{
    SSL *s = SSL_new(arg);

    SSL_free(s);
    return s != NULL;
}

/* A property query makes a library of its own, whose defaults are not shared with other contexts.
 */
static bool make_own_context(void *arg)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(NULL, "?provider=default", TLS_client_method());

    (void)arg;
    SSL_CTX_free(ctx);
    return ctx != NULL;
}

/* Every setter that allocates, on a connection of its own. */
static bool change_connection(void *arg)
{
    static const unsigned char alpn[] = "\2h2";
    unsigned char cert_types[] = { 1 };
    SSL *s = SSL_new(arg);
    bool ok = s != NULL && SSL_set_cipher_list(s, "HIGH:!aNULL") == 1 &&
              SSL_set_ciphersuites(s, "TLS_AES_128_GCM_SHA256") == 1 &&
              SSL_set1_groups_list(s, "X25519:P-256") == 1 &&
              SSL_set1_sigalgs_list(s, "ed25519:RSA+SHA256") == 1 &&
              SSL_set1_client_sigalgs_list(s, "ed25519") == 1 &&
              SSL_set_alpn_protos(s, alpn, sizeof(alpn) - 1) == 0 &&
              SSL_set_tlsext_host_name(s, "name.example") == 1 &&
              SSL_use_psk_identity_hint(s, "hint") == 1 &&
              SSL_set_tlsext_use_srtp(s, "SRTP_AES128_CM_SHA1_80") == 0 &&
              SSL_set1_client_certificate_types(s, cert_types, 1) == 1;

    SSL_free(s);
    return ok;
}

static bool change_options(void *arg)
{
    SSL *s = SSL_new(arg);
    bool ok = s != NULL && (SSL_set_options(s, SSL_OP_NO_TICKET) & SSL_OP_NO_TICKET) != 0;

    SSL_free(s);
    return ok;
}

static bool duplicate(void *arg)
{
    SSL *copy = SSL_dup(arg);

    SSL_free(copy);
    return copy != NULL;
}

struct contexts {
    SSL_CTX *first, *second;
};

static bool move(void *arg)
{
    const struct contexts *contexts = arg;
    SSL *s = SSL_new(contexts->first);
    bool ok = s != NULL && SSL_set_SSL_CTX(s, contexts->second) == contexts->second;

    SSL_free(s);
    return ok;
}

static bool list_suites(void *arg)
{
    STACK_OF(SSL_CIPHER) *list = SSL_get1_supported_ciphers(arg);
    bool ok = list != NULL;

    sk_SSL_CIPHER_free(list);
    return ok;
}

static void allocation_failures(void **state)
{
    struct contexts contexts = { SSL_CTX_new(TLS_method()), SSL_CTX_new(TLS_method()) };
    SSL *s = SSL_new(contexts.first);

    (void)state;
    assert_non_null(s);
    assert_non_null(contexts.second);
    assert_int_equal(SSL_CTX_set_cipher_list(contexts.second, "AES128-SHA"), 1);
    assert_int_equal(SSL_set_cipher_list(s, "AES256-SHA"), 1);
    assert_true(fail_each_allocation(make_context, NULL, true) > 5);
    assert_true(fail_each_allocation(make_own_context, NULL, true) > 20);
    assert_true(fail_each_allocation(make_connection, contexts.first, true) > 0);
    assert_true(fail_each_allocation(change_connection, contexts.first, true) > 20);
    assert_true(fail_each_allocation(change_options, contexts.first, true) > 2);
    assert_true(fail_each_allocation(duplicate, s, true) > 5);
    assert_true(fail_each_allocation(move, &contexts, true) > 5);
    assert_true(fail_each_allocation(list_suites, s, true) > 0);
    SSL_free(s);
    SSL_CTX_free(contexts.first);
    SSL_CTX_free(contexts.second);
}

/* Interpreting the default cipher string costs more than everything else in a context together. */
static void contexts_share_their_defaults(void **state)
{
    SSL_CTX *first = SSL_CTX_new(TLS_method());
    SSL_CTX *second = SSL_CTX_new(TLS_method());

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_equal(first->config, second->config);
    assert_int_equal(SSL_CTX_set_cipher_list(first, "AES128-SHA"), 1);
    assert_ptr_not_equal(first->config, second->config);
    assert_int_not_equal(SSL_CTX_set_options(second, SSL_OP_NO_TICKET) & SSL_OP_NO_TICKET, 0);
    SSL_CTX_free(first);
    first = SSL_CTX_new(TLS_method());
    assert_non_null(first);
    assert_int_equal(SSL_CTX_get_options(first) & SSL_OP_NO_TICKET, 0);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

static void settings_are_copied_on_write(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);

    (void)state;
    assert_non_null(s);
    assert_ptr_equal(s->config, ctx->config);
    assert_ptr_equal(s->conn.config, &ctx->config->core);
    /* What changes nothing copies nothing. */
    assert_int_equal(SSL_set_options(s, 0), SSL_CTX_get_options(ctx));
    assert_int_equal(SSL_set_mode(s, SSL_MODE_AUTO_RETRY), SSL_MODE_AUTO_RETRY);
    assert_int_equal(SSL_set_min_proto_version(s, 0), 1);
    SSL_set_read_ahead(s, 0);
    assert_ptr_equal(s->config, ctx->config);

    (void)SSL_set_options(s, SSL_OP_NO_TICKET);
    assert_ptr_not_equal(s->config, ctx->config);
    assert_ptr_equal(s->conn.config, &s->config->core);
    assert_int_equal(SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET, 0);
    /* Lists and certificates are still shared. */
    assert_ptr_equal(s->config->core.suites, ctx->config->core.suites);
    assert_ptr_equal(s->config->core.credentials, ctx->config->core.credentials);
    const struct ssl_config *own = s->config;
    (void)SSL_set_options(s, SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
    assert_ptr_equal(s->config, own);
    SSL_free(s);

    /* A context that changes leaves the settings to those who have them. */
    s = SSL_new(ctx);
    assert_non_null(s);
    const struct ssl_config *before = s->config;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    assert_ptr_equal(s->config, before);
    assert_ptr_not_equal(ctx->config, before);
    assert_int_equal(SSL_get_verify_mode(s), SSL_VERIFY_NONE);
    SSL_free(s);
    SSL_CTX_free(ctx);
}

static void credentials_are_copied_on_write(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    struct credentials *shared = ctx->config->core.credentials;
    EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    assert_non_null(s);
    assert_non_null(key);
    assert_int_equal(SSL_use_PrivateKey(s, key), 1);
    assert_ptr_equal(ctx->config->core.credentials, shared);
    assert_ptr_not_equal(s->config->core.credentials, shared);
    assert_null(SSL_CTX_get0_privatekey(ctx));
    assert_ptr_equal(SSL_get_privatekey(s), key);
    /* A copy of the set counts the key up. */
    struct credentials *copy = credentials_ref(s->config->core.credentials);
    struct credentials *edited = credentials_edit(&copy);
    assert_non_null(edited);
    assert_ptr_not_equal(edited, s->config->core.credentials);
    assert_ptr_equal(edited->slot[KEY_ECDSA].key, key);
    assert_int_equal(edited->current, KEY_ECDSA);
    assert_false(credentials_has(edited, KEY_ECDSA));
    credential_clear(&edited->slot[KEY_ECDSA]);
    assert_null(edited->slot[KEY_ECDSA].key);
    credentials_free(edited);
    SSL_free(s);
    assert_int_equal(EVP_PKEY_get_id(key), EVP_PKEY_EC);
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
}

static void defaults_of_the_core(void **state)
{
    struct tls_config config = { 0 };

    (void)state;
    assert_int_equal(u16_list_len(config_suites13(&config)), 3);
    assert_int_equal(u16_list_at(config_suites13(&config), 0), 0x1302);
    assert_int_equal(u16_list_len(config_groups(&config)), 10);
    assert_true(u16_list_has(config_groups(&config), 0x0104));
    assert_false(u16_list_has(config_groups(&config), 0x0001));
    assert_int_equal(u16_list_len(config_sigalgs(&config)), 23);
    assert_ptr_equal(config_client_sigalgs(&config), config_sigalgs(&config));
    config.suite_b = SUITE_B_192;
    assert_int_equal(u16_list_len(config_groups(&config)), 1);
    assert_int_equal(u16_list_at(config_groups(&config), 0), 0x0018);
    assert_int_equal(u16_list_at(config_sigalgs(&config), 0), 0x0503);
    assert_int_equal(u16_list_len(NULL), 0);
}

static void versions_of_the_core(void **state)
{
    struct tls_config config = { 0 };

    (void)state;
    assert_true(config_allows_version(&config, VERSION_TLS13));
    assert_true(config_allows_version(&config, VERSION_TLS12));
    assert_false(config_allows_version(&config, 0x0305));
    assert_false(config_allows_version(&config, 0));
    config.min_version = VERSION_TLS12;
    assert_false(config_allows_version(&config, VERSION_TLS11));
    config.max_version = VERSION_TLS12;
    assert_false(config_allows_version(&config, VERSION_TLS13));
    config.options = OPTION_NO_TLS12;
    assert_false(config_allows_version(&config, VERSION_TLS12));
    /* A method of one version looks at neither bounds nor options. */
    config.only_version = VERSION_TLS11;
    assert_true(config_allows_version(&config, VERSION_TLS11));
    assert_false(config_allows_version(&config, VERSION_TLS12));
    config.options = OPTION_NO_TLS11;
    assert_true(config_allows_version(&config, VERSION_TLS11));
}

/* Fails unless the last error names the function and what it is for. */
static void assert_refused(const char *function, const char *capability)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long error = ERR_peek_last_error_data(&data, &flags);

    assert_int_equal(ERR_GET_LIB(error), ERR_LIB_SSL);
    assert_true((flags & ERR_TXT_STRING) != 0);
    assert_non_null(strstr(data, function));
    assert_non_null(strstr(data, capability));
    ERR_clear_error();
}

static int num_made, num_copied, num_freed;
static char given[] = "given at the beginning";

static void data_begins(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)ptr;
    (void)ad;
    (void)argl;
    (void)argp;
    num_made++;
    assert_int_equal(SSL_SESSION_set_ex_data(parent, idx, given), 1); /* asks while it is made */
}

static int data_is_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int idx,
                          long argl, void *argp)
{
    (void)to;
    (void)from;
    (void)from_d;
    (void)idx;
    (void)argl;
    (void)argp;
    num_copied++;
    return 1;
}

static void data_ends(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ptr;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    num_freed++;
}

static void sessions_get_their_data_when_asked(void **state)
{
    (void)state;
    int idx = SSL_SESSION_get_ex_new_index(0, NULL, data_begins, data_is_copied, data_ends);
    SSL_SESSION *untouched = SSL_SESSION_new();
    SSL_SESSION *touched = SSL_SESSION_new();
    char other[] = "other";

    assert_true(idx >= 0);
    SSL_SESSION_free(SSL_SESSION_dup(untouched));
    SSL_SESSION_free(untouched);
    assert_int_equal(num_made + num_copied + num_freed, 0);
    assert_ptr_equal(SSL_SESSION_get_ex_data(touched, idx), given);
    assert_int_equal(SSL_SESSION_set_ex_data(touched, idx, other), 1);
    SSL_SESSION *copy = SSL_SESSION_dup(touched);
    assert_ptr_equal(SSL_SESSION_get_ex_data(copy, idx), other);
    SSL_SESSION_free(touched);
    SSL_SESSION_free(copy);
    assert_int_equal(num_made, 2);
    assert_int_equal(num_copied, 1);
    assert_int_equal(num_freed, 2);
}

static void refusals_say_what_is_missing(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    char name[] = "name";

    (void)state;
    assert_int_equal(SSL_CTX_set_srp_username(ctx, name), 0);
    assert_refused("SSL_CTX_set_srp_username", "SRP");
    assert_null(SSL_CTX_new(DTLS_method()));
    assert_refused("", "DTLS");
    assert_int_equal(SSL_CTX_set_ssl_version(ctx, DTLS_client_method()), 0);
    assert_refused("", "DTLS");
    assert_ptr_equal(SSL_CTX_get_ssl_method(ctx), TLS_method());
    SSL_CTX_free(ctx);
}

int main(void)
{
    failing_alloc_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(contexts_share_their_defaults),
        cmocka_unit_test(settings_are_copied_on_write),
        cmocka_unit_test(credentials_are_copied_on_write),
        cmocka_unit_test(defaults_of_the_core),
        cmocka_unit_test(versions_of_the_core),
        cmocka_unit_test(sessions_get_their_data_when_asked),
        cmocka_unit_test(refusals_say_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
