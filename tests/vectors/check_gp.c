/* SPDX-License-Identifier: Apache-2.0
 *
 * What cards say of themselves and of their contents, content management commands as real hosts sent them,
 * and load files with their hashes. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <apdu/atr.h>
#include <gp/channel.h>
#include <gp/command.h>
#include <gp/dap.h>
#include <gp/identity.h>
#include <gp/registry.h>
#include <tlv/tlv.h>

enum { WIRE_MAX = 300 };

static unsigned long number_of(struct view v)
{
    unsigned long n = 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

static enum verdict refused(struct run *r, enum err e)
{
    return same_number(r, "refused", e != OK, true) ? PASS : FAIL;
}

static enum verdict cplc(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *fields = json_object_get(row, "fields");
    struct view value = vector_bytes(row, "value"), response = vector_bytes(row, "response");
    if (!worked(r, "cplc", identity_parse_cplc(&id, value)) || !same(r, "cplc", VIEW_OF(id.cplc), value) ||
        !same(r, "serial number", identity_serial(&id), vector_bytes(fields, "ic_serial_number")))
        return FAIL;
    if (response.len < 2)
        return PASS;
    id = (struct identity){0};
    return worked(r, "response", identity_parse_cplc(&id, view_head(response, response.len - 2))) &&
                   same(r, "response", VIEW_OF(id.cplc), value)
               ? PASS
               : FAIL;
}

static enum verdict cplc_invalid(struct run *r, const json_t *row)
{
    struct identity id = {0};
    return refused(r, identity_parse_cplc(&id, vector_bytes(row, "value")));
}

static enum verdict capabilities_invalid(struct run *r, const json_t *row)
{
    struct identity id = {0};
    return refused(r, identity_parse_capabilities(&id, vector_bytes(row, "value")));
}

static bool has_scp(const struct identity *id, unsigned long scp, unsigned long i)
{
    for (size_t n = 0; n < id->scp_count; n++)
        if (id->scps[n].scp == scp && id->scps[n].i == i)
            return true;
    return false;
}

/* Every protocol that is told, with every i; SCP11's has two bytes. */
static bool same_scps(struct run *r, const struct identity *id, const json_t *scps)
{
    const json_t *scp;
    size_t n, told = 0;
    json_array_foreach(scps, n, scp)
    {
        unsigned long number = number_of(vector_bytes(scp, "scp"));
        struct view is = vector_bytes(scp, "i");
        size_t each = number == 0x11 ? 2 : 1;
        for (size_t k = 0; k < is.len; k += each, told++)
            if (!same_number(r, "protocol and i",
                             has_scp(id, number, number_of(view_head(view_tail(is, k), each))), true))
                return false;
    }
    return true;
}

static enum verdict recognition(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *decoded = json_object_get(row, "decoded");
    const char *version = vector_text(decoded, "gp_version");
    struct view value = vector_bytes(row, "value");
    unsigned v[3] = {0};
    if (!worked(r, "card data", identity_parse_recognition(&id, value)) ||
        !same_scps(r, &id, json_object_get(decoded, "scp")))
        return FAIL;
    if (version == NULL || sscanf(version, "%u.%u.%u", &v[0], &v[1], &v[2]) < 2)
        return PASS;
    for (size_t n = 0; n < 3; n++)
        if (!same_number(r, "version", id.gp_version[n], v[n]))
            return FAIL;
    return PASS;
}

static unsigned long raw_of(const json_t *decoded, const char *key, bool second_on_top)
{
    struct view v = vector_bytes(json_object_get(decoded, key), "raw");
    if (second_on_top)
        return (v.len > 0 ? v.data[0] : 0UL) | (v.len > 1 ? v.data[1] * 0x100UL : 0);
    return number_of(v);
}

static unsigned count_bits(unsigned long n)
{
    unsigned bits = 0;
    for (; n != 0; n >>= 1)
        bits += n & 1;
    return bits;
}

/* Bits against the vector's bytes, and as many as it has names for. */
static bool same_suites(struct run *r, const json_t *decoded, const char *key, unsigned long got)
{
    const json_t *names = json_object_get(json_object_get(decoded, key), "names");
    return same_number(r, key, got, raw_of(decoded, key, true)) &&
           same_number(r, key, count_bits(got), json_array_size(names));
}

