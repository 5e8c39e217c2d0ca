/*
 * The small languages of the API: cipher strings, lists of groups and signature schemes, SSL_CONF
 * commands (the first line is the command, the rest its value; a byte of flags comes first). Each
 * text is a string of exactly its length.
 */
#include "stage.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

static SSL_CTX *ctx;
static void (*try_text)(SSL *ssl, char *text, uint8_t flags);

static void try_ciphers(SSL *ssl, char *text, uint8_t flags)
{
    if ((flags & 1) != 0) {
        (void)SSL_set_ciphersuites(ssl, text);
        return;
    }
    if (SSL_set_cipher_list(ssl, text) == 1) {
        stage_require(SSL_get_cipher_list(ssl, 0) != NULL, "an accepted string has a suite");
    }
}

static void try_groups(SSL *ssl, char *text, uint8_t flags)
{
    (void)flags;
    (void)SSL_set1_groups_list(ssl, text);
}

static void try_sigalgs(SSL *ssl, char *text, uint8_t flags)
{
    (void)((flags & 1) != 0 ? SSL_set1_client_sigalgs_list(ssl, text)
                            : SSL_set1_sigalgs_list(ssl, text));
}

/* Without SSL_CONF_FLAG_CERTIFICATE no command opens a file. */
static void try_conf(SSL *ssl, char *text, uint8_t flags)
{
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
    char *value = strchr(text, '\n');

    stage_require(conf != NULL, "memory");
    if (value != NULL) {
        *value++ = '\0';
    }
    (void)SSL_CONF_CTX_set_flags(conf, flags & (SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_FILE |
                                                SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_SERVER |
                                                SSL_CONF_FLAG_SHOW_ERRORS));
    SSL_CONF_CTX_set_ssl(conf, ssl);
    int result = SSL_CONF_cmd(conf, text, value);
    stage_require(result >= -3 && result <= 2, "SSL_CONF_cmd returns -3 to 2");
    (void)SSL_CONF_cmd_value_type(conf, text);
    (void)SSL_CONF_CTX_finish(conf);
    SSL_CONF_CTX_free(conf);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    ctx = SSL_CTX_new(TLS_method());
    stage_require(ctx != NULL, "memory");
    try_text = strcmp(TARGET, "cipher_string") == 0 ? try_ciphers
               : strcmp(TARGET, "group_list") == 0  ? try_groups
               : strcmp(TARGET, "sigalg_list") == 0 ? try_sigalgs
                                                    : try_conf;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    SSL *ssl = SSL_new(ctx);
    char *text = malloc(size);
    stage_require(ssl != NULL && text != NULL, "memory");
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    try_text(ssl, text, data[0]);
    ERR_clear_error();
    SSL_free(ssl);
    free(text);
    return 0;
}
