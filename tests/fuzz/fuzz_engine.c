/*
 * A whole engine, client or server, against a peer that is honest until the input says otherwise.
 * Input: a byte of flags for the configuration, then moves of {kind, length (1 byte), bytes}. The
 * peer's messages are sealed anew on their way, so that the input can change them, leave them out
 * and put others in between under the right keys at every stage.
 */
#include "stage.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum move {
    MOVE_HONEST,  /* the peer's next message as it is */
    MOVE_CHANGED, /* the same, with bytes of the input xored in at a place it names */
    MOVE_SKIPPED, /* it is left out */
    MOVE_RAW,     /* the input's bytes, unprotected */
    MOVE_SEALED,  /* a record of the input's: content type, bytes */
    MOVE_MESSAGE, /* a handshake message of the input's: type, body */
    MOVE_WRITE,   /* we write the input's bytes */
    MOVE_ACT,     /* we update keys, ask for a certificate, close */
    NUM_MOVES
};

#define MOST_MOVES 48

struct duel {
    struct endpoint us;
    struct endpoint peer;
    struct forger forger;
    size_t next;  /* of the peer's messages */
    bool is_done; /* our first handshake */
};

static bool as_server;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    as_server = strcmp(TARGET, "engine_server") == 0;
    return 0;
}

static void check(struct duel *d, enum tls_status status)
{
    const struct tls_conn *c = &d->us.conn;

    stage_require((status == TLS_FAILED) == c->error.failed, "a failure is explained, and sticky");
    if (c->handshakes_done > 0 && !d->is_done) {
        d->is_done = true;
        const struct secret *theirs = &d->peer.conn.neg.own_finished;
        stage_require(secret_equals(&c->neg.peer_finished, theirs->bytes, theirs->len),
                      "a handshake ends with the peer's Finished");
        stage_require(as_server || c->neg.resumed || d->us.num_verified > 0,
                      "a server is verified, or knows a key");
    }
}

/* What we have to say goes to the peer, which answers. */
static void hear(struct duel *d, struct buffer *out)
{
    uint8_t data[512];
    size_t got;

    if (buffer_len(out) > 0 && !d->peer.conn.error.failed) {
        endpoint_feed(&d->peer, buffer_bytes(out), buffer_len(out));
        for (size_t i = 0; i < 64; i++) {
            if (endpoint_read(&d->peer, data, sizeof(data), &got, NULL) != TLS_APP_DATA) {
                break;
            }
        }
    }
    buffer_wipe(out);
}

static void run(struct duel *d)
{
    struct buffer out = { 0 };
    uint8_t data[512];
    size_t got;
    enum tls_status status = TLS_APP_DATA;

    for (size_t i = 0; i < 64 && status == TLS_APP_DATA; i++) {
        status = endpoint_read(&d->us, data, sizeof(data), &got, &out);
    }
    check(d, status);
    hear(d, &out);
}

