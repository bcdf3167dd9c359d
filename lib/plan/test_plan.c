/* SPDX-License-Identifier: Apache-2.0
 *
 * Situations of a card, and the commands that follow from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <plan/plan.h>
#include <support/vectors.h>

enum { PATH_LEN = 512, ENTRIES_MAX = 16, TEXT_MAX = 4096, BLOCK = 247 };

static struct cap cap_of(const char *name)
{
    char path[PATH_LEN];
    struct cap cap;
    struct cap_problem why = {""};
    snprintf(path, sizeof(path), "caps/%s.cap", name);
    enum err e = cap_read(&cap, vectors_file(path), &why);
    assert_string_equal(why.text, "");
    assert_int_equal(e, OK);
    return cap;
}

static struct aid aid_of(const char *hex, size_t digits)
{
    uint8_t bytes[AID_MAX];
    struct writer w;
    struct aid a;
    wr_fixed(&w, bytes, sizeof(bytes));
    assert_int_equal(hex_read(view_of(hex, digits), &w), OK);
    assert_int_equal(aid_set(&a, wr_view_of(&w)), OK);
    return a;
}

/* What a card holds, as words: "P<aid>=1.0" a package, "P<aid>" one without a version, "M<aid>=1.0" one told
 * with its modules, "A<aid>" an application, "A<aid>@<aid>" with its package, "+" more than was told. */
static void registry_of(const char *text, struct registry_entry entries[ENTRIES_MAX], struct registry *out)
{
    *out = (struct registry){.entries = entries};
    while (*text != '\0') {
        size_t word = strcspn(text, " "), aid = 1 + strcspn(text + 1, " =@");
        struct registry_entry e = {.subset = text[0] == 'A'   ? STATUS_APPLICATIONS
                                             : text[0] == 'M' ? STATUS_PACKAGES_MODULES
                                                              : STATUS_PACKAGES};
        if (text[0] == '+') {
            out->more = true;
        } else {
            assert_true(out->count < ENTRIES_MAX);
            e.aid = aid_of(text + 1, aid - 1);
            if (text[aid] == '=') {
                e.has_version = true;
                e.version[0] = (uint8_t)(text[aid + 1] - '0');
                e.version[1] = (uint8_t)(text[aid + 3] - '0');
            } else if (text[aid] == '@') {
                e.package = aid_of(text + aid + 1, word - aid - 1);
            }
            entries[out->count++] = e;
        }
        text += word;
        text += strspn(text, " ");
    }
}

/* One command a word; a LOAD as L<P1><P2>:<bytes>. */
static void plan_text(const struct plan *p, char out[TEXT_MAX])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < p->count; i++) {
        struct view v = plan_apdu(p, i);
        struct apdu a;
        assert_int_equal(apdu_parse(v, &a), OK);
        assert_true(len + 2 * v.len + 2 < TEXT_MAX);
        if (i > 0)
            out[len++] = ' ';
        if (a.ins == INS_LOAD)
            snprintf(out + len, TEXT_MAX - len, "L%02X%02X:%zu", a.p1, a.p2, a.data.len);
        else
            hex_write(out + len, v);
        len += strlen(out + len);
    }
}

#define ASK           "80F22002024F0000 80F24002024F0000"
#define LOAD_HELLO    "80E602000A05F0000000010000000000 L0000:247 L8001:44"
#define INSTALL_HELLO "80E60C001A05F00000000106F0000000010106F00000000101010002C9000000"
#define LOAD_LIB      "80E602000A05F00000000A0000000000 L0000:247 L8001:11"

