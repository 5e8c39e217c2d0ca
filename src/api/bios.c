/*
 * The BIOs of a connection: SSL_set_bio(3), SSL_set_fd(3). A connection owns its BIOs; the same BIO
 * for both directions counts twice.
 */
#include "api/internal.h"

BIO *SSL_get_rbio(const SSL *s)
{
    return s->rbio;
}

BIO *SSL_get_wbio(const SSL *s)
{
    return s->wbio;
}

void SSL_set0_rbio(SSL *s, BIO *rbio)
{
    BIO_free_all(s->rbio);
    s->rbio = rbio;
}

void SSL_set0_wbio(SSL *s, BIO *wbio)
{
    BIO_free_all(s->wbio);
    s->wbio = wbio;
}

/* The caller hands over one reference for each BIO that is new, and one in all when the two are the
 * same; the manual page lists the cases. */
void SSL_set_bio(SSL *s, BIO *rbio, BIO *wbio)
{
    bool same_read = rbio == s->rbio;
    bool same_write = wbio == s->wbio;
    bool was_one = s->rbio == s->wbio;

    if (same_read && same_write) {
        return;
    }
    if (rbio != NULL && rbio == wbio) {
        (void)BIO_up_ref(rbio);
    }
    if (same_read) {
        SSL_set0_wbio(s, wbio);
    } else if (same_write && !was_one) {
        SSL_set0_rbio(s, rbio);
    } else {
        SSL_set0_rbio(s, rbio);
        SSL_set0_wbio(s, wbio);
    }
}

/* A BIO over a socket that stays the application's; NULL: an error was raised. */
static BIO *socket_bio(int fd)
{
    BIO *bio = BIO_new(BIO_s_socket());

    if (bio == NULL) {
        raise_error(ERR_R_BUF_LIB);
        return NULL;
    }
    (void)BIO_set_fd(bio, fd, BIO_NOCLOSE);
    return bio;
}

int SSL_set_fd(SSL *s, int fd)
{
    BIO *bio = socket_bio(fd);

    if (bio == NULL) {
        return 0;
    }
    SSL_set_bio(s, bio, bio);
    return 1;
}

/* The BIO for one direction: the other direction's, with a new reference, when it is over the same
 * socket, else a new one. NULL: an error was raised. */
static BIO *socket_bio_beside(BIO *other, int fd)
{
    bool shared = other != NULL && BIO_method_type(other) == BIO_TYPE_SOCKET &&
                  (int)BIO_get_fd(other, NULL) == fd;

    if (!shared) {
        return socket_bio(fd);
    }
    (void)BIO_up_ref(other);
    return other;
}

int SSL_set_wfd(SSL *s, int fd)
{
    BIO *bio = socket_bio_beside(s->rbio, fd);

    if (bio == NULL) {
        return 0;
    }
    SSL_set0_wbio(s, bio);
    return 1;
}

int SSL_set_rfd(SSL *s, int fd)
{
    BIO *bio = socket_bio_beside(s->wbio, fd);

    if (bio == NULL) {
        return 0;
    }
    SSL_set0_rbio(s, bio);
    return 1;
}

static int descriptor_of(BIO *bio)
{
    BIO *found = BIO_find_type(bio, BIO_TYPE_DESCRIPTOR);
    int fd = -1;

    if (found != NULL) {
        (void)BIO_get_fd(found, &fd);
    }
    return fd;
}

int SSL_get_fd(const SSL *s)
{
    return SSL_get_rfd(s);
}

int SSL_get_rfd(const SSL *s)
{
    return descriptor_of(s->rbio);
}

int SSL_get_wfd(const SSL *s)
{
    return descriptor_of(s->wbio);
}
