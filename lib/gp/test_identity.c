/* SPDX-License-Identifier: Apache-2.0
 *
 * What real cards say of themselves, what is malformed, and that an identity survives as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <gp/identity.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

enum { STATE_MAX = 4096, RANDOM_ROUNDS = 500 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static void commands(void **state)
{
    (void)state;
    static const char *const want[IDENTITY_COMMANDS] = {"00A4040005A00000000100",
                                                        "80CA9F7F00",
                                                        "80CA006600",
                                                        "80CA00E000",
                                                        "80CA004200",
                                                        "80CA004500",
                                                        "80CA006700"};
    struct apdu a[IDENTITY_COMMANDS];
    identity_commands(a, vector_hex("A000000001"));
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++) {
        uint8_t memory[32];
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        apdu_put(&w, &a[n]);
        if (!view_equal(wr_view_of(&w), vector_hex(want[n])))
            fail_msg("%s", want[n]);
    }
}

static struct rapdu answer_of(const json_t *row, const char *key)
{
    struct rapdu r;
    assert_int_equal(rapdu_parse(vector_bytes(row, key), &r), OK);
    return r;
}

static void cplc_vectors(void **state)
{
    (void)state;
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cplc.json"), index, row)
    {
        struct identity id = {0}, bare = {0};
        if (!vector_is(row, "cplc"))
            continue;
        assert_int_equal(identity_parse_cplc(&bare, vector_bytes(row, "value")), OK);
        id = bare;
        if (vector_has(row, "response"))
            assert_int_equal(identity_parse_cplc(&id, answer_of(row, "response").data), OK);
        assert_memory_equal(id.cplc, bare.cplc, CPLC_LEN);
        const json_t *fields = json_object_get(row, "fields");
        if (!view_equal(identity_serial(&id), vector_bytes(fields, "ic_serial_number")))
            fail_msg("%s", vector_text(row, "id"));
        rows++;
    }
    assert_int_equal(rows, 40);
}

static void expect_scps(const json_t *row, const struct identity *id)
{
    size_t index, n = 0;
    json_t *scp;
    json_array_foreach(json_object_get(json_object_get(row, "decoded"), "scp"), index, scp)
    {
        struct view type = vector_bytes(scp, "scp"), values = vector_bytes(scp, "i");
        size_t each = type.data[0] == 0x11 ? 2 : 1; /* SCP11's has two bytes */
        for (size_t k = 0; k < values.len; k += each, n++) {
            unsigned i = each == 2 ? (unsigned)(values.data[k] << 8 | values.data[k + 1]) : values.data[k];
            if (n >= id->scp_count || id->scps[n].scp != type.data[0] || id->scps[n].i != i)
                fail_msg("%s: protocol %zu", vector_text(row, "id"), n);
        }
    }
    if (n != id->scp_count)
        fail_msg("%s: %zu protocols", vector_text(row, "id"), id->scp_count);
}

static void expect_version(const json_t *row, const struct identity *id)
{
    const char *text = vector_text(json_object_get(row, "decoded"), "gp_version");
    char got[16];
    if (text == NULL)
        return;
    bool three = strlen(text) > 3;
    snprintf(got, sizeof(got), three ? "%d.%d.%d" : "%d.%d", id->gp_version[0], id->gp_version[1],
             id->gp_version[2]);
    if (strcmp(got, text) != 0)
        fail_msg("%s: version %s", vector_text(row, "id"), got);
}

static void recognition_and_capability_vectors(void **state)
{
    (void)state;
    size_t index, recognition = 0, capability = 0, invalid = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cplc.json"), index, row)
    {
        struct identity id = {0};
        struct view v = vector_bytes(row, "value");
        if (vector_is(row, "card_recognition_data")) {
            assert_int_equal(identity_parse_recognition(&id, v), OK);
            expect_scps(row, &id);
            expect_version(row, &id);
            recognition++;
        } else if (vector_is(row, "card_capability")) {
            assert_int_equal(identity_parse_capabilities(&id, v), OK);
            expect_scps(row, &id);
            capability++;
        } else if (vector_is(row, "card_capability_invalid")) {
            assert_int_equal(identity_parse_capabilities(&id, v), ERR_FORMAT);
            invalid++;
        } else if (vector_is(row, "cplc_invalid")) {
            assert_int_equal(identity_parse_cplc(&id, v), ERR_FORMAT);
            invalid++;
        }
    }
    assert_int_equal(recognition, 7);
    assert_int_equal(capability, 2);
    assert_int_equal(invalid, 2);
}

