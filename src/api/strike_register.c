/*
 * The strike register; see strike_register.h. Its layout in memory is the interface between the
 * processes that share it, and tools/early-data-counts reads the counters from there.
 */
#include "api/strike_register.h"

#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUM_HALVES 2 /* one for windows of even number, one for odd */

#define NONCE_LEN 16 /* a name is a random number and its MAC, cut to 16 bytes */
#define MAC_LEN   (STRIKE_NAME_LEN - NONCE_LEN)

/* Changes with the layout. */
static const char magic[16] = "tenon strikes 1";

struct strike_register {
    char magic[16];
    uint8_t secret[32];                   /* of the MAC: who has it is this register */
    _Atomic uint64_t counts[NUM_STRIKES]; /* information only */
    _Alignas(4096) _Atomic uint64_t slots[NUM_HALVES][STRIKE_NUM_BUCKETS][STRIKE_NUM_SLOTS];
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(_Atomic uint64_t) == 8,
               "atomics work between processes");
_Static_assert(offsetof(struct strike_register, counts) == 48, "tools/early-data-counts has it");

/* --- Slots --- */

/* A slot: the number of its window above, a part of the ticket's MAC below. 0 is a slot that was
 * never used. Window numbers last until the year 4147. */
#define FIRST_WINDOW 2

