/* SPDX-License-Identifier: Apache-2.0
 *
 * What cards say of themselves and of their contents, content management commands as real hosts sent them,
 * and load files with their hashes. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <gp/channel.h>
#include <gp/command.h>
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

/* Every protocol that is told, with every i; SCP11 (whose i has two bytes) and SCP80 open no channel of ours.
 */
static bool same_scps(struct run *r, const struct identity *id, const json_t *scps)
{
    const json_t *scp;
    size_t n, told = 0;
    json_array_foreach(scps, n, scp)
    {
        unsigned long number = number_of(vector_bytes(scp, "scp"));
        struct view is = vector_bytes(scp, "i");
        for (size_t k = 0; k < is.len && number != 0x11 && number != 0x80; k++, told++)
            if (!same_number(r, "protocol and i", has_scp(id, number, is.data[k]), true))
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
    if (value.len > 0 && value.data[0] != 0x66)
        return verdict(r, NO_CODE, "wrapped twice with a zero in front: left empty");
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

static enum verdict capabilities(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *decoded = json_object_get(row, "decoded");
    return worked(r, "capabilities", identity_parse_capabilities(&id, vector_bytes(row, "value"))) &&
                   same_scps(r, &id, json_object_get(decoded, "scp"))
               ? PASS
               : FAIL;
}

static enum verdict key_information(struct run *r, const json_t *row)
{
    struct identity id = {0};
    const json_t *keys = json_object_get(row, "decoded"), *key;
    struct view value = vector_bytes(row, "value");
    size_t n;
    if (value.len > 0 && value.data[0] != 0xE0)
        return verdict(r, NO_CODE, "wrapped with a zero in front: left empty");
    if (!worked(r, "key information", identity_parse_key_info(&id, value)) ||
        !same_number(r, "count", id.key_count, json_array_size(keys)))
        return FAIL;
    json_array_foreach(keys, n, key)
    {
        const json_t *first = json_array_get(json_object_get(key, "components"), 0);
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
    unsigned long p2 = number_of(vector_bytes(row, "p2"));
    if ((p2 & 0x02) == 0)
        return verdict(r, NO_CODE, "the form without TLV is not asked for");
    if (!worked(r, "response", rapdu_parse(vector_bytes(row, "response"), &answer)))
        return FAIL;
    return check_registry(r, row, (uint8_t)number_of(vector_bytes(row, "p1")), &answer);
}

/* Hosts differ in Le: everything else must be the same. */
static enum verdict same_command(struct run *r, enum err e, const struct apdu *got, struct view want)
{
    struct apdu seen;
    if (!worked(r, "command", e) || !worked(r, "vector", apdu_parse(want, &seen)))
        return FAIL;
    const uint8_t a[] = {got->cla, got->ins, got->p1, got->p2}, b[] = {seen.cla, seen.ins, seen.p1, seen.p2};
    return same(r, "header", VIEW_OF(a), VIEW_OF(b)) && same(r, "data", got->data, seen.data) ? PASS : FAIL;
}

static enum verdict delete_command(struct run *r, struct view want)
{
    uint8_t memory[WIRE_MAX];
    struct apdu seen, made;
    struct view aid;
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    if (apdu_parse(want, &seen) != OK || seen.data.len < 2 || seen.data.data[0] != 0x4F)
        return verdict(r, NO_CODE, "only applications and packages are deleted");
    aid = view_tail(seen.data, 2);
    return same_command(r, command_delete(&made, &w, aid, seen.p2 == 0x80), &made, want);
}

static enum verdict delete_real(struct run *r, const json_t *row)
{
    return delete_command(r, vector_bytes(row, "command_plain"));
}

static enum verdict store_data_real(struct run *r, const json_t *row)
{
    struct view want = vector_bytes(row, "command_plain");
    struct apdu seen, made;
    if (!worked(r, "vector", apdu_parse(want, &seen)))
        return FAIL;
    command_store_data(&made, seen.data, seen.p1, seen.p2, (seen.p1 & 0x80) != 0);
    return same_command(r, OK, &made, want);
}

static enum verdict install_for_load(struct run *r, const json_t *fields, struct view want)
{
    uint8_t memory[WIRE_MAX];
    struct apdu made;
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = command_install_for_load(&made, &w, vector_bytes(fields, "load_file_aid"),
                                          vector_bytes(fields, "sd_aid"), vector_bytes(fields, "lfdbh"),
                                          vector_bytes(fields, "load_params"));
    return same_command(r, e, &made, want);
}

static enum verdict install_for_install(struct run *r, const json_t *fields, struct view want)
{
    uint8_t memory[WIRE_MAX];
    struct apdu made;
    struct writer w;
    struct view c9 = VIEW_NULL, system = VIEW_NULL, given = vector_bytes(fields, "privileges");
    struct privileges privileges = {0};
    wr_fixed(&w, memory, sizeof(memory));
    for (size_t n = 0; n < given.len && n < sizeof(privileges.byte); n++)
        privileges.byte[n] = given.data[n];
    struct view parameters = vector_bytes(fields, "params");
    if (!tlv_find(parameters, 0xC9, &c9))
        return verdict(r, NO_CODE, "C9 is always sent");
    tlv_find(parameters, 0xEF, &system);
    enum err e =
        command_install(&made, &w, vector_bytes(fields, "elf_aid"), vector_bytes(fields, "module_aid"),
                        vector_bytes(fields, "instance_aid"), privileges, c9, system);
    return same_command(r, e, &made, want);
}

static enum verdict install_real(struct run *r, const json_t *row)
{
    const json_t *fields = json_object_get(row, "fields");
    struct view want = vector_bytes(row, "command_plain");
    switch (number_of(vector_bytes(row, "p1"))) {
    case 0x02:
        return install_for_load(r, fields, want);
    case 0x0C:
        return install_for_install(r, fields, want);
    default:
        return verdict(r, NO_CODE, "no such INSTALL");
    }
}

/* Commands written from the specification: those that there is a builder for. */
static enum verdict command_layout(struct run *r, const json_t *row)
{
    struct view want = vector_bytes(row, "command");
    uint8_t memory[WIRE_MAX];
    struct apdu seen, made;
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    if (apdu_parse(want, &seen) != OK)
        return verdict(r, NO_CODE, "the vector is no APDU: its Lc is wrong");
    if (seen.ins == INS_DELETE)
        return delete_command(r, want);
    if (seen.ins == INS_GET_STATUS && seen.data.len == 2)
        return same_command(r, command_get_status(&made, &w, seen.p1, seen.p2 == 0x03), &made, want);
    if (seen.ins == INS_STORE_DATA) {
        command_store_data(&made, seen.data, seen.p1, seen.p2, (seen.p1 & 0x80) != 0);
        return same_command(r, OK, &made, want);
    }
    if (seen.ins == INS_SET_STATUS)
        return same_command(r, command_set_status(&made, &w, seen.p1, seen.p2, seen.data), &made, want);
    if (seen.ins == INS_INSTALL && seen.p1 == 0x20) {
        struct view aid = view_head(view_tail(seen.data, 3), seen.data.data[2]);
        return same_command(r, command_install_for_personalization(&made, &w, aid), &made, want);
    }
    return verdict(r, NO_CODE, "no builder for just this");
}

static enum verdict max_plain_block(struct run *r, const json_t *row)
{
    static const struct {
        const char *mode;
        uint8_t scp, i, level;
    } modes[] = {
        {"SCP02 C-MAC+C-ENC", 0x02, 0x55, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
        {"SCP03 S8 C-MAC", 0x03, 0x00, LEVEL_C_MAC},
        {"SCP03 S8 C-MAC+C-ENC", 0x03, 0x00, LEVEL_C_MAC | LEVEL_C_DECRYPTION},
    };
    for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++)
        if (strcmp(modes[n].mode, vector_text(row, "mode")) == 0)
            return same_number(r, "block",
                               channel_block_size(channel_method(modes[n].scp, modes[n].i), modes[n].level),
                               (unsigned long)vector_int(row, "max_plain"))
                       ? PASS
                       : FAIL;
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

/* A row of components is a CAP file too; what it is loaded as has no Descriptor. */
static enum verdict load_file_hash(struct run *r, const json_t *row)
{
    static const char *const names[DIGEST_COUNT] = {"sha1", "sha256", "sha384", "sha512"};
    struct cap cap;
    struct cap_problem why = {0};
    uint8_t hash[DIGEST_MAX];
    struct view lfdb = vector_bytes(row, "lfdb");
    if (json_is_true(json_object_get(row, "descriptor_included")) || lfdb.len == 0)
        return verdict(r, NO_CODE, "the Descriptor is never sent, or the load file is not in the vector");
    enum err e = cap_read(&cap, lfdb, &why);
    if (e != OK)
        return verdict(r, FAIL, "load file: %s: %s", err_name(e), why.text);
    bool good = same(r, "load file", wr_view_of(&cap.load), lfdb);
    for (int d = 0; d < DIGEST_COUNT && good; d++)
        good =
            worked(r, "hash", cap_hash(&cap, r->crypto, (enum digest)d, hash)) &&
            same(r, names[d], view_of(hash, crypto_digest_len((enum digest)d)), vector_bytes(row, names[d]));
    cap_finish(&cap);
    return good ? PASS : FAIL;
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
    {"host", NULL, "delete_real", delete_real},
    {"host", NULL, "install_real", install_real},
    {"host", NULL, "store_data_real", store_data_real},
    {"host", NULL, "command_layout", command_layout},
    {"host", NULL, "max_plain_block", max_plain_block},
    {"host", NULL, "c4_length", c4_length},
    {"host", NULL, "lfdbh", load_file_hash},
    {NULL, NULL, NULL, NULL},
};
