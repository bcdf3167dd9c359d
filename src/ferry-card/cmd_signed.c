/* SPDX-License-Identifier: Apache-2.0
 *
 * INITIALIZE UPDATE of signed commands (docs/signed-commands.md): which key version, and how often a stranger
 * may make the card use its private key. */
#include <string.h>

#include "channel_signed.h"
#include "domain.h"
#include "keypair.h"

/* Openings that were not finished, kept as an object that is no GET DATA's: number 2 | the first bytes of
 * both keys' fingerprints 8 + 8. With other keys the count begins anew. */
enum { TAG_UNFINISHED = 0x00F0, KEYS_LEN = 16, UNFINISHED_MIN = 64 };

struct version {
    struct card_signed_parties parties;
    struct view domain;
    uint8_t keys[KEYS_LEN];
};

/* ---- what is not finished ---- */

static enum err name_keys(struct card *card, struct version *v)
{
    struct writer image, keys;
    uint8_t digest[DIGEST_MAX];
    enum err e = OK;
    const struct pk *const pair[] = {v->parties.server, v->parties.own};
    wr_fixed(&keys, v->keys, sizeof v->keys);
    for (size_t n = 0; e == OK && n < 2; n++) {
        wr_heap(&image, PK_PUBLIC_MAX);
        e = keypair_put_image(pair[n], &image);
        struct view whole = wr_view_of(&image);
        if (e == OK)
            e = crypto_digest(card->crypto, DIGEST_SHA256, &whole, 1, digest);
        wr_view(&keys, view_of(digest, KEYS_LEN / 2));
        wr_free(&image);
    }
    return e;
}

static uint16_t unfinished(const struct card *card, const struct version *v)
{
    const struct card_object *o =
        card_find_certificate(&card->state, v->domain, TAG_UNFINISHED, v->parties.kvn, 0);
    struct reader r;
    if (o == NULL)
        return 0;
    rd_init(&r, view_of(o->data, o->len));
    uint16_t count = rd_u16(&r);
    return view_equal(rd_rest(&r), VIEW_OF(v->keys)) ? count : 0;
}

static uint16_t put_unfinished(struct card *card, const struct version *v, uint16_t count)
{
    uint8_t value[2 + KEYS_LEN], memory[64];
    struct writer w, records;
    wr_fixed(&w, value, sizeof value);
    wr_u16(&w, count);
    wr_view(&w, VIEW_OF(v->keys));
    wr_fixed(&records, memory, sizeof memory);
    card_put_certificate(&records, v->domain, TAG_UNFINISHED, v->parties.kvn, 0,
                         count == 0 ? VIEW_NULL : VIEW_OF(value));
    return card_commit(card, &records, true);
}

static bool blocked(const struct card *card, uint16_t count)
{
    uint16_t max = card->state.profile.max_failures;
    return max != 0 && count >= (max < UNFINISHED_MIN ? UNFINISHED_MIN : max);
}

/* ---- key versions ---- */

/* Both pairs of one row, and the public half, where it is kept, that of the private one. */
static bool matches(struct card *card, const struct version *v)
{
    struct card_key *public_half = card_find_key(&card->state, v->domain, v->parties.kvn, SIGNED_KID_PUBLIC);
    struct pk *k = NULL;
    if (v->parties.row == NULL || card_signed_row_of(v->parties.server) != v->parties.row ||
        pk_is_private(v->parties.server) || !pk_is_private(v->parties.own))
        return false;
    if (public_half == NULL)
        return true;
    bool same = keypair_load(public_half, &k) == OK && pk_same(k, v->parties.own);
    pk_free(&k);
    return same;
}

