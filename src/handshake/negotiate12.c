/*
 * The choices of TLS 1.2; see negotiate12.h. RFC 5246, 7.4.1.2, 7.4.2, 7.4.4; RFC 8422, 4 and 5.
 */
#include "handshake/negotiate12.h"

#include "crypto/cert.h"
#include "handshake/negotiate.h"

/* Signature algorithms of a client that names none: RFC 5246, 7.4.1.4.1. */
static const uint16_t implied_sigalgs[] = { 0x0201, 0x0203 };

/* Key exchanges and authentications that are implemented. */
#define KX_ALL (KX_RSA | KX_DHE | KX_ECDHE)
#define AUTH_ALL (AUTH_RSA | AUTH_ECDSA | AUTH_NULL)

bool suite12_is_ephemeral(const struct ssl_cipher_st *suite)
{
    return (suite->kx & (KX_DHE | KX_ECDHE)) != 0;
}

bool suite12_has_certificate(const struct ssl_cipher_st *suite)
{
    return suite->auth != AUTH_NULL;
}

bool suite12_signs_exchange(const struct ssl_cipher_st *suite)
{
    return suite12_is_ephemeral(suite) && suite12_has_certificate(suite);
}

bool suite12_fits_slot(const struct ssl_cipher_st *suite, enum key_slot slot)
{
    switch (suite->auth) {
    case AUTH_RSA:
        return slot == KEY_RSA || (slot == KEY_RSA_PSS && suite->kx != KX_RSA);
    case AUTH_ECDSA:
        return slot == KEY_ECDSA || slot == KEY_ED25519 || slot == KEY_ED448;
    default:
        return false;
    }
}

static bool is_for_tls12(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    return suite != NULL && !suite->tls13 && (suite->kx & KX_ALL) != 0 &&
           (suite->auth & AUTH_ALL) != 0 && suite->min_version <= VERSION_TLS12 &&
           suite->max_version >= VERSION_TLS12 && suite_is_available(c->config->lib, suite);
}

const struct ssl_cipher_st *negotiate_next_suite12(const struct tls_conn *c, size_t *position)
{
    const struct blob *list = c->config->suites;

    while (*position < u16_list_len(list)) {
        const struct ssl_cipher_st *suite = suite_by_id(u16_list_at(list, (*position)++));
        if (is_for_tls12(c, suite) &&
            c->hooks->allows_suite(c->owner, SECURITY_SUPPORTED, suite)) {
            return suite;
        }
    }
    return NULL;
}

/* --- Groups --- */

static bool supports_group12(const struct tls_conn *c, const struct group *group)
{
    return group != NULL && group->kind != GROUP_FFDH &&
           u16_list_has(config_groups(c->config), group->id) &&
           group_is_available(c->config->lib, group) &&
           c->hooks->allows_group(c->owner, SECURITY_SHARED, group);
}

/* The curve for ECDHE. A client that names none takes any: RFC 8422, 4. */
static const struct group *choose_group12(const struct tls_conn *c)
{
    const struct blob *own = config_groups(c->config);
    const struct blob *peer = c->neg.peer_groups;
    bool own_first = (c->config->options & OPTION_CIPHER_SERVER_PREFERENCE) != 0;
    const struct blob *preferred = own_first || peer == NULL ? own : peer;

    for (size_t i = 0; i < u16_list_len(preferred); i++) {
        const struct group *group = group_by_id(u16_list_at(preferred, i));
        if (supports_group12(c, group) && (peer == NULL || u16_list_has(peer, group->id))) {
            return group;
        }
    }
    return NULL;
}

/* --- Signatures --- */

static bool can_sign12(const struct tls_conn *c, const struct sig_scheme *scheme)
{
    const struct credentials *set = c->config->credentials;

    return credentials_has(set, scheme->slot) &&
           sig_scheme_fits_key(c->config->lib, scheme, set->slot[scheme->slot].key, false) &&
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

/* The first scheme that both have, that we can sign with and that suits the suite (NULL: any). */
static const struct sig_scheme *choose_scheme12(const struct tls_conn *c, const struct blob *own,
                                                const struct ssl_cipher_st *suite)
{
    bool own_first = (c->config->options & OPTION_CIPHER_SERVER_PREFERENCE) != 0;
    size_t num = own_first ? u16_list_len(own) : num_peer_sigalgs(c);

    for (size_t i = 0; i < num; i++) {
        uint16_t id = own_first ? u16_list_at(own, i) : peer_sigalg(c, i);
        const struct sig_scheme *scheme = sig_scheme_by_id(id);
        if (scheme != NULL && (own_first ? peer_has_sigalg(c, id) : u16_list_has(own, id)) &&
            (suite == NULL || suite12_fits_slot(suite, scheme->slot)) && can_sign12(c, scheme)) {
            return scheme;
        }
    }
    return NULL;
}

const struct sig_scheme *negotiate_client_scheme12(const struct tls_conn *c)
{
    return choose_scheme12(c, config_client_sigalgs(c->config), NULL);
}

/* --- Suites --- */

/* True when the server has what the suite needs; fills in the rest of the choice. */
static bool complete(const struct tls_conn *c, struct choice12 *choice)
{
    const struct ssl_cipher_st *suite = choice->suite;

    choice->group = NULL;
    choice->scheme = NULL;
    if (suite->kx == KX_ECDHE) {
        choice->group = choose_group12(c);
        if (choice->group == NULL) {
            return false;
        }
    }
    if (suite->kx == KX_DHE && !c->hooks->has_dhe(c->owner)) {
        return false;
    }
    if (suite->kx == KX_RSA) {
        /* Nothing is signed, but SSL_get_signature_nid() tells what would be. */
        choice->scheme = choose_scheme12(c, config_sigalgs(c->config), suite);
        return credentials_has(c->config->credentials, KEY_RSA);
    }
    if (suite12_signs_exchange(suite)) {
        choice->scheme = choose_scheme12(c, config_sigalgs(c->config), suite);
        return choice->scheme != NULL;
    }
    return true;
}

static bool takes(const struct tls_conn *c, const struct ssl_cipher_st *suite,
                  struct choice12 *choice)
{
    if (!is_for_tls12(c, suite) || !c->hooks->allows_suite(c->owner, SECURITY_SHARED, suite)) {
        return false;
    }
    choice->suite = suite;
    return complete(c, choice);
}

static bool offers(struct reader offered, uint16_t id)
{
    uint16_t next;

    while (reader_u16(&offered, &next)) {
        if (next == id) {
            return true;
        }
    }
    return false;
}

bool negotiate_server12(const struct tls_conn *c, struct reader offered, struct choice12 *choice)
{
    const struct blob *own = c->config->suites;
    uint16_t id;

    if ((c->config->options & OPTION_CIPHER_SERVER_PREFERENCE) != 0) {
        for (size_t i = 0; i < u16_list_len(own); i++) {
            id = u16_list_at(own, i);
            if (offers(offered, id) && takes(c, suite_by_id(id), choice)) {
                return true;
            }
        }
        return false;
    }
    while (reader_u16(&offered, &id)) {
        if (u16_list_has(own, id) && takes(c, suite_by_id(id), choice)) {
            return true;
        }
    }
    return false;
}
