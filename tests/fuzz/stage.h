/*
 * What fuzz targets share: a handshake in the state in which a message is read, without the
 * messages before it; framing; and the choices an input makes with its first bytes.
 */
#ifndef TENON_TESTS_STAGE_H
#define TENON_TESTS_STAGE_H

#include "engines.h"

/* libFuzzer's entry points, which no header declares. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the first byte of an input. */
enum stage_flag {
    FLAG_SERVER = 1,           /* the message is read by a server */
    FLAG_POST_AUTH = 2,        /* in post-handshake authentication */
    FLAG_NOTHING_SENT = 4,     /* no extension was offered */
    FLAG_KNOWS_EXTENSIONS = 8, /* unknown extensions are somebody's */
    FLAG_SHA384 = 16,          /* a suite with SHA-384 */
    FLAG_RETRY = 32,           /* the first hello's share is not good enough */
    FLAG_EVERYTHING = 64,      /* all optional features are configured */
    FLAG_RESUMES = 128         /* there is a session of TLS 1.2, from an earlier connection; for
                                  whole engines: both sides have a pre-shared key */
};

/* The suite of that session. */
#define RESUMED_SUITE 0xc02f

/* Gives an endpoint, for FLAG_RESUMES, that session, and tickets. */
void stage_resume12(struct endpoint *e);

/* Once a process, for LLVMFuzzerInitialize. */
void stage_setup(void);

/* An endpoint whose handshake is about to read a message. */
void stage_init(struct endpoint *e, uint8_t flags);

/* The same in TLS 1.2. `choice` chooses one of stage_suites12. */
void stage_init12(struct endpoint *e, uint8_t flags, uint8_t choice);

/* Every key exchange, and every key of a server: code points. */
extern const uint16_t stage_suites12[];
extern const size_t stage_num_suites12;

/* Features that a config may have, for FLAG_EVERYTHING. */
void stage_configure(struct endpoint *e, uint8_t flags);

/* Ends the program unless ok: the library has broken a promise. */
void stage_require(bool ok, const char *promise);

/* Appends a handshake message with that body to out, in plaintext records. */
void stage_frame(struct buffer *out, uint8_t type, const uint8_t *body, size_t len);

/* A copy of its own, exactly as long, so that the sanitizer sees a read beyond it; free() it. */
uint8_t *stage_copy(const uint8_t *data, size_t size);

#endif
