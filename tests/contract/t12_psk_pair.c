/*
 * A pair with pre-shared keys; see t12_psk_pair.h.
 */
#include "t12_psk_pair.h"

#include <openssl/evp.h>
#include <string.h>

struct psk_plan plan;
struct identity *rsa;

void plan_reset(void)
{
    memset(&plan, 0, sizeof(plan));
    plan.identity = "someone";
    plan.client_len = 32;
    plan.server_len = 32;
    plan.client_key = 'k';
    plan.server_key = 'k';
}

unsigned int on_client(SSL *ssl, const char *hint, char *identity, unsigned int max_identity_len,
                       unsigned char *psk, unsigned int max_psk_len)
{
    if (!plan.silent) {
        note("client callback [%s]: hint %s, room for %u and %u", SSL_state_string(ssl),
             hint == NULL ? "(none)" : hint, max_identity_len, max_psk_len);
    }
    if (plan.fill > 0) {
        memset(identity, 'x', plan.fill);
    } else {
        REQUIRE(strlen(plan.identity) <= max_identity_len);
        memcpy(identity, plan.identity, strlen(plan.identity) + 1);
    }
    memset(psk, plan.client_key, plan.client_len < max_psk_len ? plan.client_len : max_psk_len);
    return plan.client_len;
}

unsigned int on_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned int max_psk_len)
{
    if (!plan.silent) {
        note("server callback [%s]: identity of %zu, %s, room for %u", SSL_state_string(ssl),
             strlen(identity), identity, max_psk_len);
    }
    memset(psk, plan.server_key, plan.server_len < max_psk_len ? plan.server_len : max_psk_len);
    return plan.server_len;
}

const char *const exchanges[NUM_EXCHANGES] = { "PSK-AES128-CBC-SHA256", "RSA-PSK-AES128-CBC-SHA256",
                                               "DHE-PSK-AES128-CBC-SHA256",
                                               "ECDHE-PSK-AES128-CBC-SHA256" };

void prepare(struct pair *p, enum with with, const char *ciphers)
{
    pair_init(p, OVER_WIRE, 0);
    SSL_certs_clear(p->server);
    if (with == WITH_RSA) {
        identity_use_ssl(rsa, p->server);
    }
    (void)SSL_set_dh_auto(p->server, 1);
    SSL_set_psk_client_callback(p->client, on_client);
    SSL_set_psk_server_callback(p->server, on_server);
    if (ciphers != NULL) {
        REQUIRE(SSL_set_cipher_list(p->client, ciphers) == 1);
        REQUIRE(SSL_set_cipher_list(p->server, ciphers) == 1);
    }
}

const char *shown(const char *text)
{
    return text == NULL ? "(none)" : text;
}

void log_names(const SSL *ssl)
{
    note("  %s: identity %s, hint %s", ssl_get_name(ssl), shown(SSL_get_psk_identity(ssl)),
         shown(SSL_get_psk_identity_hint(ssl)));
}

void log_parameters(const struct pair *p)
{
    EVP_PKEY *key = NULL;
    X509 *cert = SSL_get1_peer_certificate(p->client);
    int nid = 0;

    if (SSL_get_peer_tmp_key(p->client, &key) == 1) {
        note("  ephemeral %s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
        EVP_PKEY_free(key);
    }
    note("  %s, certificate %d, signature %ld %d, EMS %d", SSL_get_cipher(p->client), cert != NULL,
         SSL_get_peer_signature_nid(p->client, &nid), nid, (int)SSL_get_extms_support(p->client));
    X509_free(cert);
    log_names(p->client);
    log_names(p->server);
}
