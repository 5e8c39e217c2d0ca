/*
 * The transcript hash; see transcript.h.
 */
#include "handshake/transcript.h"

#include <openssl/crypto.h>
#include <string.h>

#define MESSAGE_HASH 254

bool transcript_add(struct transcript *t, const uint8_t *message, size_t len)
{
    bool hashed = t->running.hash != NULL;

    if ((!hashed || t->keep) && !buffer_append(&t->early, message, len)) {
        return false;
    }
    return !hashed || running_hash_update(&t->running, message, len);
}

bool transcript_start(struct transcript *t, const struct hash *h)
{
    if (t->running.hash == h) {
        return true;
    }
    if (t->running.hash != NULL || !running_hash_start(&t->running, h) ||
        !running_hash_update(&t->running, buffer_bytes(&t->early), buffer_len(&t->early))) {
        return false;
    }
    if (!t->keep) {
        buffer_wipe(&t->early);
    }
    return true;
}

bool transcript_retry(struct transcript *t, const struct hash *h)
{
    uint8_t message[4 + HASH_MAX_LEN] = { MESSAGE_HASH, 0, 0, (uint8_t)hash_len(h) };

    if (!hash_once(h, buffer_bytes(&t->early), buffer_len(&t->early), message + 4)) {
        return false;
    }
    buffer_wipe(&t->early);
    return running_hash_start(&t->running, h) &&
           running_hash_update(&t->running, message, 4 + hash_len(h));
}

bool transcript_peek(const struct transcript *t, uint8_t *out)
{
    return running_hash_peek(&t->running, out);
}

bool transcript_continue(struct transcript *t, const struct running_hash *from)
{
    transcript_wipe(t);
    return running_hash_copy(&t->running, from);
}

void transcript_wipe(struct transcript *t)
{
    buffer_wipe(&t->early);
    running_hash_wipe(&t->running);
}
