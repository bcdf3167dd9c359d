/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry-card show: what is on a card, for people or as JSON. Keys appear as version, type and check value. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/text.h>
#include <crypto/crypto.h>

#include "domain.h"
#include "keypair.h"
#include "nvm.h"
#include "platform.h"
#include "privilege.h"
#include "quirks.h"
#include "verbs.h"

enum { KCV_LEN = 3, HEX_ROOM = 2 * 255 + 1, WORDS_ROOM = 512, TREE_DEPTH_MAX = 16 };

enum { QUIRK_NAMES_ROOM = 1024 };

/* One writer for both forms: JSON needs names and commas, people need lines. */
struct show {
    bool json, first;
    struct crypto *crypto;
};

static void open_list(struct show *s, const char *name, char bracket)
{
    if (s->json)
        printf("%s\"%s\":%c", s->first ? "" : ",", name, bracket);
    else
        printf("%s:\n", name);
    s->first = true;
}

static void close_list(struct show *s, char bracket)
{
    if (s->json)
        putchar(bracket);
    s->first = false;
}

static void open_item(struct show *s)
{
    if (s->json)
        printf("%s{", s->first ? "" : ",");
    else
        printf("  -\n");
    s->first = true;
}

static void show_text(struct show *s, const char *name, const char *value)
{
    if (s->json)
        printf("%s\"%s\":\"%s\"", s->first ? "" : ",", name, value);
    else
        printf("  %-14s %s\n", name, value);
    s->first = false;
}

static void show_number(struct show *s, const char *name, uint64_t value)
{
    if (s->json)
        printf("%s\"%s\":%llu", s->first ? "" : ",", name, (unsigned long long)value);
    else
        printf("  %-14s %llu\n", name, (unsigned long long)value);
    s->first = false;
}

static void show_hex(struct show *s, const char *name, struct view value)
{
    char text[HEX_ROOM];
    hex_write(text, view_head(value, HEX_ROOM / 2));
    show_text(s, name, text);
}

static void show_byte(struct show *s, const char *name, uint8_t value)
{
    show_hex(s, name, view_of(&value, 1));
}

static const char *life_name(uint8_t life)
{
    switch (life) {
    case LIFE_OP_READY:
        return "OP_READY";
    case LIFE_INITIALIZED:
        return "INITIALIZED";
    case LIFE_SECURED:
        return "SECURED";
    case LIFE_CARD_LOCKED:
        return "CARD_LOCKED";
    default:
        return "TERMINATED";
    }
}

static const char *application_state(const struct card_application *a)
{
    if (a->life & STATE_LOCKED_BIT)
        return "LOCKED";
    if (a->life == STATE_INSTALLED)
        return "INSTALLED";
    return a->life == STATE_PERSONALIZED && (a->privileges[0] & PRIVILEGE_SECURITY_DOMAIN) ? "PERSONALIZED"
                                                                                           : "SELECTABLE";
}

/* The security domain that something belongs to: its AID, of the issuer's too. */
static void show_domain(struct show *s, const struct card_state *c, const struct card_aid *domain)
{
    show_hex(s, "domain", card_domain_aid(c, card_aid_view(domain)));
}

static void show_object(struct show *s, const struct card_state *c, const char *name, uint16_t tag)
{
    const struct card_object *o = card_find_object(c, VIEW_NULL, tag);
    if (o != NULL)
        show_hex(s, name, view_of(o->data, o->len));
}

/* Names, one space between. */
static void show_quirks(struct show *s, uint32_t quirks)
{
    char names[QUIRK_NAMES_ROOM] = "";
    size_t count, at = 0;
    const struct card_quirk_row *rows = card_quirks(&count);
    for (size_t n = 0; n < count; n++) {
        if (quirks & (uint32_t)rows[n].quirk)
            at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at != 0 ? " " : "", rows[n].name);
    }
    show_text(s, "quirks", names);
}

