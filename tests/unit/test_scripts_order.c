/*
 * What must not be accepted, generated from the flows of the scripts: for every message that an
 * engine receives in a handshake or after it, the same flow with that message left out, repeated,
 * exchanged with its neighbour, replaced by every other type, and with a ChangeCipherSpec before
 * it. RFC 8446, 4: "The protocol messages [...] MUST be sent in the order defined"; RFC 8446, 5 on
 * ChangeCipherSpec. CVE-2014-0224 (early ChangeCipherSpec), CVE-2014-3572 and CVE-2015-0205
 * (messages left out) and the state machine attacks of 2015 (SMACK: messages skipped) are of this
 * kind.
 *
 * The other side is honest; its messages are taken before they are sealed and sealed again, with
 * the right keys, in another order (struct forger). What must come of it says a model: a walk along
 * the messages of the honest run.
 */
#include "unit.h"

#include "engines.h"

#include <stdio.h>
#include <string.h>

/* --- Flows --- */

enum afterwards { NOTHING, KEY_UPDATE, TICKET, CLIENT_AUTH };

struct flow {
    const char *name;
    bool retry;
    bool compat;
    bool ask;      /* for a client certificate, in the handshake */
    bool has_cert; /* the client */
    enum afterwards afterwards;
};

static const struct flow flows[] = {
    { "simple", false, false, false, false, NOTHING },
    { "compat", false, true, false, false, NOTHING },
    { "retried", true, false, false, false, NOTHING },
    { "retried in compat", true, true, false, false, NOTHING },
    { "client without certificate", false, false, true, false, NOTHING },
    { "client certificate", false, true, true, true, NOTHING },
    { "retried, client certificate", true, true, true, true, NOTHING },
    { "key update", false, true, false, false, KEY_UPDATE },
    { "ticket", false, true, false, false, TICKET },
    { "certificate asked for afterwards", false, false, false, true, CLIENT_AUTH },
    { "none given afterwards", false, false, false, false, CLIENT_AUTH },
};

/* One connection of which one end is judged. */
struct table {
    const struct flow *flow;
    struct endpoint us;
    struct endpoint peer;
    struct forger forger;
    int forger_keys;
    struct buffer to_peer;
};

static void set_up(struct table *t, const struct flow *flow, enum role us)
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
    if (!flow->has_cert) {
        credential_clear(&client->config.credentials->slot[KEY_ED25519]);
    }
    forger_init(&t->forger, &t->peer);
}

static void tear_down(struct table *t)
{
    endpoint_wipe(&t->us);
    endpoint_wipe(&t->peer);
    forger_wipe(&t->forger);
    buffer_wipe(&t->to_peer);
}

/* --- What is delivered --- */

/* Keys of a record: plaintext, handshake, then the generations of application keys. */
enum keys { KEYS_PLAIN, KEYS_HANDSHAKE, KEYS_APPLICATION };

enum content { HONEST, CCS, BAD_CCS, FOREIGN };

struct delivery {
    enum content content;
    size_t item;  /* HONEST: which of the peer's */
    uint8_t type; /* FOREIGN: a message of this type, without a body */
    int keys;
};

/* Keys only ever move forward. Before its first protected message the peer has all secrets, and
 * before that we have. */
