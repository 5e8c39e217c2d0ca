/*
 * Protocol versions: the range that settings and security level leave, setting its ends, names;
 * and which suites and signature algorithms go with it.
 */
#include "api/versions.h"

#include "api/certs.h"

/* From the highest to the lowest that OpenSSL 3.0 has; Debian builds it without SSL 3.0. */
static const uint16_t versions[] = { VERSION_TLS13, VERSION_TLS12, VERSION_TLS11, VERSION_TLS1 };

static bool version_is_on(const SSL *s, uint16_t version)
{
    if (!config_allows_version(&s->config->core, version) ||
        !ssl_is_allowed(s, SSL_SECOP_VERSION, 0, version, NULL)) {
        return false;
    }
    /* Suite B (RFC 6460) has no suites before TLS 1.2. */
    return version >= VERSION_TLS12 || (s->config->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS) == 0;
}

bool ssl_version_range(const SSL *s, uint16_t *min, uint16_t *max)
{
    bool in_range = false;
    bool found = false;

    if (s->config->core.only_version != 0) {
        *min = s->config->core.only_version;
        *max = *min;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (!version_is_on(s, versions[i])) {
            in_range = false;
            continue;
        }
        *min = versions[i];
        if (!in_range) {
            *max = versions[i];
        }
        in_range = true;
        found = true;
    }
    return found;
}

static bool is_dtls(long version)
{
    return version == DTLS1_BAD_VER || version >> 8 == DTLS1_VERSION_MAJOR;
}

/* True when both ends belong to one family. */
static bool families_agree(long min, long max)
{
    return min == 0 || max == 0 || is_dtls(min) == is_dtls(max);
}

/* Stores version unless the method or the family does not care for it. False: there is no such
 * version. */
static bool store_bound(const struct ssl_config *config, uint16_t *bound, long version)
{
    if (version == 0) {
        *bound = 0;
        return true;
    }
    bool is_tls = version >= SSL3_VERSION && version <= TLS1_3_VERSION;
    bool known_dtls = version == DTLS1_BAD_VER || version == DTLS1_VERSION ||
                      (is_dtls(version) && version >= DTLS1_2_VERSION && version < DTLS1_VERSION);
    if (!is_tls && !known_dtls) {
        return false;
    }
    if (is_tls && config->core.only_version == 0) {
        *bound = (uint16_t)version;
    }
    return true;
}

long versions_set_min(SSL *s, SSL_CTX *ctx, long version)
{
    const struct ssl_config *old = settings_of(s, ctx);
    uint16_t bound = old->core.min_version;

    if (!families_agree(version, old->core.max_version) || !store_bound(old, &bound, version)) {
        return 0;
    }
    struct ssl_config *config = bound == old->core.min_version ? NULL : settings_edit(s, ctx);
    if (config == NULL) {
        return bound == old->core.min_version;
    }
    config->core.min_version = bound;
    return 1;
}

long versions_set_max(SSL *s, SSL_CTX *ctx, long version)
{
    const struct ssl_config *old = settings_of(s, ctx);
    uint16_t bound = old->core.max_version;

    if (!families_agree(old->core.min_version, version) || !store_bound(old, &bound, version)) {
        return 0;
    }
    struct ssl_config *config = bound == old->core.max_version ? NULL : settings_edit(s, ctx);
    if (config == NULL) {
        return bound == old->core.max_version;
    }
    config->core.max_version = bound;
    return 1;
}

const char *version_name(int version)
{
    switch (version) {
    case TLS1_3_VERSION:
        return "TLSv1.3";
    case TLS1_2_VERSION:
        return "TLSv1.2";
    case TLS1_1_VERSION:
        return "TLSv1.1";
    case TLS1_VERSION:
        return "TLSv1";
    case SSL3_VERSION:
        return "SSLv3";
    case DTLS1_BAD_VER:
        return "DTLSv0.9";
    case DTLS1_VERSION:
        return "DTLSv1";
    case DTLS1_2_VERSION:
        return "DTLSv1.2";
    default:
        return "unknown";
    }
}

bool suite_is_allowed(const SSL *s, int op, const SSL_CIPHER *suite)
{
    /* The callback's type has no const; nobody may write to a suite. */
    union {
        const SSL_CIPHER *given;
        void *other;
    } suite_of = { .given = suite };

    return ssl_is_allowed(s, op, suite->strength_bits, 0, suite_of.other);
}

bool sigalg_is_allowed(const SSL *s, int op, const struct sig_scheme *scheme)
{
    uint8_t code[2] = { (uint8_t)(scheme->id >> 8), (uint8_t)scheme->id };
    uint16_t min;
    uint16_t max;

    /* RFC 8446, 4.2.3: DSA, SHA-1 and SHA-224 are offered only where an older version may come. */
    bool only_old = scheme->kind == SIG_DSA || scheme->hash == HASH_SHA1 ||
                    scheme->hash == HASH_SHA224 || scheme->hash == HASH_MD5;
    if (only_old && !SSL_is_server(s) && ssl_version_range(s, &min, &max) && min >= VERSION_TLS13) {
        return false;
    }
    if (scheme->kind == SIG_DSA && s->conn.neg.version >= VERSION_TLS13) {
        return false;
    }
    return ssl_is_allowed(s, op, scheme->security_bits, scheme->hash_nid, code);
}
