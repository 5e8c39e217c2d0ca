/*
 * Clock, answers and flat buffers; see measure.h.
 */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

void (*explain_failure)(void);

void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        if (explain_failure != NULL) {
            explain_failure();
        }
        exit(1);
    }
}

void answer(const char *unit, double value, const char *key_format, ...)
{
    va_list args;

    va_start(args, key_format);
    vprintf(key_format, args);
    va_end(args);
    printf("\t%s\t%.3f\n", unit, value);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, size_t num)
{
    qsort(values, num, sizeof *values, compare);
    return num % 2 != 0 ? values[num / 2] : (values[num / 2 - 1] + values[num / 2]) / 2;
}

double undisturbed(double *values, size_t num)
{
    qsort(values, num, sizeof *values, compare);
    return values[num / 4];
}

bool asked_for(char **argv, const char *name)
{
    return argv[1] == NULL || strcmp(argv[1], name) == 0;
}

static uint64_t read_clock(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* --- Flat buffers --- */

void pipe_init(struct pipe *p, size_t size)
{
    *p = (struct pipe){ .size = size };
    p->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(p->bytes != MAP_FAILED, "mmap");
}

void pipe_wipe(struct pipe *p)
{
    munmap(p->bytes, p->size);
    *p = (struct pipe){ 0 };
}

void pipe_drop(struct pipe *p)
{
    p->start = 0;
    p->end = 0;
}

void pipe_put(struct pipe *p, const void *data, size_t len)
{
    require(len <= p->size - p->end, "room in the pipe");
    memcpy(p->bytes + p->end, data, len);
    p->end += len;
}

size_t pipe_take(struct pipe *p, void *data, size_t len)
{
    size_t have = p->end - p->start;
    size_t take = have < len ? have : len;

    if (take != 0) {
        memcpy(data, p->bytes + p->start, take);
        p->start += take;
        if (p->start == p->end) {
            pipe_drop(p);
        }
    }
    return take;
}
