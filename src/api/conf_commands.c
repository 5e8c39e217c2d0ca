/*
 * The commands of SSL_CONF_cmd(3): a table of names, and what each sets on a connection or a
 * context.
 */
#include "api/conf.h"

#include "api/ca_list.h"
#include "api/certs.h"

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum conf_target { TARGET_OPTIONS, TARGET_CERT_FLAGS, TARGET_VERIFY_MODE };

enum {
    CLIENT = SSL_CONF_FLAG_CLIENT,
    SERVER = SSL_CONF_FLAG_SERVER,
    BOTH = CLIENT | SERVER,
    CERTIFICATE = SSL_CONF_FLAG_CERTIFICATE
};

/* --- Bits --- */

static void change_options(SSL_CONF_CTX *conf, uint64_t bits, bool on)
{
    if (conf->ctx != NULL) {
        (void)(on ? SSL_CTX_set_options(conf->ctx, bits) : SSL_CTX_clear_options(conf->ctx, bits));
    } else {
        (void)(on ? SSL_set_options(conf->ssl, bits) : SSL_clear_options(conf->ssl, bits));
    }
}

static void change_cert_flags(SSL_CONF_CTX *conf, uint32_t bits, bool on)
{
    struct ssl_config *config = settings_edit(conf->ssl, conf->ctx);

    if (config != NULL) {
        config->cert_flags = on ? config->cert_flags | bits : config->cert_flags & ~bits;
    }
}

static void change_verify_mode(SSL_CONF_CTX *conf, int bits, bool on)
{
    const struct ssl_config *config = settings_of(conf->ssl, conf->ctx);
    int mode = on ? config->verify_mode | bits : config->verify_mode & ~bits;

    if (conf->ctx != NULL) {
        SSL_CTX_set_verify(conf->ctx, mode, config->verify_callback);
    } else {
        SSL_set_verify(conf->ssl, mode, NULL);
    }
}

static void change_bits(SSL_CONF_CTX *conf, enum conf_target target, uint64_t bits, bool on)
{
    if (conf->ctx == NULL && conf->ssl == NULL) {
        return;
    }
    switch (target) {
    case TARGET_OPTIONS:
        change_options(conf, bits, on);
        break;
    case TARGET_CERT_FLAGS:
        change_cert_flags(conf, (uint32_t)bits, on);
        break;
    case TARGET_VERIFY_MODE:
        change_verify_mode(conf, (int)bits, on);
        break;
    }
}

void conf_run_switch(SSL_CONF_CTX *conf, const struct conf_command *command)
{
    change_bits(conf, (enum conf_target)command->target, command->bits, !command->inverted);
}

/* --- Lists of named bits --- */

struct named_bits {
    const char *name;
    unsigned for_roles; /* of CLIENT and SERVER, one of which the context must have */
    bool inverted;      /* naming it clears the bits */
    uint64_t bits;
};

struct bit_list {
    SSL_CONF_CTX *conf;
    enum conf_target target;
    const struct named_bits *names;
    size_t num;
};

/* One element of a list: a name, maybe with + or - before it. Called by CONF_parse_list(). */
static int change_element(const char *element, int len, void *arg)
{
    const struct bit_list *list = arg;
    bool on = true;

    if (element == NULL || len <= 0) {
        return 0;
    }
    if (*element == '+' || *element == '-') {
        on = *element == '+';
        element++;
        len--;
    }
    for (size_t i = 0; i < list->num; i++) {
        const struct named_bits *candidate = &list->names[i];

        if ((list->conf->flags & candidate->for_roles) != 0 &&
            strlen(candidate->name) == (size_t)len &&
            strncasecmp(candidate->name, element, (size_t)len) == 0) {
            change_bits(list->conf, list->target, candidate->bits, on != candidate->inverted);
            return 1;
        }
    }
    return 0;
}

static int change_list(SSL_CONF_CTX *conf, const char *value, enum conf_target target,
                       const struct named_bits *names, size_t num)
{
    struct bit_list list = { conf, target, names, num };

    return CONF_parse_list(value, ',', 1, change_element, &list);
}

