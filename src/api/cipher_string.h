/*
 * The language of cipher lists: ciphers(1), "CIPHER LIST FORMAT".
 */
#ifndef TENON_API_CIPHER_STRING_H
#define TENON_API_CIPHER_STRING_H

#include "api/internal.h"

/* Settings beside the list itself that a cipher string may change. */
struct cipher_string_effects {
    int security_level;  /* @SECLEVEL=n */
    uint32_t cert_flags; /* SUITEB128 and its kin */
};

/* The suites before TLS 1.3 that text selects from those that lib has, in its order. effects holds
 * the values in force and is updated, also when the rest of text is wrong. NULL: a syntax error,
 * for which an error was raised, or out of memory. The caller owns the list, which may be empty. */
MUST_CHECK STACK_OF(SSL_CIPHER) *cipher_string_select(const struct crypto_lib *lib,
                                                      const char *text,
                                                      struct cipher_string_effects *effects);

#endif
