/*
 * The versions, and TLS 1.2's rules; see versions.h.
 */
#include "handshake/versions.h"

#include "crypto/kdf.h"
#include "legacy/legacy.h"

/* A suite from before TLS 1.2 takes the version's own hash: RFC 5246, 5. */
static enum hash_id hash12(const struct ssl_cipher_st *suite)
{
    return suite->hash == HASH_MD5_SHA1 ? HASH_SHA256 : suite->hash;
}

static bool prf12(const struct crypto_lib *lib, const struct hash *h, const struct reader *secret,
                  const struct reader *label, const struct reader *seed, uint8_t *out,
                  size_t out_len)
{
    (void)lib;
    return tls12_prf(h, secret->at, secret->left, (const char *)label->at, label->left, seed->at,
                     seed->left, out, out_len);
}

static struct protection *new_cbc12(const struct tls_conn *c, enum aead_direction direction,
                                    const uint8_t *mac_key, const uint8_t *key, const uint8_t *iv)
{
    const struct cbc_parameters parameters = { c->neg.suite->enc, c->neg.suite->mac,
                                               c->neg.encrypt_then_mac, VERSION_TLS12 };

    (void)iv; /* it stands in each record: RFC 5246, 6.2.3.2 */
    return protection_new_cbc(c->config->lib, &parameters, direction, mac_key, key);
}

static const struct version_rules tls12 = { VERSION_TLS12, 1,     HASH_NONE,
                                            hash12,        prf12, protection_key_lens,
                                            new_cbc12,     NULL };

const struct version_rules *version_rules(uint16_t version)
{
    return version == VERSION_TLS12 ? &tls12 : legacy_rules(version);
}

bool version_is_available(const struct crypto_lib *lib, uint16_t version)
{
    const struct version_rules *rules = version_rules(version);

    if (rules == NULL) {
        return version == VERSION_TLS13;
    }
    return rules->needs == HASH_NONE || hash_get(lib, rules->needs) != NULL;
}

uint16_t record_version(uint16_t version)
{
    return version < VERSION_TLS12 ? version : VERSION_TLS12;
}
