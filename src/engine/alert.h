/*
 * Alerts: RFC 8446, 6. The one place that parses and answers them; fatal alerts of our own come
 * from conn->error and are queued here.
 */
#ifndef TENON_ENGINE_ALERT_H
#define TENON_ENGINE_ALERT_H

#include "engine/engine.h"

/* Takes the alert record that is current in c->in. TLS_OK: it is of no consequence. */
MUST_CHECK enum tls_status alert_receive(struct tls_conn *c);

/* Queues the alert that belongs to conn->error, unless there is none or it is queued already. */
void alert_queue_failure(struct tls_conn *c);

#endif
