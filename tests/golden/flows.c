/*
 * Lists every legal flow of the scripts in handshake/scripts.c: the tables are walked with the real
 * conditions, while what handlers would find out (a retry, a request for a certificate, ...) is
 * enumerated. usage: flows [FILE]: prints the list, or compares it with FILE, where it is kept to
 * be reviewed like code. Either way it is an error when a row, or one side of a condition, is in no
 * flow.
 *
 * In the list "<" is a message received, ">" one sent, "|" a change of keys, "?" one that the peer
 * may leave out.
 */
#include "handshake/handshake.h"
#include "handshake/negotiate12.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is enumerated. */
struct facts {
    bool compat;
    bool retry;    /* the first hello is answered by a HelloRetryRequest */
    bool asked;    /* the server asks for a certificate in the handshake */
    bool has_cert; /* the client has one */
    bool resumed;  /* a session is resumed */
    bool early;    /* a client sends early data, which a server accepts unless it retries */
    bool tickets;  /* a server of TLS 1.3 gives two tickets */
    /* TLS 1.2 */
    const struct ssl_cipher_st *suite; /* NULL: TLS 1.3 is spoken */
    bool stapling;                     /* the server staples an OCSP response */
    bool ticket;                       /* the server announces a ticket */
    bool granted;                      /* the client follows a HelloRequest */
    bool hint;                         /* the server has a PSK identity hint */
    bool npn;                          /* the client tells the next protocol */
    bool secret;                       /* the application knows the master secret, */
    bool taken;                        /* and so does the server's */
};

#define MAX_FLOWS 512
#define MAX_FLOW  2048

static char flows[MAX_FLOWS][MAX_FLOW];
static size_t num_flows;

/* Which rows were taken, and which were passed over by their condition. */
#define MAX_ROWS 512

struct visit {
    const struct step *row;
    bool taken;
    bool passed;
};

static struct visit visits[MAX_ROWS];
static size_t num_visits;

static struct visit *visit_of(const struct step *row)
{
    for (size_t i = 0; i < num_visits; i++) {
        if (visits[i].row == row) {
            return &visits[i];
        }
    }
    if (num_visits == MAX_ROWS) {
        fprintf(stderr, "flows: more than %d rows\n", MAX_ROWS);
        exit(2);
    }
    visits[num_visits].row = row;
    return &visits[num_visits++];
}

/* --- What handlers do to the facts that conditions look at --- */

static void take_suite(struct handshake *hs, const struct facts *facts)
{
    hs->conn->neg.version = facts->suite != NULL ? VERSION_TLS12 : VERSION_TLS13;
    hs->conn->neg.suite = facts->suite;
}

static void after_reading12(const struct step *row, struct handshake *hs, const struct facts *facts)
{
    if (row->read == read_server_hello && facts->suite != NULL) {
        take_suite(hs, facts);
        hs->expect_status = facts->stapling && suite12_has_certificate(facts->suite);
        hs->expect_ticket = facts->ticket;
        hs->next_protocol_due = facts->npn;
        hs->conn->neg.resumed = facts->resumed;
        hs->has_secret = facts->secret;
    } else if (row->read == read_certificate_request12) {
        hs->asked_cert = true;
    } else if (row->read == read_certificate12) {
        hs->peer_has_cert = hs->conn->role == ROLE_CLIENT || facts->has_cert;
    } else if (row->read == read_hello_request && facts->granted) {
        hs->conn->renegotiation = RENEGOTIATION_ASKED;
    }
}

static void after_acting12(const struct step *row, struct handshake *hs, const struct facts *facts)
{
    static struct blob response;

    if (row->act == choose_version) {
        take_suite(hs, facts);
    } else if (row->act == find_session12) {
        hs->expect_ticket = facts->ticket;
        hs->next_protocol_due = facts->npn;
        hs->conn->neg.resumed = facts->resumed;
    } else if (row->act == ask_session_secret12) {
        hs->conn->neg.resumed = facts->resumed || facts->taken;
    } else if (row->act == resume_by_secret12) {
        hs->conn->neg.resumed = true;
        hs->expect_ticket = false;
    } else if (row->act == choose_suite12) {
        hs->asked_cert = facts->asked && suite12_has_certificate(facts->suite);
    } else if (row->act == ask_ocsp && facts->suite != NULL) {
        hs->ocsp_response =
            facts->stapling && suite12_has_certificate(facts->suite) ? &response : NULL;
    }
}

