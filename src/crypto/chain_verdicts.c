/*
 * Verdicts on the signatures of chains; see chain_verdicts.h. It is state of the process.
 *
 * A slot holds a SHA-256 in four atomic words, which are written and read one by one. Whoever reads
 * while two others write may see words of both; that they are those of his own chain is as unlikely
 * as a collision.
 */
#include "crypto/chain_verdicts.h"

#include "base/counters.h"
#include "crypto/hash.h"

#include <openssl/x509.h>
#include <stdatomic.h>

#define PRINT_LEN   32
#define PRINT_WORDS (PRINT_LEN / sizeof(uint64_t))

struct print {
    uint64_t words[PRINT_WORDS];
};

struct slot {
    _Atomic uint64_t words[PRINT_WORDS]; /* zeros: free */
};

static struct slot slots[CHAIN_VERDICT_SLOTS];
static _Atomic uint32_t next_way;
static _Atomic bool is_on;
/* libcrypto's own function, the same for every verification. */
static _Atomic(X509_STORE_CTX_verify_fn) verify_by_libcrypto;

void chain_verdicts_turn(bool on)
{
    atomic_store_explicit(&is_on, on, memory_order_relaxed);
}

/* --- What a chain is known by --- */

/* False: out of memory, or the certificate is judged by more than its bytes. */
static bool add_cert(struct running_hash *hash, X509 *cert)
{
    unsigned char *der = NULL;

    if (X509_get0_distinguishing_id(cert) != NULL) {
        return false;
    }
    int len = i2d_X509(cert, &der);
    bool ok = len > 0 && running_hash_update(hash, der, (size_t)len);
    OPENSSL_free(der);
    return ok;
}

/* Everything that libcrypto's function looks at, but for the time. */
static bool take_print(X509_STORE_CTX *verification, struct print *print)
{
    const struct crypto_lib *lib = crypto_lib_default();
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(verification);
    unsigned long flags = X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(verification));
    struct running_hash hash = { 0 };

    if (lib == NULL || sk_X509_num(chain) < 2 ||
        !running_hash_start(&hash, hash_get(lib, HASH_SHA256))) {
        return false;
    }
    bool ok = running_hash_update(&hash, &flags, sizeof(flags));
    for (int i = 0; ok && i < sk_X509_num(chain); i++) {
        ok = add_cert(&hash, sk_X509_value(chain, i));
    }
    ok = ok && running_hash_peek(&hash, (uint8_t *)print->words);
    running_hash_wipe(&hash);
    return ok;
}

/* --- The memory --- */

static struct slot *set_of(const struct print *print)
{
    return &slots[print->words[0] % CHAIN_VERDICT_SETS * CHAIN_VERDICT_WAYS];
}

static bool is_remembered(const struct print *print)
{
    const struct slot *set = set_of(print);

    for (size_t way = 0; way < CHAIN_VERDICT_WAYS; way++) {
        uint64_t differs = 0;
        for (size_t i = 0; i < PRINT_WORDS; i++) {
            differs |=
                print->words[i] ^ atomic_load_explicit(&set[way].words[i], memory_order_relaxed);
        }
        if (differs == 0) {
            return true;
        }
    }
    return false;
}

static void remember(const struct print *print)
{
    uint32_t way = atomic_fetch_add_explicit(&next_way, 1, memory_order_relaxed);
    struct slot *slot = &set_of(print)[way % CHAIN_VERDICT_WAYS];

    for (size_t i = 0; i < PRINT_WORDS; i++) {
        atomic_store_explicit(&slot->words[i], print->words[i], memory_order_relaxed);
    }
}

void chain_verdicts_clear(void)
{
    for (size_t i = 0; i < CHAIN_VERDICT_SLOTS; i++) {
        for (size_t word = 0; word < PRINT_WORDS; word++) {
            atomic_store_explicit(&slots[i].words[word], 0, memory_order_relaxed);
        }
    }
}

/* --- The verification --- */

static bool is_of_today(X509_STORE_CTX *verification)
{
    const X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(verification);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(verification);

    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *cert = sk_X509_value(chain, i);
        if (X509_cmp_timeframe(param, X509_get0_notBefore(cert), X509_get0_notAfter(cert)) != 0) {
            return false;
        }
    }
    return true;
}

/* What is not as it should be is for libcrypto's function, which knows what to say of it. */
static int verify_signatures(X509_STORE_CTX *verification)
{
    struct print print;
    bool has_print = take_print(verification, &print);

    if (has_print && is_remembered(&print) && is_of_today(verification)) {
        counter_add(COUNTER_CHAIN_HIT);
        X509_STORE_CTX_set_error_depth(verification, 0);
        X509_STORE_CTX_set_current_cert(verification,
                                        sk_X509_value(X509_STORE_CTX_get0_chain(verification), 0));
        return 1;
    }
    counter_add(COUNTER_CHAIN_MISS);
    int result = atomic_load_explicit(&verify_by_libcrypto, memory_order_relaxed)(verification);
    if (has_print && result > 0 && X509_STORE_CTX_get_error(verification) == X509_V_OK) {
        remember(&print);
    }
    return result;
}

void chain_verdicts_use(const struct crypto_lib *lib, X509_STORE_CTX *verification)
{
    X509_STORE_CTX_verify_fn own = X509_STORE_CTX_get_verify(verification);

    if (own != NULL && atomic_load_explicit(&is_on, memory_order_relaxed) &&
        crypto_lib_is_everybodys(lib)) {
        atomic_store_explicit(&verify_by_libcrypto, own, memory_order_relaxed);
        X509_STORE_CTX_set_verify(verification, verify_signatures);
    }
}
