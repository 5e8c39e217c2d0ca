/*
 * The key schedule of TLS 1.3 (RFC 8446, 7); see keys13.h.
 */
#include "handshake/keys13.h"

#include "crypto/kdf.h"

#include <openssl/crypto.h>
#include <string.h>

#define MAX_KEY_LEN AEAD_MAX_KEY_LEN

const struct hash *keys13_hash(const struct tls_conn *c)
{
    return hash_get(c->config->lib, c->neg.suite->hash);
}

static bool use_secret(struct hmac_key *key, const struct hash *h, const struct secret *secret)
{
    return hmac_key_set(key, h, secret->bytes, secret->len);
}

/* Derive-Secret(secret, label, transcript) with the transcript hash given. from: the secret. */
static bool derive_secret(const struct hmac_key *from, const char *label,
                          const uint8_t *transcript_hash, struct secret *out)
{
    out->len = (uint8_t)hmac_key_len(from);
    return hkdf_key_expand_label(from, label, strlen(label), transcript_hash, out->len, out->bytes,
                                 out->len);
}

/* Derive-Secret(from, "derived", ""): the salt of the next extraction. */
static bool derive_salt(const struct hash *h, const struct hmac_key *from, struct secret *salt)
{
    return derive_secret(from, "derived", hash_of_nothing(h), salt);
}

/* HKDF-Extract; input NULL: zeros, as long as a digest (RFC 8446, 7.1). */
static bool extract(const struct hash *h, const struct secret *salt, const uint8_t *input,
                    size_t input_len, struct secret *out)
{
    static const uint8_t zeros[HASH_MAX_LEN];

    return hkdf_extract(h, salt->bytes, salt->len, input == NULL ? zeros : input,
                        input == NULL ? hash_len(h) : input_len, out);
}

bool keys13_early_secret(const struct hash *h, const struct secret *psk, struct secret *early)
{
    return hkdf_extract(h, NULL, 0, psk->bytes, psk->len, early);
}

/* The MAC key of a Finished or binder: RFC 8446, 4.4.4. */
static bool finished_mac(const struct hash *h, const struct secret *base,
                         const uint8_t *transcript_hash, uint8_t *mac)
{
    struct secret key = { .len = (uint8_t)hash_len(h) };

    bool ok = hkdf_expand_label(h, base, "finished", 8, NULL, 0, key.bytes, key.len) &&
              hmac_once(h, key.bytes, key.len, transcript_hash, hash_len(h), mac);
    secret_wipe(&key);
    return ok;
}

bool keys13_binder(const struct hash *h, const struct secret *early, bool external,
                   const uint8_t *transcript_hash, uint8_t *binder)
{
    struct secret base = { 0 };
    struct hmac_key key;

    if (!use_secret(&key, h, early)) {
        return false;
    }
    bool ok =
        derive_secret(&key, external ? "ext binder" : "res binder", hash_of_nothing(h), &base) &&
        finished_mac(h, &base, transcript_hash, binder);
    hmac_key_wipe(&key);
    secret_wipe(&base);
    return ok;
}

bool keys13_derive_early(struct tls_conn *c, const struct hash *h, const struct secret *early,
                         const uint8_t *transcript_hash)
{
    struct hmac_key key;

    if (!conn_reserve_early_secrets(c) || !use_secret(&key, h, early)) {
        return false;
    }
    bool ok =
        derive_secret(&key, "c e traffic", transcript_hash, &c->handshake_secrets->client_early) &&
        derive_secret(&key, "e exp master", transcript_hash, c->secrets->early_exporter_master);
    hmac_key_wipe(&key);
    return ok;
}

bool keys13_ticket_psk(const struct tls_conn *c, const uint8_t *nonce, size_t len,
                       struct secret *psk)
{
    const struct hash *h = keys13_hash(c);

    psk->len = (uint8_t)hash_len(h);
    return hkdf_expand_label(h, &c->secrets->resumption_master, "resumption", 10, nonce, len,
                             psk->bytes, psk->len);
}

