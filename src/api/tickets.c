/*
 * Sealing and opening session tickets in the format that RFC 5077, 4 recommends: name of the key,
 * IV, encrypted session, MAC of all that. SSL_CTX_set_tlsext_ticket_key_cb(3),
 * SSL_CTX_set_session_ticket_cb(3). The text inside is the session in DER.
 */
#include "api/tickets.h"

#include "api/app_ticket.h"
#include "api/resumption.h"
#include "api/session_binding.h"
#include "api/ticket_keys.h"
#include "crypto/random.h"
#include "handshake/ticket13.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* Bytes of a session that are put into a ticket: a ticket has a 16-bit length. */
#define MAX_PLAINTEXT 0xff00

#define OWN_IV_LEN  16
#define OWN_MAC_LEN 32

/* What seals or opens one ticket: set up by the application's callback, or with keys of ours. */
struct ticket_crypto {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;        /* for ticket_key_evp_cb */
    HMAC_CTX *hmac;          /* for ticket_key_cb */
    const struct hash *hash; /* for keys of ours */
    struct ticket_key key;
    bool bound; /* the text begins with the session's binding */
};

static bool asks_application(const SSL_CTX *ctx)
{
    return ctx->ticket_key_evp_cb != NULL || ctx->ticket_key_cb != NULL;
}

/* To make a context and the provider's state in it takes longer than to encrypt a session: the
 * last is kept for the next ticket. Whoever finds none, as others are at it, makes one. */
static EVP_CIPHER_CTX *take_cipher(SSL_CTX *ctx)
{
    EVP_CIPHER_CTX *kept = atomic_exchange(&ctx->ticket_cipher, NULL);

    return kept != NULL ? kept : EVP_CIPHER_CTX_new();
}

static void give_cipher_back(SSL_CTX *ctx, EVP_CIPHER_CTX *cipher)
{
    EVP_CIPHER_CTX_free(atomic_exchange(&ctx->ticket_cipher, cipher));
}

static bool crypto_init(struct ticket_crypto *t, SSL_CTX *ctx)
{
    memset(t, 0, sizeof(*t));
    if (!asks_application(ctx)) {
        t->cipher = take_cipher(ctx);
        t->hash = hash_get(ctx->lib, HASH_SHA256);
        return t->cipher != NULL && t->hash != NULL;
    }
    t->cipher = EVP_CIPHER_CTX_new();
    if (ctx->ticket_key_evp_cb != NULL) {
        EVP_MAC *hmac =
            EVP_MAC_fetch(crypto_lib_context(ctx->lib), "HMAC", crypto_lib_propq(ctx->lib));
        t->mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
        EVP_MAC_free(hmac);
    } else {
        t->hmac = HMAC_CTX_new();
    }
    return t->cipher != NULL && (t->mac != NULL || t->hmac != NULL);
}

static void crypto_wipe(struct ticket_crypto *t, SSL_CTX *ctx)
{
    if (t->hash != NULL) {
        give_cipher_back(ctx, t->cipher);
    } else {
        EVP_CIPHER_CTX_free(t->cipher);
    }
    EVP_MAC_CTX_free(t->mac);
    HMAC_CTX_free(t->hmac);
    wipe(&t->key, sizeof(t->key));
}

/* Asks the application for keys: >0: they are set (2: and outdated), 0: none, <0: failure. */
static int ask_keys(SSL *s, struct ticket_crypto *t, uint8_t *name, uint8_t *iv, int seal)
{
    SSL_CTX *ctx = s->session_ctx;

    if (ctx->ticket_key_evp_cb != NULL) {
        return ctx->ticket_key_evp_cb(s, name, iv, t->cipher, t->mac, seal);
    }
    return ctx->ticket_key_cb(s, name, iv, t->cipher, t->hmac, seal);
}

