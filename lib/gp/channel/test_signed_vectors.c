/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/signed-commands-vectors.md against the host's side: with the random numbers of a transcript it says
 * the same, but for the numbers inside of signatures, and takes the card's answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "signed.h"

enum { LINE_MAX_BYTES = 8192, TRANSCRIPTS = 7 };

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    vectors_free();
    return 0;
}

/* ---- the document ---- */

struct page {
    FILE *file;
    char line[LINE_MAX_BYTES];
    const char *name, *value; /* of the last "name = value" */
};

/* To the next line of the form; false at the end of the transcript. */
static bool next_line(struct page *p)
{
    while (fgets(p->line, sizeof(p->line), p->file) != NULL) {
        char *equals = strstr(p->line, " = ");
        p->line[strcspn(p->line, "\n")] = '\0';
        if (strcmp(p->line, "```") == 0 && p->name != NULL)
            return false;
        if (p->line[0] == '#' || equals == NULL)
            continue;
        *equals = '\0';
        p->name = p->line;
        p->value = equals + 3;
        return true;
    }
    return false;
}

/* The value of the line that must come now. */
static struct view value_of(struct page *p, const char *name)
{
    if (!next_line(p))
        fail_msg("%s: the transcript has ended", name);
    if (strcmp(p->name, name) != 0)
        fail_msg("%s instead of %s", p->name, name);
    return vector_hex(p->value);
}

/* ---- one transcript ---- */

struct transcript {
    struct crypto *crypto;
    struct page page;
    const struct signed_variant *v;
    uint8_t level;
    struct pk *server, *card, *server_public, *card_public;
    struct view challenge, drawn; /* what the source of randomness gives */
    struct channel_opening o;
    struct channel *ch;
};

static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    const struct transcript *t = ctx;
    struct view from = len == SIGNED_CHALLENGE ? t->challenge : t->drawn;
    assert_int_equal(from.len, len);
    memcpy(out, from.data, len);
    return OK;
}

static struct pk *private_key(struct view der)
{
    struct pk *k = NULL;
    assert_int_equal(pk_from_pkcs8(der, &k), OK);
    return k;
}

static struct pk *public_half(const struct pk *k)
{
    uint8_t memory[PK_PUBLIC_MAX];
    struct writer w;
    struct pk *out = NULL;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(pk_put_spki(k, &w), OK);
    assert_int_equal(pk_from_spki(wr_view_of(&w), &out), OK);
    return out;
}

static void begin(struct transcript *t)
{
    uint8_t print[DIGEST_MAX];
    const size_t len = crypto_digest_len(t->v->digest);
    t->server = private_key(value_of(&t->page, "server private"));
    t->card = private_key(value_of(&t->page, "card private"));
    t->server_public = public_half(t->server);
    t->card_public = public_half(t->card);
    assert_int_equal(signed_fingerprint(t->crypto, t->v, t->server_public, print), OK);
    assert_true(view_equal(view_of(print, len), value_of(&t->page, "fingerprint of the server's key")));
    assert_int_equal(signed_fingerprint(t->crypto, t->v, t->card_public, print), OK);
    assert_true(view_equal(view_of(print, len), value_of(&t->page, "fingerprint of the card's key")));
    t->challenge = value_of(&t->page, "host challenge");
}

static void chain_is(struct transcript *t)
{
    assert_true(view_equal(signed_chain(t->ch), value_of(&t->page, "D")));
}

/* The key field of the transcript in the place of ours: what RSA-OAEP makes is never the same twice. */
static void take_key_field(struct transcript *t, struct view field, struct view z)
{
    struct reader r;
    struct secret opened = {0};
    rd_init(&r, field);
    const size_t key_len = rd_u8(&r);
    assert_int_equal(pk_oaep_decrypt(t->crypto, t->card, DIGEST_SHA256, rd_rest(&r), &opened), OK);
    assert_true(view_equal(secret_view(&opened), z));
    assert_int_equal(t->ch->host_cryptogram_len, field.len);
    memcpy(t->ch->host_cryptogram, field.data, field.len);
    assert_int_equal(signed_derive_keys(t->ch, t->crypto, t->v, &opened, key_len), OK);
}

/* Header and data are the same; the signature of the transcript is right over what was before. */
static void same_command(struct transcript *t, struct view got, struct view want, struct view chain,
                         uint32_t n)
{
    uint8_t memory[SIGNED_HEAD_MAX];
    struct apdu a, b;
    struct writer head;
    struct reader r;
    assert_int_equal(apdu_parse(got, &a), OK);
    assert_int_equal(apdu_parse(want, &b), OK);
    assert_true(view_equal(view_head(got, 4), view_head(want, 4)));
    assert_int_equal(a.data.len, b.data.len);
    assert_int_equal(a.extended, b.extended);
    rd_init(&r, b.data);
    const struct view data = rd_view(&r, b.data.len - t->ch->tag_len);
    assert_true(view_equal(view_head(a.data, data.len), data));
    const struct signed_command command = {n, b.cla, b.ins, b.p1, b.p2, data.len};
    wr_fixed(&head, memory, sizeof(memory));
    signed_put_command(&head, chain, &command);
    const struct view parts[] = {wr_view_of(&head), data};
    assert_int_equal(
        pk_verify(t->crypto, t->server_public, t->v->scheme, t->v->digest, parts, 2, rd_rest(&r)), OK);
}

static struct view keep(struct view v, uint8_t memory[CHAIN_MAX])
{
    memcpy(memory, v.data, v.len);
    return view_of(memory, v.len);
}