static int run_protocol(SSL_CONF_CTX *conf, const char *value)
{
    static const struct named_bits names[] = {
        { "ALL", BOTH, true, SSL_OP_NO_SSL_MASK },
        { "SSLv2", BOTH, true, 0 },
        { "SSLv3", BOTH, true, SSL_OP_NO_SSLv3 },
        { "TLSv1", BOTH, true, SSL_OP_NO_TLSv1 },
        { "TLSv1.1", BOTH, true, SSL_OP_NO_TLSv1_1 },
        { "TLSv1.2", BOTH, true, SSL_OP_NO_TLSv1_2 },
        { "TLSv1.3", BOTH, true, SSL_OP_NO_TLSv1_3 },
        { "DTLSv1", BOTH, true, SSL_OP_NO_DTLSv1 },
        { "DTLSv1.2", BOTH, true, SSL_OP_NO_DTLSv1_2 },
    };

    return change_list(conf, value, TARGET_OPTIONS, names, COUNT_OF(names));
}

static int run_options(SSL_CONF_CTX *conf, const char *value)
{
    static const struct named_bits names[] = {
        { "SessionTicket", BOTH, true, SSL_OP_NO_TICKET },
        { "EmptyFragments", BOTH, true, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS },
        { "Bugs", BOTH, false, SSL_OP_ALL },
        { "Compression", BOTH, true, SSL_OP_NO_COMPRESSION },
        { "ServerPreference", SERVER, false, SSL_OP_CIPHER_SERVER_PREFERENCE },
        { "NoResumptionOnRenegotiation", SERVER, false,
          SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION },
        { "DHSingle", SERVER, false, SSL_OP_SINGLE_DH_USE },
        { "ECDHSingle", SERVER, false, SSL_OP_SINGLE_ECDH_USE },
        { "UnsafeLegacyRenegotiation", BOTH, false, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION },
        { "UnsafeLegacyServerConnect", BOTH, false, SSL_OP_LEGACY_SERVER_CONNECT },
        { "ClientRenegotiation", BOTH, false, SSL_OP_ALLOW_CLIENT_RENEGOTIATION },
        { "EncryptThenMac", BOTH, true, SSL_OP_NO_ENCRYPT_THEN_MAC },
        { "NoRenegotiation", BOTH, false, SSL_OP_NO_RENEGOTIATION },
        { "AllowNoDHEKEX", BOTH, false, SSL_OP_ALLOW_NO_DHE_KEX },
        { "PrioritizeChaCha", BOTH, false, SSL_OP_PRIORITIZE_CHACHA },
        { "MiddleboxCompat", BOTH, false, SSL_OP_ENABLE_MIDDLEBOX_COMPAT },
        { "AntiReplay", BOTH, true, SSL_OP_NO_ANTI_REPLAY },
        { "ExtendedMasterSecret", BOTH, true, SSL_OP_NO_EXTENDED_MASTER_SECRET },
        { "CANames", BOTH, true, SSL_OP_DISABLE_TLSEXT_CA_NAMES },
        { "KTLS", BOTH, false, SSL_OP_ENABLE_KTLS },
    };

    return change_list(conf, value, TARGET_OPTIONS, names, COUNT_OF(names));
}

static int run_verify_mode(SSL_CONF_CTX *conf, const char *value)
{
    static const struct named_bits names[] = {
        { "Peer", CLIENT, false, SSL_VERIFY_PEER },
        { "Request", SERVER, false, SSL_VERIFY_PEER },
        { "Require", SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT },
        { "Once", SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE },
        { "RequestPostHandshake", SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE },
        { "RequirePostHandshake", SERVER, false,
          SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE | SSL_VERIFY_FAIL_IF_NO_PEER_CERT },
    };

    return change_list(conf, value, TARGET_VERIFY_MODE, names, COUNT_OF(names));
}

/* --- Algorithms --- */

/* A control command with a string. Without an object the context is NULL, which makes it a check of
 * the syntax. */
static int set_list(SSL_CONF_CTX *conf, int command, const char *value)
{
    /* The command only reads the string. */
    void *text = (void *)(uintptr_t)value;

    return conf->ssl != NULL ? SSL_ctrl(conf->ssl, command, 0, text) > 0
                             : SSL_CTX_ctrl(conf->ctx, command, 0, text) > 0;
}

static int run_sigalgs(SSL_CONF_CTX *conf, const char *value)
{
    return set_list(conf, SSL_CTRL_SET_SIGALGS_LIST, value);
}

