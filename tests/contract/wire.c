/*
 * A transport under the test's control: byte queues, scripts, and the BIO_METHOD on top.
 */
#include "wire.h"

#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUM_CALLS 3

struct bytes {
    uint8_t *data;
    size_t start;
    size_t len;
    size_t cap;
};

struct script {
    int *steps;
    size_t next;
    size_t num;
    int fallback;
    bool limited; /* `budget` holds */
    size_t budget;
    size_t count;
};

struct end {
    struct wire *wire;
    const char *name;
    struct bytes incoming;
    struct bytes written; /* copy of all that this end wrote, for wire_records_log() */
    bool closed;          /* no more will come after `incoming` */
    bool trace;
    size_t freed;
    struct script scripts[NUM_CALLS];
    int (*next)(void *arg, enum wire_call call);
    void *next_arg;
};

struct wire {
    struct end ends[2];
};

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void bytes_append(struct bytes *queue, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (queue->start > 0 && queue->start + queue->len + len > queue->cap) {
        memmove(queue->data, queue->data + queue->start, queue->len);
        queue->start = 0;
    }
    if (queue->len + len > queue->cap) {
        queue->cap = 2 * (queue->len + len);
        queue->data = realloc(queue->data, queue->cap);
        REQUIRE(queue->data != NULL);
    }
    memcpy(queue->data + queue->start + queue->len, data, len);
    queue->len += len;
}

static void bytes_take(struct bytes *queue, void *out, size_t len)
{
    memcpy(out, queue->data + queue->start, len);
    queue->start += len;
    queue->len -= len;
    if (queue->len == 0) {
        queue->start = 0;
    }
}

static int next_step(struct end *end, enum wire_call call)
{
    struct script *script = &end->scripts[call];

    script->count++;
    if (end->next != NULL) {
        return end->next(end->next_arg, call);
    }
    if (script->next < script->num) {
        return script->steps[script->next++];
    }
    return script->fallback;
}

/* Turns a step that lets nothing through into the result of a BIO call. */
static int refuse(BIO *bio, int step, int retry_flag)
{
    if (step == WIRE_RETRY) {
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    if (step == WIRE_RESET || step == WIRE_BROKEN) {
        errno = step == WIRE_RESET ? ECONNRESET : EPIPE;
    }
    return step == WIRE_EOF ? 0 : -1;
}

/* Applies a budget to a call that could move `amount` bytes. */
static size_t within_budget(struct end *end, enum wire_call call, int *step, size_t amount)
{
    struct script *script = &end->scripts[call];

    if (!script->limited || *step <= 0) {
        return amount;
    }
    if (script->budget == 0) {
        *step = WIRE_RETRY;
        return 0;
    }
    amount = amount > script->budget ? script->budget : amount;
    amount = amount > (size_t)*step ? (size_t)*step : amount;
    script->budget -= amount;
    return amount;
}

static int read_bio(BIO *bio, char *out, int len)
{
    struct end *end = BIO_get_data(bio);
    int step = next_step(end, WIRE_READ);
    size_t amount = end->incoming.len;
    int ret;

    BIO_clear_retry_flags(bio);
    if (step > 0 && amount == 0) {
        step = end->closed ? WIRE_EOF : WIRE_RETRY;
    }
    amount = amount > (size_t)len ? (size_t)len : amount;
    amount = within_budget(end, WIRE_READ, &step, amount);
    if (step <= 0) {
        ret = refuse(bio, step, BIO_FLAGS_READ);
    } else {
        amount = amount > (size_t)step ? (size_t)step : amount;
        bytes_take(&end->incoming, out, amount);
        ret = (int)amount;
    }
    if (end->trace) {
        note("  wire %s read(%d) = %d", end->name, len, ret);
    }
    return ret;
}

static int write_bio(BIO *bio, const char *data, int len)
{
    struct end *end = BIO_get_data(bio);
    struct end *peer = &end->wire->ends[end == &end->wire->ends[0] ? 1 : 0];
    int step = next_step(end, WIRE_WRITE);
    size_t amount = within_budget(end, WIRE_WRITE, &step, (size_t)len);
    int ret;

    BIO_clear_retry_flags(bio);
    if (step <= 0) {
        ret = refuse(bio, step, BIO_FLAGS_WRITE);
    } else {
        ret = amount > (size_t)step ? step : (int)amount;
        if (!peer->closed) {
            bytes_append(&peer->incoming, data, (size_t)ret);
        }
        bytes_append(&end->written, data, (size_t)ret);
    }
    if (end->trace) {
        note("  wire %s write(%d) = %d", end->name, len, ret);
    }
    return ret;
}

static long control_bio(BIO *bio, int command, long number, void *pointer)
{
    struct end *end = BIO_get_data(bio);
    int step;

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        BIO_clear_retry_flags(bio);
        step = next_step(end, WIRE_FLUSH);
        return step > 0 ? 1 : refuse(bio, step, BIO_FLAGS_WRITE);
    case BIO_CTRL_EOF:
        return end->closed && end->incoming.len == 0;
    case BIO_CTRL_PENDING:
        return (long)end->incoming.len;
    case BIO_CTRL_DUP:
        return 1;
    default:
        return 0;
    }
}

