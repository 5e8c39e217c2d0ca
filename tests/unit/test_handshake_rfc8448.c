/*
 * The handshakes of RFC 8448 byte for byte, from both sides: what the other side of a trace sent is
 * accepted, what this side sent comes out of the engine as it stands there. Where a message depends
 * on more than the keys (our ClientHello has other extensions, a signature other random bytes) the
 * trace's own message is put in its place; transcript, key schedule, Finished and records are the
 * library's.
 */
#include "unit.h"

#include "conn/pipes.h"
#include "crypto/kdf.h"
#include "engines.h"
#include "rfc8448.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* --- Derivations, one by one --- */

static const struct hash *sha256(void)
{
    return hash_get(crypto_lib_default(), HASH_SHA256);
}

/* HKDF-Expand-Label from an info as the trace shows it: length, "tls13 " label, context. */
static void check_expansion(const struct value *prk, const struct value *info,
                            const struct value *expanded)
{
    struct reader r = reader_of(info->bytes, info->len);
    struct reader label;
    struct reader context;
    struct secret secret = { 0 };
    uint16_t len;
    uint8_t out[64];

    assert_true(reader_u16(&r, &len) && reader_vec8(&r, &label) && reader_vec8(&r, &context));
    assert_true(reader_is_empty(&r) && len <= sizeof(out));
    secret_set(&secret, prk->bytes, prk->len);
    assert_true(hkdf_expand_label(sha256(), &secret, (const char *)label.at + 6, label.left - 6,
                                  context.at, context.left, out, len));
    assert_value(expanded, out, len);
    assert_true(hkdf_expand(sha256(), &secret, info->bytes, info->len, out, len));
    assert_value(expanded, out, len);
}

/* Every derivation that the RFC shows, those of the resumed handshake included. */
static void each_derivation_gives_the_value_shown(void **state)
{
    size_t num = 0;

    (void)state;
    for (size_t i = 0; i < num_values; i++) {
        const struct value *v = &values[i];
        if (strcmp(v->field, "info") == 0) {
            check_expansion(field_of(v, "PRK"), v, field_of(v, "expanded"));
            num++;
        } else if (strcmp(v->field, "key info") == 0) {
            check_expansion(field_of(v, "PRK"), v, field_of(v, "key expanded"));
            num++;
        } else if (strcmp(v->field, "iv info") == 0) {
            check_expansion(field_of(v, "PRK"), v, field_of(v, "iv expanded"));
            num++;
        } else if (strcmp(v->field, "IKM") == 0) {
            const struct value *salt = field_of(v, "salt");
            struct secret secret = { 0 };
            assert_true(hkdf_extract(sha256(), salt != NULL ? salt->bytes : NULL,
                                     salt != NULL ? salt->len : 0, v->bytes, v->len, &secret));
            assert_value(field_of(v, "secret"), secret.bytes, secret.len);
            num++;
        }
    }
    assert_int_equal(num, 116); /* all there are in the file */
}

/* --- A trace as a script --- */

/* What the replaying rows need to know; one trace at a time. */
static int section;
static size_t num_hellos; /* ClientHellos written, respectively ServerHellos */

static const struct value *hello_of(const char *name)
{
    char title[64];

    (void)snprintf(title, sizeof(title), "construct a %s handshake message", name);
    return find(section, strcmp(name, "ClientHello") == 0 ? ROLE_CLIENT : ROLE_SERVER, title, name,
                num_hellos);
}

/* The key pair that a side made for the share in use: that of the second hello is on P-256. */
static struct group_key *import_key(enum role side, const struct group *group)
{
    const char *title = group->id == 0x1d ? "create an ephemeral x25519 key pair"
                                          : "create an ephemeral P-256 key pair";
    const struct value *private_key = find(section, side, title, "private key", 0);
    const struct value *public_key = find(section, side, title, "public key", 0);
    struct group_key *key = group_key_import(crypto_lib_default(), group, private_key->bytes,
                                             private_key->len, public_key->bytes);

    assert_int_equal(public_key->len, group->public_len);
    assert_non_null(key);
    return key;
}

/* Writes the body of a message of the trace. */
static enum step_result replay(const struct value *message, struct writer *w)
{
    writer_bytes(w, message->bytes + MESSAGE_HEADER_LEN, message->len - MESSAGE_HEADER_LEN);
    return STEP_OK;
}

static bool is_retried(const struct handshake *hs)
{
    return hs->retry == RETRY_DUE;
}

