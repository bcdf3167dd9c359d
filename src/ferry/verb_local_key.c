/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local put-key: new keys for a security domain. One PUT KEY carries all three keys of a set; check
 * values are compared, and a channel opened with the new keys shows that they are there. */
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/put_key.h>
#include <session/outcome.h>

#include "local_channel.h"
#include "local_keyset.h"
#include "local_plan.h"
#include "verbs.h"

static const struct option_spec put_key_options[] = {
    LOCAL_CHANGE_OPTIONS,
    {"new-key", "FILE", "new keys: one, or ENC, MAC and DEK, in hexadecimal; - is standard input"},
    {"new-key-env", "NAME", "the same, in an environment variable"},
    {"new-default-key", NULL, "the test key that everybody knows, as new key"},
    {"new-kdf", "KDF", "derive the new keys for this card: none (default), visa2, emv or kdf3"},
    {"new-type", "TYPE", "aes or des (default: as the keys of the channel)"},
    {"new-pem", "FILE", "instead: a key pair in PEM, whose public key is put (RSA, elliptic curve)"},
    {"private", NULL, "of --new-pem the private key"},
    {"new-kid", "HEX", "identifier (default 01, and then all three keys of a set)"},
    {"replace", "HEX", "key version that is replaced (default: the new keys are added)"},
    {NULL, NULL, NULL}};

enum { SET_KEYS = 3, KIND_SET = 0x01 };

struct change_keys {
    uint8_t kvn, kid, replaced, type;
    enum kdf kdf;
    struct card_keys given, made; /* symmetric: as read; for this card */
    bool symmetric, private;
    struct pk *pair;
    struct writer parts[3]; /* of a key pair */
    uint8_t reference;
    struct new_key keys[SET_KEYS];
    size_t count;
    struct put_key command;
    struct key_encryption dek;
    struct card_keys blank; /* --dry-run without a key: what the length of the command is made with */
    struct crypto *crypto;
};

static void finish(struct change_keys *c)
{
    card_keys_wipe(&c->given);
    card_keys_wipe(&c->made);
    pk_free(&c->pair);
    for (size_t n = 0; n < 3; n++)
        wr_free(&c->parts[n]);
}

/* ---- what was asked for */

