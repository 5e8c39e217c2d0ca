/*
 * What all protections share; see protection.h.
 */
#include "record/protection.h"

void protection_rest(struct protection *p)
{
    if (p != NULL && p->ops->rest != NULL) {
        p->ops->rest(p);
    }
}

void protection_free(struct protection *p)
{
    if (p != NULL) {
        p->ops->free(p);
    }
}
