/*
 * The methods: which versions and roles an SSL may take. Methods of one version exist for every
 * TLS version; a connection with one that the library cannot speak fails when it shakes hands, as
 * with a version that is switched off.
 */
#include "api/method.h"

/* refused: `SSL_CTX_new` and `SSL_CTX_set_ssl_version` with a DTLS method | `NULL`, `0` | DTLS */
#define DTLS_REFUSAL "DTLS is not available in this library"

static const SSL_METHOD tls = { TLS_ANY_VERSION, ROLE_NONE, false, NULL };
static const SSL_METHOD tls_server = { TLS_ANY_VERSION, ROLE_SERVER, false, NULL };
static const SSL_METHOD tls_client = { TLS_ANY_VERSION, ROLE_CLIENT, false, NULL };
static const SSL_METHOD tlsv1 = { TLS1_VERSION, ROLE_NONE, false, NULL };
static const SSL_METHOD tlsv1_server = { TLS1_VERSION, ROLE_SERVER, false, NULL };
static const SSL_METHOD tlsv1_client = { TLS1_VERSION, ROLE_CLIENT, false, NULL };
static const SSL_METHOD tlsv1_1 = { TLS1_1_VERSION, ROLE_NONE, false, NULL };
static const SSL_METHOD tlsv1_1_server = { TLS1_1_VERSION, ROLE_SERVER, false, NULL };
static const SSL_METHOD tlsv1_1_client = { TLS1_1_VERSION, ROLE_CLIENT, false, NULL };
static const SSL_METHOD tlsv1_2 = { TLS1_2_VERSION, ROLE_NONE, false, NULL };
static const SSL_METHOD tlsv1_2_server = { TLS1_2_VERSION, ROLE_SERVER, false, NULL };
static const SSL_METHOD tlsv1_2_client = { TLS1_2_VERSION, ROLE_CLIENT, false, NULL };
static const SSL_METHOD dtls = { DTLS_ANY_VERSION, ROLE_NONE, true, DTLS_REFUSAL };
static const SSL_METHOD dtls_server = { DTLS_ANY_VERSION, ROLE_SERVER, true, DTLS_REFUSAL };
static const SSL_METHOD dtls_client = { DTLS_ANY_VERSION, ROLE_CLIENT, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1 = { DTLS1_VERSION, ROLE_NONE, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1_server = { DTLS1_VERSION, ROLE_SERVER, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1_client = { DTLS1_VERSION, ROLE_CLIENT, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1_2 = { DTLS1_2_VERSION, ROLE_NONE, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1_2_server = { DTLS1_2_VERSION, ROLE_SERVER, true, DTLS_REFUSAL };
static const SSL_METHOD dtlsv1_2_client = { DTLS1_2_VERSION, ROLE_CLIENT, true, DTLS_REFUSAL };

const SSL_METHOD *TLS_method(void)
{
    return &tls;
}

const SSL_METHOD *TLS_server_method(void)
{
    return &tls_server;
}

const SSL_METHOD *TLS_client_method(void)
{
    return &tls_client;
}

const SSL_METHOD *TLSv1_method(void)
{
    return &tlsv1;
}

const SSL_METHOD *TLSv1_server_method(void)
{
    return &tlsv1_server;
}

const SSL_METHOD *TLSv1_client_method(void)
{
    return &tlsv1_client;
}

const SSL_METHOD *TLSv1_1_method(void)
{
    return &tlsv1_1;
}

const SSL_METHOD *TLSv1_1_server_method(void)
{
    return &tlsv1_1_server;
}

const SSL_METHOD *TLSv1_1_client_method(void)
{
    return &tlsv1_1_client;
}

const SSL_METHOD *TLSv1_2_method(void)
{
    return &tlsv1_2;
}

const SSL_METHOD *TLSv1_2_server_method(void)
{
    return &tlsv1_2_server;
}

const SSL_METHOD *TLSv1_2_client_method(void)
{
    return &tlsv1_2_client;
}

const SSL_METHOD *DTLS_method(void)
{
    return &dtls;
}

const SSL_METHOD *DTLS_server_method(void)
{
    return &dtls_server;
}

const SSL_METHOD *DTLS_client_method(void)
{
    return &dtls_client;
}

const SSL_METHOD *DTLSv1_method(void)
{
    return &dtlsv1;
}

const SSL_METHOD *DTLSv1_server_method(void)
{
    return &dtlsv1_server;
}

const SSL_METHOD *DTLSv1_client_method(void)
{
    return &dtlsv1_client;
}

const SSL_METHOD *DTLSv1_2_method(void)
{
    return &dtlsv1_2;
}

const SSL_METHOD *DTLSv1_2_server_method(void)
{
    return &dtlsv1_2_server;
}

const SSL_METHOD *DTLSv1_2_client_method(void)
{
    return &dtlsv1_2_client;
}

uint16_t method_only_version(const SSL_METHOD *method)
{
    return method->version == TLS_ANY_VERSION || method->dtls ? 0 : (uint16_t)method->version;
}

bool method_is_usable(const SSL_METHOD *method)
{
    if (method->refusal != NULL) {
        raise_error_with(SSL_R_UNSUPPORTED_PROTOCOL, "%s", method->refusal);
        return false;
    }
    return true;
}
