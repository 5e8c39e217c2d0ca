/*
 * Linked to a program, this makes all its pairs speak TLS 1.2: the same test once more.
 */
#include "pair.h"

__attribute__((constructor)) static void use_tls12(void)
{
    pair_version = TLS1_2_VERSION;
}