static bool same_capabilities(struct run *r, const struct capabilities *c, const json_t *decoded)
{
    const json_t *ciphers = json_object_get(json_object_get(decoded, "lfdb_encryption"), "names");
    return same(r, "privileges of domains", VIEW_OF(c->domain.byte),
                vector_bytes(json_object_get(decoded, "ssd_privileges"), "raw")) &&
           same(r, "privileges of applications", VIEW_OF(c->application.byte),
                vector_bytes(json_object_get(decoded, "app_privileges"), "raw")) &&
           same_suites(r, decoded, "tokens", c->tokens) && same_suites(r, decoded, "receipts", c->receipts) &&
           same_suites(r, decoded, "daps", c->daps) &&
           same_number(r, "ciphers", c->block_ciphers, raw_of(decoded, "lfdb_encryption", true)) &&
           same_number(r, "ciphers", count_bits(c->block_ciphers & 0x0FU), json_array_size(ciphers)) &&
           same_number(r, "hashes", count_bits(c->hashes),
                       json_array_size(json_object_get(decoded, "lfdbh"))) &&
           same_number(r, "SHA-256", capability_has_hash(c, DIGEST_SHA256), true) &&
           same_number(r, "SHA-1", capability_has_hash(c, DIGEST_SHA1), false);
}

static enum verdict capabilities(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *decoded = json_object_get(row, "decoded");
    return worked(r, "capabilities", identity_parse_capabilities(&id, vector_bytes(row, "value"))) &&
                   same_scps(r, &id, json_object_get(decoded, "scp")) &&
                   same_capabilities(r, &id.capabilities, decoded)
               ? PASS
               : FAIL;
}

static enum verdict key_information(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *keys = json_object_get(row, "decoded"), *key;
    struct view value = vector_bytes(row, "value");
    size_t n;
    if (!worked(r, "key information", identity_parse_key_info(&id, value)) ||
        !same_number(r, "count", id.key_count, json_array_size(keys)))
        return FAIL;
    json_array_foreach(keys, n, key)
    {
        const json_t *components = json_object_get(key, "components"), *component;
        size_t k;
        json_array_foreach(components, k, component)
        {
            if (!same_number(r, "components", id.keys[n].component_count > k, true) ||
                !same_number(r, "type", id.keys[n].components[k].type,
                             number_of(vector_bytes(component, "type")) & 0xFF) ||
                !same_number(r, "length", id.keys[n].components[k].len,
                             (unsigned long)vector_int(component, "length")))
                return FAIL;
        }
        const json_t *first = json_array_get(components, 0);
        if (!same_number(r, "id", id.keys[n].id, number_of(vector_bytes(key, "id"))) ||
            !same_number(r, "version", id.keys[n].version, number_of(vector_bytes(key, "version"))) ||
            !same_number(r, "type", id.keys[n].type, number_of(vector_bytes(first, "type")) & 0xFF) ||
            !same_number(r, "length", id.keys[n].len, (unsigned long)vector_int(first, "length")))
            return FAIL;
    }
    return PASS;
}

static enum verdict select_fci(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *decoded = json_object_get(row, "decoded"),
                 *data = json_object_get(decoded, "sd_management_data");
    struct view response = vector_bytes(row, "response");
    return worked(r, "FCI", identity_parse_fci(&id, view_head(response, response.len - 2))) &&
                   same(r, "AID", aid_view(&id.isd), vector_bytes(decoded, "aid")) &&
                   same_number(r, "longest command", id.command_data_max,
                               vector_has(decoded, "max_command_data")
                                   ? (unsigned long)vector_int(decoded, "max_command_data")
                                   : 0) &&
                   same_scps(r, &id, json_object_get(data, "scp"))
               ? PASS
               : FAIL;
}

/* The bytes of a member, of which the code keeps the first ones. */
static bool same_part(struct run *r, const char *what, struct view got, const json_t *entry, const char *key)
{
    struct view want = vector_bytes(entry, key);
    return want.len == 0 || same(r, what, view_head(got, want.len), want);
}

static bool same_modules(struct run *r, const struct registry_entry *e, const json_t *modules)
{
    const json_t *module;
    size_t n;
    if (modules == NULL)
        return true;
    if (!same_number(r, "modules", e->module_count, json_array_size(modules)))
        return false;
    json_array_foreach(modules, n, module) if (!same(r, "module", aid_view(&e->modules[n]),
                                                     vector_hex(json_string_value(module)))) return false;
    return true;
}

