/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns identity and registry into words. Foreign bytes are shown as hexadecimal, never as letters. */
#include "card_words.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/put_key.h>

#include "local_words.h"

static json_t *hex_of(struct view v)
{
    char hex[2 * 64 + 1];
    hex_write(hex, view_head(v, 64));
    return json_string(hex);
}

static void set_hex(json_t *object, const char *key, struct view v)
{
    if (v.len > 0)
        json_object_set_new(object, key, hex_of(v));
}

/* ---- CPLC */

const char *cplc_fabricator(const uint8_t code[2])
{
    /* No public specification has them: those on which tables of several open programs agree that read CPLC
     * of cards in the field. */
    static const struct {
        uint8_t code[2];
        const char *name;
    } rows[] = {{{0x47, 0x90}, "NXP"},
                {{0x40, 0x90}, "Infineon"},
                {{0x41, 0x80}, "Atmel"},
                {{0x42, 0x50}, "Samsung"},
                {{0x30, 0x60}, "Renesas"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (view_equal(VIEW_OF(rows[i].code), view_of(code, 2)))
            return rows[i].name;
    return NULL;
}

struct date_words cplc_date_words(struct view v, const struct tm *today)
{
    struct date_words out = {""};
    struct cplc_date date;
    if (cplc_date_read(v, (unsigned)today->tm_year + 1900, (unsigned)today->tm_yday + 1, &date) == OK)
        snprintf(out.text, sizeof(out.text), "%04u-%02u-%02u (or 10, 20 years before)", date.year, date.month,
                 date.day);
    return out;
}

enum cplc_form { CPLC_HEX, CPLC_FABRICATOR, CPLC_DATE };

/* In the order of the 42 bytes (GPCS 2.3.1 H.6 leaves them to the industry's practice). */
static const struct {
    const char *name;
    uint8_t len;
    enum cplc_form form;
} cplc_fields[] = {{"fabricator", 2, CPLC_FABRICATOR},
                   {"type", 2, CPLC_HEX},
                   {"os", 2, CPLC_HEX},
                   {"os_release", 2, CPLC_DATE},
                   {"os_level", 2, CPLC_HEX},
                   {"fabricated", 2, CPLC_DATE},
                   {"serial", 4, CPLC_HEX},
                   {"batch", 2, CPLC_HEX},
                   {"module_fabricator", 2, CPLC_FABRICATOR},
                   {"module_packaged", 2, CPLC_DATE},
                   {"manufacturer", 2, CPLC_FABRICATOR},
                   {"embedded", 2, CPLC_DATE},
                   {"pre_personalizer", 2, CPLC_FABRICATOR},
                   {"pre_personalized", 2, CPLC_DATE},
                   {"pre_personalization_equipment", 4, CPLC_HEX},
                   {"personalizer", 2, CPLC_FABRICATOR},
                   {"personalized", 2, CPLC_DATE},
                   {"personalization_equipment", 4, CPLC_HEX}};

static json_t *cplc_value(enum cplc_form form, struct view v, const struct tm *today)
{
    char hex[16];
    hex_write(hex, v);
    const char *name = form == CPLC_FABRICATOR ? cplc_fabricator(v.data) : NULL;
    struct date_words date = form == CPLC_DATE ? cplc_date_words(v, today) : (struct date_words){""};
    if (name != NULL)
        return json_sprintf("%s (%s)", hex, name);
    if (date.text[0] != '\0')
        return json_sprintf("%s = %s", hex, date.text);
    return json_string(hex);
}

/* What nobody has filled in is left out. */
static json_t *cplc_words(const struct identity *id)
{
    static const uint8_t nothing[4];
    json_t *words = json_object();
    struct reader r;
    struct tm today = {0};
    time_t now = time(NULL);
    gmtime_r(&now, &today);
    rd_init(&r, VIEW_OF(id->cplc));
    for (size_t i = 0; i < sizeof(cplc_fields) / sizeof(cplc_fields[0]); i++) {
        struct view field = rd_view(&r, cplc_fields[i].len);
        if (!view_equal(field, view_of(nothing, field.len)))
            json_object_set_new(words, cplc_fields[i].name, cplc_value(cplc_fields[i].form, field, &today));
    }
    return words;
}

/* ---- secure channels and keys */

static json_t *scps_of(const struct identity *id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < id->scp_count; i++)
        json_array_append_new(list, json_sprintf("SCP%02X i=%02X", id->scps[i].scp, id->scps[i].i));
    return list;
}

json_t *key_words_of(const struct key_info *k)
{
    return json_sprintf("version %02X id %02X %s %u bytes", k->version, k->id, key_type_text(k->type),
                        k->len);
}

static json_t *keys_of(const struct identity *id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < id->key_count; i++)
        json_array_append_new(list, key_words_of(&id->keys[i]));
    return list;
}

