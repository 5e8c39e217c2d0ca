/*
 * A handshake as a table: one row a step, in the order of the figures in RFC 8446, 2 and RFC 5246,
 * 7.3. The rows are in scripts.c, the machine that runs them in run.c.
 *
 * The step rule: a handler either completes, or changes nothing that a second run would notice.
 * A handler that pauses is run again, from its beginning.
 */
#ifndef TENON_HANDSHAKE_STEP_H
#define TENON_HANDSHAKE_STEP_H

#include "base/reader.h"
#include "base/writer.h"
#include "conn/conn.h"

struct handshake;

/* Handshake message types (RFC 8446, 4). ChangeCipherSpec is a message to the scripts although it
 * has a content type of its own. */
enum message_type {
    MSG_HELLO_REQUEST = 0,
    MSG_CLIENT_HELLO = 1,
    MSG_SERVER_HELLO = 2,
    MSG_NEW_SESSION_TICKET = 4,
    MSG_END_OF_EARLY_DATA = 5,
    MSG_ENCRYPTED_EXTENSIONS = 8,
    MSG_CERTIFICATE = 11,
    MSG_SERVER_KEY_EXCHANGE = 12,
    MSG_CERTIFICATE_REQUEST = 13,
    MSG_SERVER_HELLO_DONE = 14,
    MSG_CERTIFICATE_VERIFY = 15,
    MSG_CLIENT_KEY_EXCHANGE = 16,
    MSG_FINISHED = 20,
    MSG_CERTIFICATE_STATUS = 22,
    MSG_KEY_UPDATE = 24,
    MSG_NEXT_PROTO = 67,
    MSG_MESSAGE_HASH = 254,
    MSG_CCS = 0x101
};

enum step_result {
    STEP_OK,
    STEP_SKIPPED,   /* by a writer: there is nothing to send after all */
    STEP_PAUSED,    /* conn->pause says why */
    STEP_MALFORMED, /* the message does not parse: decode_error, unless the failure is explained */
    STEP_FAILED     /* conn_fail() was called */
};

enum direction { DIRECTION_IN, DIRECTION_OUT };

enum step_kind {
    STEP_KIND_RECV,  /* a message must come */
    STEP_KIND_MAYBE, /* the peer may leave it out */
    STEP_KIND_SEND,
    STEP_KIND_DO,    /* decide, ask, derive */
    STEP_KIND_MARK,  /* a state that applications see although nothing happens in it */
    STEP_KIND_KEYS,  /* one direction enters an epoch */
    STEP_KIND_NEXT,  /* one direction moves on to its next application key */
    STEP_KIND_REST,  /* the same, and the handshake rests there for the sake of early data */
    STEP_KIND_FLUSH, /* what was sent has to be delivered */
    STEP_KIND_GOTO,  /* on with another script */
    STEP_KIND_FORK,  /* the same, if the message comes next; it is not taken */
    STEP_KIND_END
};

struct step {
    enum step_kind kind;
    bool (*when)(const struct handshake *hs); /* NULL: always */
    enum message_type message;
    enum step_result (*read)(struct handshake *hs, struct reader *body);
    enum step_result (*write)(struct handshake *hs, struct writer *body);
    /* Fills in what depends on the whole message, header included; NULL: nothing does. */
    enum step_result (*complete)(struct handshake *hs, uint8_t *message, size_t len);
    enum step_result (*act)(struct handshake *hs);
    enum direction direction;
    enum epoch epoch;
    const struct step *script;
    int state;        /* OSSL_HANDSHAKE_STATE that the row enters; 0: none */
    const char *name; /* for the listing */
};

/* Every script, by name, for the listing and the tests of what must not be accepted. */
struct script {
    const char *name;
    const struct step *steps;
    enum role role;
};
extern const struct script scripts[];
extern const size_t num_scripts;

extern const struct step script_client_hello[];
extern const struct step script_server_hello[];

/* What takes the messages that may come unprompted; script_for_idle() chooses. */
extern const struct step script_client_take_key_update[];
extern const struct step script_server_take_key_update[];
extern const struct step script_take_ticket[];
extern const struct step script_give_client_auth[];
extern const struct step script_take_client_auth[];
extern const struct step script_take_hello_request[];
extern const struct step script_refuse_client_hello[];
/* Scripts that a call of the application, or the record layer, starts on an idle connection. */
const struct step *script_give_key_update(const struct tls_conn *c);
const struct step *script_ask_client_auth(void);
const struct step *script_ask_renegotiation(void);
const struct step *script_give_tickets(void);

/* The script that an unprompted message starts on a connection that is idle; NULL: the message may
 * not come now. */
const struct step *script_for_idle(const struct tls_conn *c, uint8_t message);

#endif
