#include "flags.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum kind {
    IS_BOOL,
    IS_INT,
    IS_TEXT,
    IS_BASE64,
    IS_NUMBERS,
    IS_IGNORED, /* what OpenSSL has no such thing as, and what the report shows anyway */
    IS_IGNORED_WITH_VALUE
};

struct flag {
    const char *name;
    enum kind kind;
    size_t offset;
};

#define FLAG(name, kind, member)                                                                   \
    {                                                                                              \
        name, kind, offsetof(struct config, member)                                                \
    }

static const struct flag flags[] = {
    FLAG("-port", IS_INT, port),
    FLAG("-server", IS_BOOL, server),
    FLAG("-resume-count", IS_INT, resume_count),
    FLAG("-write-settings", IS_TEXT, write_settings),
    FLAG("-key-file", IS_TEXT, key_file),
    FLAG("-cert-file", IS_TEXT, cert_file),
    FLAG("-min-version", IS_INT, min_version),
    FLAG("-max-version", IS_INT, max_version),
    FLAG("-expect-version", IS_INT, expect_version),
    FLAG("-no-tls13", IS_BOOL, no_tls13),
    FLAG("-no-tls12", IS_BOOL, no_tls12),
    FLAG("-no-tls11", IS_BOOL, no_tls11),
    FLAG("-no-tls1", IS_BOOL, no_tls1),
    FLAG("-fallback-scsv", IS_BOOL, fallback_scsv),
    FLAG("-cipher", IS_TEXT, cipher),
    FLAG("-server-preference", IS_BOOL, server_preference),
    FLAG("-curves", IS_NUMBERS, curves),
    FLAG("-signing-prefs", IS_NUMBERS, signing_prefs),
    FLAG("-verify-prefs", IS_NUMBERS, verify_prefs),
    FLAG("-async", IS_BOOL, async),
    FLAG("-partial-write", IS_BOOL, partial_write),
    FLAG("-implicit-handshake", IS_BOOL, implicit_handshake),
    FLAG("-handshake-twice", IS_BOOL, handshake_twice),
    FLAG("-no-op-extra-handshake", IS_BOOL, no_op_extra_handshake),
    FLAG("-shim-writes-first", IS_BOOL, shim_writes_first),
    FLAG("-shim-shuts-down", IS_BOOL, shim_shuts_down),
    FLAG("-check-close-notify", IS_BOOL, check_close_notify),
    FLAG("-read-with-unfinished-write", IS_BOOL, read_with_unfinished_write),
    FLAG("-write-different-record-sizes", IS_BOOL, write_different_record_sizes),
    FLAG("-peek-then-read", IS_BOOL, peek_then_read),
    FLAG("-key-update", IS_BOOL, key_update),
    FLAG("-read-size", IS_INT, read_size),
    FLAG("-max-send-fragment", IS_INT, max_send_fragment),
    FLAG("-max-cert-list", IS_INT, max_cert_list),
    FLAG("-host-name", IS_TEXT, host_name),
    FLAG("-expect-server-name", IS_TEXT, expect_server_name),
    FLAG("-advertise-alpn", IS_TEXT, advertise_alpn),
    FLAG("-expect-alpn", IS_TEXT, expect_alpn),
    FLAG("-select-alpn", IS_TEXT, select_alpn),
    FLAG("-expect-advertised-alpn", IS_TEXT, expect_advertised_alpn),
    FLAG("-decline-alpn", IS_BOOL, decline_alpn),
    FLAG("-reject-alpn", IS_BOOL, reject_alpn),
    FLAG("-select-empty-alpn", IS_BOOL, select_empty_alpn),
    FLAG("-advertise-npn", IS_TEXT, advertise_npn),
    FLAG("-select-next-proto", IS_TEXT, select_next_proto),
    FLAG("-expect-next-proto", IS_TEXT, expect_next_proto),
    FLAG("-srtp-profiles", IS_TEXT, srtp_profiles),
    FLAG("-require-any-client-certificate", IS_BOOL, require_any_client_certificate),
    FLAG("-verify-peer", IS_BOOL, verify_peer),
    FLAG("-verify-fail", IS_BOOL, verify_fail),
    FLAG("-expect-verify-result", IS_BOOL, expect_verify_result),
    FLAG("-use-custom-verify-callback", IS_BOOL, use_custom_verify_callback),
    FLAG("-use-old-client-cert-callback", IS_BOOL, use_old_client_cert_callback),
    FLAG("-fail-cert-callback", IS_BOOL, fail_cert_callback),
    FLAG("-use-early-callback", IS_BOOL, use_early_callback),
    FLAG("-fail-early-callback", IS_BOOL, fail_early_callback),
    FLAG("-use-client-ca-list", IS_TEXT, use_client_ca_list),
    FLAG("-expect-peer-cert-file", IS_TEXT, expect_peer_cert_file),
    FLAG("-enable-ocsp-stapling", IS_BOOL, enable_ocsp_stapling),
    FLAG("-use-ocsp-callback", IS_BOOL, use_ocsp_callback),
    FLAG("-set-ocsp-in-callback", IS_BOOL, set_ocsp_in_callback),
    FLAG("-decline-ocsp-callback", IS_BOOL, decline_ocsp_callback),
    FLAG("-fail-ocsp-callback", IS_BOOL, fail_ocsp_callback),
    FLAG("-enable-signed-cert-timestamps", IS_BOOL, enable_signed_cert_timestamps),
    FLAG("-ocsp-response", IS_BASE64, ocsp_response),
    FLAG("-expect-ocsp-response", IS_BASE64, expect_ocsp_response),
    FLAG("-no-ticket", IS_BOOL, no_ticket),
    FLAG("-use-ticket-callback", IS_BOOL, use_ticket_callback),
    FLAG("-renew-ticket", IS_BOOL, renew_ticket),
    FLAG("-expect-session-miss", IS_BOOL, expect_session_miss),
    FLAG("-expect-session-id", IS_BOOL, expect_session_id),
    FLAG("-expect-no-session-id", IS_BOOL, expect_no_session_id),
    FLAG("-expect-no-session", IS_BOOL, expect_no_session),
    FLAG("-expect-ticket-supports-early-data", IS_BOOL, expect_ticket_supports_early_data),
    FLAG("-enable-early-data", IS_BOOL, enable_early_data),
    FLAG("-expect-accept-early-data", IS_BOOL, expect_accept_early_data),
    FLAG("-expect-reject-early-data", IS_BOOL, expect_reject_early_data),
    FLAG("-expect-no-offer-early-data", IS_BOOL, expect_no_offer_early_data),
    FLAG("-resumption-delay", IS_INT, resumption_delay),
    FLAG("-psk", IS_TEXT, psk),
    FLAG("-psk-identity", IS_TEXT, psk_identity),
    FLAG("-export-keying-material", IS_INT, export_keying_material),
    FLAG("-export-label", IS_TEXT, export_label),
    FLAG("-export-context", IS_TEXT, export_context),
    FLAG("-use-export-context", IS_BOOL, use_export_context),
    FLAG("-use-exporter-between-reads", IS_BOOL, use_exporter_between_reads),
    FLAG("-tls-unique", IS_BOOL, tls_unique),
    FLAG("-renegotiate-freely", IS_BOOL, renegotiate_freely),
    FLAG("-forbid-renegotiation-after-handshake", IS_BOOL, forbid_renegotiation_after_handshake),
    FLAG("-expect-total-renegotiations", IS_INT, expect_total_renegotiations),
    FLAG("-expect-secure-renegotiation", IS_BOOL, expect_secure_renegotiation),
    FLAG("-expect-no-secure-renegotiation", IS_BOOL, expect_no_secure_renegotiation),
    FLAG("-expect-extended-master-secret", IS_BOOL, expect_extended_master_secret),
    FLAG("-handshake-never-done", IS_BOOL, handshake_never_done),
    FLAG("-expect-curve-id", IS_INT, expect_curve_id),
    FLAG("-expect-cipher", IS_INT, expect_cipher),
    { "-cbc-record-splitting", IS_IGNORED, 0 },
    { "-expect-ticket-renewal", IS_IGNORED, 0 },
    { "-expect-hrr", IS_IGNORED, 0 },
    { "-expect-no-hrr", IS_IGNORED, 0 },
    { "-allow-unknown-alpn-protos", IS_IGNORED, 0 },
    { "-allow-hint-mismatch", IS_IGNORED, 0 },
    { "-expect-msg-callback", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-peer-signature-algorithm", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-peer-verify-pref", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-certificate-types", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-client-ca-list", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-signed-cert-timestamps", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-ticket-age-skew", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-early-data-reason", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-cipher-aes", IS_IGNORED_WITH_VALUE, 0 },
    { "-expect-cipher-no-aes", IS_IGNORED_WITH_VALUE, 0 },
};

