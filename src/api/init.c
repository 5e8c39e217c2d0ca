/*
 * Initialisation: OPENSSL_init_ssl(3) on top of OPENSSL_init_crypto(3).
 */
#include "api/init.h"

#include "api/ca_files.h"
#include "api/counters_file.h"
#include "api/internal.h"

#include "crypto/cert_cache.h"
#include "crypto/chain_verdicts.h"

#include <strings.h>

static CRYPTO_ONCE strings_once = CRYPTO_ONCE_STATIC_INIT;
static bool strings_loaded;
static CRYPTO_ONCE process_once = CRYPTO_ONCE_STATIC_INIT;

static void load_strings(void)
{
    strings_loaded = load_error_strings();
}

/* Whoever comes first decides whether reason strings are loaded by initialisation. */
static void load_no_strings(void)
{
    strings_loaded = true;
}

int OPENSSL_init_ssl(uint64_t opts, const OPENSSL_INIT_SETTINGS *settings)
{
    uint64_t crypto_opts = opts | OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS;

    if ((opts & OPENSSL_INIT_NO_LOAD_CONFIG) == 0) {
        crypto_opts |= OPENSSL_INIT_LOAD_CONFIG;
    }
    if (!OPENSSL_init_crypto(crypto_opts, settings)) {
        return 0;
    }
    if ((opts & OPENSSL_INIT_NO_LOAD_SSL_STRINGS) != 0 &&
        !CRYPTO_THREAD_run_once(&strings_once, load_no_strings)) {
        return 0;
    }
    if ((opts & OPENSSL_INIT_LOAD_SSL_STRINGS) != 0) {
        return CRYPTO_THREAD_run_once(&strings_once, load_strings) && strings_loaded;
    }
    return 1;
}

/* The caches of the process are on unless somebody says otherwise. */
static bool is_off(const char *variable, const char *command)
{
    const char *value = conf_own_setting(variable, command);

    return value != NULL && strcasecmp(value, "off") == 0;
}

static void configure_process(void)
{
    counters_file_configure(conf_own_setting("TENON_COUNTERS_FILE", "CountersFile"));
    ca_files_turn(!is_off("TENON_CA_FILE_CACHE", "CAFileCache"));
    chain_verdicts_turn(!is_off("TENON_CHAIN_CACHE", "ChainCache"));
    if (!is_off("TENON_CERTIFICATE_CACHE", "CertificateCache")) {
        const struct crypto_lib *lib = crypto_lib_default();
        if (lib != NULL) {
            cert_cache_turn(lib, true);
        }
    }
}

bool init_for_context(void)
{
    return OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) == 1 &&
           CRYPTO_THREAD_run_once(&process_once, configure_process);
}
