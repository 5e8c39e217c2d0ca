/*
 * Compiler attributes and small helpers that every layer uses. This is the only header of the
 * library, apart from the back ends in crypto/ and version differences in api/, that may contain
 * conditional compilation.
 */
#ifndef TENON_BASE_BASE_H
#define TENON_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller has to look at the result: it is how this function fails. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Called where something has failed: the compiler keeps it, and what leads to it, out of the way.
 */
#define COLD __attribute__((cold))

#define PRINTF_LIKE(template, first) __attribute__((__format__(__printf__, template, first)))

/* True in builds that AddressSanitizer watches. */
#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_WITH_ASAN 1
#endif
#endif
#ifndef BUILT_WITH_ASAN
#define BUILT_WITH_ASAN 0
#endif

/* Number of elements of an array (not of a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
