/*
 * The cache of decoded certificates; see cert_cache.h. It is state of the process.
 *
 * A slot is used again and again, but never freed, so that whoever searches may look at one that is
 * being emptied: he takes a reference where there is one to take, and only then looks at what the
 * slot holds. Whoever drops the last reference empties it. One thread at a time fills slots and
 * drops the cache's own references.
 */
#include "crypto/cert_cache.h"

#include "base/counters.h"
#include "base/siphash.h"
#include "crypto/cert.h"
#include "crypto/random.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

/* Fingerprints of certificates that came once. A power of two. */
#define NUM_SIGHTS 4096

/* In place of a count: the slot is being emptied. */
#define EMPTYING 0x80000000U

struct slot {
    _Atomic uint32_t refs; /* 0: free */
    _Atomic bool used;     /* found since the last search for room */
    bool in_cache;         /* the cache has one of refs; for whoever is changing it */
    _Atomic uint64_t hash;
    X509 *cert; /* these two: for those with a reference */
    struct blob *der;
};

static struct slot slots[CERT_CACHE_SLOTS];
static _Atomic uint32_t sights[NUM_SIGHTS];
static uint8_t key[SIPHASH_KEY_LEN]; /* before is_on is set for the first time */
static bool have_key;
static _Atomic bool is_on;
static atomic_flag changing = ATOMIC_FLAG_INIT;
static size_t num_bytes; /* of what is in the cache; this and hand: for whoever is changing it */
static size_t hand;      /* where the last search for bytes ended */

void cert_cache_turn(const struct crypto_lib *lib, bool on)
{
    if (atomic_flag_test_and_set_explicit(&changing, memory_order_acquire)) {
        return;
    }
    if (on && !have_key) {
        have_key = random_secret(lib, key, sizeof(key));
    }
    atomic_store_explicit(&is_on, on && have_key, memory_order_release);
    atomic_flag_clear_explicit(&changing, memory_order_release);
}

/* --- Slots --- */