static void after_reading(const struct step *row, struct handshake *hs, const struct facts *facts)
{
    after_reading12(row, hs, facts);
    if (row->read == read_server_hello && facts->retry && hs->retry == RETRY_NONE) {
        hs->retry = RETRY_DUE;
    } else if (row->read == read_server_hello) {
        hs->conn->neg.resumed = facts->resumed;
    } else if (row->read == read_client_hello && hs->retry == RETRY_DUE) {
        hs->retry = RETRY_DONE;
    } else if (row->read == read_encrypted_extensions) {
        bool accepted = facts->early && facts->resumed && !facts->retry;
        hs->conn->neg.early_data = accepted ? EARLY_DATA_ACCEPTED : EARLY_DATA_NOT_SENT;
    } else if (row->read == read_certificate_request) {
        hs->asked_cert = true;
    } else if (row->read == read_certificate) {
        hs->peer_has_cert = hs->conn->role == ROLE_CLIENT || facts->has_cert;
    }
}

static void after_acting(const struct step *row, struct handshake *hs, const struct facts *facts)
{
    after_acting12(row, hs, facts);
    if (row->act == prepare_client_hello && hs->retry == RETRY_DUE) {
        hs->retry = RETRY_DONE;
    } else if (row->act == choose_group && facts->retry && hs->retry == RETRY_NONE) {
        hs->retry = RETRY_DUE;
    } else if (row->act == choose_session13) {
        hs->conn->neg.resumed = facts->resumed;
        hs->ticket_due = true;
    } else if (row->act == begin_early_data) {
        hs->began_early = hs->early_offered = true;
        hs->conn->neg.early_data = EARLY_DATA_REJECTED;
    } else if (row->act == choose_early_data && facts->early && facts->resumed &&
               hs->retry == RETRY_NONE) {
        hs->conn->neg.early_data = EARLY_DATA_ACCEPTED;
    } else if (row->act == tell_done) {
        hs->told_done = true;
    } else if (row->act == choose_credential_server) {
        hs->asked_cert = facts->asked && !facts->resumed;
        hs->have_cert = !facts->resumed;
    } else if (row->act == choose_credential_client) {
        hs->have_cert = facts->has_cert;
    } else if (row->act == begin_post_auth) {
        hs->asked_cert = true;
    } else if (row->act == begin_tickets) {
        hs->ticket_due = true;
    }
}

/* --- Walking --- */

static void add(char *flow, const char *mark, const char *name)
{
    size_t len = strlen(flow);

    if (strncmp(name, "MSG_", 4) == 0) {
        name += 4;
    }
    if ((size_t)snprintf(flow + len, MAX_FLOW - len, " %s%s", mark, name) >= MAX_FLOW - len) {
        fprintf(stderr, "flows: a flow is too long\n");
        exit(2);
    }
}

/* True when the peer does not leave the message out. */
static bool comes(const struct step *row, const struct facts *facts)
{
    if (row->message == MSG_SERVER_KEY_EXCHANGE) {
        return facts->hint;
    }
    return row->message == MSG_CERTIFICATE_REQUEST ? facts->asked : facts->stapling;
}

/* Takes one row; returns the next. */
static const struct step *take(const struct step *row, struct handshake *hs,
                               const struct facts *facts, char *flow)
{
    switch (row->kind) {
    case STEP_KIND_MAYBE:
        if (!comes(row, facts)) {
            visit_of(row)->passed = true;
            return row + 1;
        }
        add(flow, "?<", row->name);
        after_reading(row, hs, facts);
        break;
    case STEP_KIND_RECV: {
        enum retry before = hs->retry;
        after_reading(row, hs, facts);
        bool retried = before == RETRY_NONE && hs->retry == RETRY_DUE;
        add(flow, "<", retried ? "HELLO_RETRY_REQUEST" : row->name);
        break;
    }
    case STEP_KIND_SEND:
        add(flow, ">", row->write == write_hello_retry_request ? "HELLO_RETRY_REQUEST" : row->name);
        hs->conn->sent_tickets += row->write == write_new_session_ticket;
        break;
    case STEP_KIND_KEYS:
    case STEP_KIND_NEXT:
        add(flow, "|", row->name);
        break;
    case STEP_KIND_DO:
        after_acting(row, hs, facts);
        break;
    case STEP_KIND_FORK:
        if (!facts->taken) {
            visit_of(row)->passed = true;
            return row + 1;
        }
        visit_of(row)->taken = true;
        return row->script;
    case STEP_KIND_GOTO:
        visit_of(row)->taken = true;
        return row->script;
    case STEP_KIND_FLUSH:
    case STEP_KIND_REST:
    case STEP_KIND_MARK:
    case STEP_KIND_END:
        break;
    }
    visit_of(row)->taken = true;
    return row + 1;
}

