/*
 * Every question the core may ask whoever owns the connection, and everything it reports. The first
 * argument is always the owner that was given to conn_init(). The API's answers are in
 * api/callbacks.c; tests give their own.
 *
 * A question that may pause returns HOOK_PAUSE after it has remembered why; the step that asked is
 * run again later. A question that fails has set nothing; the core raises the alert.
 */
#ifndef TENON_CONN_HOOKS_H
#define TENON_CONN_HOOKS_H

#include "base/blob.h"
#include "base/reader.h"
#include "base/secret.h"
#include "base/writer.h"
#include "crypto/peer_chain.h"
#include "crypto/sigscheme.h"
#include "record/record.h"

struct group;
struct hash;
struct group_key;
struct psk;
struct ssl_cipher_st;
struct ssl_session_st;

enum hook_answer {
    HOOK_OK,
    HOOK_NONE,  /* the application has no answer, or declines */
    HOOK_PAUSE, /* ask again later */
    HOOK_FAIL   /* *failure says which alert and reason end the handshake */
};

/* When something is judged by the security level: as a possibility of ours, as one that both sides
 * have, or as what the peer chose (SSL_SECOP_*_SUPPORTED, _SHARED, _CHECK). */
enum security_stage { SECURITY_SUPPORTED, SECURITY_SHARED, SECURITY_CHECK };

struct tls_hooks {
    /* --- Server, while it answers a ClientHello --- */

    /* SSL_CTX_set_client_hello_cb. May pause. */
    enum hook_answer (*client_hello)(void *owner, struct record_error *failure);
    /* The servername callback; name may be NULL. OK: acknowledged. NONE: not acknowledged. */
    enum hook_answer (*server_name)(void *owner, const struct blob *name,
                                    struct record_error *failure);
    /* Chooses among the client's protocols (the whole wire list). OK: *chosen is set to a blob the
     * core takes over. NONE: no protocol is negotiated. */
    enum hook_answer (*choose_alpn)(void *owner, const uint8_t *offered, size_t len,
                                    struct blob **chosen, struct record_error *failure);
    /* Next protocol negotiation, TLS 1.2: whether to tell a client that asked which protocols there
     * are, and the list, which is appended to w; the second is only called after the first. */
    bool (*advertises_protocols)(void *owner);
    void (*write_protocols)(void *owner, struct writer *w);
    /* The OCSP response to staple. OK: *response is taken over. */
    enum hook_answer (*ocsp_response)(void *owner, struct blob **response,
                                      struct record_error *failure);
    /* TLS 1.2's DHE: whether there are parameters, those for the suite (the core frees them with
     * dhe_free(); NULL: none), and whether the security level allows a key of that size. */
    bool (*has_dhe)(void *owner);
    EVP_PKEY *(*dhe_parameters)(void *owner, const struct ssl_cipher_st *suite);
    bool (*allows_dhe)(void *owner, EVP_PKEY *key);
    /* TLS 1.2's list of client certificate types, its length included; false: the default's. */
    bool (*write_certificate_types)(void *owner, struct writer *w);
    /* Whether to get a certificate that TLS 1.3 can use: without one OpenSSL's servers do not
     * consider the version. */
    bool (*can_serve_tls13)(void *owner);

    /* Whether there are certificate authorities to name. */
    bool (*has_authorities)(void *owner);
    /* Encoded DistinguishedNames for certificate_authorities are appended to w, each with its
     * 2-byte length. */
    bool (*write_authorities)(void *owner, struct writer *w);

    /* --- Both sides --- */

