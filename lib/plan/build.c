/* SPDX-License-Identifier: Apache-2.0
 *
 * One function per line of a sequence: it reads the line's values, has the command made, and appends it. */
#include <plan/build.h>

#include <base/text.h>
#include <tlv/tlv.h>

#include <string.h>

enum {
    DATA_MAX = 255, /* of a short command */
    TAG_PARAMETERS = 0xC9,
    TAG_SYSTEM = 0xEF,
    PRIVILEGES_LEN = 3,
    SCRATCH_MAX = 64 * 1024,
    FORMAT_DGI = 0x08, /* GPCS 2.3.1 table 11-85: b5 b4 */
    FORMAT_TLV = 0x10,
    STORE_BLOCKS_MAX = 256
};

void builder_init(struct builder *b, struct plan *out, const struct cap *cap, struct plan_problem *why)
{
    *b = (struct builder){.out = out, .cap = cap, .why = why};
    wr_heap(&out->bytes, SCRIPT_MAX);
    wr_heap(&b->scratch, SCRATCH_MAX);
}

void builder_finish(struct builder *b)
{
    wr_free(&b->scratch);
}

static enum err refuse_memory(struct builder *b)
{
    return plan_refuse(b->why, ERR_MEMORY, "Out of memory.");
}

/* The scratch writer is larger than any short command: when it is bad, memory was missing. */
static enum err refuse_made(struct builder *b, enum err e, struct position at, const char *name)
{
    if (!wr_ok(&b->scratch))
        return refuse_memory(b);
    return plan_refuse_at(b->why, e, at, "%s can't be made of this: %s", name, err_text(e));
}

enum err build_put(struct builder *b, const struct apdu *a, struct position at)
{
    struct plan *p = b->out;
    if (a->data.len > b->block_size)
        return plan_refuse_at(b->why, ERR_LIMIT, at,
                              "%s has %zu bytes of data, at most %zu fit into a signed command",
                              command_name(a->ins), a->data.len, b->block_size);
    if (p->count == SCRIPT_COMMANDS_MAX)
        return plan_refuse_at(b->why, ERR_LIMIT, at, "more than %d commands", SCRIPT_COMMANDS_MAX);
    p->apdus[p->count].at = p->bytes.len;
    p->apdus[p->count].len = apdu_len(a);
    p->count++;
    apdu_put(&p->bytes, a);
    return wr_ok(&p->bytes) ? OK : refuse_memory(b);
}

enum err build_get_status(struct builder *b, uint8_t subset)
{
    struct apdu a;
    struct position nowhere = {0, 0};
    wr_clear(&b->scratch);
    enum err e = command_get_status(&a, &b->scratch, subset, false);
    return e == OK ? build_put(b, &a, nowhere) : refuse_made(b, e, nowhere, "GET STATUS");
}

static enum err put_delete(struct builder *b, const struct aid *aid, bool related, struct position at)
{
    struct apdu a;
    wr_clear(&b->scratch);
    enum err e = command_delete(&a, &b->scratch, aid_view(aid), related);
    return e == OK ? build_put(b, &a, at) : refuse_made(b, e, at, "DELETE");
}

enum err build_delete(struct builder *b, const struct aid *aid, bool related)
{
    return put_delete(b, aid, related, (struct position){0, 0});
}

/* A derived place of the next command, at this offset of its data. */
static enum err note_place(struct builder *b, const struct derive_place *found, size_t offset,
                           struct position at)
{
    struct plan *p = b->out;
    if (p->place_count == PLACES_MAX)
        return plan_refuse_at(b->why, ERR_LIMIT, at, "more than %d derived places", PLACES_MAX);
    struct derive_place *place = &p->places[p->place_count++];
    *place = *found;
    place->command = p->count;
    place->offset = offset;
    return OK;
}

/* --- load */

