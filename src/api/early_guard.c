/*
 * The process's strike register; see early_guard.h.
 */
#include "api/early_guard.h"

#include "api/resumption.h"
#include "api/strike_register.h"
#include "api/ticket_secret.h"
#include "base/counters.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(STRIKE_NAME_LEN == SESSION_MAX_ID, "a ticket's name is its session's id");

#define FOLDER   "/dev/shm/"
#define HASH_LEN 16

static const enum counter counters[NUM_STRIKES] = {
    [STRIKE_FIRST] = COUNTER_EARLY_ACCEPTED,  [STRIKE_SEEN] = COUNTER_EARLY_REPLAYED,
    [STRIKE_FULL] = COUNTER_EARLY_NO_ROOM,    [STRIKE_LATE] = COUNTER_EARLY_TOO_OLD,
    [STRIKE_FOREIGN] = COUNTER_EARLY_FOREIGN,
};

/* NULL until it is needed, and where none can be made. It is never given back: others may be
 * looking at it, and children have it. */
static struct strike_register *_Atomic process_register;

/* Where those who share the secret meet. Users do not: nobody could trust another's file. False:
 * there is no secret. */
static bool make_path(const struct crypto_lib *lib, char *path, size_t size)
{
    uint8_t info[] = "strike register of user 0123";
    uint8_t hash[HASH_LEN];
    uint32_t user = (uint32_t)geteuid();
    uint32_t generation;
    int at;

    for (size_t i = 0; i < sizeof(user); i++) {
        info[sizeof(info) - 1 - sizeof(user) + i] = (uint8_t)(user >> (24 - 8 * i));
    }
    if (!ticket_secret_derive(hash_get(lib, HASH_SHA256), info, sizeof(info) - 1, hash,
                              sizeof(hash), &generation)) {
        return false;
    }
    at = snprintf(path, size, "%stenon-early-", FOLDER);
    for (size_t i = 0; i < HASH_LEN; i++) {
        at += snprintf(path + at, size - (size_t)at, "%02x", hash[i]);
    }
    return true;
}

static struct strike_register *make_register(const struct crypto_lib *lib)
{
    char path[sizeof(FOLDER "tenon-early-") + 2 * HASH_LEN];
    struct strike_register *reg = NULL;

    if (make_path(lib, path, sizeof(path))) {
        reg = strike_register_open(lib, path);
    }
    return reg != NULL ? reg : strike_register_new(lib);
}

static struct strike_register *register_of(const struct crypto_lib *lib)
{
    struct strike_register *reg = atomic_load_explicit(&process_register, memory_order_acquire);
    struct strike_register *made;

    if (reg != NULL) {
        return reg;
    }
    made = make_register(lib);
    if (atomic_compare_exchange_strong(&process_register, &reg, made)) {
        return made;
    }
    strike_register_close(made);
    return reg;
}

void early_guard_prepare(const struct crypto_lib *lib)
{
    (void)register_of(lib);
}

bool early_guard_name(const SSL *s, struct ssl_session_st *session)
{
    const struct crypto_lib *lib = s->config->core.lib;
    struct strike_register *reg = register_of(lib);

    if (reg == NULL || !strike_register_name(reg, lib, session->id)) {
        return false;
    }
    session->id_len = STRIKE_NAME_LEN;
    return true;
}

/* An application that relies on OpenSSL's tickets to be in a cache. One that wants no protection
 * has sealed sessions there, too, and is to notice nothing when it gets some all the same. */
static bool wants_stateful(SSL *s)
{
    const SSL_CTX *ctx = s->session_ctx;

    return (s->config->core.options & OPTION_NO_ANTI_REPLAY) == 0 &&
           (ctx->get_session_cb != NULL || ctx->remove_session_cb != NULL || names_own_sessions(s));
}

bool guards_early_data(void *owner)
{
    SSL *s = owner;

    return !wants_stateful(s) && register_of(s->config->core.lib) != NULL;
}

bool claims_early_data(void *owner, const struct ssl_session_st *session, int64_t sent)
{
    const SSL *s = owner;
    const struct crypto_lib *lib = s->config->core.lib;
    struct strike_register *reg = register_of(lib);
    enum strike result;

    if (reg == NULL) {
        return false;
    }
    result = strike_register_claim(reg, lib, session->id, session->id_len, sent);
    counter_add(counters[result]);
    return result == STRIKE_FIRST;
}
