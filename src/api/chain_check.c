/*
 * Whether a certificate with its key and chain suits the peer, as far as the handshake has come:
 * SSL_check_chain(3).
 */
#include "api/chain.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/evp.h>

/* What a chain that suits the peer must have; more in strict mode. */
#define VALID_FLAGS (CERT_PKEY_EE_SIGNATURE | CERT_PKEY_EE_PARAM)
#define STRICT_FLAGS                                                                               \
    (VALID_FLAGS | CERT_PKEY_CA_SIGNATURE | CERT_PKEY_CA_PARAM | CERT_PKEY_ISSUER_NAME |           \
     CERT_PKEY_CERT_TYPE)

#define ANY_SIGNATURE (-1)

static bool is_tls13(const SSL *s)
{
    return s->conn.neg.version == TLS1_3_VERSION;
}

/* --- Signatures --- */

/* The n-th signature scheme that both sides have; NULL: there are no more. */
static const struct sig_scheme *shared_scheme(SSL *s, int n)
{
    unsigned char low, high;
    int num = SSL_get_shared_sigalgs(s, n, NULL, NULL, NULL, &low, &high);

    return n < num ? sig_scheme_by_id((uint16_t)(high << 8 | low)) : NULL;
}

/* True when the peer accepts a signature algorithm in certificates. only is the one it must be,
 * ANY_SIGNATURE, or NID_undef: one of its list. */
static bool signature_suits(SSL *s, X509 *cert, int only)
{
    int algorithm = X509_get_signature_nid(cert);
    const struct blob *own_list = s->conn.neg.peer_cert_sigalgs;
    const struct sig_scheme *scheme;

    if (only != NID_undef) {
        return only == ANY_SIGNATURE || algorithm == only;
    }
    if (is_tls13(s) && own_list != NULL) {
        for (size_t i = 0; i < u16_list_len(own_list); i++) {
            scheme = sig_scheme_by_id(u16_list_at(own_list, i));
            if (scheme != NULL && scheme->combined_nid == algorithm) {
                return true;
            }
        }
        return false;
    }
    for (int i = 0; (scheme = shared_scheme(s, i)) != NULL; i++) {
        if (scheme->combined_nid == algorithm) {
            return true;
        }
    }
    return false;
}

/* TLS 1.3: the certificate itself must be signed as signature_algorithms_cert says (RFC 8446,
 * 4.2.3). */
static bool issuer_signature_suits(const SSL *s, X509 *cert)
{
    const struct blob *list = s->conn.neg.peer_cert_sigalgs;
    int hash, key;

    if (list == NULL) {
        return true;
    }
    if (!X509_get_signature_info(cert, &hash, &key, NULL, NULL)) {
        return false;
    }
    for (size_t i = 0; i < u16_list_len(list); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(list, i));

        if (scheme != NULL && scheme->hash_nid == hash && scheme->sig_nid == key) {
            return true;
        }
    }
    return false;
}

/* True when the key can sign a TLS 1.3 handshake so that the peer understands it. */
static bool key_can_sign(SSL *s, X509 *cert, EVP_PKEY *key)
{
    const struct sig_scheme *scheme;

    for (int i = 0; (scheme = shared_scheme(s, i)) != NULL; i++) {
        if (sig_scheme_fits_key(s->config->core.lib, scheme, key, true)) {
            return issuer_signature_suits(s, cert);
        }
    }
    return false;
}

/* What a peer that sent no signature_algorithms accepts: RFC 5246, 7.4.1.4.1. */
static int default_signature(enum key_slot slot)
{
    switch (slot) {
    case KEY_RSA:
        return NID_sha1WithRSAEncryption;
    case KEY_DSA:
        return NID_dsaWithSHA1;
    case KEY_ECDSA:
        return NID_ecdsa_with_SHA1;
    case KEY_GOST01:
    case KEY_GOST12_256:
    case KEY_GOST12_512:
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448:
    case KEY_NONE:
        break;
    }
    return ANY_SIGNATURE;
}

/* True when our own list, if one is set, has SHA-1 with that kind of key. */
static bool sha1_is_configured(const SSL *s, enum key_slot slot)
{
    const struct blob *list = s->config->core.sigalgs;

    for (size_t i = 0; i < u16_list_len(list); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(list, i));

        if (scheme != NULL && scheme->hash_nid == NID_sha1 && scheme->slot == slot) {
            return true;
        }
    }
    return list == NULL;
}

