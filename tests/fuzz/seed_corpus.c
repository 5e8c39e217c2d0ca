/*
 * Writes the corpora of the fuzz targets: messages of real handshakes between two engines, in the
 * form that each target takes. usage: seed_corpus DIRECTORY, with a folder for each target in it.
 */
#include "stage.h"

#include "api/internal.h"
#include "crypto/cert.h"
#include "handshake/cookie13.h"
#include "handshake/keys12.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *directory;

static void save(const char *target, const char *name, const void *bytes, size_t len)
{
    char path[1024];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", directory, target, name);
    FILE *file = fopen(path, "wb");
    stage_require(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0,
                  "the folders exist");
}

/* A file that begins with a byte of flags. */
static void save_flagged(const char *target, const char *name, uint8_t flags, const void *bytes,
                         size_t len)
{
    uint8_t *file = malloc(len + 1);

    stage_require(file != NULL, "memory");
    file[0] = flags;
    if (len > 0) {
        memcpy(file + 1, bytes, len);
    }
    save(target, name, file, len + 1);
    free(file);
}

static const struct item *find(const struct items *items, uint8_t type, size_t index)
{
    for (size_t i = 0; i < items->num; i++) {
        const struct item *item = &items->at[i];
        if (item->content == CONTENT_HANDSHAKE && item->bytes[0] == type && index-- == 0) {
            return item;
        }
    }
    return NULL;
}

/* --- Messages --- */

static void save_hellos(const char *target, const char *name, uint8_t flags,
                        const struct items *items, uint8_t type)
{
    const struct item *first = find(items, type, 0);
    const struct item *second = find(items, type, 1);
    struct buffer file = { 0 };
    struct writer w = writer_to(&file);

    writer_u8(&w, flags);
    writer_u16(&w, (uint16_t)(first->len - MESSAGE_HEADER_LEN));
    writer_bytes(&w, first->bytes + MESSAGE_HEADER_LEN, first->len - MESSAGE_HEADER_LEN);
    if (second != NULL) {
        writer_bytes(&w, second->bytes + MESSAGE_HEADER_LEN, second->len - MESSAGE_HEADER_LEN);
    }
    stage_require(writer_ok(&w), "memory");
    save(target, name, buffer_bytes(&file), buffer_len(&file));
    buffer_wipe(&file);
}

static void save_bodies(const char *name, uint8_t flags, const struct items *items)
{
    static const struct {
        const char *target;
        uint8_t type;
    } rows[] = {
        { "encrypted_extensions", MSG_ENCRYPTED_EXTENSIONS },
        { "certificate_request", MSG_CERTIFICATE_REQUEST },
        { "certificate", MSG_CERTIFICATE },
        { "key_update", MSG_KEY_UPDATE },
        { "new_session_ticket", MSG_NEW_SESSION_TICKET },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct item *item = find(items, rows[i].type, 0);
        if (item != NULL) {
            save_flagged(rows[i].target, name, flags, item->bytes + MESSAGE_HEADER_LEN,
                         item->len - MESSAGE_HEADER_LEN);
        }
    }
}

/* Messages that fit the state a stage is in: the other side's, made on the same secrets. */
static void save_staged(const char *target, const char *name, uint8_t flags,
                        enum step_result (*write)(struct handshake *hs, struct writer *w))
{
    struct endpoint e;
    struct buffer body = { 0 };
    struct writer w = writer_to(&body);

    stage_init(&e, flags ^ FLAG_SERVER);
    e.conn.hs->scheme = sig_scheme_by_id(0x0807);
    e.conn.neg.own_slot = KEY_ED25519;
    stage_require(write(e.conn.hs, &w) == STEP_OK && writer_ok(&w), "a message is written");
    save_flagged(target, name, flags, buffer_bytes(&body), buffer_len(&body));
    buffer_wipe(&body);
    endpoint_wipe(&e);
}

static void save_stages(void)
{
    save_staged("certificate_verify", "of_server", 0, write_certificate_verify);
    save_staged("certificate_verify", "of_client", FLAG_SERVER, write_certificate_verify);
    save_staged("certificate_verify", "of_client_later", FLAG_SERVER | FLAG_POST_AUTH,
                write_certificate_verify);
    save_staged("finished", "of_server", 0, write_finished);
    save_staged("finished", "of_server_sha384", FLAG_SHA384, write_finished);
    save_staged("finished", "of_client", FLAG_SERVER, write_finished);
    save_staged("finished", "of_client_later", FLAG_SERVER | FLAG_POST_AUTH, write_finished);
}

