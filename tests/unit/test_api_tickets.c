/*
 * Tickets as the core asks for them: what is sealed opens again, with keys of the context and of
 * both callbacks; nothing else opens; what the application's callbacks may answer.
 */
#include "unit.h"

#include "api/internal.h"
#include "crypto/suite.h"
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <string.h>

struct fixture {
    SSL_CTX *ctx;
    SSL *s;
    SSL_SESSION *session;
    struct buffer ticket;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint8_t master[48];

    *state = f;
    f->ctx = SSL_CTX_new(TLS_server_method());
    f->s = SSL_new(f->ctx);
    SSL_set_accept_state(f->s);
    f->session = ssl_hooks.make_session(f->s);
    fill_pattern(master, sizeof(master), 1, 3);
    secret_set(&f->session->master, master, sizeof(master));
    f->session->version = f->s->conn.neg.version = VERSION_TLS12;
    f->session->suite = suite_by_id(0xc02f);
    f->session->id_len = 5;
    f->s->conn.session = session_ref(f->session);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    buffer_wipe(&f->ticket);
    session_free(f->session);
    SSL_free(f->s);
    SSL_CTX_free(f->ctx);
    free(f);
    return 0;
}

static enum hook_answer seal(struct fixture *f)
{
    struct record_error failure = { 0 };
    struct writer w = writer_to(&f->ticket);
    enum hook_answer answer = ssl_hooks.seal_ticket(f->s, f->session, &w, &failure);

    assert_true(writer_ok(&w));
    assert_true(answer != HOOK_FAIL || failure.alert == ALERT_INTERNAL_ERROR);
    return answer;
}

/* Opens bytes as a ticket; what was found is compared with the session and freed. */
static enum hook_answer open_bytes(struct fixture *f, const uint8_t *bytes, size_t len, bool *renew)
{
    static const uint8_t id[3] = "id";
    struct record_error failure = { 0 };
    SSL_SESSION *found = NULL;
    enum hook_answer answer =
        ssl_hooks.open_ticket(f->s, bytes, len, reader_of(id, sizeof(id)), &found, renew, &failure);

    assert_true((found != NULL) == (answer == HOOK_OK));
    if (found != NULL) {
        assert_int_equal(found->version, f->session->version);
        assert_ptr_equal(found->suite, f->session->suite);
        assert_true(secret_equals(&found->master, f->session->master.bytes, 48));
        assert_int_equal(found->id_len, sizeof(id));
        assert_memory_equal(found->id, id, sizeof(id));
        session_free(found);
    }
    return answer;
}

static enum hook_answer open_sealed(struct fixture *f, bool *renew)
{
    return open_bytes(f, buffer_bytes(&f->ticket), buffer_len(&f->ticket), renew);
}

static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    bool renew = true;

    assert_int_equal(seal(f), HOOK_OK);
    assert_int_equal(open_sealed(f, &renew), HOOK_OK);
    assert_false(renew);
    f->session->version = f->s->conn.neg.version = VERSION_TLS13;
    buffer_wipe(&f->ticket);
    assert_int_equal(seal(f), HOOK_OK);
    assert_int_equal(open_sealed(f, &renew), HOOK_OK);
    assert_true(renew);
}

static void test_changed_bits(void **state)
{
    struct fixture *f = *state;
    bool renew;

    assert_int_equal(seal(f), HOOK_OK);
    for (size_t i = 0; i < buffer_len(&f->ticket) * 8; i++) {
        buffer_bytes(&f->ticket)[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(open_sealed(f, &renew), HOOK_NONE);
        assert_true(renew);
        buffer_bytes(&f->ticket)[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t len = 0; len < buffer_len(&f->ticket); len++) {
        assert_int_equal(open_bytes(f, buffer_bytes(&f->ticket), len, &renew), HOOK_NONE);
        assert_true(renew);
    }
}

static void test_other_keys(void **state)
{
    struct fixture *f = *state;
    uint8_t keys[80];
    bool renew;

    fill_pattern(keys, sizeof(keys), 7, 5);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(f->ctx, keys, sizeof(keys)), 1);
    assert_int_equal(seal(f), HOOK_OK);
    assert_memory_equal(buffer_bytes(&f->ticket), keys, 16);
    assert_int_equal(open_sealed(f, &renew), HOOK_OK);
    keys[79] ^= 1;
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(f->ctx, keys, sizeof(keys)), 1);
    assert_int_equal(open_sealed(f, &renew), HOOK_NONE);
    keys[79] ^= 1;
    keys[16] ^= 1;
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(f->ctx, keys, sizeof(keys)), 1);
    assert_int_equal(open_sealed(f, &renew), HOOK_NONE);
}

