/*
 * What engine_hooks_sessions.c answers, for the table in engine_hooks.c; the contracts are those of
 * struct tls_hooks (conn/hooks.h).
 */
#ifndef TENON_TESTS_UNIT_ENGINE_HOOKS_H
#define TENON_TESTS_UNIT_ENGINE_HOOKS_H

#include "engines.h"

bool hook_allows_tickets(void *owner);
bool hook_application_ticket(void *owner, struct blob **ticket);
bool hook_ticket_seen(void *owner, const uint8_t *ticket, size_t len);
bool hook_gives_secrets(void *owner);
enum hook_answer hook_open_ticket(void *owner, const uint8_t *ticket, size_t len,
                                  struct reader session_id, struct ssl_session_st **session,
                                  bool *renew, struct record_error *failure);
enum hook_answer hook_seal_ticket(void *owner, struct ssl_session_st *session, struct writer *w,
                                  struct record_error *failure);
enum hook_answer hook_find_session(void *owner, const uint8_t *id, size_t len,
                                   struct ssl_session_st **session, struct record_error *failure);
enum hook_answer hook_name_session(void *owner, struct ssl_session_st *session,
                                   struct record_error *failure);
enum hook_answer hook_may_resume(void *owner, struct ssl_session_st *session, bool by_id,
                                 struct record_error *failure);
bool hook_belongs_here(void *owner, const struct ssl_session_st *session);
void hook_session_changed(void *owner);
bool hook_denies_resumption(void *owner, bool forward_secure);
bool hook_keeps_sessions(void *owner);
void hook_keep_session(void *owner, struct ssl_session_st *session);
bool hook_drop_session(void *owner, struct ssl_session_st *session);
enum hook_answer hook_use_psk(void *owner, const struct hash *hash, struct ssl_session_st **session,
                              struct blob **identity, struct record_error *failure);
enum hook_answer hook_find_psk(void *owner, const uint8_t *identity, size_t len,
                               struct ssl_session_st **session, struct record_error *failure);
bool hook_guards_early_data(void *owner);
bool hook_claims_early_data(void *owner, const struct ssl_session_st *session, int64_t sent);
bool hook_allows_early_data(void *owner);

#endif
