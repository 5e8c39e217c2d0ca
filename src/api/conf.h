/*
 * Configuration by commands (SSL_CONF_cmd(3)) and by openssl.cnf: what conf.c, conf_commands.c and
 * conf_module.c share.
 */
#ifndef TENON_API_CONF_H
#define TENON_API_CONF_H

#include "api/internal.h"

struct ssl_conf_ctx_st {
    unsigned flags; /* SSL_CONF_FLAG_* */
    char *prefix;   /* owns; NULL: none */
    SSL *ssl;       /* what is configured: at most one of the two; borrowed */
    SSL_CTX *ctx;
    char *cert_files[NUM_KEY_SLOTS];  /* owns; where the certificate of each slot came from */
    STACK_OF(X509_NAME) *authorities; /* owns; collected until SSL_CONF_CTX_finish() */
};

struct conf_command {
    const char *line_name; /* on the command line; NULL: not there */
    const char *file_name; /* in a file; NULL: not there */
    unsigned needs;        /* SSL_CONF_FLAG_*, all of which the context must have */
    int type;              /* SSL_CONF_TYPE_* */
    /* 1: done; 0: a bad value; -2: not recognised. */
    int (*run)(SSL_CONF_CTX *conf, const char *value);
    /* Of a switch: what it sets. */
    int target; /* enum conf_target */
    bool inverted;
    uint64_t bits;
};

/* The command that name (without prefix) is for the context; NULL: none. */
const struct conf_command *conf_command_find(const SSL_CONF_CTX *conf, const char *name);

/* Runs a command without a value. */
void conf_run_switch(SSL_CONF_CTX *conf, const struct conf_command *command);

/* Reads the private key of the context's object from a file. 1: done; 0: failed. */
int conf_load_key(SSL_CONF_CTX *conf, const char *file);

#endif
