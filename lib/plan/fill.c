/* SPDX-License-Identifier: Apache-2.0
 *
 * Places: ${card.serial} and its like are filled here; ${derive:key:label:length} stays zero, with a note for
 * the keeper, which alone has keys. */
#include <plan/fill.h>

#include <base/text.h>

#include <string.h>

/* The longest place for its text is ${card.cin}: 16 bytes by 11 characters. */
enum { DERIVE_MAX = 64, SERIAL_LEN = 4, FILLED_MAX = 2 * SEQUENCE_TEXT_MAX };

static struct view card_serial(const struct card_data *c)
{
    return identity_serial(c->identity);
}

static struct view card_cin(const struct card_data *c)
{
    return view_of(c->identity->cin, c->identity->cin_len);
}

static struct view card_iin(const struct card_data *c)
{
    return view_of(c->identity->iin, c->identity->iin_len);
}

static struct view card_kdd(const struct card_data *c)
{
    return c->kdd;
}

static const struct {
    const char *name;
    struct view (*value)(const struct card_data *c);
    size_t most;
    const char *missing;
} card_places[] = {
    {"card.serial", card_serial, SERIAL_LEN, "the card does not tell its serial number (CPLC)"},
    {"card.cin", card_cin, CARD_ID_MAX, "the card does not tell its image number (CIN)"},
    {"card.iin", card_iin, CARD_ID_MAX, "the card does not tell its issuer (IIN)"},
    {"card.kdd", card_kdd, KDD_LEN, "the key diversification data of the card is not known"},
};

/* Takes up to a separator, which must be there unless it is 0: then to the end. */
static bool take_part(struct reader *r, char separator, char out[NAME_MAX_BYTES + 1])
{
    size_t len = 0;
    while (rd_left(r) > 0 && (separator == '\0' || rd_peek(r) != separator)) {
        if (len == NAME_MAX_BYTES)
            return false;
        out[len++] = (char)rd_u8(r);
    }
    out[len] = '\0';
    if (separator != '\0')
        rd_u8(r);
    return len > 0 && rd_ok(r);
}

/* 1 to 64, without a leading zero. */
static bool small_number(const char *text, size_t *out)
{
    size_t n = 0, len = strlen(text);
    if (len > 2 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        n = 10 * n + (size_t)(text[i] - '0');
    }
    *out = n;
    return n >= 1 && n <= DERIVE_MAX;
}

static enum err put_derive(struct filled *out, struct view parts, struct position at,
                           struct plan_problem *why)
{
    struct reader r;
    struct derive_place p = {.command = 0, .offset = out->bytes.len};
    char number[NAME_MAX_BYTES + 1];
    rd_init(&r, parts);
    if (!take_part(&r, ':', p.key) || !take_part(&r, ':', p.label) || !take_part(&r, '\0', number) ||
        !small_number(number, &p.len))
        return plan_refuse_at(why, ERR_FORMAT, at, "a derived place is ${derive:<key>:<label>:<1 to %d>}",
                              DERIVE_MAX);
    if (out->place_count == PLACES_MAX)
        return plan_refuse_at(why, ERR_LIMIT, at, "more than %d derived places", PLACES_MAX);
    out->places[out->place_count++] = p;
    wr_reserve(&out->bytes, p.len);
    return OK;
}

static enum err put_place(struct filled *out, struct view name, const struct card_data *card,
                          struct position at, struct plan_problem *why)
{
    static const char derive[] = "derive:";
    if (view_starts(name, view_str(derive)))
        return put_derive(out, view_tail(name, strlen(derive)), at, why);
    for (size_t i = 0; i < sizeof(card_places) / sizeof(card_places[0]); i++) {
        if (!view_equal(name, view_str(card_places[i].name)))
            continue;
        if (card->identity == NULL) {
            wr_reserve(&out->bytes, card_places[i].most);
            out->of_nobody = true;
            return OK;
        }
        struct view v = card_places[i].value(card);
        if (v.len == 0)
            return plan_refuse_at(why, ERR_UNSUPPORTED, at, "%s", card_places[i].missing);
        wr_view(&out->bytes, v);
        return OK;
    }
    return plan_refuse_at(why, ERR_FORMAT, at,
                          "%s is no place; card.serial, card.cin, card.iin, card.kdd and derive are",
                          plan_shown(name).text);
}

/* Behind "${", up to "}". */
static bool take_place(struct reader *r, struct view *name)
{
    struct reader look = *r;
    size_t len = 0;
    while (rd_left(&look) > 0 && rd_peek(&look) != '}') {
        rd_u8(&look);
        len++;
    }
    *name = rd_view(r, len);
    rd_u8(r);
    return rd_ok(r);
}

static enum err fill(struct filled *out, const struct value *v, const struct card_data *card,
                     struct plan_problem *why)
{
    struct reader r;
    enum err e = OK;
    rd_init(&r, v->text);
    while (e == OK && rd_left(&r) > 0) {
        struct position at = {v->at.line, v->at.column + (unsigned)(v->text.len - rd_left(&r))};
        struct view two = rd_view(&r, rd_left(&r) > 1 ? 2 : 1), name;
        if (!view_equal(two, view_str("${")))
            e = hex_read(two, &out->bytes) != OK
                    ? plan_refuse_at(why, ERR_FORMAT, at, "%s is no byte in hexadecimal",
                                     plan_shown(two).text)
                    : OK;
        else if (!take_place(&r, &name))
            e = plan_refuse_at(why, ERR_FORMAT, at, "a place without its }");
        else
            e = put_place(out, name, card, at, why);
    }
    if (e == OK && !wr_ok(&out->bytes))
        e = plan_refuse(why, ERR_MEMORY, "Out of memory.");
    return e;
}

enum err filled_make(struct filled *out, const struct value *v, const struct card_data *card,
                     struct plan_problem *why)
{
    out->place_count = 0;
    out->of_nobody = false;
    wr_heap(&out->bytes, FILLED_MAX);
    enum err e = fill(out, v, card, why);
    if (e != OK)
        filled_finish(out);
    return e;
}

void filled_finish(struct filled *f)
{
    wr_free(&f->bytes);
}

enum err value_bytes(const struct value *v, uint8_t *out, size_t max, size_t *len, struct plan_problem *why)
{
    struct writer w;
    if (v->text.len > 2 * max)
        return plan_refuse_at(why, ERR_FORMAT, v->at, "at most %zu bytes are possible here", max);
    wr_fixed(&w, out, max);
    if (hex_read(v->text, &w) != OK)
        return plan_refuse_at(why, ERR_FORMAT, v->at, "%s is not hexadecimal", plan_shown(v->text).text);
    *len = w.len;
    return OK;
}

enum err value_aid(const struct value *v, struct aid *out, struct plan_problem *why)
{
    uint8_t bytes[AID_MAX];
    size_t len = 0;
    enum err e = value_bytes(v, bytes, sizeof(bytes), &len, why);
    if (e == OK && aid_set(out, view_of(bytes, len)) != OK)
        e = plan_refuse_at(why, ERR_FORMAT, v->at, "an AID has 5 to 16 bytes");
    return e;
}
