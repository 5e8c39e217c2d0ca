/*
 * DANE (RFC 6698, RFC 7671): TLSA records that a connection's certificate has to match.
 * X509_verify_cert() does the matching. It reads the records through X509_STORE_CTX_set0_dane(),
 * a public function whose argument has a layout that no public header shows; the structures below
 * have it. Behaviour: SSL_CTX_dane_enable(3).
 */
#include "api/dane.h"

#include "api/certs.h"
#include "api/verify.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/safestack.h>

#include <string.h>

/* --- The layout libcrypto reads --- */

struct dane_record {
    uint8_t usage;
    uint8_t selector;
    uint8_t mtype;
    unsigned char *data; /* owns */
    size_t len;
    EVP_PKEY *key; /* owns; a trust anchor that is a bare key */
};

typedef struct dane_record dane_record;
DEFINE_STACK_OF(dane_record)

struct dane_ctx_st {
    const EVP_MD **digests; /* owns the array; digest of each matching type */
    uint8_t *strengths;     /* owns; preference among matching types */
    uint8_t max_type;       /* highest matching type there is a place for */
    unsigned long flags;
};

struct ssl_dane_st {
    struct dane_ctx_st *ctx;        /* borrowed from the SSL_CTX */
    STACK_OF(dane_record) *records; /* owns; NULL: not enabled */
    STACK_OF(X509) *certs;          /* owns; trust anchors that records hold whole */
    dane_record *match;             /* borrowed: the record that matched */
    X509 *match_cert;               /* counted: what it matched */
    uint32_t usages;                /* bit set of the usages of records */
    int match_depth;                /* of match_cert in the chain; -1: none */
    int pkix_depth;                 /* where a chain that also needs a public anchor ended; -1 */
    unsigned long flags;
};

/* Certificate usages, selectors and matching types: RFC 6698, 7.2 to 7.4 (names: RFC 7218). */
enum { USAGE_PKIX_TA, USAGE_PKIX_EE, USAGE_DANE_TA, USAGE_DANE_EE, NUM_USAGES };
enum { SELECTOR_CERT, SELECTOR_KEY, NUM_SELECTORS };
enum { MATCHING_FULL, MATCHING_SHA256, MATCHING_SHA512, NUM_REGISTERED_MATCHINGS };

_Static_assert(sizeof(struct ssl_dane_st) == 8 * sizeof(void *) || sizeof(void *) != 8,
               "the layout libcrypto reads has 64 bytes");

#define NO_DEPTH            (-1)
#define BIT_OF_USAGE(usage) (1U << (usage))
#define ANCHOR_USAGES       (BIT_OF_USAGE(USAGE_PKIX_TA) | BIT_OF_USAGE(USAGE_DANE_TA))

/* --- A context's matching types --- */

/* The context's part, made when first needed; NULL: out of memory, an error was raised. */
static struct dane_ctx_st *part_of_ctx(SSL_CTX *ctx)
{
    if (ctx->dane == NULL) {
        ctx->dane = OPENSSL_zalloc(sizeof(*ctx->dane));
        if (ctx->dane == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
        }
    }
    return ctx->dane;
}

