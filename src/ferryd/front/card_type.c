/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading, checking and matching of card types. */
#include "front/card_type.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/weak.h>

#include "front/json.h"

static const struct json_rule type_rules[] = {
    {"name", TAKE_TEXT, true, NAME_MAX_BYTES},
    {"title", TAKE_TEXT, false, CARD_TYPE_TITLE_MAX},
    {"title_de", TAKE_TEXT, false, CARD_TYPE_TITLE_MAX},
    {"match", TAKE_OBJECT, false, 0},
    {"isd", TAKE_TEXT, false, 2 * AID_MAX},
    {"scp", TAKE_TEXT, true, 2},
    {"i", TAKE_TEXT, true, 2},
    {"kvn", TAKE_TEXT, true, 2},
    {"key", TAKE_TEXT, false, NAME_MAX_BYTES},
    {"kdf", TAKE_TEXT, false, 16},
    {"trust", TAKE_TEXT, false, NAME_MAX_BYTES},
    {"kid", TAKE_TEXT, false, 2},
    {"ca_kvn", TAKE_TEXT, false, 2},
    {"ca_kid", TAKE_TEXT, false, 2},
    {"session_key_bits", TAKE_NUMBER, false, 256},
    {"certificates", TAKE_LIST, false, CERTIFICATES_MAX},
    {"level", TAKE_TEXT, false, 2},
    {"java_card", TAKE_TEXT, false, 15},
    {"virgin", TAKE_FLAG, false, 0},
    {"single_des", TAKE_FLAG, false, 0},
    {"identify_first", TAKE_FLAG, false, 0},
    {"quirks", TAKE_LIST, false, QUIRK_COUNT},
    {"block_size", TAKE_NUMBER, false, UINT8_MAX},
    {"max_openings", TAKE_NUMBER, false, CARD_OPENINGS_MAX},
};

static const struct json_rule match_rules[] = {
    {"atr", TAKE_LIST, false, CARD_PATTERNS_MAX},
    {"cplc", TAKE_LIST, false, CARD_PATTERNS_MAX},
    {"iin", TAKE_TEXT, false, 2 * CARD_ID_MAX},
};

struct complaint {
    char *text;
    size_t len;
};

#define REFUSE(reason, e, ...) why_not((e), (reason).text, (reason).len, __VA_ARGS__)

static enum err parse_pattern(const char *text, size_t max, struct card_pattern *out)
{
    size_t len = strlen(text);
    if (len == 0 || len > max || len > CARD_PATTERN_MAX)
        return ERR_ARGUMENT;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= 'a' && c <= 'f')
            c = (char)(c - 'a' + 'A');
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || c == '.'))
            return ERR_ARGUMENT;
        out->text[i] = c;
    }
    out->text[len] = '\0';
    return OK;
}

static enum err parse_patterns(const json_t *match, const char *name, size_t max, struct card_patterns *out,
                               struct complaint r)
{
    const json_t *list = json_object_get(match, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || parse_pattern(text, max, &out->list[i]) != OK)
            return REFUSE(r, ERR_ARGUMENT, "'match.%s' entry %zu is not 1 to %zu hexadecimal digits or dots",
                          name, i + 1, max);
        out->count++;
    }
    return OK;
}

static enum err parse_match(const json_t *j, struct card_type *t, struct complaint r)
{
    const json_t *match = json_object_get(j, "match");
    if (match == NULL)
        return OK;
    enum err e = json_check(match, match_rules, sizeof(match_rules) / sizeof(match_rules[0]), r.text, r.len);
    if (e == OK)
        e = parse_patterns(match, "atr", (size_t)2 * ATR_MAX, &t->atr, r);
    if (e == OK)
        e = parse_patterns(match, "cplc", (size_t)2 * CPLC_LEN, &t->cplc, r);
    const char *iin = json_text(match, "iin");
    if (e != OK || *iin == '\0')
        return e;
    if (parse_pattern(iin, (size_t)2 * CARD_ID_MAX, &t->iin.list[0]) != OK)
        return REFUSE(r, ERR_ARGUMENT, "'match.iin' is not of hexadecimal digits or dots");
    t->iin.count = 1;
    return OK;
}

