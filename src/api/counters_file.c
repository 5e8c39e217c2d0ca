/*
 * The file for counters; see counters_file.h. A line a process: its number, then name=value pairs.
 */
#include "api/counters_file.h"

#include "base/counters.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_LEN 1024

static char *file_path; /* owned by the process; set once, before the handler is registered */

static void append_line(void)
{
    char line[LINE_LEN];
    size_t len = (size_t)snprintf(line, sizeof(line), "pid=%ld", (long)getpid());

    for (size_t i = 0; counter_name(i) != NULL; i++) {
        int more = snprintf(line + len, sizeof(line) - len, " %s=%" PRIu64, counter_name(i),
                            counter_get((enum counter)i));
        if (more < 0 || (size_t)more >= sizeof(line) - len) {
            return;
        }
        len += (size_t)more;
    }
    line[len++] = '\n'; /* in place of the end of the string */
    int fd = open(file_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd >= 0) {
        /* One write, so that lines of processes do not mix. Nobody would read a complaint. */
        ssize_t written = write(fd, line, len);
        (void)written;
        (void)close(fd);
    }
}

void counters_file_configure(const char *path)
{
    if (path == NULL || *path == '\0' || file_path != NULL) {
        return;
    }
    file_path = OPENSSL_strdup(path);
    if (file_path != NULL) {
        (void)atexit(append_line);
    }
}
