/* SPDX-License-Identifier: Apache-2.0
 *
 * What the secure channel of a "ferry local" verb is opened with. The method comes from the card, the key
 * from the person; all that can be wrong without the card is found before the card is asked. */
#include "local_channel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <gp/weak.h>
#include <session/outcome.h>

#include "identify.h"
#include "local_opening.h"
#include "profile.h"

enum {
    TYPE_DES = 0x80, /* GPCS 2.3.1 table 11-16 */
    TYPE_DES_LAST = 0x84,
    TYPE_AES = 0x88,
    CERTIFICATE_FILE_MAX = 16 * 1024
};

bool local_has_key(const struct local *l)
{
    return l->o.key.origin != KEY_FROM_NOWHERE || l->o.oce_key != NULL || l->o.host_key != NULL;
}

/* ---- which method */

bool local_announces(const struct identity *id, const struct channel_method *m)
{
    for (size_t n = 0; n < id->scp_count; n++)
        if (id->scps[n].scp == m->scp && id->scps[n].i == m->i)
            return true;
    return false;
}

bool local_is_symmetric(const struct channel_method *m)
{
    return !m->keyed_opening && m->scp <= SCP03;
}

/* Amendment F 5.1: the card announces with one i which variants it has, and in bit 7 that its MACs have 16
 * bytes. The rows have the parameter of the variant, and bit 8 for that. */
static bool scp11_mode_fits(const struct identity *id, const struct channel_method *m)
{
    enum { ANNOUNCED_S16 = 0x40, ROW_S16 = 0x80 };
    bool long_macs = false;
    for (size_t n = 0; n < id->scp_count; n++)
        long_macs |= id->scps[n].scp == SCP11 && (id->scps[n].i & ANNOUNCED_S16) != 0;
    return ((m->i & ROW_S16) != 0) == long_macs;
}

/* Whether the key set that was asked for may belong to the method: SCP01 and SCP02 have DES keys. */
static bool keys_fit(const struct identity *id, uint8_t kvn, const struct channel_method *m)
{
    bool any = false;
    for (size_t n = 0; n < id->key_count; n++) {
        const struct key_info *k = &id->keys[n];
        if (k->id < 1 || k->id > 3 || (kvn != 0 && k->version != kvn))
            continue;
        any = true;
        if (m->key_type == KEY_AES ? k->type == TYPE_AES : k->type >= TYPE_DES && k->type <= TYPE_DES_LAST)
            return true;
    }
    return !any;
}

static bool may_be(const struct method_wish *w, const struct channel_method *m)
{
    bool named = w->name[0] != '\0';
    if (named && strcmp(w->name, m->name) != 0)
        return false;
    if (w->i >= 0)
        return m->i == w->i;
    if (!local_is_symmetric(m))
        return named && (m->scp != SCP11 || scp11_mode_fits(w->id, m));
    /* A card that announces nothing tells protocol and i in its answer, if it is SCP03. */
    if (w->id->scp_count == 0)
        return m->scp == SCP03 && m->host_challenge_len == 8;
    return local_announces(w->id, m) && keys_fit(w->id, w->kvn, m);
}

enum err local_choose_method(const struct method_wish *w, const struct channel_method **out)
{
    size_t count;
    const struct channel_method *best = NULL, *m = channel_methods(&count);
    bool unclear = false;
    for (; count > 0; m++, count--) {
        if (!may_be(w, m))
            continue;
        if (best != NULL && m->scp < best->scp)
            continue;
        /* F0 answers which row it is. */
        if (best != NULL && m->scp == best->scp && !local_is_symmetric(m))
            continue;
        /* SCP03 tells its i in its answer, SCP01 and SCP02 do not; the question must have the right length.
         */
        bool same = best != NULL && m->scp == best->scp;
        unclear = same && (unclear || m->scp < SCP03 || m->host_challenge_len != best->host_challenge_len);
        best = m;
    }
    if (best == NULL)
        return ERR_UNSUPPORTED;
    if (unclear)
        return ERR_CONFLICT;
    *out = best;
    return OK;
}