static bool load_version(struct card *card, uint8_t kvn, struct version *v)
{
    struct card_key *server = card_find_key(&card->state, v->domain, kvn, SIGNED_KID_SERVER);
    struct card_key *own = card_find_key(&card->state, v->domain, kvn, SIGNED_KID_OWN);
    v->parties.kvn = kvn;
    if (server == NULL || own == NULL || keypair_load(server, &v->parties.server) != OK ||
        keypair_load(own, &v->parties.own) != OK)
        return false;
    v->parties.row = card_signed_row_of(v->parties.own);
    return matches(card, v) && name_keys(card, v) == OK;
}

static void drop_version(struct version *v)
{
    pk_free(&v->parties.server);
    pk_free(&v->parties.own);
}

/* P1 00: the first version that is complete. */
static bool find_version(struct card *card, uint8_t kvn, struct version *v)
{
    for (size_t n = 0; n < card->state.key_count; n++) {
        const struct card_key *k = &card->state.keys[n];
        if (k->kid != SIGNED_KID_OWN || !card_domain_is(&k->domain, v->domain) || (kvn != 0 && k->kvn != kvn))
            continue;
        if (load_version(card, k->kvn, v))
            return true;
        drop_version(v);
    }
    return false;
}

/* ---- opening ---- */

static enum err open_session(struct card *card, const struct version *v, struct view host_challenge,
                             struct writer *out)
{
    uint8_t challenge[SIGNED_CHALLENGE];
    struct session *s = &card->now->session;
    enum err e = card->random.fill(card->random.ctx, challenge, sizeof challenge);
    wr_view(out, v->parties.kdd);
    wr_u8(out, v->parties.kvn);
    wr_u8(out, SIGNED_SCP);
    wr_u8(out, v->parties.row->i);
    wr_view(out, VIEW_OF(challenge));
    enum err opened =
        card_signed_open(card->crypto, &v->parties, host_challenge, VIEW_OF(challenge), &s->channel, out);
    s->state = SESSION_INITIATED;
    s->kvn = v->parties.kvn;
    s->ops = &card_signed_ops;
    return e == OK ? opened : e;
}

static uint16_t initialize(struct card *card, const struct apdu *a, struct writer *out)
{
    struct version v = {.domain = card_channel_domain(card),
                        .parties = {.kdd = VIEW_OF(card->state.profile.kdd), .owner = card}};
    if (!find_version(card, a->p1, &v))
        return SW_REFERENCED_DATA;
    uint16_t count = unfinished(card, &v), sw = SW_OK;
    if (a->data.len != SIGNED_CHALLENGE)
        sw = SW_WRONG_LENGTH;
    else if (blocked(card, count))
        sw = SW_AUTH_BLOCKED;
    else
        sw = put_unfinished(card, &v, count == UINT16_MAX ? count : (uint16_t)(count + 1));
    if (sw != SW_OK) {
        drop_version(&v);
        return sw;
    }
    return open_session(card, &v, a->data, out) == OK ? SW_OK : SW_NO_DIAGNOSIS;
}

/* A server that proved itself sets the count back. */
static uint16_t external_authenticate(struct crypto *c, struct card_channel *ch, const struct apdu *command)
{
    struct card *card = card_signed_owner(ch);
    uint16_t sw = card_signed_external_authenticate(c, ch, command);
    if (sw != SW_OK)
        return sw;
    uint8_t memory[64];
    struct writer records;
    wr_fixed(&records, memory, sizeof memory);
    card_put_certificate(&records, card_channel_domain(card), TAG_UNFINISHED, card->now->session.kvn, 0,
                         VIEW_NULL);
    return card_commit(card, &records, true);
}

const struct card_channel_ops card_signed_ops = {.scp = SIGNED_SCP,
                                                 .initialize = initialize,
                                                 .knows_i = card_signed_knows_i,
                                                 .allows_level = card_signed_allows_level,
                                                 .external_authenticate = external_authenticate,
                                                 .unwrap = card_signed_unwrap,
                                                 .wrap_response = card_signed_wrap_response,
                                                 .decrypt_sensitive = card_signed_decrypt_sensitive};
