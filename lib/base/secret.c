/* SPDX-License-Identifier: Apache-2.0
 *
 * Wiping and constant-time comparison. */
#include <base/secret.h>

#include <string.h>

enum err secret_set(struct secret *s, struct view v)
{
    secret_wipe(s);
    if (v.len > SECRET_MAX)
        return ERR_LIMIT;
    if (v.len > 0)
        memcpy(s->data, v.data, v.len);
    s->len = v.len;
    return OK;
}

void secret_wipe(struct secret *s)
{
    wipe(s, sizeof(*s));
}

struct view secret_view(const struct secret *s)
{
    return view_of(s->data, s->len);
}

bool secret_equal(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    volatile uint8_t differ = 0;
    for (size_t i = 0; i < a.len; i++)
        differ = (uint8_t)(differ | (a.data[i] ^ b.data[i]));
    return differ == 0;
}

void wipe(void *memory, size_t len)
{
    explicit_bzero(memory, len);
}
