/*
 * What the process has counted since it started, for those who run it: how often caches helped,
 * what became of early data. One list for the whole library; the numbers only grow, and no one of
 * them takes a lock.
 */
#ifndef TENON_BASE_COUNTERS_H
#define TENON_BASE_COUNTERS_H

#include "base/base.h"

enum counter {
    COUNTER_CERT_HIT,        /* a peer's certificate was not decoded, but found in the cache */
    COUNTER_CERT_MISS,       /* it had to be decoded */
    COUNTER_CERT_KEPT,       /* a decoded one went into the cache */
    COUNTER_CERT_EVICTED,    /* one was dropped to make room */
    COUNTER_CERT_REFUSED,    /* there was no room */
    COUNTER_CERT_COPIED,     /* one that is shared was decoded again, for the application to hold */
    COUNTER_CHAIN_HIT,       /* the signatures of a chain were remembered as right */
    COUNTER_CHAIN_MISS,      /* they had to be verified */
    COUNTER_EARLY_ACCEPTED,  /* early data that a strike register was asked about: the first */
    COUNTER_EARLY_REPLAYED,  /* its ticket had come before */
    COUNTER_EARLY_NO_ROOM,   /* the register was full there */
    COUNTER_EARLY_TOO_OLD,   /* of a time whose records may be gone */
    COUNTER_EARLY_FOREIGN,   /* the ticket of another register */
    COUNTER_CA_FILE_HIT,     /* a file of trusted certificates was not read, but found in memory */
    COUNTER_CA_FILE_MISS,    /* it had to be read */
    COUNTER_CA_FILE_EVICTED, /* one was dropped to make room */
    COUNTER_CA_COPIED,       /* a certificate of one was decoded for the store that needs it */
    COUNTER_KEY_EXPANDED,    /* an AEAD made the table of a key that it had not, or not any more */
    NUM_COUNTERS
};

/* Counts one event. */
void counter_add(enum counter which);

/* The number of events so far. */
uint64_t counter_get(enum counter which);

/* The counter's name, a short lower-case word with dashes; NULL: there is no such counter. */
const char *counter_name(size_t which);

#endif
