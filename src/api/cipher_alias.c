/*
 * The aliases of cipher lists (ciphers(1), "CIPHER STRINGS"). Aliases of algorithms that no suite
 * of the table has (GOST, RC4, IDEA, ...) are not listed: they select nothing, as unknown words do.
 */
#include "api/cipher_alias.h"

#include <openssl/tls1.h>
#include <string.h>

#define AUTH_KNOWN     (AUTH_RSA | AUTH_DSS | AUTH_ECDSA | AUTH_PSK | AUTH_SRP | AUTH_ANY)
#define ENC_ALL_AES128 (ENC_AES128 | ENC_AES128GCM | ENC_AES128CCM | ENC_AES128CCM8)
#define ENC_ALL_AES256 (ENC_AES256 | ENC_AES256GCM | ENC_AES256CCM | ENC_AES256CCM8)
#define ENC_ALL_CBC    (ENC_3DES | ENC_AES128 | ENC_AES256 | ENC_CAMELLIA128 | ENC_CAMELLIA256)

static const struct alias {
    const char *name;
    struct cipher_term term;
} aliases[] = {
    { "ALL", { .enc = ~(uint32_t)ENC_NULL } },
    { "COMPLEMENTOFALL", { .enc = ENC_NULL } },
    { "COMPLEMENTOFDEFAULT", { .not_default = true } },

    { "kRSA", { .kx = KX_RSA } },
    { "kEDH", { .kx = KX_DHE } },
    { "kDHE", { .kx = KX_DHE } },
    { "DH", { .kx = KX_DHE } },
    { "kEECDH", { .kx = KX_ECDHE } },
    { "kECDHE", { .kx = KX_ECDHE } },
    { "ECDH", { .kx = KX_ECDHE } },
    { "kPSK", { .kx = KX_PSK } },
    { "kRSAPSK", { .kx = KX_RSA_PSK } },
    { "kECDHEPSK", { .kx = KX_ECDHE_PSK } },
    { "kDHEPSK", { .kx = KX_DHE_PSK } },
    { "kSRP", { .kx = KX_SRP } },

    { "aRSA", { .auth = AUTH_RSA } },
    { "aDSS", { .auth = AUTH_DSS } },
    { "DSS", { .auth = AUTH_DSS } },
    { "aNULL", { .auth = AUTH_NULL } },
    { "aECDSA", { .auth = AUTH_ECDSA } },
    { "ECDSA", { .auth = AUTH_ECDSA } },
    { "aPSK", { .auth = AUTH_PSK } },
    { "aSRP", { .auth = AUTH_SRP } },

    { "EDH", { .kx = KX_DHE, .auth = AUTH_KNOWN } },
    { "DHE", { .kx = KX_DHE, .auth = AUTH_KNOWN } },
    { "EECDH", { .kx = KX_ECDHE, .auth = AUTH_KNOWN } },
    { "ECDHE", { .kx = KX_ECDHE, .auth = AUTH_KNOWN } },
    { "NULL", { .enc = ENC_NULL } },
    { "RSA", { .kx = KX_RSA, .auth = AUTH_RSA } },
    { "ADH", { .kx = KX_DHE, .auth = AUTH_NULL } },
    { "AECDH", { .kx = KX_ECDHE, .auth = AUTH_NULL } },
    { "PSK", { .kx = KX_ALL_PSK } },
    { "SRP", { .kx = KX_SRP } },

    { "3DES", { .enc = ENC_3DES } },
    { "eNULL", { .enc = ENC_NULL } },
    { "AES128", { .enc = ENC_ALL_AES128 } },
    { "AES256", { .enc = ENC_ALL_AES256 } },
    { "AES", { .enc = ENC_ALL_AES128 | ENC_ALL_AES256 } },
    { "AESGCM", { .enc = ENC_AES128GCM | ENC_AES256GCM } },
    { "AESCCM", { .enc = ENC_AES128CCM | ENC_AES256CCM | ENC_AES128CCM8 | ENC_AES256CCM8 } },
    { "AESCCM8", { .enc = ENC_AES128CCM8 | ENC_AES256CCM8 } },
    { "CAMELLIA128", { .enc = ENC_CAMELLIA128 } },
    { "CAMELLIA256", { .enc = ENC_CAMELLIA256 } },
    { "CAMELLIA", { .enc = ENC_CAMELLIA128 | ENC_CAMELLIA256 } },
    { "CHACHA20", { .enc = ENC_CHACHA20 } },
    { "ARIA", { .enc = ENC_ARIA128GCM | ENC_ARIA256GCM } },
    { "ARIAGCM", { .enc = ENC_ARIA128GCM | ENC_ARIA256GCM } },
    { "ARIA128", { .enc = ENC_ARIA128GCM } },
    { "ARIA256", { .enc = ENC_ARIA256GCM } },
    { "CBC", { .enc = ENC_ALL_CBC } },

    { "MD5", { .mac = MAC_MD5 } },
    { "SHA1", { .mac = MAC_SHA1 } },
    { "SHA", { .mac = MAC_SHA1 } },
    { "SHA256", { .mac = MAC_SHA256 } },
    { "SHA384", { .mac = MAC_SHA384 } },

    { "SSLv3", { .min_version = SSL3_VERSION } },
    { "TLSv1", { .min_version = TLS1_VERSION } },
    { "TLSv1.0", { .min_version = TLS1_VERSION } },
    { "TLSv1.2", { .min_version = TLS1_2_VERSION } },

    { "LOW", { .classes = CLASS_LOW } },
    { "MEDIUM", { .classes = CLASS_MEDIUM } },
    { "HIGH", { .classes = CLASS_HIGH } },
    { "FIPS", { .classes = CLASS_FIPS } },

    /* Names from before OpenSSL 1.1.0. */
    { "EDH-DSS-DES-CBC3-SHA",
      { .kx = KX_DHE, .auth = AUTH_DSS, .enc = ENC_3DES, .mac = MAC_SHA1 } },
    { "EDH-RSA-DES-CBC3-SHA",
      { .kx = KX_DHE, .auth = AUTH_RSA, .enc = ENC_3DES, .mac = MAC_SHA1 } },
};