/* --- The application's keys --- */

static int key_answer;
static const uint8_t app_key[32] = "the application's own secret key";

static int start_cipher(uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *cipher, int seal)
{
    if (seal) {
        memset(name, 'n', 16);
        memset(iv, 'i', 16);
    } else {
        assert_int_equal(name[15], 'n');
    }
    return EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, app_key, iv, seal);
}

static int mac_callback(SSL *s, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac, int seal)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)app_key, sizeof(app_key)),
        OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (void *)(uintptr_t) "SHA512", 0),
        OSSL_PARAM_END,
    };

    (void)s;
    assert_int_equal(start_cipher(name, iv, cipher, seal), 1);
    assert_int_equal(EVP_MAC_CTX_set_params(mac, params), 1);
    return key_answer;
}

static int hmac_callback(SSL *s, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         HMAC_CTX *hmac, int seal)
{
    (void)s;
    assert_int_equal(start_cipher(name, iv, cipher, seal), 1);
    assert_int_equal(HMAC_Init_ex(hmac, app_key, sizeof(app_key), EVP_sha1(), NULL), 1);
    return key_answer;
}

static void use_callbacks(struct fixture *f)
{
    bool renew;

    key_answer = 1;
    assert_int_equal(seal(f), HOOK_OK);
    assert_int_equal(open_sealed(f, &renew), HOOK_OK);
    assert_false(renew);
    key_answer = 2;
    assert_int_equal(open_sealed(f, &renew), HOOK_OK);
    assert_true(renew);
    key_answer = 0;
    assert_int_equal(open_sealed(f, &renew), HOOK_NONE);
    assert_true(renew);
    key_answer = -1;
    assert_int_equal(open_sealed(f, &renew), HOOK_FAIL);
    buffer_wipe(&f->ticket);
    assert_int_equal(seal(f), HOOK_FAIL);
    assert_int_equal(buffer_len(&f->ticket), 0);
    key_answer = 0;
    assert_int_equal(seal(f), HOOK_NONE);
    assert_int_equal(buffer_len(&f->ticket), 0);
}

static void test_mac_callback(void **state)
{
    struct fixture *f = *state;

    SSL_CTX_set_tlsext_ticket_key_evp_cb(f->ctx, mac_callback);
    use_callbacks(f);
}

static void test_hmac_callback(void **state)
{
    struct fixture *f = *state;

    SSL_CTX_set_tlsext_ticket_key_cb(f->ctx, hmac_callback);
    use_callbacks(f);
}

/* --- The application's data --- */

static SSL_TICKET_STATUS seen_status;
static int seen_data;

static int add_data(SSL *s, void *arg)
{
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(s), arg, 4);
}

static SSL_TICKET_RETURN judge(SSL *s, SSL_SESSION *session, const unsigned char *name,
                               size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    void *data = NULL;
    size_t len = 0;

    (void)s;
    (void)name;
    assert_true(name_len <= 16);
    seen_status = status;
    if (session != NULL) {
        assert_int_equal(SSL_SESSION_get0_ticket_appdata(session, &data, &len), 1);
    }
    seen_data = len == 4 && memcmp(data, arg, 4) == 0;
    return ((const char *)arg)[4];
}

