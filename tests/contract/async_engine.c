/*
 * The asynchronous engine of the contract tests: methods of RSA and EC keys that wrap libcrypto's
 * own and pause first. See async_engine.h.
 */
#include "async_engine.h"
#include "log.h"

#include <openssl/async.h>
#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/rsa.h>
#include <unistd.h>

static ENGINE *engine;
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;
static struct async_behaviour behaviour = { .pauses = 1, .signal = ASYNC_SIGNAL_FD };
static int num_begun;
static int num_ended;
static const char fd_key = 'k';

void async_engine_behave(struct async_behaviour wanted)
{
    behaviour = wanted;
}

void async_engine_counts(int *begun, int *ended)
{
    *begun = num_begun;
    *ended = num_ended;
    num_begun = 0;
    num_ended = 0;
}

static void close_pipe(ASYNC_WAIT_CTX *wait, const void *key, OSSL_ASYNC_FD fd, void *write_end)
{
    int *other = write_end;

    (void)wait;
    (void)key;
    (void)close(fd);
    (void)close(*other);
    OPENSSL_free(other);
}

/* The descriptor is readable at once: the operation takes no time in truth. */
static void signal_fd(ASYNC_WAIT_CTX *wait)
{
    int ends[2];
    int *write_end;

    REQUIRE(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    write_end = OPENSSL_malloc(sizeof(*write_end));
    REQUIRE(write_end != NULL);
    *write_end = ends[1];
    REQUIRE(ASYNC_WAIT_CTX_set_wait_fd(wait, &fd_key, ends[0], write_end, close_pipe) == 1);
}

static void signal_callback(ASYNC_WAIT_CTX *wait)
{
    ASYNC_callback_fn callback = NULL;
    void *arg = NULL;

    if (ASYNC_WAIT_CTX_get_callback(wait, &callback, &arg) == 1 && callback != NULL) {
        REQUIRE(ASYNC_WAIT_CTX_set_status(wait, ASYNC_STATUS_OK) == 1);
        note("  the engine's callback says %d", callback(arg));
    } else {
        REQUIRE(ASYNC_WAIT_CTX_set_status(wait, ASYNC_STATUS_UNSUPPORTED) == 1);
    }
}

static void pause_once(void)
{
    ASYNC_JOB *job = ASYNC_get_current_job();
    ASYNC_WAIT_CTX *wait;

    if (job == NULL) {
        return;
    }
    wait = ASYNC_get_wait_ctx(job);
    if (behaviour.signal == ASYNC_SIGNAL_FD) {
        signal_fd(wait);
    } else if (behaviour.signal == ASYNC_SIGNAL_CALLBACK) {
        signal_callback(wait);
    }
    REQUIRE(ASYNC_pause_job() == 1);
    if (behaviour.signal == ASYNC_SIGNAL_FD) {
        REQUIRE(ASYNC_WAIT_CTX_clear_fd(wait, &fd_key) == 1);
    }
}

/* True: the operation is done in earnest. */
static bool wait_for_it(void)
{
    bool fails = behaviour.fails;

    num_begun++;
    for (int i = behaviour.pauses; i > 0; i--) {
        pause_once();
    }
    num_ended++;
    return !fails;
}

static int rsa_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    if (!wait_for_it()) {
        return -1;
    }
    return RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
}

static int rsa_encrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    if (!wait_for_it()) {
        return -1;
    }
    return RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
}

static int ec_sign(int type, const unsigned char *digest, int len, unsigned char *sig,
                   unsigned int *sig_len, const BIGNUM *inverse, const BIGNUM *r, EC_KEY *key)
{
    int (*sign)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *,
                const BIGNUM *, EC_KEY *) = NULL;

    if (!wait_for_it()) {
        return 0;
    }
    EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), &sign, NULL, NULL);
    return sign(type, digest, len, sig, sig_len, inverse, r, key);
}

static void make_engine(void)
{
    ECDSA_SIG *(*sign_sig)(const unsigned char *, int, const BIGNUM *, const BIGNUM *, EC_KEY *) =
        NULL;
    int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **) = NULL;

    if (engine != NULL) {
        return;
    }
    rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    engine = ENGINE_new();
    REQUIRE(rsa_method != NULL && ec_method != NULL && engine != NULL);
    EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), NULL, &setup, &sign_sig);
    EC_KEY_METHOD_set_sign(ec_method, ec_sign, setup, sign_sig);
    REQUIRE(RSA_meth_set_priv_dec(rsa_method, rsa_decrypt) == 1);
    REQUIRE(RSA_meth_set_priv_enc(rsa_method, rsa_encrypt) == 1);
    REQUIRE(ENGINE_set_id(engine, "slow") == 1 && ENGINE_set_name(engine, "slow keys") == 1);
    REQUIRE(ENGINE_set_RSA(engine, rsa_method) == 1 && ENGINE_set_EC(engine, ec_method) == 1);
    REQUIRE(ENGINE_init(engine) == 1);
}

static EVP_PKEY *rsa_key(EVP_PKEY *key)
{
    const RSA *from = EVP_PKEY_get0_RSA(key);
    RSA *rsa = RSA_new_method(engine);
    EVP_PKEY *made = EVP_PKEY_new();
    const BIGNUM *part[8] = { NULL };

    REQUIRE(from != NULL && rsa != NULL && made != NULL);
    RSA_get0_key(from, &part[0], &part[1], &part[2]);
    RSA_get0_factors(from, &part[3], &part[4]);
    RSA_get0_crt_params(from, &part[5], &part[6], &part[7]);
    REQUIRE(RSA_set0_key(rsa, BN_dup(part[0]), BN_dup(part[1]), BN_dup(part[2])) == 1);
    REQUIRE(RSA_set0_factors(rsa, BN_dup(part[3]), BN_dup(part[4])) == 1);
    REQUIRE(RSA_set0_crt_params(rsa, BN_dup(part[5]), BN_dup(part[6]), BN_dup(part[7])) == 1);
    REQUIRE(EVP_PKEY_assign_RSA(made, rsa) == 1);
    return made;
}

static EVP_PKEY *ec_key(EVP_PKEY *key)
{
    const EC_KEY *from = EVP_PKEY_get0_EC_KEY(key);
    EC_KEY *ec = EC_KEY_new_method(engine);
    EVP_PKEY *made = EVP_PKEY_new();

    REQUIRE(from != NULL && ec != NULL && made != NULL);
    REQUIRE(EC_KEY_set_group(ec, EC_KEY_get0_group(from)) == 1);
    REQUIRE(EC_KEY_set_private_key(ec, EC_KEY_get0_private_key(from)) == 1);
    REQUIRE(EC_KEY_set_public_key(ec, EC_KEY_get0_public_key(from)) == 1);
    REQUIRE(EVP_PKEY_assign_EC_KEY(made, ec) == 1);
    return made;
}

EVP_PKEY *async_engine_key(EVP_PKEY *key)
{
    make_engine();
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? rsa_key(key) : ec_key(key);
}

void async_engine_free(void)
{
    if (engine != NULL) {
        (void)ENGINE_finish(engine);
        (void)ENGINE_free(engine);
        RSA_meth_free(rsa_method);
        EC_KEY_METHOD_free(ec_method);
        engine = NULL;
    }
}
