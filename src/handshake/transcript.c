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

/* Begins with the hash of ClientHello1 as a message of its own. */
static bool start_with_hello(struct transcript *t, const struct hash *h, const uint8_t *hello)
{
    const uint8_t header[4] = { MESSAGE_HASH, 0, 0, (uint8_t)hash_len(h) };

    return running_hash_start(&t->running, h) &&
           running_hash_update(&t->running, header, sizeof header) &&
           running_hash_update(&t->running, hello, hash_len(h));
}

bool transcript_retry(struct transcript *t, const struct hash *h, uint8_t *hello)
{
    if (!hash_once(h, buffer_bytes(&t->early), buffer_len(&t->early), hello)) {
        return false;
    }
    buffer_wipe(&t->early);
    return start_with_hello(t, h, hello);
}

bool transcript_restore(struct transcript *t, const struct hash *h, const uint8_t *hello,
                        const uint8_t *retry, size_t retry_len, struct running_hash *before)
{
    bool ok = start_with_hello(t, h, hello) && running_hash_update(&t->running, retry, retry_len) &&
              running_hash_copy(before, &t->running) &&
              running_hash_update(&t->running, buffer_bytes(&t->early), buffer_len(&t->early));

    buffer_wipe(&t->early);
    return ok;
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