/* The first component of each key, as the vector's own reader has it. */
static void expect_keys(const json_t *row, const struct identity *id)
{
    size_t n;
    json_t *key;
    json_array_foreach(json_object_get(row, "decoded"), n, key)
    {
        const json_t *part = json_array_get(json_object_get(key, "components"), 0);
        struct view type = vector_bytes(part, "type");
        const struct key_info *k = &id->keys[n];
        if (n >= id->key_count || k->id != vector_bytes(key, "id").data[0] ||
            k->version != vector_bytes(key, "version").data[0] || k->type != type.data[type.len - 1] ||
            k->len != vector_int(part, "length"))
            fail_msg("%s: key %zu", vector_text(row, "id"), n);
    }
    if (n != id->key_count)
        fail_msg("%s: %zu keys", vector_text(row, "id"), id->key_count);
}

static void key_and_fci_vectors(void **state)
{
    (void)state;
    size_t index, keys = 0, fcis = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cplc.json"), index, row)
    {
        struct identity id = {0};
        if (vector_is(row, "key_information")) {
            assert_int_equal(identity_parse_key_info(&id, vector_bytes(row, "value")), OK);
            expect_keys(row, &id);
            keys++;
        } else if (vector_is(row, "select_fci")) {
            assert_int_equal(identity_parse_fci(&id, answer_of(row, "response").data), OK);
            struct view aid = vector_bytes(json_object_get(row, "decoded"), "aid");
            if (!view_equal(aid_view(&id.isd), aid))
                fail_msg("%s", vector_text(row, "id"));
            fcis++;
        }
    }
    assert_int_equal(keys, 7);
    assert_int_equal(fcis, 11);
}

static void protocols_from_the_fci(void **state)
{
    (void)state;
    struct identity id = {0};
    assert_int_equal(
        identity_parse_fci(
            &id, vector_hex("6F4F8410D1560001010001600000000100000000A53B7331732F06072A811C86FC6B01600C060A"
                            "2A811C86FC6B02020101630906072A811C86FC6B03640B06092A811C86FC6B0402159F6E010F9F"
                            "6501FF")),
        OK);
    assert_int_equal(id.scp_count, 1);
    assert_int_equal(id.scps[0].scp, 2);
    assert_int_equal(id.scps[0].i, 0x15);
    assert_int_equal(id.gp_version[2], 1);
}

/* A protocol that two objects name is one; more than there is room for are left out. */
static void protocols_once(void **state)
{
    (void)state;
    struct identity id = {0};
    struct view v = vector_hex("671DA01B800102"
                               "81160102030405060708090A0B0C0D0E0F10111213141516");
    assert_int_equal(
        identity_parse_recognition(
            &id, vector_hex("6631732F06072A864886FC6B01600C060A2A864886FC6B02020101630906072A864886"
                            "FC6B03640B06092A864886FC6B040215")),
        OK);
    assert_int_equal(identity_parse_capabilities(&id, vector_hex("670AA0088001028103155515")), OK);
    assert_int_equal(id.scp_count, 2);
    assert_int_equal(id.scps[1].i, 0x55);
    assert_int_equal(identity_parse_capabilities(&id, v), OK);
    assert_int_equal(id.scp_count, SCP_INFO_MAX);
    assert_int_equal(id.scps[SCP_INFO_MAX - 1].i, 0x0E);
}

/* Numbers above 127: i as a byte, SCP11's i and the identifier F0 to base 128. */
static void protocols_with_large_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *oid;
        uint8_t scp;
        uint16_t i;
        size_t count;
    } rows[] = {
        {"06092A864886FC6B0402F5", 0x02, 0xF5, 1},   {"060A2A864886FC6B04118D06", 0x11, 0x0686, 1},
        {"060A2A864886FC6B04817004", 0xF0, 0x04, 1}, {"060A2A864886FC6B04817105", 0, 0, 0},
        {"060A2A864886FC6B04F00401", 0, 0, 0},
    };
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct identity id = {0};
        uint8_t memory[64];
        struct writer w;
        size_t card, recognition, protocol;
        wr_fixed(&w, memory, sizeof(memory));
        tlv_open(&w, 0x66, &card);
        tlv_open(&w, 0x73, &recognition);
        tlv_open(&w, 0x64, &protocol);
        wr_view(&w, vector_hex(rows[n].oid));
        tlv_close(&w, protocol);
        tlv_close(&w, recognition);
        tlv_close(&w, card);
        assert_int_equal(identity_parse_recognition(&id, wr_view_of(&w)), OK);
        if (id.scp_count != rows[n].count)
            fail_msg("row %zu: %zu protocols", n, id.scp_count);
        assert_int_equal(id.scps[0].scp, rows[n].scp);
        assert_int_equal(id.scps[0].i, rows[n].i);
    }
}

