/*
 * Runs a file of Wycheproof test vectors against crypto/: wycheproof DIRECTORY NAME. Exit code 0:
 * every vector gave what it must; 1: one did not; 77: the file is not there, nothing was tested.
 */
#include "../unit/loose_aead.h"
#include "crypto/group.h"
#include "crypto/kdf.h"
#include "json.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED 77 /* what Meson takes for "not run" */

/* A vector's bytes; on the heap and exactly as long, so that the sanitizer sees an over-read. */
struct octets {
    size_t len;
    uint8_t *data;
};

static struct octets octets_of(const struct json *test, const char *key)
{
    const char *hex = json_text(test, key);
    struct octets o = { strlen(hex) / 2, NULL };

    o.data = malloc(o.len == 0 ? 1 : o.len);
    if (o.data == NULL) {
        abort();
    }
    for (size_t i = 0; i < o.len; i++) {
        const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

        o.data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return o;
}

/* What a vector gave. */
enum verdict { PASSED, FAILED, NOT_OURS };

static bool is_valid(const struct json *test)
{
    return strcmp(json_text(test, "result"), "valid") == 0;
}

struct aead_vector {
    struct octets key, nonce, aad, text, sealed; /* sealed: ciphertext and tag */
};

/* Opens, and where the vector is valid seals, with one instance each. */
static enum verdict run_aead(const struct crypto_lib *lib, enum aead_id id,
                             const struct aead_vector *v, bool valid)
{
    struct aead *seal = aead_new(lib, id, AEAD_SEAL, v->key.data);
    struct aead *open = aead_new(lib, id, AEAD_OPEN, v->key.data);
    size_t half = v->text.len / 2;
    uint8_t *out = malloc(v->sealed.len + 1);
    bool right = seal != NULL && open != NULL && out != NULL;

    if (right) {
        bool opened =
            opens(open, v->nonce.data, v->aad.data, v->aad.len, out, v->sealed.data, v->sealed.len);

        right = opened == valid && (!valid || memcmp(out, v->text.data, v->text.len) == 0);
    }
    if (right && valid) {
        memcpy(out + half, v->text.data + half, v->text.len - half);
        right = aead_seal(seal, v->nonce.data, v->aad.data, v->aad.len, out, v->text.data, half,
                          v->text.len - half) &&
                memcmp(out, v->sealed.data, v->sealed.len) == 0;
    }
    aead_free(seal);
    aead_free(open);
    free(out);
    return right ? PASSED : FAILED;
}

static enum verdict check_aead(const struct crypto_lib *lib, const struct json *test, bool is_gcm)
{
    struct aead_vector v = { octets_of(test, "key"), octets_of(test, "iv"), octets_of(test, "aad"),
                             octets_of(test, "msg"), octets_of(test, "ct") };
    struct octets tag = octets_of(test, "tag");
    enum verdict verdict = NOT_OURS;
    enum aead_id id = !is_gcm           ? AEAD_CHACHA20_POLY1305
                      : v.key.len == 16 ? AEAD_AES_128_GCM
                                        : AEAD_AES_256_GCM;

    v.sealed.data = realloc(v.sealed.data, v.sealed.len + tag.len + 1);
    if (v.sealed.data == NULL) {
        abort();
    }
    memcpy(v.sealed.data + v.sealed.len, tag.data, tag.len);
    v.sealed.len += tag.len;
    /* TLS has nonces of 12 bytes and no AES-192. */
    if (v.nonce.len == AEAD_NONCE_LEN && v.key.len == aead_facts(id)->key_len && tag.len == 16) {
        verdict = run_aead(lib, id, &v, is_valid(test));
    }
    free(v.key.data);
    free(v.nonce.data);
    free(v.aad.data);
    free(v.text.data);
    free(v.sealed.data);
    free(tag.data);
    return verdict;
}

static enum verdict check_aes_gcm(const struct crypto_lib *lib, const struct json *test)
{
    return check_aead(lib, test, true);
}

static enum verdict check_chacha20(const struct crypto_lib *lib, const struct json *test)
{
    return check_aead(lib, test, false);
}

/* "Acceptable" are odd public keys that RFC 7748 computes with; only a result of all zeros is to be
 * refused in TLS: RFC 8446, 7.4.2. */
static enum verdict check_x25519(const struct crypto_lib *lib, const struct json *test)
{
    struct octets public_key = octets_of(test, "public");
    struct octets private_key = octets_of(test, "private");
    struct octets expected = octets_of(test, "shared");
    const struct group *g = group_by_name(crypto_lib_default(), "x25519", 6);
    struct group_key *key =
        group_key_import(lib, g, private_key.data, private_key.len, public_key.data);
    struct shared_secret shared;
    enum verdict verdict = FAILED;

