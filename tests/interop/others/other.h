/*
 * TLS connections on another implementation than libssl: the other side of the interoperability
 * tests. other.c has the command line, the socket and the conversation; each of nss.c, mbedtls.c,
 * wolfssl.c and bearssl.c makes a program of it by defining `library`.
 *
 *     PROGRAM list                     what it has: lines "suite ID-or-name" and "group NAME"
 *     PROGRAM client|server OPTIONS    one connection, or as many as --connections says, one after
 *                                      another; after each a line "facts key=value ..."
 *
 * Exit status: 0 when all went as TLS says, 1 when the connection failed (standard error has the
 * reason), 2 when it was called wrongly, 3 when its time was up.
 */
#ifndef INTEROP_OTHER_H
#define INTEROP_OTHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    bool server;
    bool verify_client;  /* server: ask for a certificate and insist on it */
    bool no_etm;         /* no encrypt-then-mac */
    int port;            /* 0: the server chooses and prints it */
    size_t early;        /* client: bytes of early data, where a session allows it */
    unsigned max_early;  /* server: how much its tickets allow; 0: no early data */
    int connections;     /* how many; more than one: sessions are kept, and resumed by the next */
    const char *version; /* "1.0" to "1.3", or "any" for 1.2 and 1.3 */
    uint16_t suite;      /* the one suite; 0: the library's default */
    const char *suite_name; /* the same, as the registry of IANA has it */
    const char *group;      /* the one group, by OpenSSL's name; NULL: the default */
    const char *alpn;       /* one protocol name; NULL: none */
    const char *sni;        /* client: what to ask for and to check */
    const char *cert;       /* files in PEM */
    const char *key;
    const char *ca;
    const char *psk; /* a pre-shared key of TLS 1.2, as text; NULL: none */
    const char *psk_identity;
};

/* What came of the connection; empty texts are printed as "-". */
struct facts {
    char sni[256];
    char alpn[64];
    char peer[128]; /* common name of the other side's certificate */
    bool resumed;
    const char *early; /* "accepted", "rejected"; NULL: none was sent */
};

/* What each implementation brings. A function that cannot do its work calls fail(). */
struct library {
    /* Prints suites and groups. */
    void (*list)(void);
    /* Prepares for the connections of the command line. */
    void (*start)(const struct options *set);
    /* Does the handshake on a connected socket; a client's, with the session of the last one, and
     * with early data, which must come back like other data. */
    void (*open)(const struct options *set, int fd);
    /* Reads some bytes, at least one; 0 when the other side has closed with a close_notify. */
    size_t (*read)(uint8_t *data, size_t cap);
    /* Writes them all. */
    void (*write)(const uint8_t *data, size_t len);
    /* Sends our close_notify. */
    void (*close)(void);
    void (*tell)(struct facts *facts);
    /* Frees the connection, so that another can be opened; a client keeps its session. */
    void (*forget)(const struct options *set);
};
extern const struct library library;

/* Says what failed, with the library's code, on standard error and ends the program. */
_Noreturn void fail(int status, const char *what, long code);

/* The same with status 1, unless the condition holds. */
void require(bool condition, const char *what, long code);

/* A block of data, and the same read from the other side, or else the program ends. */
#define LARGEST_BLOCK 40000
const uint8_t *fill_block(size_t len);
void read_back(const uint8_t *block, size_t len);

/* The whole of a file with a zero behind it; the caller frees it. */
char *read_file(const char *name, size_t *len);

#endif
