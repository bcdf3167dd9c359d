/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry-card create: from options to a memory file. Keys come from files or standard input, never from
 * arguments, which other users of the machine can see. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <crypto/crypto.h>
#include <gp/keys.h>

#include "channel.h"
#include "keyed.h"
#include "keyfile.h"
#include "nvm.h"
#include "personalise.h"
#include "quirks.h"
#include "verbs.h"

/* Keys that everybody knows: only when somebody says so. */
static const uint8_t test_key[] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A,
                                   0x4B, 0x4C, 0x4D, 0x4E, 0x4F, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55,
                                   0x56, 0x57, 0x58, 0x59, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F};

struct create {
    struct personal personal;
    struct keyed keyed;
    const char *keys, *new_keys, *master;
    enum kdf kdf;
    bool test_keys, i_given, kdf_given, new_keys_made;
    struct secret key[3];
};

typedef bool option_reader(struct create *c, const char *value);

static bool number(const char *text, int base, unsigned long max, unsigned long *out)
{
    char *end = NULL;
    if (text[0] == '\0' || text[strspn(text, "0123456789abcdefABCDEF")] != '\0')
        return false;
    *out = strtoul(text, &end, base);
    return *end == '\0' && *out <= max;
}

static bool read_profile(struct create *c, const char *value)
{
    const struct card_kind *k = card_kind_by_name(value);
    if (k != NULL)
        c->personal.kind = *k;
    return k != NULL;
}

static bool read_scp(struct create *c, const char *value)
{
    unsigned long n;
    static const uint8_t usual_i[] = {0, 0x15, 0x55, 0x70};
    if (!number(value, 16, 3, &n) || n == 0)
        return false;
    c->personal.kind.scp = (uint8_t)n;
    if (!c->i_given)
        c->personal.kind.i = usual_i[n];
    return true;
}

static bool read_i(struct create *c, const char *value)
{
    unsigned long n;
    if (!number(value, 16, 0x7F, &n))
        return false;
    c->personal.kind.i = (uint8_t)n;
    c->i_given = true;
    return true;
}

static bool read_bits(struct create *c, const char *value)
{
    unsigned long n;
    if (!number(value, 10, 256, &n))
        return false;
    c->personal.kind.key_bits = (uint16_t)n;
    return true;
}

static bool read_kvn(struct create *c, const char *value)
{
    unsigned long n;
    if (!number(value, 16, 0xFF, &n))
        return false;
    c->personal.kind.kvn = (uint8_t)n;
    return true;
}

static bool read_memory(struct create *c, const char *value)
{
    unsigned long n;
    if (!number(value, 10, 16UL * 1024 * 1024, &n))
        return false;
    c->personal.kind.memory = (uint32_t)n;
    return true;
}

static bool read_failures(struct create *c, const char *value)
{
    unsigned long n;
    if (!number(value, 10, UINT16_MAX, &n))
        return false;
    c->personal.kind.max_failures = (uint16_t)n;
    return true;
}

static bool read_java_card(struct create *c, const char *value)
{
    c->personal.kind.java_card = value;
    return true;
}

static bool read_count_openings(struct create *c, const char *value)
{
    (void)value;
    c->personal.kind.flags |= CARD_COUNTS_OPENINGS;
    return true;
}

static bool read_short_only(struct create *c, const char *value)
{
    (void)value;
    c->personal.kind.flags |= CARD_SHORT_ONLY;
    return true;
}

static bool read_quirk(struct create *c, const char *value)
{
    enum card_quirk quirk;
    bool known = card_quirk_by_name(value, &quirk);
    if (known)
        c->personal.kind.quirks |= (uint32_t)quirk;
    return known;
}

static bool read_hex(const char *value, uint8_t *out, size_t max, size_t *len)
{
    return hex_read_str(value, out, max, len) == OK && *len != 0;
}

static bool read_isd(struct create *c, const char *value)
{
    return read_hex(value, c->personal.isd, sizeof c->personal.isd, &c->personal.isd_len);
}

static bool read_cplc(struct create *c, const char *value)
{
    return read_hex(value, c->personal.cplc, sizeof c->personal.cplc, &c->personal.cplc_len);
}

static bool read_serial(struct create *c, const char *value)
{
    return read_hex(value, c->personal.serial, sizeof c->personal.serial, &c->personal.serial_len);
}