    /* cert_cb, then client_cert_cb on a client: the application may change the credentials of the
     * connection. May pause. */
    enum hook_answer (*choose_credential)(void *owner, struct record_error *failure);
    /* TLS 1.2: true when the certificate in slot and its chain suit the peer: the curve of its key;
     * in strict mode and Suite B also signatures, issuers and the rest of the chain. */
    bool (*own_chain_suits)(void *owner, enum key_slot slot);
    /* The chain to send for the certificate in slot: *chain is new, leaf first, the core frees it
     * with cert_list_free(). */
    enum hook_answer (*certificate_chain)(void *owner, enum key_slot slot, STACK_OF(X509) **chain,
                                          struct record_error *failure);
    /* Judges the peer's chain (leaf first). The core has stored it in the session. May pause. */
    enum hook_answer (*verify_peer)(void *owner, struct peer_chain *chain,
                                    struct record_error *failure);
    /* A TLS 1.2 client, once the server's flight is there: whether the server's certificate may
     * make signatures, where it is for an ECDSA suite. */
    enum hook_answer (*judge_key_usage)(void *owner, struct record_error *failure);
    /* The peer's certificate authorities from a CertificateRequest or ClientHello: a list of
     * 2-byte length-prefixed DER names. False: not well-formed DER, or out of memory. */
    bool (*peer_authorities)(void *owner, struct reader names);
    /* The client's OCSPStatusRequest after its type byte (RFC 6066, 8): appended to w, respectively
     * taken from a ClientHello. False: malformed, or out of memory. */
    bool (*write_ocsp_request)(void *owner, struct writer *w);
    bool (*peer_ocsp_request)(void *owner, struct reader responders, struct reader extensions);
    /* Whether a client has SRTP protection profiles to offer, and the list, appended to w, of their
     * numbers (RFC 5764, 4.1.2). */
    bool (*has_srtp_profiles)(void *owner);
    void (*write_srtp_profiles)(void *owner, struct writer *w);
    /* Next protocol negotiation: whether a client asks for the server's protocols, and its choice
     * among them (a list as in choose_alpn; it may be empty). OK: *chosen is taken over. */
    bool (*asks_next_protocol)(void *owner);
    enum hook_answer (*choose_next_protocol)(void *owner, const uint8_t *offered, size_t len,
                                             struct blob **chosen, struct record_error *failure);
    /* A stapled OCSP response that came with the leaf certificate: kept for the application. */
    bool (*peer_ocsp)(void *owner, const uint8_t *response, size_t len);
    /* A client, once the server's signature and Finished are good: the OCSP status callback and the
     * timestamps of Certificate Transparency. */
    enum hook_answer (*check_stapled)(void *owner, struct record_error *failure);
    /* True when a client asks for signed certificate timestamps (RFC 6962, 3.3). */
    bool (*wants_scts)(void *owner);
    /* Signed certificate timestamps that came with the leaf. */
    bool (*peer_scts)(void *owner, const uint8_t *list, size_t len);

    /* True when the security level or callback allows it. */
    bool (*allows_version)(void *owner, uint16_t version);
    bool (*allows_suite)(void *owner, enum security_stage stage, const struct ssl_cipher_st *suite);
    bool (*allows_group)(void *owner, enum security_stage stage, const struct group *group);
    bool (*allows_scheme)(void *owner, enum security_stage stage, const struct sig_scheme *scheme);

    /* Custom extensions (SSL_CTX_add_custom_ext) and serverinfo. context: SSL_EXT_*; cert, or
     * chain, and index name the certificate entry, NULL and 0 elsewhere. write appends complete
     * extensions. */
    enum hook_answer (*write_custom_extensions)(void *owner, unsigned context, struct writer *w,
                                                X509 *cert, size_t index,
                                                struct record_error *failure);
    /* A received extension the core does not know. OK: taken; NONE: nobody registered it. */
    enum hook_answer (*read_custom_extension)(void *owner, unsigned context, uint16_t type,
                                              struct reader body, struct peer_chain *chain,
                                              size_t index, struct record_error *failure);

    /* --- Pre-shared keys of TLS 1.2 (RFC 4279; conn/psk.h) --- */

    /* Whether the application has the callback of this side: SSL_set_psk_client_callback or
     * SSL_set_psk_server_callback. */
    bool (*has_psk)(void *owner);
    /* A client's identity and key for a server's hint (NULL: none). OK: *psk, which was all zeros,
     * is filled in. NONE: the application has no key for that server. */
    enum hook_answer (*client_psk)(void *owner, const char *hint, struct psk *psk,
                                   struct record_error *failure);
    /* A server's key for the client's identity in *psk. OK: the key is filled in. NONE: nobody
     * knows the identity. */
    enum hook_answer (*server_psk)(void *owner, struct psk *psk, struct record_error *failure);

    /* --- Sessions --- */

