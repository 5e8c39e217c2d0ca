/*
 * Fixture: a sending record layer and the receiving one that understands it.
 */
#ifndef TENON_TESTS_RECORD_PIPE_H
#define TENON_TESTS_RECORD_PIPE_H

#include "record/record_in.h"
#include "record/record_out.h"

extern struct record_in in;
extern struct record_out out;
extern struct record_error error; /* of the receiver's last failure */

/* Fresh pipes; both protected by the same key, or none. */
void open_pipes(bool protected);
void close_pipes(void);

/* Bytes arrive; what was sealed arrives; one record is sealed and arrives. */
void feed(const void *bytes, size_t len);
void transfer(void);
void deliver(uint8_t type, const void *data, size_t len);

/* Seals inside, whatever it is, as the receiver's next record; it arrives. */
void send_inside(const uint8_t *inside, size_t len);

/* The next record is, respectively the receiver fails with, what is said. */
void expect_record(uint8_t type, const void *data, size_t len);
void expect_refusal(uint8_t alert, int reason);

#endif
