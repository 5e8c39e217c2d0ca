/*
 * Which callbacks a handshake makes, in which order, with which arguments: each scenario is one
 * golden file callback_order/NAME.txt, recorded from the system's libssl with `record`.
 *
 * Ed25519 keys throughout: their signatures and certificates always have the same length, so the
 * lengths of all messages and records belong to the recording.
 *
 *     callback_order --list
 *     callback_order NAME
 */
#include "callback_order.h"

#include "contract.h"
#include "hs_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct identity *root;
struct identity *leaf;
struct identity *stranger;

void finish(struct pair *p)
{
    SSL_CTX *switched = trace_plan.sni_switch;

    pair_free(p);
    SSL_CTX_free(switched);
}

void run_and_finish(struct pair *p)
{
    note("both done: %d", trace_pair(p->client, p->server));
    finish(p);
}

void connect_unrecorded(struct pair *p)
{
    log_capture_begin();
    REQUIRE(drive_handshake(p->client, p->server));
    free(log_capture_end());
}

void read_once(SSL *ssl)
{
    char buf[64];

    (void)call_read(ssl, buf, sizeof(buf));
}

static void run_scenario(const struct scenario *scenario)
{
    struct identity *intermediate;

    root = identity_new(KEY_ED25519, "root.example");
    intermediate = identity_issue(root, KEY_ED25519, "middle.example", true);
    leaf = identity_issue(intermediate, KEY_ED25519, "leaf.example", false);
    stranger = identity_new(KEY_ED25519, "stranger.example");
    trace_plan_reset();
    scenario->run();
    identity_free(leaf);
    identity_free(intermediate);
    identity_free(root);
    identity_free(stranger);
}

struct group_of_scenarios {
    const struct scenario *first;
    size_t num;
};

static size_t groups_of_scenarios(struct group_of_scenarios out[6])
{
    out[0] = (struct group_of_scenarios){ scenarios_tls13, num_scenarios_tls13 };
    out[1] = (struct group_of_scenarios){ scenarios_tls12, num_scenarios_tls12 };
    out[2] = (struct group_of_scenarios){ scenarios_psk, num_scenarios_psk };
    out[3] = (struct group_of_scenarios){ scenarios_resume12, num_scenarios_resume12 };
    out[4] = (struct group_of_scenarios){ scenarios_legacy, num_scenarios_legacy };
    out[5] = (struct group_of_scenarios){ scenarios_resume13, num_scenarios_resume13 };
    return 6;
}

/* The scenario of that name; with NULL the names of all are printed. */
static const struct scenario *find_or_list(const char *name)
{
    struct group_of_scenarios groups[6];
    size_t num = groups_of_scenarios(groups);

    for (size_t i = 0; i < num; i++) {
        for (size_t j = 0; j < groups[i].num; j++) {
            const struct scenario *scenario = &groups[i].first[j];
            if (name == NULL) {
                (void)puts(scenario->name);
            } else if (strcmp(scenario->name, name) == 0) {
                return scenario;
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct scenario *scenario = NULL;

    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        (void)find_or_list(NULL);
        return 0;
    }
    if (argc == 2) {
        scenario = find_or_list(argv[1]);
    }
    if (scenario != NULL) {
        contract_start();
        run_scenario(scenario);
        return contract_finish();
    }
    (void)fputs("usage: callback_order --list | NAME\n", stderr);
    return 2;
}