static bool same_entry(struct run *r, const struct registry_entry *e, const json_t *want)
{
    return same_part(r, "AID", aid_view(&e->aid), want, "aid") &&
           same(r, "state", view_of(&e->state, 1), view_head(vector_bytes(want, "life_cycle"), 1)) &&
           same_part(r, "privileges", VIEW_OF(e->privileges.byte), want, "privileges") &&
           same_part(r, "package", aid_view(&e->package), want, "load_file") &&
           same_part(r, "domain", aid_view(&e->domain), want, "sd_aid") &&
           same_part(r, "version", VIEW_OF(e->version), want, "version") &&
           same_modules(r, e, json_object_get(want, "modules"));
}

static enum verdict check_registry(struct run *r, const json_t *row, uint8_t subset,
                                   const struct rapdu *answer)
{
    struct registry registry = {0};
    const json_t *entries = json_object_get(row, "decoded"), *entry;
    size_t n;
    bool good = worked(r, "registry", registry_add(&registry, subset, answer)) &&
                same_number(r, "entries", registry.count, json_array_size(entries)) &&
                same_number(r, "more", registry.more, answer->sw == SW_MORE_DATA);
    json_array_foreach(entries, n, entry) good = good && same_entry(r, &registry.entries[n], entry);
    registry_finish(&registry);
    return good ? PASS : FAIL;
}

static enum verdict get_status(struct run *r, const json_t *row)
{
    struct rapdu answer = {.data = vector_bytes(row, "value"), .sw = SW_OK};
    return check_registry(r, row, STATUS_APPLICATIONS, &answer);
}

static enum verdict get_status_real(struct run *r, const json_t *row)
{
    struct rapdu answer;
    if (!worked(r, "response", rapdu_parse(vector_bytes(row, "response"), &answer)))
        return FAIL;
    return check_registry(r, row, (uint8_t)number_of(vector_bytes(row, "p1")), &answer);
}

