/*
 * The choices of TLS 1.2; see negotiate12.h. RFC 5246, 7.4.1.2, 7.4.2, 7.4.4; RFC 8422, 4 and 5.
 */
#include "handshake/negotiate12.h"

#include "crypto/cert.h"
#include "handshake/negotiate.h"
#include "handshake/versions.h"

/* Signature algorithms of a client that names none: RFC 5246, 7.4.1.4.1. */
static const uint16_t implied_sigalgs[] = { 0x0201, 0x0203 };

/* Key exchanges and authentications that are implemented. */
#define KX_ALL   (KX_RSA | KX_DHE | KX_ECDHE | KX_ALL_PSK)
#define AUTH_ALL (AUTH_RSA | AUTH_DSS | AUTH_ECDSA | AUTH_NULL | AUTH_PSK)

enum exchange12 suite12_exchange(const struct ssl_cipher_st *suite)
{
    if ((suite->kx & (KX_ECDHE | KX_ECDHE_PSK)) != 0) {
        return EXCHANGE12_ECDHE;
    }
    if ((suite->kx & (KX_DHE | KX_DHE_PSK)) != 0) {
        return EXCHANGE12_DHE;
    }
    return (suite->kx & (KX_RSA | KX_RSA_PSK)) != 0 ? EXCHANGE12_RSA : EXCHANGE12_NONE;
}

bool suite12_has_psk(const struct ssl_cipher_st *suite)
{
    return (suite->kx & KX_ALL_PSK) != 0;
}

bool suite12_is_ephemeral(const struct ssl_cipher_st *suite)
{
    return (suite->kx & (KX_DHE | KX_ECDHE | KX_DHE_PSK | KX_ECDHE_PSK)) != 0;
}

bool suite12_has_certificate(const struct ssl_cipher_st *suite)
{
    return (suite->auth & (AUTH_NULL | AUTH_PSK)) == 0;
}

bool suite12_signs_exchange(const struct ssl_cipher_st *suite)
{
    return suite12_is_ephemeral(suite) && suite12_has_certificate(suite);
}

uint32_t negotiate_auth_of_slot12(enum key_slot slot)
{
    switch (slot) {
    case KEY_RSA:
    case KEY_RSA_PSS:
        return AUTH_RSA;
    case KEY_DSA:
        return AUTH_DSS;
    case KEY_ECDSA:
    case KEY_ED25519:
    case KEY_ED448:
        return AUTH_ECDSA;
    case KEY_GOST01:
    case KEY_GOST12_256:
    case KEY_GOST12_512:
    case KEY_NONE:
        break;
    }
    return 0;
}

/* True when a certificate's key in slot suits the suite's authentication. */
static bool fits_slot(const struct ssl_cipher_st *suite, enum key_slot slot)
{
    return negotiate_auth_of_slot12(slot) == suite->auth &&
           !(slot == KEY_RSA_PSS && suite12_exchange(suite) == EXCHANGE12_RSA);
}

bool negotiate_takes_auth12(const struct tls_conn *c, const struct blob *sigalgs, uint32_t auth)
{
    for (size_t i = 0; i < u16_list_len(sigalgs); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(sigalgs, i));
        if (scheme != NULL && negotiate_auth_of_slot12(scheme->slot) == auth &&
            c->hooks->allows_scheme(c->owner, SECURITY_SUPPORTED, scheme)) {
            return true;
        }
    }
    return false;
}

static bool is_for_versions(const struct tls_conn *c, const struct ssl_cipher_st *suite,
                            uint16_t min, uint16_t max)
{
    return suite != NULL && !suite->tls13 && (suite->kx & KX_ALL) != 0 &&
           (suite->auth & AUTH_ALL) != 0 && suite->min_version <= max &&
           suite->max_version >= min && suite_is_available(c->config->lib, suite) &&
           (!suite12_has_psk(suite) || c->hooks->has_psk(c->owner));
}

const struct ssl_cipher_st *negotiate_next_suite12(const struct tls_conn *c, uint16_t min,
                                                   uint16_t max, size_t *position)
{
    const struct blob *list = c->config->suites;

    while (*position < u16_list_len(list)) {
        const struct ssl_cipher_st *suite = suite_by_id(u16_list_at(list, (*position)++));
        if (is_for_versions(c, suite, min, max) &&
            (!suite12_has_certificate(suite) ||
             negotiate_takes_auth12(c, config_sigalgs(c->config), suite->auth)) &&
            c->hooks->allows_suite(c->owner, SECURITY_SUPPORTED, suite)) {
            return suite;
        }
    }
    return NULL;
}

/* --- Groups --- */

bool negotiate_has_curve12(const struct tls_conn *c, uint16_t min, uint16_t max)
{
    const struct blob *own = config_groups(c->config);

    for (size_t i = 0; i < u16_list_len(own); i++) {
        const struct group *group = group_by_id(c->config->lib, u16_list_at(own, i));
        if (group != NULL && group_is_curve(group) && group_serves(group, min, max) &&
            c->hooks->allows_group(c->owner, SECURITY_SUPPORTED, group)) {
            return true;
        }
    }
    return false;
}

