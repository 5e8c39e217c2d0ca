/*
 * A test program under memcheck; see memcheck.h.
 */
#include "unit.h"

#include "base/base.h"
#include "memcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int under_memcheck(const char *what, bool with_suppressions)
{
    char self[4096] = { 0 };
    char suppressions[4096];
    const char *dir = getenv("TEST_DATA");
    int status = -1;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
        return -1;
    }
    snprintf(suppressions, sizeof(suppressions), "--suppressions=%s/libcrypto.supp",
             dir == NULL ? "." : dir);
    pid_t child = fork();
    if (child == 0) {
        execlp("valgrind", "valgrind", "-q", "--error-exitcode=9",
               with_suppressions ? suppressions : "-q", self, what, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

void memcheck_finds(const char *leaking, const char *marked)
{
    if (!HAVE_MEMCHECK || BUILT_WITH_ASAN) {
        skip();
    }
    int leak = under_memcheck(leaking, true);
    if (leak != 0 && leak != EXIT_FOUND) {
        skip(); /* no valgrind here, or one that cannot read this program */
    }
    assert_int_equal(leak, EXIT_FOUND);
    assert_int_equal(under_memcheck(marked, true), 0);
}
