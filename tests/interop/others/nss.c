/* The other side on NSS, without a database: keys and certificates come from files and stay in
 * memory. */
#include "other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cert.h>
#include <keyhi.h>
#include <nss.h>
#include <nssb64.h>
#include <pk11pub.h>
#include <prerror.h>
#include <private/pprio.h>
#include <secerr.h>
#include <ssl.h>
#include <sslexp.h>
#include <sslproto.h>

static struct {
    PRFileDesc *ssl;
    CERTCertificate *own;
    CERTCertificate *trusted;
    SECKEYPrivateKey *key;
    SSLAntiReplayContext *seen_before; /* of a server with early data */
    const char *early;
    bool deaf;
    int connections;
    char asked_name[256];
} it;

static const struct {
    const char *name;
    SSLNamedGroup id;
} GROUPS[] = { { "P-256", ssl_grp_ec_secp256r1 },   { "P-384", ssl_grp_ec_secp384r1 },
               { "P-521", ssl_grp_ec_secp521r1 },   { "X25519", ssl_grp_ec_curve25519 },
               { "ffdhe2048", ssl_grp_ffdhe_2048 }, { "ffdhe3072", ssl_grp_ffdhe_3072 },
               { "ffdhe4096", ssl_grp_ffdhe_4096 } };

#define REPLAY_WINDOW (10 * PR_USEC_PER_SEC)

#define NUM_GROUPS (sizeof(GROUPS) / sizeof(GROUPS[0]))

static void need(bool condition, const char *what)
{
    require(condition, what, PR_GetError());
}

static void start_library(void)
{
    need(NSS_NoDB_Init(NULL) == SECSuccess && NSS_SetDomesticPolicy() == SECSuccess, "no library");
}

static void list(void)
{
    start_library();
    for (size_t i = 0; i < SSL_NumImplementedCiphers; i++) {
        printf("suite %04x\n", SSL_ImplementedCiphers[i]);
    }
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        printf("group %s\n", GROUPS[i].name);
    }
}

/* The first object of a PEM file; the caller frees it. */
static SECItem *read_pem(const char *name)
{
    size_t len;
    char *text = read_file(name, &len);
    char *begin = strstr(text, "-----\n");
    char *end = begin != NULL ? strstr(begin + 6, "-----END") : NULL;
    SECItem *der = NULL;

    if (end != NULL) {
        der = NSSBase64_DecodeBuffer(NULL, NULL, begin + 6, (unsigned int)(end - begin - 6));
    }
    if (der == NULL) {
        fail(2, name, PR_GetError());
    }
    free(text);
    return der;
}

static CERTCertificate *load_cert(const char *name)
{
    SECItem *der = read_pem(name);
    CERTCertificate *cert =
        CERT_NewTempCertificate(CERT_GetDefaultCertDB(), der, NULL, PR_FALSE, PR_TRUE);

    if (cert == NULL) {
        fail(2, name, PR_GetError());
    }
    SECITEM_FreeItem(der, PR_TRUE);
    return cert;
}

/* The key needs a name that no other has: for that the token takes the public half of it. */
static SECKEYPrivateKey *load_key(const char *name, CERTCertificate *cert)
{
    SECItem *der = read_pem(name);
    SECKEYPublicKey *public = CERT_ExtractPublicKey(cert);
    PK11SlotInfo *slot = PK11_GetInternalKeySlot();
    SECItem *value = NULL;
    SECKEYPrivateKey *key = NULL;

    if (public != NULL && public->keyType == rsaKey) {
        value = &public->u.rsa.modulus;
    } else if (public != NULL && public->keyType == ecKey) {
        value = &public->u.ec.publicValue;
    } else if (public != NULL && public->keyType == dsaKey) {
        value = &public->u.dsa.publicValue;
    }
    if (value == NULL ||
        PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, der, NULL, value, PR_FALSE, PR_TRUE, KU_ALL,
                                                 &key, NULL) != SECSuccess) {
        fail(2, name, PR_GetError());
    }
    SECITEM_FreeItem(der, PR_TRUE);
    SECKEY_DestroyPublicKey(public);
    PK11_FreeSlot(slot);
    return key;
}

