/*
 * The file with the secret that servers share; see ticket_secret.h. The only state of the process
 * here: there is one file, whichever context asks. Handshakes look at two atomic numbers; the lock
 * is taken when the file was replaced, and to derive keys, which is once in a period.
 */
#include "api/ticket_secret.h"

#include "crypto/kdf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What tells one version of the file from another. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *file_path; /* owned by the process; set once, under the lock */
static struct file_identity file_identity;
static uint8_t contents[TICKET_SECRET_MAX];
static size_t contents_len;
static _Atomic uint32_t generation; /* of contents; 0: there are none */
static _Atomic int64_t checked;     /* when the file was last looked at */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_file(const struct stat *info)
{
    return info->st_dev == file_identity.device && info->st_ino == file_identity.inode &&
           info->st_size == file_identity.size &&
           same_time(info->st_mtim, file_identity.modified) &&
           same_time(info->st_ctim, file_identity.changed);
}

/* What is wrong with an open file; NULL: nothing. */
static const char *fault_of(const struct stat *info)
{
    if (!S_ISREG(info->st_mode)) {
        return "is not a regular file";
    }
    if ((info->st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return "may be accessed by others than its owner";
    }
    if (info->st_size < TICKET_SECRET_MIN || info->st_size > TICKET_SECRET_MAX) {
        return "must have 32 to 4096 bytes";
    }
    return NULL;
}

/* Reads exactly len bytes and finds the end behind them. */
static bool read_all(int fd, uint8_t *out, size_t len)
{
    size_t have = 0;
    uint8_t more;

    while (have < len) {
        ssize_t n = read(fd, out + have, len - have);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        have += (size_t)n;
    }
    return read(fd, &more, 1) == 0;
}

/* Takes the contents of the open file over. Returns what is wrong with it; NULL: nothing. */
static const char *take_contents(int fd)
{
    uint8_t fresh[TICKET_SECRET_MAX];
    struct stat info;
    const char *fault;

    if (fstat(fd, &info) != 0) {
        return strerror(errno);
    }
    fault = fault_of(&info);
    if (fault == NULL && !read_all(fd, fresh, (size_t)info.st_size)) {
        fault = "changed while it was read";
    }
    if (fault == NULL) {
        wipe(contents, sizeof(contents));
        contents_len = (size_t)info.st_size;
        memcpy(contents, fresh, contents_len);
        file_identity = (struct file_identity){ info.st_dev, info.st_ino, info.st_size,
                                                info.st_mtim, info.st_ctim };
        (void)atomic_fetch_add_explicit(&generation, 1, memory_order_release);
    }
    wipe(fresh, sizeof(fresh));
    return fault;
}

/* Reads the file; the lock is held. */
static const char *load(void)
{
    const char *fault;
    int fd = open(file_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        return errno == EACCES ? NULL : strerror(errno);
    }
    fault = take_contents(fd);
    (void)close(fd);
    return fault;
}

bool ticket_secret_configure(const char *path)
{
    const char *fault = NULL;

    if (path == NULL || *path == '\0') {
        return true;
    }
    (void)pthread_mutex_lock(&lock);
    if (file_path == NULL) {
        file_path = OPENSSL_strdup(path);
    }
    if (file_path == NULL) {
        fault = "out of memory";
    } else if (generation == 0) {
        fault = load();
    }
    (void)pthread_mutex_unlock(&lock);
    if (fault != NULL) {
        raise_error_with(SSL_R_BAD_VALUE, "ticket secret file %s: %s", path, fault);
    }
    return fault == NULL;
}

/* Looks whether the file was replaced. */
static void look_again(void)
{
    struct stat info;

    (void)pthread_mutex_lock(&lock);
    if (stat(file_path, &info) == 0 && !is_same_file(&info)) {
        (void)load();
    }
    (void)pthread_mutex_unlock(&lock);
}

uint32_t ticket_secret_generation(int64_t now)
{
    uint32_t current = atomic_load_explicit(&generation, memory_order_acquire);
    int64_t last = atomic_load_explicit(&checked, memory_order_relaxed);

    /* One thread a second looks; the others go on with what there is. */
    if (current == 0 || last == now ||
        !atomic_compare_exchange_strong_explicit(&checked, &last, now, memory_order_relaxed,
                                                 memory_order_relaxed)) {
        return current;
    }
    look_again();
    return atomic_load_explicit(&generation, memory_order_acquire);
}

bool ticket_secret_derive(const struct hash *h, const uint8_t *info, size_t info_len, uint8_t *out,
                          size_t out_len, uint32_t *used)
{
    static const char salt[] = "tenon ticket secret 1";
    struct secret key = { 0 };
    bool ok;

    (void)pthread_mutex_lock(&lock);
    *used = generation;
    ok = *used != 0 &&
         hkdf_extract(h, (const uint8_t *)salt, sizeof(salt) - 1, contents, contents_len, &key);
    (void)pthread_mutex_unlock(&lock);
    ok = ok && hkdf_expand(h, &key, info, info_len, out, out_len);
    secret_wipe(&key);
    return ok;
}
