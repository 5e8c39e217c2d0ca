/*
 * The control commands by subject. Each function answers whether cmd is one of its commands; if so,
 * *result is what SSL_ctrl() or SSL_CTX_ctrl() returns. Exactly one of s and ctx is not NULL.
 */
#ifndef TENON_API_CTRL_H
#define TENON_API_CTRL_H

#include "api/internal.h"

/* Modes, record sizes, versions, certificate flags: numbers in the settings. */
bool ctrl_numbers(SSL *s, SSL_CTX *ctx, int cmd, long larg, long *result);

/* Groups, signature algorithms, Diffie-Hellman parameters. */
bool ctrl_negotiation(SSL *s, SSL_CTX *ctx, int cmd, long larg, void *parg, long *result);

/* Certificates, chains and stores. */
bool ctrl_certificates(SSL *s, SSL_CTX *ctx, int cmd, long larg, void *parg, long *result);

/* What a connection knows of its peer and of the handshake; what it was told to send. */
bool ctrl_connection(SSL *s, int cmd, long larg, void *parg, long *result);

/* The session cache, its statistics, tickets; callbacks' arguments; extra certificates. */
bool ctrl_context(SSL_CTX *ctx, int cmd, long larg, void *parg, long *result);

#endif