static const struct {
    const char *name;
    enum plan_purpose purpose;
    const char *cap, *sequence; /* NULL: generated */
    const char *holds;          /* NULL: not known */
    const char *platform;       /* NULL: not known */
    const char *gp_version;     /* of the card's identity */
    enum err want;
    const char *text; /* the commands, or the reason */
} rows[] = {
    {"inspect", PLAN_INSPECT, "hello-jc222", NULL, NULL, NULL, "", OK, "80F28002024F0000 " ASK},
    {"inspect again", PLAN_INSPECT, "hello-jc222", NULL, "A8000000000", NULL, "", OK,
     "80F28002024F0000 " ASK},

    {"nothing known", PLAN_INSTALL, "hello-jc222", NULL, NULL, NULL, "", OK,
     ASK " " LOAD_HELLO " " INSTALL_HELLO},
    {"empty card", PLAN_INSTALL, "hello-jc222", NULL, "", NULL, "", OK, LOAD_HELLO " " INSTALL_HELLO},
    {"library", PLAN_INSTALL, "lib-1.0-jc222", NULL, "", "2.2.2", "", OK, LOAD_LIB},
    {"there already", PLAN_INSTALL, "hello-jc222", NULL, "PF000000001=1.0 AF00000000101@F000000001", NULL, "",
     ERR_EXISTS, "The card holds F000000001 1.0 already."},
    {"there already, told with modules", PLAN_INSTALL, "hello-jc222", NULL, "MF000000001=1.0 AF00000000101",
     NULL, "", ERR_EXISTS, "The card holds F000000001 1.0 already."},
    {"library there already", PLAN_INSTALL, "lib-1.1-jc222", NULL, "PF00000000A=1.1", NULL, "", ERR_EXISTS,
     "The card holds F00000000A 1.1 already."},
    {"another version", PLAN_INSTALL, "lib-1.0-jc222", NULL, "PF00000000A=1.1", NULL, "", OK,
     "80E40080074F05F00000000A00 " LOAD_LIB},
    {"version not told", PLAN_INSTALL, "hello-jc222", NULL, "PF000000001 AF00000000101", NULL, "", OK,
     "80E40080074F05F00000000100 " LOAD_HELLO " " INSTALL_HELLO},
    {"instance missing", PLAN_INSTALL, "hello-jc222", NULL, "PF000000001=1.0", NULL, "", OK,
     "80E40080074F05F00000000100 " LOAD_HELLO " " INSTALL_HELLO},
    {"an application named as the package is not the package", PLAN_INSTALL, "hello-jc222", NULL,
     "AF000000001 AF00000000101", NULL, "", OK, LOAD_HELLO " " INSTALL_HELLO},
    {"instance from another package", PLAN_INSTALL, "hello-jc222", NULL, "AF00000000101@F000000099", NULL, "",
     ERR_UNSUPPORTED, "line 2, column 1: the card holds F00000000101 from another package"},
    {"two of three", PLAN_INSTALL, "multi-jc222", "install module=F00000000D01\ninstall module=F00000000D02",
     "PF00000000D=1.0 AF00000000D02", NULL, "", OK,
     "80E40000084F06F00000000D0200 80E60C001A05F00000000D06F00000000D0106F00000000D01010002C9000000 "
     "80E60C001A05F00000000D06F00000000D0206F00000000D02010002C9000000"},
    {"no load, and no package", PLAN_INSTALL, "multi-jc222", "install module=F00000000D01", "", NULL, "",
     ERR_NOT_FOUND, "The sequence does not load package F00000000D 1.0, and the card does not hold it."},
    {"no load, all there", PLAN_INSTALL, "multi-jc222", "install module=F00000000D01",
     "PF00000000D=0.9 AF00000000D01", NULL, "", ERR_EXISTS, "The card holds F00000000D 1.0 already."},
    {"neither load nor install", PLAN_INSTALL, "multi-jc222",
     "personalize instance=F00000000D01\nstore data=0102", "PF00000000D=1.0 AF00000000D01", NULL, "", OK,
     "80E620000C000006F00000000D0100000000 80E28000020102"},
    {"listing cut: absence proves nothing", PLAN_INSTALL, "app-jc222", "install module=F00000000B01", "+",
     NULL, "", OK, "80E60C001A05F00000000B06F00000000B0106F00000000B01010002C9000000"},

    {"needs a library", PLAN_INSTALL, "app-jc222", "install module=F00000000B01", "PF00000000B=1.0", NULL, "",
     ERR_NOT_FOUND, "It needs package F00000000A 1.0, which the card does not hold."},
    {"has the library", PLAN_INSTALL, "app-jc222", "install module=F00000000B01",
     "PF00000000B=1.0 PF00000000A=1.0", NULL, "", OK,
     "80E60C001A05F00000000B06F00000000B0106F00000000B01010002C9000000"},
    {"has a newer library", PLAN_INSTALL, "app-jc222", "install module=F00000000B01",
     "PF00000000B=1.0 PF00000000A=1.1", NULL, "", OK,
     "80E60C001A05F00000000B06F00000000B0106F00000000B01010002C9000000"},
    {"has an older library", PLAN_INSTALL, "app2-jc222", "install module=F00000000C01",
     "PF00000000C=1.0 PF00000000A=1.0", NULL, "", ERR_NOT_FOUND,
     "It needs package F00000000A 1.1 (the card holds 1.0)."},
    {"has a library of another major version", PLAN_INSTALL, "app-jc222", "install module=F00000000B01",
     "PF00000000B=1.0 PF00000000A=2.0", NULL, "", ERR_NOT_FOUND,
     "It needs package F00000000A 1.0 (the card holds 2.0)."},
    {"has the library, version not told", PLAN_INSTALL, "app2-jc222", "install module=F00000000C01",
     "PF00000000C PF00000000A", NULL, "", OK,
     "80E60C001A05F00000000C06F00000000C0106F00000000C01010002C9000000"},
    {"the missing library decides before anything is deleted", PLAN_INSTALL, "app-jc222", NULL,
     "PF00000000B=0.9 AF00000000B01", NULL, "", ERR_NOT_FOUND,
     "It needs package F00000000A 1.0, which the card does not hold."},
    {"what the card holds is not known", PLAN_INSTALL, "app-jc222", "install module=F00000000B01", NULL,
     "2.2.2", "", OK, ASK " 80E60C001A05F00000000B06F00000000B0106F00000000B01010002C9000000"},
    {"platform too old", PLAN_INSTALL, "hello-jc222", NULL, "", "2.2.1", "", ERR_NOT_FOUND,
     "It needs package javacard.framework A0000000620101 1.3 (the card holds 1.2)."},
    {"platform too old, contents not known", PLAN_INSTALL, "hello-jc305", NULL, NULL, "3.0.4", "",
     ERR_NOT_FOUND, "It needs package javacard.framework A0000000620101 1.6 (the card holds 1.5)."},
    {"platform new enough", PLAN_INSTALL, "hello-jc222", NULL, "", "3.0.4", "", OK,
     LOAD_HELLO " " INSTALL_HELLO},
    {"platform lacks it", PLAN_INSTALL, "extlen-jc222", NULL, "", "2.2.1", "", ERR_NOT_FOUND,
     "It needs package javacard.framework A0000000620101 1.3 (the card holds 1.2)."},
    {"the registry knows better than the platform", PLAN_INSTALL, "hello-jc222", NULL, "PA0000000620101=1.3",
     "2.2.1", "", OK, LOAD_HELLO " " INSTALL_HELLO},
    {"the registry does not tell the version, the platform does", PLAN_INSTALL, "hello-jc222", NULL,
     "PA0000000620101", "2.2.1", "", ERR_NOT_FOUND,
     "It needs package javacard.framework A0000000620101 1.3 (the card holds 1.2)."},
    {"GlobalPlatform too old", PLAN_INSTALL, "vault-gp16-jc305", "install module=F00000000301",
     "PF000000003=1.0", "3.0.5", "020201", ERR_NOT_FOUND,
     "It needs package org.globalplatform A00000015100 1.6 (the card holds 1.5)."},
    {"GlobalPlatform new enough", PLAN_INSTALL, "vault-gp16-jc305", "install module=F00000000301",
     "PF000000003=1.0", "3.0.5", "020300", OK,
     "80E60C001A05F00000000306F0000000030106F00000000301010002C9000000"},
    {"GlobalPlatform of an unknown version", PLAN_INSTALL, "vault-gp16-jc305", "install module=F00000000301",
     "PF000000003=1.0", "3.0.5", "", OK, "80E60C001A05F00000000306F0000000030106F00000000301010002C9000000"},
    {"GlobalPlatform in the registry", PLAN_INSTALL, "vault-gp16-jc305", "install module=F00000000301",
     "PF000000003=1.0 PA00000015100=1.5", "3.0.5", "020300", ERR_NOT_FOUND,
     "It needs package org.globalplatform A00000015100 1.6 (the card holds 1.5)."},

    {"delete what is there", PLAN_INSTALL, "lib-1.0-jc222", "delete aid=F000000099 related\nload",
     "PF000000099=1.0", NULL, "", OK, "80E40080074F05F00000009900 " LOAD_LIB},
    {"delete what is not there", PLAN_INSTALL, "lib-1.0-jc222", "delete aid=F000000099\nload", "", NULL, "",
     OK, LOAD_LIB},
    {"delete what may be there", PLAN_INSTALL, "lib-1.0-jc222", "delete aid=F000000099\nload", "+", NULL, "",
     OK, "80E40000074F05F00000009900 " LOAD_LIB},
    {"delete, contents not known", PLAN_INSTALL, "lib-1.0-jc222", "delete aid=F000000099\nload", NULL, NULL,
     "", OK, ASK " 80E40000074F05F00000009900 " LOAD_LIB},

    {"load parameters and hash", PLAN_INSTALL, "lib-1.0-jc222", "load parameters=EF04C6020400 hash=sha1", "",
     NULL, "", OK,
     "80E602002405F00000000A0014"
     "HASH"
     "06EF04C602040000"
     "00 L0000:247 L8001:11"},
    {"parameters of all kinds", PLAN_INSTALL, "multi-jc222",
     "install module=F00000000D01 instance=F00000000DAA privileges=80C020 parameters=AB${card.serial} "
     "system=C802${card.kdd}",
     "PF00000000D=1.0", NULL, "", OK,
     "80E60C002F05F00000000D06F00000000D0106F00000000DAA0380C02015C905AB01020304EF0CC80200112233445566778899"
     "00"
     "00"},
    {"a card without a CIN", PLAN_INSTALL, "multi-jc222",
     "\ninstall module=F00000000D01 parameters=${card.cin}", "PF00000000D=1.0", NULL, "", ERR_UNSUPPORTED,
     "line 2, column 40: the card does not tell its image number (CIN)"},
    {"a card without an IIN", PLAN_INSTALL, "multi-jc222",
     "install module=F00000000D01 parameters=${card.iin}", "PF00000000D=1.0", NULL, "", ERR_UNSUPPORTED,
     "line 1, column 40: the card does not tell its issuer (IIN)"},

    {"remove, contents not known", PLAN_REMOVE, "hello-jc222", NULL, NULL, NULL, "", OK,
     ASK " 80E40080074F05F00000000100"},
    {"remove", PLAN_REMOVE, "multi-jc222", NULL,
     "PF000000001=1.0 PF00000000D=1.0 AF00000000D01 AF00000000DAA@F00000000D AF00000000DBB "
     "AF00000000D02@F000000001",
     NULL, "", OK, "80E40000084F06F00000000D0100 80E40000084F06F00000000DAA00 80E40080074F05F00000000D00"},
    {"remove: a package named as the applet is no instance", PLAN_REMOVE, "hello-jc222", NULL,
     "PF000000001=1.0 PF00000000101=1.0", NULL, "", OK, "80E40080074F05F00000000100"},
    {"remove another version", PLAN_REMOVE, "lib-1.0-jc222", NULL, "PF00000000A=1.1", NULL, "", OK,
     "80E40080074F05F00000000A00"},
    {"remove instances without their package", PLAN_REMOVE, "hello-jc222", NULL, "AF00000000101", NULL, "",
     OK, "80E40000084F06F0000000010100"},
    {"remove what is not there", PLAN_REMOVE, "hello-jc222", NULL, "PF000000002=1.0 AF00000000201", NULL, "",
     ERR_EXISTS, "The card does not hold F000000001 1.0."},
    {"remove, listing cut", PLAN_REMOVE, "hello-jc222", NULL, "+", NULL, "", OK,
     "80E40080074F05F00000000100"},
};

