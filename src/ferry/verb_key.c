/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry key ...: keys at the server. A key is read from a file, a prompt or standard input, encrypted to the
 * keeper on this machine, and travels through everything else as ciphertext. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <vault/vault.h>

#include "admin.h"
#include "keysource.h"
#include "verbs.h"

enum { KEY_TEXT_MAX = 16 * 1024, KEYS_MAX = 3, VERSION_MAX = 1000000, WRAPPED_MAX = KEY_BYTES_MAX + 512 };

static const struct option_spec add_options[] = {
    {"type", "TYPE",
     "aes128, aes192, aes256, des3, des; rsa2048, rsa3072, dsa2048, ec256, ec384, ec512, ec521"},
    {"use", "USE", "master (default), card or derive; of key pairs host, trust or peer"},
    {"card", "NUMBER", "the card's number, for --use card and --use peer"},
    {"key-version", "N", "version of this name (default 1)"},
    {"file", "FILE",
     "hexadecimal: one key, or ENC, MAC and DEK on three lines; PEM of a key pair (- for standard input; "
     "default: ask)"},
    {NULL, NULL, NULL},
};

static const struct {
    const char *name;
    enum key_type type;
    uint16_t len;
} types[] = {{"aes128", KEY_AES, 16},   {"aes192", KEY_AES, 24},   {"aes256", KEY_AES, 32},
             {"des3", KEY_DES3, 16},    {"des", KEY_DES, 8},       {"rsa2048", KEY_RSA, 256},
             {"rsa3072", KEY_RSA, 384}, {"dsa2048", KEY_DSA, 256}, {"ec256", KEY_EC, 32},
             {"ec384", KEY_EC, 48},     {"ec512", KEY_EC, 64},     {"ec521", KEY_EC, 66}};

static bool attributes_of(const struct cli *cli, struct key_attributes *a)
{
    const char *type = cli_option(cli, "type"), *use = cli_option(cli, "use"),
               *card = cli_option(cli, "card");
    long version;
    *a = (struct key_attributes){.use = KEY_USE_MASTER};
    if (!cli_number(cli, "key-version", 1, VERSION_MAX, 1, &version))
        return false;
    a->version = (uint32_t)version;
    snprintf(a->name, sizeof(a->name), "%s", cli->args[0]);
    snprintf(a->card, sizeof(a->card), "%s", card != NULL ? card : "");
    for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, type) == 0) {
            a->type = types[i].type;
            a->key_len = types[i].len;
        }
    if (a->key_len == 0) {
        cli_error("--type must be aes128, aes192, aes256, des3 or des, or of a key pair rsa2048, rsa3072, "
                  "dsa2048, ec256, "
                  "ec384, ec512 or ec521");
        return false;
    }
    if (use != NULL && key_use_by_name(use, &a->use) != OK) {
        cli_error("--use must be master, card or derive, or of a key pair host, trust or peer");
        return false;
    }
    if (strlen(cli->args[0]) > NAME_MAX_BYTES || key_attributes_check(a) != OK) {
        cli_error(
            "name, type, use and card do not go together: key pairs are for --use host, trust or peer, other "
            "keys are not; --use card and --use peer need --card NUMBER, the others must not have it");
        return false;
    }
    return true;
}

static bool ask_at_terminal(struct writer *out)
{
    if (terminal_ask("Key, hexadecimal", out))
        return true;
    cli_error("there is no terminal to ask for the key at: use --file FILE, or --file - for standard input");
    return false;
}

/* One or three keys of hexadecimal digits with white space between them. */
static bool parse_keys(struct view text, const struct key_attributes *a, struct writer *keys)
{
    uint8_t memory[KEYS_MAX * 32];
    struct writer bytes;
    wr_fixed(&bytes, memory, sizeof(memory));
    bool good = true;
    while (good && text.len > 0) {
        struct view word = text;
        for (word.len = 0; word.len < text.len && strchr(" \t\r\n", text.data[word.len]) == NULL;)
            word.len++;
        good = word.len == 0 || (word.len == 2u * a->key_len && hex_read(word, &bytes) == OK);
        text = view_tail(text, word.len + 1);
    }
    bool count = bytes.len == a->key_len || (bytes.len == 3u * a->key_len && a->use != KEY_USE_DERIVE);
    good = good && count;
    if (good)
        wr_view(keys, wr_view_of(&bytes));
    wr_clear(&bytes);
    if (!good)
        cli_error("expected %s of %u hexadecimal digits each",
                  a->use == KEY_USE_DERIVE ? "one key" : "one or three keys", 2u * a->key_len);
    return good;
}

static const char *type_name(enum key_type type, size_t len)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].type == type && types[i].len == len)
            return types[i].name;
    return "of a kind that is not known here";
}

/* What was read is what --type says. */
static bool is_of_type(const struct pk *k, const struct key_attributes *a)
{
    static const enum key_type by_algorithm[] = {[PK_RSA] = KEY_RSA, [PK_DSA] = KEY_DSA, [PK_EC] = KEY_EC};
    enum key_type type = by_algorithm[pk_algorithm(k)];
    size_t len = (pk_bits(k) + 7) / 8;
    if (type == a->type && len == a->key_len)
        return true;
    cli_error("the key in the file is %s, not %s", type_name(type, len), type_name(a->type, a->key_len));
    return false;
}

