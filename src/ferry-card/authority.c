/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens and receipts on the card. */
#include "authority.h"

#include <string.h>

#include <tlv/tlv.h>

#include "domain.h"
#include "privilege.h"
#include "signature.h"

/* Versions and identifier of the keys (GlobalPlatform Card UICC Configuration 1.0.1, table 4-5). */
enum { KVN_TOKEN = 0x70, KVN_RECEIPT = 0x71, KID_FIRST = 1 };
/* C.5: cards need not count beyond it. */
enum { CONFIRMATIONS_MAX = 32767, UNIQUE_MAX = 2 * 255 };

void card_token_put_command(struct writer *w, uint8_t p1, uint8_t p2, struct view fields)
{
    wr_u8(w, p1);
    wr_u8(w, p2);
    if (fields.len > UINT8_MAX)
        wr_u24(w, (uint32_t)fields.len);
    else
        wr_u8(w, (uint8_t)fields.len);
    wr_view(w, fields);
}

uint16_t card_authority_may(const struct card *card)
{
    struct view domain = card_domain_of(card);
    if (!card_may(card, MAY_AUTHORIZED) && !card_may(card, MAY_DELEGATED))
        return SW_CONDITIONS;
    return card_domain_is_personalized(&card->state, domain) ? SW_OK : SW_CONDITIONS;
}

/* The security domain that does this for the one that was selected: the nearest above it with the privilege,
 * or one elsewhere below the top of its tree (9.1.3.1, 9.1.3.6). */
static bool find_helper(const struct card *card, enum privilege p, struct card_aid *out)
{
    const struct card_state *s = &card->state;
    struct view from = card_domain_of(card), top = card_domain_top(s, from);
    uint8_t have[CARD_PRIVILEGES];
    for (struct view at = from;;) {
        card_privileges_of(s, at, have);
        if (card_privilege_set(have, p)) {
            *out = (struct card_aid){.len = 0};
            (void)card_aid_set(out, at);
            return true;
        }
        if (view_equal(at, top))
            break;
        at = card_domain_above(s, at);
    }
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        if (card_privilege_set(a->privileges, p) && card_is_below(s, card_aid_view(&a->aid), top)) {
            *out = a->aid;
            return true;
        }
    }
    return false;
}

static bool object_fits(const struct card *card, struct view domain, struct view template, uint16_t tag)
{
    struct view said;
    if (!tlv_find(template, tag, &said))
        return true;
    const struct card_object *o = card_find_object(&card->state, domain, tag);
    return o != NULL && view_equal(view_of(o->data, o->len), said);
}

/* Control reference template B6 (table 11-48): the token is for the security domain that it names. */
static uint16_t read_template(const struct card *card, struct view domain, struct view parameters,
                              struct authority *out)
{
    struct view template, id = VIEW_NULL;
    if (!tlv_find(parameters, 0xB6, &template))
        return SW_OK;
    (void)tlv_find(template, 0x93, &id);
    if (!tlv_valid(template) || id.len > TOKEN_ID_MAX || !object_fits(card, domain, template, 0x42) ||
        !object_fits(card, domain, template, 0x45))
        return SW_WRONG_DATA;
    if (id.len != 0)
        memcpy(out->token_id, id.data, id.len);
    out->token_id_len = (uint8_t)id.len;
    return SW_OK;
}

static uint16_t check_token(struct card *card, const struct card_key *key, const struct token_command *t)
{
    struct writer w;
    wr_heap(&w, 2 * CAPDU_MAX);
    wr_view(&w, t->first);
    card_token_put_command(&w, t->p1, t->p2, t->fields);
    enum err e = wr_status(&w);
    if (e == OK)
        e = card_signature_check(card->crypto, key, wr_view_of(&w), t->token);
    wr_free(&w);
    return e == OK ? SW_OK : e == ERR_AUTH ? SW_SECURITY_STATUS : SW_NO_DIAGNOSIS;
}