/* CPLC with serial number 01020304 (bytes 13 to 16). */
static struct identity identity_of(const char *gp_version)
{
    struct identity id = {.has_cplc = true};
    size_t len = 0;
    for (uint8_t i = 0; i < 4; i++)
        id.cplc[12 + i] = (uint8_t)(i + 1);
    assert_int_equal(hex_read_str(gp_version, id.gp_version, sizeof(id.gp_version), &len), OK);
    return id;
}

static const uint8_t kdd[KDD_LEN] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99};

static void put_generated(const struct cap *cap, const char *given, struct writer *text)
{
    wr_heap(text, SEQUENCE_TEXT_MAX);
    if (given != NULL)
        wr_view(text, view_str(given));
    else
        assert_int_equal(plan_generate(cap, NULL, 0, VIEW_NULL, text, NULL), OK);
}

/* HASH in the expected text stands for the SHA-1 of the load file. */
static void put_hash(const char *want, const struct cap *cap, char out[TEXT_MAX])
{
    const char *at = strstr(want, "HASH");
    struct crypto *crypto = NULL;
    uint8_t hash[DIGEST_MAX];
    char hex[2 * DIGEST_MAX + 1];
    snprintf(out, TEXT_MAX, "%s", want);
    if (at == NULL)
        return;
    assert_int_equal(crypto_new(&crypto), OK);
    assert_int_equal(cap_hash(cap, crypto, DIGEST_SHA1, hash), OK);
    crypto_free(&crypto);
    hex_write(hex, view_of(hash, crypto_digest_len(DIGEST_SHA1)));
    snprintf(out, TEXT_MAX, "%.*s%s%s", (int)(at - want), want, hex, at + strlen("HASH"));
}

