/*
 * Tickets that a server must not take: cut at every length, longer, with a bit turned over in every
 * byte, under another key, expired by the server's clock. None of them may be resumed, and each
 * must end in a full handshake (RFC 5077, 3.4; RFC 8446, 4.2.11).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static unsigned char own_keys[80] = "keys of tickets from the application";

/* --- Sessions with another ticket --- */

#define TAG_SEQUENCE 0x30
#define TAG_TICKET   0xaa /* [10] of a session in DER */
#define MAX_SESSION  8000

/* Reads a tag and a length of DER; returns what is behind them. */
static const unsigned char *der_header(const unsigned char *at, unsigned char *tag, size_t *len)
{
    *tag = at[0];
    *len = at[1];
    at += 2;
    if (*len >= 0x80) {
        size_t num = *len & 0x7f;

        for (*len = 0; num > 0; num--) {
            *len = *len << 8 | *at++;
        }
    }
    return at;
}

static unsigned char *put_header(unsigned char *out, unsigned char tag, size_t len)
{
    *out++ = tag;
    *out++ = 0x82;
    *out++ = (unsigned char)(len >> 8);
    *out++ = (unsigned char)len;
    return out;
}

/* A copy of the session with these bytes as its ticket. */
static SSL_SESSION *with_ticket(const SSL_SESSION *session, const unsigned char *ticket, size_t len)
{
    static unsigned char der[MAX_SESSION];
    static unsigned char body[MAX_SESSION];
    static unsigned char edited[MAX_SESSION];
    unsigned char *out = der;
    unsigned char *to = body;
    const unsigned char *edited_at = edited;
    unsigned char tag;
    size_t rest;
    int der_len = i2d_SSL_SESSION(session, &out);
    const unsigned char *at = der_header(der, &tag, &rest);

    REQUIRE(der_len > 0 && der_len < MAX_SESSION - 100 && tag == TAG_SEQUENCE);
    while (rest > 0) {
        size_t field_len;
        const unsigned char *field = der_header(at, &tag, &field_len);
        size_t whole = (size_t)(field - at) + field_len;

        if (tag == TAG_TICKET) {
            to = put_header(to, tag, len + 4);
            to = put_header(to, 0x04, len);
            memcpy(to, ticket, len);
            to += len;
        } else {
            memcpy(to, at, whole);
            to += whole;
        }
        at += whole;
        rest -= whole;
    }
    out = put_header(edited, TAG_SEQUENCE, (size_t)(to - body));
    memcpy(out, body, (size_t)(to - body));
    SSL_SESSION *result =
        d2i_SSL_SESSION(NULL, &edited_at, (long)(out - edited) + (long)(to - body));
    REQUIRE(result != NULL);
    return result;
}

/* --- Tries --- */

struct tally {
    int failed, full, resumed;
};

/* Without a line in the log. Takes the session. */
static void try(struct resume *r, SSL_SESSION *session, struct tally *tally)
{
    struct pair p;

    REQUIRE(SSL_CTX_up_ref(r->client_ctx) == 1 && SSL_CTX_up_ref(r->server_ctx) == 1);
    pair_init_ctx(&p, r->client_ctx, r->server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_session(p.client, session) == 1);
    SSL_SESSION_free(session);
    if (!drive_handshake(p.client, p.server)) {
        tally->failed++;
    } else if (SSL_session_reused(p.client) == 1 || SSL_session_reused(p.server) == 1) {
        tally->resumed++;
    } else {
        tally->full++;
    }
    ERR_clear_error();
    pair_free(&p);
}

/* Tickets under a key that the library makes have a length of their own in each: then how many
 * there were is not in the log. */
static void log_tally(const char *what, const struct tally *tally, bool own)
{
    note("%s: failed %d, resumed %d, full %d", what, tally->failed, tally->resumed,
         own ? tally->full : tally->full > 0);
    CHECK(tally->resumed == 0);
    CHECK(tally->full > 0);
}

static SSL_SESSION *begin(struct resume *r, bool own)
{
    resume_init(r);
    if (own) {
        REQUIRE(SSL_CTX_set_tlsext_ticket_keys(r->server_ctx, own_keys, sizeof(own_keys)) == 1);
    }
    return resume_connect(r, "first", NULL);
}