static bool is_compat(const struct handshake *hs)
{
    return (hs->conn->config->options & OPTION_ENABLE_MIDDLEBOX_COMPAT) != 0;
}

static bool is_client_auth(const struct handshake *hs)
{
    (void)hs;
    return section == CLIENT_AUTH;
}

/* The trace's flight under handshake keys, which is one record; its Finished is computed. */
static enum step_result replay_flight(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    size_t hellos = c->role == ROLE_CLIENT ? (section == RETRIED ? 2 : 1) : num_hellos;
    const struct value *flight = find(section, c->role, "send handshake record", "payload", hellos);
    struct reader r = reader_of(flight->bytes, flight->len);

    while (!reader_is_empty(&r)) {
        const uint8_t *start = r.at;
        uint8_t type;
        struct reader body;
        assert_true(reader_u8(&r, &type) && reader_vec24(&r, &body));
        if (type == MSG_FINISHED) {
            struct secret verify_data = { 0 };
            assert_true(keys13_finished(hs, DIRECTION_OUT, &verify_data));
            assert_int_equal(body.left, verify_data.len);
            assert_memory_equal(body.at, verify_data.bytes, verify_data.len);
            c->neg.own_finished = verify_data;
        }
        assert_true(transcript_add(&hs->transcript, start, (size_t)(r.at - start)));
    }
    assert_true(conn_seal(c, CONTENT_HANDSHAKE, flight->bytes, flight->len));
    return STEP_OK;
}

static enum step_result derive_handshake(struct handshake *hs)
{
    assert_true(keys13_derive_handshake(hs));
    assert_value(find(section, ROLE_SERVER, "extract secret \"handshake\"", "secret", 0),
                 hs->handshake_secret.bytes, hs->handshake_secret.len);
    assert_value(find(section, ROLE_SERVER, "extract secret \"master\"", "secret", 0),
                 hs->master_secret.bytes, hs->master_secret.len);
    return STEP_OK;
}

static enum step_result derive_application(struct handshake *hs)
{
    assert_true(keys13_derive_application(hs));
    return STEP_OK;
}

static enum step_result derive_resumption(struct handshake *hs)
{
    assert_true(keys13_derive_resumption(hs));
    return STEP_OK;
}

/* --- As the client --- */

static enum step_result begin_client(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct value *hello = hello_of("ClientHello");
    struct reader r = reader_of(hello->bytes + MESSAGE_HEADER_LEN + 2 + RANDOM_LEN, 1 + 32);
    struct reader id;

    assert_true(reader_vec8(&r, &id));
    memcpy(hs->session_id, id.at, id.left);
    hs->session_id_len = id.left;
    c->session = c->hooks->make_session(c->owner);
    c->neg.server_name = blob_new("server", 6);
    assert_true(c->session != NULL && c->neg.server_name != NULL);
    c->neg.version = c->session->version = VERSION_TLS13;
    hs->share_group = group_by_id(crypto_lib_default(), 0x1d);
    return STEP_OK;
}

static enum step_result replay_client_hello(struct handshake *hs, struct writer *w)
{
    if (hs->retry == RETRY_DUE) {
        hs->retry = RETRY_DONE;
    }
    hs->key = import_key(ROLE_CLIENT, hs->share_group);
    hs->sent_extensions = UINT64_MAX;
    enum step_result result = replay(hello_of("ClientHello"), w);
    num_hellos++;
    return result;
}

static const struct step *library_script(const char *name)
{
    for (size_t i = 0; i < num_scripts; i++) {
        if (strcmp(scripts[i].name, name) == 0) {
            return scripts[i].steps;
        }
    }
    fail_msg("there is no script %s", name);
    return NULL;
}

/* clang-format off */
#define ROW_DO(f)         { .kind = STEP_KIND_DO, .act = f }
#define ROW_SEND(m, f)    { .kind = STEP_KIND_SEND, .message = m, .write = f }
#define ROW_RECV(m, f)    { .kind = STEP_KIND_RECV, .message = m, .read = f }
#define ROW_KEYS(d, e)    { .kind = STEP_KIND_KEYS, .direction = d, .epoch = e }
#define ROW_GOTO(c, s)    { .kind = STEP_KIND_GOTO, .when = c, .script = s }