/* Sets t up with its key, which is ours. */
static bool use_key(const SSL_CTX *ctx, struct ticket_crypto *t, const uint8_t iv[OWN_IV_LEN],
                    int seal)
{
    const EVP_CIPHER *aes = crypto_lib_ticket_cipher(ctx->lib);
    bool is_set_up = EVP_CIPHER_CTX_get0_cipher(t->cipher) != NULL;

    t->bound = t->key.rotates;
    return aes != NULL && EVP_CipherInit_ex2(t->cipher, is_set_up ? NULL : aes, t->key.cipher, iv,
                                             seal, NULL) == 1;
}

/* Bytes of the MAC and of the IV; 0: the application's callback has not set one up. */
static size_t mac_len(const struct ticket_crypto *t)
{
    if (t->hash != NULL) {
        return OWN_MAC_LEN;
    }
    return t->mac != NULL ? EVP_MAC_CTX_get_mac_size(t->mac) : HMAC_size(t->hmac);
}

static bool get_iv_len(const struct ticket_crypto *t, size_t *len)
{
    int result = -1;

    if (EVP_CIPHER_CTX_get0_cipher(t->cipher) != NULL) {
        result = EVP_CIPHER_CTX_get_iv_length(t->cipher);
    }
    *len = result >= 0 ? (size_t)result : 0;
    return result >= 0 && result <= EVP_MAX_IV_LENGTH;
}

/* MAC of data; out has room for EVP_MAX_MD_SIZE bytes. */
static bool compute_mac(struct ticket_crypto *t, const uint8_t *data, size_t len, uint8_t *out)
{
    if (t->hash != NULL) {
        return hmac_once(t->hash, t->key.mac, sizeof(t->key.mac), data, len, out);
    }
    if (t->mac != NULL) {
        size_t out_len;
        return EVP_MAC_update(t->mac, data, len) == 1 &&
               EVP_MAC_final(t->mac, out, &out_len, EVP_MAX_MD_SIZE) == 1;
    }
    return HMAC_Update(t->hmac, data, len) == 1 && HMAC_Final(t->hmac, out, NULL) == 1;
}

/* Encrypts or decrypts in[0..len) to out. */
static bool run_cipher(struct ticket_crypto *t, uint8_t *out, size_t *out_len, const uint8_t *in,
                       size_t len)
{
    int part = 0, last = 0;

    if (EVP_CipherUpdate(t->cipher, out, &part, in, (int)len) != 1 ||
        EVP_CipherFinal_ex(t->cipher, out + part, &last) != 1) {
        return false;
    }
    *out_len = (size_t)part + (size_t)last;
    return true;
}

static enum hook_answer fail(struct record_error *failure, int reason)
{
    *failure = (struct record_error){ ALERT_INTERNAL_ERROR, reason };
    return HOOK_FAIL;
}

bool tickets_allowed(void *owner)
{
    return ssl_is_allowed(owner, SSL_SECOP_TICKET, 0, 0, NULL);
}

/* A TLS 1.3 server without tickets gives out ids of its cache instead. */
static bool is_stateful(const SSL *s)
{
    return s->conn.neg.version == VERSION_TLS13 && ticket13_is_stateful(&s->conn);
}

/* --- Sealing --- */

/* The keys, and the name and IV that the ticket begins with. */
static enum hook_answer prepare_seal(SSL *s, struct ticket_crypto *t, uint8_t *name, uint8_t *iv,
                                     struct record_error *failure)
{
    SSL_CTX *ctx = s->session_ctx;

    if (asks_application(ctx)) {
        int answer = ask_keys(s, t, name, iv, 1);
        if (answer < 0) {
            return fail(failure, SSL_R_CALLBACK_FAILED);
        }
        return answer == 0 ? HOOK_NONE : HOOK_OK;
    }
    if (!ticket_key_to_seal(ctx, time(NULL), &t->key) || !random_public(ctx->lib, iv, OWN_IV_LEN) ||
        !use_key(ctx, t, iv, 1)) {
        return fail(failure, ERR_R_INTERNAL_ERROR);
    }
    memcpy(name, t->key.name, TICKET_KEY_NAME_LEN);
    return HOOK_OK;
}

