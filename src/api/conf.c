/*
 * SSL_CONF_CTX and SSL_CONF_cmd(): finding a command by its name and running it. The commands are
 * in conf_commands.c. Behaviour: SSL_CONF_cmd(3), SSL_CONF_CTX_new(3), SSL_CONF_CTX_set_flags(3),
 * SSL_CONF_CTX_set1_prefix(3), SSL_CONF_CTX_set_ssl_ctx(3), SSL_CONF_cmd_argv(3).
 */
#include "api/conf.h"

#include "api/ca_list.h"
#include "api/certs.h"

#include <openssl/err.h>

#include <string.h>
#include <strings.h>

/* What SSL_CONF_cmd() returns. */
enum {
    CONF_SWITCH = 1,
    CONF_WITH_VALUE = 2,
    CONF_BAD_VALUE = 0,
    CONF_UNKNOWN = -2,
    CONF_NO_VALUE = -3
};

SSL_CONF_CTX *SSL_CONF_CTX_new(void)
{
    return OPENSSL_zalloc(sizeof(SSL_CONF_CTX));
}

static void forget_files(SSL_CONF_CTX *conf)
{
    for (size_t i = 0; i < NUM_KEY_SLOTS; i++) {
        OPENSSL_free(conf->cert_files[i]);
        conf->cert_files[i] = NULL;
    }
}

void SSL_CONF_CTX_free(SSL_CONF_CTX *cctx)
{
    if (cctx == NULL) {
        return;
    }
    forget_files(cctx);
    OPENSSL_free(cctx->prefix);
    ca_list_free(cctx->authorities);
    OPENSSL_free(cctx);
}

unsigned int SSL_CONF_CTX_set_flags(SSL_CONF_CTX *cctx, unsigned int flags)
{
    cctx->flags |= flags;
    return cctx->flags;
}

unsigned int SSL_CONF_CTX_clear_flags(SSL_CONF_CTX *cctx, unsigned int flags)
{
    cctx->flags &= ~flags;
    return cctx->flags;
}

int SSL_CONF_CTX_set1_prefix(SSL_CONF_CTX *cctx, const char *pre)
{
    char *copy = NULL;

    if (pre != NULL) {
        copy = OPENSSL_strdup(pre);
        if (copy == NULL) {
            return 0;
        }
    }
    OPENSSL_free(cctx->prefix);
    cctx->prefix = copy;
    return 1;
}

void SSL_CONF_CTX_set_ssl(SSL_CONF_CTX *cctx, SSL *ssl)
{
    forget_files(cctx);
    cctx->ssl = ssl;
    cctx->ctx = NULL;
}

void SSL_CONF_CTX_set_ssl_ctx(SSL_CONF_CTX *cctx, SSL_CTX *ctx)
{
    forget_files(cctx);
    cctx->ssl = NULL;
    cctx->ctx = ctx;
}

/* The name without the prefix, or the dash of a command line; NULL: it does not begin so. */
static const char *strip_prefix(const SSL_CONF_CTX *conf, const char *name)
{
    bool is_line = (conf->flags & SSL_CONF_FLAG_CMDLINE) != 0;
    bool is_file = (conf->flags & SSL_CONF_FLAG_FILE) != 0;
    size_t len;

    if (conf->prefix == NULL) {
        if (!is_line) {
            return name[0] != '\0' ? name : NULL;
        }
        return name[0] == '-' && name[1] != '\0' ? name + 1 : NULL;
    }
    len = strlen(conf->prefix);
    if (strlen(name) <= len || (is_line && strncmp(name, conf->prefix, len) != 0) ||
        (is_file && strncasecmp(name, conf->prefix, len) != 0)) {
        return NULL;
    }
    return name + len;
}

int SSL_CONF_cmd_value_type(SSL_CONF_CTX *cctx, const char *cmd)
{
    const char *name = cctx != NULL && cmd != NULL ? strip_prefix(cctx, cmd) : NULL;
    const struct conf_command *command = name != NULL ? conf_command_find(cctx, name) : NULL;

    return command != NULL ? command->type : SSL_CONF_TYPE_UNKNOWN;
}