static int run_client_sigalgs(SSL_CONF_CTX *conf, const char *value)
{
    return set_list(conf, SSL_CTRL_SET_CLIENT_SIGALGS_LIST, value);
}

static int run_groups(SSL_CONF_CTX *conf, const char *value)
{
    if (conf->ctx == NULL && conf->ssl == NULL) {
        return 1;
    }
    return set_list(conf, SSL_CTRL_SET_GROUPS_LIST, value);
}

/* A single group; "automatic" has been the default since long. */
static int run_ecdh_parameters(SSL_CONF_CTX *conf, const char *value)
{
    if ((conf->flags & SSL_CONF_FLAG_FILE) != 0 &&
        (strcasecmp(value, "+automatic") == 0 || strcasecmp(value, "automatic") == 0)) {
        return 1;
    }
    if ((conf->flags & SSL_CONF_FLAG_CMDLINE) != 0 && strcmp(value, "auto") == 0) {
        return 1;
    }
    return strchr(value, ':') == NULL && run_groups(conf, value);
}

static int run_ciphers(SSL_CONF_CTX *conf, const char *value)
{
    if (conf->ssl != NULL) {
        return SSL_set_cipher_list(conf->ssl, value);
    }
    return conf->ctx == NULL || SSL_CTX_set_cipher_list(conf->ctx, value);
}

static int run_ciphersuites(SSL_CONF_CTX *conf, const char *value)
{
    if (conf->ssl != NULL) {
        return SSL_set_ciphersuites(conf->ssl, value);
    }
    return conf->ctx == NULL || SSL_CTX_set_ciphersuites(conf->ctx, value);
}

/* The version a name stands for; -1: none. */
static int version_of_name(const char *name)
{
    static const struct {
        const char *name;
        int version;
    } versions[] = {
        { "None", 0 },
        { "SSLv3", SSL3_VERSION },
        { "TLSv1", TLS1_VERSION },
        { "TLSv1.1", TLS1_1_VERSION },
        { "TLSv1.2", TLS1_2_VERSION },
        { "TLSv1.3", TLS1_3_VERSION },
        { "DTLSv1", DTLS1_VERSION },
        { "DTLSv1.2", DTLS1_2_VERSION },
    };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (strcmp(versions[i].name, name) == 0) {
            return versions[i].version;
        }
    }
    return -1;
}

static int run_min_protocol(SSL_CONF_CTX *conf, const char *value)
{
    int version = version_of_name(value);

    if (version < 0 || (conf->ctx == NULL && conf->ssl == NULL)) {
        return 0;
    }
    return conf->ctx != NULL ? SSL_CTX_set_min_proto_version(conf->ctx, version) > 0
                             : SSL_set_min_proto_version(conf->ssl, version) > 0;
}

static int run_max_protocol(SSL_CONF_CTX *conf, const char *value)
{
    int version = version_of_name(value);

    if (version < 0 || (conf->ctx == NULL && conf->ssl == NULL)) {
        return 0;
    }
    return conf->ctx != NULL ? SSL_CTX_set_max_proto_version(conf->ctx, version) > 0
                             : SSL_set_max_proto_version(conf->ssl, version) > 0;
}

/* --- Numbers --- */

/* What does not begin with a number counts as 0, as atoi() has it. */
static int number_of(const char *value)
{
    long number = strtol(value, NULL, 10);

    return number < 0 ? -1 : number > INT32_MAX ? INT32_MAX : (int)number;
}

static int run_record_padding(SSL_CONF_CTX *conf, const char *value)
{
    int block = number_of(value);

    if (block < 0) {
        return 0;
    }
    if (conf->ssl != NULL) {
        return SSL_set_block_padding(conf->ssl, (size_t)block);
    }
    return conf->ctx != NULL && SSL_CTX_set_block_padding(conf->ctx, (size_t)block);
}

static int run_num_tickets(SSL_CONF_CTX *conf, const char *value)
{
    int num = number_of(value);

    if (num < 0) {
        return 0;
    }
    if (conf->ssl != NULL) {
        return SSL_set_num_tickets(conf->ssl, (size_t)num);
    }
    return conf->ctx != NULL && SSL_CTX_set_num_tickets(conf->ctx, (size_t)num);
}

