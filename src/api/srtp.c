/*
 * Profiles for SRTP (RFC 5764): stored, reported and offered. They are negotiated over DTLS only.
 */
#include "api/srtp.h"

#include <openssl/srtp.h>
#include <string.h>

static SRTP_PROTECTION_PROFILE profiles[] = {
    { "SRTP_AES128_CM_SHA1_80", SRTP_AES128_CM_SHA1_80 },
    { "SRTP_AES128_CM_SHA1_32", SRTP_AES128_CM_SHA1_32 },
    { "SRTP_AEAD_AES_128_GCM", SRTP_AEAD_AES_128_GCM },
    { "SRTP_AEAD_AES_256_GCM", SRTP_AEAD_AES_256_GCM },
};

static SRTP_PROTECTION_PROFILE *find_profile(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(profiles); i++) {
        if (strlen(profiles[i].name) == len && memcmp(profiles[i].name, name, len) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}

/* Names between colons; each may come once. Replaces *list. False: an error was raised. */
static bool set_profiles(STACK_OF(SRTP_PROTECTION_PROFILE) **list, const char *names)
{
    STACK_OF(SRTP_PROTECTION_PROFILE) *new = sk_SRTP_PROTECTION_PROFILE_new_null();
    int reason = new == NULL ? SSL_R_SRTP_COULD_NOT_ALLOCATE_PROFILES : 0;
    bool more = true;

    while (reason == 0 && more) {
        size_t len = strcspn(names, ":");
        SRTP_PROTECTION_PROFILE *profile = find_profile(names, len);

        if (profile == NULL) {
            reason = SSL_R_SRTP_UNKNOWN_PROTECTION_PROFILE;
        } else if (sk_SRTP_PROTECTION_PROFILE_find(new, profile) >= 0) {
            reason = SSL_R_BAD_SRTP_PROTECTION_PROFILE_LIST;
        } else if (sk_SRTP_PROTECTION_PROFILE_push(new, profile) <= 0) {
            reason = SSL_R_SRTP_COULD_NOT_ALLOCATE_PROFILES;
        }
        more = names[len] == ':';
        names += len + more;
    }
    if (reason != 0) {
        raise_error(reason);
        sk_SRTP_PROTECTION_PROFILE_free(new);
        return false;
    }
    sk_SRTP_PROTECTION_PROFILE_free(*list);
    *list = new;
    return true;
}

/* These two return 0 for success, unlike their neighbours. */
int SSL_CTX_set_tlsext_use_srtp(SSL_CTX *ctx, const char *names)
{
    return set_profiles(&ctx->srtp_profiles, names) ? 0 : 1;
}

int SSL_set_tlsext_use_srtp(SSL *s, const char *names)
{
    return set_profiles(&s->srtp_profiles, names) ? 0 : 1;
}

STACK_OF(SRTP_PROTECTION_PROFILE) *SSL_get_srtp_profiles(SSL *s)
{
    if (s == NULL) {
        return NULL;
    }
    return s->srtp_profiles != NULL ? s->srtp_profiles : s->ctx->srtp_profiles;
}

SRTP_PROTECTION_PROFILE *SSL_get_selected_srtp_profile(SSL *s)
{
    (void)s;
    return NULL;
}

bool srtp_has_profiles(void *owner)
{
    return SSL_get_srtp_profiles(owner) != NULL;
}

void srtp_write_profiles(void *owner, struct writer *w)
{
    const STACK_OF(SRTP_PROTECTION_PROFILE) *list = SSL_get_srtp_profiles(owner);

    for (int i = 0; i < sk_SRTP_PROTECTION_PROFILE_num(list); i++) {
        writer_u16(w, (uint16_t)sk_SRTP_PROTECTION_PROFILE_value(list, i)->id);
    }
}
