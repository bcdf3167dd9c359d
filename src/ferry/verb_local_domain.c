/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local create-domain: a security domain of its own, with keys, and where it belongs. Each step stands
 * for itself: what was done stays, and is said. */
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/store_data.h>
#include <session/outcome.h>

#include "local_channel.h"
#include "local_data.h"
#include "local_keyset.h"
#include "local_plan.h"
#include "local_token.h"
#include "local_words.h"
#include "verbs.h"

static const struct option_spec domain_options[] = {
    LOCAL_CHANGE_OPTIONS,
    LOCAL_TOKEN_OPTIONS,
    {"privileges", "LIST", "besides security-domain: in hexadecimal, or names with commas between"},
    {"package", "AID", "of the security domain's code (default: A0000001515350)"},
    {"module", "AID", "its module (default: A000000151535041)"},
    {"params", "HEX", "install parameters (C9)"},
    {"new-key", "FILE", "its first keys: one, or ENC, MAC and DEK, in hexadecimal"},
    {"new-kvn", "HEX", "their version (default 30)"},
    {"new-kdf", "KDF", "derive them for this card: none (default), visa2, emv or kdf3"},
    {"by", "COMMAND",
     "how its keys come there: put-key (default, over the channel of its parent) or store-data"},
    {"extradite-to", "AID", "the security domain that it will belong to"},
    {NULL, NULL, NULL}};

enum {
    FIRST_VERSION = 0x30,
    PARAMETERS_MAX = 200,
    SET_KEYS = 3,
    USAGE_ENC =
        0x18, /* GPCS 2.3.1 table 11-17: secure messaging, as tables 11-92 and 11-93 name the three keys */
    USAGE_MAC = 0x14,
    USAGE_DEK = 0x48,
    ACCESS_DOMAIN = 0x00
};

struct domain {
    struct aid aid, package, module, parent;
    struct privileges privileges;
    uint8_t parameters[PARAMETERS_MAX];
    size_t parameters_len;
    bool has_keys, stores; /* stores: by STORE DATA */
    struct card_keys given, made;
    enum kdf kdf;
    uint8_t kvn;
    struct writer data;   /* of STORE DATA */
    struct pk *token_key; /* borrowed */
};

static int read_aid_or(struct local *l, const char *name, const char *fallback, struct aid *out)
{
    size_t len = 0;
    if (!option_aid(&l->cli, name, out))
        return EXIT_USAGE;
    if (out->len == 0 && hex_read_str(fallback, out->data, sizeof(out->data), &len) == OK)
        out->len = (uint8_t)len;
    return EXIT_OK;
}

