/*
 * Keys of tickets; see ticket_keys.h. SSL_CTX_set_tlsext_ticket_keys in <openssl/ssl.h>.
 *
 * Handshakes read the keys without a lock: a slot has a sequence number that is odd while it is
 * written, and a reader whose number changed asks again under the lock. The context's lock makes
 * writers take turns, which is when a new period begins, when the shared secret was replaced, and
 * when the application sets keys.
 */
#include "api/ticket_keys.h"

#include "api/ticket_secret.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

#include <openssl/err.h>

#include <stdatomic.h>
#include <string.h>

/* Tickets live at most 7 days (RFC 8446, 4.6.1): 14 periods, and the one that seals. The next is
 * for machines whose clock is ahead. */
#define OLDER_PERIODS 14
#define NUM_SLOTS     (OLDER_PERIODS + 2)

/* Two years: as far as the seed is taken at once. */
#define MAX_PERIODS_AHEAD (2 * 365 * 2)

#define DEFAULT_LIFETIME (2 * 60 * 60) /* seconds; of a context whose timeout is 0 */

#define NUM_WORDS (TICKET_KEY_LEN / sizeof(uint64_t))

_Static_assert(offsetof(struct ticket_key, rotates) == TICKET_KEY_LEN, "layout of the API's keys");

struct ticket_slot {
    _Atomic uint32_t sequence; /* odd: is being written */
    _Atomic int64_t period;    /* whose key it is, counted from the epoch, plus 1; 0: empty */
    _Atomic uint64_t words[NUM_WORDS];
};

struct ticket_ring {
    struct ticket_slot fixed; /* the application's; period 1 when there is one */
    struct ticket_slot slots[NUM_SLOTS];
    _Atomic uint32_t generation; /* of the shared secret that slots come from; 0: drawn */
    _Atomic int64_t complete;    /* the newest period, when every older slot was derived, too */
};

/* --- Slots --- */

/* False: the slot was being written; nothing was read. */
static bool slot_try(const struct ticket_slot *slot, uint8_t *bytes, int64_t *period)
{
    uint64_t words[NUM_WORDS];
    uint32_t before = atomic_load_explicit(&slot->sequence, memory_order_acquire);
    int64_t found = atomic_load_explicit(&slot->period, memory_order_acquire);
    bool same;

    for (size_t i = 0; i < NUM_WORDS; i++) {
        words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
    }
    same = before % 2 == 0 && atomic_load_explicit(&slot->sequence, memory_order_relaxed) == before;
    if (same) {
        memcpy(bytes, words, TICKET_KEY_LEN);
        *period = found;
    }
    wipe(words, sizeof(words));
    return same;
}

/* Reads a slot. Returns its period plus 1; 0: it is empty. */
static int64_t slot_read(SSL_CTX *ctx, const struct ticket_slot *slot, struct ticket_key *key)
{
    int64_t period = 0;

    if (!slot_try(slot, key->name, &period) && CRYPTO_THREAD_read_lock(ctx->lock)) {
        (void)!slot_try(slot, key->name, &period);
        CRYPTO_THREAD_unlock(ctx->lock);
    }
    return period;
}