/* The handshake secret: the early secret and what the key exchange gave. */
static bool make_handshake_secret(struct handshake *hs, const struct hash *h)
{
    const uint8_t *shared = hs->shared != NULL ? hs->shared->bytes : NULL;
    size_t shared_len = hs->shared != NULL ? hs->shared->len : 0;
    struct secret salt = *hkdf_first_salt(h);
    bool ok = true;

    if (hs->early_secret.len > 0) {
        struct hmac_key key;
        ok = use_secret(&key, h, &hs->early_secret) && derive_salt(h, &key, &salt);
        hmac_key_wipe(&key);
    }
    ok = ok && extract(h, &salt, shared, shared_len, &hs->handshake_secret);
    secret_wipe(&salt);
    return ok;
}

/* from: the handshake secret. */
static bool make_master_secret(struct handshake *hs, const struct hash *h,
                               const struct hmac_key *from)
{
    struct secret salt = { 0 };
    bool ok = derive_salt(h, from, &salt) && extract(h, &salt, NULL, 0, &hs->master_secret);

    secret_wipe(&salt);
    return ok;
}

/* Both traffic secrets of the handshake, and the master secret. */
static bool use_handshake_secret(struct handshake *hs, const struct hash *h)
{
    struct handshake_secrets *secrets = hs->conn->handshake_secrets;
    uint8_t hash[HASH_MAX_LEN];
    struct hmac_key key;

    if (!use_secret(&key, h, &hs->handshake_secret)) {
        return false;
    }
    bool ok = transcript_peek(&hs->transcript, hash) &&
              derive_secret(&key, "c hs traffic", hash, &secrets->client_handshake) &&
              derive_secret(&key, "s hs traffic", hash, &secrets->server_handshake) &&
              make_master_secret(hs, h, &key);
    hmac_key_wipe(&key);
    return ok;
}

bool keys13_derive_handshake(struct handshake *hs)
{
    const struct hash *h = keys13_hash(hs->conn);
    bool ok = h != NULL && conn_reserve_secrets(hs->conn) && make_handshake_secret(hs, h) &&
              use_handshake_secret(hs, h);

    secret_wipe(&hs->early_secret);
    free_wiped(hs->shared, sizeof *hs->shared);
    hs->shared = NULL;
    return ok;
}

bool keys13_derive_application(struct handshake *hs)
{
    struct traffic_secrets *secrets = hs->conn->secrets;
    uint8_t hash[HASH_MAX_LEN];
    struct hmac_key key;

    if (!use_secret(&key, keys13_hash(hs->conn), &hs->master_secret)) {
        return false;
    }
    bool ok = transcript_peek(&hs->transcript, hash) &&
              derive_secret(&key, "c ap traffic", hash, &secrets->client_application) &&
              derive_secret(&key, "s ap traffic", hash, &secrets->server_application) &&
              derive_secret(&key, "exp master", hash, &secrets->exporter_master);
    hmac_key_wipe(&key);
    return ok;
}

bool keys13_derive_resumption(struct handshake *hs)
{
    struct secret *resumption = &hs->conn->secrets->resumption_master;
    uint8_t hash[HASH_MAX_LEN];
    struct hmac_key key;

    if (!use_secret(&key, keys13_hash(hs->conn), &hs->master_secret)) {
        return false;
    }
    bool ok = transcript_peek(&hs->transcript, hash) &&
              derive_secret(&key, "res master", hash, resumption);
    hmac_key_wipe(&key);
    return ok;
}

/* True when what flows in direction is written by the client. */
static bool is_from_client(const struct tls_conn *c, enum direction direction)
{
    return (c->role == ROLE_CLIENT) == (direction == DIRECTION_OUT);
}

/* RFC 8446, 7.3: key and IV of a traffic secret. */
static bool install_secret(struct tls_conn *c, enum direction direction, enum epoch epoch,
                           const struct secret *secret)
{
    const struct ssl_cipher_st *suite = epoch == EPOCH_EARLY ? c->early_suite : c->neg.suite;
    const struct hash *h = hash_get(c->config->lib, suite->hash);
    enum aead_id aead = suite->aead;
    uint8_t key[MAX_KEY_LEN];
    uint8_t iv[AEAD_NONCE_LEN];
    struct protection *p = NULL;
    struct hmac_key from;

    if (!use_secret(&from, h, secret)) {
        return false;
    }
    if (hkdf_key_expand_label(&from, "key", 3, NULL, 0, key, aead_facts(aead)->key_len) &&
        hkdf_key_expand_label(&from, "iv", 2, NULL, 0, iv, sizeof iv)) {
        p = protection_new_tls13(c->config->lib, aead,
                                 direction == DIRECTION_OUT ? AEAD_SEAL : AEAD_OPEN, key, iv);
    }
    hmac_key_wipe(&from);
    wipe(key, sizeof key);
    wipe(iv, sizeof iv);
    if (p == NULL) {
        return false;
    }
    if (direction == DIRECTION_OUT) {
        record_out_protect(&c->out, p, epoch);
    } else {
        record_in_protect(&c->in, p, epoch);
    }
    return true;
}

