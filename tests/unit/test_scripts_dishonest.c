/*
 * A peer that really follows another script: one row that sends is taken out of it, doubled or
 * exchanged with its neighbour, and its transcript, signatures and Finished are right for what it
 * sent. Only the order of messages itself can give it away, and must: CVE-2014-3572, CVE-2015-0205
 * and the skipped messages of SMACK were of this kind.
 */
#include "unit.h"

#include "engines.h"

#include <stdio.h>
#include <string.h>

#define MAX_SCRIPTS 32
#define MAX_ROWS    64

/* Copies of all scripts that may be changed; their gotos lead to each other. */
static struct step copies[MAX_SCRIPTS][MAX_ROWS];

static size_t index_of(const struct step *steps)
{
    for (size_t i = 0; i < num_scripts; i++) {
        if (scripts[i].steps == steps) {
            return i;
        }
    }
    fail_msg("a goto leads to no known script");
    return 0;
}

static void copy_scripts(void)
{
    assert_true(num_scripts <= MAX_SCRIPTS);
    for (size_t i = 0; i < num_scripts; i++) {
        size_t j = 0;
        do {
            assert_true(j < MAX_ROWS - 1); /* one more may be put in */
            copies[i][j] = scripts[i].steps[j];
            if (copies[i][j].script != NULL) {
                copies[i][j].script = copies[index_of(copies[i][j].script)];
            }
        } while (scripts[i].steps[j++].kind != STEP_KIND_END);
    }
}

static size_t len_of(const struct step *steps)
{
    size_t len = 1;

    while (steps[len - 1].kind != STEP_KIND_END) {
        len++;
    }
    return len;
}

/* What the dishonest side does for its own transcript where it does not send a hello. */
static enum step_result begin_transcript(struct handshake *hs)
{
    return transcript_start(&hs->transcript, keys13_hash(hs->conn)) ? STEP_OK : STEP_FAILED;
}

static enum step_result begin_retried_transcript(struct handshake *hs)
{
    return transcript_retry(&hs->transcript, keys13_hash(hs->conn), hs->first_hello) ? STEP_OK
                                                                                     : STEP_FAILED;
}

static bool leave_out_hello(struct step *row)
{
    if (row->write == write_server_hello || row->write == write_hello_retry_request) {
        row->act = row->write == write_server_hello ? begin_transcript : begin_retried_transcript;
        row->kind = STEP_KIND_DO;
        return true;
    }
    return false;
}

enum crime { LEAVES_OUT, DOUBLES, EXCHANGES };

/* Changes row j of script i; false: there is nothing to change. */
static bool commit(enum crime crime, size_t i, size_t j)
{
    struct step *row = &copies[i][j];
    size_t behind = len_of(copies[i]) - j;
    size_t next = 1;

    switch (crime) {
    case LEAVES_OUT:
        if (!leave_out_hello(row)) {
            memmove(row, row + 1, (behind - 1) * sizeof(*row));
        }
        return true;
    case DOUBLES:
        if (row->write == write_hello_retry_request) {
            return false; /* a transcript is retried once */
        }
        memmove(row + 1, row, behind * sizeof(*row));
        return true;
    case EXCHANGES:
        /* With the next that sends under the same keys. */
        while (row[next].kind == STEP_KIND_DO || row[next].kind == STEP_KIND_MARK) {
            next++;
        }
        if (row[next].kind != STEP_KIND_SEND) {
            return false;
        }
        struct step first = row[0];
        row[0] = row[next];
        row[next] = first;
        return true;
    }
    return false;
}

static struct endpoint client;
static struct endpoint server;

static void set_up(bool compat, bool ask, bool retry)
{
    static const uint16_t p256 = 0x0017;

    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    client.config.options = server.config.options = compat ? OPTION_ENABLE_MIDDLEBOX_COMPAT : 0;
    server.config.ask_client_cert = ask;
    if (retry) {
        server.config.groups = u16_list_of(&p256, 1);
    }
}

static void tear_down(void)
{
    endpoint_wipe(&client);
    endpoint_wipe(&server);
}

static size_t num_played;

/* What the dishonest side may leave out or do twice without harm. */
static bool is_harmless(const struct step *row, enum crime crime)
{
    return row->message == MSG_CCS || row->message == MSG_NEW_SESSION_TICKET ||
           row->message == MSG_END_OF_EARLY_DATA || /* nothing is early in these flows */
           (row->message == MSG_CERTIFICATE_REQUEST && crime == LEAVES_OUT);
}

