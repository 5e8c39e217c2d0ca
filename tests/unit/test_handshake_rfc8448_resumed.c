/*
 * Section 4 of RFC 8448, the resumed handshake with early data: the binder of the client's hello,
 * and what a server makes of the first flight. The other sections: test_handshake_rfc8448.c.
 */
#include "unit.h"

#include "engines.h"
#include "handshake/psk13.h"
#include "handshake/step.h"
#include "rfc8448.h"

#include <string.h>

static struct ssl_session_st *resumed; /* what the trace's ticket stands for */

static enum hook_answer open_ticket_of_trace(void *owner, const uint8_t *ticket, size_t len,
                                             struct reader session_id,
                                             struct ssl_session_st **session, bool *renew,
                                             struct record_error *failure)
{
    (void)owner;
    (void)session_id;
    (void)failure;
    *renew = false;
    assert_int_equal(len, resumed->ticket->len);
    assert_memory_equal(ticket, resumed->ticket->bytes, len);
    *session = session_ref(resumed);
    return HOOK_OK;
}

/* The session behind the ClientHello's only identity; its ticket is as old as the client says. */
static struct ssl_session_st *session_of_trace(const struct value *hello)
{
    const struct value *psk = find(RESUMED, ROLE_CLIENT, "extract secret \"early\"", "IKM", 0);
    const struct value *prefix =
        find(RESUMED, ROLE_CLIENT, "calculate PSK binder", "ClientHello prefix", 0);
    struct ssl_session_st *session = session_new(1000, 300);
    const uint8_t *age = prefix->bytes + prefix->len - 4;

    assert_non_null(session);
    assert_memory_equal(hello->bytes, prefix->bytes, prefix->len);
    session->version = VERSION_TLS13;
    session->suite = suite_by_id(0x1301);
    session->max_early_data = 1024;
    secret_set(&session->master, psk->bytes, psk->len);
    session->ticket_age_add =
        (uint32_t)age[0] << 24 | (uint32_t)age[1] << 16 | (uint32_t)age[2] << 8 | age[3];
    for (size_t len = 1; len < prefix->len && session->ticket == NULL; len++) {
        const uint8_t *at = prefix->bytes + prefix->len - 4 - len;
        if (at[-2] == len >> 8 && at[-1] == (len & 0xff) && at[-4] == (len + 6) >> 8 &&
            at[-3] == ((len + 6) & 0xff)) {
            session->ticket = blob_new(at, len);
        }
    }
    assert_non_null(session->ticket);
    return session;
}

/* The binder comes out as it stands there, in its place. */
static void the_resumed_hello_is_bound(void **state)
{
    struct endpoint e;
    uint8_t message[1024];
    const struct value *hello;

    (void)state;
    hello = find(RESUMED, ROLE_CLIENT, "send handshake record", "payload", 0);
    resumed = session_of_trace(hello);
    endpoint_init(&e, ROLE_CLIENT);
    assert_true(handshake_start(&e.conn, script_client_hello, true));
    e.conn.hs->offers[0] = (struct psk_offer){ .session = resumed };
    e.conn.hs->num_offers = 1;
    assert_true(hello->len <= sizeof(message));
    memcpy(message, hello->bytes, hello->len);
    memset(message + hello->len - 32, 0, 32);
    assert_int_equal(psk13_bind(e.conn.hs, message, hello->len), STEP_OK);
    assert_memory_equal(message, hello->bytes, hello->len);
    endpoint_wipe(&e); /* the session, too */
}

/* A server takes the trace's first flight: binder, secrets and data. */
static void the_resumed_hello_is_accepted_with_its_data(void **state)
{
    struct tls_hooks hooks = endpoint_hooks;
    struct endpoint e;
    uint8_t data[64];
    size_t got = 0;

    (void)state;
    resumed = session_of_trace(find(RESUMED, ROLE_CLIENT, "send handshake record", "payload", 0));
    endpoint_init(&e, ROLE_SERVER);
    hooks.open_ticket = open_ticket_of_trace;
    e.conn.hooks = &hooks;
    e.knows_extensions = true; /* record_size_limit */
    e.now = 1000 * 1000;
    e.config.max_early_data = e.config.recv_max_early_data = 1024;
    e.config.options |= OPTION_NO_ANTI_REPLAY;
    e.conn.wants_early_data = true;
    const struct value *flight =
        find(RESUMED, ROLE_CLIENT, "send handshake record", "complete record", 0);
    endpoint_feed(&e, flight->bytes, flight->len);
    assert_int_equal(endpoint_run(&e, NULL), TLS_OK);
    assert_true(e.conn.rests && e.conn.neg.resumed);
    assert_traced_secret(RESUMED, ROLE_CLIENT, "derive secret \"tls13 c e traffic\"", "expanded",
                         &e.conn.handshake_secrets->client_early);
    assert_traced_secret(RESUMED, ROLE_CLIENT, "derive secret \"tls13 e exp master\"", "expanded",
                         e.conn.secrets->early_exporter_master);
    const struct value *early =
        find(RESUMED, ROLE_CLIENT, "send application_data record", "complete record", 0);
    endpoint_feed(&e, early->bytes, early->len);
    assert_int_equal(tls_read(&e.conn, data, sizeof(data), false, &got), TLS_APP_DATA);
    assert_value(field_of(early, "payload"), data, got);
    endpoint_wipe(&e);
    session_free(resumed);
}

static int free_all(void **state)
{
    endpoint_identity_free();
    return rfc8448_unload(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resumed_hello_is_bound),
        cmocka_unit_test(the_resumed_hello_is_accepted_with_its_data),
    };

    return cmocka_run_group_tests(tests, rfc8448_load, free_all);
}
