/* The command line of the interoperability tests' program. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "peer.h"

_Noreturn void fail(int status, const char *what)
{
    fprintf(stderr, "peer: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(status);
}

void require(bool condition, const char *what)
{
    if (!condition) {
        fail(1, what);
    }
}

enum flag {
    FLAG_VERIFY_CLIENT = 1,
    FLAG_LATER,
    FLAG_ECHO,
    FLAG_REVERSED,
    FLAG_PORT,
    FLAG_UPDATES,
    FLAG_RENEGOTIATIONS,
    FLAG_NO_ETM,
    FLAG_NO_TICKET,
    FLAG_CONNECTIONS,
    FLAG_EARLY,
    FLAG_EARLY_UNANSWERED,
    FLAG_MAX_EARLY,
    FLAG_RECV_EARLY,
    FLAG_TEXT
};

static const struct option OPTIONS[] = {
    { "verify-client", no_argument, NULL, FLAG_VERIFY_CLIENT },
    { "post-handshake-auth", no_argument, NULL, FLAG_LATER },
    { "echo", required_argument, NULL, FLAG_ECHO },
    { "reversed", no_argument, NULL, FLAG_REVERSED },
    { "port", required_argument, NULL, FLAG_PORT },
    { "key-updates", required_argument, NULL, FLAG_UPDATES },
    { "renegotiations", required_argument, NULL, FLAG_RENEGOTIATIONS },
    { "no-etm", no_argument, NULL, FLAG_NO_ETM },
    { "no-ticket", no_argument, NULL, FLAG_NO_TICKET },
    { "connections", required_argument, NULL, FLAG_CONNECTIONS },
    { "early", required_argument, NULL, FLAG_EARLY },
    { "early-unanswered", required_argument, NULL, FLAG_EARLY_UNANSWERED },
    { "max-early", required_argument, NULL, FLAG_MAX_EARLY },
    { "recv-early", required_argument, NULL, FLAG_RECV_EARLY },
    { "first-line", required_argument, NULL, FLAG_TEXT },
    { "suites", required_argument, NULL, FLAG_TEXT + 1 },
    { "groups", required_argument, NULL, FLAG_TEXT + 2 },
    { "sigalgs", required_argument, NULL, FLAG_TEXT + 3 },
    { "client-sigalgs", required_argument, NULL, FLAG_TEXT + 4 },
    { "cert", required_argument, NULL, FLAG_TEXT + 5 },
    { "key", required_argument, NULL, FLAG_TEXT + 6 },
    { "other-name", required_argument, NULL, FLAG_TEXT + 7 },
    { "other-cert", required_argument, NULL, FLAG_TEXT + 8 },
    { "other-key", required_argument, NULL, FLAG_TEXT + 9 },
    { "ca", required_argument, NULL, FLAG_TEXT + 10 },
    { "alpn", required_argument, NULL, FLAG_TEXT + 11 },
    { "sni", required_argument, NULL, FLAG_TEXT + 12 },
    { "version", required_argument, NULL, FLAG_TEXT + 13 },
    { "ciphers", required_argument, NULL, FLAG_TEXT + 14 },
    { "psk", required_argument, NULL, FLAG_TEXT + 15 },
    { "psk-identity", required_argument, NULL, FLAG_TEXT + 16 },
    { NULL, 0, NULL, 0 },
};

void parse_options(struct settings *set, int argc, char **argv)
{
    const char **texts[] = { &set->first_line,
                             &set->suites,
                             &set->groups,
                             &set->sigalgs,
                             &set->client_sigalgs,
                             &set->cert,
                             &set->key,
                             &set->other_name,
                             &set->other_cert,
                             &set->other_key,
                             &set->ca,
                             &set->alpn,
                             &set->sni,
                             &set->version,
                             &set->ciphers,
                             &set->psk,
                             &set->psk_identity };
    int flag;

    if (argc < 2 || (strcmp(argv[1], "client") != 0 && strcmp(argv[1], "server") != 0)) {
        fail(2, "usage: peer client|server OPTIONS");
    }
    set->server = strcmp(argv[1], "server") == 0;
    set->echo = set->server;
    set->connections = 1;
    while ((flag = getopt_long(argc - 1, argv + 1, "", OPTIONS, NULL)) != -1) {
        if (flag == '?') {
            exit(2);
        } else if (flag == FLAG_VERIFY_CLIENT) {
            set->verify_client = true;
        } else if (flag == FLAG_LATER) {
            set->later = true;
        } else if (flag == FLAG_ECHO) {
            set->echo = true;
            set->echo_total = atol(optarg);
        } else if (flag == FLAG_REVERSED) {
            set->reversed = true;
        } else if (flag == FLAG_PORT) {
            set->port = atoi(optarg);
        } else if (flag == FLAG_UPDATES) {
            set->key_updates = atoi(optarg);
        } else if (flag == FLAG_RENEGOTIATIONS) {
            set->renegotiations = atoi(optarg);
        } else if (flag == FLAG_NO_ETM) {
            set->no_etm = true;
        } else if (flag == FLAG_NO_TICKET) {
            set->no_ticket = true;
        } else if (flag == FLAG_CONNECTIONS) {
            set->connections = atoi(optarg);
        } else if (flag == FLAG_EARLY) {
            set->early = (size_t)atol(optarg);
        } else if (flag == FLAG_EARLY_UNANSWERED) {
            set->early_unanswered = atoi(optarg) != 0;
        } else if (flag == FLAG_MAX_EARLY) {
            set->max_early = (unsigned)atol(optarg);
        } else if (flag == FLAG_RECV_EARLY) {
            set->recv_early = (unsigned)atol(optarg);
        } else {
            *texts[flag - FLAG_TEXT] = optarg;
        }
    }
}