bool suite12_takes_curve(const struct tls_conn *c, const struct ssl_cipher_st *suite,
                         const struct group *group)
{
    if (c->config->suite_b == SUITE_B_OFF) {
        return true;
    }
    return suite->kx == KX_ECDHE && suite->auth == AUTH_ECDSA &&
           ((suite->enc == ENC_AES128GCM && group->id == GROUP_ID_SECP256R1) ||
            (suite->enc == ENC_AES256GCM && group->id == GROUP_ID_SECP384R1));
}

const struct group *negotiate_group12(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    const struct blob *own = config_groups(c->config);
    const struct blob *peer = c->neg.peer_groups;
    bool own_first = config_own_first(c->config);
    const struct blob *preferred = own_first ? own : peer;
    uint16_t version = c->neg.version;

    for (size_t i = 0; i < u16_list_len(preferred); i++) {
        const struct group *group = group_by_id(c->config->lib, u16_list_at(preferred, i));
        if (group != NULL && group_serves(group, version, version) &&
            u16_list_has(own, group->id) &&
            c->hooks->allows_group(c->owner, SECURITY_SHARED, group) &&
            u16_list_has(peer, group->id) && suite12_takes_curve(c, suite, group)) {
            return group;
        }
    }
    return NULL;
}

/* --- Signatures --- */

bool negotiate_names_schemes12(const struct tls_conn *c)
{
    return version_rules(c->neg.version)->scheme == NULL;
}

const struct sig_scheme *negotiate_implied_scheme(const struct tls_conn *c, enum key_slot slot)
{
    const struct sig_scheme *scheme = version_rules(c->neg.version)->scheme(slot);

    return scheme != NULL && hash_get(c->config->lib, scheme->hash) != NULL &&
                   c->hooks->allows_scheme(c->owner, SECURITY_SUPPORTED, scheme)
               ? scheme
               : NULL;
}

bool suite_b_takes_scheme(const struct sig_scheme *scheme)
{
    return scheme->id == SIG_ID_ECDSA_P256_SHA256 || scheme->id == SIG_ID_ECDSA_P384_SHA384;
}

static bool can_sign12(const struct tls_conn *c, const struct sig_scheme *scheme)
{
    const struct credentials *set = c->config->credentials;
    /* As in TLS 1.3 Suite B binds a scheme to its curve: RFC 6460, 4.1. */
    bool curve_bound = c->config->suite_b != SUITE_B_OFF && scheme->slot == KEY_ECDSA;

    return credentials_has(set, scheme->slot) &&
           signer_fits(c->config->lib, scheme, set->slot[scheme->slot].signer, curve_bound) &&
           c->hooks->allows_scheme(c->owner, SECURITY_SHARED, scheme);
}

static size_t num_peer_sigalgs(const struct tls_conn *c)
{
    return c->neg.peer_sigalgs == NULL ? COUNT_OF(implied_sigalgs)
                                       : u16_list_len(c->neg.peer_sigalgs);
}

static uint16_t peer_sigalg(const struct tls_conn *c, size_t i)
{
    return c->neg.peer_sigalgs == NULL ? implied_sigalgs[i] : u16_list_at(c->neg.peer_sigalgs, i);
}

static bool peer_has_sigalg(const struct tls_conn *c, uint16_t id)
{
    for (size_t i = 0; i < num_peer_sigalgs(c); i++) {
        if (peer_sigalg(c, i) == id) {
            return true;
        }
    }
    return false;
}

static bool has_chain(const struct tls_conn *c, enum key_slot slot)
{
    return credentials_has(c->config->credentials, slot) &&
           c->hooks->own_chain_suits(c->owner, slot);
}

/* A server may use any certificate for the suite; a client (suite is NULL) that of the slot which
 * was set or selected last, as in OpenSSL. */
static bool is_candidate(const struct tls_conn *c, enum key_slot slot,
                         const struct ssl_cipher_st *suite)
{
    if (suite == NULL) {
        return slot == c->config->credentials->current;
    }
    return fits_slot(suite, slot) && has_chain(c, slot);
}

/* The first scheme that both have and that we can sign with. */
static const struct sig_scheme *choose_scheme12(const struct tls_conn *c, const struct blob *own,
                                                const struct ssl_cipher_st *suite)
{
    bool own_first = config_own_first(c->config);
    size_t num = own_first ? u16_list_len(own) : num_peer_sigalgs(c);

    for (size_t i = 0; i < num; i++) {
        uint16_t id = own_first ? u16_list_at(own, i) : peer_sigalg(c, i);
        const struct sig_scheme *scheme = sig_scheme_by_id(id);
        if (scheme != NULL && (own_first ? peer_has_sigalg(c, id) : u16_list_has(own, id)) &&
            is_candidate(c, scheme->slot, suite) && can_sign12(c, scheme)) {
            return scheme;
        }
    }
    return NULL;
}

