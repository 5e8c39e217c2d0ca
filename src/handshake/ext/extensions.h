/*
 * Hello extensions (RFC 8446, 4.2): one row each in a table, and the walkers that check place,
 * duplicates, unsolicited answers and order once for all of them. Readers only record, writers only
 * report; what is chosen is chosen in negotiate.c.
 */
#ifndef TENON_HANDSHAKE_EXT_EXTENSIONS_H
#define TENON_HANDSHAKE_EXT_EXTENSIONS_H

#include "handshake/handshake.h"

/* The messages an extension may be in; the numbers of SSL_EXT_* for TLS 1.3. */
enum ext_place {
    /* Not places: has a meaning in DTLS alone, in TLS 1.2 alone, in TLS 1.3 alone. */
    EXT_DTLS_ONLY = 0x0002,
    EXT_TLS12_ONLY = 0x0010,
    EXT_TLS13_ONLY = 0x0020,
    EXT_CLIENT_HELLO = 0x0080,
    EXT_TLS12_SERVER_HELLO = 0x0100,
    EXT_SERVER_HELLO = 0x0200,
    EXT_ENCRYPTED_EXTENSIONS = 0x0400,
    EXT_HELLO_RETRY_REQUEST = 0x0800,
    EXT_CERTIFICATE = 0x1000,
    EXT_NEW_SESSION_TICKET = 0x2000,
    EXT_CERTIFICATE_REQUEST = 0x4000
};

/* Code points (IANA TLS ExtensionType values). */
enum ext_type {
    EXT_SERVER_NAME = 0,
    EXT_MAX_FRAGMENT_LENGTH = 1,
    EXT_STATUS_REQUEST = 5,
    EXT_SUPPORTED_GROUPS = 10,
    EXT_POINT_FORMATS = 11,
    EXT_SIGNATURE_ALGORITHMS = 13,
    EXT_USE_SRTP = 14,
    EXT_ALPN = 16,
    EXT_SCT = 18,
    EXT_PADDING = 21,
    EXT_ENCRYPT_THEN_MAC = 22,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_SESSION_TICKET = 35,
    EXT_PRE_SHARED_KEY = 41,
    EXT_EARLY_DATA = 42,
    EXT_SUPPORTED_VERSIONS = 43,
    EXT_COOKIE = 44,
    EXT_PSK_KEY_EXCHANGE_MODES = 45,
    EXT_CERTIFICATE_AUTHORITIES = 47,
    EXT_POST_HANDSHAKE_AUTH = 49,
    EXT_SIGNATURE_ALGORITHMS_CERT = 50,
    EXT_KEY_SHARE = 51,
    EXT_NEXT_PROTOCOL = 13172, /* never registered */
    EXT_RENEGOTIATION_INFO = 0xff01
};

struct extension {
    uint16_t type;
    unsigned where;
    /* In a request (ClientHello, CertificateRequest): whether it is to be sent, its body, and what
     * the other side records. */
    bool (*offer_due)(const struct handshake *hs, unsigned place);
    bool (*offer)(struct handshake *hs, unsigned place, struct writer *w);
    enum step_result (*on_offer)(struct handshake *hs, unsigned place, struct reader *body);
    /* In an answer (every other message): the same. */
    bool (*answer_due)(const struct handshake *hs, unsigned place);
    bool (*answer)(struct handshake *hs, unsigned place, struct writer *w);
    enum step_result (*on_answer)(struct handshake *hs, unsigned place, struct reader *body);
};

/* Writes the extension block of one message, its length included. cert and index: the certificate
 * entry in a Certificate message, else NULL and 0. */
enum step_result extensions_write(struct handshake *hs, unsigned place, struct writer *w,
                                  X509 *cert, size_t index);

/* Reads the extension block of a message other than ClientHello. block: its contents. chain, index:
 * the certificate entry, which is the last so far; else NULL and 0. */
enum step_result extensions_read(struct handshake *hs, unsigned place, struct reader block,
                                 struct peer_chain *chain, size_t index);

/* Splits a ClientHello's block into hello->extensions: form, number, duplicates, and that
 * pre_shared_key is last (RFC 8446, 4.2.11). */
enum step_result extensions_split(struct handshake *hs, struct client_hello *hello);

/* Calls on_offer for every extension of a split ClientHello. */
enum step_result extensions_read_hello(struct handshake *hs);

/* The body of one extension of a ClientHello; false: it is not there. */
bool client_hello_extension(const struct client_hello *hello, uint16_t type, struct reader *body);

/* True when list is a ProtocolNameList without its length (RFC 7301, 3.1): at least one name, and
 * each of at least one byte. */
bool alpn_is_protocol_list(struct reader list);

/* True when our ClientHello or CertificateRequest had the extension. */
bool extension_was_sent(const struct handshake *hs, uint16_t type);

/* True when the block that was read last had the extension. */
bool extension_was_seen(const struct handshake *hs, uint16_t type);

/* Reads a vector of at least one code point into *list (counted, host order). */
enum step_result extension_read_u16_list(struct handshake *hs, struct reader *body,
                                         struct blob **list);

