/*
 * Which groups there are: those of OpenSSL 3.0's default provider in a table, and those that other
 * providers of a library context bring along.
 */
#include "crypto/group.h"
#include "crypto/lib_internal.h"

#include <openssl/objects.h>
#include <openssl/prov_ssl.h>
#include <string.h>

#define ANY_VERSION 0

#define FIRST_FFDH 0x0100
#define NUM_FFDH   5

/* All of OpenSSL 3.0's default provider, with its security strengths. */
static const struct group table[] = {
    { 0x0001, GROUP_EC, NID_sect163k1, "sect163k1", "K-163", "EC", "sect163k1", 43, 80,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0002, GROUP_EC, NID_sect163r1, "sect163r1", NULL, "EC", "sect163r1", 43, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0003, GROUP_EC, NID_sect163r2, "sect163r2", "B-163", "EC", "sect163r2", 43, 80,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0004, GROUP_EC, NID_sect193r1, "sect193r1", NULL, "EC", "sect193r1", 51, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0005, GROUP_EC, NID_sect193r2, "sect193r2", NULL, "EC", "sect193r2", 51, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0006, GROUP_EC, NID_sect233k1, "sect233k1", "K-233", "EC", "sect233k1", 61, 112,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0007, GROUP_EC, NID_sect233r1, "sect233r1", "B-233", "EC", "sect233r1", 61, 112,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0008, GROUP_EC, NID_sect239k1, "sect239k1", NULL, "EC", "sect239k1", 61, 112, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0009, GROUP_EC, NID_sect283k1, "sect283k1", "K-283", "EC", "sect283k1", 73, 128,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000a, GROUP_EC, NID_sect283r1, "sect283r1", "B-283", "EC", "sect283r1", 73, 128,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000b, GROUP_EC, NID_sect409k1, "sect409k1", "K-409", "EC", "sect409k1", 105, 192,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000c, GROUP_EC, NID_sect409r1, "sect409r1", "B-409", "EC", "sect409r1", 105, 192,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000d, GROUP_EC, NID_sect571k1, "sect571k1", "K-571", "EC", "sect571k1", 145, 256,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000e, GROUP_EC, NID_sect571r1, "sect571r1", "B-571", "EC", "sect571r1", 145, 256,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x000f, GROUP_EC, NID_secp160k1, "secp160k1", NULL, "EC", "secp160k1", 41, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0010, GROUP_EC, NID_secp160r1, "secp160r1", NULL, "EC", "secp160r1", 41, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0011, GROUP_EC, NID_secp160r2, "secp160r2", NULL, "EC", "secp160r2", 41, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0012, GROUP_EC, NID_secp192k1, "secp192k1", NULL, "EC", "secp192k1", 49, 80, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0013, GROUP_EC, NID_X9_62_prime192v1, "secp192r1", "P-192", "EC", "prime192v1", 49, 80,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0014, GROUP_EC, NID_secp224k1, "secp224k1", NULL, "EC", "secp224k1", 57, 112, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0015, GROUP_EC, NID_secp224r1, "secp224r1", "P-224", "EC", "secp224r1", 57, 112,
      TLS1_VERSION, TLS1_2_VERSION },
    { 0x0016, GROUP_EC, NID_secp256k1, "secp256k1", NULL, "EC", "secp256k1", 65, 128, TLS1_VERSION,
      TLS1_2_VERSION },
    { 0x0017, GROUP_EC, NID_X9_62_prime256v1, "secp256r1", "P-256", "EC", "prime256v1", 65, 128,
      TLS1_VERSION, ANY_VERSION },
    { 0x0018, GROUP_EC, NID_secp384r1, "secp384r1", "P-384", "EC", "secp384r1", 97, 192,
      TLS1_VERSION, ANY_VERSION },
    { 0x0019, GROUP_EC, NID_secp521r1, "secp521r1", "P-521", "EC", "secp521r1", 133, 256,
      TLS1_VERSION, ANY_VERSION },
    { 0x001a, GROUP_EC, NID_brainpoolP256r1, "brainpoolP256r1", NULL, "EC", "brainpoolP256r1", 65,
      128, TLS1_VERSION, TLS1_2_VERSION },
    { 0x001b, GROUP_EC, NID_brainpoolP384r1, "brainpoolP384r1", NULL, "EC", "brainpoolP384r1", 97,
      192, TLS1_VERSION, TLS1_2_VERSION },
    { 0x001c, GROUP_EC, NID_brainpoolP512r1, "brainpoolP512r1", NULL, "EC", "brainpoolP512r1", 129,
      256, TLS1_VERSION, TLS1_2_VERSION },
    { 0x001d, GROUP_ECX, NID_X25519, "x25519", NULL, "X25519", NULL, 32, 128, TLS1_VERSION,
      ANY_VERSION },
    { 0x001e, GROUP_ECX, NID_X448, "x448", NULL, "X448", NULL, 56, 224, TLS1_VERSION, ANY_VERSION },
    { 0x0100, GROUP_FFDH, NID_ffdhe2048, "ffdhe2048", NULL, "DH", "ffdhe2048", 256, 112,
      TLS1_3_VERSION, ANY_VERSION },
    { 0x0101, GROUP_FFDH, NID_ffdhe3072, "ffdhe3072", NULL, "DH", "ffdhe3072", 384, 128,
      TLS1_3_VERSION, ANY_VERSION },
    { 0x0102, GROUP_FFDH, NID_ffdhe4096, "ffdhe4096", NULL, "DH", "ffdhe4096", 512, 128,
      TLS1_3_VERSION, ANY_VERSION },
    { 0x0103, GROUP_FFDH, NID_ffdhe6144, "ffdhe6144", NULL, "DH", "ffdhe6144", 768, 128,
      TLS1_3_VERSION, ANY_VERSION },
    { 0x0104, GROUP_FFDH, NID_ffdhe8192, "ffdhe8192", NULL, "DH", "ffdhe8192", 1024, 192,
      TLS1_3_VERSION, ANY_VERSION },
};

