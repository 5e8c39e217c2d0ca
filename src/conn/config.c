/*
 * Settings of a connection as the core sees them: the lists in force, copies, and which versions
 * are allowed. Setting and checking them is the business of api/.
 */
#include "conn/config.h"

#include "record/record.h"
#include <assert.h>
#include <string.h>

/* A default list lies in read-only memory in the shape of a struct blob. Its count never changes:
 * the lists in force are borrowed. */
#define DEFAULT_LIST(num)                                                                          \
    union {                                                                                        \
        struct {                                                                                   \
            _Atomic uint32_t refs;                                                                 \
            uint32_t len;                                                                          \
            uint16_t values[num];                                                                  \
        } init;                                                                                    \
        struct blob blob;                                                                          \
    }

static_assert(offsetof(struct blob, len) == sizeof(uint32_t) &&
                  offsetof(struct blob, bytes) == 2 * sizeof(uint32_t),
              "default lists have the layout of a blob");

#define NUM_DEFAULT_SUITES13 3
#define NUM_DEFAULT_GROUPS   10
#define NUM_DEFAULT_SIGALGS  23

/* OpenSSL 3.0: TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256. */
static const DEFAULT_LIST(NUM_DEFAULT_SUITES13) default_suites13 = {
    .init = { 1, NUM_DEFAULT_SUITES13 * sizeof(uint16_t), { 0x1302, 0x1303, 0x1301 } }
};

/* OpenSSL 3.0: x25519, secp256r1, x448, secp521r1, secp384r1, ffdhe2048 to ffdhe8192. */
static const DEFAULT_LIST(NUM_DEFAULT_GROUPS) default_groups = {
    .init = { 1,
              NUM_DEFAULT_GROUPS * sizeof(uint16_t),
              { 0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104 } }
};

/* OpenSSL 3.0: ECDSA and EdDSA, PSS, PKCS #1 with SHA-2, then the old ones that only lower
 * security levels let through. */
static const DEFAULT_LIST(NUM_DEFAULT_SIGALGS) default_sigalgs = {
    .init = { 1,
              NUM_DEFAULT_SIGALGS * sizeof(uint16_t),
              { 0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
                0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0203,
                0x0301, 0x0201, 0x0302, 0x0202, 0x0402, 0x0502, 0x0602 } }
};

/* RFC 6460, 3: P-256 with SHA-256, P-384 with SHA-384. */
static const DEFAULT_LIST(2) suite_b_groups = { .init = {
                                                    1, 2 * sizeof(uint16_t), { 0x0017, 0x0018 } } };
static const DEFAULT_LIST(1) suite_b_group128 = { .init = { 1, sizeof(uint16_t), { 0x0017 } } };
static const DEFAULT_LIST(1) suite_b_group192 = { .init = { 1, sizeof(uint16_t), { 0x0018 } } };
static const DEFAULT_LIST(2) suite_b_sigalgs = {
    .init = { 1, 2 * sizeof(uint16_t), { 0x0403, 0x0503 } }
};
static const DEFAULT_LIST(1) suite_b_sigalg128 = { .init = { 1, sizeof(uint16_t), { 0x0403 } } };
static const DEFAULT_LIST(1) suite_b_sigalg192 = { .init = { 1, sizeof(uint16_t), { 0x0503 } } };

size_t u16_list_len(const struct blob *list)
{
    return blob_len(list) / sizeof(uint16_t);
}

uint16_t u16_list_at(const struct blob *list, size_t i)
{
    uint16_t value;

    memcpy(&value, list->bytes + i * sizeof(value), sizeof(value));
    return value;
}

void u16_list_set(struct blob *list, size_t i, uint16_t value)
{
    ((uint16_t *)(void *)list->bytes)[i] = value;
}

bool u16_list_has(const struct blob *list, uint16_t value)
{
    for (size_t i = 0; i < u16_list_len(list); i++) {
        if (u16_list_at(list, i) == value) {
            return true;
        }
    }
    return false;
}

const struct blob *config_suites13(const struct tls_config *config)
{
    return config->suites13 != NULL ? config->suites13 : &default_suites13.blob;
}

const struct blob *config_groups(const struct tls_config *config)
{
    switch (config->suite_b) {
    case SUITE_B_128:
        return &suite_b_groups.blob;
    case SUITE_B_128_ONLY:
        return &suite_b_group128.blob;
    case SUITE_B_192:
        return &suite_b_group192.blob;
    case SUITE_B_OFF:
        break;
    }
    return config->groups != NULL ? config->groups : &default_groups.blob;
}

const struct blob *config_sigalgs(const struct tls_config *config)
{
    switch (config->suite_b) {
    case SUITE_B_128:
        return &suite_b_sigalgs.blob;
    case SUITE_B_128_ONLY:
        return &suite_b_sigalg128.blob;
    case SUITE_B_192:
        return &suite_b_sigalg192.blob;
    case SUITE_B_OFF:
        break;
    }
    return config->sigalgs != NULL ? config->sigalgs : &default_sigalgs.blob;
}

const struct blob *config_client_sigalgs(const struct tls_config *config)
{
    if (config->client_sigalgs != NULL && config->suite_b == SUITE_B_OFF) {
        return config->client_sigalgs;
    }
    return config_sigalgs(config);
}

bool config_is_anti_replay(const struct tls_config *config)
{
    return config->protects_early_data || (config->options & OPTION_NO_ANTI_REPLAY) == 0;
}

bool config_own_first(const struct tls_config *config)
{
    return (config->options & OPTION_CIPHER_SERVER_PREFERENCE) != 0 ||
           config->suite_b != SUITE_B_OFF;
}

void config_copy(struct tls_config *copy, const struct tls_config *source)
{
    *copy = *source;
    (void)blob_ref(copy->suites13);
    (void)blob_ref(copy->suites);
    (void)blob_ref(copy->groups);
    (void)blob_ref(copy->sigalgs);
    (void)blob_ref(copy->client_sigalgs);
    (void)blob_ref(copy->alpn);
    (void)blob_ref(copy->psk_identity_hint);
    (void)credentials_ref(copy->credentials);
}

void config_wipe(struct tls_config *config)
{
    blob_set(&config->suites13, NULL);
    blob_set(&config->suites, NULL);
    blob_set(&config->groups, NULL);
    blob_set(&config->sigalgs, NULL);
    blob_set(&config->client_sigalgs, NULL);
    blob_set(&config->alpn, NULL);
    blob_set(&config->psk_identity_hint, NULL);
    credentials_free(config->credentials);
    config->credentials = NULL;
}

bool config_allows_version(const struct tls_config *config, uint16_t version)
{
    static const struct {
        uint16_t version;
        uint64_t forbidden_by;
    } versions[] = { { VERSION_SSL3, OPTION_NO_SSL3 },
                     { VERSION_TLS1, OPTION_NO_TLS1 },
                     { VERSION_TLS11, OPTION_NO_TLS11 },
                     { VERSION_TLS12, OPTION_NO_TLS12 },
                     { VERSION_TLS13, OPTION_NO_TLS13 } };

    if (config->only_version != 0) {
        return version == config->only_version;
    }
    if ((config->min_version != 0 && version < config->min_version) ||
        (config->max_version != 0 && version > config->max_version)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (versions[i].version == version) {
            return (config->options & versions[i].forbidden_by) == 0;
        }
    }
    return false;
}
