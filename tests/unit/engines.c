/*
 * Endpoints in memory; see engines.h.
 */
#include "engines.h"

#include "crypto/cert.h"
#include "crypto/dhe.h"
#include "handshake/keys12.h"

#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What tests rely on and do not test: ends the program. */
static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "engines: %s failed\n", what);
        abort();
    }
}

/* --- Items --- */

void items_add(struct items *items, uint8_t content, enum epoch epoch, const void *bytes,
               size_t len)
{
    if (items->num == MAX_ITEMS) {
        return;
    }
    struct item *item = &items->at[items->num++];

    *item = (struct item){ content, epoch, len, malloc(len > 0 ? len : 1) };
    require(item->bytes != NULL, "malloc");
    if (len > 0) {
        memcpy(item->bytes, bytes, len);
    }
}

void items_wipe(struct items *items)
{
    for (size_t i = 0; i < items->num; i++) {
        free(items->at[i].bytes);
    }
    items->num = 0;
}

/* --- Identity --- */

static X509 *identity_cert;
static EVP_PKEY *identity_key;
static X509 *rsa_cert;
static EVP_PKEY *rsa_key;

static X509 *make_cert(EVP_PKEY *key, const EVP_MD *digest)
{
    X509 *cert = X509_new();

    require(cert != NULL && key != NULL, "making a key");
    X509_NAME *name = X509_get_subject_name(cert);
    require(X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
                ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z") == 1 &&
                ASN1_TIME_set_string(X509_getm_notAfter(cert), "21200101000000Z") == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"unit.example", -1, -1, 0) == 1 &&
                X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
                X509_sign(cert, key, digest) > 0,
            "making a certificate");
    return cert;
}

static void make_identity(void)
{
    static const uint8_t seed[32] = "a seed that everybody may know.";

    identity_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    identity_cert = make_cert(identity_key, NULL);
}

unsigned endpoint_rsa_bits = 2048;

static void make_rsa_identity(void)
{
    rsa_key = EVP_RSA_gen(endpoint_rsa_bits);
    rsa_cert = make_cert(rsa_key, EVP_sha256());
}

X509 *endpoint_cert(void)
{
    if (identity_cert == NULL) {
        make_identity();
    }
    return identity_cert;
}

EVP_PKEY *endpoint_key(void)
{
    (void)endpoint_cert();
    return identity_key;
}

void endpoint_identity_free(void)
{
    X509_free(identity_cert);
    EVP_PKEY_free(identity_key);
    X509_free(rsa_cert);
    EVP_PKEY_free(rsa_key);
    identity_cert = rsa_cert = NULL;
    identity_key = rsa_key = NULL;
}

/* --- Endpoints --- */

static void own_key(struct endpoint *e, enum key_slot slot, X509 *cert, EVP_PKEY *key)
{
    struct credential *own = &e->config.credentials->slot[slot];

    require(credential_set_key(own, key), "credential_set_key");
    own->cert = cert;
    cert_up_ref(cert);
    e->config.credentials->current = slot; /* set last: what a client of TLS 1.2 has */
}

void endpoint_init(struct endpoint *e, enum role role)
{
    *e = (struct endpoint){ .verify_answer = HOOK_OK,
                            .verify_alert = ALERT_UNKNOWN_CA,
                            .resume_answer = HOOK_OK };
    e->random_next = role == ROLE_CLIENT ? 1 : 101;
    e->config.lib = crypto_lib_default();
    e->config.options = OPTION_ENABLE_MIDDLEBOX_COMPAT;
    e->config.max_cert_list = 102400;
    e->config.max_send_fragment = RECORD_MAX_PLAINTEXT;
    e->config.split_send_fragment = RECORD_MAX_PLAINTEXT;
    e->config.credentials = credentials_new();
    require(e->config.lib != NULL && e->config.credentials != NULL, "making a config");
    own_key(e, KEY_ED25519, endpoint_cert(), endpoint_key());
    conn_init(&e->conn, &endpoint_hooks, e);
    e->conn.role = role;
    e->conn.config = &e->config;
}

static bool takes_rsa(const struct ssl_cipher_st *suite)
{
    return (suite->auth & AUTH_RSA) != 0;
}

X509 *endpoint_cert_for(uint16_t suite)
{
    if (!takes_rsa(suite_by_id(suite))) {
        return endpoint_cert();
    }
    if (rsa_key == NULL) {
        make_rsa_identity();
    }
    return rsa_cert;
}

void endpoint_use_tls12(struct endpoint *e, uint16_t suite)
{
    const struct ssl_cipher_st *s = suite_by_id(suite);

    require(s != NULL, "finding a suite");
    e->config.max_version = VERSION_TLS12;
    e->config.suites = u16_list_of(&suite, 1);
    if (takes_rsa(s) && e->conn.role == ROLE_SERVER) {
        X509 *cert = endpoint_cert_for(suite);
        own_key(e, KEY_RSA, cert, rsa_key);
    }
    if ((s->kx & (KX_DHE | KX_DHE_PSK)) != 0 && e->conn.role == ROLE_SERVER) {
        e->dhe = dhe_automatic(e->config.lib, 80);
        require(e->dhe != NULL, "dhe_automatic");
    }
}

