/*
 * A strike register: which tickets have been accepted with early data a moment ago (RFC 8446, 8.1,
 * 8.2). It has a fixed size and lies in memory that processes share, behind a fork or through a
 * file; nobody takes a lock.
 *
 * A register vouches for the tickets that it has named, and for no others: a name shows by a MAC
 * which register made it. What another register may have accepted (another machine's, or this
 * machine's before a restart) is none of this one's names, so there is no past that it does not
 * know. What bounds its memory is that a flight is fresh for a few seconds only (8.3): it
 * belongs to the window of time in which its client says that it was sent, which is the same for
 * every copy, whatever clocks do. Slots are given to newer windows and never back to older ones, so
 * that a flight whose record may be gone finds that, and is refused.
 */
#ifndef TENON_API_STRIKE_REGISTER_H
#define TENON_API_STRIKE_REGISTER_H

#include "base/base.h"
#include "crypto/lib.h"

/* Bytes of a ticket's name: it is the id of a session. */
#define STRIKE_NAME_LEN 32

/* Milliseconds of a window. No less than a flight can be fresh: ten seconds, and one for clocks
 * that count seconds (handshake/early13.c). A ticket is refused for one window at least. */
#define STRIKE_WINDOW 16000

/* Places of a register: two windows, each with buckets of 16 slots. With 1000 flights a second a
 * bucket has four records on the average, and one in a million finds no room. */
#define STRIKE_NUM_BUCKETS 4096
#define STRIKE_NUM_SLOTS   16

/* What became of a flight, which is also what there are counters of. All but the first mean that
 * its early data must be rejected. */
enum strike {
    STRIKE_FIRST,   /* nobody has come with this ticket in the last window */
    STRIKE_SEEN,    /* somebody has */
    STRIKE_FULL,    /* no room: it may well be the first */
    STRIKE_LATE,    /* of a window whose records may be gone: a clock was set back, or nearly so */
    STRIKE_FOREIGN, /* a ticket that this register has not named */
    NUM_STRIKES
};

struct strike_register;

/* Bytes of memory, and of the file. */
size_t strike_register_size(void);

/* A new register in memory that children of this process will share. NULL: out of memory, or the
 * generator failed. */
MUST_CHECK struct strike_register *strike_register_new(const struct crypto_lib *lib);

/* The register that is in a file, made when it is not there. path: in a folder of a file system in
 * memory that has O_TMPFILE, as /dev/shm. NULL: there is something else (not a regular file of this
 * user's alone, another size, another form), or it cannot be made. */
MUST_CHECK struct strike_register *strike_register_open(const struct crypto_lib *lib,
                                                        const char *path);

/* Gives back the mapping: the register itself is where others have it, and in its file. NULL is
 * allowed. */
void strike_register_close(struct strike_register *reg);

/* Draws a name for a ticket. False: the generator or the provider failed. */
MUST_CHECK bool strike_register_name(struct strike_register *reg, const struct crypto_lib *lib,
                                     uint8_t name[STRIKE_NAME_LEN]);

/* Claims a flight: sent is when its client says it was sent, by the clock of whoever sealed the
 * ticket (milliseconds since the epoch). Of all that claim the same one at most gets STRIKE_FIRST.
 * A name that cannot be checked, because the provider fails, is foreign. */
enum strike strike_register_claim(struct strike_register *reg, const struct crypto_lib *lib,
                                  const uint8_t *name, size_t name_len, int64_t sent);

/* How often each of them was the answer since the register was made. */
uint64_t strike_register_count(const struct strike_register *reg, enum strike kind);

#endif