/* The client's part of section 6: the library would sign anew and send three records. */
static const struct step client_auth_tail[] = {
    ROW_DO(derive_handshake),
    ROW_KEYS(DIRECTION_IN, EPOCH_HANDSHAKE),
    ROW_RECV(MSG_ENCRYPTED_EXTENSIONS, read_encrypted_extensions),
    ROW_RECV(MSG_CERTIFICATE_REQUEST, read_certificate_request),
    ROW_RECV(MSG_CERTIFICATE, read_certificate),
    ROW_DO(verify_peer),
    ROW_RECV(MSG_CERTIFICATE_VERIFY, read_certificate_verify),
    ROW_RECV(MSG_FINISHED, read_finished),
    ROW_DO(derive_application),
    ROW_KEYS(DIRECTION_IN, EPOCH_APPLICATION),
    ROW_KEYS(DIRECTION_OUT, EPOCH_HANDSHAKE),
    ROW_DO(replay_flight),
    ROW_DO(derive_resumption),
    ROW_KEYS(DIRECTION_OUT, EPOCH_APPLICATION),
    { .kind = STEP_KIND_END },
};

/* The last row is filled in: the library's own script. */
static struct step client_retry[] = {
    ROW_SEND(MSG_CLIENT_HELLO, replay_client_hello),
    ROW_RECV(MSG_SERVER_HELLO, read_server_hello),
    ROW_GOTO(NULL, NULL),
};
static struct step client_script[] = {
    ROW_DO(begin_client),
    ROW_SEND(MSG_CLIENT_HELLO, replay_client_hello),
    ROW_RECV(MSG_SERVER_HELLO, read_server_hello),
    ROW_GOTO(is_client_auth, client_auth_tail),
    ROW_GOTO(is_retried, client_retry),
    ROW_GOTO(NULL, NULL),
};
/* clang-format on */

/* --- As the server --- */

/* In place of the library's encapsulation: the trace's key pair. */
static enum step_result replay_share(struct handshake *hs)
{
    struct reader share = hs->picked_share;

    if (hs->picked_group == NULL) {
        return choose_group(hs); /* asks for a retry */
    }
    struct group_key *key = import_key(ROLE_SERVER, hs->picked_group);
    hs->shared = OPENSSL_zalloc(sizeof(*hs->shared));
    assert_non_null(hs->shared);
    assert_int_equal(group_decapsulate(crypto_lib_default(), key, share.at, share.left, hs->shared),
                     GROUP_OK);
    assert_value(find(section, ROLE_SERVER, "extract secret \"handshake\"", "IKM", 0),
                 hs->shared->bytes, hs->shared->len);
    group_key_free(key);
    hs->share_group = hs->picked_group;
    hs->asked_cert = section == CLIENT_AUTH;
    return STEP_OK;
}

static enum step_result replay_retry_request(struct handshake *hs, struct writer *w)
{
    assert_true(transcript_retry(&hs->transcript, keys13_hash(hs->conn), hs->first_hello));
    enum step_result result = replay(hello_of("ServerHello"), w);
    num_hellos++;
    return result;
}

static enum step_result replay_server_hello(struct handshake *hs, struct writer *w)
{
    assert_true(transcript_start(&hs->transcript, keys13_hash(hs->conn)));
    enum step_result result = replay(hello_of("ServerHello"), w);
    num_hellos++;
    return result;
}

static bool has_client_cert(const struct handshake *hs)
{
    return hs->peer_has_cert;
}

/* clang-format off */
static const struct step server_script[] = {
    ROW_RECV(MSG_CLIENT_HELLO, read_client_hello),
    ROW_DO(choose_version),
    ROW_DO(choose_suite),
    ROW_DO(choose_session13),
    ROW_DO(read_hello_extensions),
    ROW_DO(replay_share),
    { .kind = STEP_KIND_SEND, .when = is_retried, .message = MSG_SERVER_HELLO,
      .write = replay_retry_request },
    ROW_GOTO(is_retried, server_script),
    ROW_SEND(MSG_SERVER_HELLO, replay_server_hello),
    { .kind = STEP_KIND_SEND, .when = is_compat, .message = MSG_CCS },
    ROW_DO(derive_handshake),
    ROW_KEYS(DIRECTION_OUT, EPOCH_HANDSHAKE),
    ROW_KEYS(DIRECTION_IN, EPOCH_HANDSHAKE),
    ROW_DO(replay_flight),
    ROW_DO(derive_application),
    ROW_KEYS(DIRECTION_OUT, EPOCH_APPLICATION),
    { .kind = STEP_KIND_RECV, .when = is_client_auth, .message = MSG_CERTIFICATE,
      .read = read_certificate },
    { .kind = STEP_KIND_DO, .when = has_client_cert, .act = verify_peer },
    { .kind = STEP_KIND_RECV, .when = has_client_cert, .message = MSG_CERTIFICATE_VERIFY,
      .read = read_certificate_verify },
    ROW_RECV(MSG_FINISHED, read_finished),
    ROW_KEYS(DIRECTION_IN, EPOCH_APPLICATION),
    ROW_DO(derive_resumption),
    { .kind = STEP_KIND_END },
};
/* clang-format on */

