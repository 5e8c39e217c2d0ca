/*
 * Counters of the process; see counters.h. Mutable file-scope state, of atomic numbers alone.
 */
#include "base/counters.h"

#include <stdatomic.h>

static _Atomic uint64_t values[NUM_COUNTERS];

static const char *const names[NUM_COUNTERS] = {
    [COUNTER_CERT_HIT] = "certificate-hits",
    [COUNTER_CERT_MISS] = "certificate-misses",
    [COUNTER_CERT_KEPT] = "certificates-kept",
    [COUNTER_CERT_EVICTED] = "certificates-evicted",
    [COUNTER_CERT_REFUSED] = "certificates-refused",
    [COUNTER_CERT_COPIED] = "certificates-copied",
    [COUNTER_CHAIN_HIT] = "chain-hits",
    [COUNTER_CHAIN_MISS] = "chain-misses",
    [COUNTER_EARLY_ACCEPTED] = "early-data-accepted",
    [COUNTER_EARLY_REPLAYED] = "early-data-replayed",
    [COUNTER_EARLY_NO_ROOM] = "early-data-without-room",
    [COUNTER_EARLY_TOO_OLD] = "early-data-too-old",
    [COUNTER_EARLY_FOREIGN] = "early-data-foreign",
    [COUNTER_CA_FILE_HIT] = "ca-file-hits",
    [COUNTER_CA_FILE_MISS] = "ca-file-misses",
    [COUNTER_CA_FILE_EVICTED] = "ca-files-evicted",
    [COUNTER_CA_COPIED] = "ca-certificates-copied",
    [COUNTER_KEY_EXPANDED] = "keys-expanded",
};

void counter_add(enum counter which)
{
    (void)atomic_fetch_add_explicit(&values[which], 1, memory_order_relaxed);
}

uint64_t counter_get(enum counter which)
{
    return atomic_load_explicit(&values[which], memory_order_relaxed);
}

const char *counter_name(size_t which)
{
    return which < NUM_COUNTERS ? names[which] : NULL;
}