static void refuse(int status, const char *why, const char *name)
{
    fprintf(stderr, "%s: %s\n", why, name);
    exit(status);
}

static const struct flag *find(const char *name)
{
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(flags[i].name, name) == 0) {
            return &flags[i];
        }
    }
    refuse(EXIT_UNIMPLEMENTED, "unknown flag", name);
    return NULL;
}

static int to_int(const char *name, const char *value)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < INT_MIN || number > INT_MAX) {
        refuse(1, "not a number", name);
    }
    return (int)number;
}

static void from_base64(struct bytes *out, const char *name, const char *value)
{
    size_t length = strlen(value);
    int decoded;

    OPENSSL_free(out->data);
    out->data = OPENSSL_malloc(length + 1);
    decoded = out->data == NULL
                  ? -1
                  : EVP_DecodeBlock(out->data, (const unsigned char *)value, (int)length);
    if (decoded < 0) {
        refuse(1, "not base64", name);
    }
    out->length = (size_t)decoded;
    /* EVP_DecodeBlock counts what the padding stands for. */
    for (size_t i = length; i > 0 && value[i - 1] == '=' && out->length > 0; i--) {
        out->length--;
    }
}

static void set(struct config *config, const struct flag *flag, const char *value)
{
    void *member = (char *)config + flag->offset;

    switch (flag->kind) {
    case IS_BOOL:
        *(bool *)member = true;
        break;
    case IS_INT:
        *(int *)member = to_int(flag->name, value);
        break;
    case IS_TEXT:
        *(const char **)member = value;
        break;
    case IS_BASE64:
        from_base64(member, flag->name, value);
        break;
    case IS_NUMBERS: {
        struct numbers *numbers = member;

        if (numbers->count == sizeof(numbers->at) / sizeof(numbers->at[0])) {
            refuse(EXIT_UNIMPLEMENTED, "too many values", flag->name);
        }
        numbers->at[numbers->count++] = to_int(flag->name, value);
        break;
    }
    case IS_IGNORED:
    case IS_IGNORED_WITH_VALUE:
        break;
    }
}