static int read_keys(struct local *l, struct domain *d)
{
    const char *file = cli_option(&l->cli, "new-key"), *kdf = cli_option(&l->cli, "new-kdf");
    struct key_problem why = {""};
    int kvn;
    if (!option_byte(&l->cli, "new-kvn", FIRST_VERSION, &kvn))
        return EXIT_USAGE;
    d->kvn = (uint8_t)kvn;
    if (d->kvn == 0 || d->kvn > 0x7F)
        return local_fail(l, EXIT_USAGE, "--new-kvn is 01 to 7F");
    if (kdf != NULL && (kdf_by_name(kdf, &d->kdf) != OK || d->kdf == KDF_IMPORTED))
        return local_fail(l, EXIT_USAGE, "--new-kdf must be none, visa2, emv or kdf3");
    const char *by = cli_option(&l->cli, "by");
    if (by != NULL && strcmp(by, "put-key") != 0 && strcmp(by, "store-data") != 0)
        return local_fail(l, EXIT_USAGE, "--by must be put-key or store-data");
    d->stores = by != NULL && strcmp(by, "store-data") == 0;
    d->has_keys = file != NULL;
    const struct key_source source = {KEY_FROM_FILE, file};
    if (d->has_keys && key_source_read(&source, "new key", &d->given, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    return EXIT_OK;
}

static int read_request(struct local *l, struct domain *d)
{
    const char *text = cli_option(&l->cli, "privileges"), *parameters = cli_option(&l->cli, "params");
    size_t len = 0;
    if (hex_read_str(l->cli.args[0], d->aid.data, sizeof(d->aid.data), &len) != OK || len < AID_MIN)
        return local_fail(l, EXIT_USAGE, "'%s' is not an AID: 5 to 16 bytes in hexadecimal", l->cli.args[0]);
    d->aid.len = (uint8_t)len;
    if (text != NULL && privileges_parse(text, &d->privileges) != OK)
        return local_fail(l, EXIT_USAGE, "--privileges wants 1 or 3 bytes in hexadecimal, or names");
    d->privileges.byte[0] |= 0x80;
    if (parameters != NULL &&
        hex_read_str(parameters, d->parameters, PARAMETERS_MAX, &d->parameters_len) != OK)
        return local_fail(l, EXIT_USAGE, "--params wants at most %d bytes in hexadecimal", PARAMETERS_MAX);
    if (!option_aid(&l->cli, "extradite-to", &d->parent))
        return EXIT_USAGE;
    /* The Executable Load File and Module that cards have for it. */
    int code = read_aid_or(l, "package", "A0000001515350", &d->package);
    if (code == EXIT_OK)
        code = read_aid_or(l, "module", "A000000151535041", &d->module);
    return code == EXIT_OK ? read_keys(l, d) : code;
}

static int check_card(struct local *l, const struct domain *d)
{
    char hex[2 * AID_MAX + 1];
    int code = local_read_registry(l);
    if (code != EXIT_OK)
        return code;
    hex_write(hex, aid_view(&d->aid));
    if (registry_find(&l->registry, &d->aid) != NULL)
        return local_fail(l, EXIT_FAILED, "the card holds %s already", hex);
    if (d->parent.len > 0 && registry_find(&l->registry, &d->parent) == NULL)
        return local_fail(l, EXIT_FAILED, "the card has no security domain with the AID of --extradite-to");
    return EXIT_OK;
}

/* Of the type that the channel's keys have. */
static int make_keys(struct local *l, struct domain *d)
{
    card_keys_be(&d->given, l->keys.has_card && l->keys.card.type != KEY_AES ? KEY_DES3 : KEY_AES);
    enum err e = kdf_derive(l->crypto, d->kdf, &d->given, VIEW_OF(l->kdd), &d->made);
    return e == OK ? EXIT_OK
                   : local_fail(l, EXIT_USAGE, "these can't be keys for the domain: %s", err_text(e));
}

/* 11.11.4.1: what is said of the three keys, and the keys. */
static int make_data(struct local *l, struct domain *d)
{
    static const uint8_t usage[SET_KEYS] = {USAGE_ENC, USAGE_MAC, USAGE_DEK};
    const struct secret *values[SET_KEYS] = {&d->made.enc, &d->made.mac, &d->made.dek};
    const struct card_keys blank = {.type = KEY_AES, .dek = {.len = 16}};
    struct store_key keys[SET_KEYS];
    const struct key_encryption dek =
        l->channel != NULL ? channel_key_encryption(l->channel) : secret_key_encryption(&blank);
    for (size_t n = 0; n < SET_KEYS; n++)
        keys[n] = (struct store_key){.type = d->made.type == KEY_AES ? KEY_TYPE_AES : KEY_TYPE_DES,
                                     .kid = (uint8_t)(n + 1),
                                     .kvn = d->kvn,
                                     .usage = usage[n],
                                     .access = ACCESS_DOMAIN,
                                     .has_access = true,
                                     .value = secret_view(values[n])};
    wr_heap(&d->data, 4096);
    enum err e = store_put_keys(&d->data, l->crypto, keys, SET_KEYS, &dek);
    return e == OK ? EXIT_OK
                   : local_fail(l, EXIT_USAGE, "these can't be keys for the domain: %s", err_text(e));
}

static enum err put_extradition(struct builder *b, void *arg)
{
    const struct domain *d = arg;
    struct install i = {
        .purpose = INSTALL_EXTRADITION, .application = aid_view(&d->aid), .domain = aid_view(&d->parent)};
    return local_put_install(b, d->token_key, &i);
}

/* Keys that come by STORE DATA go out over the channel that makes the domain, and so does what follows them:
 * a channel of key pairs is not opened a second time. */
static enum err put_domain(struct builder *b, void *arg)
{
    const struct domain *d = arg;
    const struct position nowhere = {0, 0};
    uint8_t memory[PARAMETERS_MAX + 8];
    struct writer parameters;
    struct apdu a;
    const struct install_parameters p = {.has_c9 = true, .c9 = view_of(d->parameters, d->parameters_len)};
    wr_fixed(&parameters, memory, sizeof(memory));
    command_put_parameters(&parameters, &p);
    struct install i = {.purpose = INSTALL_INSTALL_SELECTABLE,
                        .package = aid_view(&d->package),
                        .module = aid_view(&d->module),
                        .application = aid_view(&d->aid),
                        .has_privileges = true,
                        .privileges = d->privileges,
                        .parameters = wr_view_of(&parameters)};
    enum err e = local_put_install(b, d->token_key, &i);
    if (e != OK || !d->has_keys || !d->stores)
        return e;
    wr_clear(&b->scratch);
    e = command_install_for_personalization(&a, &b->scratch, aid_view(&d->aid));
    if (e == OK)
        e = build_put(b, &a, nowhere);
    if (e == OK)
        e = local_put_blocks(b, wr_view_of(&d->data), STORE_DGI | STORE_ENCRYPTED);
    return e == OK && d->parent.len > 0 ? put_extradition(b, arg) : e;
}

/* Whose channel the work began with. */
struct beginning {
    struct card_keys keys;
    uint8_t kvn;
    struct aid domain;
};

static int open_domain(struct local *l, const struct aid *domain, const struct card_keys *keys, uint8_t kvn)
{
    if (l->o.dry_run)
        return EXIT_OK;
    l->o.domain = *domain;
    return local_open_again(l, keys, kvn);
}

/* A domain without keys is opened with those of its parent (GPCS 2.3.1 7.3). A channel with its own is the
 * proof.
 */
static int give_keys(struct local *l, const struct domain *d, const struct beginning *from)
{
    int code;
    if (d->stores) {
        code = open_domain(l, &d->aid, &d->made, d->kvn);
        return code == EXIT_OK
                   ? code
                   : local_fail(l, code, "the domain is there, but no channel can be opened with its keys");
    }
    code = open_domain(l, &d->aid, &from->keys, from->kvn);
    return code == EXIT_OK ? local_put_set(l, &d->made, d->kvn) : code;
}

static int move(struct local *l, struct domain *d, const struct beginning *from)
{
    int code = d->has_keys ? open_domain(l, &from->domain, &from->keys, from->kvn) : EXIT_OK;
    return code == EXIT_OK ? local_run(l, put_extradition, d) : code;
}

static int make_domain(struct local *l, struct domain *d)
{
    const struct beginning from = {l->keys.card, l->kvn, l->o.domain};
    int code = EXIT_OK;
    if (d->has_keys && !d->stores && l->channel != NULL && !l->keys.has_card)
        return local_fail(l, EXIT_USAGE, "over this channel keys come to the domain --by store-data");
    if (d->has_keys)
        code = make_keys(l, d);
    if (code == EXIT_OK && d->stores)
        code = make_data(l, d);
    if (code == EXIT_OK)
        code = local_run(l, put_domain, d);
    if (code == EXIT_OK && d->has_keys)
        code = give_keys(l, d, &from);
    bool moved = d->has_keys && d->stores;
    return code == EXIT_OK && d->parent.len > 0 && !moved ? move(l, d, &from) : code;
}

static int create_domain(const struct cli *cli)
{
    struct local l;
    struct domain d = {.kdf = KDF_NONE};
    char hex[2 * AID_MAX + 1];
    int code = local_begin_offline(&l, cli);
    d.token_key = l.token_key;
    if (code == EXIT_OK)
        code = read_request(&l, &d);
    if (code == EXIT_OK)
        code = local_ready(&l);
    if (code == EXIT_OK && l.channel != NULL)
        code = check_card(&l, &d);
    if (code == EXIT_OK)
        code = make_domain(&l, &d);
    if (code == EXIT_OK && !l.o.dry_run) {
        hex_write(hex, aid_view(&d.aid));
        json_object_set_new(l.result, "domain", json_string(hex));
        local_note(&l,
                   d.has_keys ? "The security domain %s is there, and a channel with its own keys shows it."
                              : "The security domain %s is there. It has no keys of its own yet.",
                   hex);
    }
    card_keys_wipe(&d.given);
    card_keys_wipe(&d.made);
    wr_free(&d.data);
    return local_end(&l, code);
}

const struct verb verb_local_create_domain = {
    "local create-domain", "AID", "make a security domain, give it keys, and say where it belongs",
    domain_options,        1,     1,
    create_domain};