/* --- Certificates and keys --- */

/* Remembers where the current certificate came from: its key may be in the same file. */
static bool remember_file(SSL_CONF_CTX *conf, const char *file)
{
    char **slot = &conf->cert_files[certs_current(conf->ssl, conf->ctx)];

    OPENSSL_free(*slot);
    *slot = OPENSSL_strdup(file);
    return *slot != NULL;
}

static int run_certificate(SSL_CONF_CTX *conf, const char *value)
{
    int used;

    if (conf->ctx == NULL && conf->ssl == NULL) {
        return 1;
    }
    used = conf->ctx != NULL ? SSL_CTX_use_certificate_chain_file(conf->ctx, value)
                             : SSL_use_certificate_chain_file(conf->ssl, value);
    if (used > 0 && (conf->flags & SSL_CONF_FLAG_REQUIRE_PRIVATE) != 0) {
        return remember_file(conf, value);
    }
    return used;
}

int conf_load_key(SSL_CONF_CTX *conf, const char *file)
{
    if ((conf->flags & SSL_CONF_FLAG_CERTIFICATE) == 0) {
        return -2;
    }
    if (conf->ctx != NULL) {
        return SSL_CTX_use_PrivateKey_file(conf->ctx, file, SSL_FILETYPE_PEM);
    }
    return conf->ssl == NULL || SSL_use_PrivateKey_file(conf->ssl, file, SSL_FILETYPE_PEM);
}

static int run_serverinfo_file(SSL_CONF_CTX *conf, const char *value)
{
    return conf->ctx == NULL || SSL_CTX_use_serverinfo_file(conf->ctx, value);
}

static int run_dh_parameters(SSL_CONF_CTX *conf, const char *value)
{
    EVP_PKEY *parameters;
    BIO *in;
    int set;

    if (conf->ctx == NULL && conf->ssl == NULL) {
        return 1;
    }
    in = certs_open_file(value);
    if (in == NULL) {
        return 0;
    }
    parameters = PEM_read_bio_Parameters_ex(in, NULL, settings_libctx(conf->ssl, conf->ctx),
                                            settings_propq(conf->ssl, conf->ctx));
    BIO_free(in);
    if (parameters == NULL) {
        return 0;
    }
    set = EVP_PKEY_is_a(parameters, "DH") &&
          (conf->ctx != NULL ? SSL_CTX_set0_tmp_dh_pkey(conf->ctx, parameters)
                             : SSL_set0_tmp_dh_pkey(conf->ssl, parameters));
    if (!set) {
        EVP_PKEY_free(parameters);
    }
    return set;
}

/* --- Stores and authorities --- */

enum source { SOURCE_FILE, SOURCE_DIR, SOURCE_STORE };

/* Loads certificates into the object's store for verification or for chains. */
static int load_store(SSL_CONF_CTX *conf, const char *value, enum source source, bool verify)
{
    OSSL_LIB_CTX *libctx;
    const char *propq;
    struct ssl_config *config;
    X509_STORE **store;

    if (conf->ctx == NULL && conf->ssl == NULL) {
        return 1;
    }
    config = settings_edit(conf->ssl, conf->ctx);
    if (config == NULL) {
        return 0;
    }
    libctx = settings_libctx(conf->ssl, conf->ctx);
    propq = settings_propq(conf->ssl, conf->ctx);
    store = verify ? &config->verify_store : &config->chain_store;
    if (*store == NULL) {
        *store = X509_STORE_new();
        if (*store == NULL) {
            return 0;
        }
    }
    switch (source) {
    case SOURCE_FILE:
        return X509_STORE_load_file_ex(*store, value, libctx, propq);
    case SOURCE_DIR:
        return X509_STORE_load_path(*store, value);
    case SOURCE_STORE:
        return X509_STORE_load_store_ex(*store, value, libctx, propq);
    }
    return 0;
}

static int run_chain_ca_file(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_FILE, false);
}

static int run_chain_ca_path(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_DIR, false);
}

static int run_chain_ca_store(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_STORE, false);
}

static int run_verify_ca_file(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_FILE, true);
}

static int run_verify_ca_path(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_DIR, true);
}