/* Appends name, iv, the encrypted text and the MAC. */
static bool write_sealed(struct ticket_crypto *t, struct writer *w, const uint8_t *name,
                         const uint8_t *iv, const uint8_t *text, size_t len)
{
    size_t begin = writer_len(w);
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t iv_len, head, sealed_len;
    uint8_t *space;

    if (!get_iv_len(t, &iv_len)) {
        return false;
    }
    head = TICKET_KEY_NAME_LEN + iv_len;
    space = writer_space(w, head + len + EVP_MAX_BLOCK_LENGTH);
    if (space == NULL) {
        return false;
    }
    memcpy(space, name, TICKET_KEY_NAME_LEN);
    memcpy(space + TICKET_KEY_NAME_LEN, iv, iv_len);
    if (!run_cipher(t, space + head, &sealed_len, text, len) ||
        !compute_mac(t, space, head + sealed_len, mac)) {
        return false;
    }
    writer_cut(w, begin + head + sealed_len);
    writer_bytes(w, mac, mac_len(t));
    return true;
}

/* What is sealed: the session, behind its binding where the key is nobody else's. *text is
 * allocated with OPENSSL_malloc(). Returns its length; 0: failure. */
static size_t make_text(const SSL *s, const struct ticket_crypto *t, SSL_SESSION *session,
                        uint8_t **text)
{
    size_t prefix = t->bound ? SESSION_BINDING_LEN : 0;
    int len = i2d_SSL_SESSION(session, NULL);
    uint8_t *at;

    *text = NULL;
    if (len <= 0 || len > MAX_PLAINTEXT || (t->bound && !session_bind(s, session))) {
        return 0;
    }
    *text = OPENSSL_malloc(prefix + (size_t)len);
    if (*text == NULL) {
        return 0;
    }
    memcpy(*text, session->binding, prefix);
    at = *text + prefix;
    return prefix + (size_t)i2d_SSL_SESSION(session, &at);
}

static bool seal_session(const SSL *s, struct ticket_crypto *t, struct writer *w,
                         const uint8_t *name, const uint8_t *iv, SSL_SESSION *session)
{
    uint8_t *text;
    size_t len = make_text(s, t, session, &text);
    bool ok = len > 0 && write_sealed(t, w, name, iv, text, len);

    free_wiped(text, len);
    return ok;
}

enum hook_answer ticket_seal(void *owner, struct ssl_session_st *session, struct writer *w,
                             struct record_error *failure)
{
    SSL *s = owner;
    SSL_CTX *ctx = s->session_ctx;
    uint8_t name[TICKET_KEY_NAME_LEN] = { 0 };
    uint8_t iv[EVP_MAX_IV_LENGTH] = { 0 };
    struct ticket_crypto t;
    enum hook_answer answer;

    if (ctx->generate_ticket_cb != NULL && ctx->generate_ticket_cb(s, ctx->ticket_cb_arg) == 0) {
        return fail(failure, ERR_R_INTERNAL_ERROR);
    }
    if (is_stateful(s)) {
        writer_bytes(w, session->id, session->id_len);
        return HOOK_OK;
    }
    if (!crypto_init(&t, ctx)) {
        answer = fail(failure, ERR_R_MALLOC_FAILURE);
    } else {
        answer = prepare_seal(s, &t, name, iv, failure);
    }
    if (answer == HOOK_OK && !seal_session(s, &t, w, name, iv, session)) {
        answer = fail(failure, ERR_R_INTERNAL_ERROR);
    }
    crypto_wipe(&t, ctx);
    return answer;
}

/* --- Opening --- */

/* What became of a ticket: SSL_TICKET_STATUS, with its failures as one. */
typedef SSL_TICKET_STATUS ticket_status;

