/* SPDX-License-Identifier: Apache-2.0
 *
 * The transcripts of docs/signed-commands-vectors.md as the card sees them: the same chain and session keys,
 * plain commands out of signed ones, answers byte for byte where they are under a MAC, and signatures that
 * verify where they are signed. */
#include "testing/conversation.h"

#include "channel_signed.h"

enum { ROOM = 1024 * 1024, SECTIONS_MIN = 7, VALUE_MAX = 8192 };

static char text[ROOM];
static const char *at;

static int setup(void **state)
{
    FILE *f = fopen(CF_DATA "/../../docs/signed-commands-vectors.md", "rb");
    if (f == NULL)
        return -1;
    size_t len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[len] = '\0';
    at = text;
    return conversation_setup(state);
}

/* The next line "name = value" of the section: false at its end. */
static bool next_line(char *name, size_t room, char *value)
{
    for (;;) {
        const char *end = strchr(at, '\n');
        if (end == NULL || strncmp(at, "```", 3) == 0)
            return false;
        const char *equals = strstr(at, " = ");
        assert_true(equals != NULL && equals < end && (size_t)(equals - at) < room);
        snprintf(name, room, "%.*s", (int)(equals - at), at);
        assert_true(end - equals - 3 < VALUE_MAX);
        snprintf(value, VALUE_MAX, "%.*s", (int)(end - equals - 3), equals + 3);
        at = end + 1;
        return true;
    }
}

static bool next_section(void)
{
    const char *open = strstr(at, "\n```\ni = ");
    if (open == NULL)
        return false;
    at = open + 5;
    return true;
}

struct transcript {
    const struct card_signed_row *row;
    uint8_t level;
    struct card_signed_parties parties;
    struct pk *card; /* again, to verify with */
    struct view host_challenge;
    struct card_channel ch;
    struct apdu plain;   /* the command in hand */
    struct rapdu answer; /* its plain answer */
    bool opened, answered;
    unsigned compared;
};

static struct view keep(const char *hex)
{
    return vector_hex(hex);
}

static struct pk *private_key(const char *hex)
{
    struct pk *k = NULL;
    assert_int_equal(pk_from_pkcs8(keep(hex), &k), OK);
    return k;
}

/* INITIALIZE UPDATE was answered: kdd 10 | kvn | F0 | i | challenge 16 | signature. */
static void open(struct transcript *t, struct view answer)
{
    struct reader r;
    struct writer signature;
    rd_init(&r, answer);
    t->parties.kdd = rd_view(&r, 10);
    t->parties.kvn = rd_u8(&r);
    assert_int_equal(rd_u8(&r), 0xF0);
    assert_int_equal(rd_u8(&r), t->row->i);
    struct view challenge = rd_view(&r, 16);
    assert_int_equal(rd_left(&r), t->row->signature_len + 2u);
    wr_heap(&signature, PK_SIGNATURE_MAX);
    assert_int_equal(card_signed_open(crypto, &t->parties, t->host_challenge, challenge, &t->ch, &signature),
                     OK);
    assert_int_equal(signature.len, t->row->signature_len);
    wr_free(&signature);
    t->opened = true;
}

static void external_authenticate(struct transcript *t, struct view wire)
{
    struct apdu a;
    assert_int_equal(apdu_parse(wire, &a), OK);
    assert_int_equal(card_signed_external_authenticate(crypto, &t->ch, &a), SW_OK);
    assert_int_equal(t->ch.level, t->level);
}

static void command(struct transcript *t, struct view wire)
{
    struct apdu a;
    struct writer data;
    wr_heap(&data, CAPDU_MAX);
    assert_int_equal(apdu_parse(wire, &a), OK);
    assert_int_equal(card_signed_unwrap(crypto, &t->ch, &a, &data), SW_OK);
    assert_true(view_equal(wr_view_of(&data), t->plain.data));
    wr_free(&data);
    t->answered = false;
}