static void check_row(size_t i)
{
    static struct plan plan;
    char text[TEXT_MAX], want[TEXT_MAX];
    struct registry_entry entries[ENTRIES_MAX];
    struct registry holds;
    struct plan_problem why = {.text = ""};
    struct writer sequence;
    struct cap cap = cap_of(rows[i].cap);
    struct identity id = identity_of(rows[i].gp_version);
    struct plan_input in = {
        .purpose = rows[i].purpose, .cap = &cap, .identity = &id, .kdd = VIEW_OF(kdd), .block_size = BLOCK};
    print_message("row %s\n", rows[i].name);
    put_generated(&cap, rows[i].sequence, &sequence);
    in.sequence = wr_view_of(&sequence);
    if (rows[i].platform != NULL)
        assert_int_equal(cap_platform(rows[i].platform, &in.platform, &in.platform_count), OK);
    if (rows[i].holds != NULL) {
        registry_of(rows[i].holds, entries, &holds);
        in.holds = &holds;
    }
    enum err e = plan_make(&plan, &in, &why);
    put_hash(rows[i].text, &cap, want);
    if (e == OK) {
        plan_text(&plan, text);
        plan_finish(&plan);
    }
    assert_string_equal(e == OK ? text : why.text, want);
    assert_int_equal(e, rows[i].want);
    assert_int_equal(plan.count, 0);
    wr_free(&sequence);
    cap_finish(&cap);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(i);
}