/* Finds the keys for a ticket that is long enough to name them. */
static ticket_status prepare_open(SSL *s, struct ticket_crypto *t, const uint8_t *ticket)
{
    SSL_CTX *ctx = s->session_ctx;
    /* The callback's parameters are not const although it only looks at them. */
    uint8_t *name = (uint8_t *)(uintptr_t)ticket;
    bool found;

    if (asks_application(ctx)) {
        int answer = ask_keys(s, t, name, name + TICKET_KEY_NAME_LEN, 0);
        if (answer <= 0) {
            return answer < 0 ? SSL_TICKET_FATAL_ERR_OTHER : SSL_TICKET_NO_DECRYPT;
        }
        return answer == 2 ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_SUCCESS;
    }
    if (!ticket_key_to_open(ctx, time(NULL), ticket, &t->key, &found) ||
        (found && !use_key(ctx, t, ticket + TICKET_KEY_NAME_LEN, 0))) {
        return SSL_TICKET_FATAL_ERR_OTHER;
    }
    if (!found) {
        return SSL_TICKET_NO_DECRYPT;
    }
    /* RFC 8446, C.4: a ticket should be used once. */
    return s->conn.neg.version == VERSION_TLS13 ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_SUCCESS;
}

/* The session that decrypted text holds, the whole of it. */
static SSL_SESSION *decode_text(const struct ticket_crypto *t, const uint8_t *text, size_t len)
{
    size_t prefix = t->bound ? SESSION_BINDING_LEN : 0;
    const uint8_t *at = text + prefix;
    SSL_SESSION *session = NULL;

    if (len > prefix) {
        session = d2i_SSL_SESSION(NULL, &at, (long)(len - prefix));
    }
    if (session != NULL && at != text + len) {
        session_free(session);
        session = NULL;
    }
    if (session != NULL) {
        memcpy(session->binding, text, prefix);
        session->bound = t->bound;
    }
    return session;
}

/* Checks and decrypts with the keys in t. True unless out of memory or a provider failed;
 * *session stays NULL when the ticket is not good. */
static bool open_sealed(struct ticket_crypto *t, const uint8_t *ticket, size_t len,
                        SSL_SESSION **session)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t iv_len, text_len = 0, tag_len = mac_len(t);
    uint8_t *text;

    if (!get_iv_len(t, &iv_len) || tag_len == 0 || tag_len > sizeof(mac)) {
        return false;
    }
    if (len <= TICKET_KEY_NAME_LEN + iv_len + tag_len) {
        return true;
    }
    len -= tag_len;
    if (!compute_mac(t, ticket, len, mac)) {
        return false;
    }
    if (!constant_time_equals(mac, ticket + len, tag_len)) {
        return true;
    }
    ticket += TICKET_KEY_NAME_LEN + iv_len;
    len -= TICKET_KEY_NAME_LEN + iv_len;
    text = OPENSSL_malloc(len + EVP_MAX_BLOCK_LENGTH);
    if (text == NULL) {
        return false;
    }
    if (run_cipher(t, text, &text_len, ticket, len)) {
        *session = decode_text(t, text, text_len);
    }
    free_wiped(text, len + EVP_MAX_BLOCK_LENGTH);
    return true;
}

static ticket_status open_container(SSL *s, const uint8_t *ticket, size_t len,
                                    SSL_SESSION **session)
{
    struct ticket_crypto t;
    ticket_status status = SSL_TICKET_FATAL_ERR_MALLOC;

    if (len == 0) {
        return SSL_TICKET_EMPTY;
    }
    /* One that the application knows what to do with is none of ours. */
    if (len < TICKET_KEY_NAME_LEN + EVP_MAX_IV_LENGTH ||
        (app_gives_secrets(s) && s->conn.neg.version != VERSION_TLS13)) {
        return SSL_TICKET_NO_DECRYPT;
    }
    if (crypto_init(&t, s->session_ctx)) {
        status = prepare_open(s, &t, ticket);
    }
    if (status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW) {
        /* What is wrong with a stranger's ticket is not this connection's failure. */
        (void)ERR_set_mark();
        if (!open_sealed(&t, ticket, len, session)) {
            status = SSL_TICKET_FATAL_ERR_OTHER;
        } else if (*session == NULL) {
            status = SSL_TICKET_NO_DECRYPT;
        }
        (void)ERR_pop_to_mark();
    }
    crypto_wipe(&t, s->session_ctx);
    return status;
}