typedef enum err parse_part(struct identity *id, struct view v);

static bool same_bytes(const struct identity *a, const struct identity *b)
{
    uint8_t first[STATE_MAX], second[STATE_MAX];
    struct writer w, v;
    wr_fixed(&w, first, sizeof(first));
    wr_fixed(&v, second, sizeof(second));
    assert_int_equal(identity_encode(a, &w), OK);
    assert_int_equal(identity_encode(b, &v), OK);
    return view_equal(wr_view_of(&w), wr_view_of(&v));
}

static void malformed_parts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        parse_part *parse;
        const char *hex;
        enum err want;
    } rows[] = {
        {"FCI empty", identity_parse_fci, "", ERR_FORMAT},
        {"FCI cut", identity_parse_fci, "6F108408A000000151000000A5049F6501", ERR_FORMAT},
        {"FCI with a byte behind", identity_parse_fci, "6F0A8408A000000151000000FF", ERR_FORMAT},
        {"FCI with a byte too many inside", identity_parse_fci, "6F0B8408A000000151000000FF", ERR_FORMAT},
        {"FCI without AID", identity_parse_fci, "6F02A500", ERR_FORMAT},
        {"FCI with an AID of 4 bytes", identity_parse_fci, "6F068404A0000001", ERR_FORMAT},
        {"FCI with malformed recognition", identity_parse_fci, "6F108408A000000151000000A50473026401",
         ERR_FORMAT},
        {"FCI, another tag", identity_parse_fci, "62108408A000000151000000A5049F6501FF", ERR_FORMAT},
        {"CPLC empty", identity_parse_cplc, "", ERR_FORMAT},
        {"CPLC of 41 bytes", identity_parse_cplc,
         "9F7F294790D6004700000000003244342952208448000000000000000015278234323935320000000000000000"
         "00",
         ERR_FORMAT},
        {"recognition empty", identity_parse_recognition, "6600", ERR_FORMAT},
        {"recognition without 66", identity_parse_recognition, "730906072A864886FC6B01", ERR_FORMAT},
        {"recognition cut inside", identity_parse_recognition, "660D730B06072A864886FC6B016409", ERR_FORMAT},
        {"keys: none", identity_parse_key_info, "E000", OK},
        {"keys: another tag", identity_parse_key_info, "E006C10401018010", ERR_FORMAT},
        {"keys: 3 bytes", identity_parse_key_info, "E005C003010180", ERR_FORMAT},
        {"keys: extended, 5 bytes", identity_parse_key_info, "E007C0050101FF8000", ERR_FORMAT},
        {"keys: cut", identity_parse_key_info, "E006C004010180", ERR_FORMAT},
        {"keys: cut inside", identity_parse_key_info, "E006C00501018010", ERR_FORMAT},
        {"capabilities without protocols", identity_parse_capabilities, "670482021E03", OK},
        {"capabilities, no protocol type", identity_parse_capabilities, "6705A003810155", ERR_FORMAT},
        {"capabilities, two bytes of type", identity_parse_capabilities, "6709A0078002020281010F",
         ERR_FORMAT},
        {"capabilities, no options", identity_parse_capabilities, "6705A003800102", ERR_FORMAT},
        {"capabilities cut inside", identity_parse_capabilities, "6709A006800102810115", ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct identity before = {
            .isd = {{1, 2, 3, 4, 5}, 5},
            .has_cplc = true,
            .cplc = {1, 2, 3},
            .scps = {{2, 0x15}},
            .scp_count = 1,
            .keys = {{.id = 1, .version = 2, .component_count = 1, .components = {{3, 4}}},
                     {.id = 5, .version = 6, .component_count = 2, .components = {{7, 8}, {9, 10}}}},
            .key_count = 2,
            .gp_version = {9}};
        struct identity id = before;
        enum err e = rows[n].parse(&id, vector_hex(rows[n].hex));
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e != OK && !same_bytes(&id, &before))
            fail_msg("%s: changed", rows[n].name);
    }
}

