/*
 * What unit tests share: cmocka with the headers it wants first, hexadecimal constants, and
 * allocation failures on demand.
 */
#ifndef TENON_TESTS_UNIT_H
#define TENON_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

/* Bytes of a hexadecimal string; blanks are skipped. */
struct bytes {
    size_t len;
    uint8_t data[1024];
};

struct bytes from_hex(const char *hex);

/* Fails the test unless data[0..len) are the bytes of hex. */
void assert_hex(const uint8_t *data, size_t len, const char *hex);

/* Bytes first, first + step, ... : contents that are easy to tell apart. */
void fill_pattern(uint8_t *data, size_t len, uint8_t first, uint8_t step);

/* Makes OPENSSL_malloc and its kin allocations of these tests. Before anything of libcrypto is
 * used: the first line of main(). */
void failing_alloc_install(void);

/* While paused no allocation fails: for what a trial needs but does not test. */
void failing_alloc_pause(bool pause);

/* One trial under failing allocations. Returns true when it succeeded; on failure it has cleaned
 * up after itself. It must not leak in either case: the sanitizer looks. */
typedef bool (*alloc_trial)(void *arg);

/* Runs trial once without failures (it must succeed), then failing its first allocation, its second
 * and so on, until it gets by without meeting a failure. Each failing run must end without a crash.
 * lenient: a trial may succeed in spite of a failed allocation, as libcrypto does where it can do
 * without. Returns the number of runs that met a failure. */
size_t fail_each_allocation(alloc_trial trial, void *arg, bool lenient);

#endif