/* --- LOAD */

static void make_load(struct plan *out, const struct cap *cap, size_t block_size, enum err want)
{
    struct registry nothing = {.count = 0};
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = cap,
                            .sequence = view_str("load"),
                            .holds = &nothing,
                            .block_size = block_size};
    assert_int_equal(plan_make(out, &in, NULL), want);
}

/* All blocks but the last are full, numbered one by one, only the last says so, and together they are the
 * load file behind C4 and its length. */
static void assert_load(const struct cap *cap, size_t block_size)
{
    static struct plan plan;
    struct writer all, want;
    make_load(&plan, cap, block_size, OK);
    wr_heap(&all, LOAD_FILE_MAX + 8);
    wr_heap(&want, LOAD_FILE_MAX + 8);
    for (size_t i = 1; i < plan.count; i++) {
        struct apdu a;
        bool last = i + 1 == plan.count;
        assert_int_equal(apdu_parse(plan_apdu(&plan, i), &a), OK);
        assert_int_equal(a.cla, 0x80);
        assert_int_equal(a.ins, INS_LOAD);
        assert_int_equal(a.p1, last ? 0x80 : 0x00);
        assert_int_equal(a.p2, i - 1);
        assert_true(last ? a.data.len > 0 && a.data.len <= block_size : a.data.len == block_size);
        wr_view(&all, a.data);
    }
    command_load_header(&want, cap->load.len);
    wr_view(&want, wr_view_of(&cap->load));
    assert_true(wr_ok(&all) && view_equal(wr_view_of(&all), wr_view_of(&want)));
    assert_int_equal(plan.count - 1, command_load_blocks(cap->load.len, block_size));
    wr_free(&all);
    wr_free(&want);
    plan_finish(&plan);
    assert_int_equal(plan_apdu(&plan, 0).len, 0);
}

