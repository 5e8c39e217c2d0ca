/*
 * TLS 1.1 and 1.0 as rows of rules: RFC 4346, RFC 2246.
 */
#include "legacy/legacy.h"

#include "legacy/implicit_iv.h"
#include "legacy/prf.h"

#include <openssl/obj_mac.h>

/* RFC 2246, 4.7: an RSA signature is over both digests, without an identifier of either. Strength
 * as OpenSSL counts it. */
static const struct sig_scheme rsa_md5_sha1 = { .id = 0,
                                                .kind = SIG_RSA_PKCS1,
                                                .hash = HASH_MD5_SHA1,
                                                .hash_nid = NID_md5_sha1,
                                                .sig_nid = NID_rsaEncryption,
                                                .slot = KEY_RSA,
                                                .security_bits = 67 };

#define DSA_SHA1   0x0202
#define ECDSA_SHA1 0x0203

static const struct sig_scheme *scheme_of(enum key_slot slot)
{
    switch (slot) {
    case KEY_RSA:
        return &rsa_md5_sha1;
    case KEY_DSA:
        return sig_scheme_by_id(DSA_SHA1);
    case KEY_ECDSA: /* RFC 4492, 5.4 */
        return sig_scheme_by_id(ECDSA_SHA1);
    case KEY_RSA_PSS:
    case KEY_GOST01:
    case KEY_GOST12_256:
    case KEY_GOST12_512:
    case KEY_ED25519:
    case KEY_ED448:
    case KEY_NONE:
        break;
    }
    return NULL;
}

static enum hash_id hash_of(const struct ssl_cipher_st *suite)
{
    (void)suite; /* both, whatever the suite: RFC 2246, 7.4.9 */
    return HASH_MD5_SHA1;
}

static struct cbc_parameters parameters_of(const struct tls_conn *c)
{
    return (struct cbc_parameters){ c->neg.suite->enc, c->neg.suite->mac, c->neg.encrypt_then_mac,
                                    c->neg.version };
}

static struct protection *new_cbc11(const struct tls_conn *c, enum aead_direction direction,
                                    const uint8_t *mac_key, const uint8_t *key, const uint8_t *iv)
{
    const struct cbc_parameters parameters = parameters_of(c);

    (void)iv; /* it stands in each record: RFC 4346, 6.2.3.2 */
    return protection_new_cbc(c->config->lib, &parameters, direction, mac_key, key);
}

static struct protection *new_cbc10(const struct tls_conn *c, enum aead_direction direction,
                                    const uint8_t *mac_key, const uint8_t *key, const uint8_t *iv)
{
    const struct cbc_parameters parameters = parameters_of(c);
    bool empty_first = (c->config->options & OPTION_DONT_INSERT_EMPTY_FRAGMENTS) == 0;

    return protection_new_implicit_iv(c->config->lib, &parameters, direction, mac_key, key, iv,
                                      empty_first);
}

static const struct version_rules rules[] = {
    { VERSION_TLS11, 0, HASH_MD5_SHA1, hash_of, legacy_prf, protection_key_lens, new_cbc11,
      scheme_of },
    { VERSION_TLS1, 0, HASH_MD5_SHA1, hash_of, legacy_prf, implicit_iv_key_lens, new_cbc10,
      scheme_of },
};

const struct version_rules *legacy_rules(uint16_t version)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (rules[i].version == version) {
            return &rules[i];
        }
    }
    return NULL;
}