void endpoint_share_psk(struct endpoint *client, struct endpoint *server)
{
    static const uint16_t suite = 0x1301;
    struct ssl_session_st *session = session_new(0, 300);

    require(session != NULL, "making a session");
    session->version = VERSION_TLS13;
    session->suite = suite_by_id(suite);
    session->suite_id = session->suite->id;
    session->max_early_data = 100;
    secret_set(&session->master, (const uint8_t *)"a key that both of them know of.", 32);
    client->psk = session;
    server->psk = session_ref(session);
    client->psk_identity = blob_new("somebody", 8);
    server->psk_identity = blob_ref(client->psk_identity);
    require(client->psk_identity != NULL, "naming a key");
    server->config.suites13 = u16_list_of(&suite, 1);
}

struct ssl_session_st *earlier_session12(uint16_t suite, bool has_ticket)
{
    struct ssl_session_st *session = session_new(0, 300);

    require(session != NULL, "session_new");
    session->version = VERSION_TLS12;
    session->suite = suite_by_id(suite);
    session->suite_id = session->suite->id;
    session->extended_master_secret = true;
    session->master.len = 48;
    memset(session->master.bytes, 3, session->master.len);
    session->id_len = SESSION_MAX_ID;
    memset(session->id, 4, session->id_len);
    if (has_ticket) {
        session->ticket = blob_new(the_ticket, sizeof(the_ticket));
        require(session->ticket != NULL, "blob_new");
    }
    return session;
}

void endpoint_wipe(struct endpoint *e)
{
    tls_abandon(&e->conn);
    conn_wipe(&e->conn);
    config_wipe(&e->config);
    blob_free(e->alpn);
    blob_free(e->ocsp);
    blob_free(e->npn);
    session_free(e->kept);
    session_free(e->psk);
    blob_free(e->psk_identity);
    dhe_free(e->dhe);
    items_wipe(&e->sent);
    items_wipe(&e->received);
}

void endpoint_feed(struct endpoint *e, const void *bytes, size_t len)
{
    if (len > 0) {
        uint8_t *space = tls_input_space(&e->conn, len);
        require(space != NULL, "tls_input_space");
        memcpy(space, bytes, len);
        tls_input_ack(&e->conn, len);
    }
}

void endpoint_take(struct endpoint *e, struct buffer *out)
{
    struct tls_conn *c = &e->conn;
    size_t len;

    if (c->alert_due) {
        require(tls_seal_alert(c), "tls_seal_alert");
        c->alert_due = false;
    }
    const uint8_t *bytes = tls_output(c, &len);
    if (out != NULL) {
        require(buffer_append(out, bytes, len), "buffer_append");
    }
    if (len > 0) {
        tls_output_ack(c, len);
    }
}

enum tls_status endpoint_run(struct endpoint *e, struct buffer *out)
{
    struct tls_conn *c = &e->conn;
    enum tls_status status = TLS_PAUSED;

    if (c->hs == NULL && !tls_start(c)) {
        endpoint_take(e, out);
        return c->error.failed ? TLS_FAILED : TLS_OK;
    }
    while (status == TLS_PAUSED || status == TLS_WANT_FLUSH) {
        status = tls_run(c);
        if (status != TLS_PAUSED) {
            endpoint_take(e, out);
        }
    }
    return status;
}

enum tls_status endpoint_read(struct endpoint *e, uint8_t *dst, size_t cap, size_t *got,
                              struct buffer *out)
{
    enum tls_status status = TLS_HANDSHAKE;

    while (status == TLS_HANDSHAKE) {
        status = e->conn.hs != NULL ? endpoint_run(e, out) : TLS_OK;
        if (status == TLS_OK) {
            status = tls_read(&e->conn, dst, cap, false, got);
        }
    }
    endpoint_take(e, out);
    return status;
}

/* Moves at most `piece` bytes (0: all) to an endpoint and runs it. True: something moved. */
static bool move(struct buffer *from, struct endpoint *to, struct buffer *back, size_t piece)
{
    size_t len = buffer_len(from);

    if (piece != 0 && len > piece) {
        len = piece;
    }
    if (len == 0) {
        return false;
    }
    endpoint_feed(to, buffer_bytes(from), len);
    buffer_consume(from, len);
    if (to->conn.hs != NULL) {
        (void)endpoint_run(to, back);
    }
    return true;
}

static bool is_done(const struct endpoint *e)
{
    return e->conn.handshakes_done > 0 && e->conn.hs == NULL && !e->conn.error.failed;
}