static void many_keys(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct identity id = {0};
    for (size_t count = KEY_INFO_MAX; count <= KEY_INFO_MAX + 1; count++) {
        struct writer w;
        wr_fixed(&w, bytes, sizeof(bytes));
        wr_u16(&w, 0xE082);
        wr_u16(&w, (uint16_t)(count * 6));
        for (size_t n = 0; n < count; n++) {
            wr_u32(&w, 0xC0040101);
            wr_u16(&w, 0x8010);
        }
        assert_int_equal(identity_parse_key_info(&id, wr_view_of(&w)), count > KEY_INFO_MAX ? ERR_LIMIT : OK);
        assert_int_equal(id.key_count, KEY_INFO_MAX);
    }
}

static const char fci[] = "6F108408A000000151000000A5049F6501FF";
static const char cplc[] =
    "9F7F2A4790D6004700000000003244342952208448000000000000000015278234323935320000000000000000";

static void whole_cards(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t select, data; /* status words of SELECT and of all others */
        size_t count;
        const char *iin, *cin;
        enum err want;
        const char *number;
    } rows[] = {
        {"all there", 0x9000, 0x9000, 7, "420203A1", "4503010203", OK, "03A1-010203"},
        {"no IIN", 0x9000, 0x9000, 7, "", "4503010203", OK, "-010203"},
        {"no CIN: CPLC", 0x9000, 0x9000, 7, "420203A1", "", OK, "4790D600844834295220"},
        {"CIN never personalized", 0x9000, 0x9000, 7, "420203A1", "4503000000", OK, "4790D600844834295220"},
        {"CIN all ones", 0x9000, 0x9000, 7, "420203A1", "4503FFFFFF", OK, "4790D600844834295220"},
        {"CIN of 17 bytes", 0x9000, 0x9000, 7, "", "451100000000000000000000000000000000A1", OK,
         "4790D600844834295220"},
        {"CIN of 16 bytes", 0x9000, 0x9000, 7, "", "4510000000000000000000000000000000A1", OK,
         "-000000000000000000000000000000A1"},
        {"the first two answers only", 0x9000, 0x9000, 2, "", "", OK, "4790D600844834295220"},
        {"locked card", 0x6283, 0x9000, 7, "420203A1", "4503010203", OK, "03A1-010203"},
        {"tells nothing", 0x9000, 0x6A88, 7, "420203A1", "4503010203", OK, NULL},
        {"only SELECT", 0x9000, 0x9000, 1, "", "", OK, NULL},
        {"SELECT refused", 0x6A82, 0x9000, 7, "420203A1", "4503010203", ERR_NOT_FOUND, NULL},
        {"no answer", 0x9000, 0x9000, 0, "", "", ERR_NOT_FOUND, NULL},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        char number[2 * CARD_NUMBER_MAX + 2] = "";
        const char *parts[IDENTITY_COMMANDS] = {fci,         cplc,        "6600", "E006C00401018010",
                                                rows[n].iin, rows[n].cin, "6700"};
        struct rapdu answers[IDENTITY_COMMANDS];
        struct identity id = {0};
        for (size_t k = 0; k < IDENTITY_COMMANDS; k++)
            answers[k] = (struct rapdu){vector_hex(parts[k]), k == 0 ? rows[n].select : rows[n].data};
        enum err e = identity_parse(&id, vector_hex("3B00"), answers, rows[n].count);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e != OK)
            continue;
        assert_int_equal(id.isd.len, 8);
        assert_int_equal(id.atr_len, 2);
        e = identity_card_number(&id, number);
        if (e != (rows[n].number != NULL ? OK : ERR_NOT_FOUND))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e == OK)
            assert_string_equal(number, rows[n].number);
    }
}

static void strange_atr(void **state)
{
    (void)state;
    static const uint8_t atr[ATR_MAX + 1];
    struct rapdu answer = {vector_hex(fci), 0x9000};
    struct identity id;
    assert_int_equal(identity_parse(&id, VIEW_OF(atr), &answer, 1), ERR_LIMIT);
    assert_int_equal(identity_parse(&id, view_of(atr, ATR_MAX), &answer, 1), OK);
    assert_int_equal(identity_parse(&id, VIEW_NULL, &answer, 1), OK);
    assert_int_equal(identity_serial(&id).len, 0);
}

