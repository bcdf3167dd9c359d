/* SPDX-License-Identifier: Apache-2.0
 *
 * The line install: an instance of one of the CAP file's applets. */
#include <plan/build.h>

#include <tlv/tlv.h>

enum { DATA_MAX = 255, TAG_PARAMETERS = 0xC9, TAG_SYSTEM = 0xEF, PRIVILEGES_LEN = 3 };

static bool has_module(const struct cap *cap, const struct aid *module)
{
    for (size_t i = 0; i < cap->applet_count; i++)
        if (aid_equal(&cap->applets[i], module))
            return true;
    return false;
}

static enum err step_module(struct builder *b, const struct step *s, struct aid *out)
{
    const struct value *v = &s->value[WORD_MODULE];
    enum err e = value_aid(v, out, b->why);
    if (e == OK && !has_module(b->cap, out))
        e = plan_refuse_at(b->why, ERR_FORMAT, v->at, "the CAP file has no applet %s",
                           plan_shown(v->text).text);
    return e;
}

enum err step_instance(const struct step *s, struct aid *out, struct plan_problem *why)
{
    const struct value *v = &s->value[WORD_INSTANCE];
    return value_aid(v->given ? v : &s->value[WORD_MODULE], out, why);
}

enum err word_privileges(struct builder *b, const struct step *s, struct privileges *out)
{
    const struct value *v = &s->value[WORD_PRIVILEGES];
    uint8_t bytes[PRIVILEGES_LEN];
    size_t len = 0;
    *out = (struct privileges){{0}};
    if (!v->given)
        return OK;
    enum err e = value_bytes(v, bytes, sizeof(bytes), &len, b->why);
    if (e != OK)
        return e;
    e = privileges_read(view_of(bytes, len), out);
    if (e == ERR_ARGUMENT)
        return plan_refuse_at(
            b->why, ERR_FORMAT, v->at,
            "DAP verification and delegated management need the privilege security domain (80), "
            "mandated DAP verification is C1");
    return e == OK ? OK : plan_refuse_at(b->why, ERR_FORMAT, v->at, "privileges are 1 or 3 bytes");
}

/* Where the value of a tag lies in the install parameters field of INSTALL's data (GPCS 2.3.1 table 11-43):
 * behind package, module, instance and privileges. */
static bool find_parameter(struct view data, uint32_t tag, size_t *start)
{
    struct reader r;
    struct view value;
    rd_init(&r, data);
    for (int i = 0; i < 4; i++)
        rd_view8(&r, UINT8_MAX);
    struct view field = rd_view(&r, tlv_length(&r));
    if (!tlv_find(field, tag, &value))
        return false;
    *start = (size_t)(value.data - data.data);
    return true;
}

static enum err note_parameter(struct builder *b, const struct filled *f, struct view data, uint32_t tag,
                               struct position at)
{
    size_t start = 0;
    enum err e = OK;
    if (f->place_count == 0)
        return OK;
    if (!find_parameter(data, tag, &start))
        return plan_refuse_at(b->why, ERR_INTERNAL, at, "the parameters are not where they should be");
    for (size_t i = 0; i < f->place_count && e == OK; i++)
        e = build_note_place(b, &f->places[i], start + f->places[i].offset, at);
    return e;
}

/* What an install line says, apart from its parameters. */
struct install_line {
    struct aid module, instance;
    struct privileges privileges;
    struct word_bytes reference, token;
};

static enum err read_line(struct builder *b, const struct step *s, struct install_line *out)
{
    enum err e = step_module(b, s, &out->module);
    if (e == OK)
        e = step_instance(s, &out->instance, b->why);
    if (e == OK)
        e = word_privileges(b, s, &out->privileges);
    if (e == OK)
        e = word_bytes(b, s, WORD_REFERENCE, &out->reference);
    return e == OK ? word_bytes(b, s, WORD_TOKEN, &out->token) : e;
}

static enum err make_install(struct builder *b, const struct step *s, const struct install_line *line,
                             const struct filled *parameters, const struct filled *system, struct apdu *out)
{
    struct writer field;
    const struct install_parameters values = {.has_c9 = true,
                                              .c9 = wr_view_of(&parameters->bytes),
                                              .system = wr_view_of(&system->bytes),
                                              .control_reference = word_view(&line->reference)};
    wr_heap(&field, COMMAND_DATA_MAX);
    command_put_parameters(&field, &values);
    const struct install i = {.purpose = s->value[WORD_NOT_SELECTABLE].given ? INSTALL_INSTALL
                                                                             : INSTALL_INSTALL_SELECTABLE,
                              .package = aid_view(&b->cap->package.aid),
                              .module = aid_view(&line->module),
                              .application = aid_view(&line->instance),
                              .privileges = line->privileges,
                              .parameters = wr_view_of(&field),
                              .token = word_view(&line->token)};
    wr_clear(&b->scratch);
    enum err e = wr_ok(&field) ? command_install_any(out, &b->scratch, &i) : ERR_LIMIT;
    wr_free(&field);
    return e;
}

static enum err put_install(struct builder *b, const struct step *s, const struct filled *parameters,
                            const struct filled *system)
{
    struct install_line line;
    struct apdu a;
    enum err e = read_line(b, s, &line);
    if (e != OK)
        return e;
    e = make_install(b, s, &line, parameters, system, &a);
    if (e != OK)
        return build_refuse(b, e, s->at, "INSTALL");
    e = note_parameter(b, parameters, a.data, TAG_PARAMETERS, s->at);
    if (e == OK)
        e = note_parameter(b, system, a.data, TAG_SYSTEM, s->at);
    return e == OK ? build_put(b, &a, s->at) : e;
}

/* INSTALL [for install] is one short command: a value that alone is longer is told so. */
static enum err fill_parameter(struct builder *b, const struct value *v, struct filled *out)
{
    enum err e = filled_make(out, v, &b->card, b->why);
    if (e == OK && out->bytes.len > DATA_MAX) {
        e = plan_refuse_at(b->why, ERR_LIMIT, v->at, "%zu bytes do not fit into INSTALL", out->bytes.len);
        filled_finish(out);
    }
    return e;
}

enum err build_install(struct builder *b, const struct step *s)
{
    struct filled parameters, system;
    b->installing = true;
    enum err e = fill_parameter(b, &s->value[WORD_PARAMETERS], &parameters);
    if (e != OK)
        return e;
    e = fill_parameter(b, &s->value[WORD_SYSTEM], &system);
    if (e == OK) {
        e = put_install(b, s, &parameters, &system);
        filled_finish(&system);
    }
    filled_finish(&parameters);
    return e;
}