static void enter_keys(struct table *t, int keys)
{
    if (t->forger_keys == KEYS_PLAIN && keys > KEYS_PLAIN) {
        bool peer_knows = t->peer.conn.secrets.client_handshake.len > 0;
        forger_learn(&t->forger, peer_knows ? &t->peer : &t->us);
    }
    while (t->forger_keys < keys) {
        t->forger_keys++;
        if (t->forger_keys > KEYS_APPLICATION) {
            forger_next_key(&t->forger);
        } else {
            forger_enter(&t->forger,
                         t->forger_keys == KEYS_HANDSHAKE ? EPOCH_HANDSHAKE : EPOCH_APPLICATION);
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

/* Delivers one record to us and lets us act on it. */
static void deliver(struct table *t, const struct delivery *d)
{
    struct buffer wire = { 0 };
    uint8_t data[16];
    size_t got;

    seal(t, d, &wire);
    endpoint_feed(&t->us, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    (void)endpoint_read(&t->us, data, sizeof(data), &got, &t->to_peer);
}

/* What we said reaches the peer. */
static void answer(struct table *t)
{
    uint8_t data[16];
    size_t got;

    endpoint_feed(&t->peer, buffer_bytes(&t->to_peer), buffer_len(&t->to_peer));
    buffer_wipe(&t->to_peer);
    (void)endpoint_read(&t->peer, data, sizeof(data), &got, NULL);
}

/* Once both are done: makes the peer say what the flow is about. */
static void begin_afterwards(struct table *t)
{
    static const uint8_t ticket[] = { 4, 0, 0, 16, 0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 2, 9, 9, 0, 0 };
    struct endpoint *server = t->us.conn.role == ROLE_SERVER ? &t->us : &t->peer;

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
        assert_int_equal(endpoint_run(server, &t->to_peer), TLS_OK);
        if (server == &t->us) {
            answer(t);
        } else {
            buffer_wipe(&t->to_peer);
        }
        break;
    }
}

/* --- The honest run --- */

/* What was the case before an item of the peer was delivered. */
struct moment {
    uint8_t type; /* of the message; CONTENT_CCS + 200: ChangeCipherSpec */
    int keys;
    bool over; /* the first handshake */
    bool idle; /* and no other is running */
    size_t flight;
    const struct step *waiting; /* row that waited for it */
    const struct step *row;     /* row that took it */
};

#define TYPE_CCS 220

static struct moment moments[MAX_ITEMS + 1];
static size_t num_moments;

/* Rows of the scripts that took a message in any honest run. */
static const struct step *seen_rows[256];
static size_t num_seen_rows;

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
           : item->epoch == EPOCH_HANDSHAKE ? KEYS_HANDSHAKE
                                            : KEYS_APPLICATION + updates;
}

/* Delivers a flight of the peer's items as they are and records the moments. */
static void record_flight(struct table *t, size_t flight, int *updates)
{
    while (num_moments < t->peer.sent.num) {
        const struct item *item = &t->peer.sent.at[num_moments];
        bool is_ccs = item->content == CONTENT_CCS;
        struct moment *m = &moments[num_moments];
        size_t received = t->us.received.num;
        *m = (struct moment){ .type = is_ccs ? TYPE_CCS : item->bytes[0],
                              .keys = keys_of(item, *updates),
                              .over = t->us.num_done > 0,
                              .idle = t->us.num_done > 0 && t->us.conn.hs == NULL,
                              .flight = flight,
                              .waiting = t->us.conn.hs != NULL ? t->us.conn.hs->step : NULL };
        const struct delivery d = { HONEST, num_moments, 0, m->keys };
        deliver(t, &d);
        assert_false(t->us.conn.error.failed);
        if (!is_ccs) {
            assert_int_equal(t->us.received.num, received + 1);
            m->row = t->us.rows[received];
            assert_int_equal(m->row->message, m->type);
            note_row(m->row);
        }
        *updates += m->type == MSG_KEY_UPDATE;
        num_moments++;
    }
}

static void start(struct table *t)
{
    (void)endpoint_run(&t->peer, NULL);
    (void)endpoint_run(&t->us, &t->to_peer);
    answer(t);
}

static void record(const struct flow *flow, enum role us)
{
    struct table t;
    int updates = 0;
    size_t flight = 0;
    bool afterwards = false;

    set_up(&t, flow, us);
    num_moments = 0;
    start(&t);
    while (num_moments < t.peer.sent.num) {
        record_flight(&t, flight++, &updates);
        answer(&t);
        if (!afterwards && t.us.conn.handshakes_done > 0 && t.peer.conn.handshakes_done > 0) {
            afterwards = true;
            begin_afterwards(&t);
        }
    }
    assert_true(t.us.conn.hs == NULL && t.us.num_done == 1);
    assert_true(t.peer.conn.hs == NULL && t.peer.num_done == 1);
    assert_false(t.peer.conn.error.failed);
    /* What comes after the last. */
    moments[num_moments] = (struct moment){ .type = 255,
                                            .keys = KEYS_APPLICATION + updates,
                                            .over = true,
                                            .idle = true,
                                            .flight = flight };
    tear_down(&t);
}

/* --- The model --- */

enum verdict {
    GOES_ON, /* nothing is wrong so far */
    FAILS,   /* with the alert */
    UNKNOWN  /* legal, but not part of the flow: the model does not follow */
};

struct model {
    enum role us;
    size_t next;      /* moment that is to come */
    bool is_tainted;  /* something optional was left out: signatures and Finished don't fit */
    bool any_failure; /* the message's own rules decide which alert it is */
    uint8_t alert;
};

/* Steps over ChangeCipherSpecs, which may come or not. */
static const struct moment *expected(struct model *m)
{
    while (moments[m->next].type == TYPE_CCS) {
        m->next++;
    }
    return &moments[m->next];
}

static bool handshake_is_over(const struct model *m)
{
    return moments[m->next].over;
}

static enum verdict fail_with(struct model *m, uint8_t alert)
{
    m->alert = alert;
    return FAILS;
}

/* RFC 8446, 5: between the first hello that was received and the end of the handshake. As OpenSSL
 * does, a client takes none before the ServerHello. */
static enum verdict judge_ccs(struct model *m, bool well_formed)
{
    bool legal;

    (void)expected(m);
    legal = m->next > 0 && !handshake_is_over(m);
    if (!legal) {
        return fail_with(m, ALERT_UNEXPECTED_MESSAGE);
    }
    return well_formed ? GOES_ON : fail_with(m, ALERT_ILLEGAL_PARAMETER);
}

static enum verdict judge_type(struct model *m, const struct moment *want, uint8_t type, bool same)
{
    if (same) {
        bool covers = type == MSG_CERTIFICATE_VERIFY || type == MSG_FINISHED;
        if (m->is_tainted && covers) {
            return fail_with(m, ALERT_DECRYPT_ERROR);
        }
        m->next++;
        return GOES_ON;
    }
    if (want->idle) {
        /* Whatever may come unprompted may come here; the model stops. */
        return type == MSG_KEY_UPDATE || type == MSG_NEW_SESSION_TICKET ||
                       type == MSG_CERTIFICATE_REQUEST || type == MSG_CERTIFICATE
                   ? UNKNOWN
                   : fail_with(m, ALERT_UNEXPECTED_MESSAGE);
    }
    bool may_come = type == MSG_CERTIFICATE_REQUEST && want->waiting->message == type;
    m->any_failure = type == want->type || may_come;
    return fail_with(m, ALERT_UNEXPECTED_MESSAGE);
}

static enum verdict judge(struct model *m, const struct delivery *d)
{
    const struct moment *want = expected(m);
    uint8_t type = d->content == HONEST ? moments[d->item].type : d->type;
    bool same = d->content == HONEST && d->item == m->next;

    if (d->content == CCS || d->content == BAD_CCS || type == TYPE_CCS) {
        return judge_ccs(m, d->content != BAD_CCS);
    }
    if (d->keys != want->keys) {
        return fail_with(m, d->keys == KEYS_PLAIN || want->keys == KEYS_PLAIN
                                ? ALERT_UNEXPECTED_MESSAGE
                                : ALERT_BAD_RECORD_MAC);
    }
    /* RFC 5246, 7.4.1.1: what a client that has sent its ClientHello does not mind. */
    if (m->us == ROLE_CLIENT && m->next == 0 && type == MSG_HELLO_REQUEST) {
        return GOES_ON;
    }
    /* RFC 8446, 4.3.2: the one message that may be left out, whatever the tables say. */
    if (!same && want->type == MSG_CERTIFICATE_REQUEST && !want->over && type != want->type) {
        m->is_tainted = true;
        m->next++;
        want = expected(m);
        same = d->content == HONEST && d->item == m->next;
    }
    return judge_type(m, want, type, same);
}

/* --- Judging --- */

static size_t num_judged;

static void assert_failure(const struct table *t, const struct model *m, unsigned done_before)
{
    const struct tls_conn *c = &t->us.conn;

    assert_true(c->error.failed);
    if (m->any_failure) {
        assert_true(c->error.alert == ALERT_ILLEGAL_PARAMETER ||
                    c->error.alert == ALERT_UNEXPECTED_MESSAGE ||
                    c->error.alert == ALERT_DECODE_ERROR);
    } else {
        assert_int_equal(c->error.alert, m->alert);
    }
    assert_null(c->hs);
    assert_int_equal(t->us.num_done, done_before);
}

/* The failure is for good, and the peer is told. */
static void assert_end(struct table *t)
{
    struct tls_conn *c = &t->us.conn;
    uint8_t data[16];
    size_t got;

    assert_int_equal(tls_read(c, data, sizeof(data), false, &got), TLS_FAILED);
    assert_int_equal(tls_write(c, data, 1), TLS_FAILED);
    assert_false(tls_start(c));
    answer(t);
    /* Before the ServerHello a client's alert is in a record of version 3.1, as its hello is. */
    if (c->role == ROLE_SERVER || c->out.version == VERSION_TLS12) {
        assert_int_equal(t->peer.last_alert, ALERT_LEVEL_FATAL << 8 | c->error.alert);
    }
}

/* Delivers one item. False: the connection has ended, as it should, or leaves the model. */
static bool step(struct table *t, struct model *m, const struct delivery *d)
{
    unsigned done_before = t->us.num_done;
    enum verdict verdict = judge(m, d);

    deliver(t, d);
    switch (verdict) {
    case UNKNOWN:
        return false;
    case FAILS:
        assert_failure(t, m, done_before);
        assert_end(t);
        return false;
    case GOES_ON:
        break;
    }
    assert_false(t->us.conn.error.failed);
    /* Done exactly when all of the handshake has come. */
    (void)expected(m);
    assert_int_equal(t->us.num_done, handshake_is_over(m) ? 1 : 0);
    return true;
}

enum change {
    LEAVE_OUT,
    REPEAT,
    REPEAT_NEXT_KEYS, /* the second under the keys that are then in use */
    EXCHANGE,         /* with the next of the same flight */
    CCS_BEFORE,
    BAD_CCS_BEFORE,
    REPLACE /* by a message of another type */
};

static size_t add(struct delivery *list, size_t num, enum content content, size_t item,
                  uint8_t type, int keys)
{
    list[num] = (struct delivery){ content, item, type, keys };
    return num + 1;
}

/* What is delivered in place of item i; returns how many. *used: how many items that takes. */
static size_t change_item(struct delivery *list, size_t i, enum change change, uint8_t type,
                          size_t *used)
{
    const struct moment *m = &moments[i];
    size_t num = 0;

    *used = 1;
    switch (change) {
    case LEAVE_OUT:
        break;
    case REPEAT:
    case REPEAT_NEXT_KEYS:
        num = add(list, num, HONEST, i, 0, m->keys);
        num = add(list, num, HONEST, i, 0, change == REPEAT ? m->keys : m[1].keys);
        break;
    case EXCHANGE:
        *used = 2;
        num = add(list, num, HONEST, i + 1, 0, m->keys);
        num = add(list, num, HONEST, i, 0, m[1].keys);
        break;
    case CCS_BEFORE:
    case BAD_CCS_BEFORE:
        num = add(list, num, change == CCS_BEFORE ? CCS : BAD_CCS, 0, 0, m->keys);
        num = add(list, num, HONEST, i, 0, m->keys);
        break;
    case REPLACE:
        num = add(list, num, FOREIGN, 0, type, m->keys);
        break;
    }
    return num;
}

/* The deliveries of one flight with one change; a message behind its end shows whether something
 * is still waited for. */
static size_t change_flight(struct delivery *list, size_t first, size_t at, enum change change,
                            uint8_t type)
{
    size_t flight = moments[first].flight;
    size_t num = 0;
    size_t i = first;

    while (i < num_moments && moments[i].flight == flight) {
        size_t used = 1;
        if (i == at) {
            num += change_item(list + num, i, change, type, &used);
        } else {
            num = add(list, num, HONEST, i, 0, moments[i].keys);
        }
        i += used;
    }
    if (i == at && at == num_moments) {
        num = add(list, num, change == BAD_CCS_BEFORE ? BAD_CCS : CCS, 0, 0, moments[at].keys);
    }
    return num;
}

/* Goes on with an end-of-flight message of no flow where something was left out. */
static void probe(struct table *t, struct model *m, int keys)
{
    const struct delivery d = { FOREIGN, 0, MSG_MESSAGE_HASH, keys };

    (void)step(t, m, &d);
}

/* What is being played, for whoever reads that it failed. */
static char playing[128];

static int say_what_was_played(void **state)
{
    (void)state;
    if (playing[0] != '\0') {
        printf("while playing: %s\n", playing);
        playing[0] = '\0';
    }
    return 0;
}

static void note_playing(const struct flow *flow, enum role us, size_t at, enum change change,
                         uint8_t type)
{
    static const char *const changes[] = {
        "left out",
        "repeated",
        "repeated under the next keys",
        "exchanged with the next",
        "after a ChangeCipherSpec",
        "after a bad ChangeCipherSpec",
        "replaced",
    };

    (void)snprintf(playing, sizeof(playing), "%s as %s: item %zu (type %u) %s (%u)", flow->name,
                   us == ROLE_CLIENT ? "client" : "server", at, moments[at].type, changes[change],
                   type);
}

/* Plays the flow with one change at item `at` (num_moments: behind the last). */
static void play(const struct flow *flow, enum role us, size_t at, enum change change, uint8_t type)
{
    struct delivery list[2 * MAX_ITEMS];
    struct model m = { .us = us };
    struct table t;
    size_t first = 0;
    bool afterwards = false;
    bool going = true;

    note_playing(flow, us, at, change, type);
    set_up(&t, flow, us);
    start(&t);
    while (going && first < num_moments) {
        size_t flight = moments[first].flight;
        size_t num = change_flight(list, first, at, change, type);
        for (size_t i = 0; i < num && going; i++) {
            going = step(&t, &m, &list[i]);
        }
        while (first < num_moments && moments[first].flight == flight) {
            first++;
        }
        if (!going) {
            break;
        }
        if (m.next < first && expected(&m) < &moments[first]) {
            probe(&t, &m, moments[m.next].keys);
            break;
        }
        answer(&t);
        if (!afterwards && t.us.num_done > 0 && t.peer.num_done > 0) {
            afterwards = true;
            begin_afterwards(&t);
        }
    }
    num_judged++;
    tear_down(&t);
    playing[0] = '\0';
}

static void play_all(const struct flow *flow, enum role us)
{
    record(flow, us);
    for (size_t i = 0; i < num_moments; i++) {
        play(flow, us, i, LEAVE_OUT, 0);
        play(flow, us, i, REPEAT, 0);
        play(flow, us, i, REPEAT_NEXT_KEYS, 0);
        play(flow, us, i, CCS_BEFORE, 0);
        play(flow, us, i, BAD_CCS_BEFORE, 0);
        if (moments[i + 1].flight == moments[i].flight && i + 1 < num_moments) {
            play(flow, us, i, EXCHANGE, 0);
        }
        for (unsigned type = 0; type <= 26; type++) {
            if (type != moments[i].type && moments[i].type != TYPE_CCS) {
                play(flow, us, i, REPLACE, (uint8_t)type);
            }
        }
        play(flow, us, i, REPLACE, MSG_MESSAGE_HASH);
    }
    play(flow, us, num_moments, CCS_BEFORE, 0);
    play(flow, us, num_moments, BAD_CCS_BEFORE, 0);
}

static void a_client_accepts_no_other_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(flows); i++) {
        play_all(&flows[i], ROLE_CLIENT);
    }
}