/* Makes places for the matching types up to max_type. */
static bool grow_types(struct dane_ctx_st *dane, uint8_t max_type)
{
    size_t have = dane->digests != NULL ? (size_t)dane->max_type + 1 : 0;
    size_t num = (size_t)max_type + 1;
    const EVP_MD **digests;
    uint8_t *strengths;

    if (num <= have) {
        return true;
    }
    digests = OPENSSL_realloc(dane->digests, num * sizeof(*digests));
    if (digests != NULL) {
        dane->digests = digests;
    }
    strengths = OPENSSL_realloc(dane->strengths, num);
    if (strengths != NULL) {
        dane->strengths = strengths;
    }
    if (digests == NULL || strengths == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    for (size_t i = have; i < num; i++) {
        digests[i] = NULL;
        strengths[i] = 0;
    }
    dane->max_type = max_type;
    return true;
}

int SSL_CTX_dane_enable(SSL_CTX *ctx)
{
    struct dane_ctx_st *dane = part_of_ctx(ctx);

    if (dane == NULL) {
        return 0;
    }
    if (dane->digests != NULL) {
        return 1;
    }
    if (!grow_types(dane, NUM_REGISTERED_MATCHINGS - 1)) {
        return 0;
    }
    dane->digests[MATCHING_SHA256] = EVP_sha256();
    dane->strengths[MATCHING_SHA256] = 1;
    dane->digests[MATCHING_SHA512] = EVP_sha512();
    dane->strengths[MATCHING_SHA512] = 2;
    return 1;
}

int SSL_CTX_dane_mtype_set(SSL_CTX *ctx, const EVP_MD *md, uint8_t mtype, uint8_t ord)
{
    struct dane_ctx_st *dane = part_of_ctx(ctx);

    if (dane == NULL) {
        return 0;
    }
    if (mtype == MATCHING_FULL && md != NULL) {
        raise_error(SSL_R_DANE_CANNOT_OVERRIDE_MTYPE_FULL);
        return 0;
    }
    if (!grow_types(dane, mtype)) {
        return 0;
    }
    dane->digests[mtype] = md;
    dane->strengths[mtype] = md != NULL ? ord : 0;
    return 1;
}

unsigned long SSL_CTX_dane_set_flags(SSL_CTX *ctx, unsigned long flags)
{
    struct dane_ctx_st *dane = part_of_ctx(ctx);
    unsigned long before = dane != NULL ? dane->flags : 0;

    if (dane != NULL) {
        dane->flags |= flags;
    }
    return before;
}

unsigned long SSL_CTX_dane_clear_flags(SSL_CTX *ctx, unsigned long flags)
{
    struct dane_ctx_st *dane = part_of_ctx(ctx);
    unsigned long before = dane != NULL ? dane->flags : 0;

    if (dane != NULL) {
        dane->flags &= ~flags;
    }
    return before;
}

void dane_ctx_wipe(SSL_CTX *ctx)
{
    if (ctx->dane != NULL) {
        OPENSSL_free(ctx->dane->digests);
        OPENSSL_free(ctx->dane->strengths);
        OPENSSL_free(ctx->dane);
        ctx->dane = NULL;
    }
}

/* --- A connection's records --- */

/* The connection's part, made when first needed; NULL: out of memory, an error was raised. */
static struct ssl_dane_st *part_of_ssl(SSL *s)
{
    if (s->dane == NULL) {
        s->dane = OPENSSL_zalloc(sizeof(*s->dane));
        if (s->dane == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
        }
    }
    return s->dane;
}

static bool has_records(const struct ssl_dane_st *dane)
{
    return dane != NULL && sk_dane_record_num(dane->records) > 0;
}

bool dane_in_use(const SSL *s)
{
    return has_records(s->dane);
}

bool dane_anchored(const SSL *s)
{
    return has_records(s->dane) && s->dane->match != NULL &&
           (s->dane->match->usage == USAGE_DANE_TA || s->dane->match->usage == USAGE_DANE_EE);
}

void dane_forget_match(SSL *s)
{
    if (s->dane != NULL) {
        X509_free(s->dane->match_cert);
        s->dane->match_cert = NULL;
        s->dane->match = NULL;
        s->dane->match_depth = NO_DEPTH;
        s->dane->pkix_depth = NO_DEPTH;
    }
}

static void free_record(dane_record *record)
{
    if (record != NULL) {
        OPENSSL_free(record->data);
        EVP_PKEY_free(record->key);
        OPENSSL_free(record);
    }
}

void dane_wipe(SSL *s)
{
    if (s->dane != NULL) {
        dane_forget_match(s);
        sk_dane_record_pop_free(s->dane->records, free_record);
        sk_X509_pop_free(s->dane->certs, X509_free);
        OPENSSL_free(s->dane);
        s->dane = NULL;
    }
}

static bool start_records(SSL *s)
{
    struct ssl_dane_st *dane = s->dane;

    dane->match_depth = NO_DEPTH;
    dane->pkix_depth = NO_DEPTH;
    dane->ctx = s->ctx->dane;
    dane->records = sk_dane_record_new_null();
    if (dane->records == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    return true;
}

int SSL_dane_enable(SSL *s, const char *basedomain)
{
    struct ssl_dane_st *dane = part_of_ssl(s);
    X509_VERIFY_PARAM *param = verify_own_param(s);

    if (dane == NULL || param == NULL) {
        return -1;
    }
    if (s->ctx->dane == NULL || s->ctx->dane->max_type == 0) {
        raise_error(SSL_R_CONTEXT_NOT_DANE_ENABLED);
        return 0;
    }
    if (dane->records != NULL) {
        raise_error(SSL_R_DANE_ALREADY_ENABLED);
        return 0;
    }
    /* The server name first: it rejects what set1_host would take for "no check". */
    if (s->hostname == NULL && SSL_ctrl(s, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                        (void *)(uintptr_t)basedomain) != 1) {
        raise_error(SSL_R_ERROR_SETTING_TLSA_BASE_DOMAIN);
        return -1;
    }
    if (!X509_VERIFY_PARAM_set1_host(param, basedomain, 0)) {
        raise_error(SSL_R_ERROR_SETTING_TLSA_BASE_DOMAIN);
        return -1;
    }
    return start_records(s) ? 1 : -1;
}

unsigned long SSL_dane_set_flags(SSL *ssl, unsigned long flags)
{
    struct ssl_dane_st *dane = part_of_ssl(ssl);
    unsigned long before = dane != NULL ? dane->flags : 0;

    if (dane != NULL) {
        dane->flags |= flags;
    }
    return before;
}

unsigned long SSL_dane_clear_flags(SSL *ssl, unsigned long flags)
{
    struct ssl_dane_st *dane = part_of_ssl(ssl);
    unsigned long before = dane != NULL ? dane->flags : 0;

    if (dane != NULL) {
        dane->flags &= ~flags;
    }
    return before;
}

/* --- Adding a record --- */

/* What is wrong with a record whose parameters are these; 0: nothing. */
static int judge_form(const struct ssl_dane_st *dane, uint8_t usage, uint8_t selector,
                      uint8_t mtype, const unsigned char *data, size_t len)
{
    const EVP_MD *digest = NULL;

    if (len > INT32_MAX) {
        return SSL_R_DANE_TLSA_BAD_DATA_LENGTH;
    }
    if (usage >= NUM_USAGES) {
        return SSL_R_DANE_TLSA_BAD_CERTIFICATE_USAGE;
    }
    if (selector >= NUM_SELECTORS) {
        return SSL_R_DANE_TLSA_BAD_SELECTOR;
    }
    if (mtype != MATCHING_FULL) {
        digest = mtype <= dane->ctx->max_type ? dane->ctx->digests[mtype] : NULL;
        if (digest == NULL) {
            return SSL_R_DANE_TLSA_BAD_MATCHING_TYPE;
        }
        if (len != (size_t)EVP_MD_get_size(digest)) {
            return SSL_R_DANE_TLSA_BAD_DIGEST_LENGTH;
        }
    }
    return data == NULL ? SSL_R_DANE_TLSA_NULL_DATA : 0;
}

/* A whole certificate: kept when it can serve as a trust anchor that the peer doesn't send. 0, or
 * what is wrong with it. */
static int take_certificate(struct ssl_dane_st *dane, const dane_record *record)
{
    const unsigned char *at = record->data;
    X509 *cert = d2i_X509(NULL, &at, (long)record->len);

    if (cert == NULL || at != record->data + record->len || X509_get0_pubkey(cert) == NULL) {
        X509_free(cert);
        return SSL_R_DANE_TLSA_BAD_CERTIFICATE;
    }
    if ((BIT_OF_USAGE(record->usage) & ANCHOR_USAGES) == 0) {
        X509_free(cert);
        return 0;
    }
    if (dane->certs == NULL) {
        dane->certs = sk_X509_new_null();
    }
    if (dane->certs == NULL || !sk_X509_push(dane->certs, cert)) {
        X509_free(cert);
        return ERR_R_MALLOC_FAILURE;
    }
    return 0;
}

/* A whole public key: kept when it can serve as a trust anchor. */
static int take_key(dane_record *record)
{
    const unsigned char *at = record->data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)record->len);

    if (key == NULL || at != record->data + record->len) {
        EVP_PKEY_free(key);
        return SSL_R_DANE_TLSA_BAD_PUBLIC_KEY;
    }
    if (record->usage == USAGE_DANE_TA) {
        record->key = key;
    } else {
        EVP_PKEY_free(key);
    }
    return 0;
}