static enum err parse_isd(const json_t *j, struct card_type *t, struct complaint r)
{
    uint8_t bytes[AID_MAX];
    size_t len = 0;
    const char *text = json_text(j, "isd");
    if (*text == '\0')
        return OK;
    if (hex_read_str(text, bytes, sizeof(bytes), &len) != OK || aid_set(&t->isd, view_of(bytes, len)) != OK)
        return REFUSE(r, ERR_ARGUMENT, "'isd' is not an AID of %d to %d bytes in hexadecimal", AID_MIN,
                      AID_MAX);
    return OK;
}

static uint8_t strongest(const struct channel_method *m)
{
    uint8_t level = 0;
    for (size_t i = 0; i < sizeof(m->levels) && m->levels[i] != 0; i++)
        level = m->levels[i];
    return level;
}

static enum err parse_level(const json_t *j, const struct channel_method *m, struct card_type *t,
                            struct complaint r)
{
    const char *text = json_text(j, "level");
    if (*text == '\0') {
        t->level = strongest(m);
        return OK;
    }
    if (json_hex_byte(text, &t->level) != OK)
        return REFUSE(r, ERR_ARGUMENT, "'level' is not a byte in hexadecimal");
    /* Without C-MAC nothing would hold back a client that changes commands. */
    if (!(t->level & LEVEL_C_MAC))
        return REFUSE(r, ERR_ARGUMENT, "'level' %02X does not authenticate commands", t->level);
    if (!channel_level_ok(m, t->level))
        return REFUSE(r, ERR_UNSUPPORTED, "%s with i=%02X has no security level %02X", m->name, t->i,
                      t->level);
    return OK;
}

static enum err parse_method(const json_t *j, struct card_type *t, struct complaint r)
{
    const struct {
        const char *name;
        uint8_t *out;
    } bytes[] = {{"scp", &t->scp}, {"i", &t->i}, {"kvn", &t->kvn}};
    for (size_t n = 0; n < sizeof(bytes) / sizeof(bytes[0]); n++)
        if (json_hex_byte(json_text(j, bytes[n].name), bytes[n].out) != OK)
            return REFUSE(r, ERR_ARGUMENT, "'%s' is not a byte in hexadecimal", bytes[n].name);
    /* GPCS 2.3.1 11.5.2.2 and 11.8.2.2: versions are 01 to 7F; FF are the initial keys of a new card. 00
     * would be "any version", and the version must come back as it was asked for. */
    if (t->kvn == 0 || (t->kvn > 0x7F && t->kvn != 0xFF))
        return REFUSE(r, ERR_ARGUMENT, "'kvn' is not 01 to 7F or FF");
    const struct channel_method *m = channel_method(t->scp, t->i);
    if (m == NULL)
        return REFUSE(r, ERR_UNSUPPORTED, "there is no method SCP%02X with i=%02X", t->scp, t->i);
    return parse_level(j, m, t, r);
}

/* Fields that only methods with key pairs have. */
static const char *const pair_fields[] = {"trust",  "kid",    "session_key_bits",
                                          "ca_kvn", "ca_kid", "certificates"};

static enum err parse_card_keys(const json_t *j, struct card_type *t, struct complaint r)
{
    for (size_t n = 0; n < sizeof(pair_fields) / sizeof(pair_fields[0]); n++) {
        if (json_object_get(j, pair_fields[n]) != NULL)
            return REFUSE(r, ERR_ARGUMENT, "'%s' is only for methods with key pairs", pair_fields[n]);
    }
    if (kdf_by_name(json_text(j, "kdf"), &t->kdf) != OK)
        return REFUSE(r, ERR_ARGUMENT, "'kdf' is not none, visa, visa2, emv, kdf3 or imported");
    const char *key = json_text(j, "key");
    if (t->kdf == KDF_IMPORTED && *key != '\0')
        return REFUSE(r, ERR_ARGUMENT, "'key' is not used with kdf imported");
    if (t->kdf != KDF_IMPORTED && !name_ok(key))
        return REFUSE(r, ERR_ARGUMENT, "'key' is not the name of a master key");
    snprintf(t->key, sizeof(t->key), "%s", key);
    return OK;
}

