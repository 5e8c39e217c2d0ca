/*
 * Between the engine and the BIOs: the only BIO_read and BIO_write on the data path, and how an I/O
 * call ends. What the functions return is what SSL_read and its like return: 1, or the BIO's answer
 * (0 or negative) with SSL_want() set.
 */
#ifndef TENON_API_PUMP_H
#define TENON_API_PUMP_H

#include "api/internal.h"
#include "engine/engine.h"

/* Begins a public call: forgets what the last one left for SSL_get_error. */
void call_begin(SSL *s);

/* Ends it with an error of this library that does not end the connection. -1. */
#define call_fail(s, reason) call_fail_at((s), (reason), __FILE__, __LINE__, __func__)
COLD int call_fail_at(SSL *s, int reason, const char *file, int line, const char *function);

/* Reads from the read BIO: a header, and if it is in order the body, or more with read-ahead. */
MUST_CHECK int pump_in(SSL *s);

/* True when bio is a socket and no application sees the calls that it gets. */
bool pump_is_unwatched(BIO *bio);

/* Writes everything that is sealed to the write BIO. */
MUST_CHECK int pump_out(SSL *s);

/* The same, and flushes the BIO: the end of a flight. */
MUST_CHECK int pump_flush(SSL *s);

/* Forgets what is sealed and not delivered: nobody is there to take it. */
void pump_drop(SSL *s);

/* The connection has failed: puts the reason into the error queue and tries to send the alert.
 * -1. */
COLD int pump_fail(SSL *s);

/* Sends the queued alert, after the record of data that is blocked; 1 when it is delivered. */
MUST_CHECK int pump_alert(SSL *s);

/* --- connect.c --- */

/* True when a handshake runs or has to: the first one, or what SSL_key_update and
 * SSL_verify_client_post_handshake asked for. */
bool ssl_in_init(const SSL *s);

/* A handshake that rests for the sake of early data goes on when the application reads (not
 * sending), writes, or asks for the handshake itself (which == EARLY_ENDS_HERE). */
enum early_caller { EARLY_READER, EARLY_WRITER, EARLY_ENDS_HERE };
void ssl_check_early_data(SSL *s, enum early_caller caller);

/* After a handshake has run: a server whose client has ended its early data reads no more of it. */
void ssl_note_end_of_early_data(SSL *s);

/* True, with an error raised, when early data has to be finished before the call may be made. */
bool ssl_is_amid_early_data(SSL *s, enum early_caller caller);

/* Reads or writes as SSL_read_ex and SSL_write_ex do; 1: done. */
int ssl_read_data(SSL *s, void *buf, size_t len, size_t *got);
int ssl_write_data(SSL *s, const void *buf, size_t len, size_t *written);

/* Makes a renegotiation that SSL_renegotiate() asked for due, when nothing is in the way. */
void ssl_check_renegotiation(SSL *s);

/* Runs the handshake that is under way or due. 1: done, or application data came that the caller
 * may read meanwhile. */
MUST_CHECK int ssl_run_handshake(SSL *s);

/* Has the ClientHello, or the next one, ask for the name of SSL_set_tlsext_host_name(), or for
 * none. False: out of memory. */
MUST_CHECK bool ssl_ask_for_hostname(SSL *s);

/* --- shutdown.c --- */

/* Forgets the connection that was, for SSL_clear() and SSL_set_connect_state(): settings, BIOs,
 * session and role stay. */
void ssl_reset(SSL *s);

/* --- io.c --- */

/* What came was no application data, and is dealt with: 1 to look for more, or, without
 * SSL_MODE_AUTO_RETRY, -1 as if the BIO had had nothing. */
MUST_CHECK int ssl_read_on(SSL *s);

/* Deals with a message of the peer's after the handshake, inside SSL_read or SSL_shutdown. Without
 * SSL_MODE_AUTO_RETRY the application is told that nothing came, unless more has been read. */
MUST_CHECK int ssl_run_unprompted(SSL *s);

/* --- async.c --- */

/* Runs call inside an ASYNC job. */
MUST_CHECK int run_io_job(struct io_call *call);

/* Runs call, inside such a job when the mode asks for it. */
MUST_CHECK static inline int run_io_call(struct io_call *call)
{
    return (call->s->config->mode & SSL_MODE_ASYNC) == 0 ? call->run(call) : run_io_job(call);
}

#endif