static uint32_t seed = 20240301;

static uint8_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (uint8_t)seed;
}

static void random_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len-- > 0)
        *at++ = next_random();
}

static uint16_t next_two(void)
{
    uint8_t high = next_random();
    return (uint16_t)(high << 8 | next_random());
}

static struct key_info random_key(void)
{
    struct key_info k = {.id = next_random(), .version = next_random()};
    k.component_count = 1 + next_random() % KEY_COMPONENTS_TOLD_MAX;
    for (size_t n = 0; n < k.component_count; n++) {
        k.components[n].type = next_random();
        k.components[n].len = next_two();
    }
    k.type = k.components[0].type;
    k.len = k.components[0].len;
    k.has_usage = next_random() % 2 == 0;
    k.has_access = next_random() % 2 == 0;
    k.usage = next_random();
    k.access = next_random();
    return k;
}

static void random_capabilities(struct capabilities *c)
{
    bool *const flags[] = {&c->known,        &c->has_domain, &c->has_application,  &c->has_tokens,
                           &c->has_receipts, &c->has_daps,   &c->has_block_ciphers};
    for (size_t n = 0; n < COUNT(flags); n++)
        *flags[n] = next_random() % 2 == 0;
    random_bytes(c->domain.byte, sizeof(c->domain.byte));
    random_bytes(c->application.byte, sizeof(c->application.byte));
    c->hashes = next_random();
    c->block_ciphers = next_random();
    c->tokens = next_two();
    c->receipts = next_two();
    c->daps = next_two();
    c->scp03_keys = next_random();
}

static struct identity random_identity(void)
{
    struct identity id = {0};
    id.atr_len = next_random() % (ATR_MAX + 1);
    random_bytes(id.atr, id.atr_len);
    id.isd.len = next_random() % 4 == 0 ? 0 : (uint8_t)(AID_MIN + next_random() % 12);
    random_bytes(id.isd.data, id.isd.len);
    id.has_cplc = next_random() % 2 == 0;
    if (id.has_cplc)
        random_bytes(id.cplc, CPLC_LEN);
    id.iin_len = next_random() % (CARD_ID_MAX + 1);
    random_bytes(id.iin, id.iin_len);
    id.cin_len = next_random() % (CARD_ID_MAX + 1);
    random_bytes(id.cin, id.cin_len);
    id.scp_count = next_random() % (SCP_INFO_MAX + 1);
    for (size_t n = 0; n < id.scp_count; n++)
        id.scps[n] = (struct scp_info){next_random(), next_two()};
    id.key_count = next_random() % (KEY_INFO_MAX + 1);
    for (size_t n = 0; n < id.key_count; n++)
        id.keys[n] = random_key();
    random_bytes(id.gp_version, sizeof(id.gp_version));
    id.command_data_max = next_two();
    random_capabilities(&id.capabilities);
    return id;
}

static void expect_same(const struct identity *a, const struct identity *b)
{
    assert_int_equal(a->atr_len, b->atr_len);
    assert_memory_equal(a->atr, b->atr, ATR_MAX);
    assert_true(aid_equal(&a->isd, &b->isd));
    assert_int_equal(a->has_cplc, b->has_cplc);
    assert_memory_equal(a->cplc, b->cplc, CPLC_LEN);
    assert_true(view_equal(view_of(a->iin, a->iin_len), view_of(b->iin, b->iin_len)));
    assert_true(view_equal(view_of(a->cin, a->cin_len), view_of(b->cin, b->cin_len)));
    assert_int_equal(a->scp_count, b->scp_count);
    assert_memory_equal(a->scps, b->scps, sizeof(a->scps));
    assert_int_equal(a->key_count, b->key_count);
    for (size_t n = 0; n < a->key_count; n++) {
        const struct key_info *k = &a->keys[n], *l = &b->keys[n];
        assert_true(k->id == l->id && k->version == l->version && k->type == l->type && k->len == l->len);
        assert_true(k->component_count == l->component_count && k->has_usage == l->has_usage &&
                    k->has_access == l->has_access && k->usage == l->usage && k->access == l->access);
        assert_memory_equal(k->components, l->components, sizeof(k->components));
    }
    assert_memory_equal(a->gp_version, b->gp_version, sizeof(a->gp_version));
    assert_int_equal(a->command_data_max, b->command_data_max);
    const struct capabilities *c = &a->capabilities, *d = &b->capabilities;
    assert_true(c->known == d->known && c->has_domain == d->has_domain &&
                c->has_application == d->has_application && c->has_tokens == d->has_tokens &&
                c->has_receipts == d->has_receipts && c->has_daps == d->has_daps &&
                c->has_block_ciphers == d->has_block_ciphers);
    assert_true(c->hashes == d->hashes && c->block_ciphers == d->block_ciphers && c->tokens == d->tokens &&
                c->receipts == d->receipts && c->daps == d->daps && c->scp03_keys == d->scp03_keys);
    assert_memory_equal(&c->domain, &d->domain, sizeof(c->domain));
    assert_memory_equal(&c->application, &d->application, sizeof(c->application));
}

