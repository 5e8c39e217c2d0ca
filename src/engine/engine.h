/*
 * The door between the core and whoever owns a connection: bytes go in, bytes come out, nothing
 * blocks and nothing is called back but the hooks. Output is only appended to; its owner delivers
 * it in its own time.
 */
#ifndef TENON_ENGINE_ENGINE_H
#define TENON_ENGINE_ENGINE_H

#include "conn/conn.h"

enum tls_status {
    TLS_OK,         /* done: the handshake has ended, the record is sealed */
    TLS_WANT_INPUT, /* more bytes are needed: tls_input_wanted(). No output is pending then */
    TLS_WANT_FLUSH, /* the output has to be delivered before this can go on */
    TLS_APP_DATA,   /* application data was given out */
    TLS_HANDSHAKE,  /* a handshake has to run before this can go on: call tls_run() */
    TLS_PAUSED,     /* conn->pause says for what */
    TLS_CLOSED,     /* the peer's close_notify has come */
    TLS_FAILED      /* conn->error says why; for good */
};

/* Starts what is due on a connection where no handshake runs: the initial one, a KeyUpdate or a
 * CertificateRequest of ours. False: nothing is due, or it failed (see conn->error). */
MUST_CHECK bool tls_start(struct tls_conn *c);

/* Hands a renegotiation that is due to tls_start(), when nothing is in the way: no
 * handshake, no output that is held up, no raw input that was read ahead. False: not now. */
bool tls_begin_renegotiation(struct tls_conn *c);

/* Runs the handshake that was started until it ends or cannot go on. */
MUST_CHECK enum tls_status tls_run(struct tls_conn *c);

/* Takes application data of one record: up to cap bytes to dst, *got of them. With peek they stay.
 * TLS_APP_DATA with *got == 0: cap is 0 and there is data. TLS_OK: something was thrown away. */
MUST_CHECK enum tls_status tls_read(struct tls_conn *c, uint8_t *dst, size_t cap, bool peek,
                                    size_t *got);

/* Looks at what comes next after we have sent close_notify: application data is an error then. */
MUST_CHECK enum tls_status tls_read_close(struct tls_conn *c);

/* To be called before the first tls_write() of what the application gives at once. */
void tls_begin_write(struct tls_conn *c);

/* A client is about to write len bytes of early data: fails when the session does not allow as
 * many.
 */
MUST_CHECK enum tls_status tls_begin_early(struct tls_conn *c, size_t len);

/* Seals one record of src[0..len), at most tls_write_limit() bytes. */
MUST_CHECK enum tls_status tls_write(struct tls_conn *c, const uint8_t *src, size_t len);

/* The most records that tls_write_records() puts behind one another. */
#define TLS_WRITE_RECORDS 4

/* Seals src[0..len) as records of tls_write_limit() bytes, at most max of them (up to
 * TLS_WRITE_RECORDS), and stops early where the key has to be updated. *sealed: the bytes of src
 * that are in them, also when a later one has failed and the next call will say so. */
MUST_CHECK enum tls_status tls_write_records(struct tls_conn *c, const uint8_t *src, size_t len,
                                             size_t max, size_t *sealed);

/* The longest plaintext of a record that may be sent now. */
size_t tls_write_limit(const struct tls_conn *c);

/* True when the key has to be updated before the next record (RFC 8446, 5.5): conn->key_update is
 * set then and tls_start() is due. */
bool tls_key_is_worn(struct tls_conn *c);

/* Queues close_notify, or any other warning, for tls_seal_alert(). */
void tls_queue_alert(struct tls_conn *c, uint8_t level, uint8_t description);

/* Seals the queued alert behind what is in the output. False: out of memory. */
MUST_CHECK bool tls_seal_alert(struct tls_conn *c);

/* Application bytes that can be read without input; raw bytes that were read ahead. */
size_t tls_pending(const struct tls_conn *c);

/* --- Bytes --- */

/* Bytes needed next: the rest of a record header, then the rest of its body. */
size_t tls_input_wanted(const struct tls_conn *c);

/* Room for at least want bytes of input; NULL: out of memory (the connection has failed then). */
MUST_CHECK uint8_t *tls_input_space(struct tls_conn *c, size_t want);

/* n bytes were put there. */
void tls_input_ack(struct tls_conn *c, size_t n);

/* None were, as the transport has none: a connection that holds no part of a record and has nothing
 * to deliver gives back what it can have again, buffers and expanded keys. */
void tls_rest(struct tls_conn *c);

/* Bytes to deliver, *len of them; and that n were delivered. */
const uint8_t *tls_output(const struct tls_conn *c, size_t *len);
void tls_output_ack(struct tls_conn *c, size_t n);

/* Ends a handshake that runs, without a word to the peer; for freeing and reuse. */
void tls_abandon(struct tls_conn *c);

#endif