/* Without a database there is no trust to look up: signed by the one key that we trust, or not. */
static SECStatus on_certificate(void *arg, PRFileDesc *fd, PRBool check, PRBool server)
{
    const struct options *set = arg;
    CERTCertificate *cert = SSL_PeerCertificate(fd);
    SECKEYPublicKey *issuer = CERT_ExtractPublicKey(it.trusted);
    SECStatus status = SECFailure;

    (void)check;
    if (cert != NULL && issuer != NULL) {
        status = CERT_VerifySignedDataWithPublicKey(&cert->signatureWrap, issuer, NULL);
    }
    if (status == SECSuccess && !server) {
        status = CERT_VerifyCertName(cert, set->sni);
    }
    if (status != SECSuccess) {
        PORT_SetError(SEC_ERROR_UNTRUSTED_ISSUER);
    }
    SECKEY_DestroyPublicKey(issuer);
    CERT_DestroyCertificate(cert);
    return status;
}

static SECStatus on_certificate_request(void *arg, PRFileDesc *fd, CERTDistNames *names,
                                        CERTCertificate **cert, SECKEYPrivateKey **key)
{
    (void)arg;
    (void)fd;
    (void)names;
    if (it.own == NULL) {
        return SECFailure;
    }
    *cert = CERT_DupCertificate(it.own);
    *key = SECKEY_CopyPrivateKey(it.key);
    return SECSuccess;
}

static PRInt32 on_server_name(PRFileDesc *fd, const SECItem *names, PRUint32 num_names, void *arg)
{
    (void)fd;
    (void)arg;
    if (num_names > 0) {
        snprintf(it.asked_name, sizeof(it.asked_name), "%.*s", (int)names[0].len,
                 (const char *)names[0].data);
    }
    return 0;
}

static void set_option(PRInt32 option, bool on)
{
    need(SSL_OptionSet(it.ssl, option, on) == SECSuccess, "an option is refused");
}

static void set_versions(const char *version)
{
    SSLVersionRange range = { SSL_LIBRARY_VERSION_TLS_1_2, SSL_LIBRARY_VERSION_TLS_1_3 };

    /* The numbers of the versions follow one another. */
    if (strcmp(version, "any") != 0) {
        range.min = range.max = (PRUint16)(SSL_LIBRARY_VERSION_TLS_1_0 + (version[2] - '0'));
    }
    need(SSL_VersionRangeSet(it.ssl, &range) == SECSuccess, "the version is refused");
}

static void set_lists(const struct options *set)
{
    for (size_t i = 0; set->suite != 0 && i < SSL_NumImplementedCiphers; i++) {
        SSL_CipherPrefSet(it.ssl, SSL_ImplementedCiphers[i],
                          SSL_ImplementedCiphers[i] == set->suite);
    }
    for (size_t i = 0; set->group != NULL && i < NUM_GROUPS; i++) {
        if (strcmp(set->group, GROUPS[i].name) == 0) {
            need(SSL_NamedGroupConfig(it.ssl, &GROUPS[i].id, 1) == SECSuccess,
                 "the group is refused");
        }
    }
    if (set->alpn != NULL) {
        uint8_t wire[256];
        size_t len = strlen(set->alpn);

        wire[0] = (uint8_t)len;
        memcpy(wire + 1, set->alpn, len);
        need(SSL_SetNextProtoNego(it.ssl, wire, (unsigned int)len + 1) == SECSuccess, "no ALPN");
    }
}

static void load_files(const struct options *set)
{
    if (set->cert != NULL) {
        it.own = load_cert(set->cert);
        it.key = load_key(set->key, it.own);
    }
    if (set->ca != NULL) {
        it.trusted = load_cert(set->ca);
    }
}