/* The honest side does not end its handshake; or, where the crime comes behind its end, the
 * connection does not go on. */
static void assert_refused(struct endpoint *honest, const char *what)
{
    uint8_t data[8];
    size_t got;

    if (honest->num_done != 0 &&
        endpoint_read(honest, data, sizeof(data), &got, NULL) != TLS_FAILED) {
        fail_msg("%s was accepted", what);
    }
    /* A message that is not due; a second hello that is not the one asked for; a record under keys
     * that are no longer in use. No alert: the other side got stuck in its own script. */
    uint8_t alert = honest->conn.error.alert;
    assert_true(!honest->conn.error.failed || alert == ALERT_UNEXPECTED_MESSAGE ||
                alert == ALERT_ILLEGAL_PARAMETER || alert == ALERT_BAD_RECORD_MAC ||
                alert == ALERT_NONE);
}

static void play(struct endpoint *honest, struct endpoint *other, const struct step *script,
                 bool harmless, const char *what)
{
    assert_true(handshake_start(&other->conn, script, true));
    (void)endpoints_connect(&client, &server, 0);
    if (!harmless) {
        assert_refused(honest, what);
    }
    num_played++;
}

/* True for rows that are taken only where a certificate was asked for. */
static bool needs_request(const struct step *row)
{
    return row->when != NULL && row->message != MSG_SERVER_HELLO && row->message != MSG_CCS;
}

static void play_row(size_t i, size_t j, enum crime crime)
{
    const struct step *row = &scripts[i].steps[j];
    bool of_client = scripts[i].role == ROLE_CLIENT;
    size_t start = index_of(of_client ? script_client_hello : script_server_hello);
    char what[128];

    for (unsigned bits = 0; bits < 8; bits++) {
        copy_scripts();
        if (!commit(crime, i, j)) {
            return;
        }
        set_up((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
        struct endpoint *honest = of_client ? &server : &client;
        (void)snprintf(what, sizeof(what), "%s, %s %s (%u)", scripts[i].name, row->name,
                       crime == LEAVES_OUT ? "left out"
                       : crime == DOUBLES  ? "doubled"
                                           : "exchanged",
                       bits);
        /* Where the row is not part of this flow nothing has changed. */
        struct endpoint *other = of_client ? &client : &server;
        bool harmless =
            is_harmless(row, crime) || (crime == EXCHANGES && copies[i][j].message == MSG_CCS);
        bool needs_ask = needs_request(row) || (crime == EXCHANGES && needs_request(&copies[i][j]));
        bool not_reached = (needs_ask && (bits & 2) == 0) ||
                           (strcmp(scripts[i].name, "client13_retry") == 0 && (bits & 4) == 0) ||
                           (row->write == write_hello_retry_request && (bits & 4) == 0);
        play(honest, other, copies[start], harmless || not_reached, what);
        tear_down();
    }
}

static bool is_first_handshake(const struct script *script)
{
    return strncmp(script->name, "client13", 8) == 0 || strncmp(script->name, "server13", 8) == 0 ||
           script->steps == script_client_hello || script->steps == script_server_hello;
}

static void another_order_is_not_accepted_however_consistent(void **state)
{
    static const enum crime crimes[] = { LEAVES_OUT, DOUBLES, EXCHANGES };

    (void)state;
    for (size_t i = 0; i < num_scripts; i++) {
        for (size_t j = 0; is_first_handshake(&scripts[i]) && j < len_of(scripts[i].steps); j++) {
            for (size_t k = 0; k < COUNT_OF(crimes); k++) {
                if (scripts[i].steps[j].kind == STEP_KIND_SEND) {
                    play_row(i, j, crimes[k]);
                }
            }
        }
    }
    assert_true(num_played > 200);
}

/* The same machinery without a crime. */
static void an_unchanged_copy_is_accepted(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 8; bits++) {
        copy_scripts();
        set_up((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
        assert_true(handshake_start(&client.conn, copies[index_of(script_client_hello)], true));
        assert_true(handshake_start(&server.conn, copies[index_of(script_server_hello)], true));
        assert_true(endpoints_connect(&client, &server, 0));
        tear_down();
    }
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
        cmocka_unit_test(an_unchanged_copy_is_accepted),
        cmocka_unit_test(another_order_is_not_accepted_however_consistent),
    };

    return cmocka_run_group_tests(tests, NULL, forget_identity);
}
