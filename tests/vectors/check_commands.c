/* SPDX-License-Identifier: Apache-2.0
 *
 * Content management commands as specifications and real hosts have them: INSTALL, DELETE, PUT KEY, STORE
 * DATA, their answers and status words, and what real load files consist of. */
#include "run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cap/component.h>
#include <gp/channel.h>
#include <gp/command.h>
#include <gp/put_key.h>
#include <gp/registry.h>
#include <gp/store_data.h>
#include <gp/token.h>
#include <tlv/tlv.h>

enum { WIRE_MAX = 1024, SHORT_MAX = 255 };

static uint8_t first_byte(const json_t *row, const char *key)
{
    struct view v = vector_bytes(row, key);
    return v.len > 0 ? v.data[0] : 0;
}

static enum verdict judge(bool good)
{
    return good ? PASS : FAIL;
}

/* Hosts differ in Le: everything else must be the same. */
static bool same_command(struct run *r, enum err e, const struct apdu *got, struct view want)
{
    struct apdu seen;
    if (!worked(r, "command", e) || !worked(r, "vector", apdu_parse(want, &seen)))
        return false;
    const uint8_t a[] = {got->cla, got->ins, got->p1, got->p2}, b[] = {seen.cla, seen.ins, seen.p1, seen.p2};
    return same(r, "header", VIEW_OF(a), VIEW_OF(b)) && same(r, "data", got->data, seen.data);
}

/* ---- INSTALL */

static struct privileges privileges_of(struct view v)
{
    struct privileges p = {{0}};
    memcpy(p.byte, v.data, v.len < sizeof(p.byte) ? v.len : sizeof(p.byte));
    return p;
}

/* From data as it stands, field by field. */
static bool install_from(struct view data, uint8_t p1, struct install *i)
{
    static const struct {
        uint8_t p1;
        enum install_purpose purpose;
    } rows[] = {{0x02, INSTALL_LOAD},           {0x04, INSTALL_INSTALL},
                {0x08, INSTALL_SELECTABLE},     {0x0C, INSTALL_INSTALL_SELECTABLE},
                {0x10, INSTALL_EXTRADITION},    {0x20, INSTALL_PERSONALIZATION},
                {0x40, INSTALL_REGISTRY_UPDATE}};
    size_t n = 0;
    struct reader r;
    struct view field[4] = {{NULL, 0}};
    while (n < sizeof(rows) / sizeof(rows[0]) && rows[n].p1 != p1)
        n++;
    if (n == sizeof(rows) / sizeof(rows[0]))
        return false;
    *i = (struct install){.purpose = rows[n].purpose};
    bool load = i->purpose == INSTALL_LOAD;
    rd_init(&r, data);
    for (size_t k = 0; k < (load ? 3U : 4U); k++)
        field[k] = rd_view8(&r, UINT8_MAX);
    i->parameters = rd_view(&r, tlv_length(&r));
    i->token = rd_view(&r, tlv_length(&r));
    bool domain = i->purpose == INSTALL_EXTRADITION || i->purpose == INSTALL_REGISTRY_UPDATE;
    i->package = domain ? VIEW_NULL : field[0];
    i->domain = load ? field[1] : domain ? field[0] : VIEW_NULL;
    i->hash = load ? field[2] : VIEW_NULL;
    i->module = load ? VIEW_NULL : field[1];
    i->application = load ? VIEW_NULL : field[2];
    i->has_privileges = !load && field[3].len > 0;
    i->three_privileges = !load && field[3].len == sizeof(i->privileges.byte);
    if (i->has_privileges)
        i->privileges = privileges_of(field[3]);
    return rd_done(&r);
}

static bool remade(struct run *r, struct view command)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu seen, made;
    struct install i;
    wr_fixed(&w, memory, sizeof(memory));
    if (!worked(r, "vector", apdu_parse(command, &seen)) ||
        !same_number(r, "fields", install_from(seen.data, seen.p1, &i), true))
        return false;
    return same_command(r, command_install_any(&made, &w, &i), &made, command);
}

