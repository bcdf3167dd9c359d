/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides from what is known of a card, before anything is made: whether the package can link there, whether
 * it is there already, and what stands in its way. */
#include <plan/decide.h>

#include <base/text.h>
#include <tlv/tlv.h>

enum { RID_LEN = 5 };

static bool is_package(const struct registry_entry *e)
{
    return e->subset == STATUS_PACKAGES || e->subset == STATUS_PACKAGES_MODULES;
}

const struct registry_entry *holds_package(const struct registry *holds, const struct aid *aid)
{
    for (size_t i = 0; i < holds->count; i++)
        if (is_package(&holds->entries[i]) && aid_equal(&holds->entries[i].aid, aid))
            return &holds->entries[i];
    return NULL;
}

static const struct registry_entry *holds_application(const struct registry *holds, const struct aid *aid)
{
    for (size_t i = 0; i < holds->count; i++)
        if (holds->entries[i].subset == STATUS_APPLICATIONS && aid_equal(&holds->entries[i].aid, aid))
            return &holds->entries[i];
    return NULL;
}

/* Older cards do not tell the package (C4): then an applet's own AID decides. */
bool holds_instance_of(const struct registry_entry *e, const struct cap *cap)
{
    if (e->subset != STATUS_APPLICATIONS)
        return false;
    if (e->package.len > 0)
        return aid_equal(&e->package, &cap->package.aid);
    for (size_t i = 0; i < cap->applet_count; i++)
        if (aid_equal(&e->aid, &cap->applets[i]))
            return true;
    return false;
}

/* --- Imports */

/* Packages of Java Card and GlobalPlatform come with the card and are rarely in its registry. */
static bool begins_with(const struct aid *aid, struct view rid)
{
    return view_equal(view_head(aid_view(aid), RID_LEN), rid);
}

static bool is_java_card(const struct aid *aid)
{
    static const uint8_t rid[RID_LEN] = {0xA0, 0x00, 0x00, 0x00, 0x62};
    return begins_with(aid, VIEW_OF(rid));
}

static bool is_global_platform(const struct aid *aid)
{
    static const uint8_t rid[RID_LEN] = {0xA0, 0x00, 0x00, 0x01, 0x51};
    return begins_with(aid, VIEW_OF(rid));
}

/* The version that a card is known to have; false: not known to have any. */
static bool version_held(const struct plan_input *in, const struct aid *aid, struct cap_package *have,
                         bool *certain)
{
    const struct registry_entry *e = in->holds != NULL ? holds_package(in->holds, aid) : NULL;
    const struct cap_package *gp = in->identity != NULL ? cap_gp_package(in->identity->gp_version) : NULL;
    *certain = true;
    if (e != NULL && e->has_version) {
        *have = (struct cap_package){.aid = *aid, .major = e->version[0], .minor = e->version[1]};
        return true;
    }
    for (size_t i = 0; i < in->platform_count; i++) {
        if (!aid_equal(&in->platform[i].aid, aid))
            continue;
        *have = in->platform[i];
        return true;
    }
    if (e != NULL) {
        *certain = false;
        return true;
    }
    if (gp == NULL || !aid_equal(&gp->aid, aid))
        return false;
    *have = *gp;
    return true;
}

/* Whether a package that nothing mentions is known to be missing. */
static bool absence_is_known(const struct plan_input *in, const struct aid *aid)
{
    if (is_global_platform(aid))
        return false;
    if (is_java_card(aid))
        return in->platform_count > 0;
    return in->holds != NULL && !in->holds->more;
}

static enum err decide_import(const struct plan_input *in, const struct cap_package *need,
                              struct plan_problem *why)
{
    struct cap_package have = {.major = 0};
    bool certain = true;
    if (!version_held(in, &need->aid, &have, &certain)) {
        if (!absence_is_known(in, &need->aid))
            return OK;
        return plan_refuse(why, ERR_NOT_FOUND, "It needs package %s, which the card does not hold.",
                           package_text(need).text);
    }
    if (!certain || cap_satisfies(&have, need))
        return OK;
    return plan_refuse(why, ERR_NOT_FOUND, "It needs package %s (the card holds %u.%u).",
                       package_text(need).text, have.major, have.minor);
}

enum err decide_imports(const struct plan_input *in, struct plan_problem *why)
{
    enum err e = OK;
    for (size_t i = 0; i < in->cap->import_count && e == OK; i++)
        e = decide_import(in, &in->cap->imports[i], why);
    return e;
}

/* --- Memory */

/* What a load line asks for: its own C6 and C8 (code and data) and C7, or else the size of the load file. */
struct demand {
    bool loads;
    uint32_t nonvolatile, transient;
};

