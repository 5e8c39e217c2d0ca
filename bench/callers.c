/*
 * Writes down from where in libssl allocations and locks come; see callers.h.
 */
#include "callers.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64

/* What the C library calls its own, without a header. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *old, size_t size);

static __thread bool watching __attribute__((tls_model("initial-exec")));
static FILE *out;
static uintptr_t lib_begin, lib_end;

static int find_libssl(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    if (info->dlpi_name == NULL || strstr(info->dlpi_name, "libssl.so") == NULL) {
        return 0;
    }
    lib_begin = info->dlpi_addr;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t end = lib_begin + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        lib_end = end > lib_end ? end : lib_end;
    }
    return 1;
}

void callers_watch(bool on)
{
    const char *path = getenv("CALLERS_OUT");

    if (on && out == NULL) {
        void *frames[DEPTH];
        out = path != NULL ? fopen(path, "w") : NULL;
        dl_iterate_phdr(find_libssl, NULL);
        backtrace(frames, DEPTH); /* loads what it needs, once */
    } else if (!on && out != NULL) {
        fflush(out);
    }
    watching = on && out != NULL;
}

static void note(const char *what)
{
    void *frames[DEPTH];

    if (!watching) {
        return;
    }
    watching = false;
    int num = backtrace(frames, DEPTH);
    fprintf(out, "%s", what);
    for (int i = 0; i < num; i++) {
        uintptr_t address = (uintptr_t)frames[i];
        if (address >= lib_begin && address < lib_end) {
            fprintf(out, " %zx", (size_t)(address - lib_begin - 1));
        }
    }
    fprintf(out, "\n");
    watching = true;
}

void *malloc(size_t size)
{
    note("allocation");
    return __libc_malloc(size);
}

void *calloc(size_t num, size_t size)
{
    note("allocation");
    return __libc_calloc(num, size);
}

void *realloc(void *old, size_t size)
{
    note("allocation");
    return __libc_realloc(old, size);
}

/* The function that this file hides, as in shim.c. */
union next {
    void *object;
    int (*rwlock)(pthread_rwlock_t *lock);
    int (*mutex)(pthread_mutex_t *lock);
};

static union next next_of(const char *name)
{
    union next next = { .object = dlsym(RTLD_NEXT, name) };

    if (next.object == NULL) {
        abort();
    }
    return next;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    note("reading");
    return next_of("pthread_rwlock_rdlock").rwlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    note("writing");
    return next_of("pthread_rwlock_wrlock").rwlock(lock);
}

int pthread_mutex_lock(pthread_mutex_t *lock)
{
    note("writing");
    return next_of("pthread_mutex_lock").mutex(lock);
}