static void survives_as_bytes(void **state)
{
    (void)state;
    for (size_t round = 0; round < RANDOM_ROUNDS; round++) {
        struct identity id = random_identity(), back;
        uint8_t bytes[STATE_MAX];
        struct writer w;
        wr_fixed(&w, bytes, sizeof(bytes) - 1);
        assert_int_equal(identity_encode(&id, &w), OK);
        assert_int_equal(identity_decode(&back, wr_view_of(&w)), OK);
        expect_same(&id, &back);
        for (size_t len = 0; len < w.len; len++)
            assert_int_equal(identity_decode(&back, view_of(bytes, len)), ERR_FORMAT);
        bytes[w.len] = 0;
        assert_int_equal(identity_decode(&back, view_of(bytes, w.len + 1)), ERR_FORMAT);
        bytes[0]++;
        assert_int_equal(identity_decode(&back, wr_view_of(&w)), ERR_FORMAT);
        wr_fixed(&w, bytes, w.len - 1);
        assert_int_equal(identity_encode(&id, &w), ERR_LIMIT);
    }
}

/* What an older version stored is still read: one byte of i, one component. */
static void old_bytes(void **state)
{
    (void)state;
    struct identity id;
    assert_int_equal(identity_decode(&id, vector_hex("01"
                                                     "023B00"
                                                     "00"
                                                     "00"
                                                     "00"
                                                     "00"
                                                     "010370"
                                                     "010102880010"
                                                     "020301")),
                     OK);
    assert_int_equal(id.scps[0].i, 0x70);
    assert_int_equal(id.keys[0].type, 0x88);
    assert_int_equal(id.keys[0].len, 16);
    assert_int_equal(id.keys[0].component_count, 1);
    assert_int_equal(id.keys[0].components[0].len, 16);
    assert_int_equal(id.gp_version[2], 1);
    assert_false(id.capabilities.known);
}

/* version 1 | ATR | ISD | CPLC | IIN | CIN | protocols | keys | version 3 */
static void bad_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
    } rows[] = {
        {"empty",
         "01"
         "00"
         "00"
         "00"
         "00"
         "00"
         "00"
         "00"
         "000000",
         OK},
        {"ISD of 4 bytes",
         "01"
         "00"
         "0401020304"
         "00"
         "00"
         "00"
         "00"
         "00"
         "000000",
         ERR_FORMAT},
        {"CPLC of 1 byte",
         "01"
         "00"
         "00"
         "0101"
         "00"
         "00"
         "00"
         "00"
         "000000",
         ERR_FORMAT},
        {"17 protocols",
         "01"
         "00"
         "00"
         "00"
         "00"
         "00"
         "11"
         "00000000000000000000000000000000000000000000000000000000000000000000"
         "00"
         "000000",
         ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct identity id;
        enum err e = identity_decode(&id, vector_hex(rows[n].hex));
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(cplc_vectors),
        cmocka_unit_test(recognition_and_capability_vectors),
        cmocka_unit_test(key_and_fci_vectors),
        cmocka_unit_test(protocols_from_the_fci),
        cmocka_unit_test(protocols_once),
        cmocka_unit_test(protocols_with_large_numbers),
        cmocka_unit_test(malformed_parts),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(whole_cards),
        cmocka_unit_test(strange_atr),
        cmocka_unit_test(survives_as_bytes),
        cmocka_unit_test(old_bytes),
        cmocka_unit_test(bad_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
