/* SPDX-License-Identifier: Apache-2.0
 *
 * From the table of methods to cards, keys and card types for tests: a row that is added to the table is
 * tested without a line here, as long as its keys are of a kind that is there already. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/text.h>

enum { KVN_SYMMETRIC = 0x30, KVN_SCP11 = 0x03, KVN_SIGNED = 0x40, KID_SIGNED = 0x03 };
enum { PEM_MAX = 16 * 1024 };

/* ---- Choices ----------------------------------------------------------------------------------------- */

static const uint16_t key_bits[] = {64, 128, 192, 256};
static const enum pk_curve curves[] = {CURVE_P256, CURVE_P384, CURVE_P521, CURVE_BRAINPOOL_P256R1};

/* 64: single DES. 192 of Triple-DES, three different keys, are on no card. */
static bool is_a_size(const struct channel_method *m, unsigned bits)
{
    return m->key_type == KEY_AES ? bits >= 128 : bits <= 128;
}

/* How many sizes of keys a method has, and the n-th. */
static size_t sizes(const struct channel_method *m, size_t n, struct bench_choice *out)
{
    size_t count = 0;
    if (m->scp == SCP_SIGNED)
        return 1; /* i says it */
    if (m->scp == SCP11) {
        if (n < sizeof(curves) / sizeof(curves[0]))
            out->curve = curves[n];
        return sizeof(curves) / sizeof(curves[0]);
    }
    for (size_t k = 0; k < sizeof(key_bits) / sizeof(key_bits[0]); k++) {
        enum key_type type = key_bits[k] == 64 ? KEY_DES : m->key_type;
        if (!is_a_size(m, key_bits[k]) || !channel_keys_fit(m, type, key_bits[k] / 8U))
            continue;
        if (count++ == n)
            out->key_bits = key_bits[k];
    }
    return count;
}

static size_t levels(const struct channel_method *m)
{
    size_t count = 0;
    while (count < sizeof(m->levels) && m->levels[count] != 0)
        count++;
    return count;
}

bool bench_choice(size_t n, bool every_size, struct bench_choice *out)
{
    size_t rows;
    const struct channel_method *m = channel_methods(&rows);
    for (; rows > 0; m++, rows--) {
        struct bench_choice c = {.method = m};
        size_t size_count = every_size ? sizes(m, SIZE_MAX, &c) : 1, here = levels(m) * size_count;
        if (n >= here) {
            n -= here;
            continue;
        }
        (void)sizes(m, n % size_count, &c);
        c.level = m->levels[n / size_count];
        (void)snprintf(c.name, sizeof(c.name), "%s i=%02X level %02X, %u bits, %s", m->name, m->i, c.level,
                       c.key_bits, m->scp == SCP11 ? pk_curve_name(c.curve) : "no curve");
        *out = c;
        return true;
    }
    return false;
}

/* ---- Cards and types --------------------------------------------------------------------------------- */

static void read_file(const char *folder, const char *name, struct writer *out)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s can't be read", path);
    uint8_t chunk[1024];
    size_t n;
    while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        wr_bytes(out, chunk, n);
    if (f != NULL)
        (void)fclose(f);
}

static const char *scp11_letter(const struct channel_method *m)
{
    return m->name + strlen("SCP11");
}

static bool host_has_key(const struct channel_method *m)
{
    return m->scp == SCP_SIGNED || *scp11_letter(m) != 'b';
}

/* MACs of SCP11 in mode S16: the row's length says it. */
static bool is_s16(const struct channel_method *m)
{
    return m->scp == SCP11 && m->tag_len == 16;
}

