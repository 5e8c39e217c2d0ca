/*
 * What the runner asks the shim for: its command line, as ssl/test/PORTING.md and the runner's
 * source describe it.
 */
#ifndef BOGO_FLAGS_H
#define BOGO_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#define EXIT_UNIMPLEMENTED 89 /* the runner then counts the test as skipped */

struct bytes {
    unsigned char *data;
    size_t length;
};

/* Numbers of a flag that is given once for each, such as -curves. */
struct numbers {
    int at[64];
    size_t count;
};

/* The settings of one connection. Each member is named as its flag is. */
struct config {
    int port;
    bool server;
    int resume_count;
    const char *write_settings; /* prefix of the names of files that describe this test */

    const char *key_file, *cert_file;
    int min_version, max_version, expect_version;
    bool no_tls13, no_tls12, no_tls11, no_tls1, fallback_scsv;
    const char *cipher;
    bool server_preference;
    struct numbers curves, signing_prefs, verify_prefs;

    bool async, partial_write, implicit_handshake, handshake_twice, no_op_extra_handshake;
    bool shim_writes_first, shim_shuts_down, check_close_notify, read_with_unfinished_write;
    bool write_different_record_sizes, peek_then_read, key_update;
    int read_size, max_send_fragment, max_cert_list;

    const char *host_name, *expect_server_name;
    const char *advertise_alpn, *expect_alpn, *select_alpn, *expect_advertised_alpn;
    bool decline_alpn, reject_alpn, select_empty_alpn;
    const char *advertise_npn, *select_next_proto, *expect_next_proto;
    const char *srtp_profiles;

    bool require_any_client_certificate, verify_peer, verify_fail, expect_verify_result;
    bool use_custom_verify_callback, use_old_client_cert_callback, fail_cert_callback;
    bool use_early_callback, fail_early_callback;
    const char *use_client_ca_list, *expect_peer_cert_file;

    bool enable_ocsp_stapling, use_ocsp_callback, set_ocsp_in_callback, decline_ocsp_callback;
    bool fail_ocsp_callback, enable_signed_cert_timestamps;
    struct bytes ocsp_response, expect_ocsp_response;

    bool no_ticket, use_ticket_callback, renew_ticket;
    bool expect_session_miss, expect_session_id, expect_no_session_id, expect_no_session;
    bool expect_ticket_supports_early_data;
    bool enable_early_data, expect_accept_early_data, expect_reject_early_data;
    bool expect_no_offer_early_data;
    int resumption_delay;

    const char *psk, *psk_identity;
    int export_keying_material;
    const char *export_label, *export_context;
    bool use_export_context, use_exporter_between_reads, tls_unique;

    bool renegotiate_freely, forbid_renegotiation_after_handshake;
    int expect_total_renegotiations;
    bool expect_secure_renegotiation, expect_no_secure_renegotiation;
    bool expect_extended_master_secret, handshake_never_done;
    int expect_curve_id, expect_cipher;
};

/* The first connection, those that resume its session, and what follows early data that the peer
 * rejected. */
struct configs {
    struct config initial, resume, retry;
};

/* Reads the command line into *configs, which must be zero. Ends the program with
   EXIT_UNIMPLEMENTED at a flag that this shim does not know, and with 1 at a value that makes no
   sense. */
void flags_parse(struct configs *configs, int argc, char **argv);

void flags_free(struct configs *configs);

/* The bytes of hexadecimal digits; at most `capacity` of them. Returns how many, or 0. */
size_t flags_from_hex(const char *digits, size_t length, unsigned char *out, size_t capacity);

#endif