static bool read_kdd(struct create *c, const char *value)
{
    return read_hex(value, c->personal.kdd, sizeof c->personal.kdd, &c->personal.kdd_len);
}

static bool read_iin(struct create *c, const char *value)
{
    return read_hex(value, c->personal.iin, sizeof c->personal.iin, &c->personal.iin_len);
}

static bool read_cin(struct create *c, const char *value)
{
    return read_hex(value, c->personal.cin, sizeof c->personal.cin, &c->personal.cin_len);
}

static bool read_historical(struct create *c, const char *value)
{
    return read_hex(value, c->personal.historical, sizeof c->personal.historical,
                    &c->personal.historical_len);
}

static bool read_keys_file(struct create *c, const char *value)
{
    c->keys = value;
    return true;
}

static bool read_new_keys(struct create *c, const char *value)
{
    c->new_keys = value;
    return true;
}

static bool read_master(struct create *c, const char *value)
{
    c->master = value;
    return true;
}

static bool read_kdf(struct create *c, const char *value)
{
    c->kdf_given = true;
    return kdf_by_name(value, &c->kdf) == OK && c->kdf != KDF_IMPORTED;
}

static bool read_test_keys(struct create *c, const char *value)
{
    (void)value;
    c->test_keys = true;
    return true;
}

static const struct option_row {
    const char *name;
    bool has_value;
    option_reader *read;
} option_rows[] = {{"profile", true, read_profile},
                   {"scp", true, read_scp},
                   {"i", true, read_i},
                   {"key-bits", true, read_bits},
                   {"kvn", true, read_kvn},
                   {"java-card", true, read_java_card},
                   {"memory", true, read_memory},
                   {"max-failures", true, read_failures},
                   {"count-openings", false, read_count_openings},
                   {"short-only", false, read_short_only},
                   {"quirk", true, read_quirk},
                   {"isd-aid", true, read_isd},
                   {"cplc", true, read_cplc},
                   {"serial", true, read_serial},
                   {"kdd", true, read_kdd},
                   {"iin", true, read_iin},
                   {"cin", true, read_cin},
                   {"historical", true, read_historical},
                   {"keys", true, read_keys_file},
                   {"new-keys", true, read_new_keys},
                   {"master", true, read_master},
                   {"kdf", true, read_kdf},
                   {"test-keys", false, read_test_keys}};
enum { OPTION_COUNT = sizeof option_rows / sizeof option_rows[0], OPTIONS_MAX = 64 };

static bool read_option(struct create *c, int n, const char *value)
{
    size_t count;
    return n < OPTION_COUNT ? option_rows[n].read(c, value)
                            : keyed_options(&count)[n - OPTION_COUNT].read(&c->keyed, value);
}

/* The options of this file, then those of keyed.c; the last row ends the table. */
static int list_options(struct option longs[OPTIONS_MAX])
{
    size_t count;
    const struct keyed_option *keyed = keyed_options(&count);
    int total = OPTION_COUNT + (int)count;
    for (int n = 0; n < total && n < OPTIONS_MAX - 1; n++) {
        const struct option_row *row = &option_rows[n < OPTION_COUNT ? n : 0];
        bool mine = n < OPTION_COUNT;
        longs[n].name = mine ? row->name : keyed[n - OPTION_COUNT].name;
        longs[n].has_arg =
            (mine ? row->has_value : keyed[n - OPTION_COUNT].has_value) ? required_argument : no_argument;
        longs[n].val = n + 1;
    }
    return total;
}

/* --profile first, wherever it stands: the other options change it. */
static int read_options(int argc, char **argv, struct create *c, bool profiles)
{
    struct option longs[OPTIONS_MAX] = {0};
    int total = list_options(longs);
    optind = 1;
    for (;;) {
        int n = getopt_long(argc, argv, "", longs, NULL);
        if (n == -1)
            return EXIT_DONE;
        if (n < 1 || n > total)
            return EXIT_USAGE;
        bool is_profile = n <= OPTION_COUNT && option_rows[n - 1].read == read_profile;
        if (is_profile == profiles && !read_option(c, n - 1, optarg))
            return verb_usage(longs[n - 1].name, "this value is not possible");
    }
}

static enum err test_keys(size_t len, struct secret keys[3])
{
    enum err e = OK;
    for (int n = 0; e == OK && n < 3; n++)
        e = secret_set(&keys[n], view_head(VIEW_OF(test_key), len));
    return e;
}