static bool try_ref(struct slot *slot)
{
    uint32_t refs = atomic_load_explicit(&slot->refs, memory_order_relaxed);

    while (refs > 0 && refs < EMPTYING) {
        if (atomic_compare_exchange_weak_explicit(&slot->refs, &refs, refs + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void unref(struct slot *slot)
{
    uint32_t refs = atomic_load_explicit(&slot->refs, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(&slot->refs, &refs,
                                                  refs == 1 ? EMPTYING : refs - 1,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
    }
    if (refs == 1) {
        X509 *cert = slot->cert;
        struct blob *der = slot->der;

        atomic_store_explicit(&slot->refs, 0, memory_order_release);
        cert_free(cert);
        blob_free(der);
    }
}

static struct slot *set_of(uint64_t hash)
{
    return &slots[hash % CERT_CACHE_SETS * CERT_CACHE_WAYS];
}

/* --- Finding --- */

static bool is_kept(const struct slot *slot, uint64_t hash, const uint8_t *der, size_t len)
{
    return atomic_load_explicit(&slot->hash, memory_order_relaxed) == hash &&
           slot->der->len == len && memcmp(slot->der->bytes, der, len) == 0;
}

/* A cold slot that was given to somebody else in between is a miss like any other. */
static bool take(struct slot *slot, uint64_t hash, const uint8_t *der, size_t len,
                 struct cert_cache_found *found)
{
    if (atomic_load_explicit(&slot->hash, memory_order_relaxed) != hash || !try_ref(slot)) {
        return false;
    }
    bool same = is_kept(slot, hash, der, len);
    if (same) {
        cert_up_ref(slot->cert);
        found->cert = slot->cert;
        found->der = blob_ref(slot->der);
        if (!atomic_load_explicit(&slot->used, memory_order_relaxed)) {
            atomic_store_explicit(&slot->used, true, memory_order_relaxed);
        }
    }
    unref(slot);
    return same;
}

/* True when the hash came before; from now on it has. */
static bool note_sight(uint64_t hash)
{
    _Atomic uint32_t *place = &sights[hash / CERT_CACHE_SETS % NUM_SIGHTS];
    uint32_t print = (uint32_t)(hash >> 32) | 1; /* 0 is nobody's */
    bool seen = atomic_load_explicit(place, memory_order_relaxed) == print;

    if (!seen) {
        atomic_store_explicit(place, print, memory_order_relaxed);
    }
    return seen;
}

struct cert_cache_found cert_cache_find(const struct crypto_lib *lib, const uint8_t *der,
                                        size_t len)
{
    struct cert_cache_found found = { 0 };

    if (!atomic_load_explicit(&is_on, memory_order_acquire) || len > CERT_CACHE_MAX_LEN ||
        !crypto_lib_is_everybodys(lib)) {
        return found;
    }
    uint64_t hash = siphash(key, der, len);
    struct slot *set = set_of(hash);
    for (size_t way = 0; way < CERT_CACHE_WAYS; way++) {
        if (take(&set[way], hash, der, len, &found)) {
            counter_add(COUNTER_CERT_HIT);
            return found;
        }
    }
    counter_add(COUNTER_CERT_MISS);
    found.seen = note_sight(hash);
    return found;
}

/* --- Keeping --- */

static void drop(struct slot *slot)
{
    if (slot->in_cache) {
        slot->in_cache = false;
        num_bytes -= slot->der->len;
        counter_add(COUNTER_CERT_EVICTED);
        unref(slot);
    }
}

/* True when the slot may be given up; one that was found lately may be the next time. */
static bool is_cold(struct slot *slot)
{
    return !atomic_exchange_explicit(&slot->used, false, memory_order_relaxed);
}

/* A free slot among num, after dropping what is in one of them. NULL: somebody is looking at it. */
static struct slot *make_free(struct slot *ways, size_t num)
{
    struct slot *victim = NULL;

    for (size_t i = 0; i < num; i++) {
        if (!ways[i].in_cache && atomic_load_explicit(&ways[i].refs, memory_order_acquire) == 0) {
            return &ways[i];
        }
    }
    for (size_t i = 0; victim == NULL && i < 2 * num; i++) {
        struct slot *slot = &ways[i % num];
        if (slot->in_cache && is_cold(slot)) {
            victim = slot;
        }
    }
    if (victim == NULL) {
        return NULL;
    }
    drop(victim);
    return atomic_load_explicit(&victim->refs, memory_order_acquire) == 0 ? victim : NULL;
}

static bool make_bytes(size_t len)
{
    for (size_t i = 0; num_bytes + len > CERT_CACHE_MAX_BYTES && i < 2 * (size_t)CERT_CACHE_SLOTS;
         i++) {
        struct slot *slot = &slots[hand];
        hand = (hand + 1) % CERT_CACHE_SLOTS;
        if (slot->in_cache && is_cold(slot)) {
            drop(slot);
        }
    }
    return num_bytes + len <= CERT_CACHE_MAX_BYTES;
}

static bool is_there(const struct slot *set, uint64_t hash, const struct blob *der)
{
    for (size_t way = 0; way < CERT_CACHE_WAYS; way++) {
        if (set[way].in_cache && is_kept(&set[way], hash, der->bytes, der->len)) {
            return true;
        }
    }
    return false;
}

/* What nobody verified stays among itself, in making room, too. */
static bool keep(X509 *cert, struct blob *der, bool verified)
{
    uint64_t hash = siphash(key, der->bytes, der->len);
    struct slot *set = set_of(hash);
    struct slot *slot = NULL;

    if (is_there(set, hash, der)) {
        return false;
    }
    if (verified) {
        slot = make_bytes(der->len) ? make_free(set + CERT_CACHE_UNVERIFIED_WAYS,
                                                CERT_CACHE_WAYS - CERT_CACHE_UNVERIFIED_WAYS)
                                    : NULL;
    } else if (num_bytes + der->len <= CERT_CACHE_MAX_BYTES) {
        slot = make_free(set, CERT_CACHE_UNVERIFIED_WAYS);
    }
    if (slot == NULL) {
        counter_add(COUNTER_CERT_REFUSED);
        return false;
    }
    cert_up_ref(cert);
    slot->cert = cert;
    slot->der = blob_ref(der);
    slot->in_cache = true;
    atomic_store_explicit(&slot->hash, hash, memory_order_relaxed);
    atomic_store_explicit(&slot->used, false, memory_order_relaxed);
    atomic_store_explicit(&slot->refs, 1, memory_order_release);
    num_bytes += der->len;
    counter_add(COUNTER_CERT_KEPT);
    return true;
}

bool cert_cache_keep(X509 *cert, struct blob *der, bool verified)
{
    bool kept = false;

    if (!atomic_load_explicit(&is_on, memory_order_acquire) || der->len > CERT_CACHE_MAX_LEN ||
        atomic_flag_test_and_set_explicit(&changing, memory_order_acquire)) {
        return false;
    }
    kept = keep(cert, der, verified);
    atomic_flag_clear_explicit(&changing, memory_order_release);
    return kept;
}

void cert_cache_clear(void)
{
    for (size_t i = 0; i < CERT_CACHE_SLOTS; i++) {
        drop(&slots[i]);
    }
    for (size_t i = 0; i < NUM_SIGHTS; i++) {
        atomic_store_explicit(&sights[i], 0, memory_order_relaxed);
    }
}