/* Where libcrypto expects a record: by usage, so that those which need no chain come first, then
 * selector and strength of the matching type, the highest first. */
static int place_of(const struct ssl_dane_st *dane, const dane_record *record)
{
    const uint8_t *strengths = dane->ctx->strengths;
    int i = 0;

    for (; i < sk_dane_record_num(dane->records); i++) {
        const dane_record *other = sk_dane_record_value(dane->records, i);

        if (other->usage != record->usage) {
            if (other->usage < record->usage) {
                break;
            }
        } else if (other->selector != record->selector) {
            if (other->selector < record->selector) {
                break;
            }
        } else if (strengths[other->mtype] <= strengths[record->mtype]) {
            break;
        }
    }
    return i;
}

/* A record with a copy of the data; NULL: out of memory. */
static dane_record *new_record(uint8_t usage, uint8_t selector, uint8_t mtype,
                               const unsigned char *data, size_t len)
{
    dane_record *record = OPENSSL_zalloc(sizeof(*record));

    if (record == NULL) {
        return NULL;
    }
    record->usage = usage;
    record->selector = selector;
    record->mtype = mtype;
    record->len = len;
    record->data = OPENSSL_malloc(len > 0 ? len : 1);
    if (record->data == NULL) {
        free_record(record);
        return NULL;
    }
    memcpy(record->data, data, len);
    return record;
}

