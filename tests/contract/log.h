/*
 * The log of a contract test, and what a test program begins and ends with.
 *
 * A contract test writes what an application can see to standard output. tests/contract/run starts
 * the same program on two libraries and compares the outputs, so a log holds nothing that changes
 * from run to run: no pointers, no times, no random bytes, no file names or lines of the library.
 */
#ifndef CONTRACT_LOG_H
#define CONTRACT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CONTRACT_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define CONTRACT_PRINTF(at, first)
#endif

/* The program's first call: ignores SIGPIPE, sets a deadline of 120 seconds after which the
 * program dies, and names the mapped libssl on standard error ("libssl: PATH"), where the runner
 * looks for it. */
void contract_start(void);

/* The program's last call, whose result main() returns: 0, or 1 when a CHECK failed. */
int contract_finish(void);

/* True when the mapped libssl is not the system's, that is, not below /usr/lib or /lib. Only for
 * asserting the documented behaviour beside a log_difference(). */
bool on_tenon(void);

/* A title line, and a plain line of the log. */
void section(const char *format, ...) CONTRACT_PRINTF(1, 2);
void note(const char *format, ...) CONTRACT_PRINTF(1, 2);

/* A line that may differ between the libraries. When it does, docs/differences.md must hold the
 * text "contract: SLUG", otherwise the run fails. `slug` is made of letters, digits and '-'. */
void log_difference(const char *slug, const char *format, ...) CONTRACT_PRINTF(2, 3);

/* Between the two, every line of this thread's log is such a line; their number may differ too. */
void difference_begin(const char *slug);
void difference_end(void);

/* Asserts what the manual page promises. A failure is reported on standard error and makes
 * contract_finish() return 1; the program goes on. */
#define CHECK(condition) check_result((condition), __FILE__, __LINE__, #condition)
void check_result(bool passed, const char *file, int line, const char *what);

/* Ends the program, for preparations that cannot fail in a sound environment. */
#define REQUIRE(condition) require_result((condition), __FILE__, __LINE__, #condition)
void require_result(bool passed, const char *file, int line, const char *what);

/* FNV-1a, 64 bits: how the log names delivered bytes. */
uint64_t hash_bytes(const void *data, size_t len);

/* Bytes that depend on `seed` and position only, so that misplaced data is noticed. */
void pattern_fill(uint8_t *out, size_t len, unsigned seed);

/* The same in a heap block of exactly `len` bytes (ASan then sees a read beyond it); free() it. */
uint8_t *pattern_new(size_t len, unsigned seed);

/* A second thread whose log lines are kept until it is joined, so that their order is fixed. */
struct log_thread;
struct log_thread *log_thread_start(void (*body)(void *arg), void *arg);
void log_thread_join(struct log_thread *thread); /* prints its lines and frees it */

/* Keeps this thread's log lines in memory until log_capture_end(), which returns them (free()). */
void log_capture_begin(void);
char *log_capture_end(void);

#endif