/* Takes `prefix` off the front of *name when a flag follows it, and leaves that flag's dash. */
static bool take_prefix(const char **name, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*name, prefix, length) != 0 || (*name)[length] != '-') {
        return false;
    }
    *name += length;
    return true;
}

void flags_parse(struct configs *configs, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = NULL;
        bool initial, resume, retry, skipped;
        const struct flag *flag;

        (void)take_prefix(&name, "-on-shim");
        /* The handshaker is a process of its own that BoringSSL can hand a handshake over to. */
        skipped = take_prefix(&name, "-on-handshaker");
        initial = take_prefix(&name, "-on-initial");
        resume = !initial && take_prefix(&name, "-on-resume");
        retry = !initial && !resume && take_prefix(&name, "-on-retry");
        flag = find(name);
        if (flag->kind != IS_BOOL && flag->kind != IS_IGNORED) {
            if (++i == argc) {
                refuse(1, "missing value", name);
            }
            value = argv[i];
        }
        if (skipped) {
            continue;
        }
        if (!resume && !retry) {
            set(&configs->initial, flag, value);
        }
        if (!initial && !retry) {
            set(&configs->resume, flag, value);
        }
        if (!initial && !resume) {
            set(&configs->retry, flag, value);
        }
    }
}

void flags_free(struct configs *configs)
{
    struct config *each[] = { &configs->initial, &configs->resume, &configs->retry };

    for (size_t i = 0; i < 3; i++) {
        OPENSSL_free(each[i]->ocsp_response.data);
        OPENSSL_free(each[i]->expect_ocsp_response.data);
    }
}

size_t flags_from_hex(const char *digits, size_t length, unsigned char *out, size_t capacity)
{
    if (length % 2 != 0 || length / 2 > capacity) {
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        int digit = tolower((unsigned char)digits[i]), value;

        if (!isxdigit(digit)) {
            return 0;
        }
        value = isdigit(digit) ? digit - '0' : digit - 'a' + 10;
        out[i / 2] = (unsigned char)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
    }
    return length / 2;
}