_Static_assert(COUNT_OF(table) <= 64, "groups_found.known has a bit for each");

/* Code points are in order and without gaps, but for the one before the finite fields. */
static const struct group *known_by_id(uint16_t id)
{
    const size_t first_ffdh = COUNT_OF(table) - NUM_FFDH;
    size_t row = id < FIRST_FFDH ? (size_t)id - 1 : first_ffdh + (id - FIRST_FFDH);

    return row < COUNT_OF(table) && table[row].id == id ? &table[row] : NULL;
}

static bool is_available(const struct crypto_lib *lib, const struct group *known)
{
    return (lib->groups.known >> (known - table) & 1) != 0;
}

const struct group *group_by_id(const struct crypto_lib *lib, uint16_t id)
{
    const struct group *known = known_by_id(id);

    if (known != NULL && is_available(lib, known)) {
        return known;
    }
    for (size_t i = 0; i < lib->groups.num_provided; i++) {
        if (lib->groups.provided[i]->id == id) {
            return lib->groups.provided[i];
        }
    }
    return NULL;
}

const struct group *group_by_nid(const struct crypto_lib *lib, int nid)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].nid == nid) {
            return is_available(lib, &table[i]) ? &table[i] : NULL;
        }
    }
    return NULL;
}

int group_nid(uint16_t id)
{
    const struct group *known = known_by_id(id);

    return known != NULL ? known->nid : NID_undef;
}

static bool is_name(const char *candidate, const char *name, size_t len)
{
    return candidate != NULL && strlen(candidate) == len && memcmp(candidate, name, len) == 0;
}

static bool is_called(const struct group *g, const char *name, size_t len)
{
    /* libcrypto's own name is "prime256v1" for a curve, "X25519" where there is no curve. */
    const char *object_name = g->kind == GROUP_ECX ? g->algorithm : g->parameter;

    return is_name(g->name, name, len) || is_name(g->alias, name, len) ||
           is_name(object_name, name, len);
}

const struct group *group_by_name(const struct crypto_lib *lib, const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (is_available(lib, &table[i]) && is_called(&table[i], name, len)) {
            return &table[i];
        }
    }
    for (size_t i = 0; i < lib->groups.num_provided; i++) {
        if (is_called(lib->groups.provided[i], name, len)) {
            /* Of several with that code point, the first is the one that is used. */
            return group_by_id(lib, lib->groups.provided[i]->id);
        }
    }
    return NULL;
}

const struct group *group_table(size_t *num)
{
    *num = COUNT_OF(table);
    return table;
}

bool group_serves(const struct group *g, uint16_t min, uint16_t max)
{
    return g->min_version >= 0 && g->max_version >= 0 &&
           (g->max_version == ANY_VERSION || min <= g->max_version) &&
           (g->min_version == ANY_VERSION || max >= g->min_version);
}

bool group_is_curve(const struct group *g)
{
    return g->kind == GROUP_ECX || g->kind == GROUP_EC || strcmp(g->algorithm, "EC") == 0 ||
           strcmp(g->algorithm, "X25519") == 0 || strcmp(g->algorithm, "X448") == 0;
}