static void configure(const struct options *set)
{
    set_option(SSL_SECURITY, true);
    set_option(SSL_HANDSHAKE_AS_SERVER, set->server);
    set_option(SSL_HANDSHAKE_AS_CLIENT, !set->server);
    set_option(SSL_NO_CACHE, set->connections == 1);
    set_option(SSL_ENABLE_SESSION_TICKETS, set->connections > 1);
    set_option(SSL_ENABLE_EXTENDED_MASTER_SECRET, true);
    set_option(SSL_ENABLE_0RTT_DATA, set->early > 0 || set->max_early > 0);
    set_versions(set->version);
    set_lists(set);
    need(SSL_AuthCertificateHook(it.ssl, on_certificate, (void *)(uintptr_t)set) == SECSuccess &&
             SSL_GetClientAuthDataHook(it.ssl, on_certificate_request, NULL) == SECSuccess,
         "a callback is refused");
    if (set->server) {
        set_option(SSL_ENABLE_SERVER_DHE, true);
        need(it.seen_before == NULL ||
                 SSL_SetAntiReplayContext(it.ssl, it.seen_before) == SECSuccess,
             "no anti-replay");
        set_option(SSL_REQUEST_CERTIFICATE, set->verify_client);
        set_option(SSL_REQUIRE_CERTIFICATE, set->verify_client);
        need(SSL_SNISocketConfigHook(it.ssl, on_server_name, NULL) == SECSuccess, "no server name");
        need(it.own != NULL && SSL_ConfigServerCert(it.ssl, it.own, it.key, NULL, 0) == SECSuccess,
             "the certificate or its key cannot be used");
    } else {
        need(SSL_SetURL(it.ssl, set->sni) == SECSuccess, "the server's name is refused");
    }
}

static void start(const struct options *set)
{
    start_library();
    load_files(set);
    if (set->server && set->connections > 1) {
        need(SSL_ConfigServerSessionIDCache(0, 0, 0, NULL) == SECSuccess, "no cache of sessions");
    }
    /* It takes no early data until the window in which it was made is over: that was long ago. */
    if (set->max_early > 0) {
        need(SSL_CreateAntiReplayContext(PR_Now() - 10 * REPLAY_WINDOW, REPLAY_WINDOW, 7, 14,
                                         &it.seen_before) == SECSuccess,
             "no anti-replay");
    }
}

/* Below TLS: nothing is received while early data is written, so that the server's answer cannot
 * overtake it. */
static PRInt32 receive(PRFileDesc *fd, void *data, PRInt32 len, PRIntn flags,
                       PRIntervalTime timeout)
{
    if (it.deaf) {
        PR_SetError(PR_WOULD_BLOCK_ERROR, 0);
        return -1;
    }
    return fd->lower->methods->recv(fd->lower, data, len, flags, timeout);
}

/* The socket with that function between it and TLS. */
static PRFileDesc *import_socket(int fd)
{
    static PRIOMethods methods;
    static PRDescIdentity identity = PR_INVALID_IO_LAYER;
    PRFileDesc *socket = PR_ImportTCPSocket(fd);
    PRFileDesc *layer;

    if (identity == PR_INVALID_IO_LAYER) {
        identity = PR_GetUniqueIdentity("deaf");
        methods = *PR_GetDefaultIOMethods();
        methods.recv = receive;
    }
    layer = PR_CreateIOLayerStub(identity, &methods);
    need(socket != NULL && layer != NULL &&
             PR_PushIOLayer(socket, PR_TOP_IO_LAYER, layer) == PR_SUCCESS,
         "no socket");
    return socket;
}

