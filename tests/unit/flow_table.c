/*
 * Flows and the connection on which they are played; see flow_table.h.
 */
#include "unit.h"

#include "flow_table.h"

/* Suites with AES-128-GCM and SHA-256. */
enum { BY_ECDHE = 0xc02b, BY_DHE = 0x009e, BY_RSA = 0x009c, BY_PSK = 0x00a8, BY_RSA_PSK = 0x00ac };

const struct flow flows[] = {
    { .name = "simple" },
    { .name = "compat", .compat = true },
    { .name = "retried", .retry = true },
    { .name = "retried in compat", .retry = true, .compat = true },
    { .name = "client without certificate", .ask = true },
    { .name = "client certificate", .compat = true, .ask = true, .has_cert = true },
    { .name = "retried, client certificate",
      .retry = true,
      .compat = true,
      .ask = true,
      .has_cert = true },
    { .name = "key update", .compat = true, .afterwards = KEY_UPDATE },
    { .name = "ticket", .compat = true, .afterwards = TICKET },
    { .name = "certificate asked for afterwards", .has_cert = true, .afterwards = CLIENT_AUTH },
    { .name = "none given afterwards", .afterwards = CLIENT_AUTH },
    { .name = "pre-shared key", .compat = true, .psk = true },
    { .name = "early data", .psk = true, .early = true },
    { .name = "early data in compat", .compat = true, .psk = true, .early = true },
    { .name = "retried, pre-shared key", .retry = true, .compat = true, .psk = true },
    { .name = "ECDHE", .suite = BY_ECDHE },
    { .name = "ECDHE, stapling, no client certificate",
      .suite = BY_ECDHE,
      .staple = true,
      .ask = true },
    { .name = "ECDHE, stapling, client certificate, next protocol",
      .suite = BY_ECDHE,
      .staple = true,
      .next_protocol = true,
      .ask = true,
      .has_cert = true },
    { .name = "DHE, client certificate", .suite = BY_DHE, .ask = true, .has_cert = true },
    { .name = "RSA", .suite = BY_RSA },
    { .name = "RSA, stapling, client certificate",
      .suite = BY_RSA,
      .staple = true,
      .ask = true,
      .has_cert = true },
    { .name = "PSK", .suite = BY_PSK, .may_have_hint = true },
    { .name = "PSK with hint", .suite = BY_PSK, .may_have_hint = true, .hint = true },
    { .name = "RSA-PSK with hint, client certificate",
      .suite = BY_RSA_PSK,
      .may_have_hint = true,
      .hint = true,
      .ask = true,
      .has_cert = true },
    { .name = "ECDHE, new ticket", .suite = BY_ECDHE, .new_ticket = true },
    { .name = "RSA, client certificate, new ticket",
      .suite = BY_RSA,
      .ask = true,
      .has_cert = true,
      .new_ticket = true },
    { .name = "resumption by id", .suite = BY_ECDHE, .resumption = BY_ID },
    { .name = "resumption by ticket", .suite = BY_DHE, .resumption = BY_TICKET },
    { .name = "resumption by ticket, new ticket, next protocol",
      .suite = BY_ECDHE,
      .next_protocol = true,
      .resumption = BY_TICKET,
      .new_ticket = true },
    { .name = "resumption by id, again by the client",
      .suite = BY_ECDHE,
      .resumption = BY_ID,
      .afterwards = CLIENT_RENEGOTIATES },
    { .name = "renegotiation by the client", .suite = BY_ECDHE, .afterwards = CLIENT_RENEGOTIATES },
    { .name = "renegotiation by the server, client certificate",
      .suite = BY_RSA,
      .ask = true,
      .has_cert = true,
      .afterwards = SERVER_RENEGOTIATES },
    { .name = "refused renegotiation", .suite = BY_ECDHE, .afterwards = SERVER_REFUSES },
};
const size_t num_flows = COUNT_OF(flows);

/* The client's renegotiation ends with the refusal, and EndOfEarlyData is for servers. */
bool flow_is_played_by(const struct flow *flow, enum role us)
{
    return us == ROLE_SERVER || (flow->afterwards != SERVER_REFUSES && !flow->early);
}

static void set_up_resumption(const struct flow *flow, struct endpoint *client,
                              struct endpoint *server)
{
    client->tickets = server->tickets = flow->new_ticket || flow->resumption == BY_TICKET;
    server->renews_tickets = flow->new_ticket;
    server->keeps_sessions = flow->resumption == BY_ID;
    if (flow->resumption != RESUMES_NOTHING) {
        client->conn.session = earlier_session12(flow->suite, flow->resumption == BY_TICKET);
        server->kept = earlier_session12(flow->suite, false);
    }
}

static void set_up_tls12(const struct flow *flow, struct endpoint *client, struct endpoint *server)
{
    endpoint_use_tls12(client, flow->suite);
    endpoint_use_tls12(server, flow->suite);
    set_up_resumption(flow, client, server);
    if (flow->afterwards != SERVER_REFUSES) {
        server->config.options |= OPTION_ALLOW_CLIENT_RENEGOTIATION;
    }
    if (flow->staple) {
        client->config.request_ocsp = true;
        server->ocsp = blob_new("response", 8);
    }
    if (flow->next_protocol) {
        client->npn = blob_new("h2", 2);
        server->npn = blob_new("\2h2", 3);
    }
    if (flow->hint) {
        server->config.psk_identity_hint = blob_new("who?", 4);
    }
}