bool keys13_install(struct tls_conn *c, enum direction direction, enum epoch epoch)
{
    bool from_client = is_from_client(c, direction);
    const struct secret *secret;
    const char *label;

    if (epoch == EPOCH_EARLY) {
        secret = &c->handshake_secrets->client_early;
        label = "CLIENT_EARLY_TRAFFIC_SECRET";
        c->hooks->keylog(c->owner, "EARLY_EXPORTER_SECRET", c->secrets->early_exporter_master);
    } else if (epoch == EPOCH_HANDSHAKE) {
        secret = from_client ? &c->handshake_secrets->client_handshake
                             : &c->handshake_secrets->server_handshake;
        label = from_client ? "CLIENT_HANDSHAKE_TRAFFIC_SECRET" : "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    } else {
        secret = from_client ? &c->secrets->client_application : &c->secrets->server_application;
        label = from_client ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0";
        if (!from_client) {
            c->hooks->keylog(c->owner, "EXPORTER_SECRET", &c->secrets->exporter_master);
        }
    }
    c->hooks->keylog(c->owner, label, secret);
    return install_secret(c, direction, epoch, secret);
}

bool keys13_update(struct tls_conn *c, enum direction direction)
{
    bool from_client = is_from_client(c, direction);
    const struct hash *h = keys13_hash(c);
    struct secret *secret =
        from_client ? &c->secrets->client_application : &c->secrets->server_application;
    struct secret next = { .len = secret->len };

    bool ok = hkdf_expand_label(h, secret, "traffic upd", 11, NULL, 0, next.bytes, next.len);
    if (ok) {
        *secret = next;
        c->hooks->keylog(
            c->owner, from_client ? "CLIENT_TRAFFIC_SECRET_N" : "SERVER_TRAFFIC_SECRET_N", secret);
        ok = install_secret(c, direction, EPOCH_APPLICATION, secret);
    }
    secret_wipe(&next);
    return ok;
}

/* RFC 8446, 4.4: post-handshake authentication is under the application secret. */
static const struct secret *finished_base(const struct handshake *hs, bool from_client)
{
    const struct tls_conn *c = hs->conn;

    if (hs->is_post_auth) {
        return from_client ? &c->secrets->client_application : &c->secrets->server_application;
    }
    return from_client ? &c->handshake_secrets->client_handshake
                       : &c->handshake_secrets->server_handshake;
}

bool keys13_finished(struct handshake *hs, enum direction direction, struct secret *verify_data)
{
    struct tls_conn *c = hs->conn;
    const struct hash *h = keys13_hash(c);
    const struct secret *base = finished_base(hs, is_from_client(c, direction));
    uint8_t hash[HASH_MAX_LEN];

    verify_data->len = (uint8_t)hash_len(h);
    return transcript_peek(&hs->transcript, hash) &&
           finished_mac(h, base, hash, verify_data->bytes);
}

bool keys13_export(const struct tls_conn *c, const struct secret *master, const char *label,
                   size_t label_len, const uint8_t *context, size_t context_len, uint8_t *out,
                   size_t out_len)
{
    bool early = master == c->secrets->early_exporter_master;
    const struct ssl_cipher_st *suite = early ? c->early_suite : c->neg.suite;
    const struct hash *h = hash_get(c->config->lib, suite->hash);
    struct secret derived = { .len = (uint8_t)hash_len(h) };
    uint8_t context_hash[HASH_MAX_LEN];

    bool ok =
        hash_once(h, context, context_len, context_hash) &&
        hkdf_expand_label(h, master, label, label_len, hash_of_nothing(h), derived.len,
                          derived.bytes, derived.len) &&
        hkdf_expand_label(h, &derived, "exporter", 8, context_hash, derived.len, out, out_len);
    secret_wipe(&derived);
    return ok;
}
