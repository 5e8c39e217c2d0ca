/*
 * Question "objects": what it costs to make and free a context, a connection, and to load the
 * system's CA file into the process's first context, and into another one when the first has it.
 */
#include "harness.h"

#include <unistd.h>

#define CA_FILE   "/etc/ssl/certs/ca-certificates.crt"
#define NUM_TIMES 41
#define CTX_BATCH 10
#define SSL_BATCH 100
#define CA_TIMES  9

static double time_contexts(void)
{
    struct meter m = { 0 };

    meter_start(&m);
    for (int i = 0; i < CTX_BATCH; i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        require(ctx != NULL, "SSL_CTX_new");
        SSL_CTX_free(ctx);
    }
    meter_stop(&m);
    return (double)m.ns / CTX_BATCH;
}

static double time_connections(SSL_CTX *ctx)
{
    struct meter m = { 0 };

    meter_start(&m);
    for (int i = 0; i < SSL_BATCH; i++) {
        SSL *s = SSL_new(ctx);
        require(s != NULL, "SSL_new");
        SSL_free(s);
    }
    meter_stop(&m);
    return (double)m.ns / SSL_BATCH;
}

static double time_ca_file(void)
{
    struct meter m = { 0 };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    require(ctx != NULL, "SSL_CTX_new");
    meter_start(&m);
    require(SSL_CTX_load_verify_file(ctx, CA_FILE) == 1, "SSL_CTX_load_verify_file");
    meter_stop(&m);
    SSL_CTX_free(ctx);
    return (double)m.ns;
}

/* Argument: SSL_CTX, SSL, ca-file-first or ca-file. */
int main(int argc, char **argv)
{
    double times[NUM_TIMES];
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    (void)argc;
    bench_begin(false);
    require(ctx != NULL, "SSL_CTX_new");
    if (asked_for(argv, "ca-file-first") && access(CA_FILE, R_OK) == 0) {
        answer("us", time_ca_file() / 1e3, "objects/ca-file-first");
    }
    if (asked_for(argv, "SSL_CTX")) {
        time_contexts();
        for (int i = 0; i < NUM_TIMES; i++) {
            times[i] = time_contexts();
        }
        answer("/s", 1e9 / undisturbed(times, NUM_TIMES), "objects/SSL_CTX");
    }
    if (asked_for(argv, "SSL")) {
        time_connections(ctx);
        for (int i = 0; i < NUM_TIMES; i++) {
            times[i] = time_connections(ctx);
        }
        answer("/s", 1e9 / undisturbed(times, NUM_TIMES), "objects/SSL");
    }
    if (asked_for(argv, "ca-file") && access(CA_FILE, R_OK) == 0) {
        require(SSL_CTX_load_verify_file(ctx, CA_FILE) == 1, "SSL_CTX_load_verify_file");
        time_ca_file();
        for (int i = 0; i < CA_TIMES; i++) {
            times[i] = time_ca_file();
        }
        answer("/s", 1e9 / undisturbed(times, CA_TIMES), "objects/ca-file");
    }
    SSL_CTX_free(ctx);
    return 0;
}