static bool same_fields(struct run *r, const json_t *fields, const struct install *i)
{
    struct view domain =
        i->purpose == INSTALL_LOAD || i->purpose == INSTALL_EXTRADITION ? i->domain : VIEW_NULL;
    struct view application = vector_has(fields, "instance_aid") ? vector_bytes(fields, "instance_aid")
                                                                 : vector_bytes(fields, "app_or_elf_aid");
    struct view package = vector_has(fields, "elf_aid") ? vector_bytes(fields, "elf_aid")
                                                        : vector_bytes(fields, "load_file_aid");
    return same(r, "package", i->package, package) && same(r, "application", i->application, application) &&
           same(r, "module", i->module, vector_bytes(fields, "module_aid")) &&
           same(r, "domain", domain, vector_bytes(fields, "sd_aid")) &&
           same(r, "hash", i->hash, vector_bytes(fields, "lfdbh"));
}

static enum verdict install_real(struct run *r, const json_t *row)
{
    struct apdu seen;
    struct install i;
    struct view command = vector_bytes(row, "command_plain");
    if (!remade(r, command) || apdu_parse(command, &seen) != OK || !install_from(seen.data, seen.p1, &i))
        return FAIL;
    return judge(same_fields(r, json_object_get(row, "fields"), &i));
}

static enum verdict install_logged(struct run *r, const json_t *row)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu made;
    struct install i;
    struct view data = vector_bytes(row, "data");
    wr_fixed(&w, memory, sizeof(memory));
    return judge(same_number(r, "fields", install_from(data, first_byte(row, "p1"), &i), true) &&
                 same_fields(r, json_object_get(row, "fields"), &i) &&
                 worked(r, "INSTALL", command_install_any(&made, &w, &i)) &&
                 same(r, "data", made.data, data));
}

static enum verdict delete_real(struct run *r, const json_t *row)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu seen, made;
    struct view aid, want = vector_bytes(row, "command_plain");
    wr_fixed(&w, memory, sizeof(memory));
    if (!worked(r, "vector", apdu_parse(want, &seen)) ||
        !same_number(r, "4F", tlv_find(seen.data, 0x4F, &aid), true))
        return FAIL;
    return judge(same_command(r, command_delete(&made, &w, aid, seen.p2 == 0x80), &made, want));
}

/* ---- commands written from the specification */

/* One entry has a wrong Lc: 0D in front of 14 bytes. Proof: with Lc 0E, and the bytes as they are, it is
 * exactly what table 11-47 wants, and with 0D it is no APDU at all. It stays a known error of the vectors. */
static bool wrong_in_the_vectors(struct run *r, struct view command)
{
    uint8_t memory[WIRE_MAX], right[WIRE_MAX];
    struct writer w;
    struct apdu seen, made;
    static const size_t lc_at = 4;
    wr_fixed(&w, memory, sizeof(memory));
    memcpy(right, command.data, command.len);
    if (!same_number(r, "Lc", right[lc_at], 0x0D) ||
        !same_number(r, "is no APDU", apdu_parse(command, &seen) != OK, true))
        return false;
    right[lc_at] = 0x0E;
    struct view fixed = view_of(right, command.len);
    if (!worked(r, "with Lc 0E", apdu_parse(fixed, &seen)))
        return false;
    struct view aid = view_head(view_tail(seen.data, 3), seen.data.data[2]);
    return same_command(r, command_install_for_personalization(&made, &w, aid), &made, fixed);
}

static bool same_delete(struct run *r, const struct apdu *seen, struct view want)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu made;
    struct view aid, kid = VIEW_NULL, kvn = VIEW_NULL;
    wr_fixed(&w, memory, sizeof(memory));
    if (tlv_find(seen->data, 0x4F, &aid))
        return same_command(r, command_delete(&made, &w, aid, seen->p2 == 0x80), &made, want);
    tlv_find(seen->data, 0xD0, &kid);
    tlv_find(seen->data, 0xD2, &kvn);
    enum err e =
        command_delete_key(&made, &w, kvn.len > 0 ? kvn.data[0] : -1, kid.len > 0 ? kid.data[0] : -1);
    return same_command(r, e, &made, want);
}

static bool same_get_status(struct run *r, const struct apdu *seen, struct view want)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu made;
    struct get_status g = {.subset = seen->p1, .next = (seen->p2 & 1) != 0};
    wr_fixed(&w, memory, sizeof(memory));
    g.format = (seen->p2 & 2) != 0 ? STATUS_FORMAT_TLV : STATUS_FORMAT_LV;
    tlv_find(seen->data, 0x4F, &g.aid);
    tlv_find(seen->data, 0x5C, &g.tags);
    return same_command(r, command_get_status_any(&made, &w, &g), &made, want);
}