/* Writes a slot; the lock is held. bytes NULL: makes it empty. */
static void slot_write(struct ticket_slot *slot, int64_t period, const uint8_t *bytes)
{
    uint32_t before = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
    uint64_t words[NUM_WORDS] = { 0 };

    if (bytes != NULL) {
        memcpy(words, bytes, TICKET_KEY_LEN);
    }
    atomic_store_explicit(&slot->sequence, before + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->period, period, memory_order_release);
    for (size_t i = 0; i < NUM_WORDS; i++) {
        atomic_store_explicit(&slot->words[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&slot->sequence, before + 2, memory_order_release);
    wipe(words, sizeof(words));
}

/* --- Making keys; the lock is held --- */

static bool draw_key(SSL_CTX *ctx, uint8_t *bytes)
{
    /* The first bytes are the name that every ticket shows. */
    return random_public(ctx->lib, bytes, TICKET_KEY_NAME_LEN) &&
           random_secret(ctx->lib, bytes + TICKET_KEY_NAME_LEN,
                         TICKET_KEY_LEN - TICKET_KEY_NAME_LEN);
}

bool ticket_keys_init(SSL_CTX *ctx, int64_t now)
{
    ctx->ticket_seed.period = now / TICKET_KEY_PERIOD;
    return random_secret(ctx->lib, ctx->ticket_seed.bytes, sizeof(ctx->ticket_seed.bytes));
}

/* From one period's seed to the next: the key of the period, then the seed in place of the old. */
static bool next_seed(SSL_CTX *ctx, uint8_t *bytes)
{
    static const uint8_t info[] = "ticket key and next seed";
    struct ticket_seed *seed = &ctx->ticket_seed;
    struct secret secret = { 0 };
    uint8_t both[TICKET_KEY_LEN + sizeof(seed->bytes)];
    bool ok;

    secret_set(&secret, seed->bytes, sizeof(seed->bytes));
    ok = hkdf_expand(hash_get(ctx->lib, HASH_SHA256), &secret, info, sizeof(info) - 1, both,
                     sizeof(both));
    if (ok) {
        memcpy(bytes, both, TICKET_KEY_LEN);
        memcpy(seed->bytes, both + TICKET_KEY_LEN, sizeof(seed->bytes));
        seed->period++;
    }
    secret_wipe(&secret);
    wipe(both, sizeof(both));
    return ok;
}

/* The key of a period that no secret is shared for. Processes forked from one another derive the
 * same; where the clock has jumped, back or far ahead, each draws its own. */
static bool own_key(SSL_CTX *ctx, int64_t period, uint8_t *bytes)
{
    if (period < ctx->ticket_seed.period || period - ctx->ticket_seed.period > MAX_PERIODS_AHEAD) {
        return draw_key(ctx, bytes);
    }
    while (ctx->ticket_seed.period <= period) {
        if (!next_seed(ctx, bytes)) {
            return false;
        }
    }
    return true;
}

/* The key of a period from the shared secret. */
static bool derive_key(SSL_CTX *ctx, int64_t period, uint8_t *bytes, uint32_t *generation)
{
    uint8_t info[] = "ticket key of period 01234567";
    size_t at = sizeof(info) - 1 - sizeof(uint64_t);

    for (size_t i = 0; i < sizeof(uint64_t); i++) {
        info[at + i] = (uint8_t)((uint64_t)period >> (56 - 8 * i));
    }
    return ticket_secret_derive(hash_get(ctx->lib, HASH_SHA256), info, sizeof(info) - 1, bytes,
                                TICKET_KEY_LEN, generation);
}

static struct ticket_slot *slot_of(struct ticket_ring *ring, int64_t period)
{
    return &ring->slots[(uint64_t)period % NUM_SLOTS];
}

/* Nothing of one secret opens or seals under the next. */
static void start_generation(struct ticket_ring *ring, uint32_t generation)
{
    if (ring->generation == generation) {
        return;
    }
    for (size_t i = 0; i < NUM_SLOTS; i++) {
        slot_write(&ring->slots[i], 0, NULL);
    }
    ring->complete = 0;
    ring->generation = generation;
}

/* Fills the slot of a period unless it is there. */
static bool make_key(SSL_CTX *ctx, struct ticket_ring *ring, int64_t period, bool shared)
{
    struct ticket_slot *slot = slot_of(ring, period);
    uint32_t generation = 0;
    uint8_t bytes[TICKET_KEY_LEN];
    bool ok;

    if (slot->period == period + 1) {
        return true;
    }
    ok = shared ? derive_key(ctx, period, bytes, &generation) : own_key(ctx, period, bytes);
    if (ok) {
        start_generation(ring, generation);
        slot_write(slot, period + 1, bytes);
    }
    wipe(bytes, sizeof(bytes));
    return ok;
}

/* --- The ring; the lock is not held --- */

/* The context's keys, made when they are first needed; NULL: out of memory. */
static struct ticket_ring *ring_of(SSL_CTX *ctx)
{
    struct ticket_ring *ring = atomic_load_explicit(&ctx->ticket_keys, memory_order_acquire);

    if (ring != NULL || !CRYPTO_THREAD_write_lock(ctx->lock)) {
        return ring;
    }
    ring = atomic_load_explicit(&ctx->ticket_keys, memory_order_acquire);
    if (ring == NULL) {
        ring = OPENSSL_zalloc(sizeof(*ring));
        atomic_store_explicit(&ctx->ticket_keys, ring, memory_order_release);
    }
    CRYPTO_THREAD_unlock(ctx->lock);
    return ring;
}

/* Makes sure of the keys from oldest to newest. */
static bool make_keys(SSL_CTX *ctx, struct ticket_ring *ring, int64_t oldest, int64_t newest,
                      uint32_t generation)
{
    bool ok = true;

    if (!CRYPTO_THREAD_write_lock(ctx->lock)) {
        return false;
    }
    start_generation(ring, generation);
    /* A seed is gone once it was used: whoever takes it past a period takes the period's key. */
    if (generation == 0 && ctx->ticket_seed.period < oldest) {
        oldest = newest - NUM_SLOTS + 1;
        oldest = ctx->ticket_seed.period > oldest ? ctx->ticket_seed.period : oldest;
    }
    for (int64_t period = oldest; ok && period <= newest; period++) {
        ok = period < 0 || make_key(ctx, ring, period, generation != 0);
    }
    if (ok && oldest < newest && ring->generation == generation) {
        ring->complete = newest;
    }
    CRYPTO_THREAD_unlock(ctx->lock);
    return ok;
}

bool ticket_key_to_seal(SSL_CTX *ctx, int64_t now, struct ticket_key *key)
{
    struct ticket_ring *ring = ring_of(ctx);
    int64_t period = now / TICKET_KEY_PERIOD;
    uint32_t generation;

    if (ring == NULL) {
        return false;
    }
    key->rotates = slot_read(ctx, &ring->fixed, key) == 0;
    if (!key->rotates) {
        return true;
    }
    generation = ticket_secret_generation(now);
    if (ring->generation == generation &&
        slot_read(ctx, slot_of(ring, period), key) == period + 1) {
        return true;
    }
    return make_keys(ctx, ring, period, period, generation) &&
           slot_read(ctx, slot_of(ring, period), key) == period + 1;
}

/* The oldest period whose tickets may still be good. */
static int64_t oldest_period(const SSL_CTX *ctx, int64_t now)
{
    int64_t current = now / TICKET_KEY_PERIOD;
    int64_t lifetime = ctx->session_timeout > 0 ? ctx->session_timeout : DEFAULT_LIFETIME;
    int64_t limit = (int64_t)OLDER_PERIODS * TICKET_KEY_PERIOD;

    /* The last ticket of a period was made just before it ended. */
    int64_t period = (now - (lifetime < limit ? lifetime : limit)) / TICKET_KEY_PERIOD;
    return period > current - OLDER_PERIODS ? period : current - OLDER_PERIODS;
}

/* A shared secret gives every key there may be, whoever sealed with it. Without one there are those
 * since the context was made, which a process that was forked may have sealed with. */
static bool complete_ring(SSL_CTX *ctx, struct ticket_ring *ring, int64_t newest, int64_t now)
{
    uint32_t generation = ticket_secret_generation(now);

    if (ring->generation == generation &&
        (generation == 0 ? ctx->ticket_seed.period > newest : ring->complete == newest)) {
        return true;
    }
    return make_keys(ctx, ring, generation != 0 ? newest - NUM_SLOTS + 1 : newest, newest,
                     generation);
}

bool ticket_key_to_open(SSL_CTX *ctx, int64_t now, const uint8_t name[TICKET_KEY_NAME_LEN],
                        struct ticket_key *key, bool *found)
{
    struct ticket_ring *ring = ring_of(ctx);
    int64_t oldest = oldest_period(ctx, now);
    int64_t newest = now / TICKET_KEY_PERIOD + 1;

    *found = false;
    if (ring == NULL) {
        return false;
    }
    key->rotates = slot_read(ctx, &ring->fixed, key) == 0;
    if (!key->rotates) {
        *found = memcmp(key->name, name, TICKET_KEY_NAME_LEN) == 0;
        return true;
    }
    if (!complete_ring(ctx, ring, newest, now)) {
        return false;
    }
    for (size_t i = 0; !*found && i < NUM_SLOTS; i++) {
        int64_t period = slot_read(ctx, &ring->slots[i], key) - 1;
        *found = period >= oldest && period <= newest &&
                 memcmp(key->name, name, TICKET_KEY_NAME_LEN) == 0;
    }
    return true;
}

void ticket_keys_wipe(SSL_CTX *ctx)
{
    wipe(&ctx->ticket_seed, sizeof(ctx->ticket_seed));
    free_wiped(ctx->ticket_keys, sizeof(struct ticket_ring));
}

/* --- The application's keys --- */

/* True when len is right; else an error was raised. */
static bool is_keys_len(long len)
{
    if (len != TICKET_KEY_LEN) {
        raise_error(SSL_R_INVALID_TICKET_KEYS_LENGTH);
        return false;
    }
    return true;
}

long ticket_keys_get(SSL_CTX *ctx, void *keys, long len)
{
    struct ticket_ring *ring;
    struct ticket_key key;
    bool ok;

    if (keys == NULL) {
        return TICKET_KEY_LEN;
    }
    ring = is_keys_len(len) ? ring_of(ctx) : NULL;
    if (ring == NULL || !CRYPTO_THREAD_write_lock(ctx->lock)) {
        return 0;
    }
    /* Whoever knows keys means to use them elsewhere: they stay from now on. */
    ok = ring->fixed.period != 0;
    if (!ok && draw_key(ctx, key.name)) {
        slot_write(&ring->fixed, 1, key.name);
        ok = true;
    }
    CRYPTO_THREAD_unlock(ctx->lock);
    ok = ok && slot_read(ctx, &ring->fixed, &key) != 0;
    if (ok) {
        memcpy(keys, key.name, TICKET_KEY_LEN);
    }
    wipe(&key, sizeof(key));
    return ok;
}

long ticket_keys_set(SSL_CTX *ctx, const void *keys, long len)
{
    struct ticket_ring *ring;

    if (keys == NULL) {
        return TICKET_KEY_LEN;
    }
    ring = is_keys_len(len) ? ring_of(ctx) : NULL;
    if (ring == NULL || !CRYPTO_THREAD_write_lock(ctx->lock)) {
        return 0;
    }
    slot_write(&ring->fixed, 1, keys);
    CRYPTO_THREAD_unlock(ctx->lock);
    return 1;
}
