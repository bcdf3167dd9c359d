/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local store-data: a file of data groupings or of TLV objects to a security domain or an application,
 * in as many blocks as it takes; values that are secret are encrypted under the data encryption key. */
#include <string.h>

#include <base/text.h>
#include <gp/store_data.h>
#include <session/outcome.h>

#include "local_data.h"
#include "local_plan.h"
#include "verbs.h"

static const struct option_spec store_options[] = {
    LOCAL_CHANGE_OPTIONS,
    {"to", "AID", "the application (default: the security domain of the channel)"},
    {"format", "FORMAT", "dgi, tlv or none (default: what the file is, dgi before tlv)"},
    {"secret", "DGI", "encrypt the value of this data grouping, such as 8113; may be repeated"},
    {NULL, NULL, NULL}};

enum { SECRETS_MAX = 32, DATA_MAX = 64 * 1024, FORMAT_UNSET = 0xFF };

struct store {
    struct writer file, data; /* as read; with what is secret encrypted */
    struct aid to;
    uint8_t flags;
    uint16_t secrets[SECRETS_MAX];
    size_t secret_count, found;
    struct crypto *crypto;
    struct card_keys blank;
};

static int read_format(struct local *l, struct store *s)
{
    static const struct {
        const char *name;
        uint8_t flags;
    } rows[] = {{"dgi", STORE_DGI}, {"tlv", STORE_TLV}, {"none", 0}};
    const char *text = cli_option(&l->cli, "format");
    struct view file = wr_view_of(&s->file);
    if (text == NULL) {
        s->flags = dgi_valid(file) ? STORE_DGI : STORE_TLV;
        return EXIT_OK;
    }
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        if (strcmp(rows[n].name, text) == 0) {
            s->flags = rows[n].flags;
            return EXIT_OK;
        }
    return local_fail(l, EXIT_USAGE, "--format must be dgi, tlv or none");
}

static int read_secrets(struct local *l, struct store *s)
{
    const char *text;
    for (int n = 0; (text = cli_option_nth(&l->cli, "secret", n)) != NULL; n++) {
        uint8_t id[2];
        size_t len = 0;
        if (hex_read_str(text, id, sizeof(id), &len) != OK || len != sizeof(id) ||
            s->secret_count == SECRETS_MAX)
            return local_fail(l, EXIT_USAGE,
                              "--secret wants the identifier of a data grouping: 2 bytes, at most %d "
                              "times",
                              SECRETS_MAX);
        s->secrets[s->secret_count++] = (uint16_t)(id[0] << 8 | id[1]);
    }
    if (s->secret_count > 0 && s->flags != STORE_DGI)
        return local_fail(l, EXIT_USAGE, "--secret names a data grouping, and the file has none");
    return EXIT_OK;
}

static int read_request(struct local *l, struct store *s)
{
    struct store_cut trial;
    wr_heap(&s->file, DATA_MAX);
    if (!option_aid(&l->cli, "to", &s->to))
        return EXIT_USAGE;
    int code = local_read_data(l, l->cli.args[0], &s->file);
    if (code == EXIT_OK)
        code = read_format(l, s);
    if (code == EXIT_OK)
        code = read_secrets(l, s);
    if (code == EXIT_OK && store_cut_init(&trial, wr_view_of(&s->file), s->flags, STORE_BLOCK_MIN) != OK)
        code = local_fail(l, EXIT_USAGE, "%s is not a row of %s", l->cli.args[0],
                          s->flags == STORE_DGI ? "data groupings" : "TLV objects");
    return code;
}

static bool is_secret(const struct store *s, uint16_t id)
{
    for (size_t n = 0; n < s->secret_count; n++)
        if (s->secrets[n] == id)
            return true;
    return false;
}

/* Table 11-89: all values are encrypted, or which of them the application knows. */
static enum err protect(struct store *s, const struct key_encryption *dek)
{
    struct reader r;
    struct dgi d;
    size_t plain = 0;
    enum err e = OK;
    rd_init(&r, wr_view_of(&s->file));
    while (e == OK && dgi_next(&r, &d)) {
        if (is_secret(s, d.id)) {
            e = dgi_put_encrypted(&s->data, s->crypto, d.id, d.value, false, dek);
            s->found++;
        } else {
            dgi_put(&s->data, d.id, d.value);
            plain++;
        }
    }
    if (s->found > 0)
        s->flags |= plain == 0 ? STORE_ENCRYPTED : STORE_MAY_BE_ENCRYPTED;
    return e == OK ? wr_status(&s->data) : e;
}

static int encrypt(struct local *l, struct store *s)
{
    enum err e = OK;
    wr_heap(&s->data, 2 * DATA_MAX);
    s->crypto = l->crypto;
    s->blank = (struct card_keys){.type = KEY_AES, .dek = {.len = 16}};
    const struct key_encryption dek =
        l->channel != NULL ? channel_key_encryption(l->channel) : secret_key_encryption(&s->blank);
    if (s->secret_count == 0)
        wr_view(&s->data, wr_view_of(&s->file));
    else
        e = protect(s, &dek);
    if (e == OK)
        e = wr_status(&s->data);
    if (e != OK)
        return local_fail(l, EXIT_USAGE, "the data can't be encrypted: %s", err_text(e));
    if (s->found == 0 && s->secret_count > 0)
        return local_fail(l, EXIT_USAGE, "none of the data groupings that --secret names is in the file");
    return EXIT_OK;
}

static enum err put_store(struct builder *b, void *arg)
{
    struct store *s = arg;
    struct apdu a;
    enum err e = OK;
    wr_clear(&b->scratch);
    if (s->to.len > 0) {
        e = command_install_for_personalization(&a, &b->scratch, aid_view(&s->to));
        if (e == OK)
            e = build_put(b, &a, (struct position){0, 0});
    }
    return e == OK ? local_put_blocks(b, wr_view_of(&s->data), s->flags) : e;
}

static int store_data(const struct cli *cli)
{
    struct local l;
    struct store s = {.flags = 0};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = read_request(&l, &s);
    if (code == EXIT_OK)
        code = local_ready(&l);
    if (code == EXIT_OK)
        code = encrypt(&l, &s);
    if (code == EXIT_OK)
        code = local_run(&l, put_store, &s);
    wr_free(&s.file);
    wr_free(&s.data);
    return local_end(&l, code);
}

const struct verb verb_local_store_data = {
    "local store-data", "FILE", "personalize with data groupings or TLV objects", store_options, 1, 1,
    store_data};
