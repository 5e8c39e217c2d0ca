/*
 * SSL_test_functions: two internal functions that OpenSSL gives out for its own tests, in a
 * structure that only its sources declare. What they prepare there is ready here when it is needed:
 * buffers come from a pool, and a flight is gathered in the output itself.
 */
#include "api/internal.h"

struct openssl_ssl_test_functions {
    int (*init_wbio_buffer)(SSL *s);
    int (*setup_buffers)(SSL *s);
};

static int is_ready(SSL *s)
{
    return s != NULL;
}

const struct openssl_ssl_test_functions *SSL_test_functions(void)
{
    static const struct openssl_ssl_test_functions functions = { .init_wbio_buffer = is_ready,
                                                                 .setup_buffers = is_ready };

    return &functions;
}
