/*
 * What a server decides and answers in TLS 1.2 and older: certificate and suite, ServerHello. RFC
 * 5246, 7.4.1.3, 7.4.2; RFC 5746, 3.6.
 */
#include "handshake/ext/extensions.h"
#include "handshake/keys12.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"
#include "handshake/versions.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

enum step_result choose_credential_server12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct reader *suites = &hs->hello->suites;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CERT_CB_ERROR };

    if ((c->neg.peer_sigalgs != NULL || c->neg.peer_cert_sigalgs != NULL) &&
        !negotiate_has_shared_sigalgs(c)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS);
    }
    /* Callbacks see the client's suites from here on. */
    blob_set(&c->neg.peer_suites, blob_new(suites->at, suites->left));
    if (c->neg.peer_suites == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    return step_of_answer(hs, c->hooks->choose_credential(c->owner, &failure), &failure,
                          PAUSE_X509_LOOKUP);
}

/* RFC 5246, 7.4.4: an anonymous server must not ask. One that insists on a certificate does, so
 * that the handshake fails, as with OpenSSL. With a pre-shared key nobody asks (RFC 4279, 2). */
static bool asks_for_certificate(const struct tls_conn *c)
{
    const struct tls_config *config = c->config;
    bool may_ask = suite12_has_certificate(c->neg.suite) ||
                   (c->neg.suite->auth == AUTH_NULL && config->require_client_cert);

    return may_ask && config->ask_client_cert &&
           (!config->ask_client_cert_once || c->num_requests == 0);
}

enum step_result choose_suite12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct reader *suites = &hs->hello->suites;

    c->neg.suite = negotiate_suite12(c, *suites);
    if (c->neg.suite == NULL) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_CIPHER);
    }
    hs->have_cert = suite12_has_certificate(c->neg.suite);
    if (suite12_exchange(c->neg.suite) == EXCHANGE12_ECDHE) {
        hs->share_group = negotiate_group12(c, c->neg.suite);
    }
    if (hs->have_cert) {
        /* As in OpenSSL also where nothing is signed, as in the key exchange by RSA. */
        handshake_choose_scheme(hs, negotiate_server_scheme12(c));
        if (hs->scheme == NULL) {
            return step_fail(
                hs, negotiate_names_schemes12(c) ? ALERT_HANDSHAKE_FAILURE : ALERT_INTERNAL_ERROR,
                SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM);
        }
    }
    hs->asked_cert = asks_for_certificate(c);
    if (keys12_hash(c) == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (c->hooks->denies_resumption(c->owner, suite12_is_ephemeral(c->neg.suite))) {
        c->session->not_resumable = true;
        hs->expect_ticket = false;
    }
    return STEP_OK;
}

/* RFC 8446, 4.1.3. TLS 1.1 is no better than 1.0. */
static bool could_do_better(const struct tls_conn *c)
{
    return negotiate_serves_version(c, VERSION_TLS13) ||
           (c->neg.version < VERSION_TLS12 && negotiate_allows_version(c, VERSION_TLS12));
}

enum step_result make_random12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (!c->hooks->random(c->owner, c->neg.server_random, RANDOM_LEN)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (could_do_better(c)) {
        const uint8_t mark[8] = { 'D', 'O', 'W', 'N',
                                  'G', 'R', 'D', version_rules(c->neg.version)->downgrade_mark };
        memcpy(c->neg.server_random + RANDOM_LEN - sizeof mark, mark, sizeof mark);
    }
    return STEP_OK;
}

enum step_result write_server_hello12(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    /* An id says that sessions are kept, or that this one was found. */
    if (!c->neg.resumed && !c->hooks->keeps_sessions(c->owner)) {
        c->session->id_len = 0;
    }
    hs->transcript.keep = true;
    if (!transcript_start(&hs->transcript, keys12_hash(c))) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    writer_u16(w, c->neg.version);
    writer_bytes(w, c->neg.server_random, RANDOM_LEN);
    writer_open(w, 1);
    writer_bytes(w, c->session->id, c->session->id_len);
    writer_close(w);
    writer_u16(w, suite_id(c->neg.suite));
    writer_u8(w, 0);
    /* RFC 6066, 4: the length holds from the moment it is agreed on. */
    handshake_apply_max_fragment(c);
    return extensions_write(hs, EXT_TLS12_SERVER_HELLO, w, NULL, 0);
}