static int run_verify_ca_store(SSL_CONF_CTX *conf, const char *value)
{
    return load_store(conf, value, SOURCE_STORE, true);
}

/* The list that SSL_CONF_CTX_finish() hands over; NULL: out of memory. */
static STACK_OF(X509_NAME) *authorities_of(SSL_CONF_CTX *conf)
{
    if (conf->authorities == NULL) {
        conf->authorities = sk_X509_NAME_new_null();
    }
    return conf->authorities;
}

static int run_request_ca_file(SSL_CONF_CTX *conf, const char *value)
{
    STACK_OF(X509_NAME) *list = authorities_of(conf);

    return list != NULL && SSL_add_file_cert_subjects_to_stack(list, value);
}

static int run_request_ca_path(SSL_CONF_CTX *conf, const char *value)
{
    STACK_OF(X509_NAME) *list = authorities_of(conf);

    return list != NULL && SSL_add_dir_cert_subjects_to_stack(list, value);
}

static int run_request_ca_store(SSL_CONF_CTX *conf, const char *value)
{
    STACK_OF(X509_NAME) *list = authorities_of(conf);

    return list != NULL && SSL_add_store_cert_subjects_to_stack(list, value);
}

/* --- The table --- */

#define SWITCH(name, roles, what, clears, value)                                                   \
    {                                                                                              \
        name, NULL, roles, SSL_CONF_TYPE_NONE, NULL, what, clears, value                           \
    }
#define VALUE(line, file, needed, kind, function)                                                  \
    {                                                                                              \
        line, file, needed, SSL_CONF_TYPE_##kind, function, TARGET_OPTIONS, false, 0               \
    }

