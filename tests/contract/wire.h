/*
 * A transport under the test's control: two ends joined by two byte queues, each end a BIO of this
 * program's own BIO_METHOD. How many bytes each single call moves is scripted, so any boundary can
 * be hit on purpose.
 */
#ifndef CONTRACT_WIRE_H
#define CONTRACT_WIRE_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

/* The two ends, and the calls of an end that a script governs. */
enum wire_end { WIRE_CLIENT = 0, WIRE_SERVER = 1 };
enum wire_call { WIRE_READ = 0, WIRE_WRITE = 1, WIRE_FLUSH = 2 };

/* Steps: a positive number lets at most that many bytes through in this call (for a flush: it
 * succeeds); the others are outcomes. */
#define WIRE_RETRY     0  /* returns -1 and asks for a retry */
#define WIRE_FATAL     -1 /* returns -1, no retry, errno untouched */
#define WIRE_EOF       -2 /* returns 0, no retry */
#define WIRE_RESET     -3 /* returns -1, no retry, errno ECONNRESET */
#define WIRE_BROKEN    -4 /* returns -1, no retry, errno EPIPE */
#define WIRE_UNLIMITED 0x7fffffff

struct wire *wire_new(void);
void wire_free(struct wire *wire); /* after every BIO of it is gone */

/* A new BIO at that end, owned by the caller. Several BIOs may share an end. */
BIO *wire_bio_new(struct wire *wire, enum wire_end end);

/* The next `num` calls of that kind follow `steps` (copied); what was left of an earlier script is
 * dropped. Afterwards the default holds. */
void wire_script(struct wire *wire, enum wire_end end, enum wire_call call, const int *steps,
                 size_t num);

/* What holds when the script is over: WIRE_UNLIMITED at first. */
void wire_default(struct wire *wire, enum wire_end end, enum wire_call call, int step);

/* Lets exactly `budget` bytes through in calls of that kind, however they are cut into calls; after
 * that the calls ask for a retry until the next budget. WIRE_UNLIMITED ends this. Unlike a script
 * of single calls, a budget doesn't depend on how the library gathers records into one call. */
void wire_budget(struct wire *wire, enum wire_end end, enum wire_call call, size_t budget);

/* Asks `next` for each step of all calls of this end instead. NULL ends this. */
void wire_source(struct wire *wire, enum wire_end end, int (*next)(void *arg, enum wire_call call),
                 void *arg);

/* The stream towards `end` ends here: once the queue is empty its reads return 0 (EOF). */
void wire_close_towards(struct wire *wire, enum wire_end end);

/* Bytes that wait to be read at `end`. */
size_t wire_waiting(const struct wire *wire, enum wire_end end);

/* Puts foreign bytes in the queue towards `end`; drops all that wait there; keeps the first `len`
 * waiting bytes only; changes the waiting byte at `offset`. */
void wire_inject(struct wire *wire, enum wire_end end, const void *data, size_t len);
void wire_drop(struct wire *wire, enum wire_end end);
void wire_truncate(struct wire *wire, enum wire_end end, size_t len);
void wire_flip(struct wire *wire, enum wire_end end, size_t offset);

/* Calls of that kind so far, of BIOs of this end. */
size_t wire_count(const struct wire *wire, enum wire_end end, enum wire_call call);

/* BIOs of this end that were freed so far. */
size_t wire_freed(const struct wire *wire, enum wire_end end);

/* While on, each read and write of this end is logged with the asked size and the result. */
void wire_trace(struct wire *wire, enum wire_end end, bool on);

/* Forgets what `end` wrote until now; then logs the TLS records that `end` wrote since, as one
 * line "records of NAME: TYPE/LENGTH ..." (outer type, length field). */
void wire_records_reset(struct wire *wire, enum wire_end end);
void wire_records_log(struct wire *wire, enum wire_end end);

#endif