/* The card's own keys from the issuer's master keys and the card's key diversification data. */
static enum err derive_keys(struct create *c)
{
    struct card_keys master = {.type = c->personal.kind.scp == 3 ? KEY_AES : KEY_DES3}, own = {0};
    struct crypto *crypto = NULL;
    enum err e = crypto_new(&crypto);
    master.enc = c->key[0];
    master.mac = c->key[1];
    master.dek = c->key[2];
    if (e == OK)
        e = kdf_derive(crypto, c->kdf, &master, VIEW_OF(c->personal.kdd), &own);
    if (e == OK) {
        c->key[0] = own.enc;
        c->key[1] = own.mac;
        c->key[2] = own.dek;
    }
    card_keys_wipe(&master);
    card_keys_wipe(&own);
    crypto_free(&crypto);
    return e;
}

static enum err get_keys(struct create *c, size_t len)
{
    if (c->test_keys)
        return test_keys(len, c->key);
    if (c->new_keys != NULL) {
        unsigned count = card_channel_key_count(c->personal.kind.scp, c->personal.kind.i);
        enum err made = keyfile_make(c->new_keys, len, count, crypto_random(), c->key);
        c->new_keys_made = made == OK;
        return made;
    }
    enum err e = keyfile_read(c->keys != NULL ? c->keys : c->master, c->key);
    return e == OK && c->master != NULL ? derive_keys(c) : e;
}

static int read_keys(struct create *c)
{
    int sources = (c->keys != NULL) + (c->new_keys != NULL) + (c->master != NULL) + c->test_keys;
    size_t len = c->personal.kind.key_bits / 8u;
    if (sources != 1)
        return verb_usage("keys", "give one of --keys FILE, --new-keys FILE, --master FILE, --test-keys");
    if ((c->master != NULL) != c->kdf_given)
        return verb_usage("keys", "--master FILE and --kdf NAME go together");
    enum err e = get_keys(c, len);
    if (e == OK && c->key[0].len != len)
        return verb_fail("keys", "their length is not that of --key-bits");
    if (e == OK && !card_kind_keys_fit(&c->personal.kind, c->key))
        return verb_fail("keys", "this --i has one base key: give one key, or three that are equal");
    return e == OK ? EXIT_DONE : verb_fail("keys", err_text(e));
}

static int make_card(const char *path, struct create *c)
{
    struct card_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return verb_fail(path, err_text(ERR_MEMORY));
    char what[KEYED_WHAT_MAX];
    enum err e = personalise(&c->personal, c->key, state);
    bool sound = e == OK;
    snprintf(what, sizeof what, "%s", path);
    if (sound)
        e = keyed_personalise(&c->keyed, state, what);
    if (sound && e == OK) {
        snprintf(what, sizeof what, "%s", path);
        e = nvm_create(path, state);
    }
    card_state_finish(state);
    free(state);
    if (!sound)
        return verb_usage("create",
                          "--scp, --i, --key-bits, --kvn, --java-card, --isd-aid don't go together");
    return e == OK ? EXIT_DONE : verb_fail(what, err_text(e));
}

int verb_create(int argc, char **argv)
{
    size_t count;
    struct create c = {.personal = {.kind = card_kinds(&count)[0]}};
    keyed_init(&c.keyed);
    int status = read_options(argc, argv, &c, true);
    if (status == EXIT_DONE)
        status = read_options(argc, argv, &c, false);
    if (status == EXIT_DONE && optind + 1 != argc)
        status = verb_usage("create", "one FILE is needed");
    if (status == EXIT_DONE && c.personal.isd_len == 0 && !read_isd(&c, c.personal.kind.isd))
        status = verb_usage("isd-aid", "this value is not possible");
    if (status == EXIT_DONE && personal_complete(&c.personal, crypto_random()) != OK)
        status = verb_usage("create", "--cplc has 42 bytes, --serial 4, --kdd 10");
    const char *problem = keyed_problem(&c.keyed, c.personal.kind.kvn);
    if (status == EXIT_DONE && problem != NULL)
        status = verb_usage("create", problem);
    c.personal.kind.flags |= keyed_flags(&c.keyed);
    if (status == EXIT_DONE)
        status = read_keys(&c);
    if (status == EXIT_DONE)
        status = make_card(argv[optind], &c);
    /* Keys without their card are only in the way. */
    if (status != EXIT_DONE && c.new_keys_made)
        unlink(c.new_keys);
    wipe(&c, sizeof c);
    return status;
}
