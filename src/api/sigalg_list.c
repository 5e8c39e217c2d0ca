/*
 * Lists of signature algorithms: setting them, and which the peer and both sides have.
 */
#include "api/lists.h"

#include "api/certs.h"
#include "api/versions.h"
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

/* As many as OpenSSL 3.0 takes: twice its table. */
#define MAX_SIGALGS 64

/* Longest word of a list, as in OpenSSL. */
#define MAX_WORD 39

struct sigalg_list {
    uint16_t ids[MAX_SIGALGS];
    size_t num;
};

static const struct sig_scheme *find_by_nids(int hash_nid, int sig_nid)
{
    size_t num;
    const struct sig_scheme *table = sig_scheme_table(&num);

    for (size_t i = 0; i < num; i++) {
        /* With one NID for both, PSS means that of ordinary RSA keys. */
        if (table[i].hash_nid == hash_nid && table[i].sig_nid == sig_nid &&
            table[i].kind != SIG_RSA_PSS_PSS) {
            return &table[i];
        }
    }
    return NULL;
}

/* "RSA", "ECDSA", ... is a kind of key, everything else a digest that libcrypto knows. */
static void read_half(const char *word, int *sig_nid, int *hash_nid)
{
    static const struct {
        const char *word;
        int nid;
    } keys[] = { { "RSA", EVP_PKEY_RSA },
                 { "RSA-PSS", EVP_PKEY_RSA_PSS },
                 { "PSS", EVP_PKEY_RSA_PSS },
                 { "DSA", EVP_PKEY_DSA },
                 { "ECDSA", EVP_PKEY_EC } };

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(word, keys[i].word) == 0) {
            *sig_nid = keys[i].nid;
            return;
        }
    }
    *hash_nid = OBJ_sn2nid(word);
    if (*hash_nid == NID_undef) {
        *hash_nid = OBJ_ln2nid(word);
    }
}

/* A scheme by its name or as "KEY+DIGEST"; NULL: neither. */
static const struct sig_scheme *find_by_word(struct list_word word)
{
    char copy[MAX_WORD + 1];
    int sig_nid = NID_undef;
    int hash_nid = NID_undef;

    if (word.len == 0 || word.len > MAX_WORD) {
        return NULL;
    }
    memcpy(copy, word.at, word.len);
    copy[word.len] = '\0';
    char *plus = strchr(copy, '+');
    if (plus == NULL) {
        return sig_scheme_by_name(copy, word.len);
    }
    *plus = '\0';
    if (plus[1] == '\0') {
        return NULL;
    }
    read_half(copy, &sig_nid, &hash_nid);
    read_half(plus + 1, &sig_nid, &hash_nid);
    if (sig_nid == NID_undef || hash_nid == NID_undef) {
        return NULL;
    }
    return find_by_nids(hash_nid, sig_nid);
}

static long store_sigalgs(SSL *s, SSL_CTX *ctx, const struct sigalg_list *list, bool client)
{
    struct blob *sigalgs = blob_new(list->ids, list->num * sizeof(list->ids[0]));
    struct ssl_config *config = sigalgs == NULL ? NULL : settings_edit(s, ctx);

    if (config == NULL) {
        blob_free(sigalgs);
        return 0;
    }
    blob_set(client ? &config->core.client_sigalgs : &config->core.sigalgs, sigalgs);
    return 1;
}