json_t *card_words(const struct card_reader *reader, const struct identity *id)
{
    char number[2 * CARD_NUMBER_MAX + 2];
    json_t *o = json_object();
    json_object_set_new(o, "reader", json_string(reader->name));
    set_hex(o, "atr", view_of(reader->atr, reader->atr_len));
    if (identity_card_number(id, number) == OK)
        json_object_set_new(o, "number", json_string(number));
    set_hex(o, "isd", aid_view(&id->isd));
    if (id->gp_version[0] != 0)
        json_object_set_new(
            o, "globalplatform",
            json_sprintf("%u.%u.%u", id->gp_version[0], id->gp_version[1], id->gp_version[2]));
    set_hex(o, "serial", identity_serial(id));
    set_hex(o, "cplc", id->has_cplc ? VIEW_OF(id->cplc) : VIEW_NULL);
    if (id->has_cplc)
        json_object_set_new(o, "production", cplc_words(id));
    set_hex(o, "iin", view_of(id->iin, id->iin_len));
    set_hex(o, "cin", view_of(id->cin, id->cin_len));
    json_object_set_new(o, "secure_channels", scps_of(id));
    json_object_set_new(o, "keys", keys_of(id));
    json_object_set_new(o, "extended_length", json_boolean(identity_extended_length(id)));
    if (id->capabilities.known)
        json_object_set_new(o, "capabilities", capability_words(&id->capabilities));
    return o;
}

/* ---- capabilities (GPCS 2.3.1 H.4) */

static void set_bits(json_t *o, const char *key, bool told, unsigned bits, const char *(*name)(unsigned bit))
{
    json_t *list = json_array();
    for (unsigned bit = 0; bit < 16; bit++)
        if ((bits >> bit & 1) != 0 && name(bit) != NULL)
            json_array_append_new(list, json_string(name(bit)));
    if (told)
        json_object_set(o, key, list);
    json_decref(list);
}

static const char *hash_name(unsigned bit)
{
    static const char *const names[] = {"SHA-1", "SHA-256", "SHA-384", "SHA-512"};
    return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

static void set_privileges(json_t *o, const char *key, bool told, struct privileges p)
{
    if (told)
        json_object_set_new(o, key, json_string(privilege_words(p).text));
}

json_t *capability_words(const struct capabilities *c)
{
    json_t *o = json_object();
    set_privileges(o, "domain_privileges", c->has_domain, c->domain);
    set_privileges(o, "application_privileges", c->has_application, c->application);
    set_bits(o, "load_file_hashes", c->hashes != 0, c->hashes, hash_name);
    set_bits(o, "load_file_ciphers", c->has_block_ciphers, c->block_ciphers, capability_block_cipher_name);
    set_bits(o, "token_signatures", c->has_tokens, c->tokens, capability_signature_name);
    set_bits(o, "receipt_signatures", c->has_receipts, c->receipts, capability_signature_name);
    set_bits(o, "dap_signatures", c->has_daps, c->daps, capability_signature_name);
    set_bits(o, "scp03_keys", c->scp03_keys != 0, c->scp03_keys, capability_scp03_key_name);
    return o;
}

/* ---- registry */

static const char *kind_of(const struct registry_entry *e)
{
    enum { SECURITY_DOMAIN = 0x80 };
    if (e->subset == STATUS_ISD)
        return "card manager";
    if (e->subset == STATUS_PACKAGES || e->subset == STATUS_PACKAGES_MODULES)
        return "package";
    return (e->privileges.byte[0] & SECURITY_DOMAIN) != 0 ? "security domain" : "application";
}

static json_t *entry_words(const struct registry_entry *e)
{
    json_t *o = json_object(), *modules = json_array();
    json_object_set_new(o, "aid", hex_of(aid_view(&e->aid)));
    json_object_set_new(o, "kind", json_string(kind_of(e)));
    json_object_set_new(o, "state", json_string(registry_state_text(e->subset, e->state)));
    if (e->has_version)
        json_object_set_new(o, "version", json_sprintf("%u.%u", e->version[0], e->version[1]));
    if (e->subset == STATUS_ISD || e->subset == STATUS_APPLICATIONS)
        json_object_set_new(o, "privileges", json_string(privilege_words(e->privileges).text));
    set_hex(o, "package", aid_view(&e->package));
    set_hex(o, "domain", aid_view(&e->domain));
    for (size_t i = 0; i < e->module_count; i++)
        json_array_append_new(modules, hex_of(aid_view(&e->modules[i])));
    if (e->module_count > 0)
        json_object_set(o, "modules", modules);
    json_decref(modules);
    return o;
}

json_t *registry_words(const struct registry *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(list, entry_words(&r->entries[i]));
    return list;
}

static void print_line(const struct registry_entry *e)
{
    char aid[2 * AID_MAX + 1], version[16] = "";
    hex_write(aid, aid_view(&e->aid));
    if (e->has_version)
        snprintf(version, sizeof(version), "%u.%u", e->version[0], e->version[1]);
    struct privilege_words privileges = privilege_words(e->privileges);
    bool has = e->subset == STATUS_ISD || e->subset == STATUS_APPLICATIONS;
    printf("%-32s  %-15s  %-12s  %-7s  %s\n", aid, kind_of(e), registry_state_text(e->subset, e->state),
           version, has && strcmp(privileges.text, "none") != 0 ? privileges.text : "");
    for (size_t i = 0; i < e->module_count; i++) {
        hex_write(aid, aid_view(&e->modules[i]));
        printf("  %-30s  applet\n", aid);
    }
}

void registry_print(const struct registry *r)
{
    printf("%-32s  %-15s  %-12s  %-7s  %s\n", "AID", "KIND", "STATE", "VERSION", "PRIVILEGES");
    for (size_t i = 0; i < r->count; i++)
        print_line(&r->entries[i]);
}