/* The ticket that is an id of our cache. */
static ticket_status open_stateful(SSL *s, const uint8_t *ticket, size_t len, SSL_SESSION **session)
{
    if (len == 0) {
        return SSL_TICKET_EMPTY;
    }
    if (len == SESSION_MAX_ID) {
        *session = lookup_session(s, ticket, len);
    }
    return *session != NULL ? SSL_TICKET_SUCCESS_RENEW : SSL_TICKET_NO_DECRYPT;
}

/* Asks the application what to do with a ticket (SSL_CTX_set_session_ticket_cb). *session is freed
 * when it is not to be used. */
static ticket_status ask_decrypted(SSL *s, ticket_status status, const uint8_t *ticket, size_t len,
                                   SSL_SESSION **session)
{
    SSL_CTX *ctx = s->session_ctx;
    bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    SSL_TICKET_RETURN answer = ctx->decrypt_ticket_cb(
        s, *session, ticket, len < TICKET_KEY_NAME_LEN ? len : TICKET_KEY_NAME_LEN, status,
        ctx->ticket_cb_arg);

    if (opened && answer == SSL_TICKET_RETURN_USE) {
        return SSL_TICKET_SUCCESS;
    }
    if (opened && answer == SSL_TICKET_RETURN_USE_RENEW) {
        return SSL_TICKET_SUCCESS_RENEW;
    }
    session_free(*session);
    *session = NULL;
    if (answer == SSL_TICKET_RETURN_IGNORE) {
        return SSL_TICKET_NONE;
    }
    if (answer == SSL_TICKET_RETURN_IGNORE_RENEW) {
        return status == SSL_TICKET_EMPTY ? status : SSL_TICKET_NO_DECRYPT;
    }
    return SSL_TICKET_FATAL_ERR_OTHER;
}

/* RFC 5077, 3.4: the server shows the client's session id to say that it took the ticket. */
static void take_id(SSL_SESSION *session, struct reader id)
{
    if (id.left > 0 && id.left <= SESSION_MAX_ID) {
        session->id_len = (uint8_t)id.left;
        memcpy(session->id, id.at, id.left);
    }
}

enum hook_answer ticket_open(void *owner, const uint8_t *ticket, size_t len,
                             struct reader session_id, struct ssl_session_st **session, bool *renew,
                             struct record_error *failure)
{
    SSL *s = owner;
    ticket_status status;

    *session = NULL;
    *renew = false;
    if (is_stateful(s)) {
        status = open_stateful(s, ticket, len, session);
    } else {
        status = open_container(s, ticket, len, session);
        if (*session != NULL) {
            take_id(*session, session_id);
        }
        if (s->session_ctx->decrypt_ticket_cb != NULL && status != SSL_TICKET_FATAL_ERR_MALLOC &&
            status != SSL_TICKET_FATAL_ERR_OTHER) {
            status = ask_decrypted(s, status, ticket, len, session);
        }
    }
    switch (status) {
    case SSL_TICKET_SUCCESS:
        return HOOK_OK;
    case SSL_TICKET_SUCCESS_RENEW:
        *renew = true;
        return HOOK_OK;
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
        *renew = true;
        return HOOK_NONE;
    case SSL_TICKET_NONE:
        return HOOK_NONE;
    default:
        return fail(failure, ERR_R_INTERNAL_ERROR);
    }
}