    /* Whether the security level allows session tickets. SSL_OP_NO_TICKET is the core's to know. */
    bool (*allows_tickets)(void *owner);
    /* Server: opens a ticket (RFC 5077, 4; RFC 8446, 4.6.1). len 0 is TLS 1.2's empty extension:
     * the application is told, the answer is NONE. session_id is what a TLS 1.2 client sent beside
     * it; the session gets it. A TLS 1.3 server with SSL_OP_NO_TICKET looks its ticket up in the
     * cache. OK: *session has one reference, which the core takes over, and nobody else has one
     * unless it comes from the cache. NONE: not one that resumes anything here, the handshake is a
     * full one. *renew is always set: the client should get a new ticket. NONE without *renew: a
     * ticket that counts as not sent, so that a session id may still be looked up (as after len 0).
     */
    enum hook_answer (*open_ticket)(void *owner, const uint8_t *ticket, size_t len,
                                    struct reader session_id, struct ssl_session_st **session,
                                    bool *renew, struct record_error *failure);
    /* Server: appends the ticket that stands for session, which has to be the connection's own and
     * not yet shared: the application may add its data to it. With SSL_OP_NO_TICKET (TLS 1.3 only)
     * the ticket is the session's id, and the session has to be kept. NONE: the application wants
     * none; nothing was appended. */
    enum hook_answer (*seal_ticket)(void *owner, struct ssl_session_st *session, struct writer *w,
                                    struct record_error *failure);
    /* Server: the session that is kept under an id of TLS 1.2. OK: *session has one reference; it
     * may be shared and must not be changed. NONE: there is none. */
    enum hook_answer (*find_session)(void *owner, const uint8_t *id, size_t len,
                                     struct ssl_session_st **session, struct record_error *failure);
    /* Server: gives a session an id of its own: a TLS 1.2 session that no ticket will stand for
     * when it is made, a TLS 1.3 session for each ticket. */
    enum hook_answer (*name_session)(void *owner, struct ssl_session_st *session,
                                     struct record_error *failure);
    /* Server: OK when a session that was opened or found may be resumed on this connection: session
     * id context and age; the core judges version, suite, secrets. by_id: find_session() gave it.
     * NONE: a full handshake. Client: whether the session that it has offered, and that the server
     * resumes, belongs to this connection; FAIL when not. */
    enum hook_answer (*may_resume)(void *owner, struct ssl_session_st *session, bool by_id,
                                   struct record_error *failure);
    /* TLS 1.2 server, before the server name callback, which is told the session's name when it is
     * resumed: false when the session was made for another name. */
    bool (*is_for_name)(void *owner, const struct ssl_session_st *session);
    /* Server, after the server name callback has been asked: false when the
     * session was made for another name or under weaker settings of verification than are now in
     * force; the handshake has to be a full one. */
    bool (*belongs_here)(void *owner, const struct ssl_session_st *session);
    /* Server: the connection goes on with its session, which is one of an earlier connection: what
     * that one found out about the client counts. */
    void (*session_resumed)(void *owner);
    /* Client: the session that it had has not been resumed, and is given up. */
    void (*session_missed)(void *owner);
    /* Server, in a full handshake, once the suite is known: SSL_set_not_resumable_session_callback.
     * True: the session becomes not_resumable, and no ticket is sent. */
    bool (*denies_resumption)(void *owner, bool forward_secure);
    /* False when sessions of our role are not cached, so that a TLS 1.2 server's ServerHello shows
     * no new id. */
    bool (*keeps_sessions)(void *owner);
    /* A session that later connections can resume exists from now on, and is not changed any more:
     * cache and new-session callback. Both sides call it once for every full handshake of TLS 1.2
     * (just before done) and for every ticket of TLS 1.3. */
    void (*keep_session)(void *owner, struct ssl_session_st *session);
    /* A session must not be resumed again. True: it was in the cache until now, and nobody else has
     * taken it out; that is what makes a stateful ticket good for once. Fatal alerts, and the
     * connection's end without a close_notify, are dealt with by the API itself; so is a TLS 1.3
     * client's session that was resumed (single use). */
    bool (*drop_session)(void *owner, struct ssl_session_st *session);

    /* --- Tickets and secrets of the application (EAP-FAST: RFC 4851, 3.2), TLS 1.2 and older ---
     */

    /* Client: what the extension session_ticket holds when no session of ours has a ticket. *ticket
     * (borrowed) is NULL: nothing. False: then the extension is not to be sent at all. */
    bool (*application_ticket)(void *owner, struct blob **ticket);
    /* Both sides: the content of the extension session_ticket that came; false: refused. */
    bool (*ticket_seen)(void *owner, const uint8_t *ticket, size_t len);
    /* Both sides: whether the application may know the master secret of a handshake, and the
     * question, once both randoms are known: session->master is filled in. OK: *suite is the
     * application's choice, NULL: it has none. NONE: it knows no secret. suites: what the client
     * offers; empty on a client. */
    bool (*gives_secrets)(void *owner);
    enum hook_answer (*session_secret)(void *owner, struct reader suites,
                                       struct ssl_session_st *session,
                                       const struct ssl_cipher_st **suite);