/* The edits leave a session that would do: with its own ticket it is resumed. */
static void test_untouched(bool own)
{
    const unsigned char *ticket;
    struct tally tally = { 0, 0, 0 };
    struct resume r;
    SSL_SESSION *session;
    size_t len;

    section("untouched, keys of the %s", own ? "application" : "library");
    session = begin(&r, own);
    SSL_SESSION_get0_ticket(session, &ticket, &len);
    try(&r, with_ticket(session, ticket, len), &tally);
    note("failed %d, resumed %d, full %d", tally.failed, tally.resumed, tally.full);
    CHECK(tally.resumed == 1);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_lengths(bool own)
{
    static unsigned char longer[MAX_SESSION];
    const unsigned char *ticket;
    struct tally cut = { 0, 0, 0 };
    struct tally grown = { 0, 0, 0 };
    struct resume r;
    SSL_SESSION *session;
    size_t len;

    section("lengths, keys of the %s", own ? "application" : "library");
    session = begin(&r, own);
    SSL_SESSION_get0_ticket(session, &ticket, &len);
    REQUIRE(len > 0 && len < 2000);
    for (size_t i = 1; i < len; i++) {
        try(&r, with_ticket(session, ticket, i), &cut);
    }
    log_tally("cut", &cut, own);
    memcpy(longer, ticket, len);
    for (size_t more = 1; more <= 1000; more += more < 20 ? 1 : 197) {
        try(&r, with_ticket(session, longer, len + more), &grown);
    }
    log_tally("longer", &grown, own);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_bits(bool own)
{
    static unsigned char forged[MAX_SESSION];
    const unsigned char *ticket;
    struct tally tally = { 0, 0, 0 };
    struct resume r;
    SSL_SESSION *session;
    size_t len;

    section("one bit in every byte, keys of the %s", own ? "application" : "library");
    session = begin(&r, own);
    SSL_SESSION_get0_ticket(session, &ticket, &len);
    REQUIRE(len < sizeof(forged));
    memcpy(forged, ticket, len);
    for (size_t i = 0; i < len; i++) {
        forged[i] ^= (unsigned char)(1u << i % 8);
        try(&r, with_ticket(session, forged, len), &tally);
        forged[i] = ticket[i];
    }
    log_tally("forged", &tally, own);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_other_server(bool own)
{
    static unsigned char other_keys[80] = "other keys of tickets";
    struct resume r;
    struct resume other;
    SSL_SESSION *session;

    section("a ticket of another server, keys of the %s", own ? "application" : "library");
    session = begin(&r, own);
    resume_init(&other);
    if (own) {
        REQUIRE(SSL_CTX_set_tlsext_ticket_keys(other.server_ctx, other_keys, sizeof(other_keys)) ==
                1);
    }
    resume_once(&other, "the other server", session);
    resume_once(&r, "its own server", session);
    SSL_SESSION_free(session);
    resume_free(&other);
    resume_free(&r);
}

/* --- Age --- */

/* By which the session in a ticket is older than it is. */
static long age;

static int make_older(SSL *ssl, void *arg)
{
    (void)arg;
    (void)SSL_SESSION_set_time(SSL_get_session(ssl), (long)time(NULL) - age);
    return 1;
}

static SSL_TICKET_RETURN opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)name;
    (void)arg;
    note("  opened: status %d, session %d, name %zu", (int)status, session != NULL, name_len);
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
}

/* The client's session is as young as can be: only the server knows better. */
static void test_age(bool own)
{
    static const long ages[] = { 0, 280, 320, 90000, -100 };

    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        SSL_SESSION *session;
        struct resume r;

        section("age %ld, keys of the %s", ages[i], own ? "application" : "library");
        resume_init(&r);
        if (own) {
            REQUIRE(SSL_CTX_set_tlsext_ticket_keys(r.server_ctx, own_keys, sizeof(own_keys)) == 1);
        }
        (void)SSL_CTX_set_timeout(r.server_ctx, 300);
        REQUIRE(SSL_CTX_set_session_ticket_cb(r.server_ctx, make_older, opened, NULL) == 1);
        age = ages[i];
        session = resume_connect(&r, "first", NULL);
        age = 0;
        (void)SSL_SESSION_set_time(session, (long)time(NULL));
        resume_once(&r, "with the ticket", session);
        log_session_stats("server", r.server_ctx);
        SSL_SESSION_free(session);
        resume_free(&r);
    }
}

int main(void)
{
    contract_start();
    for (int own = 0; own < 2; own++) {
        test_untouched(own);
        test_lengths(own);
        test_bits(own);
        test_other_server(own);
        test_age(own);
    }
    identity_default_free();
    return contract_finish();
}
