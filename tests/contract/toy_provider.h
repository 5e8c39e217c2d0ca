/*
 * A provider of our own that brings along key exchange groups: "TOY", which exchanges keys and
 * encapsulates, by XOR. It keeps no secret from anybody. What it says of its groups
 * (provider-base(7), TLS-GROUP) and which of its steps fails is in `toy`.
 */
#ifndef CONTRACT_TOY_PROVIDER_H
#define CONTRACT_TOY_PROVIDER_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#define TOY_NAME "TOY"

/* Bytes of a share of the groups whose internal name is TOY_BIG, and of all others. */
#define TOY_BIG           "toy-big"
#define TOY_BIG_SHARE_LEN 4096
#define TOY_SHARE_LEN     32

/* The fields of a capability, for toy_group.left_out and .misshapen. */
enum {
    TOY_FIELD_NAME = 1 << 0,
    TOY_FIELD_INTERNAL = 1 << 1,
    TOY_FIELD_ALGORITHM = 1 << 2,
    TOY_FIELD_ID = 1 << 3,
    TOY_FIELD_BITS = 1 << 4,
    TOY_FIELD_IS_KEM = 1 << 5,
    TOY_FIELD_MIN_TLS = 1 << 6,
    TOY_FIELD_MAX_TLS = 1 << 7,
    TOY_FIELD_MIN_DTLS = 1 << 8,
    TOY_FIELD_MAX_DTLS = 1 << 9,
    TOY_NUM_FIELDS = 10
};

struct toy_group {
    const char *name;
    const char *internal;
    const char *algorithm;
    unsigned id;
    unsigned security_bits;
    unsigned is_kem;
    int min_tls, max_tls;
    unsigned left_out;  /* fields that are not there */
    unsigned misshapen; /* fields of another type: texts that are octets, numbers that are texts */
};

enum toy_step {
    TOY_NOTHING,
    TOY_CAPABILITIES, /* the groups are told, and the answer is 0 all the same */
    TOY_GENERATE,
    TOY_PARAMETERS,
    TOY_GET_SHARE,
    TOY_SET_SHARE,
    TOY_SET_PEER,
    TOY_SECRET_LEN, /* of an exchange, an encapsulation or a decapsulation */
    TOY_DERIVE,
    TOY_ENCAPSULATE,
    TOY_DECAPSULATE,
    TOY_NUM_STEPS
};

struct toy {
    const struct toy_group *groups;
    size_t num;
    enum toy_step fails;
};
extern struct toy toy;

/* Loads the toy into a library context, NULL for the default one, beside what is there. NULL:
 * failure. OSSL_PROVIDER_unload() it. */
OSSL_PROVIDER *toy_load(OSSL_LIB_CTX *libctx);

/* A library context with libcrypto's default provider and the toy. */
struct toy_context {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *provider;
};

/* False: failure. toy_context_free() it in either case. */
bool toy_context_init(struct toy_context *context);
void toy_context_free(struct toy_context *context);

#endif