/* A signature never comes out the same again: what stands before it does, and ours is as long. */
static void answer(struct transcript *t, struct view wire)
{
    struct writer out;
    wr_heap(&out, RAPDU_MAX);
    assert_int_equal(card_signed_wrap_response(crypto, &t->ch, &t->plain, &t->answer, &out), OK);
    bool is_signed = t->level == 0x11 && sw_is_ok_or_warning(t->answer.sw);
    size_t proof = is_signed ? t->row->signature_len : 0;
    assert_int_equal(out.len + 2, wire.len);
    assert_true(view_equal(view_head(wr_view_of(&out), out.len - proof), view_head(wire, out.len - proof)));
    if (is_signed) {
        uint8_t head[11] = {'F', 'E', 'R', 'R', 'Y', '-', 'F', '0', 0x04};
        uint8_t tail[4] = {(uint8_t)(t->answer.sw >> 8), (uint8_t)t->answer.sw, 0,
                           (uint8_t)t->answer.data.len};
        const struct view r[] = {view_of(head, 9), view_of(t->ch.hash_chain, crypto_digest_len(t->row->hash)),
                                 VIEW_OF(tail), t->answer.data};
        struct view theirs = view_head(view_tail(wire, t->answer.data.len), proof);
        struct view ours = view_tail(wr_view_of(&out), t->answer.data.len);
        assert_int_equal(pk_verify(crypto, t->card, t->row->scheme, t->row->hash, r, 4, theirs), OK);
        assert_int_equal(pk_verify(crypto, t->card, t->row->scheme, t->row->hash, r, 4, ours), OK);
    }
    wr_free(&out);
}

static void any_answer(struct transcript *t, struct view wire)
{
    if (!t->opened)
        open(t, wire);
    else if (t->answered)
        answer(t, wire);
    else
        assert_true(view_equal(wire, vector_hex("9000"))); /* of EXTERNAL AUTHENTICATE */
}

static void same_secret(const struct transcript *t, const char *name, const char *value)
{
    const struct {
        const char *name;
        const struct secret *s;
    } rows[] = {{"S-ENC", &t->ch.s_enc}, {"S-RMAC", &t->ch.s_rmac}, {"S-DEK", &t->ch.s_dek}};
    for (size_t n = 0; n < 3; n++) {
        if (strcmp(name, rows[n].name) == 0)
            assert_true(secret_equal(secret_view(rows[n].s), keep(value)));
    }
}

static bool is(const char *name, const char *wanted)
{
    return strcmp(name, wanted) == 0;
}

static void take_line(struct transcript *t, const char *name, const char *value)
{
    if (is(name, "i"))
        t->parties.row = t->row = card_signed_row(keep(value).data[0]);
    else if (is(name, "level"))
        t->level = keep(value).data[0];
    else if (is(name, "server private"))
        t->parties.server = private_key(value);
    else if (is(name, "card private")) {
        t->parties.own = private_key(value);
        t->card = private_key(value);
    } else if (is(name, "host challenge"))
        t->host_challenge = keep(value);
    else if (is(name, "EXTERNAL AUTHENTICATE"))
        external_authenticate(t, keep(value));
    else if (is(name, "plain command"))
        assert_int_equal(apdu_parse(keep(value), &t->plain), OK);
    else if (is(name, "command"))
        command(t, keep(value));
    else if (is(name, "plain answer")) {
        assert_int_equal(rapdu_parse(keep(value), &t->answer), OK);
        t->answered = true;
    } else if (is(name, "answer"))
        any_answer(t, keep(value));
    else if (is(name, "D"))
        assert_true(view_equal(view_of(t->ch.hash_chain, crypto_digest_len(t->row->hash)), keep(value)));
    else
        same_secret(t, name, value);
    t->compared++;
}

static void every_transcript(void **state)
{
    static char value[VALUE_MAX];
    char name[64];
    unsigned sections = 0;
    (void)state;
    while (next_section()) {
        struct transcript t = {.row = NULL};
        while (next_line(name, sizeof name, value))
            take_line(&t, name, value);
        assert_true(t.opened && t.compared > 20);
        card_channel_finish(&t.ch);
        pk_free(&t.card);
        sections++;
    }
    assert_true(sections >= SECTIONS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_transcript)};
    return cmocka_run_group_tests(tests, setup, conversation_teardown);
}