static enum err load_hash(struct builder *b, const struct value *v, uint8_t out[DIGEST_MAX], size_t *len)
{
    static const struct {
        const char *name;
        enum digest digest;
    } rows[] = {{"sha1", DIGEST_SHA1},
                {"sha256", DIGEST_SHA256},
                {"sha384", DIGEST_SHA384},
                {"sha512", DIGEST_SHA512}};
    size_t i = 0, count = sizeof(rows) / sizeof(rows[0]);
    struct crypto *own = NULL;
    enum err e = OK;
    *len = 0;
    if (!v->given)
        return OK;
    while (i < count && !view_equal(v->text, view_str(rows[i].name)))
        i++;
    if (i == count)
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "%s is no hash; sha1, sha256, sha384 and sha512 are",
                              plan_shown(v->text).text);
    if (b->crypto == NULL)
        e = crypto_new(&own);
    if (e == OK)
        e = cap_hash(b->cap, own != NULL ? own : b->crypto, rows[i].digest, out);
    crypto_free(&own);
    if (e != OK)
        return plan_refuse_at(b->why, e, v->at, "the hash can't be computed: %s", err_text(e));
    *len = crypto_digest_len(rows[i].digest);
    return OK;
}

/* GPCS 2.3.1 table 11-48: the field is EF with C6 (code), C7 and C8 (volatile and non-volatile data) in it.
 */
static enum err load_parameters(struct builder *b, const struct value *v, uint8_t out[DATA_MAX], size_t *len)
{
    struct view ignored;
    enum err e = value_bytes(v, out, DATA_MAX, len, b->why);
    if (e != OK)
        return e;
    struct view made_of = view_of(out, *len);
    if (*len > 0 && (!tlv_valid(made_of) || !tlv_find(made_of, TAG_SYSTEM, &ignored)))
        return plan_refuse_at(b->why, ERR_FORMAT, v->at,
                              "load parameters are a TLV object EF, e.g. EF04C6020400");
    return OK;
}

static enum err install_for_load(struct builder *b, const struct step *s)
{
    uint8_t hash[DIGEST_MAX], parameters[DATA_MAX];
    size_t hash_len = 0, parameters_len = 0;
    struct apdu a;
    enum err e = load_hash(b, &s->value[WORD_HASH], hash, &hash_len);
    if (e == OK)
        e = load_parameters(b, &s->value[WORD_PARAMETERS], parameters, &parameters_len);
    if (e != OK)
        return e;
    wr_clear(&b->scratch);
    e = command_install_for_load(&a, &b->scratch, aid_view(&b->cap->package.aid), VIEW_NULL,
                                 view_of(hash, hash_len), view_of(parameters, parameters_len));
    return e == OK ? build_put(b, &a, s->at) : refuse_made(b, e, s->at, "INSTALL [for load]");
}

/* The last block says so also when it is full (GPCS 2.3.1 table 11-57). */
static enum err put_blocks(struct builder *b, struct view file, struct position at)
{
    enum err e = OK;
    for (unsigned number = 0; file.len > 0 && e == OK; number++) {
        struct apdu a;
        struct view block = view_head(file, b->block_size);
        file = view_tail(file, block.len);
        command_load(&a, block, number, file.len == 0);
        e = build_put(b, &a, at);
    }
    return e;
}

static enum err build_load(struct builder *b, const struct step *s)
{
    struct writer file = {0};
    struct view load = wr_view_of(&b->cap->load);
    if (b->loading)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "load is there twice");
    b->loading = true;
    enum err e = install_for_load(b, s);
    if (e != OK)
        return e;
    if (command_load_blocks(load.len, b->block_size) == 0)
        return plan_refuse_at(
            b->why, ERR_LIMIT, s->at,
            "%zu bytes to load are more than %d blocks of %zu: blocks of extended length would be "
            "needed, or a smaller package",
            load.len, LOAD_BLOCKS_MAX, b->block_size);
    wr_heap(&file, LOAD_FILE_MAX + 8);
    command_load_header(&file, load.len);
    wr_view(&file, load);
    e = wr_ok(&file) ? put_blocks(b, wr_view_of(&file), s->at) : refuse_memory(b);
    wr_free(&file);
    return e;
}

/* --- install */

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

static enum err step_privileges(struct builder *b, const struct step *s, struct privileges *out)
{
    const struct value *v = &s->value[WORD_PRIVILEGES];
    size_t len = 0;
    *out = (struct privileges){{0}};
    if (!v->given)
        return OK;
    enum err e = value_bytes(v, out->byte, PRIVILEGES_LEN, &len, b->why);
    if (e == OK && len != 1 && len != PRIVILEGES_LEN)
        e = plan_refuse_at(b->why, ERR_FORMAT, v->at, "privileges are 1 or 3 bytes");
    return e;
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
        e = note_place(b, &f->places[i], start + f->places[i].offset, at);
    return e;
}

