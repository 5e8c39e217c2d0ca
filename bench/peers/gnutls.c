/*
 * Question "peers" on GnuTLS.
 */
#include "peers/peer.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    gnutls_session_t session;
    struct peer_wire *wire;
};

static gnutls_certificate_credentials_t own, trusted;
static gnutls_priority_t priorities;

static const char *version(void)
{
    return gnutls_check_version(NULL);
}

static bool set_up(enum peer_version version, const struct peer_files *files)
{
    const char *wanted = version == PEER_TLS13
                             ? "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+ECDHE-ECDSA:+GROUP-X25519:"
                               "+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256:+CTYPE-X509"
                             : "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+ECDHE-ECDSA:+GROUP-X25519:"
                               "+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+CTYPE-X509";

    require(gnutls_certificate_allocate_credentials(&own) == 0 &&
                gnutls_certificate_allocate_credentials(&trusted) == 0 &&
                gnutls_certificate_set_x509_key_file(own, files->chain, files->key,
                                                     GNUTLS_X509_FMT_PEM) == 0 &&
                gnutls_certificate_set_x509_trust_file(trusted, files->root, GNUTLS_X509_FMT_PEM) ==
                    1 &&
                gnutls_priority_init(&priorities, wanted, NULL) == 0,
            "credentials");
    return true;
}

static ssize_t push(gnutls_transport_ptr_t transport, const void *data, size_t len)
{
    pipe_put(((struct side *)transport)->wire->out, data, len);
    return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t len)
{
    struct side *side = transport;
    size_t got = pipe_take(side->wire->in, data, len);

    if (got == 0) {
        gnutls_transport_set_errno(side->session, EAGAIN);
        return -1;
    }
    return (ssize_t)got;
}

static int pull_timeout(gnutls_transport_ptr_t transport, unsigned int milliseconds)
{
    const struct pipe *in = ((struct side *)transport)->wire->in;

    (void)milliseconds;
    return in->end > in->start ? 1 : 0;
}

static void *open_side(bool server, struct peer_wire *wire)
{
    struct side *side = calloc(1, sizeof *side);

    require(side != NULL && gnutls_init(&side->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
                                                            GNUTLS_NONBLOCK) == 0,
            "gnutls_init");
    side->wire = wire;
    require(gnutls_priority_set(side->session, priorities) == 0 &&
                gnutls_credentials_set(side->session, GNUTLS_CRD_CERTIFICATE,
                                       server ? own : trusted) == 0,
            "session");
    gnutls_transport_set_ptr(side->session, side);
    gnutls_transport_set_push_function(side->session, push);
    gnutls_transport_set_pull_function(side->session, pull);
    gnutls_transport_set_pull_timeout_function(side->session, pull_timeout);
    if (!server) {
        require(gnutls_server_name_set(side->session, GNUTLS_NAME_DNS, PEER_HOST,
                                       strlen(PEER_HOST)) == 0,
                "server name");
        gnutls_session_set_verify_cert(side->session, PEER_HOST, 0);
    }
    return side;
}

static bool handshake(void *arg)
{
    struct side *side = arg;
    int result = gnutls_handshake(side->session);

    require(result == 0 || result == GNUTLS_E_AGAIN, gnutls_strerror(result));
    return result == 0;
}

static void write_data(void *arg, const uint8_t *data, size_t len)
{
    struct side *side = arg;

    require(gnutls_record_send(side->session, data, len) == (ssize_t)len, "gnutls_record_send");
}

static size_t read_data(void *arg, uint8_t *data, size_t len)
{
    struct side *side = arg;
    ssize_t got = gnutls_record_recv(side->session, data, len);

    require(got > 0, "gnutls_record_recv");
    return (size_t)got;
}

static void close_side(void *arg)
{
    struct side *side = arg;

    gnutls_deinit(side->session);
    free(side);
}

const struct peer peer = {
    version, set_up, open_side, handshake, write_data, read_data, close_side
};