struct bench_setup bench_for(const struct bench_choice *c, const char *base, struct bench_text *text)
{
    const struct channel_method *m = c->method;
    bool pairs = key_type_is_pair(m->key_type);
    uint8_t kvn = !pairs ? KVN_SYMMETRIC : m->scp == SCP11 ? KVN_SCP11 : KVN_SIGNED;
    *text = (struct bench_text){.fields = ""};
    (void)snprintf(text->scp, sizeof(text->scp), "%02X", m->scp);
    (void)snprintf(text->i, sizeof(text->i), "%02X", m->i);
    (void)snprintf(text->kvn, sizeof(text->kvn), "%02X", kvn);
    (void)snprintf(text->level, sizeof(text->level), "%02X", c->level);
    struct bench_setup setup = {
        .card = {.kind = "modern", .i = -1, .serial = 0x33, .key = 0x50, .kvn = KVN_SYMMETRIC},
        .scp = text->scp,
        .i = text->i,
        .kvn = text->kvn,
        .level = text->level,
        .server_key = 0x50};
    if (!pairs) {
        setup.card.scp = m->scp;
        setup.card.i = m->i;
        setup.card.key_bits = c->key_bits;
        if (c->key_bits == 64)
            setup.more = ",\"single_des\":true";
        return setup;
    }
    (void)snprintf(text->folder, sizeof(text->folder), "%s/host", base);
    setup.card.host = text->folder;
    setup.card.key = 0x61; /* the key set beside the pairs is not the server's */
    if (m->scp == SCP11) {
        (void)snprintf(text->variant, sizeof(text->variant), "%s", scp11_letter(m));
        setup.card.scp11 = text->variant;
        setup.card.curve = c->curve;
        setup.card.s16 = is_s16(m);
    } else {
        setup.card.signed_i = m->i;
    }
    setup.key_fields = text->fields;
    return setup;
}

/* ---- What the server knows --------------------------------------------------------------------------- */

static const struct channel_method *method_of(const struct bench_setup *setup)
{
    return channel_method((uint8_t)strtoul(setup->scp, NULL, 16), (uint8_t)strtoul(setup->i, NULL, 16));
}

static const enum key_type types_of[] = {[PK_RSA] = KEY_RSA, [PK_DSA] = KEY_DSA, [PK_EC] = KEY_EC};

void bench_import_pair(struct bench *b, const char *name, enum key_use use, const char *card, struct pk *k)
{
    struct key_row row = {.attributes = {.version = 1,
                                         .use = use,
                                         .type = types_of[pk_algorithm(k)],
                                         .key_len = (uint16_t)((pk_bits(k) + 7) / 8)}};
    struct writer bytes;
    (void)snprintf(row.attributes.name, sizeof(row.attributes.name), "%s", name);
    (void)snprintf(row.attributes.card, sizeof(row.attributes.card), "%s", card);
    wr_heap(&bytes, KEY_BYTES_MAX);
    assert_int_equal(use == KEY_USE_HOST ? pk_put_pkcs8(k, &bytes) : pk_put_spki(k, &bytes), OK);
    bench_import_key(b, &row, wr_view_of(&bytes));
    wr_free(&bytes);
}

/* Files go by their curve, P-256 without saying so (ferry-card(1)). */
static void curve_file(const struct bench_setup *setup, const char *what, const char *end, char out[64])
{
    bool p256 = setup->card.curve == CURVE_P256;
    (void)snprintf(out, 64, "%s%s%s%s", what, p256 ? "" : "-", p256 ? "" : pk_curve_name(setup->card.curve),
                   end);
}

static void import_file(struct bench *b, const char *name, enum key_use use, const char *folder,
                        const char *file)
{
    struct writer pem;
    struct pk *k = NULL;
    wr_heap(&pem, PEM_MAX);
    read_file(folder, file, &pem);
    assert_int_equal(pk_from_pem(wr_view_of(&pem), &k), OK);
    bench_import_pair(b, name, use, "", k);
    pk_free(&k);
    wr_free(&pem);
}

/* Names of the host's keys differ by method, as one server has them all. */
static void key_name(const struct bench_setup *setup, const char *what, char out[NAME_MAX_BYTES + 1])
{
    (void)snprintf(out, NAME_MAX_BYTES + 1, "%s-%s-%s-%s", what, setup->scp, setup->i,
                   pk_curve_name(setup->card.curve));
}