static void deliver(struct duel *d, enum epoch epoch, uint8_t content, const uint8_t *bytes,
                    size_t len)
{
    struct buffer wire = { 0 };

    forger_learn(&d->forger, d->us.conn.neg.suite != NULL ? &d->us : &d->peer);
    if (epoch != EPOCH_PLAINTEXT && d->forger.conn.neg.suite == NULL) {
        return;
    }
    forger_enter(&d->forger, epoch);
    forger_seal(&d->forger, content, bytes, len, &wire);
    endpoint_feed(&d->us, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    run(d);
}

/* The peer's next message; change and at say what is xored where. */
static void pass(struct duel *d, const uint8_t *change, size_t len)
{
    if (d->next == d->peer.sent.num) {
        return;
    }
    const struct item *item = &d->peer.sent.at[d->next++];
    uint8_t *copy = stage_copy(item->bytes, item->len);
    for (size_t i = 1; i < len; i++) {
        copy[(change[0] + i - 1) % item->len] ^= change[i];
    }
    deliver(d, item->epoch, item->content, copy, item->len);
    if (item->content == CONTENT_HANDSHAKE && item->bytes[0] == MSG_KEY_UPDATE) {
        forger_next_key(&d->forger);
    }
    free(copy);
}

static void act(struct duel *d, uint8_t what)
{
    struct tls_conn *c = &d->us.conn;
    struct buffer out = { 0 };

    if (c->handshakes_done == 0 || c->hs != NULL || c->error.failed) {
        return;
    }
    switch (what % 4) {
    case 0:
    case 1:
        c->key_update = what % 4 == 0 ? KEY_UPDATE_NOT_REQUESTED : KEY_UPDATE_REQUESTED;
        check(d, endpoint_run(&d->us, &out));
        break;
    case 2:
        if (as_server && c->post_auth == POST_AUTH_OFFERED) {
            c->post_auth = POST_AUTH_ASKED;
            check(d, endpoint_run(&d->us, &out));
        }
        break;
    default:
        tls_queue_alert(c, ALERT_LEVEL_WARNING, ALERT_CLOSE_NOTIFY);
        endpoint_take(&d->us, &out);
        break;
    }
    hear(d, &out);
}

static void write_data(struct duel *d, const uint8_t *bytes, size_t len)
{
    struct buffer out = { 0 };

    if (d->us.conn.hs == NULL && d->us.conn.handshakes_done > 0 &&
        tls_write(&d->us.conn, bytes, len) == TLS_OK) {
        endpoint_take(&d->us, &out);
        hear(d, &out);
    }
}

static void make_move(struct duel *d, uint8_t kind, const uint8_t *bytes, size_t len)
{
    enum epoch epoch = d->us.conn.in.epoch;

    switch ((enum move)(kind % NUM_MOVES)) {
    case MOVE_HONEST:
        pass(d, NULL, 0);
        break;
    case MOVE_CHANGED:
        pass(d, bytes, len);
        break;
    case MOVE_SKIPPED:
        d->next += d->next < d->peer.sent.num;
        break;
    case MOVE_RAW:
        endpoint_feed(&d->us, bytes, len);
        run(d);
        break;
    case MOVE_SEALED:
        if (len > 0) {
            deliver(d, epoch, bytes[0], bytes + 1, len - 1);
        }
        break;
    case MOVE_MESSAGE:
        if (len > 0) {
            uint8_t message[4 + 255] = { bytes[0], 0, 0, (uint8_t)(len - 1) };
            memcpy(message + 4, bytes + 1, len - 1);
            deliver(d, epoch, CONTENT_HANDSHAKE, message, 4 + len - 1);
        }
        break;
    case MOVE_WRITE:
        write_data(d, bytes, len);
        break;
    case MOVE_ACT:
        act(d, len > 0 ? bytes[0] : 0);
        break;
    case NUM_MOVES:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t p256 = 0x0017;
    struct duel *d = calloc(1, sizeof(*d));
    struct reader r = reader_of(data, size);
    struct buffer out = { 0 };
    struct reader bytes;
    uint8_t flags;
    uint8_t kind;

    stage_require(d != NULL, "memory");
    ERR_clear_error();
    deterministic_random_restart();
    endpoint_init(&d->us, as_server ? ROLE_SERVER : ROLE_CLIENT);
    endpoint_init(&d->peer, as_server ? ROLE_CLIENT : ROLE_SERVER);
    if (reader_u8(&r, &flags)) {
        stage_configure(&d->us, flags);
        stage_configure(&d->peer, flags);
        if ((flags & FLAG_RETRY) != 0) {
            (as_server ? &d->us : &d->peer)->config.groups = u16_list_of(&p256, 1);
        }
        if ((flags & FLAG_RESUMES) != 0) {
            endpoint_share_psk(as_server ? &d->peer : &d->us, as_server ? &d->us : &d->peer);
        }
    }
    forger_init(&d->forger, &d->peer);
    (void)endpoint_run(&d->peer, NULL);
    (void)endpoint_run(&d->us, &out);
    hear(d, &out);
    for (size_t i = 0; i < MOST_MOVES && reader_u8(&r, &kind) && reader_vec8(&r, &bytes); i++) {
        make_move(d, kind, bytes.at, bytes.left);
    }
    forger_wipe(&d->forger);
    endpoint_wipe(&d->us);
    endpoint_wipe(&d->peer);
    free(d);
    return 0;
}