/* A key pair: --use host takes a private key, the others a public one, which may come in a certificate. */
static bool parse_pair(struct view pem, const struct key_attributes *a, struct writer *key)
{
    bool is_host = a->use == KEY_USE_HOST;
    struct pk *k = NULL;
    enum err e = pk_from_pem(pem, &k);
    if (e == OK && !is_of_type(k, a)) {
        pk_free(&k);
        return false;
    }
    if (e == OK)
        e = is_host ? pk_put_pkcs8(k, key) : pk_put_spki(k, key);
    pk_free(&k);
    if (e == OK)
        return true;
    cli_error("expected the PEM of %s",
              is_host ? "a private key without a passphrase (PKCS#8)" : "a public key or of a certificate");
    return false;
}

static bool read_keys(const struct cli *cli, const struct key_attributes *a, struct writer *keys)
{
    const char *file = cli_option(cli, "file");
    struct writer text;
    wr_heap(&text, KEY_TEXT_MAX);
    bool good;
    if (file == NULL && key_type_is_pair(a->type)) {
        cli_error("a key pair comes from --file FILE, or --file - for standard input");
        return false;
    }
    if (file == NULL) {
        good = ask_at_terminal(&text);
    } else {
        enum err e = read_file(file, KEY_TEXT_MAX, &text);
        good = e == OK;
        if (!good)
            cli_error("%s can't be read: %s", file, err_text(e));
    }
    if (good)
        good = key_type_is_pair(a->type) ? parse_pair(wr_view_of(&text), a, keys)
                                         : parse_keys(wr_view_of(&text), a, keys);
    wr_free(&text);
    return good;
}

static json_t *body_of(const struct key_attributes *a, const char *type, struct view wrapped)
{
    struct writer text;
    wr_heap(&text, 2 * WRAPPED_MAX);
    base64url_put(&text, wrapped);
    json_t *body =
        json_pack("{s:s, s:i, s:s, s:s, s:s%}", "name", a->name, "version", (int)a->version, "use",
                  key_use_name(a->use), "type", type, "wrapped", (const char *)text.data, text.len);
    if (a->card[0] != '\0')
        json_object_set_new(body, "card", json_string(a->card));
    wr_free(&text);
    return body;
}

static int send_key(struct admin *a, const struct key_attributes *attributes, struct view keys)
{
    struct crypto *crypto = NULL;
    struct writer wrapped;
    json_t *answer = NULL;
    int code = EXIT_OTHER;
    wr_heap(&wrapped, WRAPPED_MAX);
    enum err e = crypto_new(&crypto);
    if (e == OK)
        e = vault_wrap_for_import(crypto, crypto_random(), a->profile.import_key, attributes, keys, &wrapped);
    if (e == OK)
        code = admin_ask(a, "POST", "/keys",
                         body_of(attributes, cli_option(a->cli, "type"), wr_view_of(&wrapped)), &answer);
    else
        cli_error("the key can't be encrypted: %s", err_text(e));
    if (code == EXIT_OK)
        admin_print(a, answer);
    json_decref(answer);
    wr_free(&wrapped);
    crypto_free(&crypto);
    return code;
}

static int add(const struct cli *cli)
{
    struct key_attributes attributes;
    struct writer keys;
    struct admin a;
    int code = EXIT_USAGE;
    if (!attributes_of(cli, &attributes))
        return EXIT_USAGE;
    wr_heap(&keys, KEY_BYTES_MAX);
    bool open = admin_open(&a, cli);
    if (open && !a.profile.has_import_key)
        cli_error("the profile has no import_key: the key can't be encrypted to the keeper");
    else if (open && read_keys(cli, &attributes, &keys))
        code = send_key(&a, &attributes, wr_view_of(&keys));
    wr_free(&keys);
    admin_close(&a);
    return code;
}

static int list(const struct cli *cli)
{
    static const struct column columns[] = {
        {"name", "NAME", 24}, {"version", "VERSION", 7}, {"use", "USE", 7}, {"type", "TYPE", 7},
        {"card", "CARD", 24}, {"retired", "RETIRED", 7}, {NULL, NULL, 0}};
    return admin_simple_list(cli, "/keys", columns);
}

static int retire(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/keys";
    admin_path_add(path, cli->args[0]);
    admin_path_add(path, cli->args[1]);
    admin_path_add(path, "retire");
    return admin_simple(cli, "POST", path, NULL);
}

const struct verb verb_key_add = {"key add", "NAME", "store a key, encrypted to the keeper", add_options, 1,
                                  1,         add};
const struct verb verb_key_list = {
    "key list", "", "list keys: names, versions, check values", admin_list_options, 0, 0, list};
const struct verb verb_key_retire = {
    "key retire", "NAME VERSION", "use a key no more for new cards", NULL, 2, 2, retire};