static void put_certificate(const struct bench_setup *setup, const char *name, char *out, size_t room)
{
    char *hex = malloc(2 * PEM_MAX + 1), file[64];
    struct writer certificate;
    assert_non_null(hex);
    wr_heap(&certificate, PEM_MAX);
    curve_file(setup, "oce", ".cert", file);
    read_file(setup->card.host, file, &certificate);
    hex_write(hex, wr_view_of(&certificate));
    int len =
        snprintf(out, room, ",\"key\":\"%s\",\"certificates\":[\"%s\"],\"ca_kvn\":\"03\",\"ca_kid\":\"10\"",
                 name, hex);
    assert_true(len > 0 && (size_t)len < room);
    wr_free(&certificate);
    free(hex);
}

void bench_add_host_pairs(struct bench *b, const struct bench_setup *setup)
{
    const struct channel_method *m = method_of(setup);
    char file[64], host[NAME_MAX_BYTES + 1], trust[NAME_MAX_BYTES + 1], *fields = setup->key_fields;
    size_t room = sizeof(((struct bench_text *)NULL)->fields);
    key_name(setup, "host", host);
    key_name(setup, "cards", trust);
    if (m->scp == SCP_SIGNED) {
        (void)snprintf(file, sizeof(file), "server-%02X.key", m->i);
        import_file(b, host, KEY_USE_HOST, setup->card.host, file);
        (void)snprintf(fields, room, ",\"key\":\"%s\"", host);
        return;
    }
    curve_file(setup, "card-ca", ".pub", file);
    import_file(b, trust, KEY_USE_TRUST, setup->card.host, file);
    *fields = '\0';
    if (host_has_key(m)) {
        curve_file(setup, "oce", ".key", file);
        import_file(b, host, KEY_USE_HOST, setup->card.host, file);
        put_certificate(setup, host, fields, room);
    }
    (void)snprintf(fields + strlen(fields), room - strlen(fields), ",\"trust\":\"%s\"", trust);
}

void bench_add_peer(struct bench *b, const struct bench_setup *setup, const char *card)
{
    const struct channel_method *m = method_of(setup);
    struct writer spki;
    struct pk *k = NULL;
    if (m->scp != SCP_SIGNED)
        return;
    wr_heap(&spki, PK_PUBLIC_MAX);
    assert_int_equal(vcard_public_key(b->card, KVN_SIGNED, KID_SIGNED, &spki), OK);
    assert_int_equal(pk_from_spki(wr_view_of(&spki), &k), OK);
    bench_import_pair(b, "peer", KEY_USE_PEER, card, k);
    pk_free(&k);
    wr_free(&spki);
}

void bench_read_number(struct bench *b, char out[CARD_NUMBER_TEXT_MAX + 1])
{
    struct apdu commands[IDENTITY_COMMANDS];
    struct rapdu answers[IDENTITY_COMMANDS];
    struct writer capdu, rapdus[IDENTITY_COMMANDS];
    struct identity id;
    identity_commands(commands, VIEW_NULL);
    wr_heap(&capdu, CAPDU_MAX);
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++) {
        wr_clear(&capdu);
        wr_heap(&rapdus[n], RAPDU_MAX);
        apdu_put(&capdu, &commands[n]);
        vcard_send(b->card, wr_view_of(&capdu), &rapdus[n]);
        assert_int_equal(rapdu_parse(wr_view_of(&rapdus[n]), &answers[n]), OK);
    }
    assert_int_equal(identity_parse(&id, VIEW_NULL, answers, IDENTITY_COMMANDS), OK);
    assert_int_equal(identity_card_number(&id, out), OK);
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++)
        wr_free(&rapdus[n]);
    wr_free(&capdu);
    vcard_reset(b->card);
}

void bench_base_make(char base[200])
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(base, 200, "%s/cardferry-pairs-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(base));
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s, (void)type, (void)at;
    return remove(path);
}

void bench_base_remove(const char *base)
{
    (void)nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
