/*
 * openssl.cnf's ssl_conf section: SSL_CTX_config(3), SSL_config(3) and the section "system_default"
 * that every new context gets; the section "tenon", which OpenSSL does not look at. libcrypto reads
 * the file; three functions that it exports for libssl alone, in no public header, tell what the
 * section holds.
 */
#include "api/certs.h"
#include "api/conf.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* A command of a section, opaque here. */
struct ssl_conf_cmd_st;

/* Weak, so that the library still loads on a libcrypto that does not have them. */
extern int conf_ssl_name_find(const char *name, size_t *index) __attribute__((weak));
extern const struct ssl_conf_cmd_st *conf_ssl_get(size_t index, const char **name, size_t *num)
    __attribute__((weak));
extern void conf_ssl_get_cmd(const struct ssl_conf_cmd_st *commands, size_t index, char **command,
                             char **argument) __attribute__((weak));

/* Finds a section; false: there is none. */
static bool find_section(const char *name, const struct ssl_conf_cmd_st **commands, size_t *num)
{
    const char *found;
    size_t index;

    if (conf_ssl_name_find == NULL || conf_ssl_get == NULL || conf_ssl_get_cmd == NULL ||
        !conf_ssl_name_find(name, &index)) {
        return false;
    }
    *commands = conf_ssl_get(index, &found, num);
    return true;
}

/* Runs every command, also after one that failed. */
static bool run_section(SSL_CONF_CTX *conf, const struct ssl_conf_cmd_st *commands, size_t num)
{
    bool ok = true;

    for (size_t i = 0; i < num; i++) {
        char *command, *argument;

        conf_ssl_get_cmd(commands, i, &command, &argument);
        if (SSL_CONF_cmd(conf, command, argument) <= 0) {
            ok = false;
        }
    }
    return SSL_CONF_CTX_finish(conf) == 1 && ok;
}

/* The flags of a file for whatever roles the object can take. */
static unsigned flags_of_method(const SSL_METHOD *method)
{
    unsigned flags = SSL_CONF_FLAG_FILE;

    if (method->role != ROLE_CLIENT) {
        flags |= SSL_CONF_FLAG_SERVER;
    }
    if (method->role != ROLE_SERVER) {
        flags |= SSL_CONF_FLAG_CLIENT;
    }
    return flags;
}

/* Applies a section. system: it is the machine's default, which may not load keys. */
static bool apply_section(SSL *s, SSL_CTX *ctx, const char *name, bool system)
{
    const struct ssl_conf_cmd_st *commands;
    OSSL_LIB_CTX *previous;
    SSL_CONF_CTX *conf;
    unsigned flags;
    size_t num;
    bool ok;

    if (name == NULL || !find_section(name, &commands, &num)) {
        if (!system) {
            raise_error_with(SSL_R_INVALID_CONFIGURATION_NAME, "name=%s",
                             name != NULL ? name : "(null)");
        }
        return false;
    }
    conf = SSL_CONF_CTX_new();
    if (conf == NULL) {
        return false;
    }
    flags = flags_of_method(s != NULL ? s->method : ctx->method);
    if (!system) {
        flags |= SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_REQUIRE_PRIVATE;
    }
    (void)SSL_CONF_CTX_set_flags(conf, flags);
    if (s != NULL) {
        SSL_CONF_CTX_set_ssl(conf, s);
    } else {
        SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    }
    /* Functions without a library context of their own shall use the object's. */
    previous = OSSL_LIB_CTX_set0_default(settings_libctx(s, ctx));
    ok = run_section(conf, commands, num);
    OSSL_LIB_CTX_set0_default(previous);
    SSL_CONF_CTX_free(conf);
    return ok;
}

int SSL_config(SSL *s, const char *name)
{
    return apply_section(s, NULL, name, false);
}

int SSL_CTX_config(SSL_CTX *ctx, const char *name)
{
    return apply_section(NULL, ctx, name, false);
}

void conf_apply_system_default(SSL_CTX *ctx)
{
    (void)apply_section(NULL, ctx, "system_default", true);
}

const char *conf_own_setting(const char *variable, const char *wanted)
{
    const char *value = secure_getenv(variable);
    const struct ssl_conf_cmd_st *commands;
    size_t num;

    if (value != NULL || !find_section("tenon", &commands, &num)) {
        return value;
    }
    for (size_t i = 0; value == NULL && i < num; i++) {
        char *command, *argument;

        conf_ssl_get_cmd(commands, i, &command, &argument);
        if (strcmp(command, wanted) == 0) {
            value = argument;
        }
    }
    return value;
}

/* libcrypto brings the module that reads the section. */
void SSL_add_ssl_module(void)
{
}