static int create_bio(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static int destroy_bio(BIO *bio)
{
    struct end *end = BIO_get_data(bio);

    if (end != NULL) {
        end->freed++;
    }
    return 1;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    REQUIRE(method != NULL && BIO_meth_set_read(method, read_bio) == 1);
    REQUIRE(BIO_meth_set_write(method, write_bio) == 1);
    REQUIRE(BIO_meth_set_ctrl(method, control_bio) == 1);
    REQUIRE(BIO_meth_set_create(method, create_bio) == 1);
    REQUIRE(BIO_meth_set_destroy(method, destroy_bio) == 1);
}

struct wire *wire_new(void)
{
    struct wire *wire = calloc(1, sizeof(*wire));

    REQUIRE(wire != NULL && pthread_once(&method_once, make_method) == 0);
    for (int i = 0; i < 2; i++) {
        wire->ends[i].wire = wire;
        wire->ends[i].name = i == WIRE_CLIENT ? "client" : "server";
        for (int j = 0; j < NUM_CALLS; j++) {
            wire->ends[i].scripts[j].fallback = WIRE_UNLIMITED;
        }
    }
    return wire;
}

void wire_free(struct wire *wire)
{
    if (wire == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        free(wire->ends[i].incoming.data);
        free(wire->ends[i].written.data);
        for (int j = 0; j < NUM_CALLS; j++) {
            free(wire->ends[i].scripts[j].steps);
        }
    }
    free(wire);
}

BIO *wire_bio_new(struct wire *wire, enum wire_end end)
{
    BIO *bio = BIO_new(method);

    REQUIRE(bio != NULL);
    BIO_set_data(bio, &wire->ends[end]);
    return bio;
}

void wire_script(struct wire *wire, enum wire_end end, enum wire_call call, const int *steps,
                 size_t num)
{
    struct script *script = &wire->ends[end].scripts[call];

    free(script->steps);
    script->steps = NULL;
    script->next = 0;
    script->num = num;
    if (num > 0) {
        script->steps = malloc(num * sizeof(*steps));
        REQUIRE(script->steps != NULL);
        memcpy(script->steps, steps, num * sizeof(*steps));
    }
}

void wire_default(struct wire *wire, enum wire_end end, enum wire_call call, int step)
{
    wire->ends[end].scripts[call].fallback = step;
}

void wire_budget(struct wire *wire, enum wire_end end, enum wire_call call, size_t budget)
{
    struct script *script = &wire->ends[end].scripts[call];

    script->limited = budget != WIRE_UNLIMITED;
    script->budget = budget;
}

void wire_source(struct wire *wire, enum wire_end end, int (*next)(void *arg, enum wire_call call),
                 void *arg)
{
    wire->ends[end].next = next;
    wire->ends[end].next_arg = arg;
}

void wire_close_towards(struct wire *wire, enum wire_end end)
{
    wire->ends[end].closed = true;
}

size_t wire_waiting(const struct wire *wire, enum wire_end end)
{
    return wire->ends[end].incoming.len;
}

void wire_inject(struct wire *wire, enum wire_end end, const void *data, size_t len)
{
    bytes_append(&wire->ends[end].incoming, data, len);
}

void wire_drop(struct wire *wire, enum wire_end end)
{
    wire_truncate(wire, end, 0);
}

void wire_truncate(struct wire *wire, enum wire_end end, size_t len)
{
    REQUIRE(len <= wire->ends[end].incoming.len);
    wire->ends[end].incoming.len = len;
}

void wire_flip(struct wire *wire, enum wire_end end, size_t offset)
{
    struct bytes *queue = &wire->ends[end].incoming;

    REQUIRE(offset < queue->len);
    queue->data[queue->start + offset] ^= 1;
}

size_t wire_count(const struct wire *wire, enum wire_end end, enum wire_call call)
{
    return wire->ends[end].scripts[call].count;
}

size_t wire_freed(const struct wire *wire, enum wire_end end)
{
    return wire->ends[end].freed;
}

void wire_trace(struct wire *wire, enum wire_end end, bool on)
{
    wire->ends[end].trace = on;
}

void wire_records_reset(struct wire *wire, enum wire_end end)
{
    wire->ends[end].written.start = 0;
    wire->ends[end].written.len = 0;
}

void wire_records_log(struct wire *wire, enum wire_end end)
{
    const struct bytes *written = &wire->ends[end].written;
    const uint8_t *at = written->data + written->start;
    size_t left = written->len;
    char line[4096] = "";
    size_t used = 0;

    while (left >= 5 && used < sizeof(line) - 64) {
        size_t len = (size_t)at[3] << 8 | at[4];
        size_t have = left - 5 < len ? left - 5 : len;

        used += (size_t)snprintf(line + used, sizeof(line) - used, " %d/%zu%s", at[0], len,
                                 have < len ? " (cut)" : "");
        at += 5 + have;
        left -= 5 + have;
    }
    note("records of %s:%s%s", wire->ends[end].name, used == 0 ? " none" : line,
         left > 0 ? " ..." : "");
}
