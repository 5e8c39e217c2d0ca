/*
 * What a protocol method means for the objects made with it.
 */
#ifndef TENON_API_METHOD_H
#define TENON_API_METHOD_H

#include "api/internal.h"

/* The one version of the method; 0: any. */
uint16_t method_only_version(const SSL_METHOD *method);

/* True when objects with the method can be made; otherwise an error that says why was raised. */
MUST_CHECK bool method_is_usable(const SSL_METHOD *method);

#endif