static int read_source(struct local *l, struct change_keys *c)
{
    const char *file = cli_option(&l->cli, "new-key"), *variable = cli_option(&l->cli, "new-key-env");
    bool known = cli_flag(&l->cli, "new-default-key");
    struct key_problem why = {""};
    struct key_source source = {.origin = KEY_FROM_PROMPT};
    if ((file != NULL) + (variable != NULL) + known > 1)
        return local_fail(l, EXIT_USAGE, "the new keys come from one place");
    if (file != NULL)
        source = (struct key_source){KEY_FROM_FILE, file};
    else if (variable != NULL)
        source = (struct key_source){KEY_FROM_ENVIRONMENT, variable};
    else if (known)
        source = (struct key_source){KEY_DEFAULT, NULL};
    if (key_source_read(&source, "new key", &c->given, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    c->symmetric = true;
    return EXIT_OK;
}

static int read_type(struct local *l, struct change_keys *c)
{
    const char *type = cli_option(&l->cli, "new-type"), *kdf = cli_option(&l->cli, "new-kdf");
    c->type = type == NULL ? 0 : strcmp(type, "aes") == 0 ? KEY_TYPE_AES : KEY_TYPE_DES;
    if (type != NULL && strcmp(type, "aes") != 0 && strcmp(type, "des") != 0)
        return local_fail(l, EXIT_USAGE, "--new-type must be aes or des");
    c->kdf = KDF_NONE;
    if (kdf != NULL && (kdf_by_name(kdf, &c->kdf) != OK || c->kdf == KDF_IMPORTED))
        return local_fail(l, EXIT_USAGE, "--new-kdf must be none, visa2, emv or kdf3");
    return EXIT_OK;
}

static int read_pair(struct local *l, struct change_keys *c, const char *path)
{
    struct key_problem why = {""};
    c->private = cli_flag(&l->cli, "private");
    if (key_pem_read(path, &c->pair, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    if (c->private && !pk_is_private(c->pair))
        return local_fail(l, EXIT_USAGE, "%s holds no private key", path);
    if (pk_algorithm(c->pair) == PK_DSA || (c->private && pk_algorithm(c->pair) != PK_EC))
        return local_fail(l, EXIT_USAGE,
                          "a key of this kind can't be put: RSA public keys and elliptic curves can");
    return EXIT_OK;
}

static int read_request(struct local *l, struct change_keys *c)
{
    int kid, replaced;
    size_t len = 0;
    const char *pem = cli_option(&l->cli, "new-pem");
    if (hex_read_str(l->cli.args[0], &c->kvn, 1, &len) != OK || len != 1 || c->kvn == 0 || c->kvn > 0x7F)
        return local_fail(l, EXIT_USAGE, "'%s' is not a key version: 01 to 7F in hexadecimal",
                          l->cli.args[0]);
    if (!option_byte(&l->cli, "new-kid", KIND_SET, &kid) || !option_byte(&l->cli, "replace", 0, &replaced))
        return EXIT_USAGE;
    c->kid = (uint8_t)kid;
    c->replaced = (uint8_t)replaced;
    if (pem != NULL && !cli_flag(&l->cli, "new-kid"))
        return local_fail(l, EXIT_USAGE, "a single key needs its identifier: --new-kid");
    int code = pem != NULL ? read_pair(l, c, pem) : read_source(l, c);
    return code == EXIT_OK ? read_type(l, c) : code;
}

/* ---- against the card */

/* The card's key, or NULL. */
static const struct key_info *told_key(const struct identity *id, uint8_t kvn, uint8_t kid)
{
    for (size_t n = 0; n < id->key_count; n++)
        if (id->keys[n].version == kvn && id->keys[n].id == kid)
            return &id->keys[n];
    return NULL;
}

/* Wrong type or version is what most failed key changes come from: the card has told both. */
static int check_template(struct local *l, const struct change_keys *c)
{
    const struct key_info *old = told_key(&l->domain, c->replaced != 0 ? c->replaced : c->kvn, c->kid);
    bool des = old != NULL && old->type >= KEY_TYPE_DES && old->type <= KEY_TYPE_DES_CBC;
    if (l->domain.key_count == 0) {
        cli_error("warning: the card does not tell which keys it has, so version and type are not checked");
        return EXIT_OK;
    }
    if (c->replaced == 0 && old != NULL)
        return local_fail(l, EXIT_USAGE,
                          "the card has a key version %02X already: --replace %02X puts new keys in "
                          "its place",
                          c->kvn, c->kvn);
    if (c->replaced == 0)
        return EXIT_OK;
    if (old == NULL)
        return local_fail(l, EXIT_USAGE, "the card has no key %02X of version %02X to replace", c->kid,
                          c->replaced);
    if (c->symmetric && (c->type == KEY_TYPE_AES ? old->type != KEY_TYPE_AES : !des))
        return local_fail(l, EXIT_USAGE,
                          "the keys of version %02X are of another type (%s): add the new ones instead",
                          c->replaced, key_type_text(old->type));
    if (c->symmetric && old->len != 0 && old->len != c->given.enc.len)
        return local_fail(l, EXIT_USAGE,
                          "the keys of version %02X have %u bytes and the new ones %zu: add them instead",
                          c->replaced, old->len, c->given.enc.len);
    return EXIT_OK;
}

/* Amendment D clause 3: a key travels under one that is at least as strong. */
static int check_strength(struct local *l, const struct change_keys *c)
{
    const struct card_keys *own = &l->keys.card;
    if (!l->keys.has_card || !c->symmetric)
        return EXIT_OK;
    bool weaker = own->type == KEY_DES    ? c->given.enc.len > own->dek.len
                  : own->type == KEY_DES3 ? c->type == KEY_TYPE_AES
                                          : c->type == KEY_TYPE_AES && own->dek.len < c->given.enc.len;
    return !weaker
               ? EXIT_OK
               : local_fail(
                     l, EXIT_NOT_ALLOWED,
                     "the new keys are stronger than the key that would carry them to the card (%s of %zu "
                     "bytes)",
                     own->type == KEY_AES   ? "AES"
                     : own->type == KEY_DES ? "DES"
                                            : "Triple-DES",
                     own->dek.len);
}

/* ---- the command */

static enum err make_set(struct local *l, struct change_keys *c)
{
    const struct secret *values[SET_KEYS] = {&c->made.enc, &c->made.mac, &c->made.dek};
    card_keys_be(&c->given, c->type == KEY_TYPE_AES ? KEY_AES : KEY_DES3);
    enum err e = kdf_derive(l->crypto, c->kdf, &c->given, VIEW_OF(l->kdd), &c->made);
    const size_t count = c->kid == KIND_SET ? SET_KEYS : 1;
    c->count = count;
    for (size_t n = 0; n < count && e == OK; n++)
        e = new_key_symmetric(&c->keys[n], l->crypto, c->type, secret_view(values[n]));
    return e;
}

static enum err make_pair(struct change_keys *c)
{
    for (size_t n = 0; n < 3; n++)
        wr_heap(&c->parts[n], 1024);
    c->count = 1;
    if (pk_algorithm(c->pair) == PK_RSA) {
        enum err e = pk_put_rsa(c->pair, &c->parts[0], &c->parts[1]);
        return e == OK ? new_key_rsa_public(&c->keys[0], wr_view_of(&c->parts[0]), wr_view_of(&c->parts[1]))
                       : e;
    }
    c->reference = (uint8_t)pk_ec_curve(c->pair);
    enum err e = c->private ? pk_put_scalar(c->pair, &c->parts[0]) : pk_put_point(c->pair, &c->parts[0]);
    if (e != OK)
        return e;
    return c->private ? new_key_ec_private(&c->keys[0], wr_view_of(&c->parts[0]), &c->reference)
                      : new_key_ec_public(&c->keys[0], wr_view_of(&c->parts[0]), &c->reference);
}

static enum err put_command(struct builder *b, void *arg)
{
    struct change_keys *c = arg;
    struct apdu a;
    wr_clear(&b->scratch);
    enum err e = command_put_key(&a, &b->scratch, c->crypto, &c->command, &c->dek);
    return e == OK ? local_put_long(b, &a) : e;
}

static int make(struct local *l, struct change_keys *c)
{
    enum err e = c->symmetric ? make_set(l, c) : make_pair(c);
    if (e != OK)
        return local_fail(l, EXIT_USAGE, "these can't be keys for the card: %s", err_text(e));
    c->crypto = l->crypto;
    c->command = (struct put_key){
        .replaced = c->replaced, .kvn = c->kvn, .kid = c->kid, .keys = c->keys, .count = c->count};
    if (l->channel != NULL) {
        c->dek = channel_key_encryption(l->channel);
        return EXIT_OK;
    }
    c->blank = (struct card_keys){.type = KEY_AES, .dek = {.len = 16}};
    c->dek = secret_key_encryption(&c->blank);
    return EXIT_OK;
}

/* ---- the proof */

static int lost(struct local *l, const struct change_keys *c)
{
    return local_fail(
        l, EXIT_UNKNOWN,
        "whether the card has the new keys is not known, so keep the old ones: look with the new key "
        "and --kvn %02X first, and only then with the old one",
        c->kvn);
}

static int prove(struct local *l, const struct change_keys *c)
{
    if (!c->symmetric || c->count != SET_KEYS)
        return EXIT_OK;
    int code = local_open_again(l, &c->made, c->kvn);
    if (code == EXIT_OK)
        return EXIT_OK;
    return local_fail(
        l, code,
        "the card has taken the new keys of version %02X, but no channel can be opened with them: keep the "
        "old ones",
        c->kvn);
}

static int change(struct local *l, struct change_keys *c)
{
    int code = local_run(l, put_command, c);
    if (l->o.dry_run)
        return code;
    if (code == EXIT_UNKNOWN)
        return lost(l, c);
    if (code != EXIT_OK)
        return code;
    if (put_key_check_answer(&c->command, wr_view_of(&l->last_answer)) != OK)
        return local_fail(
            l, EXIT_UNKNOWN,
            "the card's answer names other keys than those that were sent: keep the old ones, and look "
            "with --kvn %02X which it has",
            c->kvn);
    code = prove(l, c);
    if (code == EXIT_OK) {
        json_object_set_new(l->result, "kvn", json_sprintf("%02X", c->kvn));
        local_note(l,
                   c->count == SET_KEYS && c->symmetric
                       ? "The card has the new keys of version %02X: a channel with them shows it."
                       : "The card has the new key of version %02X.",
                   c->kvn);
    }
    return code;
}

int local_put_set(struct local *l, const struct card_keys *set, uint8_t kvn)
{
    struct change_keys c = {.kvn = kvn,
                            .kid = KIND_SET,
                            .type = set->type == KEY_AES ? KEY_TYPE_AES : KEY_TYPE_DES,
                            .kdf = KDF_NONE,
                            .given = *set,
                            .symmetric = true};
    int code = check_strength(l, &c);
    if (code == EXIT_OK)
        code = make(l, &c);
    if (code == EXIT_OK)
        code = change(l, &c);
    finish(&c);
    return code;
}

static int put_key(const struct cli *cli)
{
    struct local l;
    struct change_keys c = {.kvn = 0};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = read_request(&l, &c);
    if (code == EXIT_OK)
        code = local_ready(&l);
    if (code == EXIT_OK && c.type == 0)
        c.type = l.keys.has_card && l.keys.card.type != KEY_AES ? KEY_TYPE_DES : KEY_TYPE_AES;
    if (code == EXIT_OK && l.channel != NULL)
        code = check_template(&l, &c);
    if (code == EXIT_OK)
        code = check_strength(&l, &c);
    if (code == EXIT_OK)
        code = make(&l, &c);
    if (code == EXIT_OK)
        code = change(&l, &c);
    finish(&c);
    return local_end(&l, code);
}

const struct verb verb_local_put_key = {
    "local put-key", "NEW-VERSION", "add or replace keys", put_key_options, 1, 1, put_key};
