/*
 * What must not be accepted, generated from the flows of the scripts: for every message that an
 * engine receives in a handshake or after it, the same flow with that message left out, repeated,
 * exchanged with its neighbour, replaced by every other type, and with a ChangeCipherSpec before
 * it; in TLS 1.3 and TLS 1.2. RFC 8446, 4: "The protocol messages [...] MUST be sent in the order
 * defined"; RFC 8446, 5 on ChangeCipherSpec; RFC 5246, 7.1 and 7.3. CVE-2014-0224 (early
 * ChangeCipherSpec), CVE-2014-3572 and CVE-2015-0205 (messages left out) and the state machine
 * attacks of 2015 (SMACK: messages skipped) are of this kind.
 *
 * The other side is honest; its messages are taken before they are sealed and sealed again, with
 * the right keys, in another order (struct forger). What must come of it says a model: a walk along
 * the messages of the honest run.
 */
#include "unit.h"

#include "flow_table.h"

#include <stdio.h>
#include <string.h>

/* --- The model --- */

enum verdict {
    GOES_ON, /* nothing is wrong so far */
    FAILS,   /* with the alert */
    UNKNOWN  /* legal, but not part of the flow: the model does not follow */
};

struct model {
    enum role us;
    bool is_tls12;
    bool has_hint;    /* or might have: the suite takes a pre-shared key and no other */
    size_t next;      /* moment that is to come */
    bool is_tainted;  /* something optional was left out: signatures and Finished don't fit */
    bool any_failure; /* the message's own rules decide which alert it is */
    uint8_t alert;
};

/* Steps over TLS 1.3's ChangeCipherSpecs, which may come or not. */
static const struct moment *expected(struct model *m)
{
    while (!m->is_tls12 && moments[m->next].type == TYPE_CCS) {
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

/* Whatever may come unprompted is for other scripts, which the model does not follow. */
static bool may_come_unprompted(const struct model *m, uint8_t type)
{
    if (m->is_tls12) {
        return type == (m->us == ROLE_CLIENT ? MSG_HELLO_REQUEST : MSG_CLIENT_HELLO);
    }
    return type == MSG_KEY_UPDATE || type == MSG_NEW_SESSION_TICKET ||
           type == MSG_CERTIFICATE_REQUEST || type == MSG_CERTIFICATE;
}

/* What the peer may leave out, whatever the tables say: RFC 8446, 4.3.2; RFC 5246, 7.4.4; RFC 6066,
 * 8; RFC 4279, 2. */
static bool may_be_left_out(const struct model *m, unsigned type)
{
    return m->us == ROLE_CLIENT &&
           (type == MSG_CERTIFICATE_REQUEST || (m->is_tls12 && type == MSG_CERTIFICATE_STATUS) ||
            (m->has_hint && type == MSG_SERVER_KEY_EXCHANGE));
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
        return may_come_unprompted(m, type) ? UNKNOWN : fail_with(m, ALERT_UNEXPECTED_MESSAGE);
    }
    /* Behind one that may be left out another such may be what has come. */
    bool may_come = may_be_left_out(m, want->waiting->message) &&
                    (m->is_tls12 || type == want->waiting->message);
    m->any_failure = type == want->type || may_come;
    return fail_with(m, ALERT_UNEXPECTED_MESSAGE);
}

/* TLS 1.2: RFC 5246, 7.1 and 7.3. Its ChangeCipherSpec has one place, between records of one kind
 * of keys and of another. */
static enum verdict judge_tls12(struct model *m, const struct delivery *d)
{
    const struct moment *want = expected(m);
    uint8_t type = d->content == HONEST ? moments[d->item].type : d->type;

    if (d->keys != want->keys) {
        return fail_with(m, want->keys == KEYS_PLAIN ? ALERT_UNEXPECTED_MESSAGE
                                                     : ALERT_BAD_RECORD_MAC);
    }
    if (d->content == CCS || d->content == BAD_CCS || type == TYPE_CCS) {
        m->next++;
        return want->type == TYPE_CCS && d->content != BAD_CCS
                   ? GOES_ON
                   : fail_with(m, ALERT_UNEXPECTED_MESSAGE);
    }
    /* RFC 5246, 7.4.1.1: what a client does not mind during a handshake. */
    if (m->us == ROLE_CLIENT && type == MSG_HELLO_REQUEST && !want->idle) {
        return GOES_ON;
    }
    while (type != want->type && !want->idle && may_be_left_out(m, want->type)) {
        m->is_tainted = true;
        m->next++;
        want = expected(m);
    }
    /* A ServerHelloDone is like another. */
    bool same = d->content == HONEST ? d->item == m->next
                                     : type == want->type && type == MSG_SERVER_HELLO_DONE;
    return judge_type(m, want, type, same);
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
static void assert_end(struct table *t, const struct model *m)
{
    struct tls_conn *c = &t->us.conn;
    uint8_t data[16];
    size_t got;

    assert_int_equal(tls_read(c, data, sizeof(data), false, &got), TLS_FAILED);
    assert_int_equal(tls_write(c, data, 1), TLS_FAILED);
    assert_false(tls_start(c));
    /* Before the ServerHello a client's alert is in a record of version 3.1, as its hello is. In
     * some plays the peer finds out itself that it cannot go on. */
    bool listens = (c->role == ROLE_SERVER || c->out.version == VERSION_TLS12) &&
                   !t->peer.conn.error.failed && !(m->is_tls12 && m->is_tainted) &&
                   t->flow->afterwards != SERVER_REFUSES;
    table_answer(t);
    if (listens) {
        assert_int_equal(t->peer.last_alert, ALERT_LEVEL_FATAL << 8 | c->error.alert);
    }
}

/* Delivers one item. False: the connection has ended, as it should, or leaves the model. */
static bool step(struct table *t, struct model *m, const struct delivery *d)
{
    unsigned done_before = t->us.num_done;

    if (d->content == HONEST && d->item >= t->peer.sent.num) {
        /* The peer, which knows what it had sent, does not go on. */
        assert_true(m->is_tainted && t->peer.conn.error.failed);
        return false;
    }
    enum verdict verdict = m->is_tls12 ? judge_tls12(m, d) : judge(m, d);
    table_deliver(t, d);
    switch (verdict) {
    case UNKNOWN:
        return false;
    case FAILS:
        assert_failure(t, m, done_before);
        assert_end(t, m);
        return false;
    case GOES_ON:
        break;
    }
    assert_false(t->us.conn.error.failed);
    /* Done exactly when all of the handshake has come. */
    (void)expected(m);
    assert_int_equal(t->us.num_done, m->next > 0 ? moments[m->next - 1].done : 0);
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
    struct model m = { .us = us, .is_tls12 = flow->suite != 0, .has_hint = flow->may_have_hint };
    struct table t;
    size_t first = 0;
    bool afterwards = false;
    bool going = true;

    note_playing(flow, us, at, change, type);
    table_set_up(&t, flow, us);
    table_start(&t);
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
        table_answer(&t);
        if (!afterwards && t.us.num_done > 0 && t.peer.num_done > 0) {
            afterwards = true;
            table_begin_afterwards(&t);
        }
    }
    num_judged++;
    table_tear_down(&t);
    playing[0] = '\0';
}

static void play_all(const struct flow *flow, enum role us)
{
    table_record(flow, us);
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
    for (size_t i = 0; i < num_flows; i++) {
        if (flow_is_played_by(&flows[i], ROLE_CLIENT)) {
            play_all(&flows[i], ROLE_CLIENT);
        }
    }
}

static void a_server_accepts_no_other_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < num_flows; i++) {
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
    assert_true(num_judged > 5000);
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
