/*
 * Terms of cipher lists as masks over the suite table.
 */
#ifndef TENON_API_CIPHER_ALIAS_H
#define TENON_API_CIPHER_ALIAS_H

#include "crypto/suite.h"

/* Classes of strength; a suite belongs to one of the first three and maybe to the last. */
enum cipher_class {
    CLASS_NONE = 1,
    CLASS_MEDIUM = 2,
    CLASS_HIGH = 4,
    CLASS_FIPS = 8,
    CLASS_LOW = 16 /* no suite any more; the word is still known */
};

/* What a suite has to be like; zero members ask for nothing, so that all zeros matches all. */
struct cipher_term {
    uint32_t kx, auth, enc, mac; /* one of these bits each */
    uint32_t classes;            /* one of these */
    uint16_t min_version;        /* exactly this oldest version */
    bool not_default;            /* left out of DEFAULT */
    uint32_t id;                 /* exactly this suite */
    bool by_strength;            /* only strength_bits counts */
    int strength_bits;
};

bool cipher_term_matches(const struct cipher_term *term, const struct ssl_cipher_st *suite);

/* True when word[0..len) is OpenSSL's name of the suite. */
bool cipher_has_name(const struct ssl_cipher_st *suite, const char *word, size_t len);

/* Narrows term by one suite, or by the alias word[0..len). False: no such alias, or nothing is left
 * that could match. */
MUST_CHECK bool cipher_term_add_suite(struct cipher_term *term, const struct ssl_cipher_st *suite);
MUST_CHECK bool cipher_term_add_alias(struct cipher_term *term, const char *word, size_t len);

#endif
