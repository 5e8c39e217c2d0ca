/*
 * The chain that goes with an own certificate: setting it, building it from a store, choosing what
 * is sent. Behaviour: SSL_CTX_add1_chain_cert(3), SSL_CTX_add_extra_chain_cert(3). Whether a chain
 * suits a peer is in chain_check.c.
 */
#include "api/chain.h"

#include "api/certs.h"
#include "api/stores.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* --- What the security level says --- */

static int key_strength(X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);

    return key != NULL ? EVP_PKEY_get_security_bits(key) : -1;
}

/* Nobody checks the signature of a self-signed certificate, so its strength does not matter. */
static bool signature_is_allowed(const SSL *s, const SSL_CTX *ctx, X509 *cert, int op)
{
    int bits, hash, algorithm;

    if ((X509_get_extension_flags(cert) & EXFLAG_SS) != 0) {
        return true;
    }
    if (!X509_get_signature_info(cert, &hash, &algorithm, &bits, NULL)) {
        bits = -1;
    }
    /* Ed25519 and Ed448 name no separate digest. */
    return settings_allow(s, ctx, op, bits, hash == NID_undef ? algorithm : hash, cert);
}

int chain_judge_cert(const SSL *s, const SSL_CTX *ctx, X509 *cert, bool verify, bool is_leaf)
{
    int peer = verify ? SSL_SECOP_PEER : 0;
    int key_op = (is_leaf ? SSL_SECOP_EE_KEY : SSL_SECOP_CA_KEY) | peer;

    if (!settings_allow(s, ctx, key_op, key_strength(cert), 0, cert)) {
        return is_leaf ? SSL_R_EE_KEY_TOO_SMALL : SSL_R_CA_KEY_TOO_SMALL;
    }
    if (!signature_is_allowed(s, ctx, cert, SSL_SECOP_CA_MD | peer)) {
        return SSL_R_CA_MD_TOO_WEAK;
    }
    return 0;
}

/* Judges certificates [first..] of a chain as those of authorities; 0 or a reason. */
static int judge_authorities(const SSL *s, const SSL_CTX *ctx, STACK_OF(X509) *chain, int first)
{
    int refusal = 0;

    for (int i = first; refusal == 0 && i < sk_X509_num(chain); i++) {
        refusal = chain_judge_cert(s, ctx, sk_X509_value(chain, i), false, false);
    }
    return refusal;
}

/* --- The chain of the current certificate --- */

/* The current credential, to be changed. */
static struct credential *edit_current(SSL *s, SSL_CTX *ctx)
{
    struct credentials *set = certs_edit(s, ctx);

    return set != NULL ? &set->slot[set->current] : NULL;
}

static bool replace_chain(SSL *s, SSL_CTX *ctx, STACK_OF(X509) *chain)
{
    int refusal = judge_authorities(s, ctx, chain, 0);
    struct credential *current;

    if (refusal != 0) {
        raise_error(refusal);
        return false;
    }
    current = edit_current(s, ctx);
    if (current == NULL) {
        return false;
    }
    sk_X509_pop_free(current->chain, X509_free);
    current->chain = chain;
    return true;
}

long chain_set(SSL *s, SSL_CTX *ctx, STACK_OF(X509) *chain, bool up_ref)
{
    STACK_OF(X509) *copy;

    if (chain == NULL || !up_ref) {
        return replace_chain(s, ctx, chain);
    }
    copy = X509_chain_up_ref(chain);
    if (copy == NULL) {
        return 0;
    }
    if (!replace_chain(s, ctx, copy)) {
        sk_X509_pop_free(copy, X509_free);
        return 0;
    }
    return 1;
}

long chain_add(SSL *s, SSL_CTX *ctx, X509 *cert, bool up_ref)
{
    int refusal = chain_judge_cert(s, ctx, cert, false, false);
    struct credential *current;

    if (refusal != 0) {
        raise_error(refusal);
        return 0;
    }
    current = edit_current(s, ctx);
    if (current == NULL) {
        return 0;
    }
    if (current->chain == NULL) {
        current->chain = sk_X509_new_null();
    }
    if (current->chain == NULL || !sk_X509_push(current->chain, cert)) {
        return 0;
    }
    if (up_ref) {
        X509_up_ref(cert);
    }
    return 1;
}

