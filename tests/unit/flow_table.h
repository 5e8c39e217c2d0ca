/*
 * The flows of the scripts as they are played between two engines of which one is judged; the other
 * is honest, but its messages are sealed anew on their way. An honest run of a flow is recorded as
 * a list of moments.
 */
#ifndef TENON_TESTS_FLOW_TABLE_H
#define TENON_TESTS_FLOW_TABLE_H

#include "engines.h"

enum afterwards {
    NOTHING,
    KEY_UPDATE,
    TICKET,
    CLIENT_AUTH,
    CLIENT_RENEGOTIATES,
    SERVER_RENEGOTIATES,
    SERVER_REFUSES /* a renegotiation, which ends the client */
};

/* TLS 1.2: how a session is resumed. */
enum resumption { RESUMES_NOTHING, BY_ID, BY_TICKET };

struct flow {
    const char *name;
    bool retry;
    bool compat;
    bool ask;      /* for a client certificate, in the handshake */
    bool has_cert; /* the client */
    enum afterwards afterwards;
    uint16_t suite; /* TLS 1.2 with that suite; 0: TLS 1.3 */
    bool staple;
    bool next_protocol; /* NPN */
    bool may_have_hint; /* which pre-shared key is meant */
    bool hint;          /* it has */
    bool new_ticket;    /* TLS 1.2: the server gives one */
    enum resumption resumption;
    bool psk;   /* both sides have a key: no certificates */
    bool early; /* and the client sends early data, of which there is none */
};

extern const struct flow flows[];
extern const size_t num_flows;

/* One connection of which one end is judged. */
struct table {
    const struct flow *flow;
    struct endpoint us;
    struct endpoint peer;
    struct forger forger;
    int forger_keys;
    struct buffer to_peer;
};

/* Keys of a record: plaintext, of early data, handshake, then the generations of application keys.
 */
enum keys { KEYS_PLAIN, KEYS_EARLY, KEYS_HANDSHAKE, KEYS_APPLICATION };

enum content { HONEST, CCS, BAD_CCS, FOREIGN };

struct delivery {
    enum content content;
    size_t item;  /* HONEST: which of the peer's */
    uint8_t type; /* FOREIGN: a message of this type, without a body */
    int keys;
};

/* What was the case before an item of the peer was delivered. */
struct moment {
    uint8_t type; /* of the message, or TYPE_CCS */
    int keys;
    bool over;     /* the first handshake */
    bool idle;     /* and no other is running */
    unsigned done; /* how many scripts told that they are, with this one's help */
    size_t flight;
    const struct step *waiting; /* row that waited for it */
    const struct step *row;     /* row that took it */
};

#define TYPE_CCS 220

/* The honest run that was recorded last. moments[num_moments] is what comes behind it. */
extern struct moment moments[MAX_ITEMS + 1];
extern size_t num_moments;

/* Rows of the scripts that took a message, or a ChangeCipherSpec of TLS 1.2, in any honest run. */
extern const struct step *seen_rows[256];
extern size_t num_seen_rows;

/* True when the flow can be played with that side being judged. */
bool flow_is_played_by(const struct flow *flow, enum role us);

void table_set_up(struct table *t, const struct flow *flow, enum role us);
void table_tear_down(struct table *t);

/* Both sides up to where the peer's first item can be delivered. */
void table_start(struct table *t);

/* Delivers one record to us and lets us act on it. */
void table_deliver(struct table *t, const struct delivery *d);

/* What we said reaches the peer. */
void table_answer(struct table *t);

/* Once both are done: makes the peer say what the flow is about. */
void table_begin_afterwards(struct table *t);

/* Plays the flow honestly and records its moments. */
void table_record(const struct flow *flow, enum role us);

#endif
