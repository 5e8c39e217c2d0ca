/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): where things go in a
 * table whose keys come from peers, who must not be able to choose what collides.
 */
#ifndef TENON_BASE_SIPHASH_H
#define TENON_BASE_SIPHASH_H

#include "base/base.h"

#define SIPHASH_KEY_LEN 16

/* The hash of data[0..len) under a secret key. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN], const uint8_t *data, size_t len);

#endif