static void put_announced(const struct identity *id, char *text, size_t len)
{
    size_t at = 0;
    for (size_t n = 0; n < id->scp_count && at < len; n++)
        at += (size_t)snprintf(text + at, len - at, "%sSCP%02X:%02X", n > 0 ? ", " : "", id->scps[n].scp,
                               id->scps[n].i);
}

static int choose(struct local *l, const struct channel_method **method)
{
    char announced[16 * SCP_INFO_MAX] = "nothing";
    const struct method_wish wish = {.id = &l->domain, .name = l->o.method, .i = l->o.i, .kvn = l->o.kvn};
    enum err e = local_choose_method(&wish, method);
    put_announced(&l->domain, announced, sizeof(announced));
    if (e == ERR_CONFLICT)
        return local_fail(
            l, EXIT_UNKNOWN_CARD,
            "the card announces %s and will not say which of them it speaks: name it with --method",
            announced);
    if (e != OK)
        return local_fail(l, EXIT_UNKNOWN_CARD,
                          "the card announces %s: none of these is a method that can be used here%s",
                          announced, l->o.method[0] != '\0' ? " and is named by --method" : "");
    return EXIT_OK;
}

/* ---- which protection */

int local_choose_level(struct local *l, const struct channel_method *m, uint8_t *level)
{
    char levels[32] = "";
    assert(m != NULL);
    *level = 0;
    for (const uint8_t *n = m->levels; *n != 0; n++) {
        size_t len = strlen(levels);
        snprintf(levels + len, sizeof(levels) - len, "%s%02X", len > 0 ? ", " : "", *n);
        *level = *n; /* the strongest is last */
    }
    if (l->o.level < 0)
        return EXIT_OK;
    *level = (uint8_t)l->o.level;
    if (!channel_level_ok(m, *level))
        return local_fail(l, EXIT_USAGE, "--level: %s i=%02X can do %s", m->name, m->i, levels);
    return EXIT_OK;
}

/* ---- which keys */

/* A key of another length is found out without a try. */
static int check_told_length(struct local *l)
{
    bool told = false, fits = false;
    unsigned len = 0;
    for (size_t n = 0; n < l->domain.key_count; n++) {
        const struct key_info *k = &l->domain.keys[n];
        if (k->id < 1 || k->id > 3 || k->len == 0 || (l->o.kvn != 0 && k->version != l->o.kvn))
            continue;
        told = true;
        len = k->len;
        fits |= k->len == l->keys.given.enc.len;
    }
    if (!told || fits)
        return EXIT_OK;
    return local_fail(l, EXIT_USAGE, "the card says that its keys have %u bytes, and this one has %zu", len,
                      l->keys.given.enc.len);
}

static int read_card_keys(struct local *l, const struct channel_method *m)
{
    struct key_problem why = {""};
    struct key_source source = l->o.key;
    if (source.origin == KEY_FROM_NOWHERE)
        source.origin = KEY_FROM_PROMPT;
    enum err e = key_source_read(&source, "card key", &l->keys.given, &why);
    if (e != OK)
        return local_fail(l, EXIT_USAGE, "%s%s", why.text,
                          l->o.key.origin == KEY_FROM_NOWHERE
                              ? " (use --key FILE, --key-env NAME, or --default-key for the test key)"
                              : "");
    card_keys_be(&l->keys.given, m->key_type);
    l->keys.has_card = true;
    if (!channel_keys_fit(m, l->keys.given.type, l->keys.given.enc.len))
        return local_fail(l, EXIT_USAGE, "%s takes %s keys, and this one has %zu bytes", m->name,
                          m->key_type == KEY_AES ? "AES" : "Triple-DES", l->keys.given.enc.len);
    int code = local_check_weak(l, weak_of_key(l->keys.given.type, l->keys.given.enc.len));
    return code == EXIT_OK ? check_told_length(l) : code;
}

