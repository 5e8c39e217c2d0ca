/*
 * What every program of bench/ needs, whichever TLS library it measures: a clock, the middle of
 * many times, the form of an answer, and flat buffers that stand for the network. Nothing of
 * OpenSSL.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program unless it is true; what: the call that failed. */
void require(bool ok, const char *what);

/* Called by require before the program ends, when set: prints what the library says. */
extern void (*explain_failure)(void);

/* One figure. Unit: "ns", "MB/s", "/s" or a count's name; bench/run knows which way is better. */
void answer(const char *unit, double value, const char *key_format, ...)
    __attribute__((format(printf, 3, 4)));

/* The middle of values[0..num), which are sorted by this. */
double median(double *values, size_t num);

/* The same for times: the lower quartile, since what else runs on the machine only adds to them. */
double undisturbed(double *values, size_t num);

/* True when the program was asked for this cell of its question: name is argv[1], or there is no
 * argument and all cells are asked for. */
bool asked_for(char **argv, const char *name);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

/* The processor's time of the calling thread, in nanoseconds. */
uint64_t thread_cpu_ns(void);

/* --- Flat buffers --- */

struct pipe {
    uint8_t *bytes; /* owns, not from the heap */
    size_t size, start, end;
};

/* size: how many bytes may lie in it. */
void pipe_init(struct pipe *p, size_t size);
void pipe_wipe(struct pipe *p);

/* Forgets what lies in it. */
void pipe_drop(struct pipe *p);

/* All of data; the program ends when there is no room. */
void pipe_put(struct pipe *p, const void *data, size_t len);

/* At most len bytes; returns how many, 0 when it is empty. */
size_t pipe_take(struct pipe *p, void *data, size_t len);

#endif
