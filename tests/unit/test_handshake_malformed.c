/*
 * Every message of a handshake cut off at every byte, or with a byte too many, its own length being
 * right: none may be taken. RFC 8446, 6: "Peers which receive a message which cannot be parsed
 * according to the syntax (e.g., have a length extending beyond the message boundary or contain an
 * out-of-range length) MUST terminate the connection with a "decode_error" alert." CVE-2016-6306
 * (reads beyond short messages) is of this kind; the sanitizer looks.
 */
#include "unit.h"

#include "flow_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct flow flow = {
    .name = "everything", .retry = true, .compat = true, .ask = true, .has_cert = true
};

static void configure(struct table *t)
{
    struct endpoint *client = t->us.conn.role == ROLE_CLIENT ? &t->us : &t->peer;
    struct endpoint *server = t->us.conn.role == ROLE_CLIENT ? &t->peer : &t->us;

    client->config.alpn = blob_new("\2h2\5hello", 9);
    client->config.request_ocsp = client->config.post_handshake_auth = true;
    client->config.max_fragment_code = 4;
    client->conn.neg.server_name = blob_new("unit.example", 12);
    server->alpn = blob_new("hello", 5);
    server->ocsp = blob_new("response", 8);
}

/* Changes the length of an item, in its header, too. */
static void resize(struct item *item, size_t len)
{
    item->bytes = realloc(item->bytes, len);
    assert_non_null(item->bytes);
    if (len > item->len) {
        memset(item->bytes + item->len, 0, len - item->len);
    }
    item->len = len;
    item->bytes[1] = (uint8_t)((len - 4) >> 16);
    item->bytes[2] = (uint8_t)((len - 4) >> 8);
    item->bytes[3] = (uint8_t)(len - 4);
}

static bool is_expected(uint8_t type, uint8_t alert)
{
    switch (alert) {
    case ALERT_DECODE_ERROR:
        return true;
    case ALERT_PROTOCOL_VERSION:
        /* Cut before its extensions a hello is one of TLS 1.2. */
        return type == MSG_CLIENT_HELLO || type == MSG_SERVER_HELLO;
    case ALERT_HANDSHAKE_FAILURE:
        return type == MSG_CLIENT_HELLO; /* the same, and without a suite for it */
    case ALERT_ILLEGAL_PARAMETER:
        /* More than any message of its type may hold; a suite of another version. */
        return type == MSG_FINISHED || type == MSG_SERVER_HELLO;
    default:
        return false;
    }
}

/* Plays up to item `at`, which comes with another length. False: there is no such item. */
static bool play(enum role us, size_t at, size_t len, size_t *full_len)
{
    struct table t;
    size_t delivered = 0;

    table_set_up(&t, &flow, us);
    configure(&t);
    table_start(&t);
    while (delivered < t.peer.sent.num && delivered <= at) {
        size_t num = t.peer.sent.num;
        for (; delivered < num && delivered <= at; delivered++) {
            struct item *item = &t.peer.sent.at[delivered];
            const struct delivery d = { HONEST, delivered, 0,
                                        item->epoch == EPOCH_PLAINTEXT   ? KEYS_PLAIN
                                        : item->epoch == EPOCH_HANDSHAKE ? KEYS_HANDSHAKE
                                                                         : KEYS_APPLICATION };
            *full_len = item->content == CONTENT_CCS ? 0 : item->len;
            if (delivered == at && *full_len > 0 && len != 0) {
                resize(item, len);
            }
            table_deliver(&t, &d);
        }
        if (delivered <= at) {
            table_answer(&t);
        }
    }
    bool there = delivered > at;
    if (there && *full_len > 0 && len != 0) {
        uint8_t type = t.peer.sent.at[at].bytes[0];
        if (!t.us.conn.error.failed || t.us.num_done != 0) {
            fail_msg("message %zu (type %u) of %zu bytes was taken as %zu", at, type, *full_len,
                     len);
        }
        if (!is_expected(type, t.us.conn.error.alert)) {
            fail_msg("message %zu (type %u) of %zu bytes as %zu: alert %u", at, type, *full_len,
                     len, t.us.conn.error.alert);
        }
    }
    table_tear_down(&t);
    return there;
}

static void cut_everywhere(enum role us)
{
    size_t full_len;
    size_t num = 0;

    for (size_t at = 0; play(us, at, 0, &full_len); at++) {
        size_t whole = full_len;
        for (size_t len = MESSAGE_HEADER_LEN; len <= whole + 1; len++) {
            if (len != whole) {
                (void)play(us, at, len, &full_len);
                num++;
            }
        }
    }
    assert_true(num > 500);
}

static void a_client_takes_no_part_of_a_message(void **state)
{
    (void)state;
    cut_everywhere(ROLE_CLIENT);
}

static void a_server_takes_no_part_of_a_message(void **state)
{
    (void)state;
    cut_everywhere(ROLE_SERVER);
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
        cmocka_unit_test(a_client_takes_no_part_of_a_message),
        cmocka_unit_test(a_server_takes_no_part_of_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, forget_identity);
}