static uint32_t classes_of(const struct ssl_cipher_st *suite)
{
    uint32_t class = suite->high ? CLASS_HIGH : CLASS_MEDIUM;

    if (suite->enc == ENC_NULL) {
        class = CLASS_NONE;
    }
    return class | (suite->fips ? CLASS_FIPS : 0);
}

static bool fits(uint32_t asked, uint32_t there)
{
    return asked == 0 || (asked & there) != 0;
}

bool cipher_term_matches(const struct cipher_term *term, const struct ssl_cipher_st *suite)
{
    if (term->by_strength) {
        return suite->strength_bits == term->strength_bits;
    }
    return (term->id == 0 || term->id == suite->id) && fits(term->kx, suite->kx) &&
           fits(term->auth, suite->auth) && fits(term->enc, suite->enc) &&
           fits(term->mac, suite->mac) && fits(term->classes, classes_of(suite)) &&
           (term->min_version == 0 || term->min_version == suite->min_version) &&
           (!term->not_default || suite->not_default);
}

bool cipher_has_name(const struct ssl_cipher_st *suite, const char *word, size_t len)
{
    return strlen(suite->name) == len && memcmp(suite->name, word, len) == 0;
}

/* False: nothing is left. */
static bool narrow(uint32_t *mask, uint32_t by)
{
    if (by == 0) {
        return true;
    }
    *mask = *mask == 0 ? by : *mask & by;
    return *mask != 0;
}

static bool term_narrow(struct cipher_term *term, const struct cipher_term *by)
{
    /* OpenSSL forgets COMPLEMENTOFDEFAULT when a class comes after it. */
    if (term->classes == 0 && by->classes != 0) {
        term->not_default = false;
    }
    if (!narrow(&term->kx, by->kx) || !narrow(&term->auth, by->auth) ||
        !narrow(&term->enc, by->enc) || !narrow(&term->mac, by->mac) ||
        !narrow(&term->classes, by->classes)) {
        return false;
    }
    term->not_default = term->not_default || by->not_default;
    if (by->id != 0) {
        term->id = by->id;
    }
    if (by->min_version != 0) {
        if (term->min_version != 0 && term->min_version != by->min_version) {
            return false;
        }
        term->min_version = by->min_version;
    }
    return true;
}

bool cipher_term_add_suite(struct cipher_term *term, const struct ssl_cipher_st *suite)
{
    struct cipher_term by = { .kx = suite->kx,
                              .auth = suite->auth,
                              .enc = suite->enc,
                              .mac = suite->mac,
                              .classes = classes_of(suite),
                              .not_default = suite->not_default,
                              .id = suite->id };

    return term_narrow(term, &by);
}

bool cipher_term_add_alias(struct cipher_term *term, const char *word, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (strlen(aliases[i].name) == len && memcmp(aliases[i].name, word, len) == 0) {
            return term_narrow(term, &aliases[i].term);
        }
    }
    return false;
}
