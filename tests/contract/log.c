/*
 * The log of a contract test: lines on standard output, per thread kept back on demand. Leaves the
 * comparison of logs to the runner.
 */
#include "log.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_SECONDS 120

struct capture {
    FILE *file;
    char *text;
    size_t len;
};

struct log_thread {
    pthread_t id;
    void (*body)(void *arg);
    void *arg;
    char *text;
};

static _Thread_local struct capture kept;
static _Thread_local const char *difference;
static atomic_int failed_checks;
static char library_path[4096];

static FILE *sink(void)
{
    return kept.file != NULL ? kept.file : stdout;
}

CONTRACT_PRINTF(2, 0)
static void print_line(const char *prefix, const char *format, va_list args)
{
    if (difference != NULL) {
        (void)fprintf(sink(), "DIFFERENCE %s: ", difference);
    }
    (void)fputs(prefix, sink());
    (void)vfprintf(sink(), format, args);
    (void)fputc('\n', sink());
}

/* The loader's own list of mappings is the only witness that no rpath or preload can fool. */
static void find_library(void)
{
    char line[8192];
    FILE *maps = fopen("/proc/self/maps", "r");

    REQUIRE(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        const char *path = strchr(line, '/');
        const char *base = path == NULL ? NULL : strrchr(path, '/');

        if (base != NULL && strncmp(base, "/libssl.so", 10) == 0) {
            (void)snprintf(library_path, sizeof(library_path), "%.*s", (int)strcspn(path, "\n"),
                           path);
            break;
        }
    }
    (void)fclose(maps);
}

void contract_start(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(DEADLINE_SECONDS);
    find_library();
    (void)fprintf(stderr, "libssl: %s\n", library_path[0] != '\0' ? library_path : "(none)");
}

int contract_finish(void)
{
    if (fflush(stdout) != 0) {
        return 1;
    }
    return atomic_load(&failed_checks) == 0 ? 0 : 1;
}

bool on_tenon(void)
{
    return strncmp(library_path, "/usr/lib/", 9) != 0 && strncmp(library_path, "/lib/", 5) != 0;
}

void section(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line("== ", format, args);
    va_end(args);
}

void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line("", format, args);
    va_end(args);
}

void log_difference(const char *slug, const char *format, ...)
{
    const char *outer = difference;
    va_list args;

    /* Inside a block the line is part of that difference. */
    if (outer == NULL) {
        difference_begin(slug);
    }
    va_start(args, format);
    print_line("", format, args);
    va_end(args);
    difference = outer;
}

void difference_begin(const char *slug)
{
    REQUIRE(difference == NULL);
    difference = slug;
}

void difference_end(void)
{
    difference = NULL;
}

void check_result(bool passed, const char *file, int line, const char *what)
{
    if (!passed) {
        (void)atomic_fetch_add(&failed_checks, 1);
        (void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
    }
}

void require_result(bool passed, const char *file, int line, const char *what)
{
    if (!passed) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "%s:%d: cannot go on: %s\n", file, line, what);
        _exit(2);
    }
}

uint64_t hash_bytes(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++) {
        hash ^= bytes[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

void pattern_fill(uint8_t *out, size_t len, unsigned seed)
{
    uint32_t state = seed * 2654435761u + 12345u;

    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (uint8_t)(state >> 24);
    }
}

uint8_t *pattern_new(size_t len, unsigned seed)
{
    uint8_t *block = malloc(len);

    REQUIRE(block != NULL);
    pattern_fill(block, len, seed);
    return block;
}

void log_capture_begin(void)
{
    REQUIRE(kept.file == NULL);
    kept.file = open_memstream(&kept.text, &kept.len);
    REQUIRE(kept.file != NULL);
}

char *log_capture_end(void)
{
    REQUIRE(kept.file != NULL && fclose(kept.file) == 0);
    kept.file = NULL;
    return kept.text;
}

static void *run_body(void *arg)
{
    struct log_thread *thread = arg;

    log_capture_begin();
    thread->body(thread->arg);
    thread->text = log_capture_end();
    return NULL;
}

struct log_thread *log_thread_start(void (*body)(void *arg), void *arg)
{
    struct log_thread *thread = calloc(1, sizeof(*thread));

    REQUIRE(thread != NULL);
    thread->body = body;
    thread->arg = arg;
    REQUIRE(pthread_create(&thread->id, NULL, run_body, thread) == 0);
    return thread;
}

void log_thread_join(struct log_thread *thread)
{
    REQUIRE(pthread_join(thread->id, NULL) == 0);
    (void)fputs(thread->text, sink());
    free(thread->text);
    free(thread);
}
