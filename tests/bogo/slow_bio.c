#include "shim.h"

#include <openssl/bio.h>

struct quota {
    size_t read, write;
};

static int slow_write(BIO *bio, const char *data, int length)
{
    struct quota *quota = BIO_get_data(bio);
    int written;

    BIO_clear_retry_flags(bio);
    if (length <= 0 || BIO_next(bio) == NULL) {
        return 0;
    }
    if (quota->write == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    written =
        BIO_write(BIO_next(bio), data, (size_t)length < quota->write ? length : (int)quota->write);
    if (written <= 0) {
        BIO_copy_next_retry(bio);
    } else {
        quota->write -= (size_t)written;
    }
    return written;
}

static int slow_read(BIO *bio, char *data, int length)
{
    struct quota *quota = BIO_get_data(bio);
    int got;

    BIO_clear_retry_flags(bio);
    if (length <= 0 || BIO_next(bio) == NULL) {
        return 0;
    }
    if (quota->read == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    got = BIO_read(BIO_next(bio), data, (size_t)length < quota->read ? length : (int)quota->read);
    if (got <= 0) {
        BIO_copy_next_retry(bio);
    } else {
        quota->read -= (size_t)got;
    }
    return got;
}

static long slow_ctrl(BIO *bio, int command, long number, void *pointer)
{
    return BIO_next(bio) != NULL ? BIO_ctrl(BIO_next(bio), command, number, pointer) : 0;
}

static int slow_create(BIO *bio)
{
    struct quota *quota = OPENSSL_zalloc(sizeof(*quota));

    BIO_set_data(bio, quota);
    BIO_set_init(bio, 1);
    return quota != NULL;
}

static int slow_destroy(BIO *bio)
{
    OPENSSL_free(BIO_get_data(bio));
    return 1;
}

BIO *slow_bio_new(void)
{
    static BIO_METHOD *method;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "one byte at a time");
        if (method == NULL || !BIO_meth_set_write(method, slow_write) ||
            !BIO_meth_set_read(method, slow_read) || !BIO_meth_set_ctrl(method, slow_ctrl) ||
            !BIO_meth_set_create(method, slow_create) ||
            !BIO_meth_set_destroy(method, slow_destroy)) {
            return NULL;
        }
    }
    return BIO_new(method);
}

static struct quota *quota_of(BIO *slow)
{
    return BIO_get_data(slow);
}

void slow_bio_allow_read(BIO *slow, size_t bytes)
{
    quota_of(slow)->read += bytes;
}

void slow_bio_allow_write(BIO *slow, size_t bytes)
{
    quota_of(slow)->write += bytes;
}
