/* SPDX-License-Identifier: Apache-2.0
 *
 * What tokens and receipts are made over, and receipts taken apart. */
#include <gp/token.h>

#include <stddef.h>
#include <tlv/tlv.h>

enum {
    SHORT_MAX = 255,
    INPUT_MAX = COMMAND_DATA_MAX + 8,
    RECEIPT_LEN_MAX = SIGNATURE_MAX,
    COUNTER_LEN = 2,
    DATA_LEN_MAX = 127
};

/* C.4: the length that the command would have without its token. */
static void put_input(struct writer *w, const struct apdu *a, struct view data)
{
    wr_u8(w, a->p1);
    wr_u8(w, a->p2);
    if (data.len <= SHORT_MAX) {
        wr_u8(w, (uint8_t)data.len);
    } else {
        wr_u8(w, 0);
        wr_u16(w, (uint16_t)data.len);
    }
    wr_view(w, data);
}

enum err token_input_install(struct writer *w, const struct install *i)
{
    struct writer data;
    struct apdu a;
    struct install without = *i;
    without.token = VIEW_NULL;
    if (i->purpose == INSTALL_PERSONALIZATION)
        return ERR_ARGUMENT;
    wr_heap(&data, INPUT_MAX);
    enum err e = command_install_any(&a, &data, &without);
    if (e == OK) /* less the token's own length, which is 00 */
        put_input(w, &a, view_head(a.data, a.data.len - 1));
    wr_free(&data);
    return e == OK ? wr_status(w) : e;
}

enum err token_input_delete(struct writer *w, const struct delete_content *d)
{
    struct writer data;
    struct apdu a;
    struct delete_content without = *d;
    without.token = VIEW_NULL;
    wr_heap(&data, INPUT_MAX);
    enum err e = command_delete_content(&a, &data, &without);
    if (e == OK)
        put_input(w, &a, a.data);
    wr_free(&data);
    return e == OK ? wr_status(w) : e;
}

enum err token_input_all(struct writer *w, const struct install *begin, const struct install *end)
{
    if (begin->purpose != INSTALL_ALL_BEGIN || end->purpose != INSTALL_ALL_END)
        return ERR_ARGUMENT;
    enum err e = token_input_install(w, begin);
    return e == OK ? token_input_install(w, end) : e;
}

/* --- Receipts */

/* Table 11-14. The last two may be left out. */
static void take_confirmation_data(struct reader *r, struct receipt *out)
{
    struct reader counter;
    rd_init(&counter, rd_view8(r, COUNTER_LEN));
    out->counter = rd_u16(&counter);
    if (!rd_done(&counter))
        rd_fail(r);
    out->domain_data = rd_view8(r, DATA_LEN_MAX);
    if (rd_left(r) > 0)
        out->token_identifier = rd_view8(r, DATA_LEN_MAX);
    if (rd_left(r) > 0)
        out->token_digest = rd_view8(r, DATA_LEN_MAX);
}

/* Tables 11-54, 11-13: length | { length | receipt | confirmation data }. */
enum err receipt_parse(struct view answer, struct receipt *out)
{
    struct reader r, data;
    struct receipt made = {.counter = 0};
    rd_init(&r, answer);
    if (answer.len == 0)
        return ERR_NOT_FOUND;
    struct view confirmation = rd_view(&r, tlv_length(&r));
    if (!rd_ok(&r)) /* what stands behind is memory sizes (C7, C8) on old cards */
        return ERR_FORMAT;
    if (confirmation.len == 0)
        return ERR_NOT_FOUND;
    rd_init(&data, confirmation);
    made.signature = rd_view(&data, tlv_length(&data));
    if (!rd_ok(&data) || made.signature.len > RECEIPT_LEN_MAX)
        return ERR_FORMAT;
    made.confirmation = view_tail(confirmation, confirmation.len - rd_left(&data));
    take_confirmation_data(&data, &made);
    if (!rd_done(&data))
        return ERR_FORMAT;
    *out = made;
    return OK;
}

enum part { NO_PART, PACKAGE, APPLICATION, DOMAIN, OLD_DOMAIN, PRIVILEGES, PARAMETERS, PART_COUNT };
enum { PARTS_MAX = 5 };

/* Tables C-11 to C-16: what stands behind the confirmation data, each with its length. */
static const struct {
    enum part parts[PARTS_MAX];
    bool may_be_empty;
} kinds[RECEIPT_KIND_COUNT] = {
    [RECEIPT_LOAD] = {{PACKAGE, DOMAIN}, false},
    [RECEIPT_INSTALL] = {{PACKAGE, APPLICATION}, false},
    [RECEIPT_EXTRADITION] = {{OLD_DOMAIN, APPLICATION, DOMAIN}, false},
    [RECEIPT_REGISTRY_UPDATE] = {{OLD_DOMAIN, APPLICATION, DOMAIN, PRIVILEGES, PARAMETERS}, true},
    [RECEIPT_DELETE] = {{APPLICATION}, false},
    [RECEIPT_ALL] = {{PACKAGE, APPLICATION, DOMAIN}, false},
};

enum err receipt_input(struct writer *w, const struct receipt *r, const struct receipt_about *about)
{
    const struct view values[PART_COUNT] = {
        [PACKAGE] = about->package,       [APPLICATION] = about->application,
        [DOMAIN] = about->domain,         [OLD_DOMAIN] = about->old_domain,
        [PRIVILEGES] = about->privileges, [PARAMETERS] = about->parameters};
    if (about->kind >= RECEIPT_KIND_COUNT)
        return ERR_ARGUMENT;
    wr_view(w, r->confirmation);
    for (size_t n = 0; n < PARTS_MAX && kinds[about->kind].parts[n] != NO_PART; n++) {
        struct view v = values[kinds[about->kind].parts[n]];
        if (v.len == 0 && !kinds[about->kind].may_be_empty)
            return ERR_ARGUMENT;
        tlv_put_length(w, v.len);
        wr_view(w, v);
    }
    return wr_status(w);
}

enum err receipt_verify(struct crypto *c, const struct signature_key *key, const struct receipt *r,
                        const struct receipt_about *about)
{
    struct writer input;
    if (r->signature.len == 0)
        return ERR_NOT_FOUND;
    wr_heap(&input, INPUT_MAX);
    enum err e = receipt_input(&input, r, about);
    if (e == OK) {
        struct view part = wr_view_of(&input);
        e = signature_check(c, key, &part, 1, r->signature);
    }
    wr_free(&input);
    return e;
}