long chain_get(const SSL *s, const SSL_CTX *ctx, STACK_OF(X509) **chain)
{
    const struct credentials *set = certs_of(s, ctx);

    *chain = set->slot[certs_current(s, ctx)].chain;
    return 1;
}

/* --- The context's extra certificates --- */

long chain_add_extra(SSL_CTX *ctx, X509 *cert)
{
    if (ctx->extra_certs == NULL) {
        ctx->extra_certs = sk_X509_new_null();
    }
    if (ctx->extra_certs == NULL || !sk_X509_push(ctx->extra_certs, cert)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    return 1;
}

long chain_get_extra(const SSL_CTX *ctx, bool only_extra, STACK_OF(X509) **chain)
{
    if (ctx->extra_certs == NULL && !only_extra) {
        return chain_get(NULL, ctx, chain);
    }
    *chain = ctx->extra_certs;
    return 1;
}

long chain_clear_extra(SSL_CTX *ctx)
{
    sk_X509_pop_free(ctx->extra_certs, X509_free);
    ctx->extra_certs = NULL;
    return 1;
}

/* --- Building a chain --- */

/* Where the issuers of an own certificate are looked up. */
static X509_STORE *issuer_store(const SSL *s, const SSL_CTX *ctx)
{
    X509_STORE *own = settings_of(s, ctx)->chain_store;

    if (own != NULL) {
        return own;
    }
    return stores_for_library(s != NULL ? s->ctx : ctx);
}

/* A store of what is configured already; NULL: out of memory. */
static X509_STORE *store_of_credential(const struct credential *c)
{
    X509_STORE *store = X509_STORE_new();
    bool ok = store != NULL;

    for (int i = 0; ok && i < sk_X509_num(c->chain); i++) {
        ok = X509_STORE_add_cert(store, sk_X509_value(c->chain, i));
    }
    /* The leaf may be its own root. */
    if (!ok || !X509_STORE_add_cert(store, c->cert)) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}

/* Builds c's chain with the leaf into *chain. 1: complete; 2: an error was ignored; 0: failed. */
static int find_chain(const SSL *s, const SSL_CTX *ctx, const struct credential *c,
                      X509_STORE *store, long flags, STACK_OF(X509) **chain)
{
    X509_STORE_CTX *verification =
        X509_STORE_CTX_new_ex(settings_libctx(s, ctx), settings_propq(s, ctx));
    STACK_OF(X509) *untrusted = (flags & SSL_BUILD_CHAIN_FLAG_UNTRUSTED) != 0 ? c->chain : NULL;
    unsigned long suite_b = settings_of(s, ctx)->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS;
    int result = 0;

    if (verification == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (!X509_STORE_CTX_init(verification, store, c->cert, untrusted)) {
        raise_error(ERR_R_X509_LIB);
        goto out;
    }
    X509_STORE_CTX_set_flags(verification, suite_b);
    if (X509_verify_cert(verification) > 0) {
        result = 1;
    } else if ((flags & SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR) != 0) {
        if ((flags & SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR) != 0) {
            ERR_clear_error();
        }
        result = 2;
    } else {
        raise_error_with(SSL_R_CERTIFICATE_VERIFY_FAILED, "Verify error:%s",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification)));
        goto out;
    }
    *chain = X509_STORE_CTX_get1_chain(verification);
    if (*chain == NULL) {
        result = 0;
    }
out:
    X509_STORE_CTX_free(verification);
    return result;
}

/* Takes the leaf off, and the root where it is not wanted. */
static void trim_chain(STACK_OF(X509) *chain, long flags)
{
    int last;

    X509_free(sk_X509_shift(chain));
    last = sk_X509_num(chain) - 1;
    if ((flags & SSL_BUILD_CHAIN_FLAG_NO_ROOT) != 0 && last >= 0 &&
        (X509_get_extension_flags(sk_X509_value(chain, last)) & EXFLAG_SS) != 0) {
        X509_free(sk_X509_pop(chain));
    }
}

