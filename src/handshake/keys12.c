/*
 * The key schedule of TLS 1.2; see keys12.h.
 */
#include "handshake/keys12.h"

#include "handshake/versions.h"

#include <openssl/crypto.h>
#include <string.h>

const struct hash *keys12_hash(const struct tls_conn *c)
{
    return hash_get(c->config->lib, version_rules(c->neg.version)->hash(c->neg.suite));
}

static bool prf(const struct tls_conn *c, struct reader secret, struct reader label,
                const uint8_t *seed, size_t seed_len, uint8_t *out, size_t out_len)
{
    const struct reader seeds = reader_of(seed, seed_len);

    return version_rules(c->neg.version)
        ->prf(c->config->lib, keys12_hash(c), &secret, &label, &seeds, out, out_len);
}

static bool prf_of_master(const struct tls_conn *c, const char *label, const uint8_t *seed,
                          size_t seed_len, uint8_t *out, size_t out_len)
{
    const struct secret *master = &c->session->master;

    return prf(c, reader_of(master->bytes, master->len), reader_of(label, strlen(label)), seed,
               seed_len, out, out_len);
}

static void both_randoms(const uint8_t *first, const uint8_t *second, uint8_t seed[2 * RANDOM_LEN])
{
    memcpy(seed, first, RANDOM_LEN);
    memcpy(seed + RANDOM_LEN, second, RANDOM_LEN);
}

bool keys12_derive_master(struct handshake *hs, const uint8_t *premaster, size_t len)
{
    struct tls_conn *c = hs->conn;
    struct secret *master = &c->session->master;
    const char *label = "master secret";
    uint8_t seed[HASH_MAX_LEN + 2 * RANDOM_LEN];
    size_t seed_len = 2 * RANDOM_LEN;
    bool ok = true;

    both_randoms(c->neg.client_random, c->neg.server_random, seed);
    if (hs->extended_master_secret) {
        /* RFC 7627, 4: the session hash takes the place of the randoms. */
        label = "extended master secret";
        seed_len = hash_len(keys12_hash(c));
        ok = transcript_peek(&hs->transcript, seed);
    }
    master->len = MASTER_SECRET_LEN;
    c->session->extended_master_secret = hs->extended_master_secret;
    return ok && prf(c, reader_of(premaster, len), reader_of(label, strlen(label)), seed, seed_len,
                     master->bytes, master->len);
}

static bool is_from_client(const struct tls_conn *c, enum direction direction)
{
    return (c->role == ROLE_CLIENT) == (direction == DIRECTION_OUT);
}

/* RFC 5246, 6.3: MAC keys, keys and IVs, the client's of each kind first. */
static struct protection *protection_of_block(const struct tls_conn *c, enum direction direction,
                                              const uint8_t *block,
                                              const struct protection_lens *lens)
{
    const struct ssl_cipher_st *suite = c->neg.suite;
    size_t side = is_from_client(c, direction) ? 0 : 1;
    const uint8_t *mac_key = block + side * lens->mac_key;
    const uint8_t *key = block + 2 * lens->mac_key + side * lens->key;
    const uint8_t *iv = block + 2 * (lens->mac_key + lens->key) + side * lens->iv;
    enum aead_direction way = direction == DIRECTION_OUT ? AEAD_SEAL : AEAD_OPEN;

    if (suite->aead != AEAD_NONE) {
        return protection_new_tls12(c->config->lib, suite->aead, way, c->neg.version, key, iv);
    }
    return version_rules(c->neg.version)->new_cbc(c, way, mac_key, key, iv);
}

/* RFC 5246, 6.3. The second direction finds the block that the first has made. */
static bool make_key_block(struct handshake *hs, size_t len)
{
    const struct tls_conn *c = hs->conn;
    uint8_t seed[2 * RANDOM_LEN];

    if (hs->key_block_len == len) {
        return true;
    }
    both_randoms(c->neg.server_random, c->neg.client_random, seed);
    if (len > sizeof hs->key_block ||
        !prf_of_master(c, "key expansion", seed, sizeof seed, hs->key_block, len)) {
        return false;
    }
    hs->key_block_len = len;
    return true;
}

bool keys12_install(struct handshake *hs, enum direction direction)
{
    struct tls_conn *c = hs->conn;
    const struct protection_lens lens = version_rules(c->neg.version)->key_lens(c->neg.suite);
    struct protection *p = NULL;

    if (make_key_block(hs, 2 * (lens.mac_key + lens.key + lens.iv))) {
        p = protection_of_block(c, direction, hs->key_block, &lens);
    }
    if (p == NULL) {
        return false;
    }
    /* As in OpenSSL a session has its suite from the first change of keys on. One that is resumed
     * has it, and may be shared. */
    if (!c->neg.resumed) {
        c->session->suite = c->neg.suite;
        c->session->suite_id = c->neg.suite->id;
    }
    if (direction == DIRECTION_OUT) {
        record_out_protect(&c->out, p, EPOCH_APPLICATION);
    } else {
        record_in_protect(&c->in, p, EPOCH_APPLICATION);
    }
    return true;
}

bool keys12_finished(struct handshake *hs, enum direction direction, struct secret *verify_data)
{
    const struct tls_conn *c = hs->conn;
    const char *label = is_from_client(c, direction) ? "client finished" : "server finished";
    uint8_t hash[HASH_MAX_LEN];

    verify_data->len = FINISHED12_LEN;
    return transcript_peek(&hs->transcript, hash) &&
           prf_of_master(c, label, hash, hash_len(keys12_hash(c)), verify_data->bytes,
                         FINISHED12_LEN);
}

bool keys12_export(const struct tls_conn *c, const char *label, size_t label_len,
                   const uint8_t *context, size_t context_len, bool use_context, uint8_t *out,
                   size_t out_len)
{
    const struct secret *master = &c->session->master;
    size_t seed_len = 2 * RANDOM_LEN + (use_context ? 2 + context_len : 0);
    uint8_t *seed = OPENSSL_malloc(seed_len);

    if (seed == NULL) {
        return false;
    }
    both_randoms(c->neg.client_random, c->neg.server_random, seed);
    if (use_context) {
        seed[2 * RANDOM_LEN] = (uint8_t)(context_len >> 8);
        seed[2 * RANDOM_LEN + 1] = (uint8_t)context_len;
        if (context_len > 0) {
            memcpy(seed + 2 * RANDOM_LEN + 2, context, context_len);
        }
    }
    bool ok = prf(c, reader_of(master->bytes, master->len), reader_of(label, label_len), seed,
                  seed_len, out, out_len);
    OPENSSL_free(seed);
    return ok;
}
