/*
 * What came of a scripted peer's exchange, in words, and tables of exchanges.
 */
#include "contract.h"
#include "hs_peer.h"

#include <openssl/err.h>
#include <stdio.h>

static void describe_reason(unsigned long code, char *text, size_t size)
{
    const char *words = ERR_reason_error_string(code);

    if (code == 0) {
        (void)snprintf(text, size, "queue empty");
    } else {
        (void)snprintf(text, size, "%d:%d %s", ERR_GET_LIB(code), ERR_GET_REASON(code),
                       words != NULL ? words : "(no text)");
    }
}

void peer_reason(const struct peer *peer, char *text, size_t size)
{
    char first[128];
    char last[128];

    describe_reason(peer->reason, first, sizeof(first));
    describe_reason(peer->last_reason, last, sizeof(last));
    (void)snprintf(text, size, "%s%s%s", first, peer->last_reason != peer->reason ? " to " : "",
                   peer->last_reason != peer->reason ? last : "");
}

/* A library may take different steps to the same judgement. What has a meaning of its own for
 * programs and people keeps its exact reason. */
static void describe_kind(unsigned long code, char *text, size_t size)
{
    const char *kind = NULL;

    switch (ERR_GET_REASON(code)) {
    case SSL_R_BAD_EXTENSION:
    case SSL_R_LENGTH_MISMATCH:
    case SSL_R_LENGTH_TOO_SHORT:
    case SSL_R_BAD_LENGTH:
    case SSL_R_BAD_PACKET:
    case SSL_R_BAD_DIGEST_LENGTH:
    case SSL_R_SSL3_SESSION_ID_TOO_LONG:
    case SSL_R_INVALID_ALERT:
    case SSL_R_INVALID_CCS_MESSAGE:
    case SSL_R_RECORD_TOO_SMALL:
    case ERR_R_ASN1_LIB:
        kind = "malformed";
        break;
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_UNEXPECTED_RECORD:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA:
    case SSL_R_APP_DATA_IN_HANDSHAKE:
    case SSL_R_BAD_CHANGE_CIPHER_SPEC:
    case SSL_R_CCS_RECEIVED_EARLY:
    case SSL_R_DATA_BETWEEN_CCS_AND_FINISHED:
        kind = "out of place";
        break;
    case SSL_R_DATA_LENGTH_TOO_LONG:
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        kind = "record too long";
        break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
        kind = "version";
        break;
    case SSL_R_BAD_KEY_SHARE:
    case SSL_R_BAD_ECPOINT:
    case SSL_R_BAD_DH_VALUE:
        kind = "key share";
        break;
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
        kind = "suite";
        break;
    case SSL_R_COMPRESSION_DISABLED:
    case SSL_R_UNSUPPORTED_COMPRESSION_ALGORITHM:
        kind = "compression";
        break;
    default:
        describe_reason(code, text, size);
        return;
    }
    (void)snprintf(text, size, "%s", kind);
}

void peer_describe(const struct peer *peer, char *text, size_t size)
{
    bool keys_matter = !peer->is_server || peer->connected;
    char alert[64] = "no alert";
    char kind[128];

    if (peer->alert >= 0) {
        (void)snprintf(alert, sizeof(alert), "alert %d/%d%s%s", peer->alert >> 8,
                       peer->alert & 0xff,
                       peer->alert_encrypted && keys_matter ? " under keys" : "",
                       peer->num_alerts > 1 ? " and more" : "");
    }
    if (!peer->failed) {
        (void)snprintf(text, size, "%s: %s, %zu bytes of data, %s", peer->script->name,
                       peer->connected     ? "connected"
                       : peer->asked_retry ? "asks for a retry"
                                           : "waits",
                       peer->data_received, alert);
        return;
    }
    describe_kind(peer->last_reason, kind, sizeof(kind));
    (void)snprintf(text, size, "%s: %s = %d %s %s, %zu bytes of data, %s", peer->script->name,
                   peer->call, peer->ret, name_of_error(peer->error), kind, peer->data_received,
                   alert);
}

static int choose_first(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                        const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)in_len;
    (void)arg;
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static SSL *prepare_server(const struct peer_case *script)
{
    SSL_CTX *ctx = server_ctx_new();
    SSL *ssl;

    SSL_CTX_set_alpn_select_cb(ctx, choose_first, NULL);
    if (script->client_auth) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        identity_trust(identity_default(), ctx);
    }
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    if (script->retry) {
        REQUIRE(SSL_set1_groups_list(ssl, "P-256") == 1);
    }
    SSL_set_accept_state(ssl);
    SSL_CTX_free(ctx);
    return ssl;
}

static SSL *prepare_client(const struct peer_case *script)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    REQUIRE(ssl != NULL);
    REQUIRE(SSL_set_tlsext_host_name(ssl, "localhost") == 1);
    REQUIRE(SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2", 3) == 0);
    if (script->client_auth) {
        identity_use_ssl(identity_default(), ssl);
    }
    SSL_set_connect_state(ssl);
    SSL_CTX_free(ctx);
    return ssl;
}

static bool as_it_must(enum peer_verdict verdict, bool accepted)
{
    switch (verdict) {
    case PEER_FAILS:
    case PEER_FAILS_ANYHOW:
        return !accepted;
    case PEER_WORKS:
        return accepted;
    case PEER_ANY:
        return true;
    case PEER_STRICT:
        return accepted != on_tenon();
    }
    return false;
}

void peer_judge(const struct peer *peer, enum peer_verdict verdict)
{
    char text[512];
    char reason[300];

    peer_describe(peer, text, sizeof(text));
    peer_reason(peer, reason, sizeof(reason));
    if (verdict == PEER_STRICT) {
        log_difference("hs-strict-peer", "%s (%s)", text, reason);
    } else if (verdict == PEER_FAILS_ANYHOW) {
        log_difference("hs-peer-alert", "%s (%s)", text, reason);
    } else {
        note("%s", text);
        log_difference("hs-peer-reason", "%s", reason);
    }
    check_result(as_it_must(verdict, peer->connected && !peer->failed), __FILE__, __LINE__, text);
}

void peer_run_table(const struct peer_row *rows, size_t num_rows)
{
    for (size_t i = 0; i < num_rows; i++) {
        const struct peer_case *script = &rows[i].script;
        SSL *ssl = script->server_under_test ? prepare_server(script) : prepare_client(script);
        struct peer peer;

        peer_run(&peer, ssl, script);
        peer_judge(&peer, rows[i].verdict);
        if (rows[i].verdict != PEER_STRICT && rows[i].verdict != PEER_FAILS_ANYHOW) {
            log_difference("hs-client-alert-keys", "%d",
                           peer.is_server && !peer.connected && peer.alert_encrypted);
        }
        /* RFC 8446, D.4: for middleboxes, before a client's first encrypted record. */
        CHECK(!peer.is_server || !peer.alert_encrypted || peer.saw_ccs);
        peer_free(&peer);
        SSL_free(ssl);
    }
}