static void opening(struct transcript *t, struct view drawn, struct view first, struct view answer,
                    struct view d)
{
    const struct random_source random = {fill, t};
    const struct channel_request request = {
        .method = channel_method(SCP_SIGNED, t->v->i), .level = t->level, .kvn = 0x30};
    const struct channel_keys keys = {.host = t->server, .peer = t->card_public};
    uint8_t memory[64];
    struct rapdu taken;
    struct writer w;
    t->drawn = drawn;
    assert_int_equal(channel_begin(&t->o, t->crypto, random, &request, NULL), OK);
    wr_fixed(&w, memory, sizeof(memory));
    apdu_put(&w, &t->o.commands[0]);
    assert_true(view_equal(wr_view_of(&w), first));
    assert_int_equal(rapdu_parse(answer, &taken), OK);
    assert_int_equal(channel_accept(&t->ch, t->crypto, &t->o, &keys, &taken, 1), OK);
    assert_true(view_equal(signed_chain(t->ch), d));
}

static void external_authenticate(struct transcript *t, struct view want, struct view z)
{
    uint8_t memory[EXTERNAL_AUTHENTICATE_MAX], before[CHAIN_MAX];
    struct writer w;
    struct apdu a;
    assert_int_equal(apdu_parse(want, &a), OK);
    if (t->v->algorithm == PK_RSA && z.len > 0)
        take_key_field(t, view_head(a.data, a.data.len - t->ch->tag_len), z);
    const struct view chain = keep(signed_chain(t->ch), before);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(channel_external_authenticate(t->ch, t->crypto, &w), OK);
    same_command(t, wr_view_of(&w), want, chain, 0);
    chain_is(t);
}

static void answered(struct transcript *t, struct view wire, struct view plain)
{
    struct rapdu want;
    struct writer out;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&out, RAPDU_MAX);
    assert_int_equal(rapdu_parse(plain, &want), OK);
    assert_int_equal(channel_unwrap(t->ch, t->crypto, wire, &out, &sw, &proven), OK);
    assert_true(view_equal(wr_view_of(&out), want.data));
    assert_int_equal(sw, want.sw);
    bool due = (t->level & LEVEL_R_MAC) != 0 && channel_is_success(want.sw) && t->ch->counter > 0;
    assert_int_equal(proven, due);
    wr_free(&out);
}

static void one_command(struct transcript *t, struct view plain, uint32_t n)
{
    uint8_t before[CHAIN_MAX];
    struct apdu command, wrapped;
    struct writer storage, wire;
    const struct view chain = keep(signed_chain(t->ch), before);
    assert_int_equal(apdu_parse(plain, &command), OK);
    wr_heap(&storage, channel_wrapped_max(&command, 1));
    wr_heap(&wire, CAPDU_MAX);
    assert_int_equal(channel_wrap(t->ch, t->crypto, &command, 1, &wrapped, &storage), OK);
    apdu_put(&wire, &wrapped);
    same_command(t, wr_view_of(&wire), value_of(&t->page, "command"), chain, n);
    chain_is(t);
    wr_free(&storage);
    wr_free(&wire);
    struct view answer = value_of(&t->page, "plain answer");
    answered(t, value_of(&t->page, "answer"), answer);
}

static void session_keys(struct transcript *t)
{
    assert_true(secret_equal(secret_view(&t->ch->enc), value_of(&t->page, "S-ENC")));
    assert_true(secret_equal(secret_view(&t->ch->rmac), value_of(&t->page, "S-RMAC")));
    assert_true(secret_equal(secret_view(&t->ch->dek), value_of(&t->page, "S-DEK")));
}

static void from_start_to_end(struct transcript *t)
{
    static const uint8_t done[] = {0x90, 0x00};
    struct view drawn = VIEW_NULL, z = VIEW_NULL;
    const bool carries = (t->level & LEVEL_C_DECRYPTION) != 0;
    begin(t);
    struct view first = value_of(&t->page, "INITIALIZE UPDATE"), answer = value_of(&t->page, "answer");
    (void)value_of(&t->page, "M1");
    struct view d = value_of(&t->page, "D");
    if (carries && t->v->algorithm == PK_EC)
        drawn = value_of(&t->page, "ephemeral scalar");
    if (carries)
        z = value_of(&t->page, "Z");
    opening(t, t->v->algorithm == PK_RSA ? z : drawn, first, answer, d);
    external_authenticate(t, value_of(&t->page, "EXTERNAL AUTHENTICATE"), z);
    assert_true(view_equal(value_of(&t->page, "answer"), VIEW_OF(done)));
    answered(t, VIEW_OF(done), VIEW_OF(done));
    if (carries)
        session_keys(t);
    uint32_t n = 0;
    while (next_line(&t->page)) {
        assert_string_equal(t->page.name, "plain command");
        one_command(t, vector_hex(t->page.value), ++n);
    }
    assert_int_equal(n, 4);
}

static void every_transcript(void **state)
{
    struct transcript t = {.crypto = *state};
    size_t count = 0;
    t.page.file = fopen(CF_DATA "/../../docs/signed-commands-vectors.md", "r");
    assert_non_null(t.page.file);
    while (next_line(&t.page)) {
        assert_string_equal(t.page.name, "i");
        t.v = signed_variant(vector_hex(t.page.value).data[0]);
        assert_non_null(t.v);
        t.level = value_of(&t.page, "level").data[0];
        from_start_to_end(&t);
        t.page.name = NULL;
        count++;
        channel_free(&t.ch);
        channel_opening_finish(&t.o);
        pk_free(&t.server);
        pk_free(&t.card);
        pk_free(&t.server_public);
        pk_free(&t.card_public);
    }
    fclose(t.page.file);
    assert_int_equal(count, TRANSCRIPTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_transcript)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
