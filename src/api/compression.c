/*
 * Compression methods: the list an application may keep. None is ever offered or accepted: TLS 1.3
 * has no compression, and with older versions it gives secrets away (CRIME).
 */
#include "api/internal.h"

#include <openssl/comp.h>
#include <pthread.h>

/* Numbers for private use: RFC 3749, 2. */
#define FIRST_PRIVATE_ID 193
#define LAST_PRIVATE_ID  255

struct ssl_comp_st {
    int id;
    const char *name;
    COMP_METHOD *method;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static STACK_OF(SSL_COMP) *methods;

/* The list, made on first use. The lock is held. */
static STACK_OF(SSL_COMP) *methods_locked(void)
{
    if (methods == NULL) {
        methods = sk_SSL_COMP_new_null();
    }
    return methods;
}

STACK_OF(SSL_COMP) *SSL_COMP_get_compression_methods(void)
{
    STACK_OF(SSL_COMP) *result;

    (void)pthread_mutex_lock(&lock);
    result = methods_locked();
    (void)pthread_mutex_unlock(&lock);
    return result;
}

STACK_OF(SSL_COMP) *SSL_COMP_set0_compression_methods(STACK_OF(SSL_COMP) *meths)
{
    STACK_OF(SSL_COMP) *old;

    (void)pthread_mutex_lock(&lock);
    old = methods;
    methods = meths;
    (void)pthread_mutex_unlock(&lock);
    return old;
}

/* Adds comp, which is taken over when true is returned. */
static bool add_method(SSL_COMP *comp)
{
    bool added = false;

    (void)pthread_mutex_lock(&lock);
    STACK_OF(SSL_COMP) *list = methods_locked();
    bool is_new = true;
    for (int i = 0; i < sk_SSL_COMP_num(list); i++) {
        is_new = is_new && sk_SSL_COMP_value(list, i)->id != comp->id;
    }
    if (!is_new) {
        raise_error(SSL_R_DUPLICATE_COMPRESSION_ID);
    } else if (list == NULL || sk_SSL_COMP_push(list, comp) <= 0) {
        raise_error(ERR_R_MALLOC_FAILURE);
    } else {
        added = true;
    }
    (void)pthread_mutex_unlock(&lock);
    return added;
}

int SSL_COMP_add_compression_method(int id, COMP_METHOD *cm)
{
    if (cm == NULL || COMP_get_type(cm) == NID_undef) {
        return 1;
    }
    if (id < FIRST_PRIVATE_ID || id > LAST_PRIVATE_ID) {
        raise_error(SSL_R_COMPRESSION_ID_NOT_WITHIN_PRIVATE_RANGE);
        return 1;
    }
    SSL_COMP *comp = OPENSSL_malloc(sizeof(*comp));
    if (comp == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 1;
    }
    *comp = (SSL_COMP){ .id = id, .method = cm };
    if (!add_method(comp)) {
        OPENSSL_free(comp);
        return 1;
    }
    return 0;
}

const char *SSL_COMP_get_name(const COMP_METHOD *comp)
{
    return comp == NULL ? NULL : COMP_get_name(comp);
}

const char *SSL_COMP_get0_name(const SSL_COMP *comp)
{
    return comp->name;
}

int SSL_COMP_get_id(const SSL_COMP *comp)
{
    return comp->id;
}

const COMP_METHOD *SSL_get_current_compression(const SSL *s)
{
    (void)s;
    return NULL;
}

const COMP_METHOD *SSL_get_current_expansion(const SSL *s)
{
    (void)s;
    return NULL;
}
