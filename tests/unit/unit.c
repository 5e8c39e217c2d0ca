#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct bytes from_hex(const char *hex)
{
    struct bytes b = { 0 };

    while (*hex != '\0') {
        if (*hex == ' ' || *hex == '\n') {
            hex++;
            continue;
        }
        int high = digit(hex[0]);
        int low = high < 0 ? -1 : digit(hex[1]);
        if (low < 0 || b.len == sizeof(b.data)) {
            fail_msg("not hexadecimal, or too long: %s", hex);
        }
        b.data[b.len++] = (uint8_t)(high << 4 | low);
        hex += 2;
    }
    return b;
}

void assert_hex(const uint8_t *data, size_t len, const char *hex)
{
    struct bytes expected = from_hex(hex);

    assert_int_equal(len, expected.len);
    assert_memory_equal(data, expected.data, len);
}

void fill_pattern(uint8_t *data, size_t len, uint8_t first, uint8_t step)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = first;
        first = (uint8_t)(first + step);
    }
}

static struct {
    bool armed;
    bool paused;
    bool met;         /* a failure was delivered */
    size_t countdown; /* allocations that still succeed */
} injector;

static bool delivers_failure(void)
{
    if (!injector.armed || injector.paused) {
        return false;
    }
    if (injector.countdown > 0) {
        injector.countdown--;
        return false;
    }
    /* Only this one: code that goes on after a failure is tested, too. */
    injector.armed = false;
    injector.met = true;
    return true;
}

/* More than a machine has: the sanitizer would end the program instead of returning NULL. */
#define LARGEST_REQUEST ((size_t)1 << 40)

static void *injected_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return delivers_failure() || size > LARGEST_REQUEST ? NULL : malloc(size);
}

static void *injected_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return delivers_failure() || size > LARGEST_REQUEST ? NULL : realloc(old, size);
}

static void injected_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

void failing_alloc_install(void)
{
    if (CRYPTO_set_mem_functions(injected_malloc, injected_realloc, injected_free) != 1) {
        fprintf(stderr, "libcrypto has allocated already\n");
        abort();
    }
}

void failing_alloc_pause(bool pause)
{
    injector.paused = pause;
}

size_t fail_each_allocation(alloc_trial trial, void *arg, bool lenient)
{
    /* Warms up what libcrypto keeps per process, so that it is not counted. */
    assert_true(trial(arg));
    for (size_t n = 0; n < 100000; n++) {
        injector.countdown = n;
        injector.met = false;
        injector.armed = true;
        bool succeeded = trial(arg);
        injector.armed = false;
        ERR_clear_error();
        if (!injector.met) {
            assert_true(succeeded);
            return n;
        }
        if (!lenient) {
            assert_false(succeeded);
        }
        /* What failed once works again. Long trials are asked now and then. */
        if (!lenient || n % 16 == 0) {
            assert_true(trial(arg));
        }
    }
    fail_msg("the trial never gets by without a failure");
    return 0;
}