uint16_t card_authority_check(struct card *card, const struct token_command *t, struct authority *out)
{
    struct authority auth = {.delegated = card_may(card, MAY_DELEGATED)};
    struct card_aid helper;
    uint16_t sw = card_authority_may(card);
    if (sw != SW_OK)
        return sw;
    /* 11.5.2.3.1: whoever may manage alone must not send one. */
    if (!auth.delegated && t->token.len != 0)
        return SW_WRONG_DATA;
    if (auth.delegated) {
        if (t->token.len == 0 || !find_helper(card, MAY_VERIFY_TOKENS, &helper))
            return SW_SECURITY_STATUS;
        const struct card_key *key =
            card_find_key(&card->state, card_aid_view(&helper), KVN_TOKEN, KID_FIRST);
        if (key == NULL)
            return SW_SECURITY_STATUS;
        sw = read_template(card, card_aid_view(&helper), t->parameters, &auth);
        if (sw == SW_OK)
            sw = check_token(card, key, t);
    }
    if (sw == SW_OK)
        *out = auth;
    return sw;
}

/* ---- receipts ---- */

void card_confirmation_put_data(struct writer *w, uint16_t counter, struct view unique, struct view token_id)
{
    wr_u8(w, 2);
    wr_u16(w, counter);
    wr_view8(w, unique);
    if (token_id.len != 0)
        wr_view8(w, token_id);
}

void card_confirmation_put(struct writer *w, struct view receipt, struct view data)
{
    tlv_put_length(w, tlv_header_len(0x04, receipt.len) - 1 + receipt.len + data.len);
    tlv_put_length(w, receipt.len);
    wr_view(w, receipt);
    wr_view(w, data);
}

/* Identification and image number of the security domain, as objects one behind the other (11.1.6). */
static void put_unique(const struct card_state *s, struct view domain, struct writer *w)
{
    static const uint16_t tags[] = {0x42, 0x45};
    for (size_t n = 0; n < 2; n++) {
        const struct card_object *o = card_find_object(s, domain, tags[n]);
        if (o != NULL)
            tlv_put(w, tags[n], view_of(o->data, o->len));
    }
}

static uint16_t put_receipt(struct card *card, const struct authority *auth, const struct card_aid *helper,
                            const struct card_key *key, struct view fields, struct writer *out)
{
    uint8_t unique_memory[UNIQUE_MAX];
    struct writer unique, data, input, receipt;
    uint16_t counter = card->state.confirmations;
    wr_fixed(&unique, unique_memory, sizeof unique_memory);
    wr_heap(&data, CAPDU_MAX);
    wr_heap(&input, CAPDU_MAX);
    wr_heap(&receipt, RAPDU_MAX);
    put_unique(&card->state, card_aid_view(helper), &unique);
    card_confirmation_put_data(&data, counter, wr_view_of(&unique),
                               view_of(auth->token_id, auth->token_id_len));
    wr_view(&input, wr_view_of(&data));
    wr_view(&input, fields);
    enum err e = wr_ok(&unique) && wr_ok(&data) && wr_ok(&input) ? OK : ERR_LIMIT;
    if (e == OK)
        e = card_signature_make(card->crypto, key, wr_view_of(&input), &receipt);
    if (e == OK)
        card_confirmation_put(out, wr_view_of(&receipt), wr_view_of(&data));
    wr_free(&data);
    wr_free(&input);
    wr_free(&receipt);
    return e == OK ? SW_OK : SW_NO_DIAGNOSIS;
}

uint16_t card_authority_confirm(struct card *card, const struct authority *auth, struct view fields,
                                struct writer *records, struct writer *out)
{
    struct card_aid helper;
    const struct card_key *key = NULL;
    if (auth->delegated && find_helper(card, MAY_MAKE_RECEIPTS, &helper))
        key = card_find_key(&card->state, card_aid_view(&helper), KVN_RECEIPT, KID_FIRST);
    if (key == NULL) {
        wr_u8(out, 0x00);
        return SW_OK;
    }
    /* Never set back to zero: then there are no more receipts, and nothing that would need one (C.5). */
    if (card->state.confirmations >= CONFIRMATIONS_MAX)
        return SW_CONDITIONS;
    card_put_confirmations(records, (uint16_t)(card->state.confirmations + 1));
    return put_receipt(card, auth, &helper, key, fields, out);
}