static enum verdict command_layout(struct run *r, const json_t *row)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu seen, made;
    struct view want = vector_bytes(row, "command");
    wr_fixed(&w, memory, sizeof(memory));
    if (strcmp(vector_text(row, "id"), "command_layout-21") == 0)
        return judge(wrong_in_the_vectors(r, want));
    if (want.len > 0 && apdu_parse(want, &seen) != OK)
        return verdict(r, FAIL, "the vector is no APDU");
    switch (seen.ins) {
    case INS_DELETE:
        return judge(same_delete(r, &seen, want));
    case INS_GET_STATUS:
        return judge(same_get_status(r, &seen, want));
    case INS_STORE_DATA:
        command_store_data(&made, seen.data, seen.p1, seen.p2, (seen.p1 & 0x80) != 0);
        return judge(same_command(r, OK, &made, want));
    case INS_SET_STATUS:
        return judge(
            same_command(r, command_set_status(&made, &w, seen.p1, seen.p2, seen.data), &made, want));
    case INS_INSTALL:
        return judge(remade(r, want));
    default:
        return NO_CODE;
    }
}

static enum verdict store_data_real(struct run *r, const json_t *row)
{
    struct view want = vector_bytes(row, "command_plain");
    struct apdu seen, made;
    if (!worked(r, "vector", apdu_parse(want, &seen)))
        return FAIL;
    command_store_data(&made, seen.data, seen.p1, seen.p2, (seen.p1 & 0x80) != 0);
    return judge(same_command(r, OK, &made, want) && same_number(r, "Le", made.ne, seen.ne));
}

/* ---- PUT KEY */

static enum err secret_dek(const json_t *row, const char *key, struct card_keys *out)
{
    struct view dek = vector_bytes(row, key);
    bool des = vector_text(row, "note") != NULL && strstr(vector_text(row, "note"), "DES keys, DEK") != NULL;
    *out = (struct card_keys){.type = des || vector_has(row, "session_dek") ? KEY_DES3 : KEY_AES};
    return dek.len > 0 ? secret_set(&out->dek, dek) : OK;
}

/* What the vector's keys are, by the first type byte of its data. */
static enum err new_keys(struct run *r, const json_t *row, struct view data, struct new_key *keys,
                         size_t *count)
{
    const json_t *values = json_object_get(row, "keys"), *value;
    size_t n;
    bool extended = data.data[1] == 0xFF;
    uint8_t type = data.data[extended ? 2 : 1];
    static const uint8_t usage = 0x14;
    *count = json_array_size(values);
    json_array_foreach(values, n, value)
    {
        struct view key =
            json_is_string(value) ? vector_hex(json_string_value(value)) : vector_bytes(value, "key");
        enum err e = new_key_symmetric(&keys[n], r->crypto, type, key);
        if (e != OK)
            return e;
        keys[n].extended = extended;
        keys[n].usage[0] = usage;
        keys[n].usage_len = keys[n].access_len = 1;
    }
    return OK;
}

static bool same_put_key(struct run *r, const json_t *row, const struct put_key *p, struct view want,
                         const struct card_keys *dek)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu made;
    struct key_encryption encryption = secret_key_encryption(dek);
    struct view answer = vector_bytes(row, vector_has(row, "response") ? "response" : "expected_response");
    wr_fixed(&w, memory, sizeof(memory));
    if (!same_command(r, command_put_key(&made, &w, r->crypto, p, &encryption), &made, want))
        return false;
    return answer.len == 0 || worked(r, "answer", put_key_check_answer(p, view_head(answer, answer.len - 2)));
}

static enum verdict put_key_symmetric(struct run *r, const json_t *row, struct view want)
{
    struct apdu seen;
    struct card_keys dek;
    struct new_key keys[PUT_KEYS_MAX];
    size_t count = 0;
    if (!worked(r, "vector", apdu_parse(want, &seen)) ||
        !worked(r, "DEK", secret_dek(row, vector_has(row, "session_dek") ? "session_dek" : "dek", &dek)) ||
        !worked(r, "keys", new_keys(r, row, seen.data, keys, &count)))
        return FAIL;
    bool bare =
        vector_text(row, "note") != NULL && strstr(vector_text(row, "note"), "without the inner") != NULL;
    const struct put_key p = {.replaced = seen.p1,
                              .kvn = seen.data.data[0],
                              .kid = seen.p2 & 0x7F,
                              .keys = keys,
                              .count = count,
                              .block = bare                         ? KEY_BLOCK_BARE
                                       : seen.data.data[2] == 0x11U ? KEY_BLOCK_WITH_LENGTH
                                                                    : KEY_BLOCK_USUAL};
    return judge(same_put_key(r, row, &p, want, &dek));
}