static void test_appdata(void **state)
{
    static const struct {
        SSL_TICKET_RETURN answer;
        enum hook_answer opened;
        bool renew;
        enum hook_answer empty;
        bool renew_empty;
    } rows[] = {
        { SSL_TICKET_RETURN_ABORT, HOOK_FAIL, false, HOOK_FAIL, false },
        { SSL_TICKET_RETURN_IGNORE, HOOK_NONE, false, HOOK_NONE, false },
        { SSL_TICKET_RETURN_IGNORE_RENEW, HOOK_NONE, true, HOOK_NONE, true },
        { SSL_TICKET_RETURN_USE, HOOK_OK, false, HOOK_FAIL, false },
        { SSL_TICKET_RETURN_USE_RENEW, HOOK_OK, true, HOOK_FAIL, false },
        { 77, HOOK_FAIL, false, HOOK_FAIL, false },
    };
    struct fixture *f = *state;
    char data[5] = "data";
    bool renew;

    SSL_CTX_set_session_ticket_cb(f->ctx, add_data, judge, data);
    assert_int_equal(seal(f), HOOK_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        data[4] = (char)rows[i].answer;
        assert_int_equal(open_sealed(f, &renew), rows[i].opened);
        assert_int_equal(renew, rows[i].renew);
        assert_int_equal(seen_status, SSL_TICKET_SUCCESS);
        assert_true(seen_data);
        assert_int_equal(open_bytes(f, NULL, 0, &renew), rows[i].empty);
        assert_int_equal(renew, rows[i].renew_empty);
        assert_int_equal(seen_status, SSL_TICKET_EMPTY);
        assert_int_equal(open_bytes(f, (const uint8_t *)"short", 5, &renew), rows[i].empty);
        assert_int_equal(seen_status, SSL_TICKET_NO_DECRYPT);
    }
}

/* --- What a ticket is bound to --- */

/* A ticket of the settings of the moment. */
static void seal_anew(struct fixture *f)
{
    buffer_wipe(&f->ticket);
    assert_int_equal(seal(f), HOOK_OK);
}

