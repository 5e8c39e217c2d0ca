/*
 * Memory that is undefined to memcheck, so that it reports every branch and every address that
 * depends on it: what a secret decides takes a time that tells it.
 */
#ifndef TENON_TESTS_MEMCHECK_H
#define TENON_TESTS_MEMCHECK_H

#include <stdbool.h>

#ifdef __has_include
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifdef VALGRIND_MAKE_MEM_UNDEFINED
#define HAVE_MEMCHECK 1
#else
#define HAVE_MEMCHECK                       0
#define VALGRIND_MAKE_MEM_UNDEFINED(p, len) (void)(p)
#define VALGRIND_MAKE_MEM_DEFINED(p, len)   (void)(p)
#endif

#define EXIT_WRONG 8 /* what a program says that did not do what it should */
#define EXIT_FOUND 9 /* what memcheck says when it found something */

/* The exit status of this program, started with that one argument, under memcheck; -1: it could
 * not be run. With suppressions: libcrypto.supp. */
int under_memcheck(const char *what, bool with_suppressions);

/* Skips the test where memcheck is not to be had, or cannot read this program; otherwise asserts
 * that with the argument `leaking` it finds something, and with `marked` nothing. */
void memcheck_finds(const char *leaking, const char *marked);

#endif