static enum err parse_certificates(const json_t *j, struct card_type *t, struct complaint r)
{
    const json_t *list = json_object_get(j, "certificates");
    uint8_t memory[CERTIFICATE_BYTES_MAX];
    struct writer all;
    wr_fixed(&all, t->certificates, sizeof(t->certificates));
    for (size_t n = 0; n < json_array_size(list); n++) {
        const char *text = json_string_value(json_array_get(list, n));
        struct writer one;
        wr_fixed(&one, memory, sizeof(memory));
        if (text == NULL || hex_read(view_str(text), &one) != OK || one.len == 0)
            return REFUSE(r, ERR_ARGUMENT, "'certificates' entry %zu is not hexadecimal", n + 1);
        wr_view16(&all, wr_view_of(&one));
    }
    t->certificates_len = all.len;
    if (!wr_ok(&all))
        return REFUSE(r, ERR_ARGUMENT, "'certificates' are more than %d bytes in all", CERTIFICATE_BYTES_MAX);
    return OK;
}

static enum err parse_pair_bytes(const json_t *j, struct card_type *t, struct complaint r)
{
    const struct {
        const char *name;
        uint8_t *out;
    } bytes[] = {{"kid", &t->kid}, {"ca_kvn", &t->ca_kvn}, {"ca_kid", &t->ca_kid}};
    for (size_t n = 0; n < sizeof(bytes) / sizeof(bytes[0]); n++) {
        const char *text = json_text(j, bytes[n].name);
        if (*text != '\0' && json_hex_byte(text, bytes[n].out) != OK)
            return REFUSE(r, ERR_ARGUMENT, "'%s' is not a byte in hexadecimal", bytes[n].name);
    }
    uint64_t bits = json_number(j, "session_key_bits", 0);
    if (bits != 0 && bits != 128 && bits != 192 && bits != 256)
        return REFUSE(r, ERR_ARGUMENT, "'session_key_bits' is not 128, 192 or 256");
    t->session_key_len = (uint8_t)(bits / 8);
    return OK;
}

/* Amendment F 7.4: all but SCP11b, whose parameter is 0 but for S16. */
static bool host_is_authenticated(const struct channel_method *m)
{
    return m->keyed_opening && (m->i & 0x7F) != 0;
}

/* SCP11 verifies the card by its certificate, and two of its variants the host by its own; F0 knows the
 * card's public key, which is stored for each card. */
static enum err parse_pairs(const json_t *j, const struct channel_method *m, struct card_type *t,
                            struct complaint r)
{
    const char *key = json_text(j, "key"), *trust = json_text(j, "trust");
    bool has_certificates = json_array_size(json_object_get(j, "certificates")) > 0;
    if (json_object_get(j, "kdf") != NULL)
        return REFUSE(r, ERR_ARGUMENT, "'kdf' is not used with %s, which has key pairs", m->name);
    if (m->keyed_opening && !name_ok(trust))
        return REFUSE(r, ERR_ARGUMENT,
                      "'trust' is not the name of the key that signed the cards' certificates");
    if (!m->keyed_opening && (*trust != '\0' || has_certificates))
        return REFUSE(r, ERR_ARGUMENT, "'trust' and 'certificates' are only for SCP11");
    bool needs_key = !m->keyed_opening || host_is_authenticated(m);
    if (has_certificates != (m->keyed_opening && *key != '\0') || (needs_key && *key == '\0'))
        return REFUSE(r, ERR_ARGUMENT, "%s needs 'key', the name of the host's key pair%s", m->name,
                      m->keyed_opening ? ", together with 'certificates'" : "");
    if (*key != '\0' && !name_ok(key))
        return REFUSE(r, ERR_ARGUMENT, "'key' is not the name of a key pair");
    snprintf(t->key, sizeof(t->key), "%s", key);
    snprintf(t->trust, sizeof(t->trust), "%s", trust);
    t->kdf = KDF_NONE;
    enum err e = parse_pair_bytes(j, t, r);
    return e == OK ? parse_certificates(j, t, r) : e;
}