static void set_load(struct cap *cap, size_t len)
{
    wr_clear(&cap->load);
    uint8_t *memory = wr_reserve(&cap->load, len);
    assert_non_null(memory);
    for (size_t i = 0; i < len; i++)
        memory[i] = (uint8_t)(i * 31 + (i >> 8));
}

static const size_t block_sizes[] = {223, 231, 239, 247, 255};

/* Around each multiple of a block, and the largest. */
static void test_load_blocks(void **state)
{
    (void)state;
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}, .major = 1}};
    wr_heap(&cap.load, LOAD_FILE_MAX);
    for (size_t i = 0; i < sizeof(block_sizes) / sizeof(block_sizes[0]); i++) {
        size_t size = block_sizes[i], largest = 256 * size - 4;
        for (size_t len = 1; len<3 * size; len += len % size> size - 8 || len % size < 2 ? 1 : 16) {
            set_load(&cap, len);
            assert_load(&cap, size);
        }
        set_load(&cap, largest);
        assert_load(&cap, size);
        set_load(&cap, largest + 1);
        static struct plan plan;
        make_load(&plan, &cap, size, ERR_LIMIT);
    }
    cap_finish(&cap);
}

/* For every number of blocks, the file that fills the last one, and those of a byte less and more. */
static void test_load_edges(void **state)
{
    static const size_t sizes[] = {223, 247}; /* the least of a short command, and the most */
    (void)state;
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}, .major = 1}};
    wr_heap(&cap.load, LOAD_FILE_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t blocks = 2; blocks <= 256; blocks++) {
            size_t full = blocks * sizes[i] - 4; /* behind C4 82 and two bytes of length */
            for (size_t len = full - 1; len <= full + (blocks < 256); len++) {
                set_load(&cap, len);
                assert_load(&cap, sizes[i]);
                assert_int_equal(command_load_blocks(len, sizes[i]), len <= full ? blocks : blocks + 1);
            }
        }
    }
    cap_finish(&cap);
}

