/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of weak choices. */
#include "local_weak.h"

#include <string.h>

static const struct {
    const char *name, *text;
} rows[WEAK_COUNT] = {
    [WEAK_DES] = {"des", "Single DES keys are found by trying them all."},
    [WEAK_SCP01] = {"scp01", "SCP01 is deprecated, and its MACs are not chained to the answers."},
    [WEAK_SCP02] = {"scp02",
                    "SCP02 is deprecated: its encryption tells of the plain text (CBC with a known start)."},
    [WEAK_RSA_1024] = {"rsa1024", "RSA keys of 1024 bits are too short."},
    [WEAK_SHA1] = {"sha1", "SHA-1 does not withstand collisions."},
};

unsigned weak_bit(unsigned w)
{
    return 1u << w;
}

const char *weak_name(unsigned w)
{
    return rows[w].name;
}

const char *weak_text(unsigned w)
{
    return rows[w].text;
}

unsigned weak_method(const struct channel_method *m)
{
    return m->scp == SCP01 ? weak_bit(WEAK_SCP01) : m->scp == SCP02 ? weak_bit(WEAK_SCP02) : 0;
}

static bool find(const char *name, size_t len, unsigned *w)
{
    for (*w = 0; *w < WEAK_COUNT; (*w)++)
        if (strlen(rows[*w].name) == len && strncmp(rows[*w].name, name, len) == 0)
            return true;
    return false;
}

enum err weak_set_parse(const char *text, unsigned *out)
{
    unsigned set = 0, w;
    for (const char *name = text;; name++) {
        size_t len = strcspn(name, ",");
        if (!find(name, len, &w))
            return ERR_FORMAT;
        set |= weak_bit(w);
        name += len;
        if (*name == '\0')
            break;
    }
    *out = set;
    return OK;
}