static bool is_start_of_connection(const struct script *script)
{
    return script->steps == script_client_hello || script->steps == script_server_hello;
}

static void walk(const struct script *script, const struct facts *facts)
{
    static struct blob hint;
    struct tls_config config = { .options = facts->compat ? OPTION_ENABLE_MIDDLEBOX_COMPAT : 0,
                                 .psk_identity_hint = facts->hint ? &hint : NULL,
                                 .num_tickets = facts->tickets ? 2 : 0 };
    struct tls_conn conn = { .role = script->role,
                             .config = &config,
                             .wants_early_data = facts->early };
    conn.neg.version = VERSION_TLS13; /* until it is known */
    struct handshake hs = { .conn = &conn, .initial = is_start_of_connection(script) };
    const struct step *row = script->steps;
    char flow[MAX_FLOW] = "";

    while (row->kind != STEP_KIND_END) {
        if (row->when != NULL && !row->when(&hs)) {
            visit_of(row)->passed = true;
            row++;
        } else {
            row = take(row, &hs, facts, flow);
        }
    }
    visit_of(row)->taken = true;
    for (size_t i = 0; i < num_flows; i++) {
        if (strncmp(flows[i], script->name, strlen(script->name)) == 0 &&
            strcmp(flows[i] + strlen(script->name) + 1, flow) == 0) {
            return;
        }
    }
    if (num_flows == MAX_FLOWS) {
        fprintf(stderr, "flows: more than %d flows\n", MAX_FLOWS);
        exit(2);
    }
    (void)snprintf(flows[num_flows++], MAX_FLOW, "%s:%s", script->name, flow);
}

/* --- What may come when nothing runs --- */

static const char *name_of(const struct step *steps)
{
    for (size_t i = 0; i < num_scripts; i++) {
        if (scripts[i].steps == steps) {
            return scripts[i].name;
        }
    }
    return "a script without a name";
}

static void list_idle(enum role role)
{
    static const char *const auth_names[] = { "", " once offered", " while asking", " when asked" };

    for (unsigned type = 0; type < 256; type++) {
        const struct tls_config config = { .options = 0 };
        struct tls_conn conn = { .role = role, .config = &config };
        conn.neg.version = VERSION_TLS13;
        const struct step *always = script_for_idle(&conn, (uint8_t)type);
        for (int auth = POST_AUTH_NONE; auth <= POST_AUTH_PENDING; auth++) {
            conn.post_auth = (enum post_auth)auth;
            const struct step *script = script_for_idle(&conn, (uint8_t)type);
            if (script != NULL && (auth == POST_AUTH_NONE || script != always)) {
                (void)snprintf(flows[num_flows++], MAX_FLOW, "idle %s: <%u%s starts %s",
                               role == ROLE_CLIENT ? "client" : "server", type, auth_names[auth],
                               name_of(script));
            }
        }
        conn.post_auth = POST_AUTH_NONE;
        conn.neg.version = VERSION_TLS12;
        const struct step *script = script_for_idle(&conn, (uint8_t)type);
        if (script != NULL) {
            (void)snprintf(flows[num_flows++], MAX_FLOW, "idle %s: <%u in TLS 1.2 starts %s",
                           role == ROLE_CLIENT ? "client" : "server", type, name_of(script));
        }
        conn.neg.secure_renegotiation = true;
        conn.renegotiation = RENEGOTIATION_REQUESTED;
        if (script_for_idle(&conn, (uint8_t)type) != script) {
            (void)snprintf(flows[num_flows++], MAX_FLOW, "idle %s: <%u once asked starts %s",
                           role == ROLE_CLIENT ? "client" : "server", type,
                           name_of(script_for_idle(&conn, (uint8_t)type)));
        }
    }
}

/* --- The list --- */

/* True when a handshake can begin with the script: no other goes on with it, or it is the first. */
static bool is_start(const struct script *script)
{
    if (is_start_of_connection(script)) {
        return true;
    }
    for (size_t i = 0; i < num_scripts; i++) {
        for (const struct step *row = scripts[i].steps; row->kind != STEP_KIND_END; row++) {
            if ((row->kind == STEP_KIND_GOTO || row->kind == STEP_KIND_FORK) &&
                row->script == script->steps) {
                return false;
            }
        }
    }
    return true;
}