static enum err parse_keys(const json_t *j, struct card_type *t, struct complaint r)
{
    const struct channel_method *m = channel_method(t->scp, t->i);
    return key_type_is_pair(m->key_type) ? parse_pairs(j, m, t, r) : parse_card_keys(j, t, r);
}

static enum err parse_quirks(const json_t *j, struct card_type *t, struct complaint r)
{
    const json_t *list = json_object_get(j, "quirks");
    for (size_t n = 0; n < json_array_size(list); n++) {
        const char *name = json_string_value(json_array_get(list, n));
        enum quirk q;
        if (name == NULL || quirk_by_name(name, &q) != OK)
            return REFUSE(r, ERR_ARGUMENT, "'quirks' entry %zu is none that the server knows (docs/api.md)",
                          n + 1);
        t->quirks |= 1U << q;
    }
    if (quirk_in(t->quirks, QUIRK_EXTENDED_LENGTH) && quirk_in(t->quirks, QUIRK_SHORT_ONLY))
        return REFUSE(r, ERR_ARGUMENT, "'quirks' extended-length and short-only exclude each other");
    t->block_size = (uint8_t)json_number(j, "block_size", 0);
    if (t->block_size != 0 && t->block_size < BLOCK_SIZE_MIN)
        return REFUSE(r, ERR_ARGUMENT, "'block_size' is not %d to 255", BLOCK_SIZE_MIN);
    return OK;
}

static enum err parse_titles(const json_t *j, struct card_type *t, struct complaint r)
{
    const struct {
        const char *name;
        char *out;
    } titles[] = {{"title", t->title}, {"title_de", t->title_de}};
    for (size_t n = 0; n < sizeof(titles) / sizeof(titles[0]); n++) {
        const char *text = json_text(j, titles[n].name);
        if (!text_is_line(view_str(text)))
            return REFUSE(r, ERR_ARGUMENT, "'%s' is not a line of text", titles[n].name);
        snprintf(titles[n].out, CARD_TYPE_TITLE_MAX + 1, "%s", text);
    }
    return OK;
}

static enum err parse_rest(const json_t *j, struct card_type *t, struct complaint r)
{
    if (!name_ok(json_text(j, "name")))
        return REFUSE(r, ERR_ARGUMENT, "'name' is not of letters, digits, '.', '_' and '-'");
    snprintf(t->name, sizeof(t->name), "%s", json_text(j, "name"));

    const char *version = json_text(j, "java_card");
    const struct cap_package *packages;
    size_t count;
    if (*version != '\0' && cap_platform(version, &packages, &count) != OK)
        return REFUSE(r, ERR_ARGUMENT, "'java_card' %s is not a known version", version);
    snprintf(t->java_card, sizeof(t->java_card), "%s", version);

    t->virgin = json_flag(j, "virgin");
    t->single_des = json_flag(j, "single_des");
    if (t->single_des && t->scp != SCP01)
        return REFUSE(r, ERR_ARGUMENT, "'single_des' is only for SCP01");
    t->identify_first = json_flag(j, "identify_first");
    t->max_openings = (uint32_t)json_number(j, "max_openings", CARD_OPENINGS);
    if (t->max_openings < 1)
        return REFUSE(r, ERR_ARGUMENT, "'max_openings' is not 1 to %d", CARD_OPENINGS_MAX);
    return OK;
}

enum err card_type_parse(struct view json, struct card_type *out, char *why, size_t why_len)
{
    struct card_type t = {0};
    struct complaint r = {why, why_len};
    json_t *j = NULL;
    enum err e = json_open(&j, json, CARD_TYPE_JSON_MAX, why, why_len);
    if (e == OK)
        e = json_check(j, type_rules, sizeof(type_rules) / sizeof(type_rules[0]), why, why_len);
    if (e == OK)
        e = parse_match(j, &t, r);
    if (e == OK)
        e = parse_isd(j, &t, r);
    if (e == OK)
        e = parse_method(j, &t, r);
    if (e == OK)
        e = parse_keys(j, &t, r);
    if (e == OK)
        e = parse_rest(j, &t, r);
    if (e == OK)
        e = parse_titles(j, &t, r);
    if (e == OK)
        e = parse_quirks(j, &t, r);
    json_decref(j);
    if (e == OK)
        *out = t;
    return e;
}