static enum err put_install(struct builder *b, const struct step *s, const struct filled *parameters,
                            const struct filled *system)
{
    struct aid module, instance;
    struct privileges p;
    struct apdu a;
    enum err e = step_module(b, s, &module);
    if (e == OK)
        e = step_instance(s, &instance, b->why);
    if (e == OK)
        e = step_privileges(b, s, &p);
    if (e != OK)
        return e;
    wr_clear(&b->scratch);
    e = command_install(&a, &b->scratch, aid_view(&b->cap->package.aid), aid_view(&module),
                        aid_view(&instance), p, wr_view_of(&parameters->bytes), wr_view_of(&system->bytes));
    if (e != OK)
        return refuse_made(b, e, s->at, "INSTALL");
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

static enum err build_install(struct builder *b, const struct step *s)
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

/* --- personalize, store */

static enum err build_personalize(struct builder *b, const struct step *s)
{
    struct aid instance;
    struct apdu a;
    enum err e = value_aid(&s->value[WORD_INSTANCE], &instance, b->why);
    if (e != OK)
        return e;
    b->personalizing = true;
    wr_clear(&b->scratch);
    e = command_install_for_personalization(&a, &b->scratch, aid_view(&instance));
    return e == OK ? build_put(b, &a, s->at) : refuse_made(b, e, s->at, "INSTALL [for personalization]");
}

static enum err store_format(struct builder *b, const struct value *v, uint8_t *flags)
{
    *flags = 0;
    if (!v->given)
        return OK;
    if (view_equal(v->text, view_str("dgi")))
        *flags = FORMAT_DGI;
    else if (view_equal(v->text, view_str("tlv")))
        *flags = FORMAT_TLV;
    else
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "format is dgi or tlv");
    return OK;
}

/* A block ends in front of a derived place that it would cut. */
static size_t block_end(const struct filled *f, size_t start, size_t block_size)
{
    size_t end = start + block_size < f->bytes.len ? start + block_size : f->bytes.len;
    for (size_t i = 0; i < f->place_count; i++)
        if (f->places[i].offset > start && f->places[i].offset < end &&
            f->places[i].offset + f->places[i].len > end)
            end = f->places[i].offset;
    return end;
}

/* The places that lie in one block. */
static enum err note_block(struct builder *b, const struct filled *f, size_t start, size_t end,
                           struct position at)
{
    enum err e = OK;
    for (size_t i = 0; i < f->place_count && e == OK; i++)
        if (f->places[i].offset >= start && f->places[i].offset < end)
            e = note_place(b, &f->places[i], f->places[i].offset - start, at);
    return e;
}

static enum err put_store(struct builder *b, const struct filled *f, uint8_t flags, struct position at)
{
    enum err e = OK;
    unsigned number = 0;
    for (size_t start = 0, end = 0; start < f->bytes.len && e == OK; start = end) {
        struct apdu a;
        if (number == STORE_BLOCKS_MAX)
            return plan_refuse_at(b->why, ERR_LIMIT, at, "more than %d blocks of STORE DATA",
                                  STORE_BLOCKS_MAX);
        end = block_end(f, start, b->block_size);
        command_store_data(&a, view_head(view_tail(wr_view_of(&f->bytes), start), end - start), flags,
                           number++, end == f->bytes.len);
        e = note_block(b, f, start, end, at);
        if (e == OK)
            e = build_put(b, &a, at);
    }
    return e;
}

static enum err build_store(struct builder *b, const struct step *s)
{
    struct filled data;
    uint8_t flags = 0;
    if (!b->personalizing)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "store needs personalize before it");
    enum err e = store_format(b, &s->value[WORD_FORMAT], &flags);
    if (e == OK)
        e = filled_make(&data, &s->value[WORD_DATA], &b->card, b->why);
    if (e != OK)
        return e;
    if (data.bytes.len == 0)
        e = plan_refuse_at(b->why, ERR_FORMAT, s->value[WORD_DATA].at, "store without data");
    else
        e = put_store(b, &data, flags, s->at);
    filled_finish(&data);
    return e;
}