/* --- The wire --- */

static void expect_output(struct buffer *out, const struct value *record)
{
    assert_true(buffer_len(out) >= record->len);
    assert_memory_equal(buffer_bytes(out), record->bytes, record->len);
    buffer_consume(out, record->len);
}

static bool is_event(const struct value *v, const char *title)
{
    return strcmp(v->title, title) == 0;
}

/* A record of ours: the engine has made it by itself during the handshake, or is told to now. */
static void send_one(struct endpoint *e, const struct value *payload, struct buffer *out)
{
    struct tls_conn *c = &e->conn;

    if (c->handshakes_done > 0 && buffer_len(out) == 0) {
        if (is_event(payload, "send application_data record")) {
            assert_int_equal(tls_write(c, payload->bytes, payload->len), TLS_OK);
        } else if (is_event(payload, "send alert record")) {
            tls_queue_alert(c, payload->bytes[0], payload->bytes[1]);
        } else {
            /* NewSessionTicket */
            assert_true(conn_seal(c, CONTENT_HANDSHAKE, payload->bytes, payload->len));
        }
        endpoint_take(e, out);
    }
    expect_output(out, field_of(payload, "complete record"));
}

static void receive_one(struct endpoint *e, const struct value *payload, struct buffer *out)
{
    const struct value *record = field_of(payload, "complete record");
    uint8_t data[64];
    size_t got = 0;

    endpoint_feed(e, record->bytes, record->len);
    if (e->conn.hs != NULL) {
        enum tls_status status = endpoint_run(e, out);
        assert_true(status == TLS_OK || status == TLS_WANT_INPUT);
        return;
    }
    enum tls_status status = endpoint_read(e, data, sizeof(data), &got, out);
    if (is_event(payload, "send application_data record")) {
        assert_int_equal(status, TLS_APP_DATA);
        assert_value(payload, data, got);
    } else if (is_event(payload, "send alert record")) {
        assert_int_equal(status, TLS_CLOSED);
    } else {
        assert_int_equal(status, TLS_WANT_INPUT); /* NewSessionTicket */
    }
}

static void assert_secret(enum role side, const char *title, const char *field,
                          const struct secret *secret)
{
    assert_traced_secret(section, side, title, field, secret);
}

static void check_secrets(const struct tls_conn *c)
{
    const struct traffic_secrets *s = c->secrets;
    const struct secret *client_finished =
        c->role == ROLE_CLIENT ? &c->neg.own_finished : &c->neg.peer_finished;
    const struct secret *server_finished =
        c->role == ROLE_CLIENT ? &c->neg.peer_finished : &c->neg.own_finished;

    assert_null(c->handshake_secrets); /* under which the records were those of the trace */
    assert_secret(ROLE_SERVER, "derive secret \"tls13 c ap traffic\"", "expanded",
                  &s->client_application);
    assert_secret(ROLE_SERVER, "derive secret \"tls13 s ap traffic\"", "expanded",
                  &s->server_application);
    assert_secret(ROLE_SERVER, "derive secret \"tls13 exp master\"", "expanded",
                  &s->exporter_master);
    assert_secret(ROLE_CLIENT, "derive secret \"tls13 res master\"", "expanded",
                  &s->resumption_master);
    assert_secret(ROLE_CLIENT, "calculate finished \"tls13 finished\"", "finished",
                  client_finished);
    assert_secret(ROLE_SERVER, "calculate finished \"tls13 finished\"", "finished",
                  server_finished);
}