long sigalgs_set(SSL *s, SSL_CTX *ctx, const int *nids, long num, bool client)
{
    struct sigalg_list list = { .num = 0 };

    if (num % 2 != 0) {
        return 0;
    }
    if (num <= 0 || nids == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (num / 2 > MAX_SIGALGS) {
        return 0;
    }
    for (long i = 0; i < num; i += 2) {
        const struct sig_scheme *scheme = find_by_nids(nids[i], nids[i + 1]);

        if (scheme == NULL) {
            return 0;
        }
        list.ids[list.num++] = scheme->id;
    }
    return store_sigalgs(s, ctx, &list, client);
}

long sigalgs_set_list(SSL *s, SSL_CTX *ctx, const char *text, bool client)
{
    struct sigalg_list list = { .num = 0 };
    bool more = true;

    if (text == NULL) {
        ERR_raise(ERR_LIB_CONF, CONF_R_LIST_CANNOT_BE_NULL);
        return 0;
    }
    while (more) {
        const struct sig_scheme *scheme = find_by_word(list_next_word(&text, &more));

        if (scheme == NULL || list.num == MAX_SIGALGS) {
            return 0;
        }
        for (size_t i = 0; i < list.num; i++) {
            if (list.ids[i] == scheme->id) {
                return 0;
            }
        }
        list.ids[list.num++] = scheme->id;
    }
    return s == NULL && ctx == NULL ? 1 : store_sigalgs(s, ctx, &list, client);
}

/* Answers with the parts of one scheme; each pointer may be NULL. */
static void report_sigalg(uint16_t id, int *sig_nid, int *hash_nid, int *combined_nid,
                          unsigned char *sig_byte, unsigned char *hash_byte)
{
    const struct sig_scheme *scheme = sig_scheme_by_id(id);

    if (hash_byte != NULL) {
        *hash_byte = (unsigned char)(id >> 8);
    }
    if (sig_byte != NULL) {
        *sig_byte = (unsigned char)id;
    }
    if (sig_nid != NULL) {
        *sig_nid = scheme == NULL ? NID_undef : scheme->sig_nid;
    }
    if (hash_nid != NULL) {
        *hash_nid = scheme == NULL ? NID_undef : scheme->hash_nid;
    }
    if (combined_nid != NULL) {
        *combined_nid = scheme == NULL ? NID_undef : scheme->combined_nid;
    }
}

int SSL_get_sigalgs(SSL *s, int idx, int *psign, int *phash, int *psignhash, unsigned char *rsig,
                    unsigned char *rhash)
{
    const struct blob *peer = s->conn.neg.peer_sigalgs;
    size_t num = u16_list_len(peer);

    if (idx >= 0) {
        if ((size_t)idx >= num) {
            return 0;
        }
        report_sigalg(u16_list_at(peer, (size_t)idx), psign, phash, psignhash, rsig, rhash);
    }
    return (int)num;
}

/* The n-th scheme both sides allow; n too large: their number is in *num, and 0 is returned. */
static uint16_t shared_sigalg(const SSL *s, size_t n, size_t *num)
{
    const struct tls_config *config = s->conn.config;
    const struct blob *peer = s->conn.neg.peer_sigalgs;
    const struct blob *own =
        SSL_is_server(s) ? config_sigalgs(config) : config_client_sigalgs(config);
    bool own_first =
        (config->options & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0 || config->suite_b != SUITE_B_OFF;
    const struct blob *preferred = own_first ? own : peer;
    const struct blob *other = own_first ? peer : own;
    uint16_t found = 0;

    *num = 0;
    /* A server has compared the lists once it has the client's suites. */
    if (SSL_is_server(s) && s->conn.neg.peer_suites == NULL) {
        return 0;
    }
    for (size_t i = 0; i < u16_list_len(preferred); i++) {
        uint16_t id = u16_list_at(preferred, i);
        const struct sig_scheme *scheme = sig_scheme_by_id(id);

        if (scheme == NULL || !u16_list_has(other, id) ||
            !sig_scheme_is_available(config->lib, scheme) ||
            !sigalg_is_allowed(s, SSL_SECOP_SIGALG_SHARED, scheme)) {
            continue;
        }
        if (*num == n) {
            found = id;
        }
        (*num)++;
    }
    return found;
}

int SSL_get_shared_sigalgs(SSL *s, int idx, int *psign, int *phash, int *psignhash,
                           unsigned char *rsig, unsigned char *rhash)
{
    size_t num;

    if (idx < 0) {
        return 0;
    }
    uint16_t id = shared_sigalg(s, (size_t)idx, &num);
    if ((size_t)idx >= num) {
        return 0;
    }
    report_sigalg(id, psign, phash, psignhash, rsig, rhash);
    return (int)num;
}
