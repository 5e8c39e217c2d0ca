/*
 * Who allocates and who locks: a library for LD_PRELOAD that writes down the functions of libssl
 * from which each allocation and each lock of the watched time came. bench/callers runs it.
 */
#ifndef BENCH_CALLERS_H
#define BENCH_CALLERS_H

#include <stdbool.h>

/* Starts and stops watching the calling thread. Lines go to the file that CALLERS_OUT names: a word
 * (allocation, reading or writing lock) and the return addresses in libssl, innermost first, as
 * offsets from where the library begins. Only in the library. */
void callers_watch(bool on);

#endif
