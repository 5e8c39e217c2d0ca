/*
 * Random bytes from libcrypto's public and private generators, which are per thread and notice a
 * fork by themselves. A call to one takes five locks, two of them for writing, so a thread draws
 * 512 bytes at a time from the default context's and hands them out in slices. Each byte is given
 * out once and wiped here when it is; what is left when a thread ends is wiped, too; and a child
 * process uses nothing that its parent has drawn.
 */
#include "crypto/random.h"

#include "base/secret.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define SUPPLY_LEN 512
#define LONGEST    64 /* of a slice; whoever wants more asks libcrypto itself */

/* What a thread has drawn from one generator and not yet given out: the last left bytes. */
struct supply {
    uint8_t bytes[SUPPLY_LEN];
    size_t left;
    uint64_t process; /* the mark of the process that drew them */
};

struct supplies {
    struct supply open, secret;
    bool wiped_at_exit; /* the thread's end will wipe them */
};

static _Thread_local struct supplies supplies;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;
/* Zero in every new process, whatever call made it: the kernel wipes the page. NULL: it cannot. */
static _Atomic uint64_t *process_mark;
static _Atomic uint64_t last_mark;

/* Runs at the end of a thread. Another destructor may draw after this one has run: it registers
 * the supplies anew, and this runs again. */
static void wipe_supplies(void *of_thread)
{
    wipe(of_thread, sizeof(struct supplies));
}

static void prepare(void)
{
    const size_t page = 4096;
    void *mark;

    key_made = pthread_key_create(&key, wipe_supplies) == 0;
    mark = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mark == MAP_FAILED) {
        return;
    }
    if (madvise(mark, page, MADV_WIPEONFORK) != 0) {
        (void)munmap(mark, page);
        return;
    }
    process_mark = mark;
}

/* A number that no process before this one on the way from the first had; 0: there is none. */
static uint64_t mark_of_process(void)
{
    if (pthread_once(&once, prepare) != 0 || process_mark == NULL) {
        return 0;
    }
    uint64_t mark = atomic_load_explicit(process_mark, memory_order_acquire);
    if (mark == 0) {
        uint64_t next = atomic_fetch_add(&last_mark, 1) + 1;
        mark = atomic_compare_exchange_strong(process_mark, &mark, next) ? next : mark;
    }
    return mark;
}

/* True when this thread may keep random bytes, because its end will wipe them. */
static bool may_keep(void)
{
    if (!supplies.wiped_at_exit) {
        supplies.wiped_at_exit = key_made && pthread_setspecific(key, &supplies) == 0;
    }
    return supplies.wiped_at_exit;
}

/* Whoever has replaced libcrypto's generator is asked for every byte when it is wanted. */
static bool generator_is_libcryptos(void)
{
    return RAND_get_rand_method() == RAND_OpenSSL();
}

typedef int (*generator)(OSSL_LIB_CTX *ctx, unsigned char *out, size_t len, unsigned int strength);

static bool draw(const struct crypto_lib *lib, struct supply *supply, generator generate,
                 uint8_t *out, size_t len)
{
    OSSL_LIB_CTX *ctx = crypto_lib_context(lib);
    uint64_t process = ctx == NULL && len <= LONGEST ? mark_of_process() : 0;

    if (process == 0 || !may_keep()) {
        return generate(ctx, out, len, 0) == 1;
    }
    if (supply->left < len || supply->process != process) {
        supply->left = 0;
        if (!generator_is_libcryptos()) {
            return generate(ctx, out, len, 0) == 1;
        }
        if (generate(ctx, supply->bytes, sizeof(supply->bytes), 0) != 1) {
            return false;
        }
        supply->left = sizeof(supply->bytes);
        supply->process = process;
    }
    uint8_t *slice = supply->bytes + sizeof(supply->bytes) - supply->left;
    memcpy(out, slice, len);
    wipe(slice, len);
    supply->left -= len;
    return true;
}

bool random_public(const struct crypto_lib *lib, uint8_t *out, size_t len)
{
    return len == 0 || draw(lib, &supplies.open, RAND_bytes_ex, out, len);
}

bool random_secret(const struct crypto_lib *lib, uint8_t *out, size_t len)
{
    return len == 0 || draw(lib, &supplies.secret, RAND_priv_bytes_ex, out, len);
}