static int check_signatures(SSL *s, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *chain,
                            enum key_slot slot)
{
    const struct negotiated *neg = &s->conn.neg;
    int only = NID_undef;
    int flags = CERT_PKEY_CA_SIGNATURE;

    if (neg->version != 0 && neg->version < TLS1_2_VERSION) {
        return CERT_PKEY_EE_SIGNATURE | CERT_PKEY_CA_SIGNATURE;
    }
    if (neg->peer_cert_sigalgs == NULL && neg->peer_sigalgs == NULL) {
        only = default_signature(slot);
        if (only != ANY_SIGNATURE && !sha1_is_configured(s, slot)) {
            return 0;
        }
    }
    if (is_tls13(s) ? key_can_sign(s, cert, key) : signature_suits(s, cert, only)) {
        flags |= CERT_PKEY_EE_SIGNATURE;
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!signature_suits(s, sk_X509_value(chain, i), only)) {
            return flags & ~CERT_PKEY_CA_SIGNATURE;
        }
    }
    return flags;
}

/* --- Parameters --- */

/* A client's certificate must be on one of our own groups; a server's on one of the peer's. */
static bool group_suits(const SSL *s, const SSL_CIPHER *suite, const struct group *group)
{
    bool is_server = s->conn.role != ROLE_CLIENT;
    uint8_t id[2];

    if (group == NULL ||
        (!is_server && !u16_list_has(config_groups(&s->config->core), group->id))) {
        return false;
    }
    id[0] = (uint8_t)(group->id >> 8);
    id[1] = (uint8_t)group->id;
    if (suite != NULL && !is_tls13(s) && !suite12_takes_curve(&s->conn, suite, group)) {
        return false;
    }
    if (!ssl_is_allowed(s, SSL_SECOP_CURVE_CHECK, group->security_bits, group->nid, id)) {
        return false;
    }
    return !is_server || u16_list_len(s->conn.neg.peer_groups) == 0 ||
           u16_list_has(s->conn.neg.peer_groups, group->id);
}

static bool parameters_suit(const SSL *s, const SSL_CIPHER *suite, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);

    if (key == NULL) {
        return false;
    }
    if (key_slot_of(key) != KEY_ECDSA) {
        return true;
    }
    return group_suits(s, suite, group_by_nid(s->config->core.lib, key_curve(key)));
}

/* Suite B signs with the digest that goes with the curve, which the peer must take: RFC 6460, 4. */
static bool suite_b_digest_suits(SSL *s, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    const struct sig_scheme *scheme;

    if (s->config->core.suite_b == SUITE_B_OFF || key == NULL || key_slot_of(key) != KEY_ECDSA) {
        return true;
    }
    for (int i = 0; (scheme = shared_scheme(s, i)) != NULL; i++) {
        if (suite_b_takes_scheme(scheme) && scheme->curve_nid == key_curve(key)) {
            return true;
        }
    }
    return false;
}

static int check_parameters(SSL *s, const SSL_CIPHER *suite, X509 *cert, STACK_OF(X509) *chain)
{
    int flags =
        parameters_suit(s, suite, cert) && suite_b_digest_suits(s, cert) ? CERT_PKEY_EE_PARAM : 0;

    if (s->conn.role != ROLE_CLIENT) {
        for (int i = 0; i < sk_X509_num(chain); i++) {
            if (!parameters_suit(s, suite, sk_X509_value(chain, i))) {
                return flags;
            }
        }
    }
    return flags | CERT_PKEY_CA_PARAM;
}

/* --- What a server's CertificateRequest asks for --- */

static bool issuer_is_named(const STACK_OF(X509_NAME) *names, const X509 *cert)
{
    const X509_NAME *issuer = X509_get_issuer_name(cert);

    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        if (X509_NAME_cmp(issuer, sk_X509_NAME_value(names, i)) == 0) {
            return true;
        }
    }
    return false;
}

