/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL for each of its purposes. Its data is always a row of fields with their lengths; which fields, is a
 * table. */
#include <gp/command.h>

#include <stddef.h>
#include <tlv/tlv.h>

enum {
    CLA_GP = 0x80,
    ALL = 256, /* Le 00 */
    SHORT_DATA_MAX = 255,
    FIELDS_MAX = 4,
    TAG_CONTROL_REFERENCE = 0xB6,
    TAG_APPLICATION_PARAMETERS = 0xC9,
    TAG_SYSTEM_PARAMETERS = 0xEF
};

enum field {
    NOTHING,
    PACKAGE,
    MODULE,
    APPLICATION,
    DOMAIN,
    HASH,
    PRIVILEGES,
    FIELD_COUNT,
    END = FIELD_COUNT
};
#define BIT(field) (1u << (field))

/* GPCS 2.3.1 tables 11-41 to 11-47, and 11.5.2.2 for P2. needed: what must not be empty. Behind the fields
 * stand parameters and token; for personalization both are empty. */
static const struct layout {
    uint8_t p1, p2;
    enum field fields[FIELDS_MAX];
    unsigned needed;
} layouts[INSTALL_PURPOSE_COUNT] = {
    [INSTALL_LOAD] = {0x02, 0x00, {PACKAGE, DOMAIN, HASH, END}, BIT(PACKAGE)},
    [INSTALL_INSTALL] = {0x04, 0x00, {PACKAGE, MODULE, APPLICATION, PRIVILEGES}, BIT(APPLICATION)},
    [INSTALL_SELECTABLE] = {0x08, 0x00, {NOTHING, NOTHING, APPLICATION, PRIVILEGES}, BIT(APPLICATION)},
    [INSTALL_INSTALL_SELECTABLE] = {0x0C, 0x00, {PACKAGE, MODULE, APPLICATION, PRIVILEGES}, BIT(APPLICATION)},
    [INSTALL_EXTRADITION] = {0x10,
                             0x00,
                             {DOMAIN, NOTHING, APPLICATION, NOTHING},
                             BIT(DOMAIN) | BIT(APPLICATION)},
    [INSTALL_PERSONALIZATION] = {0x20, 0x00, {NOTHING, NOTHING, APPLICATION, NOTHING}, BIT(APPLICATION)},
    [INSTALL_REGISTRY_UPDATE] = {0x40, 0x00, {DOMAIN, NOTHING, APPLICATION, PRIVILEGES}, 0},
    [INSTALL_ALL_BEGIN] = {0x0E, 0x01, {PACKAGE, DOMAIN, HASH, END}, BIT(PACKAGE)},
    [INSTALL_ALL_END] = {0x0E, 0x03, {PACKAGE, MODULE, APPLICATION, PRIVILEGES}, BIT(APPLICATION)},
};

/* 6.6.1: one byte when the others are empty, as cards before 2.2 know nothing else; three where asked for. */
static struct view privileges_view(const struct install *i)
{
    const uint8_t *p = i->privileges.byte;
    if (i->purpose == INSTALL_REGISTRY_UPDATE && !i->has_privileges)
        return VIEW_NULL;
    return view_of(p, p[1] == 0 && p[2] == 0 && !i->three_privileges ? 1 : sizeof(i->privileges.byte));
}

static unsigned fields_of(const struct layout *l)
{
    unsigned used = 0;
    for (size_t n = 0; n < FIELDS_MAX && l->fields[n] != END; n++)
        used |= BIT(l->fields[n]);
    return used;
}

static bool aid_length_good(struct view v)
{
    return v.len == 0 || (v.len >= AID_MIN && v.len <= AID_MAX);
}