    if (key != NULL) {
        enum group_result result =
            group_decapsulate(lib, key, public_key.data, public_key.len, &shared);
        bool is_zero = json_lists(test, "flags", "ZeroSharedSecret");

        if (is_zero ? result == GROUP_WEAK_SHARE
                    : result == GROUP_OK && shared.len == expected.len &&
                          memcmp(shared.bytes, expected.data, expected.len) == 0) {
            verdict = PASSED;
        }
    }
    group_key_free(key);
    free(public_key.data);
    free(private_key.data);
    free(expected.data);
    return verdict;
}

static enum verdict check_hkdf(const struct crypto_lib *lib, const struct json *test,
                               enum hash_id id)
{
    const struct hash *h = hash_get(lib, id);
    struct octets ikm = octets_of(test, "ikm");
    struct octets salt = octets_of(test, "salt");
    struct octets info = octets_of(test, "info");
    struct octets okm = octets_of(test, "okm");
    size_t size = (size_t)json_number(test, "size");
    uint8_t *out = malloc(size + 1);
    struct secret prk = { 0 };

    bool done = out != NULL && hkdf_extract(h, salt.data, salt.len, ikm.data, ikm.len, &prk) &&
                hkdf_expand(h, &prk, info.data, info.len, out, size);
    bool right =
        is_valid(test) ? done && size == okm.len && memcmp(out, okm.data, size) == 0 : !done;
    free(ikm.data);
    free(salt.data);
    free(info.data);
    free(okm.data);
    free(out);
    return right ? PASSED : FAILED;
}

static enum verdict check_hkdf_sha256(const struct crypto_lib *lib, const struct json *test)
{
    return check_hkdf(lib, test, HASH_SHA256);
}

static enum verdict check_hkdf_sha384(const struct crypto_lib *lib, const struct json *test)
{
    return check_hkdf(lib, test, HASH_SHA384);
}

static const struct suite {
    const char *name;
    enum verdict (*check)(const struct crypto_lib *lib, const struct json *test);
    long at_least; /* vectors that have to have been run, so that a test of nothing fails */
} suites[] = {
    { "aes_gcm", check_aes_gcm, 130 },        { "chacha20_poly1305", check_chacha20, 300 },
    { "x25519", check_x25519, 500 },          { "hkdf_sha256", check_hkdf_sha256, 80 },
    { "hkdf_sha384", check_hkdf_sha384, 80 },
};

/* Runs each vector on one instance of crypto_lib. */
static bool run_all(const struct suite *suite, const struct crypto_lib *lib,
                    const struct json *document, const char *what)
{
    long counts[3] = { 0 };
    const struct json *groups = json_member(document, "testGroups");
    const struct json *group = groups == NULL ? NULL : groups->first;

    for (; group != NULL; group = group->next) {
        const struct json *tests = json_member(group, "tests");
        const struct json *test = tests == NULL ? NULL : tests->first;

        for (; test != NULL; test = test->next) {
            enum verdict verdict = suite->check(lib, test);

            counts[verdict]++;
            if (verdict == FAILED) {
                printf("%s, %s: vector %ld (%s): wrong\n", suite->name, what,
                       json_number(test, "tcId"), json_text(test, "comment"));
            }
            ERR_clear_error();
        }
    }
    printf("%s, %s: %ld right, %ld wrong, %ld not for TLS\n", suite->name, what, counts[PASSED],
           counts[FAILED], counts[NOT_OURS]);
    long all = counts[PASSED] + counts[FAILED] + counts[NOT_OURS];
    return counts[FAILED] == 0 && counts[PASSED] >= suite->at_least &&
           all == json_number(document, "numberOfTests");
}

int main(int argc, char **argv)
{
    const struct suite *suite = NULL;
    const char *directory = getenv("TENON_VECTORS");
    char path[4096];

    for (size_t i = 0; argc == 3 && i < COUNT_OF(suites); i++) {
        if (strcmp(suites[i].name, argv[2]) == 0) {
            suite = &suites[i];
        }
    }
    if (suite == NULL) {
        fprintf(stderr, "usage: wycheproof DIRECTORY NAME (TENON_VECTORS replaces DIRECTORY)\n");
        return 1;
    }
    snprintf(path, sizeof(path), "%s/%s_test.json",
             directory != NULL && directory[0] != '\0' ? directory : argv[1], suite->name);
    FILE *there = fopen(path, "rb");
    if (there == NULL) {
        printf("skipped: no vectors at %s\n", path);
        return SKIPPED;
    }
    (void)fclose(there);
    struct json *document = json_read(path);
    const struct crypto_lib *evp = crypto_lib_new(NULL, "provider=default");
    bool right = document != NULL && evp != NULL &&
                 run_all(suite, crypto_lib_default(), document, "default") &&
                 run_all(suite, evp, document, "through EVP");
    if (document == NULL) {
        printf("%s is not JSON\n", path);
    }
    crypto_lib_free(evp);
    json_free(document);
    return right ? 0 : 1;
}