long chain_build(SSL *s, SSL_CTX *ctx, long flags)
{
    bool from_configured = (flags & SSL_BUILD_CHAIN_FLAG_CHECK) != 0;
    struct credential *current = edit_current(s, ctx);
    STACK_OF(X509) *chain = NULL;
    X509_STORE *store;
    int result, refusal;

    if (current == NULL) {
        return 0;
    }
    if (current->cert == NULL) {
        raise_error(SSL_R_NO_CERTIFICATE_SET);
        return 0;
    }
    store = from_configured ? store_of_credential(current) : issuer_store(s, ctx);
    if (store == NULL) {
        return 0;
    }
    result = find_chain(s, ctx, current, store,
                        from_configured ? flags & ~SSL_BUILD_CHAIN_FLAG_UNTRUSTED : flags, &chain);
    if (from_configured) {
        X509_STORE_free(store);
    }
    if (result == 0) {
        return 0;
    }
    trim_chain(chain, flags);
    refusal = judge_authorities(s, ctx, chain, 0);
    if (refusal != 0) {
        raise_error(refusal);
        sk_X509_pop_free(chain, X509_free);
        return 0;
    }
    sk_X509_pop_free(current->chain, X509_free);
    current->chain = chain;
    /* OpenSSL forgets about the error it ignored when there is a certificate above the leaf. */
    return sk_X509_num(chain) > 0 ? 1 : result;
}

/* --- What is sent --- */

/* The leaf and, from the stores, whatever of its chain can be found: it need not be complete. */
static STACK_OF(X509) *build_chain_to_send(const SSL *s, const struct credential *c)
{
    X509_STORE_CTX *verification =
        X509_STORE_CTX_new_ex(settings_libctx(s, NULL), settings_propq(s, NULL));
    STACK_OF(X509) *chain = NULL;

    if (verification == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    if (!X509_STORE_CTX_init(verification, issuer_store(s, NULL), c->cert, NULL)) {
        raise_error(ERR_R_X509_LIB);
    } else {
        ERR_set_mark();
        (void)X509_verify_cert(verification);
        ERR_pop_to_mark();
        chain = X509_STORE_CTX_get1_chain(verification);
        if (chain == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
        }
    }
    X509_STORE_CTX_free(verification);
    return chain;
}

/* The leaf and the given authorities. */
static STACK_OF(X509) *join_chain(X509 *leaf, STACK_OF(X509) *authorities)
{
    STACK_OF(X509) *chain = authorities != NULL ? X509_chain_up_ref(authorities) : NULL;

    if (authorities == NULL) {
        chain = sk_X509_new_null();
    }
    if (chain == NULL || !sk_X509_unshift(chain, leaf)) {
        sk_X509_pop_free(chain, X509_free);
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    X509_up_ref(leaf);
    return chain;
}

STACK_OF(X509) *ssl_chain_to_send(SSL *s, enum key_slot slot)
{
    const struct credential *c = &certs_of(s, NULL)->slot[slot];
    STACK_OF(X509) *authorities = c->chain != NULL ? c->chain : s->ctx->extra_certs;
    bool automatic = authorities == NULL && (s->config->mode & SSL_MODE_NO_AUTO_CHAIN) == 0;
    STACK_OF(X509) *chain;
    int refusal;

    if (c->cert == NULL) {
        chain = sk_X509_new_null();
        if (chain == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
        }
        return chain;
    }
    chain = automatic ? build_chain_to_send(s, c) : join_chain(c->cert, authorities);
    if (chain == NULL) {
        return NULL;
    }
    refusal = chain_judge_cert(s, NULL, sk_X509_value(chain, 0), false, true);
    if (refusal == 0) {
        refusal = judge_authorities(s, NULL, chain, 1);
    }
    if (refusal != 0) {
        raise_error(refusal);
        sk_X509_pop_free(chain, X509_free);
        return NULL;
    }
    return chain;
}