/* One suite of each form: with and without ephemeral keys, and without a certificate; the same with
 * a pre-shared key. */
static const uint16_t suites12[] = { 0xc02f, 0x009c, 0xc018, 0xccac, 0x00ac, 0x00a8 };

/* NPN stands between the changes of keys whatever came before: it is walked with one suite. */
static void walk_npn(const struct script *script)
{
    for (int resumed = 0; resumed < 2; resumed++) {
        const struct facts facts = { .suite = suite_by_id(suites12[0]),
                                     .npn = true,
                                     .resumed = resumed != 0 };
        walk(script, &facts);
    }
}

static void walk_secret(const struct script *script)
{
    for (int taken = 0; taken < 2; taken++) {
        const struct facts facts = { .suite = suite_by_id(suites12[0]),
                                     .secret = true,
                                     .taken = taken != 0 };
        walk(script, &facts);
    }
}

static void walk_tls12(const struct script *script)
{
    for (size_t i = 0; i < COUNT_OF(suites12); i++) {
        for (unsigned bits = 0; bits < 128; bits++) {
            const struct facts facts = {
                .suite = suite_by_id(suites12[i]),
                .asked = (bits & 1) != 0,
                .has_cert = (bits & 2) != 0,
                .stapling = (bits & 4) != 0,
                .ticket = (bits & 8) != 0,
                .granted = (bits & 16) != 0,
                .hint = (bits & 32) != 0,
                .resumed = (bits & 64) != 0,
            };
            walk(script, &facts);
        }
    }
}

static void make_list(void)
{
    for (size_t i = 0; i < num_scripts; i++) {
        for (unsigned bits = 0; bits < 128 && is_start(&scripts[i]); bits++) {
            const struct facts facts = { .compat = (bits & 1) != 0,
                                         .retry = (bits & 2) != 0,
                                         .asked = (bits & 4) != 0,
                                         .has_cert = (bits & 8) != 0,
                                         .resumed = (bits & 16) != 0,
                                         .tickets = (bits & 32) != 0,
                                         .early = (bits & 64) != 0 };
            walk(&scripts[i], &facts);
        }
        if (is_start(&scripts[i])) {
            walk_tls12(&scripts[i]);
            walk_npn(&scripts[i]);
            walk_secret(&scripts[i]);
        }
    }
    list_idle(ROLE_CLIENT);
    list_idle(ROLE_SERVER);
}

/* True when each row was taken, and each condition was false at least once. */
static bool all_rows_were_visited(void)
{
    bool all = true;

    for (size_t i = 0; i < num_scripts; i++) {
        for (const struct step *row = scripts[i].steps; row->kind != STEP_KIND_END; row++) {
            const struct visit *v = visit_of(row);
            bool optional = row->when != NULL || row->kind == STEP_KIND_MAYBE;
            bool before_end = row->kind == STEP_KIND_GOTO && row->when == NULL;
            if (!v->taken || (optional && !v->passed)) {
                printf("%s: no flow %s %s\n", scripts[i].name, v->taken ? "goes without" : "takes",
                       row->name);
                all = false;
            }
            if (before_end) {
                break; /* what stands behind is never reached */
            }
        }
    }
    return all;
}

/* Compares the list with a file line by line and prints what differs. */
static bool is_recorded(const char *path)
{
    FILE *file = fopen(path, "r");
    static char line[MAX_FLOW + 2];
    size_t i = 0;
    bool same = true;

    if (file == NULL) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (i < num_flows && strcmp(line, flows[i]) == 0) {
            i++;
            continue;
        }
        printf("recorded: %s\nnow:      %s\n", line, i < num_flows ? flows[i] : "(nothing)");
        i++;
        same = false;
    }
    (void)fclose(file);
    for (; i < num_flows; i++) {
        printf("recorded: (nothing)\nnow:      %s\n", flows[i]);
        same = false;
    }
    return same;
}

int main(int argc, char **argv)
{
    make_list();
    bool visited = all_rows_were_visited();
    if (argc == 2) {
        bool recorded = is_recorded(argv[1]);
        printf("%zu flows of %zu scripts\n", num_flows, num_scripts);
        return visited && recorded ? 0 : 1;
    }
    for (size_t i = 0; i < num_flows; i++) {
        puts(flows[i]);
    }
    return visited ? 0 : 1;
}