/* The extension blocks of what was sent. */
static void save_extensions(const char *name, uint8_t flags, const struct items *items)
{
    static const struct {
        uint8_t type;
        uint8_t place;  /* as the target numbers it */
        uint8_t before; /* bytes of the body before the vector that precedes the block */
    } rows[] = {
        { MSG_ENCRYPTED_EXTENSIONS, 2, 0 },
        { MSG_CERTIFICATE_REQUEST, 5, 1 },
    };
    uint8_t file[1024];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct item *item = find(items, rows[i].type, 0);
        if (item == NULL) {
            continue;
        }
        size_t start = MESSAGE_HEADER_LEN + (size_t)rows[i].before + 2;
        char path[64];
        file[0] = rows[i].place;
        memcpy(file + 1, item->bytes + start, item->len - start);
        (void)snprintf(path, sizeof(path), "%s_%u", name, rows[i].place);
        save_flagged("extensions", path, flags, file, 1 + item->len - start);
    }
    const struct item *hello = find(items, MSG_CLIENT_HELLO, 0);
    if (hello != NULL) {
        struct reader r = reader_of(hello->bytes + MESSAGE_HEADER_LEN + 2 + RANDOM_LEN,
                                    hello->len - MESSAGE_HEADER_LEN - 2 - RANDOM_LEN);
        struct reader skipped;
        struct reader block;
        stage_require(reader_vec8(&r, &skipped) && reader_vec16(&r, &skipped) &&
                          reader_vec8(&r, &skipped) && reader_vec16(&r, &block),
                      "a hello has extensions");
        file[0] = 0;
        memcpy(file + 1, block.at, block.left);
        save_flagged("extensions", name, flags, file, 1 + block.left);
    }
}

/* --- Streams --- */

static void save_message_stream(const char *name, const struct items *items)
{
    struct buffer file = { 0 };
    struct writer w = writer_to(&file);

    writer_u8(&w, 7);
    for (size_t i = 0; i < items->num; i++) {
        if (items->at[i].content == CONTENT_HANDSHAKE) {
            writer_bytes(&w, items->at[i].bytes, items->at[i].len);
        }
    }
    stage_require(writer_ok(&w), "memory");
    save("message_in", name, buffer_bytes(&file), buffer_len(&file));
    buffer_wipe(&file);
}

/* Records: plain ones as they are, others by what is inside. */
static void save_records(const char *name, uint8_t flags, const struct items *items)
{
    struct buffer file = { 0 };
    struct writer w = writer_to(&file);

    writer_u8(&w, flags);
    for (size_t i = 0; i < items->num; i++) {
        const struct item *item = &items->at[i];
        bool sealed = (flags & 1) != 0 && item->content != CONTENT_CCS;
        writer_u8(&w, sealed);
        writer_u16(&w, (uint16_t)(item->len + (sealed ? 1 : RECORD_HEADER_LEN)));
        if (!sealed) {
            writer_u8(&w, item->content);
            writer_u16(&w, VERSION_TLS12);
            writer_u16(&w, (uint16_t)item->len);
        }
        writer_bytes(&w, item->bytes, item->len);
        if (sealed) {
            writer_u8(&w, item->content);
        }
    }
    stage_require(writer_ok(&w), "memory");
    save("record", name, buffer_bytes(&file), buffer_len(&file));
    buffer_wipe(&file);
}

/* Records under each protection of TLS 1.2 and older: as they are, with a changed padding, and one
 * of which only the header comes. */
static void save_records12(void)
{
    static const uint8_t changes[] = { 16, 1, 0, 0, 0, 0 };
    uint8_t content[300];

    for (uint8_t choice = 0; choice < 11; choice++) {
        struct buffer file = { 0 };
        struct writer w = writer_to(&file);
        char name[16];

        memset(content, 'a' + choice, sizeof(content));
        writer_u8(&w, choice);
        for (uint16_t len = 0; len <= sizeof(content); len = (uint16_t)(len + 100)) {
            writer_u8(&w, 1);
            writer_u16(&w, len);
            writer_bytes(&w, content, len);
        }
        writer_u8(&w, 2);
        writer_u16(&w, sizeof(changes) + 50);
        writer_bytes(&w, changes, sizeof(changes));
        writer_bytes(&w, content, 50);
        writer_u8(&w, 0);
        writer_u16(&w, RECORD_HEADER_LEN);
        writer_u8(&w, CONTENT_APPLICATION);
        writer_u16(&w, VERSION_TLS12);
        writer_u16(&w, 32);
        stage_require(writer_ok(&w), "memory");
        snprintf(name, sizeof(name), "protection_%u", choice);
        save("record12", name, buffer_bytes(&file), buffer_len(&file));
        buffer_wipe(&file);
    }
}