/* The numbers of RSA and ECC keys stand in the command themselves: taken out, and put together again. An ECC
 * private key is in the vectors of tokens, under its name. */
static enum verdict put_key_other(struct run *r, const json_t *row, struct view want)
{
    struct apdu seen;
    struct reader in;
    struct new_key key;
    struct card_keys dek;
    enum err e = ERR_FORMAT;
    if (!worked(r, "vector", apdu_parse(want, &seen)) || !worked(r, "DEK", secret_dek(row, "dek", &dek)))
        return FAIL;
    rd_init(&in, view_tail(seen.data, 1));
    uint8_t type = rd_u8(&in);
    struct view first = rd_view(&in, tlv_length(&in));
    uint8_t second_type = rd_u8(&in);
    struct view second = rd_view(&in, tlv_length(&in));
    if (type == KEY_TYPE_RSA_PUBLIC_N && second_type == KEY_TYPE_RSA_PUBLIC_E)
        e = new_key_rsa_public(&key, first, second);
    else if (type == KEY_TYPE_EC_PUBLIC && second.len == 1)
        e = new_key_ec_public(&key, first, second.data);
    else if (type == KEY_TYPE_EC_PRIVATE && second.len == 1)
        e = new_key_ec_private(&key,
                               vector_hex("86D41A48E2CA8CBC4B399A48197543B47672A9F59AC2D4AF00AFEE9AB7B3B19A"),
                               second.data);
    const struct put_key p = {
        .replaced = seen.p1, .kvn = seen.data.data[0], .kid = seen.p2 & 0x7F, .keys = &key, .count = 1};
    return judge(worked(r, "key", e) && same_put_key(r, row, &p, want, &dek));
}

static enum verdict put_key_computed(struct run *r, const json_t *row)
{
    struct view want = vector_bytes(row, "command_plain");
    return json_is_array(json_object_get(row, "keys")) ? put_key_symmetric(r, row, want)
                                                       : put_key_other(r, row, want);
}

static enum verdict put_key_des_real(struct run *r, const json_t *row)
{
    return put_key_symmetric(r, row, vector_bytes(row, "command"));
}

/* The same commands as in put_key_des_real where the DEK is known; here the answer, and the form of the data.
 */
static enum verdict put_key_real(struct run *r, const json_t *row)
{
    struct apdu seen;
    struct reader in;
    size_t keys = 0;
    if (!worked(r, "vector", apdu_parse(vector_bytes(row, "command_plain"), &seen)))
        return FAIL;
    struct view answer = vector_bytes(row, "response");
    struct new_key found[PUT_KEYS_MAX] = {{.count = 0}};
    rd_init(&in, view_tail(seen.data, 1));
    for (; rd_left(&in) > 0 && keys < PUT_KEYS_MAX; keys++) {
        uint8_t type = rd_u8(&in);
        struct view block = rd_view(&in, tlv_length(&in)), check = rd_view8(&in, KEY_CHECK_MAX);
        if (!same_number(r, "Triple-DES", type == KEY_TYPE_DES || type == KEY_TYPE_DES_ECB, true) ||
            !same_number(r, "bare or with length", block.len == 16 || block.len == 17, true))
            return FAIL;
        memcpy(found[keys].check, check.data, check.len);
        found[keys].check_len = check.len;
    }
    const struct put_key p = {.kvn = seen.data.data[0], .keys = found, .count = keys};
    return judge(same_number(r, "whole", rd_done(&in), true) && same_number(r, "keys", keys, 3) &&
                 (answer.len == 0 ||
                  worked(r, "answer", put_key_check_answer(&p, view_head(answer, answer.len - 2)))));
}

/* The check value in the template of key n: the templates are B9, behind one B7 for all. */
static bool same_template(struct run *r, struct view templates, size_t n, const struct new_key *key)
{
    struct reader in;
    struct tlv object = {.tag = 0};
    struct view check = VIEW_NULL;
    size_t at = 0;
    rd_init(&in, templates);
    while (tlv_next(&in, &object)) {
        if (object.tag == 0xB9 && at++ == n)
            break;
    }
    return same_number(r, "84", tlv_find(object.value, 0x84, &check), true) &&
           same(r, "check value", view_of(key->check, key->check_len), check);
}