static enum verdict max_plain_block(struct run *r, const json_t *row)
{
    static const struct {
        const char *mode;
        uint8_t scp, i, level;
    } modes[] = {
        {"SCP01 C-MAC+C-ENC", 0x01, 0x15, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
        {"SCP02 C-MAC+C-ENC", 0x02, 0x55, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
        {"SCP03 S8 C-MAC", 0x03, 0x00, LEVEL_C_MAC},
        {"SCP03 S8 C-MAC+C-ENC", 0x03, 0x00, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
        {"SCP03 S16 C-MAC", 0x03, 0x01, LEVEL_C_MAC},
        {"SCP03 S16 C-MAC+C-ENC", 0x03, 0x01, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
    };
    for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
        const struct channel_method *m = channel_method(modes[n].scp, modes[n].i);
        if (m == NULL || strcmp(modes[n].mode, vector_text(row, "mode")) != 0)
            continue;
        return same_number(r, "block", channel_block_size(m, modes[n].level),
                           (unsigned long)vector_int(row, "max_plain"))
                   ? PASS
                   : FAIL;
    }
    return verdict(r, NO_CODE, "no method");
}

static enum verdict c4_length(struct run *r, const json_t *row)
{
    uint8_t memory[8];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    command_load_header(&w, (size_t)vector_int(row, "lfdb_len"));
    return same(r, "header", wr_view_of(&w), vector_bytes(row, "header")) ? PASS : FAIL;
}

/* A row of components is a CAP file too; where it has no Descriptor it is what we load. */
static bool same_as_loaded(struct run *r, const json_t *row, struct view lfdb)
{
    struct cap cap;
    struct cap_problem why = {0};
    if (json_is_true(json_object_get(row, "descriptor_included")))
        return true;
    enum err e = cap_read(&cap, lfdb, &why);
    if (e != OK) {
        verdict(r, FAIL, "load file: %s: %s", err_name(e), why.text);
        return false;
    }
    bool good = same(r, "load file", wr_view_of(&cap.load), lfdb);
    cap_finish(&cap);
    return good;
}

static enum verdict load_file_hash(struct run *r, const json_t *row)
{
    uint8_t hash[DIGEST_MAX], memory[8];
    struct writer header;
    struct view lfdb = vector_bytes(row, "lfdb");
    wr_fixed(&header, memory, sizeof(memory));
    command_load_header(&header, lfdb.len);
    bool good = same_number(r, "length", lfdb.len, (unsigned long)vector_int(row, "lfdb_len")) &&
                same(r, "header", wr_view_of(&header), vector_bytes(row, "c4_header")) &&
                same_as_loaded(r, row, lfdb);
    for (enum digest d = DIGEST_SHA1; d < DIGEST_COUNT && good; d++)
        good = worked(r, "hash", crypto_digest(r->crypto, d, &lfdb, 1, hash)) &&
               same(r, dap_digest_name(d), view_of(hash, crypto_digest_len(d)),
                    vector_bytes(row, dap_digest_name(d)));
    return good ? PASS : FAIL;
}

/* ---- pages of listings */

static enum verdict paging(struct run *r, const json_t *row)
{
    struct registry registry = {0};
    const json_t *page;
    struct rapdu answer;
    size_t n, before = 0;
    bool good = true;
    json_array_foreach(json_object_get(row, "pages"), n, page)
    {
        struct apdu command;
        good = good && worked(r, "command", apdu_parse(vector_bytes(page, "command_plain"), &command)) &&
               same_number(r, "get next", command.p2 & 1, n > 0) &&
               worked(r, "answer", rapdu_parse(vector_bytes(page, "response"), &answer)) &&
               worked(r, "page", registry_add(&registry, command.p1, &answer)) &&
               same_number(r, "entries", registry.count > before, true);
        before = registry.count;
    }
    good = good && same_number(r, "whole", registry.tail_len, 0);
    registry_finish(&registry);
    return good ? PASS : FAIL;
}

/* Of the contactless registry service: the same form, with another tag around each. */
static enum verdict crs(struct run *r, const json_t *row)
{
    struct registry registry = {0};
    struct apdu command;
    struct rapdu answer;
    const json_t *page;
    struct view search = VIEW_NULL;
    size_t n;
    bool good = worked(r, "command", apdu_parse(vector_bytes(row, "command"), &command));
    tlv_find(command.data, 0x4F, &search);
    json_array_foreach(json_object_get(row, "pages"), n, page) good =
        good && worked(r, "answer", rapdu_parse(vector_hex(json_string_value(page)), &answer)) &&
        worked(r, "page", registry_add(&registry, STATUS_APPLICATIONS, &answer));
    good = good && same_number(r, "some", registry.count > 0, true);
    for (n = 0; n < registry.count && good; n++)
        good =
            same(r, "AID begins as asked", view_head(aid_view(&registry.entries[n].aid), search.len), search);
    registry_finish(&registry);
    return good ? PASS : FAIL;
}

/* ---- answers to reset, privileges, single objects */

static enum verdict atr(struct run *r, const json_t *row)
{
    struct atr parsed;
    const json_t *protocols = json_object_get(row, "protocols"), *protocol;
    size_t n;
    if (!worked(r, "ATR", atr_parse(vector_bytes(row, "value"), &parsed)) ||
        !same_number(r, "protocols", parsed.protocol_count, json_array_size(protocols)) ||
        !same(r, "historical bytes", parsed.historical, vector_bytes(row, "historical")) ||
        !same_number(r, "check byte", parsed.has_check, vector_has(row, "tck")) ||
        !same_number(r, "well formed", parsed.check_good, parsed.has_check))
        return FAIL;
    json_array_foreach(protocols, n,
                       protocol) if (!same_number(r, "protocol", parsed.protocols[n],
                                                  (unsigned long)json_integer_value(protocol))) return FAIL;
    return PASS;
}

/* "CVMManagement" and "CVM management" are the same. */
static bool same_name(const char *ours, const char *theirs)
{
    while (*ours != '\0' && *theirs != '\0') {
        while (*ours == ' ' || *ours == '-')
            ours++;
        if ((*ours | 0x20) != (*theirs | 0x20))
            return false;
        ours++;
        theirs++;
    }
    return *ours == *theirs;
}

static enum verdict privilege_names(struct run *r, const json_t *row)
{
    struct view raw = vector_bytes(row, "raw");
    struct privileges p = {{0}};
    const json_t *names = json_object_get(row, "names"), *name;
    size_t count = 0, n;
    for (n = 0; n < raw.len && n < sizeof(p.byte); n++)
        p.byte[n] = raw.data[n];
    for (unsigned bit = 0; bit < 24; bit++)
        count += privilege_has(&p, bit);
    if (!same_number(r, "privileges", count, json_array_size(names)))
        return FAIL;
    json_array_foreach(names, n, name)
    {
        bool found = false;
        for (unsigned bit = 0; bit < 24; bit++)
            found =
                found || (privilege_has(&p, bit) && same_name(privilege_name(bit), json_string_value(name)));
        if (!same_number(r, json_string_value(name), found, true))
            return FAIL;
    }
    return PASS;
}

static enum verdict get_data(struct run *r, const json_t *row)
{
    struct rapdu answers[IDENTITY_COMMANDS];
    struct identity id;
    struct apdu command;
    struct view value = vector_bytes(row, "value"), tag = vector_bytes(row, "tag"), inner;
    unsigned long number = number_of(tag);
    command_get_data(&command, (uint16_t)number);
    if (!same_number(r, "command", command.p2, number & 0xFF) ||
        !same_number(r, "object", tlv_find(value, (uint32_t)number, &inner), true))
        return FAIL;
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++)
        answers[n] = (struct rapdu){.sw = n == 0 ? SW_OK : SW_REFERENCED_DATA};
    size_t at = number == 0x42 ? 4 : 5;
    answers[at] = (struct rapdu){.data = value, .sw = SW_OK};
    if (number != 0x42 && number != 0x45)
        return same(r, "value", view_tail(value, tag.len + 1), inner) ? PASS : FAIL;
    return worked(r, "identity", identity_parse(&id, VIEW_NULL, answers, IDENTITY_COMMANDS)) &&
                   same(r, "value",
                        number == 0x42 ? view_of(id.iin, id.iin_len) : view_of(id.cin, id.cin_len), inner)
               ? PASS
               : FAIL;
}

static enum verdict cplc_day(struct run *r, const json_t *row)
{
    struct cplc_date date = {0};
    int year = 0, month = 0, day = 0;
    const char *expected = vector_text(row, "expected"), *reference = vector_text(row, "reference_date");
    char got[16] = "";
    bool any = strcmp(reference, "any") == 0;
    if (!any && sscanf(reference, "%4d-%2d-%2d", &year, &month, &day) != 3)
        return verdict(r, FAIL, "reference date");
    enum err e =
        cplc_date_read(vector_bytes(row, "bytes"), any ? 2025 : (unsigned)year,
                       any ? 1 : cplc_day_of_year((unsigned)year, (unsigned)month, (unsigned)day), &date);
    if (expected == NULL)
        return same_number(r, "no date", e == ERR_FORMAT, true) ? PASS : FAIL;
    if (!worked(r, "date", e))
        return FAIL;
    snprintf(got, sizeof(got), "%04u-%02u-%02u", date.year, date.month, date.day);
    return same(r, "date", view_str(got), view_str(expected)) ? PASS : FAIL;
}

/* Asked in class 80, and again in class 00. */
static enum verdict cplc_access(struct run *r, const json_t *row)
{
    struct apdu questions[IDENTITY_COMMANDS], other;
    identity_commands(questions, VIEW_NULL);
    if (strstr(vector_text(row, "facts"), "only with CLA 80, some only with 00") == NULL)
        return verdict(r, FAIL, "another fact");
    return same_number(r, "first", questions[1].cla, 0x80) &&
                   same_number(r, "asks again", identity_ask_otherwise(&other, &questions[1], 1, 0), true) &&
                   same_number(r, "then", other.cla, 0x00) &&
                   same_number(r, "P1", other.p1, questions[1].p1) &&
                   same_number(r, "P2", other.p2, questions[1].p2)
               ? PASS
               : FAIL;
}

const struct check checks_gp[] = {
    {"host", NULL, "cplc", cplc},
    {"host", NULL, "cplc_invalid", cplc_invalid},
    {"host", NULL, "card_recognition_data", recognition},
    {"host", NULL, "card_capability", capabilities},
    {"host", NULL, "card_capability_invalid", capabilities_invalid},
    {"host", NULL, "key_information", key_information},
    {"host", NULL, "select_fci", select_fci},
    {"host", NULL, "get_status", get_status},
    {"host", NULL, "get_status_real", get_status_real},
    {"host", NULL, "get_status_paging", paging},
    {"host", NULL, "get_status_crs", crs},
    {"host", NULL, "atr", atr},
    {"host", NULL, "privileges", privilege_names},
    {"host", NULL, "get_data", get_data},
    {"host", NULL, "cplc_date", cplc_day},
    {"host", NULL, "cplc_access", cplc_access},
    {"host", NULL, "max_plain_block", max_plain_block},
    {"host", NULL, "c4_length", c4_length},
    {"host", NULL, "lfdbh", load_file_hash},
    {NULL, NULL, NULL, NULL},
};
