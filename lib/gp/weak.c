/* SPDX-License-Identifier: Apache-2.0
 *
 * What is weak, in one list. */
#include <gp/weak.h>

#include <string.h>

enum { RSA_STRONG_BITS = 2048 }; /* NIST SP 800-131A: 1024 is disallowed for new signatures */

static const struct {
    const char *name, *text;
} list[WEAK_COUNT] = {
    [WEAK_DES] = {"des", "single DES protects nothing: a key of 56 bits can be searched for"},
    [WEAK_SCP01] = {"scp01",
                    "SCP01 is withdrawn: its messages can be changed by who can try often enough, and "
                    "answers carry no proof"},
    [WEAK_SCP02] = {"scp02",
                    "SCP02 is deprecated: encryption with a zero initial value shows equal data, and some "
                    "cards tell whether padding is right"},
    [WEAK_RSA_1024] = {"rsa1024", "RSA below 2048 bits can be broken by who has the means"},
    [WEAK_SHA1] = {"sha1", "SHA-1 has collisions: a signature over one file may fit another"},
};

const char *weak_name(enum weak w)
{
    return (unsigned)w < WEAK_COUNT ? list[w].name : "unknown";
}

const char *weak_text(enum weak w)
{
    return (unsigned)w < WEAK_COUNT ? list[w].text : "unknown";
}

static weak_set set_of(enum weak w, bool is)
{
    return is ? 1u << w : 0;
}

weak_set weak_of_method(const struct channel_method *m)
{
    return set_of(WEAK_SCP01, m->scp == SCP01) | set_of(WEAK_SCP02, m->scp == SCP02);
}

weak_set weak_of_key(enum key_type type, size_t len)
{
    return set_of(WEAK_DES, type == KEY_DES) |
           set_of(WEAK_RSA_1024, type == KEY_RSA && len * 8 < RSA_STRONG_BITS);
}

weak_set weak_of_pk(const struct pk *k)
{
    return set_of(WEAK_RSA_1024, pk_algorithm(k) == PK_RSA && pk_bits(k) < RSA_STRONG_BITS);
}

weak_set weak_of_digest(enum digest d)
{
    return set_of(WEAK_SHA1, d == DIGEST_SHA1);
}

/* WEAK_COUNT when it is none. */
static enum weak by_name(struct view name)
{
    unsigned w = 0;
    while (w < WEAK_COUNT && !view_equal(name, view_str(list[w].name)))
        w++;
    return (enum weak)w;
}

/* Up to the next comma, or the end. */
static struct view next_name(struct view text)
{
    const uint8_t *comma = text.len > 0 ? memchr(text.data, ',', text.len) : NULL;
    return comma != NULL ? view_head(text, (size_t)(comma - text.data)) : text;
}

enum err weak_parse(struct view text, weak_set *out)
{
    weak_set set = 0;
    if (view_equal(text, view_str("none"))) {
        *out = 0;
        return OK;
    }
    for (bool more = true; more;) {
        struct view name = next_name(text);
        weak_set now = set_of(by_name(name), by_name(name) < WEAK_COUNT);
        if (now == 0 || (set & now) != 0)
            return ERR_FORMAT;
        set |= now;
        more = name.len < text.len;
        text = view_tail(text, name.len + 1);
    }
    *out = set;
    return OK;
}

void weak_put(struct writer *w, weak_set set)
{
    bool first = true;
    for (unsigned n = 0; n < WEAK_COUNT; n++) {
        if ((set & 1u << n) == 0)
            continue;
        wr_view(w, view_str(first ? "" : ","));
        wr_view(w, view_str(list[n].name));
        first = false;
    }
    if (first)
        wr_view(w, view_str("none"));
}

enum err weak_check(weak_set choices, weak_set allowed, enum weak *refused)
{
    for (unsigned n = 0; n < WEAK_COUNT; n++) {
        if ((choices & ~allowed & 1u << n) == 0)
            continue;
        if (refused != NULL)
            *refused = (enum weak)n;
        return ERR_POLICY;
    }
    return OK;
}
