/*
 * Counts the allocations that go through libcrypto's memory functions, and the locks of every
 * library of this process.
 */
#ifndef TENON_TESTS_COUNTING_H
#define TENON_TESTS_COUNTING_H

#include <stdbool.h>
#include <stddef.h>

/* Tests set them back, and switch counting off and on; it is on at first. num_locks: of either
 * kind; num_writing: those that keep everybody else out; num_bytes: allocated less freed. */
extern bool counting;
extern size_t num_allocations, num_locks, num_writing;
extern long num_bytes;

/* Before anything is allocated. False: it is too late. */
bool counting_install(void);

#endif
