/*
 * Everything that a contract test uses; README.md beside it says how to add one.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "calls.h"
#include "identity.h"
#include "log.h"
#include "pair.h"
#include "wire.h"

#endif
