/*
 * Linked to a program, this makes all its pairs speak USE_VERSION: the same test once more.
 */
#include "pair.h"

__attribute__((constructor)) static void use_version(void)
{
    pair_version = USE_VERSION;
}
