/*
 * Chains whose signatures libcrypto has found right, remembered by a digest of their bytes; one
 * memory for the process. Whether a signature is right depends on nothing but the certificates, so
 * it is not computed again. Everything else that X509_verify_cert(3) judges (trust, times,
 * purposes, names, revocation, policies, security levels) is judged each time.
 *
 * Only for the default library context and no property query: another one may not know an
 * algorithm. Takes no lock, and allocates only for a moment.
 */
#ifndef TENON_CRYPTO_CHAIN_VERDICTS_H
#define TENON_CRYPTO_CHAIN_VERDICTS_H

#include "crypto/lib.h"

#include <openssl/x509_vfy.h>

/* How many chains are remembered at most; a later one takes the place of another. */
#define CHAIN_VERDICT_SETS  128
#define CHAIN_VERDICT_WAYS  4
#define CHAIN_VERDICT_SLOTS (CHAIN_VERDICT_SETS * CHAIN_VERDICT_WAYS)

/* Switches the memory on or off for verifications prepared from now on. A process starts without.
 */
void chain_verdicts_turn(bool on);

/* Has the verification, prepared for lib by X509_STORE_CTX_init(3), use the memory. For
 * verifications without functions of the application: none of its callbacks is called where the
 * signatures are remembered. */
void chain_verdicts_use(const struct crypto_lib *lib, X509_STORE_CTX *verification);

/* Forgets everything, for tests. */
void chain_verdicts_clear(void);

#endif