/* --- Handshakes --- */

static void play(const char *name, uint8_t flags)
{
    static const uint16_t p256 = 0x0017;
    static const uint8_t ticket[] = { 4, 0, 0, 18, 0, 0, 1, 0, 1, 2, 3,
                                      4, 1, 0, 0,  2, 9, 9, 0, 0, 0, 0 };
    struct endpoint client;
    struct endpoint server;

    deterministic_random_restart();
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    stage_configure(&client, flags);
    stage_configure(&server, flags);
    if ((flags & FLAG_RETRY) != 0) {
        server.config.groups = u16_list_of(&p256, 1);
    }
    stage_require(endpoints_connect(&client, &server, 0), "a handshake succeeds");
    server.conn.key_update = KEY_UPDATE_REQUESTED;
    stage_require(endpoint_run(&server, NULL) == TLS_OK, "a KeyUpdate is sent");
    items_add(&server.sent, CONTENT_HANDSHAKE, EPOCH_APPLICATION, ticket, sizeof(ticket) - 2);
    save_hellos("client_hello", name, flags, &client.sent, MSG_CLIENT_HELLO);
    save_hellos("server_hello", name, flags, &server.sent, MSG_SERVER_HELLO);
    save_bodies(name, flags, &server.sent);
    save_extensions(name, flags, &client.sent);
    save_extensions(name, flags, &server.sent);
    save_message_stream(name, &server.sent);
    save_records(name, 1 | 2, &server.sent);
    save_records("plain", 8, &client.sent);
    endpoint_wipe(&client);
    endpoint_wipe(&server);
}

/* TLS 1.2: all that one suite has to say. The second byte of a file is its place in the table. */
static void save_bodies12(uint8_t choice, const struct items *items, bool of_server)
{
    const struct {
        const char *target;
        uint8_t type;
        uint8_t flags;
    } rows[] = {
        { "server_key_exchange", MSG_SERVER_KEY_EXCHANGE, 0 },
        { "client_key_exchange", MSG_CLIENT_KEY_EXCHANGE, FLAG_SERVER },
        { "certificate_request12", MSG_CERTIFICATE_REQUEST, 0 },
        { "certificate_verify12", MSG_CERTIFICATE_VERIFY, FLAG_SERVER },
        { "certificate_status", MSG_CERTIFICATE_STATUS, 0 },
        { "next_protocol", MSG_NEXT_PROTO, FLAG_SERVER },
        { "certificate12", MSG_CERTIFICATE, of_server ? 0 : FLAG_SERVER },
    };
    uint8_t file[4096];
    char name[32];

    (void)snprintf(name, sizeof(name), "suite_%u_%s", choice, of_server ? "server" : "client");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct item *item = find(items, rows[i].type, 0);
        if (item == NULL) {
            continue;
        }
        stage_require(item->len < sizeof(file), "a short message");
        file[0] = choice;
        memcpy(file + 1, item->bytes + MESSAGE_HEADER_LEN, item->len - MESSAGE_HEADER_LEN);
        save_flagged(rows[i].target, name, rows[i].flags, file, 1 + item->len - MESSAGE_HEADER_LEN);
    }
}

static void play12(uint8_t choice)
{
    struct endpoint client;
    struct endpoint server;

    deterministic_random_restart();
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    stage_configure(&client, FLAG_EVERYTHING);
    stage_configure(&server, FLAG_EVERYTHING);
    blob_set(&client.config.alpn, NULL); /* or there is no NPN */
    server.config.psk_identity_hint = blob_new("who?", 4);
    endpoint_use_tls12(&client, stage_suites12[choice]);
    endpoint_use_tls12(&server, stage_suites12[choice]);
    stage_require(endpoints_connect(&client, &server, 0), "a handshake of TLS 1.2 succeeds");
    save_bodies12(choice, &client.sent, false);
    save_bodies12(choice, &server.sent, true);
    endpoint_wipe(&client);
    endpoint_wipe(&server);
}