bool endpoints_connect(struct endpoint *client, struct endpoint *server, size_t piece)
{
    struct buffer to_client = { 0 };
    struct buffer to_server = { 0 };
    bool moved = true;

    (void)endpoint_run(client, &to_server);
    (void)endpoint_run(server, &to_client);
    while (moved) {
        moved = move(&to_server, server, &to_client, piece);
        moved = move(&to_client, client, &to_server, piece) || moved;
    }
    buffer_wipe(&to_client);
    buffer_wipe(&to_server);
    return is_done(client) && is_done(server);
}

bool endpoints_exchange(struct endpoint *from, struct endpoint *to, const void *data, size_t len)
{
    uint8_t received[256];
    size_t got = 0;
    struct buffer out = { 0 };

    require(len <= sizeof(received), "exchanging as much");
    if (tls_write(&from->conn, data, len) != TLS_OK) {
        return false;
    }
    endpoint_take(from, &out);
    endpoint_feed(to, buffer_bytes(&out), buffer_len(&out));
    buffer_wipe(&out);
    return endpoint_read(to, received, sizeof(received), &got, NULL) == TLS_APP_DATA &&
           got == len && memcmp(received, data, len) == 0;
}

struct blob *u16_list_of(const uint16_t *ids, size_t num)
{
    struct blob *list = blob_new(NULL, num * sizeof(*ids));

    require(list != NULL, "blob_new");
    for (size_t i = 0; i < num; i++) {
        u16_list_set(list, i, ids[i]);
    }
    return list;
}

/* --- Randomness that repeats itself --- */

static uint64_t random_state;

static int next_random(unsigned char *out, int num)
{
    for (int i = 0; i < num; i++) {
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int random_is_ready(void)
{
    return 1;
}

void deterministic_random_install(void)
{
    static const RAND_METHOD method = { .bytes = next_random,
                                        .pseudorand = next_random,
                                        .status = random_is_ready };

    require(RAND_set_rand_method(&method) == 1, "RAND_set_rand_method");
}

void deterministic_random_restart(void)
{
    random_state = 0;
}

/* --- Forger --- */

void forger_learn(struct forger *f, const struct endpoint *of)
{
    const struct negotiated *neg = &of->conn.neg;

    f->conn.neg.version = neg->version;
    f->conn.neg.suite = neg->suite;
    f->conn.early_suite = of->conn.early_suite;
    if (of->conn.secrets != NULL) {
        require(conn_reserve_secrets(&f->conn), "conn_reserve_secrets");
        *f->conn.secrets = *of->conn.secrets;
        f->conn.secrets->early_exporter_master = NULL; /* the other's own */
    }
    if (of->conn.handshake_secrets != NULL) {
        *f->conn.handshake_secrets = *of->conn.handshake_secrets;
    }
    if (neg->version == VERSION_TLS12 && of->conn.session != NULL) {
        memcpy(f->conn.neg.client_random, neg->client_random, sizeof(neg->client_random));
        memcpy(f->conn.neg.server_random, neg->server_random, sizeof(neg->server_random));
        f->conn.session->master = of->conn.session->master;
    }
}

void forger_init(struct forger *f, const struct endpoint *of)
{
    *f = (struct forger){ 0 };
    conn_init(&f->conn, &endpoint_hooks, NULL);
    f->conn.role = of->conn.role;
    f->conn.config = &of->config;
    f->conn.out.version = VERSION_TLS12;
    f->conn.session = f->conn.hooks->make_session(NULL);
    require(f->conn.session != NULL, "make_session");
    forger_learn(f, of);
}

void forger_wipe(struct forger *f)
{
    conn_wipe(&f->conn);
}

void forger_enter(struct forger *f, enum epoch epoch)
{
    if (f->conn.out.epoch == epoch) {
        return;
    }
    if (f->conn.neg.version == VERSION_TLS12 && epoch != EPOCH_PLAINTEXT) {
        struct handshake hs = { .conn = &f->conn };
        require(keys12_install(&hs, DIRECTION_OUT), "keys12_install");
    } else if (epoch == EPOCH_PLAINTEXT) {
        record_out_protect(&f->conn.out, NULL, EPOCH_PLAINTEXT);
    } else {
        require(conn_reserve_secrets(&f->conn), "conn_reserve_secrets");
        require(keys13_install(&f->conn, DIRECTION_OUT, epoch), "keys13_install");
    }
}

void forger_next_key(struct forger *f)
{
    struct handshake hs = { .conn = &f->conn };
    bool ok = f->conn.neg.version == VERSION_TLS12 ? keys12_install(&hs, DIRECTION_OUT)
                                                   : keys13_update(&f->conn, DIRECTION_OUT);

    require(ok, "the next key");
}

void forger_seal(struct forger *f, uint8_t content, const void *bytes, size_t len,
                 struct buffer *out)
{
    struct buffer *sealed = &f->conn.out.buffer;

    require(record_seal(&f->conn.out, content, bytes, len, NULL), "record_seal");
    require(buffer_append(out, buffer_bytes(sealed), buffer_len(sealed)), "buffer_append");
    buffer_wipe(sealed);
}