    /* --- External pre-shared keys of TLS 1.3 (RFC 8446, 4.2.11) --- */

    /* Client: the key to offer besides a session's. hash: the one that a HelloRetryRequest has
     * fixed; NULL: any. OK: *session (with suite and secret) and *identity have one reference each.
     * NONE: there is none. */
    enum hook_answer (*use_psk)(void *owner, const struct hash *hash,
                                struct ssl_session_st **session, struct blob **identity,
                                struct record_error *failure);
    /* Server: the key of an identity that was offered. OK: *session has one reference and is for
     * this connection alone. NONE: the identity may be a ticket. */
    enum hook_answer (*find_psk)(void *owner, const uint8_t *identity, size_t len,
                                 struct ssl_session_st **session, struct record_error *failure);

    /* --- Early data --- */

    /* Server: true when claims_early_data() answers for tickets that hold their session, which
     * then need not be names in a cache that are good for once. */
    bool (*guards_early_data)(void *owner);
    /* Server: the session's ticket came with early data that could be accepted, in a flight which
     * its client sent at that time (milliseconds since the epoch, by the clock that stamped the
     * session). True: nobody has come with it before. Asked once for each flight; what it is
     * answered for is used up. */
    bool (*claims_early_data)(void *owner, const struct ssl_session_st *session, int64_t sent);
    /* --- Cookies (RFC 8446, 4.2.2), for a server that forgets: conn->stateless --- */

    /* The 32 bytes that cookies are authenticated with, borrowed. */
    const uint8_t *(*cookie_key)(void *owner);
    /* What the application wants to find again: up to room bytes, *len is set. */
    enum hook_answer (*make_cookie)(void *owner, uint8_t *cookie, size_t room, size_t *len,
                                    struct record_error *failure);
    /* Whether cookies are looked at, and whether the application's part is good. */
    bool (*takes_cookies)(void *owner);
    bool (*verify_cookie)(void *owner, const uint8_t *cookie, size_t len);

    /* Server: whether early data that could be accepted shall be. */
    bool (*allows_early_data)(void *owner);

    /* --- Reports --- */

    /* A protocol message, or a record header (content type SSL3_RT_HEADER 256, inner type 257). */
    void (*message)(void *owner, bool sent, uint16_t version, int content_type,
                    const uint8_t *bytes, size_t len);
    /* A step of the handshake is about to be left: info callback LOOP. */
    void (*step)(void *owner);
    /* HANDSHAKE_START and HANDSHAKE_DONE; the latter also where it rests (conn->rests).
     * established: it was a handshake, not a HelloRequest, the refusal of a renegotiation or a
     * rest. */
    void (*started)(void *owner);
    /* A server that could serve somebody waits for its first ClientHello. Statistics. */
    void (*listens)(void *owner);
    void (*done)(void *owner, bool established);
    /* A renegotiation goes on: a ClientHello or HelloRequest is about to be sent, or a ClientHello
     * has come, be it refused. Statistics. */
    void (*renegotiates)(void *owner);
    /* An alert was received or sent; value is level << 8 | description. */
    void (*alert)(void *owner, bool sent, uint16_t value);
    /* A secret for the key log (label as in NSS's format). */
    void (*keylog)(void *owner, const char *label, const struct secret *secret);
    /* The same for an RSA key exchange, by the first bytes of its message (at least 8). */
    void (*keylog_rsa)(void *owner, const uint8_t *encrypted, const uint8_t *premaster, size_t len);
    /* A received extension: SSL_set_tlsext_debug_callback. */
    void (*extension_seen)(void *owner, uint16_t type, const uint8_t *body, size_t len);

    /* The handshake goes on with our certificate in slot. */
    void (*credential_chosen)(void *owner, enum key_slot slot);

    /* --- Sources --- */

    /* Bytes of padding for a record. NULL: none. */
    size_t (*pad)(void *owner, uint8_t type, size_t len);
    /* Random bytes for hello messages; true on success. */
    bool (*random)(void *owner, uint8_t *out, size_t len);
    /* Milliseconds since the epoch. */
    int64_t (*now)(void *owner);
    /* A session for a new handshake, with the owner's timeout and context. NULL: out of memory. */
    struct ssl_session_st *(*make_session)(void *owner);
    /* Generates a key share; normally group_generate(). Tests replay fixed keys. */
    struct group_key *(*generate_key)(void *owner, const struct group *group, struct writer *share);
};

#endif