/* TLS 1.2, resumed. */
static void play_resumed(const char *name, bool by_ticket)
{
    struct endpoint client;
    struct endpoint server;

    deterministic_random_restart();
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    stage_resume12(&client);
    stage_resume12(&server);
    client.config.max_version = VERSION_TLS12;
    client.tickets = server.tickets = by_ticket;
    stage_require(endpoints_connect(&client, &server, 0) && server.conn.neg.resumed,
                  "a session is resumed");
    save_hellos("client_hello", name, FLAG_RESUMES, &client.sent, MSG_CLIENT_HELLO);
    save_hellos("server_hello", name, FLAG_RESUMES, &server.sent, MSG_SERVER_HELLO);
    endpoint_wipe(&client);
    endpoint_wipe(&server);
}

/* Messages that fit the secrets of a stage. */
static void save_finished12(uint8_t flags)
{
    struct endpoint e;
    struct secret verify_data;
    uint8_t file[1 + FINISHED12_LEN] = { 0 };

    stage_init12(&e, flags, 0);
    stage_require(keys12_finished(e.conn.hs, DIRECTION_IN, &verify_data), "a Finished");
    memcpy(file + 1, verify_data.bytes, FINISHED12_LEN);
    save_flagged("finished12", flags == 0 ? "of_server" : "of_client", flags, file, sizeof(file));
    endpoint_wipe(&e);
}

static void save_tls12(void)
{
    static const uint8_t ticket[] = { 0, 0, 0, 1, 0, 0, 4, 1, 2, 3, 4 };

    for (size_t i = 0; i < stage_num_suites12; i++) {
        play12((uint8_t)i);
    }
    save_finished12(0);
    save_finished12(FLAG_SERVER);
    save_flagged("new_session_ticket12", "four_bytes", 0, ticket, sizeof(ticket));
}

/* --- Moves of an engine against its peer --- */

static void save_moves(const char *name, const void *moves, size_t len)
{
    save("engine_client", name, moves, len);
    save("engine_server", name, moves, len);
}

static void save_duels(void)
{
    /* All honest; then we write, update keys, ask for a certificate and close. */
    uint8_t honest[1 + 2 * 24 + 3 * 6];
    uint8_t *at = honest;
    static const uint8_t afterwards[] = { 6, 1, 'x', 7, 1, 1, 7, 1, 2, 0, 0, 7, 1, 3 };

    *at++ = FLAG_EVERYTHING;
    for (size_t i = 0; i < 10; i++) {
        *at++ = 0;
        *at++ = 0;
    }
    memcpy(at, afterwards, sizeof(afterwards));
    at += sizeof(afterwards);
    save_moves("honest", honest, (size_t)(at - honest));
    honest[0] = FLAG_EVERYTHING | FLAG_RETRY;
    save_moves("retried", honest, (size_t)(at - honest));
    honest[0] = 0;
    save_moves("plain", honest, (size_t)(at - honest));
    save_moves("changed", "\0\0\0\0\0\1\3\5\377\1", 10);
    save_moves("skipped", "\0\0\0\2\0\0\0\0\0", 9);
    save_moves("raw", "\0\3\5\26\3\3\0\1", 8);
    save_moves("sealed", "\0\0\0\0\0\4\3\25\1\0\5\2\30\0", 14);
}

/* --- Texts, sessions, lists --- */

static void save_text(const char *target, const char *name, uint8_t flags, const char *text)
{
    save_flagged(target, name, flags, text, strlen(text));
}

