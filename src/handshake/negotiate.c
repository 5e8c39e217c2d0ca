/*
 * Choices; see negotiate.h.
 */
#include "handshake/negotiate.h"

#include "crypto/cert.h"
#include "handshake/states.h"
#include "handshake/versions.h"

/* Suite B (RFC 6460) has no suites before TLS 1.2. */
static bool version_is_on(const struct tls_conn *c, uint16_t version)
{
    /* A renegotiation keeps the version: RFC 5246, 7.4.1.3. */
    if (c->handshakes_done > 0 && version != c->neg.version) {
        return false;
    }
    if (!version_is_available(c->config->lib, version) ||
        !config_allows_version(c->config, version)) {
        return false;
    }
    /* As in OpenSSL a method of one version looks at nothing else. */
    return c->config->only_version != 0 ||
           ((version >= VERSION_TLS12 || c->config->suite_b == SUITE_B_OFF) &&
            c->hooks->allows_version(c->owner, version));
}

bool negotiate_version_range(const struct tls_conn *c, uint16_t *min, uint16_t *max)
{
    bool in_range = false;
    bool found = false;

    for (uint16_t version = VERSION_HIGHEST; version >= VERSION_LOWEST; version--) {
        bool is_on = version_is_on(c, version);
        if (is_on && !in_range) {
            *max = version;
        }
        if (is_on) {
            *min = version;
        }
        in_range = is_on;
        found = found || is_on;
    }
    return found;
}

bool negotiate_allows_version(const struct tls_conn *c, uint16_t version)
{
    uint16_t min;
    uint16_t max;

    if (c->role == ROLE_SERVER) {
        return version_is_on(c, version);
    }
    return negotiate_version_range(c, &min, &max) && version >= min && version <= max;
}

bool negotiate_serves_version(const struct tls_conn *c, uint16_t version)
{
    return negotiate_allows_version(c, version) &&
           (version < VERSION_TLS13 || c->hooks->can_serve_tls13(c->owner));
}

uint16_t negotiate_highest_version(const struct tls_conn *c)
{
    uint16_t min;
    uint16_t max;

    if (c->role == ROLE_CLIENT) {
        return negotiate_version_range(c, &min, &max) ? max : 0;
    }
    for (uint16_t version = VERSION_HIGHEST; version >= VERSION_LOWEST; version--) {
        if (version_is_on(c, version)) {
            return version;
        }
    }
    return 0;
}

/* --- Suites --- */

const struct ssl_cipher_st *negotiate_next_suite13(const struct tls_conn *c, size_t *position)
{
    const struct blob *list = config_suites13(c->config);

    while (*position < u16_list_len(list)) {
        const struct ssl_cipher_st *suite = suite_by_id(u16_list_at(list, (*position)++));
        if (suite != NULL && c->hooks->allows_suite(c->owner, SECURITY_SUPPORTED, suite)) {
            return suite;
        }
    }
    return NULL;
}

bool negotiate_offers(struct reader offered, uint16_t id)
{
    uint16_t next;

    while (reader_u16(&offered, &next)) {
        if (next == id) {
            return true;
        }
    }
    return false;
}

bool negotiate_wants_chacha(const struct tls_conn *c, struct reader offered)
{
    const struct ssl_cipher_st *suite = NULL;
    uint16_t first;

    if ((c->config->options & OPTION_PRIORITIZE_CHACHA) == 0) {
        return false;
    }
    /* GREASE (RFC 8701) and signalling values are not suites. */
    while (suite == NULL && reader_u16(&offered, &first)) {
        suite = suite_by_id(first);
    }
    return suite != NULL && suite->aead == AEAD_CHACHA20_POLY1305;
}

/* What a server looks for first among the suites of TLS 1.3. */
enum suite_wish { WISH_ANY, WISH_CHACHA20, WISH_SHA256 };

static bool is_shared13(const struct tls_conn *c, const struct ssl_cipher_st *suite,
                        enum suite_wish wish)
{
    return suite != NULL && suite->tls13 &&
           (wish != WISH_CHACHA20 || suite->aead == AEAD_CHACHA20_POLY1305) &&
           (wish != WISH_SHA256 || suite->hash == HASH_SHA256) &&
           c->hooks->allows_suite(c->owner, SECURITY_SHARED, suite);
}

static const struct ssl_cipher_st *
suite_by_own_preference(const struct tls_conn *c, struct reader offered, enum suite_wish wish)
{
    const struct blob *list = config_suites13(c->config);

    for (size_t i = 0; i < u16_list_len(list); i++) {
        uint16_t id = u16_list_at(list, i);
        const struct ssl_cipher_st *suite = suite_by_id(id);
        if (negotiate_offers(offered, id) && is_shared13(c, suite, wish)) {
            return suite;
        }
    }
    return NULL;
}

static const struct ssl_cipher_st *
suite_by_peer_preference(const struct tls_conn *c, struct reader offered, enum suite_wish wish)
{
    uint16_t id;

    while (reader_u16(&offered, &id)) {
        const struct ssl_cipher_st *suite = suite_by_id(id);
        if (u16_list_has(config_suites13(c->config), id) && is_shared13(c, suite, wish)) {
            return suite;
        }
    }
    return NULL;
}

/* Without a certificate only a pre-shared key can do, and one that the application's old callback
 * gives is for SHA-256 (RFC 8446, 4.2.11). */