static void show_card(struct show *s, const struct card_state *c)
{
    const struct platform *platform = platform_by_row(c->profile.java_card);
    open_list(s, "card", '{');
    show_text(s, "profile", c->profile.name);
    show_text(s, "life_cycle", life_name(c->life));
    show_hex(s, "isd", card_aid_view(&c->profile.isd));
    show_text(s, "java_card", platform != NULL ? platform->name : "?");
    show_object(s, c, "cplc", 0x9F7F);
    show_object(s, c, "iin", 0x42);
    show_object(s, c, "cin", 0x45);
    show_hex(s, "kdd", view_of(c->profile.kdd, CARD_KDD_LEN));
    show_number(s, "max_failures", c->profile.max_failures);
    show_number(s, "memory", c->profile.memory);
    show_number(s, "memory_free", card_memory_free(c));
    show_quirks(s, c->profile.quirks);
    close_list(s, '}');
}

/* GPCS 2.3.1 B.5, B.6: eight zeros under Triple-DES, sixteen bytes of 01 under AES. */
static void show_check_value(struct show *s, const char *name, uint8_t scp, const struct secret *key)
{
    static const uint8_t zeros[DES_BLOCK], ones[AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    uint8_t out[AES_BLOCK];
    uint8_t wide[2 * DES_BLOCK]; /* single DES is Triple-DES under K | K */
    struct writer w;
    wr_fixed(&w, wide, sizeof wide);
    wr_view(&w, view_head(secret_view(key), DES_BLOCK));
    wr_view(&w, view_head(secret_view(key), DES_BLOCK));
    struct view des = key->len == DES_BLOCK ? VIEW_OF(wide) : secret_view(key);
    enum err e = scp == 0x03 ? crypto_aes_ecb_encrypt(s->crypto, secret_view(key), VIEW_OF(ones), out)
                             : crypto_des3_ecb_encrypt(s->crypto, des, VIEW_OF(zeros), out);
    wipe(wide, sizeof wide);
    if (e == OK)
        show_hex(s, name, view_of(out, KCV_LEN));
}

static void show_keysets(struct show *s, const struct card_state *c)
{
    open_list(s, "keys", '[');
    for (size_t i = 0; i < c->keyset_count; i++) {
        const struct card_keyset *k = &c->keysets[i];
        open_item(s);
        show_domain(s, c, &k->domain);
        show_byte(s, "kvn", k->kvn);
        show_byte(s, "scp", k->scp);
        show_byte(s, "i", k->i);
        show_text(s, "type", k->scp == 0x03 ? "AES" : k->enc.len == DES_BLOCK ? "DES" : "DES3");
        show_number(s, "bits", k->enc.len * 8);
        show_check_value(s, "kcv_enc", k->scp, &k->enc);
        show_check_value(s, "kcv_mac", k->scp, &k->mac);
        show_check_value(s, "kcv_dek", k->scp, &k->dek);
        show_number(s, "counter", k->counter);
        show_number(s, "failures", k->failures);
        close_list(s, '}');
    }
    close_list(s, ']');
}

static void show_modules(struct show *s, const struct card_package *p)
{
    char text[2 * AID_MAX + 1];
    if (s->json)
        open_list(s, "modules", '[');
    for (size_t i = 0; i < p->module_count; i++) {
        hex_write(text, card_aid_view(&p->modules[i]));
        if (s->json)
            printf("%s\"%s\"", i == 0 ? "" : ",", text);
        else
            show_text(s, "module", text);
    }
    if (s->json)
        close_list(s, ']');
}

static void show_packages(struct show *s, const struct card_state *c)
{
    open_list(s, "packages", '[');
    for (size_t i = 0; i < c->package_count; i++) {
        const struct card_package *p = &c->packages[i];
        char version[16];
        snprintf(version, sizeof version, "%u.%u", p->major, p->minor);
        open_item(s);
        show_hex(s, "aid", card_aid_view(&p->aid));
        show_domain(s, c, &p->domain);
        show_text(s, "version", version);
        show_number(s, "bytes", p->code_len);
        show_hex(s, "sha256", view_of(p->hash, sizeof p->hash));
        show_modules(s, p);
        close_list(s, '}');
    }
    close_list(s, ']');
}

/* Privileges in words, one behind the other. */
static void show_privileges(struct show *s, const struct card_application *a)
{
    char text[WORDS_ROOM];
    struct writer w;
    wr_fixed(&w, (uint8_t *)text, sizeof text);
    for (enum privilege p = 0; p < PRIVILEGE_COUNT; p++) {
        if (!card_privilege_set(a->privileges, p))
            continue;
        wr_view(&w, view_str(w.len != 0 ? ", " : ""));
        wr_view(&w, view_str(card_privilege_name(p)));
    }
    wr_u8(&w, '\0');
    if (wr_ok(&w) && text[0] != '\0')
        show_text(s, "may", text);
}

/* ---- keys that stand alone, objects, the tree ---- */

static const struct {
    uint8_t type;
    const char *name;
} key_types[] = {{CARD_KEY_DES, "DES3"},
                 {CARD_KEY_AES, "AES"},
                 {CARD_KEY_RSA_PUBLIC, "RSA public"},
                 {CARD_KEY_RSA_PRIVATE, "RSA private"},
                 {CARD_KEY_DSA_PUBLIC, "DSA public"},
                 {CARD_KEY_DSA_PRIVATE, "DSA private"},
                 {CARD_KEY_ECC_PUBLIC, "EC public"},
                 {CARD_KEY_ECC_PRIVATE, "EC private"}};

/* Versions that say what a key is for (GlobalPlatform Card UICC Configuration 1.0.1, table 4-5). */
static const struct {
    uint8_t kvn;
    const char *use;
} key_uses[] = {{0x70, "tokens"}, {0x71, "receipts"}, {0x73, "DAP"}, {0x75, "ciphered load files"}};

static void show_key(struct show *s, const struct card_state *c, const struct card_key *k)
{
    struct pk *pair = NULL;
    open_item(s);
    show_domain(s, c, &k->domain);
    show_byte(s, "kvn", k->kvn);
    show_byte(s, "kid", k->kid);
    for (size_t n = 0; n < sizeof key_types / sizeof key_types[0]; n++) {
        if (key_types[n].type == k->type)
            show_text(s, "type", key_types[n].name);
    }
    bool is_pair = keypair_load(k, &pair) == OK;
    show_number(s, "bits", is_pair ? pk_bits(pair) : k->len * 8u);
    if (is_pair && pk_algorithm(pair) == PK_EC)
        show_text(s, "curve", pk_curve_name(pk_ec_curve(pair)));
    pk_free(&pair);
    for (size_t n = 0; n < sizeof key_uses / sizeof key_uses[0]; n++) {
        if (key_uses[n].kvn == k->kvn)
            show_text(s, "for", key_uses[n].use);
    }
    close_list(s, '}');
}

static void show_single_keys(struct show *s, const struct card_state *c)
{
    open_list(s, "single_keys", '[');
    for (size_t i = 0; i < c->key_count; i++)
        show_key(s, c, &c->keys[i]);
    close_list(s, ']');
}

static void show_objects(struct show *s, const struct card_state *c)
{
    open_list(s, "objects", '[');
    for (size_t i = 0; i < c->object_count; i++) {
        const struct card_object *o = &c->objects[i];
        char tag[8];
        snprintf(tag, sizeof tag, o->tag > UINT8_MAX ? "%04X" : "%02X", o->tag);
        open_item(s);
        show_domain(s, c, &o->domain);
        show_text(s, "tag", tag);
        show_number(s, "bytes", o->len);
        close_list(s, '}');
    }
    close_list(s, ']');
}

static void show_entry(unsigned depth, const char *kind, struct view aid, const char *state)
{
    char text[2 * AID_MAX + 1];
    hex_write(text, aid);
    printf("  %*s%s %s%s%s\n", (int)(2 * depth), "", kind, text, state[0] != '\0' ? ", " : "", state);
}

/* What is associated with a security domain, and below. A domain of its own is the top of a tree. */
static void show_below(const struct card_state *c, struct view domain, unsigned depth)
{
    for (size_t i = 0; i < c->package_count; i++) {
        if (card_domain_is(&c->packages[i].domain, domain))
            show_entry(depth, "load file", card_aid_view(&c->packages[i].aid), "");
    }
    for (size_t i = 0; i < c->application_count; i++) {
        const struct card_application *a = &c->applications[i];
        bool is_domain = (a->privileges[0] & PRIVILEGE_SECURITY_DOMAIN) != 0;
        struct view aid = card_aid_view(&a->aid);
        if (!card_domain_is(&a->domain, domain) || view_equal(aid, domain))
            continue;
        show_entry(depth, is_domain ? "security domain" : "application", aid, application_state(a));
        if (is_domain && depth < TREE_DEPTH_MAX)
            show_below(c, aid, depth + 1);
    }
}

/* For people alone: the lists say the same, each entry with its domain. */
static void show_tree(const struct card_state *c)
{
    puts("tree:");
    show_entry(0, "issuer security domain", card_aid_view(&c->profile.isd), life_name(c->life));
    show_below(c, VIEW_NULL, 1);
    for (size_t i = 0; i < c->application_count; i++) {
        const struct card_application *a = &c->applications[i];
        struct view aid = card_aid_view(&a->aid);
        if (!card_aid_is(&a->domain, aid))
            continue;
        show_entry(0, "security domain", aid, application_state(a));
        show_below(c, aid, 1);
    }
}

static void show_applications(struct show *s, const struct card_state *c)
{
    open_list(s, "applications", '[');
    for (size_t i = 0; i < c->application_count; i++) {
        const struct card_application *a = &c->applications[i];
        open_item(s);
        show_hex(s, "aid", card_aid_view(&a->aid));
        show_domain(s, c, &a->domain);
        show_hex(s, "package", card_aid_view(&a->package));
        show_hex(s, "module", card_aid_view(&a->module));
        show_text(s, "state", application_state(a));
        show_hex(s, "privileges", view_of(a->privileges, CARD_PRIVILEGES));
        show_privileges(s, a);
        show_number(s, "parameters", a->parameter_len);
        show_number(s, "stored_blocks", a->block_count);
        show_number(s, "stored_bytes", a->stored_len - 4u * a->block_count);
        close_list(s, '}');
    }
    close_list(s, ']');
}

static void show_all(struct show *s, const struct card_state *c)
{
    if (s->json)
        putchar('{');
    s->first = true;
    show_card(s, c);
    show_keysets(s, c);
    show_single_keys(s, c);
    show_packages(s, c);
    show_applications(s, c);
    show_objects(s, c);
    if (s->json)
        puts("}");
    else
        show_tree(c);
}

static int show_file(const char *file, bool json)
{
    struct show s = {.json = json};
    struct card_state *state = calloc(1, sizeof *state);
    const char *why = err_text(ERR_MEMORY);
    int status = EXIT_DONE;
    enum err e = state == NULL ? ERR_MEMORY : nvm_read(file, state, &why);
    if (e == OK) {
        e = crypto_new(&s.crypto);
        why = err_text(e);
    }
    if (e == OK)
        show_all(&s, state);
    else
        status = verb_fail(file, why);
    crypto_free(&s.crypto);
    if (state != NULL)
        card_state_finish(state);
    free(state);
    return status;
}

int verb_show(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
    bool json = false;
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o != 'j')
            return EXIT_USAGE;
        json = true;
    }
    if (optind + 1 != argc)
        return verb_usage("show", "one FILE is needed");
    return show_file(argv[optind], json);
}