/* Plays one side of a trace; each record of it is compared or fed. */
static void play(enum role role)
{
    static const uint16_t p256 = 0x0017;
    struct endpoint e;
    struct buffer out = { 0 };
    size_t num_records = 0;

    num_hellos = 0;
    client_script[COUNT_OF(client_script) - 1].script = library_script("client13");
    client_retry[COUNT_OF(client_retry) - 1].script = library_script("client13");
    endpoint_init(&e, role);
    e.knows_extensions = true; /* record_size_limit */
    e.config.options = section == COMPAT ? OPTION_ENABLE_MIDDLEBOX_COMPAT : 0;
    if (role == ROLE_SERVER && section == RETRIED) {
        e.config.groups = u16_list_of(&p256, 1);
    }
    assert_true(
        handshake_start(&e.conn, role == ROLE_CLIENT ? client_script : server_script, true));
    (void)endpoint_run(&e, &out);
    for (size_t i = 0; i < num_values; i++) {
        const struct value *v = &values[i];
        if (v->section != section || strcmp(v->field, "payload") != 0) {
            continue;
        }
        num_records++;
        if (v->side == role) {
            send_one(&e, v, &out);
        } else {
            receive_one(&e, v, &out);
        }
    }
    assert_int_equal(buffer_len(&out), 0);
    assert_true(num_records >= 5);
    assert_int_equal(e.num_done, 1);
    check_secrets(&e.conn);
    assert_int_equal(e.num_verified, role == ROLE_CLIENT || section == CLIENT_AUTH ? 1 : 0);
    endpoint_wipe(&e);
    buffer_wipe(&out);
}

static void play_both(int number)
{
    section = number;
    play(ROLE_CLIENT);
    play(ROLE_SERVER);
}

/* Section 3: Simple 1-RTT Handshake, with a ticket, data and close_notify of both sides. */
static void the_simple_handshake_replays(void **state)
{
    (void)state;
    play_both(SIMPLE);
}

/* Section 5: HelloRetryRequest with a cookie and another group. */
static void the_retried_handshake_replays(void **state)
{
    (void)state;
    play_both(RETRIED);
}

/* Section 6: a client certificate with an RSA key, a server's with P-256. */
static void the_handshake_with_client_authentication_replays(void **state)
{
    (void)state;
    play_both(CLIENT_AUTH);
}

/* Section 7: session id and ChangeCipherSpec of both sides. */
static void the_handshake_in_compatibility_mode_replays(void **state)
{
    (void)state;
    play_both(COMPAT);
}

/* --- Our own hello on the trace's keys --- */

static bool random_of_trace(uint8_t *out, size_t len)
{
    assert_int_equal(len, RANDOM_LEN);
    memcpy(out, hello_of("ClientHello")->bytes + MESSAGE_HEADER_LEN + 2, len);
    return true;
}

static struct group_key *key_of_trace(const struct group *group, struct writer *share)
{
    const struct value *public_key =
        find(section, ROLE_CLIENT, "create an ephemeral x25519 key pair", "public key", 0);

    writer_bytes(share, public_key->bytes, public_key->len);
    return import_key(ROLE_CLIENT, group);
}

/* random and key share go through the hooks: the hello holds the trace's. */
static void our_hello_holds_what_the_hooks_give(void **state)
{
    struct endpoint e;
    struct buffer out = { 0 };

    (void)state;
    section = SIMPLE;
    num_hellos = 0;
    endpoint_init(&e, ROLE_CLIENT);
    e.config.options = 0; /* no session id */
    e.random = random_of_trace;
    e.generate_key = key_of_trace;
    assert_int_equal(endpoint_run(&e, &out), TLS_WANT_INPUT);
    const struct value *hello = hello_of("ClientHello");
    const struct value *share =
        find(section, ROLE_CLIENT, "create an ephemeral x25519 key pair", "public key", 0);
    assert_memory_equal(buffer_bytes(&out) + RECORD_HEADER_LEN + MESSAGE_HEADER_LEN,
                        hello->bytes + MESSAGE_HEADER_LEN, 2 + RANDOM_LEN);
    assert_non_null(memmem(buffer_bytes(&out), buffer_len(&out), share->bytes, share->len));
    endpoint_wipe(&e);
    buffer_wipe(&out);
}

static int free_all(void **state)
{
    endpoint_identity_free();
    return rfc8448_unload(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_derivation_gives_the_value_shown),
        cmocka_unit_test(the_simple_handshake_replays),
        cmocka_unit_test(the_retried_handshake_replays),
        cmocka_unit_test(the_handshake_with_client_authentication_replays),
        cmocka_unit_test(the_handshake_in_compatibility_mode_replays),
        cmocka_unit_test(our_hello_holds_what_the_hooks_give),
    };

    return cmocka_run_group_tests(tests, rfc8448_load, free_all);
}
