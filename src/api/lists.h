/*
 * Lists of groups and of signature algorithms in the settings. Exactly one of s and ctx is not NULL
 * and names the object, except where text is only checked.
 */
#ifndef TENON_API_LISTS_H
#define TENON_API_LISTS_H

#include "api/internal.h"

/* A word of a list, without the blanks around it. */
struct list_word {
    const char *at; /* borrows from the text */
    size_t len;
};

/* The word before the next colon; *text is moved behind the colon, *more says whether there was
 * one. */
struct list_word list_next_word(const char **text, bool *more);

/* SSL_CERT_FLAG_*: stores them, and what the Suite B bits mean for the core. */
void config_set_cert_flags(struct ssl_config *config, uint32_t flags);

/* SSL_CTRL_SET_GROUPS (num NIDs), _SET_GROUPS_LIST and _SET_TMP_ECDH: 1; 0: refused, with the error
 * OpenSSL raises, if it does. */
long groups_set(SSL *s, SSL_CTX *ctx, const int *nids, long num);
long groups_set_list(SSL *s, SSL_CTX *ctx, const char *text);

/* SSL_CTRL_GET_GROUPS: the client's groups as NIDs (0x1000000 | code point for unknown ones); nids
 * may be NULL. Their number. */
long groups_of_peer(const SSL *s, int *nids);

/* SSL_CTRL_GET_SHARED_GROUP: the n-th group both sides have; n is -1: their number. */
long groups_shared(const SSL *s, long n);

/* NID of a group, or 0x1000000 | code point. */
int group_nid_or_id(uint16_t id);

/* SSL_CTRL_SET_SIGALGS (num NIDs in pairs), _SET_SIGALGS_LIST and the same for client
 * authentication. With s and ctx NULL the text is only checked. */
long sigalgs_set(SSL *s, SSL_CTX *ctx, const int *nids, long num, bool client);
long sigalgs_set_list(SSL *s, SSL_CTX *ctx, const char *text, bool client);

#endif
