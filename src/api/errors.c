/*
 * Errors of this library in libcrypto's queue: raising them, and loading the texts of their
 * reasons (error_strings.c), which libcrypto does not have.
 */
#include "api/internal.h"

#include "api/error_strings.h"
#include <openssl/err.h>
#include <pthread.h>
#include <stdarg.h>

/* ERR_load_strings_const() keeps the pointer, so the table it gets has to live on. */
static pthread_once_t strings_once = PTHREAD_ONCE_INIT;
static bool strings_loaded;

static void load_strings_once(void)
{
    strings_loaded = ERR_load_strings_const(ssl_reason_strings) != 0;
}

bool load_error_strings(void)
{
    return pthread_once(&strings_once, load_strings_once) == 0 && strings_loaded;
}

int ERR_load_SSL_strings(void)
{
    return load_error_strings() ? 1 : 0;
}

void raise_error_at(int reason, const char *file, int line, const char *function)
{
    ERR_new();
    ERR_set_debug(file, line, function);
    ERR_set_error(ERR_LIB_SSL, reason, NULL);
}

void raise_error_with_at(int reason, const char *file, int line, const char *function,
                         const char *format, ...)
{
    va_list args;

    ERR_new();
    ERR_set_debug(file, line, function);
    va_start(args, format);
    ERR_vset_error(ERR_LIB_SSL, reason, format, args);
    va_end(args);
}