static void a_server_accepts_no_other_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(flows); i++) {
        play_all(&flows[i], ROLE_SERVER);
    }
}

/* No row of any script was missed: whoever adds one adds a flow that has it. */
static void every_receiving_row_was_judged(void **state)
{
    size_t num_rows = 0;

    (void)state;
    for (size_t i = 0; i < num_scripts; i++) {
        for (const struct step *s = scripts[i].steps; s->kind != STEP_KIND_END; s++) {
            if (s->kind != STEP_KIND_RECV && s->kind != STEP_KIND_MAYBE) {
                continue;
            }
            bool seen = false;
            for (size_t j = 0; j < num_seen_rows; j++) {
                seen = seen || seen_rows[j] == s;
            }
            if (!seen) {
                fail_msg("no flow has %s of %s", s->name, scripts[i].name);
            }
            num_rows++;
        }
    }
    assert_int_equal(num_rows, num_seen_rows);
    assert_true(num_judged > 1000);
}

static int forget_identity(void **state)
{
    (void)state;
    endpoint_identity_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_client_accepts_no_other_order, say_what_was_played),
        cmocka_unit_test_teardown(a_server_accepts_no_other_order, say_what_was_played),
        cmocka_unit_test(every_receiving_row_was_judged),
    };

    return cmocka_run_group_tests(tests, NULL, forget_identity);
}
