/*
 * Handshake messages out of records: whole, split at every byte, several in one record; and that a
 * length field reserves nothing (CVE-2016-6307, CVE-2016-6308).
 */
#include "unit.h"

#include "record/message_in.h"
#include "record/record_out.h"

#include <string.h>

static struct record_in in;
static struct message_in messages;
static bool failed;

static int open_pipe(void **state)
{
    (void)state;
    in = (struct record_in){ .max_plaintext = RECORD_MAX_PLAINTEXT };
    messages = (struct message_in){ 0 };
    return 0;
}

static int close_pipe(void **state)
{
    (void)state;
    record_in_wipe(&in);
    message_in_wipe(&messages);
    return 0;
}

/* One record arrives and becomes current. */
static void arrive(const void *bytes, size_t len)
{
    struct record_out out = { .version = VERSION_TLS12 };
    struct record_error error;

    assert_true(record_seal(&out, CONTENT_HANDSHAKE, bytes, len, NULL));
    assert_true(buffer_append(&in.buffer, buffer_bytes(&out.buffer), buffer_len(&out.buffer)));
    record_out_wipe(&out);
    assert_int_equal(record_in_next(&in, &error), RECORD_READY);
}

static void expect_whole(const void *bytes, size_t len, bool from_partial)
{
    struct message m;

    assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WHOLE);
    assert_int_equal(m.len, len);
    assert_memory_equal(m.bytes, bytes, len);
    assert_int_equal(m.type, *(const uint8_t *)bytes);
    assert_int_equal(m.from_partial, from_partial);
    /* Looking changes nothing. */
    assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WHOLE);
    message_in_consume(&messages, &in, &m);
}

static const uint8_t message[] = { 20, 0, 0, 6, 'a', 'b', 'c', 'd', 'e', 'f' };

static void a_message_in_one_record_is_a_view(void **state)
{
    struct message m;

    (void)state;
    arrive(message, sizeof(message));
    assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WHOLE);
    assert_ptr_equal(m.bytes, in.current.data);
    assert_null(messages.partial.data);
    message_in_consume(&messages, &in, &m);
    assert_null(in.buffer.data);
    assert_null(messages.partial.data);
}

static void a_message_may_be_split_at_every_byte(void **state)
{
    struct message m;

    for (size_t cut = 1; cut < sizeof(message); cut++) {
        (void)open_pipe(state);
        arrive(message, cut);
        enum message_status status = message_in_next(&messages, &in, &m, &failed);
        assert_int_equal(status, cut < 4 ? MESSAGE_WANT : MESSAGE_HEADER);
        if (cut >= 4) {
            assert_int_equal(m.type, 20);
            assert_int_equal(m.len, sizeof(message));
            assert_null(m.bytes);
        }
        assert_true(message_in_is_partial(&messages));
        assert_int_equal(in.current_size, 0);
        arrive(message + cut, sizeof(message) - cut);
        expect_whole(message, sizeof(message), true);
        assert_false(message_in_is_partial(&messages));
        assert_null(messages.partial.data);
        (void)close_pipe(state);
    }
}

static void a_message_may_come_byte_by_byte(void **state)
{
    struct message m;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(message); i++) {
        arrive(message + i, 1);
        assert_int_not_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WHOLE);
        assert_false(failed);
    }
    arrive(message + sizeof(message) - 1, 1);
    expect_whole(message, sizeof(message), true);
}

static void several_messages_may_share_a_record(void **state)
{
    static const uint8_t three[] = { 8, 0, 0, 0, 11, 0, 0, 2, 'x', 'y', 20, 0, 0, 1, 'z' };
    struct message m;

    (void)state;
    arrive(three, sizeof(three));
    expect_whole(three, 4, false);
    expect_whole(three + 4, 6, false);
    expect_whole(three + 10, 5, false);
    assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WANT);
    assert_null(in.buffer.data);
}

