/*
 * One connection of a kind (kinds.c), after others, watched by the library of callers.h.
 */
#include "callers.h"
#include "kinds.h"

#include <string.h>

#define WARM 30

extern void callers_watch(bool on) __attribute__((weak));

int main(int argc, char **argv)
{
    const struct kind *kind = kinds;
    struct meter unused = { 0 };
    struct identity id;
    struct setting s;

    require(argc == 2 && callers_watch != NULL, "argument: a kind, run by bench/callers");
    bench_begin(false);
    while (kind->name != NULL && strcmp(kind->name, argv[1]) != 0) {
        kind++;
    }
    require(kind->name != NULL, "a kind that kinds.c has");
    identity_make(&id, kind->key);
    setting_make(&s, kind, &id);
    for (int i = 0; i < WARM; i++) {
        setting_connect(&s, &unused, &unused);
    }
    callers_watch(true);
    setting_connect(&s, &unused, &unused);
    callers_watch(false);
    setting_wipe(&s);
    identity_wipe(&id);
    return 0;
}