/* --- Handlers: ext_hello.c --- */
bool versions_offer(struct handshake *hs, unsigned place, struct writer *w);
bool versions_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result versions_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool cookie_offer_due(const struct handshake *hs, unsigned place);
bool cookie_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result cookie_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool cookie_answer_due(const struct handshake *hs, unsigned place);
bool cookie_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result cookie_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool point_formats_offer_due(const struct handshake *hs, unsigned place);
bool groups_offer_due(const struct handshake *hs, unsigned place);
bool groups_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result groups_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool groups_answer_due(const struct handshake *hs, unsigned place);
enum step_result groups_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool key_share_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result key_share_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool key_share_answer_due(const struct handshake *hs, unsigned place);
bool key_share_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result key_share_on_answer(struct handshake *hs, unsigned place, struct reader *body);

bool point_formats_answer_due(const struct handshake *hs, unsigned place);
enum step_result point_formats_on_answer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result ticket_on_offer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result ticket_on_answer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result etm_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool etm_answer_due(const struct handshake *hs, unsigned place);
enum step_result etm_on_answer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result ems_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool ems_answer_due(const struct handshake *hs, unsigned place);
enum step_result ems_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool renegotiation_offer_due(const struct handshake *hs, unsigned place);
bool renegotiation_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result renegotiation_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool renegotiation_answer_due(const struct handshake *hs, unsigned place);
bool renegotiation_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result renegotiation_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool point_formats_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result point_formats_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool ticket_offer_due(const struct handshake *hs, unsigned place);
bool ticket_offer(struct handshake *hs, unsigned place, struct writer *w);
bool ticket_answer_due(const struct handshake *hs, unsigned place);
bool etm_offer_due(const struct handshake *hs, unsigned place);
bool ems_offer_due(const struct handshake *hs, unsigned place);
enum step_result nothing_on_offer(struct handshake *hs, unsigned place, struct reader *body);

/* --- ext_psk.c --- */
/* PskKeyExchangeMode (RFC 8446, 4.2.9). */
#define PSK_MODE_KE     0
#define PSK_MODE_DHE_KE 1
bool psk_modes_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result psk_modes_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool early_data_offer_due(const struct handshake *hs, unsigned place);
bool early_data_answer_due(const struct handshake *hs, unsigned place);
bool early_data_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result early_data_on_answer(struct handshake *hs, unsigned place, struct reader *body);
/* padding: RFC 7685. */
bool padding_offer_due(const struct handshake *hs, unsigned place);
bool padding_offer(struct handshake *hs, unsigned place, struct writer *w);

bool psk_offer_due(const struct handshake *hs, unsigned place);
bool psk_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result psk_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool psk_answer_due(const struct handshake *hs, unsigned place);
bool psk_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result psk_on_answer(struct handshake *hs, unsigned place, struct reader *body);

/* --- ext_auth.c --- */
bool sigalgs_offer_due(const struct handshake *hs, unsigned place);
bool sigalgs_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result sigalgs_on_offer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result sigalgs_cert_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool authorities_offer_due(const struct handshake *hs, unsigned place);
bool authorities_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result authorities_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool post_auth_offer_due(const struct handshake *hs, unsigned place);
bool post_auth_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result post_auth_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool status_offer_due(const struct handshake *hs, unsigned place);
bool status_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result status_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool status_answer_due(const struct handshake *hs, unsigned place);
bool status_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result status_on_answer(struct handshake *hs, unsigned place, struct reader *body);

bool scts_offer_due(const struct handshake *hs, unsigned place);
enum step_result scts_on_answer(struct handshake *hs, unsigned place, struct reader *body);

/* --- ext_app.c --- */
/* The host name in an extension of a ClientHello. False: not well-formed, or not one that DNS has.
 */
MUST_CHECK bool server_name_parse(struct reader *body, struct reader *name);
bool server_name_offer_due(const struct handshake *hs, unsigned place);
bool server_name_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result server_name_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool server_name_answer_due(const struct handshake *hs, unsigned place);
enum step_result server_name_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool srtp_offer_due(const struct handshake *hs, unsigned place);
bool srtp_offer(struct handshake *hs, unsigned place, struct writer *w);
bool alpn_offer_due(const struct handshake *hs, unsigned place);
bool alpn_offer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result alpn_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool alpn_answer_due(const struct handshake *hs, unsigned place);
bool alpn_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result alpn_on_answer(struct handshake *hs, unsigned place, struct reader *body);
bool max_fragment_offer_due(const struct handshake *hs, unsigned place);
bool max_fragment_answer_due(const struct handshake *hs, unsigned place);
bool max_fragment_write(struct handshake *hs, unsigned place, struct writer *w);
enum step_result max_fragment_on_offer(struct handshake *hs, unsigned place, struct reader *body);
enum step_result max_fragment_on_answer(struct handshake *hs, unsigned place, struct reader *body);

/* --- ext_npn.c --- */
bool npn_offer_due(const struct handshake *hs, unsigned place);
enum step_result npn_on_offer(struct handshake *hs, unsigned place, struct reader *body);
bool npn_answer_due(const struct handshake *hs, unsigned place);
bool npn_answer(struct handshake *hs, unsigned place, struct writer *w);
enum step_result npn_on_answer(struct handshake *hs, unsigned place, struct reader *body);

#endif