static uint32_t window_in(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The bucket of a ticket in the half of a window. Nobody chooses a MAC, so nobody fills the bucket
 * of another. */
static _Atomic uint64_t *bucket_of(struct strike_register *reg, const uint8_t *mac, uint32_t window)
{
    return reg->slots[window % NUM_HALVES][u32_at(mac + 4) % STRIKE_NUM_BUCKETS];
}

/* Enters a record. Within a window a slot that is taken stays as it is, and everybody tries slots
 * in the same order: two with the same record meet at the same slot, and one of them takes it. */
static enum strike enter(_Atomic uint64_t *bucket, uint64_t record)
{
    for (size_t i = 0; i < STRIKE_NUM_SLOTS; i++) {
        uint64_t found = atomic_load(&bucket[i]);

        while (window_in(found) < window_in(record)) {
            if (atomic_compare_exchange_strong(&bucket[i], &found, record)) {
                return STRIKE_FIRST;
            }
        }
        /* Newer windows begin at the front of a bucket, too: what was here may have been ours. */
        if (window_in(found) > window_in(record)) {
            return STRIKE_LATE;
        }
        if (found == record) {
            return STRIKE_SEEN;
        }
    }
    return STRIKE_FULL;
}

/* True when the ticket came with another flight, of the window before or the next. */
static bool is_beside(_Atomic uint64_t *bucket, uint64_t record)
{
    for (size_t i = 0; i < STRIKE_NUM_SLOTS; i++) {
        uint64_t found = atomic_load(&bucket[i]);

        if ((uint32_t)found == (uint32_t)record && (window_in(found) == window_in(record) + 1 ||
                                                    window_in(found) + 1 == window_in(record))) {
            return true;
        }
    }
    return false;
}

static enum strike claim(struct strike_register *reg, const uint8_t *mac, int64_t sent)
{
    int64_t window = sent / STRIKE_WINDOW;

    if (sent < 0 || window < FIRST_WINDOW || window >= UINT32_MAX) {
        return STRIKE_LATE;
    }
    uint64_t record = (uint64_t)window << 32 | u32_at(mac);
    enum strike result = enter(bucket_of(reg, mac, (uint32_t)window), record);

    /* After the entry, not before: of two flights with one ticket either sees the other. */
    if (result == STRIKE_FIRST && is_beside(bucket_of(reg, mac, (uint32_t)window + 1), record)) {
        return STRIKE_SEEN;
    }
    return result;
}

/* --- Names --- */

static bool mac_of(const struct strike_register *reg, const struct crypto_lib *lib,
                   const uint8_t *nonce, uint8_t *mac)
{
    uint8_t full[HASH_MAX_LEN];
    bool ok = hmac_once(hash_get(lib, HASH_SHA256), reg->secret, sizeof(reg->secret), nonce,
                        NONCE_LEN, full);

    if (ok) {
        memcpy(mac, full, MAC_LEN);
    }
    return ok;
}

bool strike_register_name(struct strike_register *reg, const struct crypto_lib *lib,
                          uint8_t name[STRIKE_NAME_LEN])
{
    return random_public(lib, name, NONCE_LEN) && mac_of(reg, lib, name, name + NONCE_LEN);
}

enum strike strike_register_claim(struct strike_register *reg, const struct crypto_lib *lib,
                                  const uint8_t *name, size_t name_len, int64_t sent)
{
    enum strike result = STRIKE_FOREIGN;
    uint8_t mac[MAC_LEN];

    if (name_len == STRIKE_NAME_LEN && mac_of(reg, lib, name, mac) &&
        constant_time_equals(mac, name + NONCE_LEN, MAC_LEN)) {
        result = claim(reg, mac, sent);
    }
    (void)atomic_fetch_add_explicit(&reg->counts[result], 1, memory_order_relaxed);
    return result;
}

uint64_t strike_register_count(const struct strike_register *reg, enum strike kind)
{
    return atomic_load_explicit(&reg->counts[kind], memory_order_relaxed);
}

/* --- Memory --- */

size_t strike_register_size(void)
{
    return sizeof(struct strike_register);
}

static struct strike_register *map(int fd, int flags)
{
    void *memory = mmap(NULL, sizeof(struct strike_register), PROT_READ | PROT_WRITE,
                        MAP_SHARED | flags, fd, 0);

    if (memory == MAP_FAILED) {
        return NULL;
    }
    /* The secret has no business in a core file. */
    (void)madvise(memory, sizeof(struct strike_register), MADV_DONTDUMP);
    return memory;
}

static bool begin(struct strike_register *reg, const struct crypto_lib *lib)
{
    memcpy(reg->magic, magic, sizeof(magic));
    return random_secret(lib, reg->secret, sizeof(reg->secret));
}

void strike_register_close(struct strike_register *reg)
{
    if (reg != NULL) {
        (void)munmap(reg, sizeof(*reg));
    }
}

struct strike_register *strike_register_new(const struct crypto_lib *lib)
{
    struct strike_register *reg = map(-1, MAP_ANONYMOUS);

    if (reg != NULL && !begin(reg, lib)) {
        strike_register_close(reg);
        reg = NULL;
    }
    return reg;
}

/* --- Files --- */

/* Nobody else may have had a hand in it. */
static bool is_ours(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
           (info.st_mode & (S_IRWXG | S_IRWXO)) == 0 &&
           info.st_size == (off_t)sizeof(struct strike_register);
}

static bool has_form(const struct strike_register *reg)
{
    static const uint8_t none[sizeof(reg->secret)];

    return memcmp(reg->magic, magic, sizeof(magic)) == 0 &&
           memcmp(reg->secret, none, sizeof(none)) != 0;
}

static struct strike_register *open_existing(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    struct strike_register *reg = fd >= 0 && is_ours(fd) ? map(fd, 0) : NULL;

    if (reg != NULL && !has_form(reg)) {
        strike_register_close(reg);
        reg = NULL;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return reg;
}

/* Gives an open file a name. False: somebody else has just taken it, or that does not go. */
static bool link_file(int fd, const char *path)
{
    char self[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* Nobody finds the file before it is complete. Its memory is taken at once: a page that cannot be
 * had later would end the process. */
static void create(const struct crypto_lib *lib, const char *path)
{
    char copy[PATH_MAX];
    int fd;

    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        return;
    }
    fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return;
    }
    if (posix_fallocate(fd, 0, (off_t)sizeof(struct strike_register)) == 0) {
        struct strike_register *reg = map(fd, 0);
        (void)(reg != NULL && begin(reg, lib) && link_file(fd, path));
        strike_register_close(reg);
    }
    (void)close(fd);
}

struct strike_register *strike_register_open(const struct crypto_lib *lib, const char *path)
{
    struct strike_register *reg = open_existing(path);

    if (reg == NULL) {
        create(lib, path);
        reg = open_existing(path);
    }
    return reg;
}