/* Keys as data groupings: the values encrypted, their check values, and the whole cut into blocks. */
static enum verdict store_data_keys(struct run *r, const json_t *row)
{
    const json_t *value;
    struct card_keys dek = {.type = KEY_AES};
    struct key_encryption encryption = secret_key_encryption(&dek);
    struct view want = vector_bytes(row, "value"), block;
    struct dgi first;
    struct reader in;
    struct writer w, whole;
    struct store_cut cut;
    struct new_key key;
    size_t n;
    rd_init(&in, want);
    if (!same_number(r, "00B9", dgi_next(&in, &first) && first.id == DGI_KEY_CONTROL, true) ||
        !worked(r, "DEK", secret_set(&dek.dek, vector_bytes(row, "dek"))))
        return FAIL;
    wr_heap(&w, WIRE_MAX);
    wr_heap(&whole, WIRE_MAX);
    dgi_put(&w, first.id, first.value);
    bool good = true;
    json_array_foreach(json_object_get(row, "keys"), n, value)
    {
        struct view secret = vector_hex(json_string_value(value));
        good =
            good && worked(r, "key", new_key_symmetric(&key, r->crypto, KEY_TYPE_AES, secret)) &&
            same_template(r, first.value, n, &key) &&
            worked(r, "8113", dgi_put_encrypted(&w, r->crypto, DGI_SECRET_KEY, secret, false, &encryption));
    }
    good = good && same(r, "groupings", wr_view_of(&w), want) &&
           worked(r, "blocks", store_cut_init(&cut, want, STORE_DGI, STORE_BLOCK_MIN));
    while (good && store_cut_next(&cut, &block))
        wr_view(&whole, block);
    good = good && same(r, "blocks", wr_view_of(&whole), want);
    wr_free(&whole);
    wr_free(&w);
    return judge(good);
}

/* ---- answers */

static enum verdict response_example(struct run *r, const json_t *row)
{
    struct rapdu answer;
    struct receipt receipt;
    const char *command = vector_text(row, "command");
    if (!worked(r, "response", rapdu_parse(vector_bytes(row, "response"), &answer)))
        return FAIL;
    if (answer.sw != SW_OK)
        return judge(same_number(r, "words", strlen(command_sw_text(INS_DELETE, answer.sw)) > 0, true));
    return judge(same_number(r, command, receipt_parse(answer.data, &receipt), ERR_NOT_FOUND));
}

/* The words of the card's answer are of the same matter: one word of five letters or more in common. */
static bool same_matter(const char *a, const char *b)
{
    char word[32];
    for (const char *at = b; *at != '\0';) {
        size_t len = 0;
        while (isalpha((unsigned char)at[len]) && len < sizeof(word) - 1) {
            word[len] = (char)tolower((unsigned char)at[len]);
            len++;
        }
        word[len] = '\0';
        if (len >= 4 && strcasestr(a, word) != NULL)
            return true;
        at += len > 0 ? len : 1;
    }
    return false;
}

static enum verdict status_words(struct run *r, const json_t *row)
{
    const json_t *words = json_object_get(row, "words"), *text;
    const char *sw;
    size_t n = 0;
    json_object_foreach((json_t *)words, sw, text)
    {
        unsigned long number = strtoul(sw, NULL, 16);
        const char *ours = sw_text((uint16_t)number);
        if (!same_number(r, sw, strcmp(ours, "unknown status word") != 0, true) ||
            !(same_matter(ours, json_string_value(text)) || json_string_length(text) == 0))
            return verdict(r, FAIL, "%s: %s, and not: %s", sw, ours, json_string_value(text));
        n++;
    }
    return judge(same_number(r, "some", n > 0, true));
}

/* ---- load files */

static enum verdict load_order(struct run *r, const json_t *row)
{
    const json_t *tags = json_object_get(row, "order_tags"), *tag;
    const uint8_t *order = component_load_order();
    size_t n;
    json_array_foreach(tags, n, tag)
    {
        unsigned long number = strtoul(json_string_value(tag), NULL, 16);
        if (number == COMPONENT_DESCRIPTOR) /* by others, last; by us never */
            return judge(
                same_number(r, "end or resources", order[n] == 0 || order[n] > COMPONENT_DEBUG, true));
        if (!same_number(r, "component", order[n], number))
            return FAIL;
    }
    return FAIL;
}