static uint32_t demand_of(struct view system, uint32_t tag)
{
    struct view v;
    uint32_t n = 0;
    if (!tlv_find(system, tag, &v) || v.len > sizeof(n))
        return 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

static enum err read_demand(struct demand *d, const struct plan_input *in, const struct step *s,
                            struct plan_problem *why)
{
    uint8_t bytes[UINT8_MAX];
    size_t len = 0;
    struct view system = VIEW_NULL;
    enum err e = OK;
    d->loads = true;
    if (s->value[WORD_PARAMETERS].given)
        e = value_bytes(&s->value[WORD_PARAMETERS], bytes, sizeof(bytes), &len, why);
    if (e != OK)
        return e;
    tlv_find(view_of(bytes, len), 0xEF, &system);
    d->nonvolatile = demand_of(system, 0xC6) + demand_of(system, 0xC8);
    d->transient = demand_of(system, 0xC7);
    if (demand_of(system, 0xC6) == 0)
        d->nonvolatile += (uint32_t)in->cap->load.len;
    return OK;
}

static enum err refuse_demand(struct plan_problem *why, const char *kind, uint32_t need, uint32_t have)
{
    if (why != NULL)
        why->memory = true;
    return plan_refuse(
        why, ERR_LIMIT,
        "It needs %lu bytes of %s memory, the card says that it has %lu free. Nothing was deleted.",
        (unsigned long)need, kind, (unsigned long)have);
}

enum err decide_memory(const struct plan_input *in, struct plan_problem *why)
{
    struct sequence text;
    struct step s = {.verb = VERB_END};
    struct demand d = {.loads = false};
    const struct card_memory *m = in->memory;
    enum err e = m != NULL ? sequence_open(&text, in->sequence, why) : OK;
    while (e == OK && m != NULL) {
        e = sequence_next(&text, &s, why);
        if (e != OK || s.verb == VERB_END)
            break;
        if (s.verb == VERB_LOAD)
            e = read_demand(&d, in, &s, why);
    }
    if (e != OK || !d.loads)
        return e;
    if (m->has_nonvolatile && d.nonvolatile > m->nonvolatile)
        return refuse_demand(why, "non-volatile", d.nonvolatile, m->nonvolatile);
    if (m->has_transient && d.transient > m->transient)
        return refuse_demand(why, "transient", d.transient, m->transient);
    return OK;
}

/* --- What is there already */

/* What a sequence makes. */
struct wanted {
    bool loads;
    size_t installs, present; /* install lines, and those whose instance is there already */
    struct removal alone;     /* these instances */
};

static enum err want_instance(struct wanted *w, const struct plan_input *in, const struct step *s,
                              struct plan_problem *why)
{
    struct aid instance;
    char hex[2 * AID_MAX + 1];
    enum err e = step_instance(s, &instance, why);
    if (e != OK)
        return e;
    w->installs++;
    const struct registry_entry *found = holds_application(in->holds, &instance);
    if (found == NULL)
        return OK;
    hex_write(hex, aid_view(&instance));
    if (found->package.len > 0 && !aid_equal(&found->package, &in->cap->package.aid))
        return plan_refuse_at(why, ERR_UNSUPPORTED, s->at, "the card holds %s from another package", hex);
    w->present++;
    if (w->alone.count < CAP_APPLETS_MAX)
        w->alone.instances[w->alone.count++] = instance;
    return OK;
}

static enum err read_wanted(struct wanted *w, const struct plan_input *in, struct plan_problem *why)
{
    struct sequence text;
    struct step s = {.verb = VERB_END};
    enum err e = sequence_open(&text, in->sequence, why);
    while (e == OK) {
        e = sequence_next(&text, &s, why);
        if (e != OK || s.verb == VERB_END)
            break;
        w->loads |= s.verb == VERB_LOAD;
        if (s.verb == VERB_INSTALL)
            e = want_instance(w, in, &s, why);
    }
    return e;
}

/* Only a version that the card told, and told equal, counts as the same. */
static bool same_version(const struct registry_entry *e, const struct cap *cap)
{
    return e->has_version && e->version[0] == cap->package.major && e->version[1] == cap->package.minor;
}

enum err decide_removal(struct removal *out, const struct plan_input *in, struct plan_problem *why)
{
    struct wanted w = {.loads = false};
    const struct registry_entry *package = holds_package(in->holds, &in->cap->package.aid);
    *out = (struct removal){.package = false};
    enum err e = read_wanted(&w, in, why);
    if (e != OK || (!w.loads && w.installs == 0))
        return e;
    if (package == NULL && !w.loads && !in->holds->more)
        return plan_refuse(why, ERR_NOT_FOUND,
                           "The sequence does not load package %s, and the card does not hold it.",
                           package_text(&in->cap->package).text);
    if (package != NULL && w.present == w.installs && (same_version(package, in->cap) || !w.loads))
        return plan_refuse(why, ERR_EXISTS, "The card holds %s already.",
                           package_text(&in->cap->package).text);
    if (w.loads)
        out->package = package != NULL;
    else
        *out = w.alone;
    return OK;
}