void table_set_up(struct table *t, const struct flow *flow, enum role us)
{
    static const uint16_t p256 = 0x0017;
    uint64_t options = flow->compat ? OPTION_ENABLE_MIDDLEBOX_COMPAT : 0;

    *t = (struct table){ .flow = flow };
    endpoint_init(&t->us, us);
    endpoint_init(&t->peer, us == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT);
    struct endpoint *client = us == ROLE_CLIENT ? &t->us : &t->peer;
    struct endpoint *server = us == ROLE_CLIENT ? &t->peer : &t->us;
    client->config.options = server->config.options = options;
    client->config.post_handshake_auth = flow->afterwards == CLIENT_AUTH;
    server->config.ask_client_cert = flow->ask;
    if (flow->retry) {
        server->config.groups = u16_list_of(&p256, 1);
    }
    if (flow->suite != 0) {
        set_up_tls12(flow, client, server);
    }
    if (flow->psk) {
        endpoint_share_psk(client, server);
    }
    if (flow->early) {
        server->config.max_early_data = server->config.recv_max_early_data = 100;
        client->conn.wants_early_data = server->conn.wants_early_data = true;
        server->never_rests = true;
    }
    if (!flow->has_cert) {
        credential_clear(&client->config.credentials->slot[KEY_ED25519]);
    }
    forger_init(&t->forger, &t->peer);
}

void table_tear_down(struct table *t)
{
    endpoint_wipe(&t->us);
    endpoint_wipe(&t->peer);
    forger_wipe(&t->forger);
    buffer_wipe(&t->to_peer);
}

/* --- What is delivered --- */

static bool knows_secrets(const struct endpoint *e)
{
    const struct tls_conn *c = &e->conn;

    return (c->handshake_secrets != NULL && c->handshake_secrets->client_handshake.len > 0) ||
           (c->secrets != NULL && c->secrets->client_application.len > 0) ||
           (c->session != NULL && c->session->master.len > 0);
}

/* Keys only ever move forward. Before its first protected message the peer has all secrets, and
 * before that we have. */
static void enter_keys(struct table *t, int keys)
{
    static const enum epoch epochs[] = { [KEYS_EARLY] = EPOCH_EARLY,
                                         [KEYS_HANDSHAKE] = EPOCH_HANDSHAKE,
                                         [KEYS_APPLICATION] = EPOCH_APPLICATION };

    while (t->forger_keys < keys) {
        if (t->forger_keys == KEYS_PLAIN || t->flow->suite != 0) {
            /* Who has finished has the secrets of the handshake no more. */
            forger_learn(&t->forger, &t->us);
            if (knows_secrets(&t->peer)) {
                forger_learn(&t->forger, &t->peer);
            }
        }
        t->forger_keys++;
        if (t->forger_keys > KEYS_APPLICATION) {
            forger_next_key(&t->forger);
        } else if (t->forger_keys != KEYS_EARLY || t->flow->early) {
            forger_enter(&t->forger, epochs[t->forger_keys]);
        }
    }
}

static void seal(struct table *t, const struct delivery *d, struct buffer *wire)
{
    static const uint8_t ccs[] = { 1, 1 };
    const uint8_t foreign[4] = { d->type };
    const struct item *item = &t->peer.sent.at[d->item];

    enter_keys(t, d->keys);
    switch (d->content) {
    case HONEST:
        forger_seal(&t->forger, item->content, item->bytes, item->len, wire);
        break;
    case CCS:
        forger_seal(&t->forger, CONTENT_CCS, ccs, 1, wire);
        break;
    case BAD_CCS:
        forger_seal(&t->forger, CONTENT_CCS, ccs, 2, wire);
        break;
    case FOREIGN:
        forger_seal(&t->forger, CONTENT_HANDSHAKE, foreign, sizeof(foreign), wire);
        break;
    }
}

