/* Command line, socket and conversation of the programs on other implementations. */
#include "other.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIME_LIMIT 40

_Noreturn void fail(int status, const char *what, long code)
{
    fprintf(stderr, "other peer: %s (%ld, or %#lx)\n", what, code, (unsigned long)labs(code));
    exit(status);
}

void require(bool condition, const char *what, long code)
{
    if (!condition) {
        fail(1, what, code);
    }
}

char *read_file(const char *name, size_t *len)
{
    FILE *file = fopen(name, "rb");
    char *text = calloc(1, 65536);

    if (file == NULL || text == NULL) {
        fail(2, name, 0);
    }
    *len = fread(text, 1, 65535, file);
    fclose(file);
    return text;
}

static const struct option OPTIONS[] = {
    { "verify-client", no_argument, NULL, 'v' },
    { "no-etm", no_argument, NULL, 'e' },
    { "connections", required_argument, NULL, 'c' },
    { "early", required_argument, NULL, 'd' },
    { "max-early", required_argument, NULL, 'm' },
    { "port", required_argument, NULL, 'p' },
    { "suite", required_argument, NULL, 's' },
    { "suite-name", required_argument, NULL, 0 },
    { "version", required_argument, NULL, 0 },
    { "group", required_argument, NULL, 0 },
    { "alpn", required_argument, NULL, 0 },
    { "sni", required_argument, NULL, 0 },
    { "cert", required_argument, NULL, 0 },
    { "key", required_argument, NULL, 0 },
    { "ca", required_argument, NULL, 0 },
    { "psk", required_argument, NULL, 0 },
    { "psk-identity", required_argument, NULL, 0 },
    { NULL, 0, NULL, 0 },
};

#define FIRST_TEXT 7 /* where in OPTIONS the texts begin */

static void parse_options(struct options *set, int argc, char **argv)
{
    const char **texts[] = { &set->suite_name, &set->version,     &set->group, &set->alpn,
                             &set->sni,        &set->cert,        &set->key,   &set->ca,
                             &set->psk,        &set->psk_identity };
    int which = 0;
    int flag;

    set->version = "1.2";
    set->connections = 1;
    set->server = strcmp(argv[1], "server") == 0;
    while ((flag = getopt_long(argc - 1, argv + 1, "", OPTIONS, &which)) != -1) {
        if (flag == 'v') {
            set->verify_client = true;
        } else if (flag == 'e') {
            set->no_etm = true;
        } else if (flag == 'c') {
            set->connections = atoi(optarg);
        } else if (flag == 'd') {
            set->early = (size_t)atol(optarg);
        } else if (flag == 'm') {
            set->max_early = (unsigned)atol(optarg);
        } else if (flag == 'p') {
            set->port = atoi(optarg);
        } else if (flag == 's') {
            set->suite = (uint16_t)strtoul(optarg, NULL, 16);
        } else if (flag == 0) {
            *texts[which - FIRST_TEXT] = optarg;
        } else {
            exit(2);
        }
    }
}

/* A server's listening socket. */
static int listen_on(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(*address);

    require(bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, 1) == 0 &&
                getsockname(fd, (struct sockaddr *)address, &len) == 0,
            "cannot listen", 0);
    printf("port %d\n", ntohs(address->sin_port));
    fflush(stdout);
    return fd;
}

/* The next connection, to the address or from the listening socket. */
static int open_socket(const struct options *set, const struct sockaddr_in *address, int listener)
{
    int fd = set->server ? accept(listener, NULL, NULL) : socket(AF_INET, SOCK_STREAM, 0);

    require(fd >= 0, "nobody came", 0);
    require(set->server || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0,
            "cannot connect", 0);
    return fd;
}

const uint8_t *fill_block(size_t len)
{
    static uint8_t block[LARGEST_BLOCK];

    for (size_t k = 0; k < len; k++) {
        block[k] = (uint8_t)(k * 7 + len);
    }
    return block;
}

void read_back(const uint8_t *block, size_t len)
{
    static uint8_t answer[LARGEST_BLOCK];
    size_t have = 0;

    while (have < len) {
        size_t got = library.read(answer + have, len - have);

        require(got > 0, "closed before the answer was whole", 0);
        have += got;
    }
    require(memcmp(block, answer, len) == 0, "the answer is not what was sent", 0);
}

/* What is sent must come back. */
static void send_blocks(void)
{
    static const size_t lens[] = { 1, 57, 4096, 16384, 16385, LARGEST_BLOCK };

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const uint8_t *block = fill_block(lens[i]);

        library.write(block, lens[i]);
        read_back(block, lens[i]);
    }
}

static void echo_until_closed(void)
{
    static uint8_t data[LARGEST_BLOCK];
    size_t got;

    while ((got = library.read(data, sizeof(data))) > 0) {
        library.write(data, got);
    }
}

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "-" : text;
}

static void on_alarm(int number)
{
    (void)number;
    _exit(3);
}

static void converse(const struct options *set)
{
    struct facts facts = { 0 };
    uint8_t rest[16];

    if (set->server) {
        echo_until_closed();
        library.close();
    } else {
        send_blocks();
        library.close();
        require(library.read(rest, sizeof(rest)) == 0, "data instead of a close_notify", 0);
    }
    library.tell(&facts);
    printf("facts sni=%s alpn=%s peer=%s resumed=%d early=%s\n", or_dash(facts.sni),
           or_dash(facts.alpn), or_dash(facts.peer), facts.resumed,
           facts.early != NULL ? facts.early : "-");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct options set = { 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    int listener = -1;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        library.list();
        return 0;
    }
    if (argc < 2 || (strcmp(argv[1], "client") != 0 && strcmp(argv[1], "server") != 0)) {
        fail(2, "usage: list | client OPTIONS | server OPTIONS", 0);
    }
    parse_options(&set, argc, argv);
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
    alarm(TIME_LIMIT);
    library.start(&set);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)set.port);
    if (set.server) {
        listener = listen_on(&address);
    }
    for (int i = 0; i < set.connections; i++) {
        int fd = open_socket(&set, &address, listener);

        library.open(&set, fd);
        converse(&set);
        library.forget(&set);
        close(fd);
    }
    return 0;
}