/* Everything that is given has a place, and everything that is needed is given. */
static bool fields_good(const struct layout *l, const struct install *i,
                        const struct view values[FIELD_COUNT])
{
    unsigned used = fields_of(l);
    for (enum field f = PACKAGE; f <= HASH; f++) {
        if (values[f].len > 0 ? (used & BIT(f)) == 0 : (l->needed & BIT(f)) != 0)
            return false;
        if (f != HASH && !aid_length_good(values[f]))
            return false;
    }
    if (i->has_privileges && (used & BIT(PRIVILEGES)) == 0)
        return false;
    if (i->purpose == INSTALL_PERSONALIZATION && (i->parameters.len > 0 || i->token.len > 0))
        return false;
    return values[HASH].len <= DIGEST_MAX;
}

static void put_length_and_value(struct writer *w, struct view v)
{
    tlv_put_length(w, v.len);
    wr_view(w, v);
}

static enum err make(struct apdu *out, struct writer *w, const struct install *i, size_t data_max)
{
    const struct layout *l = &layouts[i->purpose];
    const struct view values[FIELD_COUNT] = {
        [PACKAGE] = i->package, [MODULE] = i->module, [APPLICATION] = i->application,
        [DOMAIN] = i->domain,   [HASH] = i->hash,     [PRIVILEGES] = privileges_view(i)};
    size_t before = w->len;
    if (!fields_good(l, i, values))
        return ERR_ARGUMENT;
    for (size_t n = 0; n < FIELDS_MAX && l->fields[n] != END; n++)
        wr_view8(w, values[l->fields[n]]);
    put_length_and_value(w, i->parameters);
    put_length_and_value(w, i->token);
    enum err e = wr_status(w);
    if (e != OK)
        return e;
    struct view data = view_tail(wr_view_of(w), before);
    if (data.len > data_max)
        return ERR_LIMIT;
    *out =
        (struct apdu){.cla = CLA_GP, .ins = INS_INSTALL, .p1 = l->p1, .p2 = l->p2, .data = data, .ne = ALL};
    return OK;
}

enum err command_install_any(struct apdu *out, struct writer *w, const struct install *i)
{
    return i->purpose < INSTALL_PURPOSE_COUNT ? make(out, w, i, COMMAND_DATA_MAX) : ERR_ARGUMENT;
}

/* 11.5.2.3.7: C9 is mandatory in INSTALL [for install], EF and B6 are not. */
void command_put_parameters(struct writer *w, const struct install_parameters *p)
{
    if (p->has_c9)
        tlv_put(w, TAG_APPLICATION_PARAMETERS, p->c9);
    if (p->system.len > 0)
        tlv_put(w, TAG_SYSTEM_PARAMETERS, p->system);
    if (p->control_reference.len > 0)
        tlv_put(w, TAG_CONTROL_REFERENCE, p->control_reference);
}

enum err command_install_for_load(struct apdu *out, struct writer *w, struct view package, struct view sd,
                                  struct view hash, struct view load_parameters)
{
    const struct install i = {.purpose = INSTALL_LOAD,
                              .package = package,
                              .domain = sd,
                              .hash = hash,
                              .parameters = load_parameters};
    return make(out, w, &i, SHORT_DATA_MAX);
}

enum err command_install(struct apdu *out, struct writer *w, struct view package, struct view module,
                         struct view instance, struct privileges p, struct view c9, struct view system)
{
    uint8_t memory[SHORT_DATA_MAX];
    struct writer parameters;
    const struct install_parameters values = {.has_c9 = true, .c9 = c9, .system = system};
    if (package.len == 0 || module.len == 0)
        return ERR_ARGUMENT;
    wr_fixed(&parameters, memory, sizeof(memory));
    command_put_parameters(&parameters, &values);
    if (!wr_ok(&parameters))
        return ERR_LIMIT;
    const struct install i = {.purpose = INSTALL_INSTALL_SELECTABLE,
                              .package = package,
                              .module = module,
                              .application = instance,
                              .privileges = p,
                              .parameters = wr_view_of(&parameters)};
    return make(out, w, &i, SHORT_DATA_MAX);
}

enum err command_install_for_personalization(struct apdu *out, struct writer *w, struct view application)
{
    const struct install i = {.purpose = INSTALL_PERSONALIZATION, .application = application};
    return make(out, w, &i, SHORT_DATA_MAX);
}