static enum verdict component_tag(struct run *r, const json_t *row)
{
    unsigned tag = first_byte(row, "tag");
    char file[64];
    const json_t *seen = json_array_get(json_object_get(row, "seen_file"), 0);
    if (!same_number(r, "tag", tag > 0 && tag < COMPONENT_TAGS, true))
        return FAIL;
    snprintf(file, sizeof(file), "%s.cap", component_kind(tag)->name);
    return judge(same(r, "file", view_str(file), view_str(json_string_value(seen))) &&
                 same_number(r, "loaded", component_kind(tag)->loaded,
                             strncmp(vector_text(row, "load"), "loaded", 6) == 0));
}

static enum verdict real_load(struct run *r, const json_t *row)
{
    uint8_t memory[8], last[4];
    struct writer w;
    struct apdu a;
    size_t total = (size_t)vector_int(row, "total"), blocks = (size_t)vector_int(row, "blocks");
    const json_t *sizes = json_object_get(row, "block_data_sizes");
    size_t size = (size_t)json_integer_value(json_array_get(sizes, 0));
    struct view lfdb = vector_bytes(row, "lfdb"), sha256 = vector_bytes(row, "lfdb_sha256");
    uint8_t hash[DIGEST_MAX];
    wr_fixed(&w, memory, sizeof(memory));
    size_t len = total - (total > 0xFFFF + 4 ? 5 : total > 0xFF + 3 ? 4 : 3);
    command_load_header(&w, len);
    command_load(&a, VIEW_NULL, (unsigned)(blocks - 1), true);
    memcpy(last, (const uint8_t[]){a.cla, a.ins, a.p1, a.p2}, sizeof(last));
    const uint8_t want[] = {0x80, 0xE8, 0x80, (uint8_t)vector_int(row, "p2_last")};
    if (!same(r, "header", wr_view_of(&w), view_head(vector_bytes(row, "first_bytes"), w.len)) ||
        !same_number(r, "length", w.len + len, total) ||
        !same_number(r, "blocks", command_load_blocks(len, size), blocks) ||
        !same_number(r, "last block", total - (blocks - 1) * size,
                     (unsigned long)json_integer_value(json_array_get(sizes, 1))) ||
        !same(r, "last command", VIEW_OF(last), VIEW_OF(want)))
        return FAIL;
    return judge(lfdb.len == 0 ||
                 (worked(r, "hash", crypto_digest(r->crypto, DIGEST_SHA256, &lfdb, 1, hash)) &&
                  same(r, "hash", view_of(hash, sha256.len), sha256)));
}

static enum verdict block_practice(struct run *r, const json_t *row)
{
    const char *facts = vector_text(row, "facts");
    char number[16];
    snprintf(number, sizeof(number), "%zu", channel_block_size(channel_method(0x03, 0x00), LEVEL_C_MAC));
    bool mac = same_number(r, "at C-MAC", strstr(facts, number) != NULL, true);
    snprintf(number, sizeof(number), "%zu",
             channel_block_size(channel_method(0x02, 0x15), LEVEL_C_MAC | LEVEL_C_DECRYPTION));
    return judge(mac && same_number(r, "at C-ENC", strstr(facts, number) != NULL, true));
}

/* Files that are not here: that what is loaded adds up, and how many blocks it is. */
static enum verdict cap_file(struct run *r, const json_t *row)
{
    const json_t *components = json_object_get(row, "components"), *size,
                 *blocks = json_object_get(row, "load_blocks");
    const char *name, *block_size;
    size_t loaded = 0, known = 0;
    json_object_foreach((json_t *)components, name, size)
    {
        for (unsigned tag = 1; tag < COMPONENT_TAGS; tag++) {
            if (strcmp(component_kind(tag)->name, name) != 0)
                continue;
            known++;
            loaded += component_kind(tag)->loaded ? (size_t)json_integer_value(size) : 0;
        }
    }
    if (!same_number(r, "components", known, json_object_size(components)) ||
        !same_number(r, "load file", loaded, (unsigned long)vector_int(row, "lfdb_len")))
        return FAIL;
    json_object_foreach((json_t *)blocks, block_size, size)
    {
        if (!same_number(r, "blocks", command_load_blocks(loaded, strtoul(block_size, NULL, 10)),
                         (unsigned long)json_integer_value(size)))
            return FAIL;
    }
    return PASS;
}