/* Runs a command that takes a value. */
static int run_command(SSL_CONF_CTX *conf, const struct conf_command *command, const char *name,
                       const char *value)
{
    int result;

    if (value == NULL) {
        result = CONF_NO_VALUE;
    } else {
        result = command->run(conf, value);
        if (result > 0) {
            return CONF_WITH_VALUE;
        }
        if (result != CONF_UNKNOWN) {
            result = CONF_BAD_VALUE;
        }
    }
    if (result != CONF_UNKNOWN && (conf->flags & SSL_CONF_FLAG_SHOW_ERRORS) != 0) {
        raise_error_with(SSL_R_BAD_VALUE, "cmd=%s, value=%s", name,
                         value != NULL ? value : "<EMPTY>");
    }
    return result;
}

int SSL_CONF_cmd(SSL_CONF_CTX *cctx, const char *cmd, const char *value)
{
    const struct conf_command *command;
    const char *name;

    if (cmd == NULL) {
        raise_error(SSL_R_INVALID_NULL_CMD_NAME);
        return CONF_BAD_VALUE;
    }
    name = strip_prefix(cctx, cmd);
    command = name != NULL ? conf_command_find(cctx, name) : NULL;
    if (command == NULL) {
        if ((cctx->flags & SSL_CONF_FLAG_SHOW_ERRORS) != 0) {
            raise_error_with(SSL_R_UNKNOWN_CMD_NAME, "cmd=%s", name != NULL ? name : cmd);
        }
        return CONF_UNKNOWN;
    }
    if (command->type == SSL_CONF_TYPE_NONE) {
        conf_run_switch(cctx, command);
        return CONF_SWITCH;
    }
    return run_command(cctx, command, name, value);
}

int SSL_CONF_cmd_argv(SSL_CONF_CTX *cctx, int *pargc, char ***pargv)
{
    const char *name, *value;
    int taken;

    if (pargc != NULL && *pargc <= 0) {
        return 0;
    }
    name = (*pargv)[0];
    if (name == NULL) {
        return 0;
    }
    value = pargc == NULL || *pargc > 1 ? (*pargv)[1] : NULL;
    cctx->flags &= ~(unsigned)SSL_CONF_FLAG_FILE;
    cctx->flags |= SSL_CONF_FLAG_CMDLINE;
    taken = SSL_CONF_cmd(cctx, name, value);
    if (taken > 0) {
        *pargv += taken;
        if (pargc != NULL) {
            *pargc -= taken;
        }
        return taken;
    }
    /* Not recognised means nothing was taken; a bad value is an error here. */
    if (taken == CONF_UNKNOWN) {
        return 0;
    }
    return taken == CONF_BAD_VALUE ? -1 : taken;
}

/* A certificate whose key nobody loaded brings it along in its own file. */
static bool load_missing_keys(SSL_CONF_CTX *conf)
{
    if (conf->ssl == NULL && conf->ctx == NULL) {
        return true;
    }
    for (size_t i = 0; i < NUM_KEY_SLOTS; i++) {
        const char *file = conf->cert_files[i];

        if (file != NULL && certs_of(conf->ssl, conf->ctx)->slot[i].key == NULL &&
            conf_load_key(conf, file) <= 0) {
            return false;
        }
    }
    return true;
}

int SSL_CONF_CTX_finish(SSL_CONF_CTX *cctx)
{
    if ((cctx->flags & SSL_CONF_FLAG_REQUIRE_PRIVATE) != 0 && !load_missing_keys(cctx)) {
        return 0;
    }
    if (cctx->authorities != NULL) {
        if (cctx->ssl != NULL) {
            SSL_set0_CA_list(cctx->ssl, cctx->authorities);
        } else if (cctx->ctx != NULL) {
            SSL_CTX_set0_CA_list(cctx->ctx, cctx->authorities);
        } else {
            ca_list_free(cctx->authorities);
        }
        cctx->authorities = NULL;
    }
    return 1;
}
