/*
 * What the tests of renegotiation share; see t12_renegotiate.h.
 */
#include "t12_renegotiate.h"

static char buffer[20000];

void renegotiation_prepare(struct pair *p, enum transport transport)
{
    pair_init_connected(p, transport, 0);
    (void)SSL_set_options(p->server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
}

void renegotiation_log_counters(struct pair *p)
{
    SSL *const sides[2] = { p->client, p->server };

    for (size_t i = 0; i < 2; i++) {
        SSL *ssl = sides[i];

        note("%s: pending %d, renegotiations %ld of %ld, in init %d, %s", ssl_get_name(ssl),
             SSL_renegotiate_pending(ssl), SSL_num_renegotiations(ssl),
             SSL_total_renegotiations(ssl), SSL_in_init(ssl), SSL_state_string(ssl));
    }
}

void renegotiation_ask(SSL *ssl)
{
    (void)log_call(ssl, "SSL_renegotiate", SSL_renegotiate(ssl));
}

void renegotiation_read_once(SSL *ssl)
{
    (void)call_read(ssl, buffer, sizeof(buffer));
}

void renegotiation_read_in_turn(struct pair *p, SSL *first)
{
    SSL *second = first == p->client ? p->server : p->client;

    for (int i = 0; i < 4; i++) {
        renegotiation_read_once(first);
        renegotiation_read_once(second);
    }
    renegotiation_log_counters(p);
    log_alive(p->client, p->server);
}
