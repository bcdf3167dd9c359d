/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans are built line by line: one function per line of a sequence reads its values, has the command made,
 * and appends it. What has many words is in files of its own. */
#include <plan/build.h>

enum { SCRATCH_MAX = 128 * 1024 };

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

enum err build_refuse_memory(struct builder *b)
{
    return plan_refuse(b->why, ERR_MEMORY, "Out of memory.");
}

/* The scratch writer is larger than any command: when it is bad, memory was missing. */
enum err build_refuse(struct builder *b, enum err e, struct position at, const char *name)
{
    if (!wr_ok(&b->scratch))
        return build_refuse_memory(b);
    return plan_refuse_at(b->why, e, at, "%s can't be made of this: %s", name, err_text(e));
}

static enum err put_one(struct builder *b, const struct apdu *a, struct position at)
{
    struct plan *p = b->out;
    if (p->count == SCRIPT_COMMANDS_MAX)
        return plan_refuse_at(b->why, ERR_LIMIT, at, "more than %d commands", SCRIPT_COMMANDS_MAX);
    p->apdus[p->count].at = p->bytes.len;
    p->apdus[p->count].len = apdu_len(a);
    p->count++;
    apdu_put(&p->bytes, a);
    return wr_ok(&p->bytes) ? OK : build_refuse_memory(b);
}

static bool has_place(const struct plan *p, size_t command)
{
    for (size_t i = 0; i < p->place_count; i++)
        if (p->places[i].command == command)
            return true;
    return false;
}

/* Each piece gets a MAC of its own when it is wrapped. */
static enum err put_chain(struct builder *b, const struct apdu *whole, struct position at)
{
    enum err e = OK;
    size_t count = command_segments(whole, b->block_size);
    for (size_t n = 0; n < count && e == OK; n++) {
        struct apdu part;
        command_segment(&part, whole, b->block_size, n);
        e = put_one(b, &part, at);
    }
    return e;
}

enum err build_put(struct builder *b, const struct apdu *a, struct position at)
{
    struct apdu longer = *a;
    if (a->extended || a->data.len <= b->block_size)
        return put_one(b, a, at);
    /* A place that lies in two pieces could not be filled. */
    bool whole = b->extended || b->whole_commands;
    if (!command_can_be_segmented(a->ins) || (!whole && has_place(b->out, b->out->count)))
        return plan_refuse_at(b->why, ERR_LIMIT, at,
                              "%s has %zu bytes of data, at most %zu fit into a signed command",
                              command_name(a->ins), a->data.len, b->block_size);
    longer.extended = true;
    return whole ? put_one(b, &longer, at) : put_chain(b, a, at);
}

enum err build_get_status(struct builder *b, uint8_t subset)
{
    struct apdu a;
    struct position nowhere = {0, 0};
    wr_clear(&b->scratch);
    enum err e = command_get_status(&a, &b->scratch, subset, false);
    return e == OK ? build_put(b, &a, nowhere) : build_refuse(b, e, nowhere, "GET STATUS");
}

static enum err put_delete(struct builder *b, const struct delete_content *d, struct position at)
{
    struct apdu a;
    wr_clear(&b->scratch);
    enum err e = command_delete_content(&a, &b->scratch, d);
    return e == OK ? build_put(b, &a, at) : build_refuse(b, e, at, "DELETE");
}

enum err build_delete(struct builder *b, const struct aid *aid, bool related)
{
    struct view v = aid_view(aid);
    const struct delete_content d = {.aids = &v, .count = 1, .related = related};
    return put_delete(b, &d, (struct position){0, 0});
}

enum err word_bytes(struct builder *b, const struct step *s, enum word word, struct word_bytes *out)
{
    out->len = 0;
    if (!s->value[word].given)
        return OK;
    return value_bytes(&s->value[word], out->data, sizeof(out->data), &out->len, b->why);
}

struct view word_view(const struct word_bytes *w)
{
    return view_of(w->data, w->len);
}

/* A derived place of the next command, at this offset of its data. */
enum err build_note_place(struct builder *b, const struct derive_place *found, size_t offset,
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

/* --- delete, apdu */

/* What the card is known not to hold need not be deleted; DELETE would end the script. */
static bool known_absent(const struct builder *b, const struct aid *aid)
{
    return b->holds != NULL && !b->holds->more && registry_find(b->holds, aid) == NULL;
}

static enum err build_delete_step(struct builder *b, const struct step *s)
{
    struct aid aid;
    struct word_bytes reference, token;
    enum err e = value_aid(&s->value[WORD_AID], &aid, b->why);
    if (e == OK)
        e = word_bytes(b, s, WORD_REFERENCE, &reference);
    if (e == OK)
        e = word_bytes(b, s, WORD_TOKEN, &token);
    if (e != OK || known_absent(b, &aid))
        return e;
    struct view v = aid_view(&aid);
    const struct delete_content d = {.aids = &v,
                                     .count = 1,
                                     .related = s->value[WORD_RELATED].given,
                                     .control_reference = word_view(&reference),
                                     .token = word_view(&token)};
    return put_delete(b, &d, s->at);
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
    {INS_PUT_KEY, "is the line put-key"},
    {INS_SET_STATUS, "is the line set-status"},
    {INS_DELETE, "is the line delete"},
    {INS_LOAD, "is the line load"},
};

static enum err check_raw(struct builder *b, const struct apdu *a, struct position at)
{
    for (size_t i = 0; i < sizeof(refused_commands) / sizeof(refused_commands[0]); i++)
        if (a->ins == refused_commands[i].ins)
            return plan_refuse_at(b->why, ERR_FORMAT, at, "%s %s", command_name(a->ins),
                                  refused_commands[i].why);
    if (a->extended && !b->extended)
        return plan_refuse_at(b->why, ERR_UNSUPPORTED, at,
                              "a command of extended length, which the card does not take");
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
        e = build_note_place(b, p, p->offset - start, at);
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
        [VERB_DAP] = build_dap,
        [VERB_LOAD] = build_load,
        [VERB_INSTALL] = build_install,
        [VERB_MAKE_SELECTABLE] = build_make_selectable,
        [VERB_PERSONALIZE] = build_personalize,
        [VERB_STORE] = build_store,
        [VERB_DELETE] = build_delete_step,
        [VERB_EXTRADITE] = build_extradite,
        [VERB_REGISTRY_UPDATE] = build_registry_update,
        [VERB_CREATE_DOMAIN] = build_create_domain,
        [VERB_PUT_KEY] = build_put_key,
        [VERB_SET_STATUS] = build_set_status,
        [VERB_APDU] = build_apdu,
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
    if (e == OK && b->dap_count > 0)
        e = plan_refuse_at(b->why, ERR_FORMAT, b->daps[0].at, "dap needs a load line behind it");
    if (e == OK && lines == 0)
        e = plan_refuse(b->why, ERR_FORMAT, "The sequence has no commands.");
    return e;
}