/* Every size of a load file: enough blocks, none too many, and never more than 256. */
static void test_load_arithmetic(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 100, 200, 223, 231, 239, 247, 255, 256, 1024, 2048, 32768};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t len = 1; len <= 65535; len++) {
            size_t size = sizes[i], blocks = command_load_blocks(len, size);
            size_t all = len + (len < 0x80 ? 2 : len < 0x100 ? 3 : 4);
            bool fits = all <= LOAD_BLOCKS_MAX * size;
            if (fits != (blocks > 0) || blocks > LOAD_BLOCKS_MAX ||
                (fits && (blocks * size < all || (blocks - 1) * size >= all)))
                fail_msg("%zu bytes in blocks of %zu: %zu blocks", len, size, blocks);
        }
}

/* --- Derived places */

#define APDU_WITH_PLACE "apdu 80DA00000A0102${derive:pin-key:PIN:8}"

static void make_places(struct plan *out, const struct cap *cap, const char *sequence, size_t block_size)
{
    struct registry nothing = {.count = 0};
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = cap,
                            .sequence = view_str(sequence),
                            .holds = &nothing,
                            .block_size = block_size};
    struct plan_problem why = {.text = ""};
    enum err e = plan_make(out, &in, &why);
    assert_string_equal(why.text, "");
    assert_int_equal(e, OK);
}

static void assert_place(const struct plan *p, size_t n, size_t command, size_t offset, size_t len)
{
    static const uint8_t zeros[64];
    struct apdu a;
    const struct derive_place *place = &p->places[n];
    assert_true(n < p->place_count);
    assert_int_equal(place->command, command);
    assert_int_equal(place->offset, offset);
    assert_int_equal(place->len, len);
    assert_int_equal(apdu_parse(plan_apdu(p, command), &a), OK);
    assert_true(offset + len <= a.data.len);
    assert_memory_equal(a.data.data + offset, zeros, len);
}

static void test_places(void **state)
{
    (void)state;
    static struct plan plan;
    struct cap cap = cap_of("multi-jc222");
    make_places(&plan, &cap, APDU_WITH_PLACE "\n" APDU_WITH_PLACE, BLOCK);
    assert_int_equal(plan.place_count, 2);
    assert_place(&plan, 0, 0, 2, 8);
    assert_place(&plan, 1, 1, 2, 8);
    assert_string_equal(plan.places[1].key, "pin-key");
    assert_string_equal(plan.places[1].label, "PIN");
    plan_finish(&plan);

    /* 05 package 06 module 06 instance 01 privileges: 22 bytes, then the length of the field, C9, its length.
     */
    make_places(&plan, &cap,
                "load\ninstall module=F00000000D01 parameters=AA${derive:a:b:4}BB${derive:a:c:3} "
                "system=C803${derive:a:d:3}",
                BLOCK);
    assert_int_equal(plan.place_count, 3);
    assert_place(&plan, 0, plan.count - 1, 26, 4);
    assert_place(&plan, 1, plan.count - 1, 31, 3);
    assert_place(&plan, 2, plan.count - 1, 38, 3);
    plan_finish(&plan);
    cap_finish(&cap);
}

/* A block of STORE DATA ends in front of a derived place that it would cut. */
static void test_store_places(void **state)
{
    (void)state;
    static struct plan plan;
    struct cap cap = cap_of("multi-jc222");
    static const struct {
        const char *data;
        const char *blocks; /* lengths of the blocks, and P1 P2 */
        size_t command, offset;
    } stores[] = {
        {"${derive:a:b:8}", "8008:80,00", 1, 0},
        {"00000000000000000000${derive:a:b:6}", "8016:80,00", 1, 10},
        {"0000000000000000000000${derive:a:b:6}", "8011:00,00 8006:80,01", 2, 0},
        {"0000000000000000000000000000000000${derive:a:b:6}00", "8016:00,00 8008:80,01", 2, 1},
        {"00000000000000000000000000000000${derive:a:b:6}00", "8016:00,00 8007:80,01", 2, 0},
    };
    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        char text[256], got[256] = "";
        size_t len = 0;
        print_message("row %s\n", stores[i].data);
        snprintf(text, sizeof(text), "personalize instance=F00000000D01\nstore data=%s", stores[i].data);
        make_places(&plan, &cap, text, 16);
        for (size_t n = 1; n < plan.count; n++) {
            struct apdu a;
            assert_int_equal(apdu_parse(plan_apdu(&plan, n), &a), OK);
            len += (size_t)snprintf(got + len, sizeof(got) - len, "%s80%02zu:%02X,%02X", n > 1 ? " " : "",
                                    a.data.len, a.p1, a.p2);
        }
        assert_string_equal(got, stores[i].blocks);
        assert_int_equal(plan.place_count, 1);
        assert_place(&plan, 0, stores[i].command, stores[i].offset, i == 0 ? 8 : 6);
        plan_finish(&plan);
    }
    cap_finish(&cap);
}