/* --- delete, apdu */

/* What the card is known not to hold need not be deleted; DELETE would end the script. */
static bool known_absent(const struct builder *b, const struct aid *aid)
{
    return b->holds != NULL && !b->holds->more && registry_find(b->holds, aid) == NULL;
}

static enum err build_delete_step(struct builder *b, const struct step *s)
{
    struct aid aid;
    enum err e = value_aid(&s->value[WORD_AID], &aid, b->why);
    if (e != OK || known_absent(b, &aid))
        return e;
    return put_delete(b, &aid, s->value[WORD_RELATED].given, s->at);
}

/* What would end the secure channel, or is more than an application's business. */
static const struct {
    uint8_t ins;
    const char *why;
} refused_commands[] = {
    {INS_INITIALIZE_UPDATE, "would end the secure channel"},
    {INS_EXTERNAL_AUTHENTICATE, "would end the secure channel"},
    {INS_SELECT, "would end the secure channel"},
    {INS_MANAGE_CHANNEL, "would leave the secure channel"},
    {INS_GET_RESPONSE, "is the client's business"},
    {INS_PUT_KEY, "changes keys: not by a sequence"},
    {INS_SET_STATUS, "may lock the card: not by a sequence"},
    {INS_DELETE, "is the line delete"},
    {INS_LOAD, "is the line load"},
};

static enum err check_raw(struct builder *b, const struct apdu *a, struct position at)
{
    for (size_t i = 0; i < sizeof(refused_commands) / sizeof(refused_commands[0]); i++)
        if (a->ins == refused_commands[i].ins)
            return plan_refuse_at(b->why, ERR_FORMAT, at, "%s %s", command_name(a->ins),
                                  refused_commands[i].why);
    if (a->extended)
        return plan_refuse_at(b->why, ERR_UNSUPPORTED, at, "a command of extended length can't be signed");
    return OK;
}

static enum err put_raw(struct builder *b, const struct filled *f, struct position at)
{
    struct apdu a;
    struct view bytes = wr_view_of(&f->bytes);
    if (apdu_parse(bytes, &a) != OK)
        return plan_refuse_at(b->why, ERR_FORMAT, at, "these %zu bytes are no command APDU", bytes.len);
    enum err e = check_raw(b, &a, at);
    if (e != OK)
        return e;
    size_t start = a.data.len > 0 ? (size_t)(a.data.data - bytes.data) : bytes.len;
    for (size_t i = 0; i < f->place_count && e == OK; i++) {
        const struct derive_place *p = &f->places[i];
        if (p->offset < start || p->offset + p->len > start + a.data.len)
            return plan_refuse_at(b->why, ERR_FORMAT, at,
                                  "a derived place must lie in the data of the command");
        e = note_place(b, p, p->offset - start, at);
    }
    return e == OK ? build_put(b, &a, at) : e;
}

static enum err build_apdu(struct builder *b, const struct step *s)
{
    struct filled f;
    const struct value *v = &s->value[WORD_DATA];
    enum err e = filled_make(&f, v, &b->card, b->why);
    if (e != OK)
        return e;
    e = put_raw(b, &f, v->at);
    filled_finish(&f);
    return e;
}

enum err build_sequence(struct builder *b, struct view sequence)
{
    static enum err (*const steps[VERB_END])(struct builder * b, const struct step *s) = {
        [VERB_LOAD] = build_load,   [VERB_INSTALL] = build_install,    [VERB_PERSONALIZE] = build_personalize,
        [VERB_STORE] = build_store, [VERB_DELETE] = build_delete_step, [VERB_APDU] = build_apdu,
    };
    struct sequence text;
    struct step s = {.verb = VERB_END};
    size_t lines = 0;
    enum err e = sequence_open(&text, sequence, b->why);
    while (e == OK) {
        e = sequence_next(&text, &s, b->why);
        if (e != OK || s.verb == VERB_END)
            break;
        e = steps[s.verb](b, &s);
        lines++;
    }
    if (e == OK && lines == 0)
        e = plan_refuse(b->why, ERR_FORMAT, "The sequence has no commands.");
    return e;
}