static const struct conf_command commands[] = {
    SWITCH("no_ssl3", 0, TARGET_OPTIONS, false, SSL_OP_NO_SSLv3),
    SWITCH("no_tls1", 0, TARGET_OPTIONS, false, SSL_OP_NO_TLSv1),
    SWITCH("no_tls1_1", 0, TARGET_OPTIONS, false, SSL_OP_NO_TLSv1_1),
    SWITCH("no_tls1_2", 0, TARGET_OPTIONS, false, SSL_OP_NO_TLSv1_2),
    SWITCH("no_tls1_3", 0, TARGET_OPTIONS, false, SSL_OP_NO_TLSv1_3),
    SWITCH("bugs", 0, TARGET_OPTIONS, false, SSL_OP_ALL),
    SWITCH("no_comp", 0, TARGET_OPTIONS, false, SSL_OP_NO_COMPRESSION),
    SWITCH("comp", 0, TARGET_OPTIONS, true, SSL_OP_NO_COMPRESSION),
    SWITCH("ecdh_single", SERVER, TARGET_OPTIONS, false, SSL_OP_SINGLE_ECDH_USE),
    SWITCH("no_ticket", 0, TARGET_OPTIONS, false, SSL_OP_NO_TICKET),
    SWITCH("serverpref", SERVER, TARGET_OPTIONS, false, SSL_OP_CIPHER_SERVER_PREFERENCE),
    SWITCH("legacy_renegotiation", 0, TARGET_OPTIONS, false,
           SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION),
    SWITCH("client_renegotiation", SERVER, TARGET_OPTIONS, false,
           SSL_OP_ALLOW_CLIENT_RENEGOTIATION),
    SWITCH("legacy_server_connect", CLIENT, TARGET_OPTIONS, false, SSL_OP_LEGACY_SERVER_CONNECT),
    SWITCH("no_renegotiation", 0, TARGET_OPTIONS, false, SSL_OP_NO_RENEGOTIATION),
    SWITCH("no_resumption_on_reneg", SERVER, TARGET_OPTIONS, false,
           SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION),
    SWITCH("no_legacy_server_connect", CLIENT, TARGET_OPTIONS, true, SSL_OP_LEGACY_SERVER_CONNECT),
    SWITCH("allow_no_dhe_kex", 0, TARGET_OPTIONS, false, SSL_OP_ALLOW_NO_DHE_KEX),
    SWITCH("prioritize_chacha", SERVER, TARGET_OPTIONS, false, SSL_OP_PRIORITIZE_CHACHA),
    SWITCH("strict", 0, TARGET_CERT_FLAGS, false, SSL_CERT_FLAG_TLS_STRICT),
    SWITCH("no_middlebox", 0, TARGET_OPTIONS, true, SSL_OP_ENABLE_MIDDLEBOX_COMPAT),
    SWITCH("anti_replay", SERVER, TARGET_OPTIONS, true, SSL_OP_NO_ANTI_REPLAY),
    SWITCH("no_anti_replay", SERVER, TARGET_OPTIONS, false, SSL_OP_NO_ANTI_REPLAY),
    SWITCH("no_etm", 0, TARGET_OPTIONS, false, SSL_OP_NO_ENCRYPT_THEN_MAC),

    VALUE("sigalgs", "SignatureAlgorithms", 0, STRING, run_sigalgs),
    VALUE("client_sigalgs", "ClientSignatureAlgorithms", 0, STRING, run_client_sigalgs),
    VALUE("curves", "Curves", 0, STRING, run_groups),
    VALUE("groups", "Groups", 0, STRING, run_groups),
    VALUE("named_curve", "ECDHParameters", SERVER, STRING, run_ecdh_parameters),
    VALUE("cipher", "CipherString", 0, STRING, run_ciphers),
    VALUE("ciphersuites", "Ciphersuites", 0, STRING, run_ciphersuites),
    VALUE(NULL, "Protocol", 0, STRING, run_protocol),
    VALUE("min_protocol", "MinProtocol", 0, STRING, run_min_protocol),
    VALUE("max_protocol", "MaxProtocol", 0, STRING, run_max_protocol),
    VALUE(NULL, "Options", 0, STRING, run_options),
    VALUE(NULL, "VerifyMode", 0, STRING, run_verify_mode),
    VALUE("cert", "Certificate", CERTIFICATE, FILE, run_certificate),
    VALUE("key", "PrivateKey", CERTIFICATE, FILE, conf_load_key),
    VALUE(NULL, "ServerInfoFile", SERVER | CERTIFICATE, FILE, run_serverinfo_file),
    VALUE("chainCApath", "ChainCAPath", CERTIFICATE, DIR, run_chain_ca_path),
    VALUE("chainCAfile", "ChainCAFile", CERTIFICATE, FILE, run_chain_ca_file),
    VALUE("chainCAstore", "ChainCAStore", CERTIFICATE, STORE, run_chain_ca_store),
    VALUE("verifyCApath", "VerifyCAPath", CERTIFICATE, DIR, run_verify_ca_path),
    VALUE("verifyCAfile", "VerifyCAFile", CERTIFICATE, FILE, run_verify_ca_file),
    VALUE("verifyCAstore", "VerifyCAStore", CERTIFICATE, STORE, run_verify_ca_store),
    VALUE("requestCAFile", "RequestCAFile", CERTIFICATE, FILE, run_request_ca_file),
    VALUE(NULL, "ClientCAFile", SERVER | CERTIFICATE, FILE, run_request_ca_file),
    VALUE(NULL, "RequestCAPath", CERTIFICATE, DIR, run_request_ca_path),
    VALUE(NULL, "ClientCAPath", SERVER | CERTIFICATE, DIR, run_request_ca_path),
    VALUE("requestCAStore", "RequestCAStore", CERTIFICATE, STORE, run_request_ca_store),
    VALUE(NULL, "ClientCAStore", SERVER | CERTIFICATE, STORE, run_request_ca_store),
    VALUE("dhparam", "DHParameters", SERVER | CERTIFICATE, FILE, run_dh_parameters),
    VALUE("record_padding", "RecordPadding", 0, STRING, run_record_padding),
    VALUE("num_tickets", "NumTickets", SERVER, STRING, run_num_tickets),
};

const struct conf_command *conf_command_find(const SSL_CONF_CTX *conf, const char *name)
{
    bool is_line = (conf->flags & SSL_CONF_FLAG_CMDLINE) != 0;
    bool is_file = (conf->flags & SSL_CONF_FLAG_FILE) != 0;

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        const struct conf_command *command = &commands[i];

        if ((conf->flags & command->needs) != command->needs) {
            continue;
        }
        if ((is_line && command->line_name != NULL && strcmp(command->line_name, name) == 0) ||
            (is_file && command->file_name != NULL && strcasecmp(command->file_name, name) == 0)) {
            return command;
        }
    }
    return NULL;
}