static void test_store_formats(void **state)
{
    (void)state;
    static struct plan plan;
    char text[TEXT_MAX];
    struct cap cap = cap_of("multi-jc222");
    make_places(
        &plan, &cap,
        "personalize instance=F00000000D01\nstore data=010101AA format=dgi\nstore data=0202AAAA format=tlv\n"
        "store data=0303",
        BLOCK);
    plan_text(&plan, text);
    assert_string_equal(
        text, "80E620000C000006F00000000D0100000000 80E2880004010101AA 80E29000040202AAAA 80E28000020303");
    plan_finish(&plan);
    cap_finish(&cap);
}

/* The version of the card specification tells that of org.globalplatform, not those of its other packages. */
static void test_other_gp_package(void **state)
{
    (void)state;
    static struct plan plan;
    struct cap cap = cap_of("vault-gp16-jc305");
    struct identity id = {.gp_version = {2, 2, 1}};
    struct plan_problem why = {.text = ""};
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence = view_str("load"),
                            .identity = &id,
                            .block_size = BLOCK};
    assert_int_equal(plan_make(&plan, &in, &why), ERR_NOT_FOUND);
    for (size_t i = 0; i < cap.import_count; i++)
        if (strcmp("org.globalplatform", cap_package_name(&cap.imports[i].aid)) == 0)
            cap.imports[i].aid.data[5] = 0x02;
    assert_int_equal(plan_make(&plan, &in, &why), OK);
    plan_finish(&plan);
    cap_finish(&cap);
}

static void test_arguments(void **state)
{
    (void)state;
    static struct plan plan;
    struct cap cap = cap_of("hello-jc222");
    struct plan_input in = {.purpose = PLAN_INSTALL, .sequence = view_str("load"), .block_size = BLOCK};
    assert_int_equal(plan_make(&plan, &in, NULL), ERR_ARGUMENT);
    in.purpose = PLAN_REMOVE;
    assert_int_equal(plan_make(&plan, &in, NULL), ERR_ARGUMENT);
    in.cap = &cap;
    in.block_size = 0;
    assert_int_equal(plan_make(&plan, &in, NULL), ERR_ARGUMENT);
    /* To inspect, no CAP file is needed, and nobody's data fills no place. */
    in = (struct plan_input){.purpose = PLAN_INSPECT, .block_size = BLOCK};
    assert_int_equal(plan_make(&plan, &in, NULL), OK);
    plan_finish(&plan);
    in = (struct plan_input){.purpose = PLAN_INSTALL,
                             .cap = &cap,
                             .sequence = view_str("load\ninstall module=F00000000101 parameters=${card.kdd}"),
                             .block_size = BLOCK};
    assert_int_equal(plan_make(&plan, &in, NULL), ERR_UNSUPPORTED);
    cap_finish(&cap);
}

static int free_files(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_load_blocks),
        cmocka_unit_test(test_load_edges),
        cmocka_unit_test(test_load_arithmetic),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_store_places),
        cmocka_unit_test(test_store_formats),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_other_gp_package),
    };
    return cmocka_run_group_tests(tests, NULL, free_files);
}
