/*
 * Handshake states as applications see them through SSL_get_state(3): the numbers of
 * OSSL_HANDSHAKE_STATE in <openssl/ssl.h>, which the layers below api/ do not include.
 * api/connect.c asserts that they agree.
 */
#ifndef TENON_HANDSHAKE_STATES_H
#define TENON_HANDSHAKE_STATES_H

enum handshake_state {
    STATE_BEFORE = 0,
    STATE_OK = 1,
    STATE_CR_SRVR_HELLO = 3,
    STATE_CR_CERT = 4,
    STATE_CR_CERT_REQ = 7,
    STATE_CR_SESSION_TICKET = 9,
    STATE_CR_CHANGE = 10,
    STATE_CR_FINISHED = 11,
    STATE_CW_CLNT_HELLO = 12,
    STATE_CW_CERT = 13,
    STATE_CW_CERT_VRFY = 15,
    STATE_CW_CHANGE = 16,
    STATE_CW_FINISHED = 18,
    STATE_SR_CLNT_HELLO = 20,
    STATE_SW_SRVR_HELLO = 22,
    STATE_SW_CERT = 23,
    STATE_SW_CERT_REQ = 25,
    STATE_SR_CERT = 27,
    STATE_SR_CERT_VRFY = 29,
    STATE_SR_FINISHED = 32,
    STATE_SW_CHANGE = 35,
    STATE_SW_FINISHED = 36,
    STATE_SW_ENCRYPTED_EXTENSIONS = 37,
    STATE_CR_ENCRYPTED_EXTENSIONS = 38,
    STATE_CR_CERT_VRFY = 39,
    STATE_SW_CERT_VRFY = 40,
    STATE_SW_KEY_UPDATE = 42,
    STATE_CW_KEY_UPDATE = 43,
    STATE_SR_KEY_UPDATE = 44,
    STATE_CR_KEY_UPDATE = 45,
    STATE_EARLY_DATA = 46
};

#endif