static bool wants_sha256(const struct tls_conn *c)
{
    if (!c->hooks->has_psk(c->owner)) {
        return false;
    }
    for (enum key_slot slot = KEY_RSA; slot < NUM_KEY_SLOTS; slot++) {
        if (credentials_has(c->config->credentials, slot)) {
            return false;
        }
    }
    return true;
}

const struct ssl_cipher_st *negotiate_suite13(const struct tls_conn *c, struct reader offered)
{
    bool own_first = config_own_first(c->config);
    const struct ssl_cipher_st *suite = NULL;
    enum suite_wish wishes[3];
    size_t num = 0;

    if (own_first && negotiate_wants_chacha(c, offered)) {
        wishes[num++] = WISH_CHACHA20;
    }
    if (wants_sha256(c)) {
        wishes[num++] = WISH_SHA256;
    }
    wishes[num++] = WISH_ANY;
    for (size_t i = 0; i < num && suite == NULL; i++) {
        suite = own_first ? suite_by_own_preference(c, offered, wishes[i])
                          : suite_by_peer_preference(c, offered, wishes[i]);
    }
    return suite;
}

/* --- Groups --- */

bool negotiate_supports_group(const struct tls_conn *c, const struct group *group,
                              enum security_stage stage)
{
    return group != NULL && group_serves(group, VERSION_TLS13, VERSION_TLS13) &&
           u16_list_has(config_groups(c->config), group->id) &&
           c->hooks->allows_group(c->owner, stage, group);
}

const struct group *negotiate_next_group(const struct tls_conn *c, size_t *position)
{
    const struct blob *list = config_groups(c->config);

    while (*position < u16_list_len(list)) {
        const struct group *group = group_by_id(c->config->lib, u16_list_at(list, (*position)++));
        if (negotiate_supports_group(c, group, SECURITY_SUPPORTED)) {
            return group;
        }
    }
    return NULL;
}

struct offered_groups negotiate_offered_groups(const struct tls_conn *c)
{
    struct offered_groups walk = { .min = c->neg.version, .max = c->neg.version };

    /* A server names its groups when the version is settled. A client without any does not get as
     * far as this. */
    if (c->role == ROLE_CLIENT) {
        (void)!negotiate_version_range(c, &walk.min, &walk.max);
    }
    return walk;
}

const struct group *negotiate_next_offered_group(const struct tls_conn *c,
                                                 struct offered_groups *walk)
{
    const struct blob *list = config_groups(c->config);

    while (walk->position < u16_list_len(list)) {
        const struct group *group =
            group_by_id(c->config->lib, u16_list_at(list, walk->position++));
        if (group != NULL && group_serves(group, walk->min, walk->max) &&
            c->hooks->allows_group(c->owner, SECURITY_SUPPORTED, group)) {
            return group;
        }
    }
    return NULL;
}

/* --- Signatures --- */

const struct blob *negotiate_own_sigalgs(const struct tls_conn *c)
{
    /* What a server says in CertificateRequest is what it wants of client certificates. */
    return c->role == ROLE_SERVER ? config_client_sigalgs(c->config) : config_sigalgs(c->config);
}

/* With signature_algorithms_cert the peer also restricts how our certificate itself is signed
 * (RFC 8446, 4.2.3). */
static bool certificate_is_acceptable(const struct tls_conn *c, X509 *cert)
{
    const struct blob *list = c->neg.peer_cert_sigalgs;

    if (list == NULL) {
        return true;
    }
    for (size_t i = 0; i < u16_list_len(list); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(list, i));
        if (scheme != NULL && cert_is_signed_with(cert, scheme)) {
            return true;
        }
    }
    return false;
}

bool negotiate_can_sign(const struct tls_conn *c, const struct sig_scheme *scheme)
{
    const struct credentials *set = c->config->credentials;

    return scheme->tls13 && credentials_has(set, scheme->slot) &&
           signer_fits(c->config->lib, scheme, set->slot[scheme->slot].signer, true) &&
           certificate_is_acceptable(c, set->slot[scheme->slot].cert);
}

/* The first of preferred that is also in allowed and that we can sign with. */
static const struct sig_scheme *first_usable(const struct tls_conn *c, const struct blob *preferred,
                                             const struct blob *allowed)
{
    for (size_t i = 0; i < u16_list_len(preferred); i++) {
        uint16_t id = u16_list_at(preferred, i);
        const struct sig_scheme *scheme = sig_scheme_by_id(id);
        if (scheme != NULL && u16_list_has(allowed, id) &&
            c->hooks->allows_scheme(c->owner, SECURITY_SHARED, scheme) &&
            negotiate_can_sign(c, scheme)) {
            return scheme;
        }
    }
    return NULL;
}

bool negotiate_has_shared_sigalgs(const struct tls_conn *c)
{
    const struct blob *own = config_sigalgs(c->config);

    for (size_t i = 0; i < u16_list_len(c->neg.peer_sigalgs); i++) {
        uint16_t id = u16_list_at(c->neg.peer_sigalgs, i);
        const struct sig_scheme *scheme = sig_scheme_by_id(id);
        if (scheme != NULL && u16_list_has(own, id) &&
            c->hooks->allows_scheme(c->owner, SECURITY_SHARED, scheme)) {
            return true;
        }
    }
    return false;
}

const struct sig_scheme *negotiate_scheme(const struct tls_conn *c)
{
    const struct blob *own =
        c->role == ROLE_SERVER ? config_sigalgs(c->config) : config_client_sigalgs(c->config);

    return config_own_first(c->config) ? first_usable(c, own, c->neg.peer_sigalgs)
                                       : first_usable(c, c->neg.peer_sigalgs, own);
}
