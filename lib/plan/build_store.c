/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines personalize and store. */
#include <plan/build.h>

#include <gp/store_data.h>

enum err build_personalize(struct builder *b, const struct step *s)
{
    struct aid instance;
    struct apdu a;
    enum err e = value_aid(&s->value[WORD_INSTANCE], &instance, b->why);
    if (e != OK)
        return e;
    b->personalizing = true;
    wr_clear(&b->scratch);
    e = command_install_for_personalization(&a, &b->scratch, aid_view(&instance));
    return e == OK ? build_put(b, &a, s->at) : build_refuse(b, e, s->at, "INSTALL [for personalization]");
}

/* P1 of STORE DATA (GPCS 2.3.1 table 11-89). */
static enum err store_flag(struct builder *b, const struct value *v, const char *words, const char *first,
                           uint8_t first_flag, const char *second, uint8_t second_flag, uint8_t *flags)
{
    if (!v->given)
        return OK;
    if (view_equal(v->text, view_str(first)))
        *flags |= first_flag;
    else if (view_equal(v->text, view_str(second)))
        *flags |= second_flag;
    else
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "%s is %s or %s", words, first, second);
    return OK;
}

static enum err store_flags(struct builder *b, const struct step *s, uint8_t *flags)
{
    *flags = s->value[WORD_ANSWER].given ? STORE_ANSWER : 0;
    enum err e = store_flag(b, &s->value[WORD_FORMAT], "format", "dgi", STORE_DGI, "tlv", STORE_TLV, flags);
    if (e == OK)
        e = store_flag(b, &s->value[WORD_ENCRYPTION], "encryption", "all", STORE_ENCRYPTED, "some",
                       STORE_MAY_BE_ENCRYPTED, flags);
    return e;
}

/* The first derived place that a block up to end would cut; NULL when there is none. */
static const struct derive_place *cut_place(const struct filled *f, size_t start, size_t end)
{
    for (size_t i = 0; i < f->place_count; i++)
        if (f->places[i].offset > start && f->places[i].offset < end &&
            f->places[i].offset + f->places[i].len > end)
            return &f->places[i];
    return NULL;
}

/* A block ends in front of a derived place that it would cut. */
static bool next_block(struct store_cut *cut, const struct filled *f, struct view *block)
{
    struct store_cut again = *cut;
    if (!store_cut_next(cut, block))
        return false;
    const struct derive_place *place = cut_place(f, again.at, cut->at);
    if (place == NULL)
        return true;
    size_t size = again.size;
    again.size = place->offset - again.at;
    *cut = again;
    bool there = store_cut_next(cut, block) && block->len > 0;
    cut->size = size;
    return there;
}

/* The places that lie in one block. */
static enum err note_block(struct builder *b, const struct filled *f, size_t start, size_t end,
                           struct position at)
{
    enum err e = OK;
    for (size_t i = 0; i < f->place_count && e == OK; i++)
        if (f->places[i].offset >= start && f->places[i].offset < end)
            e = build_note_place(b, &f->places[i], f->places[i].offset - start, at);
    return e;
}

static enum err put_block(struct builder *b, const struct filled *f, const struct store_cut *cut,
                          struct view block, uint8_t flags, unsigned number, struct position at)
{
    struct apdu a;
    if (number == STORE_BLOCKS_MAX)
        return plan_refuse_at(b->why, ERR_LIMIT, at, "more than %d blocks of STORE DATA", STORE_BLOCKS_MAX);
    command_store_data(&a, block, flags, number, cut->at == f->bytes.len);
    enum err e = note_block(b, f, cut->at - block.len, cut->at, at);
    return e == OK ? build_put(b, &a, at) : e;
}

static enum err put_store(struct builder *b, const struct filled *f, uint8_t flags, struct position at)
{
    struct store_cut cut;
    struct view block;
    unsigned number = 0;
    uint8_t format = f->of_nobody ? 0 : flags; /* the lengths will fit with a card's own data */
    enum err e = store_cut_init(&cut, wr_view_of(&f->bytes), format, b->block_size);
    if (e != OK)
        return plan_refuse_at(b->why, e, at, "the data is not in the format that the line says");
    while (e == OK && next_block(&cut, f, &block))
        e = put_block(b, f, &cut, block, flags, number++, at);
    if (e == OK && cut.at < f->bytes.len)
        e = plan_refuse_at(b->why, ERR_FORMAT, at, "a derived place lies in a tag or a length");
    return e;
}

enum err build_store(struct builder *b, const struct step *s)
{
    struct filled data;
    uint8_t flags = 0;
    if (!b->personalizing)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "store needs personalize before it");
    enum err e = store_flags(b, s, &flags);
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
