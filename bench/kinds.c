/*
 * The kinds of handshake; see kinds.h.
 */
#include "kinds.h"

#define TLS13       "TLS_AES_128_GCM_SHA256"
#define TLS12_ECDSA "ECDHE-ECDSA-AES128-GCM-SHA256"
#define TLS12_RSA   "ECDHE-RSA-AES128-GCM-SHA256"
#define PIPE_SIZE   ((size_t)64 << 10)

const struct kind kinds[] = {
    { .name = "ecdsa", .suite = TLS13, .key = KEY_P256 },
    { .name = "ecdsa-fresh", .suite = TLS13, .key = KEY_P256, .fresh = true },
    { .name = "ecdsa-mutual", .suite = TLS13, .key = KEY_P256, .mutual = true },
    { .name = "ecdsa-no-ticket", .suite = TLS13, .key = KEY_P256, .quiet = true },
    { .name = "rsa2048", .suite = TLS13, .key = KEY_RSA2048 },
    { .name = "tls12-ecdsa", .suite = TLS12_ECDSA, .key = KEY_P256 },
    { .name = "tls12-rsa2048", .suite = TLS12_RSA, .key = KEY_RSA2048 },
    { .name = "tls13", .suite = TLS13, .key = KEY_P256, .resumed = true },
    { .name = "tls13-no-ticket", .suite = TLS13, .key = KEY_P256, .resumed = true, .quiet = true },
    { .name = "tls13-early-1024",
      .suite = TLS13,
      .key = KEY_P256,
      .resumed = true,
      .early_len = 1024 },
    { .name = "tls13-mutual", .suite = TLS13, .key = KEY_P256, .resumed = true, .mutual = true },
    { .name = "tls12", .suite = TLS12_ECDSA, .key = KEY_P256, .resumed = true },
    { .name = "tls12-mutual",
      .suite = TLS12_ECDSA,
      .key = KEY_P256,
      .resumed = true,
      .mutual = true },
    { .name = "tls12-cache",
      .suite = TLS12_ECDSA,
      .key = KEY_P256,
      .resumed = true,
      .ticketless = true },
    { .name = NULL },
};

void setting_make(struct setting *s, const struct kind *kind, const struct identity *id)
{
    s->client = context_make(false, kind->mutual ? id : NULL, id->root, kind->suite);
    s->server = context_make(true, id, kind->mutual ? id->root : NULL, kind->suite);
    link_init(&s->link, PIPE_SIZE);
    if (kind->ticketless) {
        SSL_CTX_set_options(s->server, SSL_OP_NO_TICKET);
    }
    if (kind->early_len > 0) {
        SSL_CTX_set_options(s->server, SSL_OP_NO_ANTI_REPLAY);
        require(SSL_CTX_set_max_early_data(s->server, (uint32_t)kind->early_len) == 1,
                "SSL_CTX_set_max_early_data");
    }
    s->session = kind->resumed ? session_make(s->client, s->server) : NULL;
    s->link.session = s->session;
    s->link.early_len = kind->early_len;
    if (kind->quiet) {
        require(SSL_CTX_set_num_tickets(s->server, 0) == 1, "SSL_CTX_set_num_tickets");
    }
}

void setting_wipe(struct setting *s)
{
    link_wipe(&s->link);
    SSL_SESSION_free(s->session);
    SSL_CTX_free(s->client);
    SSL_CTX_free(s->server);
}

void setting_connect(struct setting *s, struct meter *client, struct meter *server)
{
    link_connect(&s->link, s->client, s->server, client, server);
    link_disconnect(&s->link, client, server);
}