static int read_pair(struct local *l, const char *path, const char *option, bool private, struct pk **out)
{
    struct key_problem why = {""};
    if (path == NULL)
        return local_fail(l, EXIT_USAGE, "this method needs a key: give it with --%s", option);
    if (key_pem_read(path, out, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    if (private && !pk_is_private(*out))
        return local_fail(l, EXIT_USAGE, "%s holds no private key", path);
    return local_check_weak(l, weak_of_pk(*out));
}

static int read_certificates(struct local *l)
{
    for (size_t n = 0; n < l->o.certificate_count; n++) {
        struct key_problem why = {""};
        wr_heap(&l->keys.chain[n], CERTIFICATE_FILE_MAX);
        if (key_certificate_read(l->o.certificates[n], &l->keys.chain[n], &why) != OK)
            return local_fail(l, EXIT_USAGE, "%s", why.text);
        l->keys.certificates[n] = wr_view_of(&l->keys.chain[n]);
    }
    return EXIT_OK;
}

static int read_keys(struct local *l, const struct channel_method *m)
{
    if (local_is_symmetric(m))
        return read_card_keys(l, m);
    bool scp11 = !m->authenticates, needs_host = !scp11 || strcmp(m->name, "SCP11b") != 0;
    int code = EXIT_OK;
    if (needs_host)
        code = read_pair(l, scp11 ? l->o.oce_key : l->o.host_key, scp11 ? "oce-key" : "host-key", true,
                         &l->keys.host);
    if (code == EXIT_OK)
        code = read_pair(l, scp11 ? l->o.ca_key : l->o.card_key, scp11 ? "ca-key" : "card-key", false,
                         &l->keys.peer);
    return code == EXIT_OK ? read_certificates(l) : code;
}

struct channel_keys local_lend_keys(const struct local *l)
{
    return (struct channel_keys){.card = l->keys.has_card ? &l->keys.card : NULL,
                                 .host = l->keys.host,
                                 .peer = l->keys.peer,
                                 .certificates = l->keys.certificates,
                                 .certificate_count = l->o.certificate_count,
                                 .ca_kvn = l->o.ca_kvn,
                                 .ca_kid = l->o.ca_kid};
}

/* ---- all of it */

int local_open(struct local *l)
{
    struct opening o = {.method = NULL};
    int code = local_select_domain(l);
    if (code == EXIT_OK)
        code = choose(l, &o.method);
    if (code == EXIT_OK)
        code = local_check_weak(l, weak_of_method(o.method));
    if (code == EXIT_OK)
        code = local_choose_level(l, o.method, &o.level);
    if (code == EXIT_OK && l->o.i >= 0) /* otherwise the card says which it is */
        code = opening_check_extended(l, o.method, o.level);
    if (code == EXIT_OK && !l->keys.has_card)
        code = read_keys(l, o.method);
    if (code == EXIT_OK)
        code = local_open_ledger(l);
    if (code == EXIT_OK)
        code = local_count_opening(l, l->o.kvn);
    if (code == EXIT_OK)
        code = opening_run(l, &o);
    return code;
}

int local_open_again(struct local *l, const struct card_keys *keys, uint8_t kvn)
{
    struct identity before = l->domain;
    const struct channel_method *m = channel_method_of(l->channel);
    bool same = local_is_symmetric(m) && m->key_type == keys->type;
    snprintf(l->o.method, sizeof(l->o.method), "%s", same ? m->name : "");
    l->o.i = same ? m->i : -1;
    l->o.level = same ? channel_level(l->channel) : -1;
    l->o.kid = same ? l->o.kid : 0; /* it named a key of the other method */
    channel_free(&l->channel);
    l->keys.given = *keys;
    l->keys.has_card = true;
    l->o.kdf = KDF_NONE;
    l->o.kvn = kvn;
    /* What the card says of its keys has changed, which decides among its methods. */
    const struct aid *aid = l->o.domain.len > 0 ? &l->o.domain : &l->o.isd;
    if (identify_card(&l->reader, aid_view(aid), &l->domain) != OK)
        l->domain = before;
    return local_open(l);
}