/* The end of one message and the start of the next in one record. */
static void records_need_not_begin_with_a_message(void **state)
{
    static const uint8_t two[] = { 8, 0, 0, 3, 'a', 'b', 'c', 11, 0, 0, 2, 'x', 'y' };
    struct message m;

    for (size_t cut = 1; cut < 7; cut++) {
        for (size_t second = cut + 1; second < sizeof(two); second++) {
            (void)open_pipe(state);
            arrive(two, cut);
            assert_int_not_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_WHOLE);
            arrive(two + cut, second - cut);
            if (message_in_next(&messages, &in, &m, &failed) == MESSAGE_WHOLE) {
                assert_memory_equal(m.bytes, two, 7);
                message_in_consume(&messages, &in, &m);
                (void)!message_in_next(&messages, &in, &m, &failed);
                arrive(two + second, sizeof(two) - second);
            } else {
                arrive(two + second, sizeof(two) - second);
                expect_whole(two, 7, true);
            }
            expect_whole(two + 7, 6, second > 7);
            assert_null(in.buffer.data);
            assert_null(messages.partial.data);
            (void)close_pipe(state);
        }
    }
}

/* A header that announces 16 MB: what is held is what has come, to a pool block. */
static void a_length_field_reserves_nothing(void **state)
{
    static const uint8_t bomb[] = { 11, 0xff, 0xff, 0xff, 'x' };
    static uint8_t more[RECORD_MAX_PLAINTEXT];
    struct message m;
    size_t held = 5;

    (void)state;
    arrive(bomb, sizeof(bomb));
    assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_HEADER);
    assert_int_equal(m.len, 4 + 0xffffff);
    assert_int_equal(buffer_len(&messages.partial), held);
    size_t first_cap = messages.partial.cap;
    assert_true(first_cap <= RECORD_MAX_PLAINTEXT + 4096);
    for (int i = 0; i < 10; i++) {
        arrive(more, sizeof(more));
        assert_int_equal(message_in_next(&messages, &in, &m, &failed), MESSAGE_HEADER);
        held += sizeof(more);
        assert_int_equal(buffer_len(&messages.partial), held);
        assert_true(messages.partial.cap <= first_cap + 2 * held);
    }
}

/* --- Failing allocations --- */

/* Longer than every pool block, so that memory has to be found on the way. */
#define LONG_MESSAGE 100000
static uint8_t long_message[LONG_MESSAGE] = { 11, (LONG_MESSAGE - 4) >> 16,
                                              ((LONG_MESSAGE - 4) >> 8) & 0xff,
                                              (LONG_MESSAGE - 4) & 0xff };

static void make_wire(struct buffer *wire)
{
    struct record_out out = { .version = VERSION_TLS12 };
    size_t done = 0;

    while (done < sizeof(long_message)) {
        size_t left = sizeof(long_message) - done;
        size_t piece = left < 10000 ? left : 10000;
        assert_true(record_seal(&out, CONTENT_HANDSHAKE, long_message + done, piece, NULL));
        done += piece;
    }
    assert_true(buffer_append(wire, buffer_bytes(&out.buffer), buffer_len(&out.buffer)));
    record_out_wipe(&out);
}

static bool collect(void *arg)
{
    struct record_in record = { .max_plaintext = RECORD_MAX_PLAINTEXT };
    struct message_in mi = { 0 };
    struct message m;
    struct record_error error;
    bool ok = true;
    bool whole = false;

    (void)arg;
    failing_alloc_pause(true);
    make_wire(&record.buffer);
    failing_alloc_pause(false);
    while (ok && !whole && record_in_next(&record, &error) == RECORD_READY) {
        whole = message_in_next(&mi, &record, &m, &failed) == MESSAGE_WHOLE;
        ok = !failed;
    }
    assert_true(!ok || (whole && m.len == sizeof(long_message)));
    message_in_wipe(&mi);
    record_in_wipe(&record);
    return ok;
}

static void collecting_survives_failing_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(collect, NULL, false) >= 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pipe, close_pipe)
    const struct CMUnitTest tests[] = {
        TEST(a_message_in_one_record_is_a_view),       TEST(a_message_may_be_split_at_every_byte),
        TEST(a_message_may_come_byte_by_byte),         TEST(several_messages_may_share_a_record),
        TEST(records_need_not_begin_with_a_message),   TEST(a_length_field_reserves_nothing),
        TEST(collecting_survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
