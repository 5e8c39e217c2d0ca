/*
 * Functions that exist so that programs start, and refuse because what they are for is not in the
 * library (yet). Each returns its documented failure value and raises an error that names itself
 * and the missing capability. tools/list-refused makes the list in docs/differences.md from this
 * file.
 *
 * What such a capability has in the way of questions is answered truthfully instead: nobody has an
 * SRP user name.
 */
#include "api/internal.h"

#include <openssl/srp.h>
#include <openssl/srtp.h>
#include <openssl/tls1.h>

/* --- SRP (RFC 5054) --- */

int SSL_CTX_set_srp_username(SSL_CTX *ctx, char *name)
{
    (void)ctx;
    (void)name;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_password(SSL_CTX *ctx, char *password)
{
    (void)ctx;
    (void)password;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_strength(SSL_CTX *ctx, int strength)
{
    (void)ctx;
    (void)strength;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_client_pwd_callback(SSL_CTX *ctx, char *(*cb)(SSL *, void *))
{
    (void)ctx;
    (void)cb;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_verify_param_callback(SSL_CTX *ctx, int (*cb)(SSL *, void *))
{
    (void)ctx;
    (void)cb;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_username_callback(SSL_CTX *ctx, int (*cb)(SSL *, int *, void *))
{
    (void)ctx;
    (void)cb;
    refuse("SRP");
    return 0;
}

int SSL_CTX_set_srp_cb_arg(SSL_CTX *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    refuse("SRP");
    return 0;
}

int SSL_set_srp_server_param(SSL *s, const BIGNUM *N, const BIGNUM *g, BIGNUM *sa, BIGNUM *v,
                             char *info)
{
    (void)s;
    (void)N;
    (void)g;
    (void)sa;
    (void)v;
    (void)info;
    refuse("SRP");
    return -1;
}

int SSL_set_srp_server_param_pw(SSL *s, const char *user, const char *pass, const char *grp)
{
    (void)s;
    (void)user;
    (void)pass;
    (void)grp;
    refuse("SRP");
    return 0;
}

int SSL_srp_server_param_with_username(SSL *s, int *ad)
{
    (void)s;
    *ad = SSL_AD_INTERNAL_ERROR;
    refuse("SRP");
    return SSL3_AL_FATAL;
}

int SRP_Calc_A_param(SSL *s)
{
    (void)s;
    refuse("SRP");
    return 0;
}

int SSL_CTX_SRP_CTX_init(SSL_CTX *ctx)
{
    (void)ctx;
    refuse("SRP");
    return 0;
}

int SSL_SRP_CTX_init(SSL *s)
{
    (void)s;
    refuse("SRP");
    return 0;
}

/* Nothing was made, so nothing is left to free. */
int SSL_CTX_SRP_CTX_free(SSL_CTX *ctx)
{
    return ctx != NULL;
}

int SSL_SRP_CTX_free(SSL *s)
{
    return s != NULL;
}

BIGNUM *SSL_get_srp_g(SSL *s)
{
    (void)s;
    return NULL;
}

BIGNUM *SSL_get_srp_N(SSL *s)
{
    (void)s;
    return NULL;
}

char *SSL_get_srp_username(SSL *s)
{
    (void)s;
    return NULL;
}

char *SSL_get_srp_userinfo(SSL *s)
{
    (void)s;
    return NULL;
}

/* --- DTLS (RFC 9147) --- */

int DTLSv1_listen(SSL *s, BIO_ADDR *client)
{
    (void)s;
    (void)client;
    refuse("DTLS");
    return -1;
}

void DTLS_set_timer_cb(SSL *s, DTLS_timer_cb cb)
{
    (void)s;
    (void)cb;
    refuse("DTLS");
}

size_t DTLS_get_data_mtu(const SSL *s)
{
    (void)s;
    refuse("DTLS");
    return 0;
}