int SSL_dane_tlsa_add(SSL *s, uint8_t usage, uint8_t selector, uint8_t mtype,
                      const unsigned char *data, size_t dlen)
{
    struct ssl_dane_st *dane = s->dane;
    dane_record *record;
    int wrong;

    if (dane == NULL || dane->records == NULL) {
        raise_error(SSL_R_DANE_NOT_ENABLED);
        return -1;
    }
    wrong = judge_form(dane, usage, selector, mtype, data, dlen);
    if (wrong != 0) {
        raise_error(wrong);
        return 0;
    }
    record = new_record(usage, selector, mtype, data, dlen);
    if (record == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return -1;
    }
    if (mtype == MATCHING_FULL) {
        wrong = selector == SELECTOR_CERT ? take_certificate(dane, record) : take_key(record);
    }
    if (wrong == 0 && !sk_dane_record_insert(dane->records, record, place_of(dane, record))) {
        wrong = ERR_R_MALLOC_FAILURE;
    }
    if (wrong != 0) {
        free_record(record);
        raise_error(wrong);
        return wrong == ERR_R_MALLOC_FAILURE ? -1 : 0;
    }
    dane->usages |= BIT_OF_USAGE(usage);
    return 1;
}

bool dane_copy(SSL *to, const SSL *from)
{
    bool ok = true;

    if (!has_records(from->dane)) {
        return true;
    }
    dane_wipe(to);
    if (part_of_ssl(to) == NULL || !start_records(to)) {
        return false;
    }
    to->dane->flags = from->dane->flags;
    /* Insertion goes before equals, so the last comes first. */
    for (int i = sk_dane_record_num(from->dane->records) - 1; ok && i >= 0; i--) {
        const dane_record *r = sk_dane_record_value(from->dane->records, i);

        ok = SSL_dane_tlsa_add(to, r->usage, r->selector, r->mtype, r->data, r->len) == 1;
    }
    return ok;
}

/* --- What matched --- */

int SSL_get0_dane_authority(SSL *s, X509 **mcert, EVP_PKEY **mspki)
{
    const struct ssl_dane_st *dane = s->dane;

    if (!has_records(dane) || s->verify_result != X509_V_OK) {
        return -1;
    }
    if (dane->match != NULL) {
        if (mcert != NULL) {
            *mcert = dane->match_cert;
        }
        if (mspki != NULL) {
            *mspki = dane->match_cert == NULL ? dane->match->key : NULL;
        }
    }
    return dane->match_depth;
}

int SSL_get0_dane_tlsa(SSL *s, uint8_t *usage, uint8_t *selector, uint8_t *mtype,
                       const unsigned char **data, size_t *dlen)
{
    const struct ssl_dane_st *dane = s->dane;

    if (!has_records(dane) || s->verify_result != X509_V_OK) {
        return -1;
    }
    if (dane->match == NULL) {
        return dane->match_depth;
    }
    if (usage != NULL) {
        *usage = dane->match->usage;
    }
    if (selector != NULL) {
        *selector = dane->match->selector;
    }
    if (mtype != NULL) {
        *mtype = dane->match->mtype;
    }
    if (data != NULL) {
        *data = dane->match->data;
    }
    if (dlen != NULL) {
        *dlen = dane->match->len;
    }
    return dane->match_depth;
}

SSL_DANE *SSL_get0_dane(SSL *ssl)
{
    return part_of_ssl(ssl);
}