static int check_issuers(const SSL *s, X509 *cert, STACK_OF(X509) *chain)
{
    const STACK_OF(X509_NAME) *names = s->peer_ca_names;

    if (sk_X509_NAME_num(names) <= 0 || issuer_is_named(names, cert)) {
        return CERT_PKEY_ISSUER_NAME;
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (issuer_is_named(names, sk_X509_value(chain, i))) {
            return CERT_PKEY_ISSUER_NAME;
        }
    }
    return 0;
}

/* TLS 1.3 asks for no types, so that the kinds which have one are not among those asked for. */
static int check_request(SSL *s, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *chain)
{
    const unsigned char *types = NULL;
    long num = SSL_get0_certificate_types(s, &types);
    enum key_slot slot = key_slot_of(key);
    int wanted = slot == KEY_RSA     ? TLS_CT_RSA_SIGN
                 : slot == KEY_DSA   ? TLS_CT_DSS_SIGN
                 : slot == KEY_ECDSA ? TLS_CT_ECDSA_SIGN
                                     : 0;
    int flags = check_issuers(s, cert, chain);

    if (wanted == 0) {
        return flags | CERT_PKEY_CERT_TYPE;
    }
    for (long i = 0; i < num; i++) {
        if (types[i] == wanted) {
            return flags | CERT_PKEY_CERT_TYPE;
        }
    }
    return flags;
}

/* Whether one of the schemes that both sides have signs with such a key. */
static int check_signing(SSL *s, enum key_slot slot)
{
    const struct sig_scheme *scheme;

    if (s->conn.neg.version != 0 && s->conn.neg.version < TLS1_2_VERSION) {
        return CERT_PKEY_SIGN | CERT_PKEY_EXPLICIT_SIGN;
    }
    for (int i = 0; (scheme = shared_scheme(s, i)) != NULL; i++) {
        if (scheme->slot == slot && !(is_tls13(s) && scheme->kind == SIG_RSA_PKCS1)) {
            return CERT_PKEY_SIGN | CERT_PKEY_EXPLICIT_SIGN;
        }
    }
    return 0;
}

static bool is_strict(const SSL *s)
{
    return (s->config->cert_flags & (SSL_CERT_FLAG_SUITEB_128_LOS | SSL_CERT_FLAG_TLS_STRICT)) != 0;
}

/* Everything but whether the key can sign: CERT_PKEY_VALID is among it when the rest is enough.
 * suite: the one chosen, which matters to Suite B; NULL: none as yet. */
static int check_chain(SSL *s, const SSL_CIPHER *suite, X509 *cert, EVP_PKEY *key,
                       STACK_OF(X509) *chain, int needed)
{
    unsigned long suite_b = s->config->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS;
    int flags = 0;

    if (suite_b != 0) {
        needed |= CERT_PKEY_SUITEB;
        if (X509_chain_check_suiteb(NULL, cert, chain, suite_b) == X509_V_OK) {
            flags |= CERT_PKEY_SUITEB;
        }
    }
    flags |= check_signatures(s, cert, key, chain, key_slot_of(key));
    flags |= check_parameters(s, suite, cert, chain);
    flags |= s->conn.role == ROLE_CLIENT ? check_request(s, cert, key, chain)
                                         : CERT_PKEY_ISSUER_NAME | CERT_PKEY_CERT_TYPE;
    return (flags & needed) == needed ? flags | CERT_PKEY_VALID : flags;
}

bool own_chain_suits(void *owner, enum key_slot slot)
{
    SSL *s = owner;
    const struct credential *own = &s->config->core.credentials->slot[slot];
    int needed = is_strict(s) ? STRICT_FLAGS : CERT_PKEY_EE_PARAM;

    return (check_chain(s, NULL, own->cert, own->key, own->chain, needed) & CERT_PKEY_VALID) != 0;
}

int SSL_check_chain(SSL *s, X509 *x, EVP_PKEY *pk, STACK_OF(X509) *chain)
{
    enum key_slot slot = x != NULL && pk != NULL ? key_slot_of(pk) : KEY_NONE;

    if (slot == KEY_NONE) {
        return 0;
    }
    return check_chain(s, s->conn.neg.suite, x, pk, chain,
                       is_strict(s) ? STRICT_FLAGS : VALID_FLAGS) |
           check_signing(s, slot);
}