const struct sig_scheme *negotiate_client_scheme12(const struct tls_conn *c)
{
    const struct credentials *own = c->config->credentials;
    const struct sig_scheme *scheme = NULL;

    if (negotiate_names_schemes12(c)) {
        scheme = choose_scheme12(c, config_client_sigalgs(c->config), NULL);
    } else if (credentials_has(own, own->current)) {
        scheme = negotiate_implied_scheme(c, own->current);
    }
    /* Without being told to, a client does not mind whether its chain suits the server. */
    bool strict = c->config->strict_certs || c->config->suite_b != SUITE_B_OFF;
    return scheme == NULL || !strict || c->hooks->own_chain_suits(c->owner, scheme->slot) ? scheme
                                                                                          : NULL;
}

const struct sig_scheme *negotiate_server_scheme12(const struct tls_conn *c)
{
    enum key_slot slot = KEY_RSA;

    if (!negotiate_names_schemes12(c)) {
        while (slot < KEY_NONE && negotiate_auth_of_slot12(slot) != c->neg.suite->auth) {
            slot++;
        }
        return negotiate_implied_scheme(c, slot);
    }
    return choose_scheme12(c, config_sigalgs(c->config), c->neg.suite);
}

/* --- Suites --- */

static bool has_scheme_for_slot(const struct tls_conn *c, enum key_slot slot)
{
    const struct blob *own = config_sigalgs(c->config);

    /* Whether the security level is against the implied one, OpenSSL finds out afterwards. */
    if (!negotiate_names_schemes12(c)) {
        return version_rules(c->neg.version)->scheme(slot) != NULL;
    }
    for (size_t i = 0; i < u16_list_len(own); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(own, i));
        if (scheme != NULL && scheme->slot == slot && peer_has_sigalg(c, scheme->id) &&
            can_sign12(c, scheme)) {
            return true;
        }
    }
    return false;
}

/* RFC 8422, 5.1: a client's groups also say on which curves it can have ECDSA certificates. */
static bool has_ecdsa_cert(const struct tls_conn *c)
{
    return has_chain(c, KEY_ECDSA) && cert_may_sign(c->config->credentials->slot[KEY_ECDSA].cert) &&
           has_scheme_for_slot(c, KEY_ECDSA);
}

/* True when there is a certificate for the suite. For RSA and DSA keys it does not count whether
 * the peer can verify their signatures: OpenSSL finds that out after it has chosen, and then fails.
 */
static bool has_cert_for(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    switch (suite->auth) {
    case AUTH_RSA:
        return has_chain(c, KEY_RSA) ||
               (suite12_exchange(suite) != EXCHANGE12_RSA && has_scheme_for_slot(c, KEY_RSA_PSS));
    case AUTH_DSS:
        return credentials_has(c->config->credentials, KEY_DSA);
    case AUTH_ECDSA:
        return has_ecdsa_cert(c) || has_scheme_for_slot(c, KEY_ED25519) ||
               has_scheme_for_slot(c, KEY_ED448);
    default:
        return !suite12_has_certificate(suite);
    }
}

static bool has_key_exchange_for(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    switch (suite12_exchange(suite)) {
    case EXCHANGE12_ECDHE:
        /* With a PSK OpenSSL finds out that there is no group when it has chosen. */
        return suite12_has_psk(suite) || negotiate_group12(c, suite) != NULL;
    case EXCHANGE12_DHE:
        return c->hooks->has_dhe(c->owner);
    case EXCHANGE12_RSA:
    case EXCHANGE12_NONE:
        break;
    }
    return true;
}

static bool takes(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    uint16_t version = c->neg.version;

    return is_for_versions(c, suite, version, version) && has_cert_for(c, suite) &&
           has_key_exchange_for(c, suite) &&
           c->hooks->allows_suite(c->owner, SECURITY_SHARED, suite);
}

static const struct ssl_cipher_st *suite_by_own_preference(const struct tls_conn *c,
                                                           struct reader offered, bool chacha_only)
{
    const struct blob *own = c->config->suites;

    for (size_t i = 0; i < u16_list_len(own); i++) {
        uint16_t id = u16_list_at(own, i);
        const struct ssl_cipher_st *suite = suite_by_id(id);
        if (negotiate_offers(offered, id) && takes(c, suite) &&
            (!chacha_only || suite->aead == AEAD_CHACHA20_POLY1305)) {
            return suite;
        }
    }
    return NULL;
}

const struct ssl_cipher_st *negotiate_suite12(const struct tls_conn *c, struct reader offered)
{
    const struct ssl_cipher_st *suite = NULL;
    uint16_t id;

    if (config_own_first(c->config)) {
        if (negotiate_wants_chacha(c, offered)) {
            suite = suite_by_own_preference(c, offered, true);
        }
        return suite != NULL ? suite : suite_by_own_preference(c, offered, false);
    }
    while (reader_u16(&offered, &id)) {
        suite = suite_by_id(id);
        if (u16_list_has(c->config->suites, id) && takes(c, suite)) {
            return suite;
        }
    }
    return NULL;
}