void table_deliver(struct table *t, const struct delivery *d)
{
    struct buffer wire = { 0 };
    uint8_t data[16];
    size_t got;

    seal(t, d, &wire);
    endpoint_feed(&t->us, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    (void)endpoint_read(&t->us, data, sizeof(data), &got, &t->to_peer);
}

void table_answer(struct table *t)
{
    uint8_t data[16];
    size_t got;

    endpoint_feed(&t->peer, buffer_bytes(&t->to_peer), buffer_len(&t->to_peer));
    buffer_wipe(&t->to_peer);
    (void)endpoint_read(&t->peer, data, sizeof(data), &got, NULL);
}

/* Lets one side start what it has to; what the peer says is delivered item by item. */
static void begin(struct table *t, struct endpoint *e)
{
    assert_int_not_equal(endpoint_run(e, &t->to_peer), TLS_FAILED);
    if (e == &t->us) {
        table_answer(t);
    } else {
        buffer_wipe(&t->to_peer);
    }
}

void table_begin_afterwards(struct table *t)
{
    static const uint8_t ticket[] = { 4, 0, 0, 16, 0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 2, 9, 9, 0, 0 };
    struct endpoint *server = t->us.conn.role == ROLE_SERVER ? &t->us : &t->peer;
    struct endpoint *client = server == &t->us ? &t->peer : &t->us;

    switch (t->flow->afterwards) {
    case NOTHING:
        break;
    case KEY_UPDATE:
        t->peer.conn.key_update = KEY_UPDATE_NOT_REQUESTED;
        assert_int_equal(endpoint_run(&t->peer, NULL), TLS_OK);
        break;
    case TICKET:
        if (t->us.conn.role == ROLE_CLIENT) {
            items_add(&t->peer.sent, CONTENT_HANDSHAKE, EPOCH_APPLICATION, ticket, sizeof(ticket));
        }
        break;
    case CLIENT_AUTH:
        server->conn.post_auth = POST_AUTH_ASKED;
        begin(t, server);
        break;
    case CLIENT_RENEGOTIATES:
    case SERVER_REFUSES:
        client->conn.renegotiation = RENEGOTIATION_ASKED;
        begin(t, client);
        break;
    case SERVER_RENEGOTIATES:
        server->conn.renegotiation = RENEGOTIATION_ASKED;
        begin(t, server);
        break;
    }
}

/* --- The honest run --- */

struct moment moments[MAX_ITEMS + 1];
size_t num_moments;

const struct step *seen_rows[256];
size_t num_seen_rows;

static void note_row(const struct step *row)
{
    for (size_t i = 0; i < num_seen_rows; i++) {
        if (seen_rows[i] == row) {
            return;
        }
    }
    assert_true(num_seen_rows < COUNT_OF(seen_rows));
    seen_rows[num_seen_rows++] = row;
}

static int keys_of(const struct item *item, int updates)
{
    return item->epoch == EPOCH_PLAINTEXT   ? KEYS_PLAIN
           : item->epoch == EPOCH_EARLY     ? KEYS_EARLY
           : item->epoch == EPOCH_HANDSHAKE ? KEYS_HANDSHAKE
                                            : KEYS_APPLICATION + updates;
}

/* Delivers a flight of the peer's items as they are and records the moments. */
static void record_flight(struct table *t, size_t flight, int *updates)
{
    while (num_moments < t->peer.sent.num) {
        const struct item *item = &t->peer.sent.at[num_moments];
        bool is_ccs = item->content == CONTENT_CCS;
        bool is_tls12 = t->flow->suite != 0;
        struct moment *m = &moments[num_moments];
        size_t received = t->us.received.num;
        *m = (struct moment){ .type = is_ccs ? TYPE_CCS : item->bytes[0],
                              .keys = keys_of(item, *updates),
                              .over = t->us.num_done > 0,
                              .idle = t->us.num_done > 0 && t->us.conn.hs == NULL,
                              .flight = flight,
                              .waiting = t->us.conn.hs != NULL ? t->us.conn.hs->step : NULL };
        const struct delivery d = { HONEST, num_moments, 0, m->keys };
        table_deliver(t, &d);
        assert_false(t->us.conn.error.failed);
        m->done = t->us.num_done;
        if (!is_ccs) {
            assert_int_equal(t->us.received.num, received + 1);
            m->row = t->us.rows[received];
            assert_int_equal(m->row->message, m->type);
            note_row(m->row);
        } else if (is_tls12) {
            assert_int_equal(m->waiting->message, MSG_CCS);
            note_row(m->waiting);
        }
        *updates += is_tls12 ? is_ccs && m->keys != KEYS_PLAIN : m->type == MSG_KEY_UPDATE;
        num_moments++;
    }
}

void table_start(struct table *t)
{
    (void)endpoint_run(&t->peer, NULL);
    t->peer.conn.wants_early_data = false; /* a client that rests goes on */
    (void)endpoint_run(&t->us, &t->to_peer);
    table_answer(t);
}

void table_record(const struct flow *flow, enum role us)
{
    struct table t;
    int updates = 0;
    size_t flight = 0;
    bool afterwards = false;

    table_set_up(&t, flow, us);
    num_moments = 0;
    table_start(&t);
    while (num_moments < t.peer.sent.num) {
        record_flight(&t, flight++, &updates);
        table_answer(&t);
        if (!afterwards && t.us.conn.handshakes_done > 0 && t.peer.conn.handshakes_done > 0) {
            afterwards = true;
            table_begin_afterwards(&t);
        }
    }
    assert_true(t.us.conn.hs == NULL && t.us.num_done >= 1);
    assert_true(t.peer.conn.hs == NULL && t.peer.num_done >= 1);
    assert_int_equal(t.peer.conn.error.failed, flow->afterwards == SERVER_REFUSES);
    /* What comes after the last. */
    moments[num_moments] = (struct moment){ .type = 255,
                                            .keys = KEYS_APPLICATION + updates,
                                            .over = true,
                                            .idle = true,
                                            .flight = flight };
    table_tear_down(&t);
}