/* ---- facts */

/* A command of 300 bytes as a chain: what the vector says of P1, Lc and Le. */
static enum verdict chaining(struct run *r, const json_t *row)
{
    static const uint8_t data[300] = {1};
    const struct apdu whole = {
        .cla = 0x80, .ins = INS_PUT_KEY, .p1 = 0x01, .p2 = 0x81, .data = VIEW_OF(data), .ne = 256};
    struct apdu first, last;
    const char *fact = json_string_value(json_array_get(json_object_get(row, "facts"), 0));
    if (fact == NULL || strncmp(fact, "P1 b8=1", 7) != 0)
        return verdict(r, FAIL, "another fact");
    command_segment(&first, &whole, SHORT_MAX, 0);
    command_segment(&last, &whole, SHORT_MAX, 1);
    return judge(
        same_number(r, "commands", command_segments(&whole, SHORT_MAX), 2) &&
        same_number(r, "more follow", first.p1, 0x81) && same_number(r, "last", last.p1, 0x01) &&
        same_number(r, "same P2", first.p2, last.p2) && same_number(r, "Lc", first.data.len, SHORT_MAX) &&
        same_number(r, "rest", last.data.len, sizeof(data) - SHORT_MAX) &&
        same_number(r, "no answer before the last", first.ne, 0) && same_number(r, "Le", last.ne, 256));
}

/* 128 is written as 81 80. */
static enum verdict length_80(struct run *r, const json_t *row)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x00, 0x01}, token[128] = {0}, want[] = {0x81, 0x80};
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct apdu made;
    const struct install i = {.purpose = INSTALL_LOAD, .package = VIEW_OF(aid), .token = VIEW_OF(token)};
    wr_fixed(&w, memory, sizeof(memory));
    return judge(strstr(vector_text(row, "facts"), "8180") != NULL &&
                 worked(r, "INSTALL", command_install_any(&made, &w, &i)) &&
                 same(r, "length", view_head(view_tail(made.data, made.data.len - 130), 2), VIEW_OF(want)));
}

/* Values of install parameters: TLV to their end, or fields of a toolkit application. */
static enum verdict parameters(struct run *r, const json_t *row)
{
    uint8_t memory[WIRE_MAX];
    struct writer w;
    struct view value = vector_bytes(row, "value"), c9, ef = VIEW_NULL;
    wr_fixed(&w, memory, sizeof(memory));
    if (!tlv_valid(value) || !tlv_find(value, 0xC9, &c9)) {
        /* The value of a tag inside: goes through as it is. */
        const struct install_parameters p = {.has_c9 = true, .c9 = value};
        command_put_parameters(&w, &p);
        return judge(same(r, "C9", view_tail(wr_view_of(&w), 2), value));
    }
    tlv_find(value, 0xEF, &ef);
    const struct install_parameters p = {.has_c9 = true, .c9 = c9, .system = ef};
    command_put_parameters(&w, &p);
    return judge(same(r, "parameters", wr_view_of(&w), value));
}

const struct check checks_commands[] = {
    {"host", NULL, "install_real", install_real},
    {"host", NULL, "install_logged", install_logged},
    {"host", NULL, "delete_real", delete_real},
    {"host", NULL, "command_layout", command_layout},
    {"host", NULL, "store_data_real", store_data_real},
    {"host", NULL, "put_key_computed", put_key_computed},
    {"host", NULL, "put_key_des_real", put_key_des_real},
    {"host", NULL, "put_key_real", put_key_real},
    {"host", NULL, "store_data_key_dgi", store_data_keys},
    {"host", NULL, "response_example", response_example},
    {"host", NULL, "status_words", status_words},
    {"host", NULL, "load_order", load_order},
    {"host", NULL, "component_tag", component_tag},
    {"host", NULL, "lfdb_real_load", real_load},
    {"host", NULL, "block_size_practice", block_practice},
    {"host", NULL, "cap_file", cap_file},
    {"host", NULL, "chaining", chaining},
    {"host", NULL, "length_80", length_80},
    {"host", NULL, "parameters", parameters},
    {NULL, NULL, NULL, NULL},
};