/* Whether the last ticket's session belongs to the settings of the moment. */
static bool belongs(struct fixture *f)
{
    struct record_error failure = { 0 };
    SSL_SESSION *found = NULL;
    bool renew;
    bool result;

    assert_int_equal(ssl_hooks.open_ticket(f->s, buffer_bytes(&f->ticket), buffer_len(&f->ticket),
                                           reader_of(NULL, 0), &found, &renew, &failure),
                     HOOK_OK);
    result = ssl_hooks.belongs_here(f->s, found);
    session_free(found);
    return result;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

static int on_certificate(SSL *ssl, void *arg)
{
    (void)ssl;
    (void)arg;
    return 1;
}

/* Names count where somebody asks for them. */
static void mind_names(struct fixture *f, bool mind)
{
    int (*callback)(SSL *, int *, void *) = mind ? on_server_name : NULL;

    assert_int_equal(
        SSL_CTX_callback_ctrl(f->ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, (void (*)(void))callback),
        1);
}

static void set_name(struct fixture *f, const char *name)
{
    blob_set(&f->s->conn.neg.server_name, name != NULL ? blob_new(name, strlen(name)) : NULL);
}

static void test_bound_to_name(void **state)
{
    struct fixture *f = *state;

    mind_names(f, true);
    set_name(f, "one.example");
    seal_anew(f);
    assert_true(belongs(f));
    set_name(f, "two.example");
    assert_false(belongs(f));
    mind_names(f, false);
    assert_true(belongs(f));
    SSL_set_cert_cb(f->s, on_certificate, NULL); /* which may choose one by the name */
    assert_false(belongs(f));
    SSL_set_cert_cb(f->s, NULL, NULL);
    assert_true(belongs(f));
    mind_names(f, true);
    set_name(f, "one.exampl");
    assert_false(belongs(f));
    set_name(f, NULL);
    assert_false(belongs(f));
    seal_anew(f);
    assert_true(belongs(f));
    set_name(f, "one.example");
    assert_false(belongs(f));
}

static void test_bound_to_context(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(SSL_set_session_id_context(f->s, (const uint8_t *)"one", 3), 1);
    seal_anew(f);
    assert_true(belongs(f));
    assert_int_equal(SSL_set_session_id_context(f->s, (const uint8_t *)"two", 3), 1);
    assert_false(belongs(f));
    /* What a name lacks is not made up for by the context. */
    mind_names(f, true);
    set_name(f, "ab");
    assert_int_equal(SSL_set_session_id_context(f->s, (const uint8_t *)"c", 1), 1);
    seal_anew(f);
    set_name(f, "a");
    assert_int_equal(SSL_set_session_id_context(f->s, (const uint8_t *)"bc", 2), 1);
    assert_false(belongs(f));
}

static STACK_OF(X509_NAME) *authorities(const char *name)
{
    STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();
    X509_NAME *entry = X509_NAME_new();

    assert_int_equal(
        X509_NAME_add_entry_by_txt(entry, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0), 1);
    assert_int_equal(sk_X509_NAME_push(list, entry), 1);
    return list;
}

static void test_bound_to_verification(void **state)
{
    struct fixture *f = *state;

    seal_anew(f);
    SSL_set_verify(f->s, SSL_VERIFY_PEER, NULL);
    assert_false(belongs(f));
    SSL_set_client_CA_list(f->s, authorities("One"));
    seal_anew(f);
    assert_true(belongs(f));
    SSL_set_verify(f->s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    assert_false(belongs(f));
    seal_anew(f);
    assert_true(belongs(f));
    /* Weaker settings take what was made under stronger ones, of the same authorities. */
    SSL_set_verify(f->s, SSL_VERIFY_PEER, NULL);
    assert_true(belongs(f));
    SSL_set_client_CA_list(f->s, authorities("Two"));
    assert_false(belongs(f));
    /* Where nothing is verified the authorities do not matter. */
    SSL_set_verify(f->s, SSL_VERIFY_NONE, NULL);
    assert_true(belongs(f));
}

/* Keys that the application knows seal what OpenSSL would: only an acknowledged name binds. */
static void test_unbound(void **state)
{
    struct fixture *f = *state;
    uint8_t keys[80] = { 1 };

    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(f->ctx, keys, sizeof(keys)), 1);
    set_name(f, "one.example");
    seal_anew(f);
    set_name(f, "two.example");
    SSL_set_verify(f->s, SSL_VERIFY_PEER, NULL);
    assert_true(belongs(f));
    assert_int_equal(SSL_SESSION_set1_hostname(f->session, "one.example"), 1);
    seal_anew(f);
    assert_false(belongs(f));
    set_name(f, "one.example");
    assert_true(belongs(f));
}

/* --- A server that keeps state --- */

static void test_stateful(void **state)
{
    struct fixture *f = *state;
    struct record_error failure = { 0 };
    SSL_SESSION *found = NULL;
    bool renew;

    SSL_set_options(f->s, SSL_OP_NO_TICKET);
    f->session->version = f->s->conn.neg.version = VERSION_TLS13;
    assert_int_equal(ssl_hooks.name_session(f->s, f->session, &failure), HOOK_OK);
    assert_int_equal(f->session->id_len, 32);
    assert_int_equal(seal(f), HOOK_OK);
    assert_int_equal(buffer_len(&f->ticket), 32);
    ssl_hooks.keep_session(f->s, f->session);
    assert_int_equal(SSL_CTX_sess_number(f->ctx), 1);
    assert_int_equal(ssl_hooks.open_ticket(f->s, buffer_bytes(&f->ticket), 32, reader_of(NULL, 0),
                                           &found, &renew, &failure),
                     HOOK_OK);
    assert_ptr_equal(found, f->session);
    assert_true(renew);
    session_free(found);
    assert_true(ssl_hooks.drop_session(f->s, f->session));
    assert_false(ssl_hooks.drop_session(f->s, f->session));
    assert_int_equal(open_sealed(f, &renew), HOOK_NONE);
    assert_int_equal(SSL_CTX_sess_misses(f->ctx), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed_bits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mac_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hmac_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_appdata, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound_to_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound_to_context, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound_to_verification, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unbound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stateful, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