static void save_texts(void)
{
    save_text("cipher_string", "default", 0, "DEFAULT:!aNULL:-RC4:+SHA@STRENGTH");
    save_text("cipher_string", "names", 0, "ECDHE-RSA-AES128-GCM-SHA256:kRSA+AES:@SECLEVEL=1");
    save_text("cipher_string", "suites13", 1, "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256");
    save_text("group_list", "names", 0, "X25519:P-256:secp521r1:ffdhe2048");
    save_text("sigalg_list", "names", 0, "ed25519:RSA+SHA256:rsa_pss_rsae_sha512");
    save_text("sigalg_list", "client", 1, "ECDSA+SHA384:ecdsa_secp256r1_sha256");
    save_text("conf", "protocol", SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT,
              "Protocol\nALL,-TLSv1.2");
    save_text("conf", "options", SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER,
              "Options\n-SessionTicket,ServerPreference");
    save_text("conf", "minimum", SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_CLIENT,
              "-min_protocol\nTLSv1.2");
    save_text("conf", "groups", SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-groups\nP-256");
    save("select_next_proto", "overlap", "\11\2h2\5hello\5other\2h2", 19);
    save("select_next_proto", "none", "\3\2h2\5other", 10);
}

/* fuzz_cookie.c: a cookie without its MAC, which is then made, and one that has none. */
static void save_cookie(void)
{
    static const uint8_t hash[48];
    const struct cookie13 cookie = { .version = VERSION_TLS13,
                                     .group = 29,
                                     .suite = 0x1302,
                                     .asked_share = true,
                                     .time = 1700000000,
                                     .hello_hash = reader_of(hash, sizeof hash),
                                     .application = reader_of("who", 3) };
    struct buffer text = { 0 };
    struct writer w = writer_to(&text);

    cookie13_write(&w, &cookie);
    stage_require(writer_ok(&w), "a cookie is written");
    save_flagged("cookie", "whole", 0, buffer_bytes(&text), buffer_len(&text));
    save_flagged("cookie", "state", 1, buffer_bytes(&text), buffer_len(&text));
    buffer_wipe(&text);
}

/* peer: its certificate; NULL: none. */
static void save_session(const char *name, X509 *peer)
{
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char bytes[1024] = { 0 };
    unsigned char *end = bytes;

    stage_require(
        session != NULL && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1 &&
            SSL_SESSION_set1_master_key(session, bytes, 0) == 1 &&
            SSL_SESSION_set1_hostname(session, "unit.example") == 1 &&
            SSL_SESSION_set1_alpn_selected(session, (const unsigned char *)"h2", 2) == 1 &&
            SSL_SESSION_set1_id(session, (const unsigned char *)"an id", 5) == 1 &&
            SSL_SESSION_set_time(session, 1700000000) == 1700000000,
        "a session is made");
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    stage_require(ssl != NULL &&
                      SSL_SESSION_set_cipher(
                          session, SSL_CIPHER_find(ssl, (const unsigned char *)"\x13\1")) == 1,
                  "a session has a suite");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    if (peer != NULL) {
        cert_up_ref(peer);
        session->peer = peer_chain_of(peer);
        stage_require(session->peer != NULL, "memory");
    }
    int len = i2d_SSL_SESSION(session, NULL);
    stage_require(len > 0 && len <= (int)sizeof(bytes) && i2d_SSL_SESSION(session, &end) == len,
                  "a session is encoded");
    save("session", name, bytes, (size_t)len);
    if (peer == NULL) {
        /* fuzz_ticket.c: a ticket as it is, one that gets its MAC, the text of one. */
        save_flagged("ticket", "whole", 0, bytes, (size_t)len);
        save_flagged("ticket", "encrypted", 1, bytes, 64);
        save_flagged("ticket", "text", 2, bytes, (size_t)len);
    }
    SSL_SESSION_free(session);
}

static void save_certificate(const char *name, X509 *cert)
{
    struct buffer der = { 0 };
    struct writer w = writer_to(&der);

    stage_require(cert_write(&w, cert), "a certificate is written");
    save("cert_decode", name, buffer_bytes(&der), buffer_len(&der));
    buffer_wipe(&der);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seed_corpus DIRECTORY\n");
        return 2;
    }
    directory = argv[1];
    stage_setup();
    play("simple", 0);
    play("retried", FLAG_RETRY);
    play("everything", FLAG_EVERYTHING);
    play("everything_retried", FLAG_EVERYTHING | FLAG_RETRY | FLAG_KNOWS_EXTENSIONS);
    play_resumed("resumed_by_id", false);
    play_resumed("resumed_by_ticket", true);
    save_stages();
    save_tls12();
    save_records12();
    save_duels();
    save_texts();
    save_cookie();
    save_session("certificate", endpoint_cert());
    save_session("made", NULL);
    save_certificate("ecdsa", endpoint_cert());
    save_certificate("rsa", endpoint_cert_for(0xc02f));
    endpoint_identity_free();
    return 0;
}
