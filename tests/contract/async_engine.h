/*
 * An engine whose private key operations pause the ASYNC job that they run in, as a card that takes
 * its time would: RSA decryption and signing, ECDSA signing. Outside of a job they do not pause.
 * ASYNC_pause_job(3), ASYNC_WAIT_CTX_set_wait_fd(3), ENGINE_add(3).
 */
#ifndef CONTRACT_ASYNC_ENGINE_H
#define CONTRACT_ASYNC_ENGINE_H

#include <openssl/evp.h>
#include <stdbool.h>

enum async_signal {
    ASYNC_SIGNAL_NONE,    /* it pauses and tells nobody what it waits for */
    ASYNC_SIGNAL_FD,      /* a descriptor in the wait context, which becomes readable */
    ASYNC_SIGNAL_CALLBACK /* the wait context's callback, called before the pause */
};

/* How the operations behave from now on: how often each pauses, how it signals, and whether it
 * fails in the end. */
struct async_behaviour {
    int pauses;
    enum async_signal signal;
    bool fails;
};
void async_engine_behave(struct async_behaviour behaviour);

/* A key with the contents of `key` (RSA or EC) whose operations belong to the engine.
 * EVP_PKEY_free() it. */
EVP_PKEY *async_engine_key(EVP_PKEY *key);

/* How many operations began, and how many ended, since the last call. */
void async_engine_counts(int *begun, int *ended);

/* Frees the engine, after all its keys. */
void async_engine_free(void);

#endif