/* The first call begins the handshake, the second writes what the session allows as early data. */
static void write_early(const struct options *set)
{
    const uint8_t *block = fill_block(set->early);

    it.deaf = true;
    need(PR_Write(it.ssl, block, (PRInt32)set->early) < 0 &&
             PR_GetError() == PR_WOULD_BLOCK_ERROR &&
             PR_Write(it.ssl, block, (PRInt32)set->early) == (PRInt32)set->early,
         "early data cannot be written");
    it.deaf = false;
}

/* What the server has not taken is sent again. */
static void end_early(const struct options *set)
{
    const uint8_t *block = fill_block(set->early);
    SSLChannelInfo channel;

    need(SSL_GetChannelInfo(it.ssl, &channel, sizeof(channel)) == SECSuccess, "no facts");
    it.early = channel.earlyDataAccepted ? "accepted" : "rejected";
    if (!channel.earlyDataAccepted) {
        need(PR_Write(it.ssl, block, (PRInt32)set->early) == (PRInt32)set->early, "writing failed");
    }
    read_back(block, set->early);
}

static void open_connection(const struct options *set, int fd)
{
    bool early = set->early > 0 && it.connections++ > 0;

    it.asked_name[0] = '\0';
    it.early = NULL;
    it.ssl = SSL_ImportFD(NULL, import_socket(fd));
    need(it.ssl != NULL, "no connection");
    configure(set);
    need(SSL_ResetHandshake(it.ssl, set->server) == SECSuccess, "no handshake");
    if (early) {
        write_early(set);
    }
    /* A server comes back when there is early data to be read. */
    need(SSL_ForceHandshake(it.ssl) == SECSuccess ||
             (set->max_early > 0 && PR_GetError() == PR_WOULD_BLOCK_ERROR),
         "the handshake failed");
    if (early) {
        end_early(set);
    }
}

static size_t read_some(uint8_t *data, size_t cap)
{
    PRInt32 got;

    do {
        got = PR_Read(it.ssl, data, (PRInt32)cap);
    } while (got < 0 && PR_GetError() == PR_WOULD_BLOCK_ERROR);
    need(got >= 0, "reading failed");
    return (size_t)got;
}

static void write_all(const uint8_t *data, size_t len)
{
    need(PR_Write(it.ssl, data, (PRInt32)len) == (PRInt32)len, "writing failed");
}

static void close_connection(void)
{
    need(PR_Shutdown(it.ssl, PR_SHUTDOWN_SEND) == PR_SUCCESS, "closing failed");
}

static void tell(struct facts *facts)
{
    CERTCertificate *peer = SSL_PeerCertificate(it.ssl);
    SSLChannelInfo channel;
    SSLNextProtoState state = SSL_NEXT_PROTO_NO_SUPPORT;
    unsigned char alpn[64];
    unsigned int alpn_len = 0;

    snprintf(facts->sni, sizeof(facts->sni), "%s", it.asked_name);
    if (SSL_GetNextProto(it.ssl, &state, alpn, &alpn_len, sizeof(alpn)) == SECSuccess &&
        state != SSL_NEXT_PROTO_NO_SUPPORT && state != SSL_NEXT_PROTO_NO_OVERLAP) {
        snprintf(facts->alpn, sizeof(facts->alpn), "%.*s", (int)alpn_len, alpn);
    }
    if (peer != NULL) {
        char *name = CERT_GetCommonName(&peer->subject);

        snprintf(facts->peer, sizeof(facts->peer), "%s", name != NULL ? name : "");
    }
    need(SSL_GetChannelInfo(it.ssl, &channel, sizeof(channel)) == SECSuccess, "no facts");
    facts->resumed = channel.resumed;
    facts->early = it.early;
    if (it.seen_before != NULL && channel.earlyDataAccepted) {
        facts->early = "accepted";
    }
}

/* A client's session is in a cache that the library looks into by itself. */
static void forget(const struct options *set)
{
    (void)set;
    need(PR_Close(it.ssl) == PR_SUCCESS, "closing failed");
}

const struct library library = { list,      start,     open_connection,
                                 read_some, write_all, close_connection,
                                 tell,      forget };