static bool fits(const struct card_pattern *p, const char *digits)
{
    size_t len = strlen(p->text);
    if (len > strlen(digits))
        return false;
    for (size_t i = 0; i < len; i++)
        if (p->text[i] != '.' && p->text[i] != digits[i])
            return false;
    return true;
}

/* An empty list asks for nothing; a value that the card does not have fits no pattern. */
static bool list_fits(const struct card_patterns *list, struct view value)
{
    char digits[CARD_PATTERN_MAX + 1];
    if (list->count == 0)
        return true;
    if (value.len > CARD_PATTERN_MAX / 2)
        return false;
    hex_write(digits, value);
    for (size_t i = 0; i < list->count; i++)
        if (fits(&list->list[i], digits))
            return true;
    return false;
}

enum card_match card_type_matches(const struct card_type *t, struct view atr, const struct identity *id)
{
    bool asks_identity = t->cplc.count > 0 || t->iin.count > 0;
    if (t->atr.count == 0 && !asks_identity)
        return CARD_MATCH_NO;
    if (!list_fits(&t->atr, atr))
        return CARD_MATCH_NO;
    if (!asks_identity)
        return CARD_MATCH_YES;
    if (id == NULL)
        return CARD_MATCH_UNKNOWN;
    struct view cplc = id->has_cplc ? VIEW_OF(id->cplc) : VIEW_NULL;
    return list_fits(&t->cplc, cplc) && list_fits(&t->iin, view_of(id->iin, id->iin_len)) ? CARD_MATCH_YES
                                                                                          : CARD_MATCH_NO;
}

static bool has_card_keys(const struct card_type *t)
{
    const struct channel_method *m = channel_method(t->scp, t->i);
    return m != NULL && !key_type_is_pair(m->key_type);
}

weak_set card_type_weak(const struct card_type *t)
{
    const struct channel_method *m = channel_method(t->scp, t->i);
    return (m != NULL ? weak_of_method(m) : 0) | (t->single_des ? 1U << WEAK_DES : 0U);
}

size_t card_type_warnings(const struct card_type *t, const char **out)
{
    const struct {
        bool applies;
        const char *text;
    } rows[CARD_TYPE_WARNINGS_MAX] = {
        {t->scp == SCP01, weak_text(WEAK_SCP01)},
        {t->scp == SCP02, weak_text(WEAK_SCP02)},
        {t->single_des, weak_text(WEAK_DES)},
        {has_card_keys(t) && t->kdf == KDF_NONE && !t->virgin, "every card of this type has the same key"},
        {t->virgin, "well-known default keys are allowed: anybody can open a channel to these cards"},
        {!(t->level & LEVEL_R_MAC), "without response MACs outcomes are reported, never confirmed"},
    };
    size_t count = 0;
    for (size_t i = 0; i < CARD_TYPE_WARNINGS_MAX; i++)
        if (rows[i].applies)
            out[count++] = rows[i].text;
    return count;
}

/* Check values of the bytes 40, 41, 42, ... as a key of each length (GPCS 2.3.1 B.5, B.6). */
static const struct {
    enum key_type type;
    uint8_t kcv[3];
} well_known[] = {
    {KEY_DES3, {0x8B, 0xAF, 0x47}}, /* 16 bytes */
    {KEY_DES3, {0xB4, 0x69, 0x2B}}, /* 24 */
    {KEY_AES, {0x50, 0x4A, 0x77}},  /* 16 */
    {KEY_AES, {0xFF, 0xCD, 0x73}},  /* 24 */
    {KEY_AES, {0xEC, 0xDC, 0xD8}},  /* 32 */
};

bool card_key_is_well_known(enum key_type type, const uint8_t kcv[3])
{
    for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++)
        if (well_known[i].type == type && view_equal(VIEW_OF(well_known[i].kcv), view_of(kcv, 3)))
            return true;
    return false;
}
