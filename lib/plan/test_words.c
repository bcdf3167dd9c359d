/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines beyond loading and installing: DAP blocks, tokens, security domains, public keys, states; what is
 * refused of them; and how commands go that are too long for a short one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <gp/dap.h>
#include <plan/plan.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

enum { FILE_MAX = 512 * 1024, PATH_LEN = 512, TEXT_MAX = 8192, BLOCK = 247 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct plan plan;

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

/* One command a word; of a LOAD its header and how long its data is. */
static void plan_text(char out[TEXT_MAX])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < plan.count; i++) {
        struct view v = plan_apdu(&plan, i);
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

#define DOMAIN_AID "A0000001515350"
#define MODULE     "A000000151535041"
#define POINT_256                                                                                            \
    "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E332820E22BCEC0AE9F26515CF2D661C307A5F" \
    "AA5B837DB23D334A8BC4B440B273"

/* Against hello-jc222 (package F000000001, applet F00000000101), on a card that holds nothing but what is
 * said here: application F0000000DD, and key 01 of version 73. */
static const struct {
    const char *name, *text;
    enum err want;
    const char *commands; /* or the reason */
} rows[] = {
    {"load into a domain", "load domain=F0000000DD", OK,
     "80E602000F05F00000000105F0000000DD000000"
     "00 L0000:247 L8001:44"},
    {"load with a hash and a token", "load hash=sha1 token=0102", OK,
     "80E602002005F0000000010014HASH0002010200 L0000:247 L8001:44"},
    {"a token without a hash", "load token=0102", ERR_FORMAT,
     "line 1, column 1: a load with a token or a DAP block needs hash="},
    {"a DAP block", "dap domain=F0000000DD signature=0102030405060708\nload hash=sha1", OK,
     "80E602001E05F0000000010014HASH000000 L0000:247 L8001:63"},
    {"a DAP block without a hash", "dap domain=F0000000DD signature=01\nload", ERR_FORMAT,
     "line 2, column 1: a load with a token or a DAP block needs hash="},
    {"a DAP block of a CAP file that brings none", "dap domain=F0000000DD\nload hash=sha256", ERR_NOT_FOUND,
     "line 1, column 1: the CAP file brings no signature over its sha256: give signature="},
    {"a DAP block behind the load", "load hash=sha1\ndap domain=F0000000DD signature=01", ERR_FORMAT,
     "line 2, column 1: dap stands before load"},
    {"a DAP block and no load", "dap domain=F0000000DD signature=01", ERR_FORMAT,
     "line 1, column 1: dap needs a load line behind it"},
    {"a DAP block without a domain", "dap signature=01\nload hash=sha1", ERR_FORMAT,
     "line 1, column 1: dap needs domain"},
    {"an empty signature", "dap domain=F0000000DD signature=\nload hash=sha1", ERR_FORMAT,
     "line 1, column 1: a signature has 1 to 512 bytes"},
    {"install with a token", "install module=F00000000101 reference=930101 token=AABB", OK,
     "80E60C002105F00000000106F0000000010106F00000000101010007C900B60393010102AABB00"},
    {"install only", "install module=F00000000101 not-selectable", OK,
     "80E604001A05F00000000106F0000000010106F00000000101010002C9000000"},
    {"privileges that do not go together", "install module=F00000000101 privileges=40", ERR_FORMAT,
     "line 1, column 40: DAP verification and delegated management need the privilege security domain (80), "
     "mandated DAP verification is C1"},
    {"two bytes of privileges", "install module=F00000000101 privileges=8000", ERR_FORMAT,
     "line 1, column 40: privileges are 1 or 3 bytes"},
    {"make selectable", "make-selectable instance=F00000000101 privileges=04 system=CF0181", OK,
     "80E6080012000006F00000000101010405EF03CF01810000"},
    {"extradite", "extradite aid=F000000001 domain=F0000000DD", OK,
     "80E610001005F0000000DD0005F0000000010000"
     "0000"},
    {"extradite with a token", "extradite aid=F000000001 domain=F0000000DD token=0102", OK,
     "80E610001205F0000000DD0005F000000001000002010200"},
    {"extradite to nowhere", "extradite aid=F000000001", ERR_FORMAT,
     "line 1, column 1: extradite needs domain"},
    {"registry update", "registry-update aid=F0000000DD privileges=80C000", OK,
     "80E640000E000005F0000000DD0380C0000000"
     "00"},
    {"registry update that also extradites", "registry-update aid=F000000002 domain=F0000000DD", OK,
     "80E640001005F0000000DD0005F00000000200000000"},
    {"registry update of nothing", "registry-update aid=F0000000DD", ERR_FORMAT,
     "line 1, column 1: registry-update needs domain, privileges or system"},
    {"create a domain", "create-domain instance=F0000000D1", OK,
     "80E60C001D07" DOMAIN_AID "08" MODULE "05F0000000D1018002C9000000"},
    {"create a domain of others' code",
     "create-domain instance=F0000000D1 package=F000000008 module=F00000000801 "
     "privileges=C0 parameters=8201F0",
     OK, "80E60C001C05F00000000806F0000000080105F0000000D101C005C9038201F00000"},
    {"a domain that is there", "create-domain instance=F0000000DD\napdu 80CA00CF00", OK, "80CA00CF00"},
    {"a domain that is none", "create-domain instance=F0000000D1 privileges=04", ERR_FORMAT,
     "line 1, column 46: a security domain has the privilege 80"},
    {"an RSA key", "put-key version=73 id=01 n=C1C2C3 e=010001", OK,
     "80D800010C73A103C1C2C3A00301000100"
     "00"},
    {"an ECC key", "put-key version=74 id=01 curve=P-256 point=" POINT_256, OK,
     "80D800014874B041" POINT_256 "F001000000"},
    {"a key that is there", "put-key version=70 id=01 n=C1C2C3 e=010001", ERR_UNSUPPORTED,
     "line 1, column 1: the card has a key 01 of version 70 already"},
    {"no key", "put-key version=73 id=01", ERR_FORMAT,
     "line 1, column 1: put-key needs n and e, or curve and point"},
    {"half a key", "put-key version=73 id=01 n=C1", ERR_FORMAT,
     "line 1, column 1: put-key needs n and e, or curve and point"},
    {"half another key", "put-key version=73 id=01 curve=P-256", ERR_FORMAT,
     "line 1, column 1: put-key needs n and e, or curve and point"},
    {"two keys", "put-key version=73 id=01 n=C1 e=03 curve=P-256 point=04", ERR_FORMAT,
     "line 1, column 1: put-key needs n and e, or curve and point"},
    {"version 80", "put-key version=80 id=01 n=C1 e=03", ERR_FORMAT, "line 1, column 17: one byte, up to 7F"},
    {"version 00", "put-key version=00 id=01 n=C1 e=03", ERR_ARGUMENT,
     "line 1, column 1: PUT KEY can't be made of this: an argument is not acceptable"},
    {"another curve", "put-key version=73 id=01 curve=P-255 point=04", ERR_FORMAT,
     "line 1, column 32: P-255 is no curve; P-256, P-384, P-521 are"},
    {"a short point", "put-key version=73 id=01 curve=P-256 point=04AABB", ERR_FORMAT,
     "line 1, column 44: a point of this curve is 04 and 64 bytes"},
    {"a secret key", "put-key version=73 id=01 key=404142434445464748494A4B4C4D4E4F", ERR_FORMAT,
     "line 1, column 26: key does not belong to put-key"},
    {"lock an application", "set-status aid=F0000000DD state=lock", OK, "80F0408005F0000000DD"},
    {"unlock a domain and all of it", "set-status aid=F0000000DD state=unlock all", OK,
     "80F0600005F0000000DD"},
    {"a state of its own", "set-status aid=F0000000DD state=0F", OK, "80F0400F05F0000000DD"},
    {"no state", "set-status aid=F0000000DD state=locked", ERR_FORMAT,
     "line 1, column 33: state is lock, unlock or one byte"},
    {"the card itself", "set-status aid=A000000151000000 state=lock", ERR_POLICY,
     "line 1, column 16: this is the card manager: the card's own state is not changed by a sequence"},
    {"the card itself, by its registry", "set-status aid=F0000000EE state=lock", ERR_POLICY,
     "line 1, column 16: this is the card manager: the card's own state is not changed by a sequence"},
    {"delete with a token", "delete aid=F0000000DD reference=930101 token=AABB", OK,
     "80E40000104F05F0000000DDB6039301019E02AABB00"},
    {"store with an answer", "personalize instance=F00000000101\nstore data=BF3E00 format=tlv answer", OK,
     "80E620000C000006F00000000101"
     "00000000 80E2910003BF3E0000"},
    {"store, encrypted", "personalize instance=F00000000101\nstore data=01010155 format=dgi encryption=all",
     OK,
     "80E620000C000006F0000000010100000000 80E2E80004"
     "01010155"},
    {"no encryption", "personalize instance=F00000000101\nstore data=00 encryption=none", ERR_FORMAT,
     "line 2, column 26: encryption is all or some"},
    {"data that is no data grouping", "personalize instance=F00000000101\nstore data=010105 format=dgi",
     ERR_FORMAT, "line 2, column 1: the data is not in the format that the line says"},
    {"data that is no TLV", "personalize instance=F00000000101\nstore data=C1 format=tlv", ERR_FORMAT,
     "line 2, column 1: the data is not in the format that the line says"},
    {"a command of extended length", "apdu 80CA00000000020102", ERR_UNSUPPORTED,
     "line 1, column 6: a command of extended length, which the card does not take"},
    {"a hash that the card does not know", "load hash=sha512", ERR_UNSUPPORTED,
     "line 1, column 11: the card does not know sha512 for load files"},
};

static struct identity card(void)
{
    struct identity id = {.isd = {{0xA0, 0, 0, 1, 0x51, 0, 0, 0}, 8},
                          .keys = {{.id = 1, .version = 0x70, .type = 0xA1, .component_count = 1}},
                          .key_count = 1,
                          .capabilities = {.known = true, .hashes = 0x03}};
    return id;
}

static void sha1_in(char *text, const struct cap *cap)
{
    uint8_t hash[DIGEST_MAX];
    char hex[2 * DIGEST_MAX + 1];
    struct crypto *c;
    char *at = strstr(text, "HASH");
    if (at == NULL)
        return;
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(cap_hash(cap, c, DIGEST_SHA1, hash), OK);
    crypto_free(&c);
    hex_write(hex, view_of(hash, 20));
    memmove(at + 40, at + 4, strlen(at + 4) + 1);
    memcpy(at, hex, 40);
}

static void lines(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-jc222");
    struct identity id = card();
    struct registry_entry entries[] = {
        {.subset = STATUS_APPLICATIONS, .aid = {{0xF0, 0, 0, 0, 0xDD}, 5}},
        {.subset = STATUS_ISD, .aid = {{0xF0, 0, 0, 0, 0xEE}, 5}},
        {.subset = STATUS_PACKAGES,
         .aid = {{0xF0, 0, 0, 0, 0x01}, 5},
         .has_version = true,
         .version = {1, 0}},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        char got[TEXT_MAX], want[TEXT_MAX];
        struct plan_problem why = {.text = ""};
        /* The package is there where the line is about what is there; else it would be missing. */
        bool loads = strstr(rows[n].text, "load") != NULL;
        struct registry holds = {.entries = entries, .count = loads ? 2 : 3};
        struct plan_input in = {.purpose = PLAN_INSTALL,
                                .cap = &cap,
                                .sequence = view_str(rows[n].text),
                                .identity = &id,
                                .holds = &holds,
                                .block_size = BLOCK};
        enum err e = plan_make(&plan, &in, &why);
        snprintf(want, sizeof(want), "%s", rows[n].commands);
        sha1_in(want, &cap);
        if (e == OK)
            plan_text(got);
        if (e != rows[n].want || strcmp(e == OK ? got : why.text, want) != 0)
            fail_msg("%s: %s: %s\n  want %s", rows[n].name, err_name(e), e == OK ? got : why.text, want);
        if (e == OK)
            plan_finish(&plan);
    }
    cap_finish(&cap);
}

/* The load file begins with the DAP blocks, and the signature is the one that came with the CAP file. */
static void dap_of_the_cap_file(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-jc222");
    struct registry nothing = {.count = 0};
    struct load_file file;
    struct writer all;
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence =
                                view_str("dap domain=F0000000D1\ndap domain=F0000000D2 signature=0A0B\n"
                                         "load hash=sha256"),
                            .holds = &nothing,
                            .block_size = BLOCK};
    cap.signatures[0] = (struct cap_signature){.name = "dap.rsa.sha1", .data = {1}, .len = 128};
    cap.signatures[1] = (struct cap_signature){.name = "dap.p256.sha256", .data = {7, 8, 9}, .len = 64};
    cap.signature_count = 2;
    assert_int_equal(plan_make(&plan, &in, NULL), OK);
    wr_heap(&all, FILE_MAX);
    for (size_t i = 1; i < plan.count; i++) {
        struct apdu a;
        assert_int_equal(apdu_parse(plan_apdu(&plan, i), &a), OK);
        assert_int_equal(a.ins, INS_LOAD);
        wr_view(&all, a.data);
    }
    assert_int_equal(load_file_parse(wr_view_of(&all), &file), OK);
    assert_int_equal(file.dap_count, 2);
    assert_int_equal(file.daps[0].domain.data[4], 0xD1);
    assert_true(view_equal(file.daps[0].signature, view_of(cap.signatures[1].data, 64)));
    assert_int_equal(file.daps[1].signature.len, 2);
    assert_true(view_equal(file.block, wr_view_of(&cap.load)));
    wr_free(&all);
    plan_finish(&plan);
    cap_finish(&cap);
}

/* ---- extended length */

static void set_load(struct cap *cap, size_t len)
{
    wr_clear(&cap->load);
    uint8_t *memory = wr_reserve(&cap->load, len);
    assert_non_null(memory);
    for (size_t i = 0; i < len; i++)
        memory[i] = (uint8_t)(i * 31 + (i >> 8));
}

static enum err make_load(const struct cap *cap, enum plan_extended extended, const struct identity *id,
                          struct plan_problem *why)
{
    struct registry nothing = {.count = 0};
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = cap,
                            .sequence = view_str("load"),
                            .identity = id,
                            .holds = &nothing,
                            .block_size = BLOCK,
                            .extended = extended};
    return plan_make(&plan, &in, why);
}

/* Numbered one by one, all alike but the last, only the last says so, together the load file. */
static void check_load(const struct cap *cap, bool extended)
{
    struct writer all, want;
    size_t size = 0;
    wr_heap(&all, LOAD_FILE_MAX + 8);
    wr_heap(&want, LOAD_FILE_MAX + 8);
    assert_true(plan.count - 1 <= LOAD_BLOCKS_MAX);
    for (size_t i = 1; i < plan.count; i++) {
        struct apdu a;
        bool last = i + 1 == plan.count;
        assert_int_equal(apdu_parse(plan_apdu(&plan, i), &a), OK);
        assert_int_equal(a.extended, extended);
        assert_int_equal(a.p1, last ? 0x80 : 0x00);
        assert_int_equal(a.p2, i - 1);
        size = i == 1 ? a.data.len : size;
        assert_true(last ? a.data.len > 0 && a.data.len <= size : a.data.len == size);
        wr_view(&all, a.data);
    }
    command_load_header(&want, cap->load.len);
    wr_view(&want, wr_view_of(&cap->load));
    assert_true(wr_ok(&all) && view_equal(wr_view_of(&all), wr_view_of(&want)));
    wr_free(&all);
    wr_free(&want);
    plan_finish(&plan);
}

static void large_load_files(void **state)
{
    (void)state;
    static const size_t sizes[] = {63228,  63229,  65535,  123556,       262139,
                                   262140, 262141, 500000, LOAD_FILE_MAX};
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}, .major = 1}};
    struct plan_problem why;
    wr_heap(&cap.load, LOAD_FILE_MAX);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        bool needs = command_load_blocks(sizes[n], BLOCK) == 0;
        set_load(&cap, sizes[n]);
        assert_int_equal(make_load(&cap, PLAN_EXTENDED_YES, NULL, &why), OK);
        check_load(&cap, needs);
        assert_int_equal(make_load(&cap, PLAN_EXTENDED_NO, NULL, &why), needs ? ERR_LIMIT : OK);
        if (needs)
            assert_non_null(strstr(why.text, "which this card does not have"));
        else
            check_load(&cap, false);
    }
    cap_finish(&cap);
}

/* The ATR says it (3B 05 80 73 00 00 40), the FCI says how long (9F65). */
static void extended_as_the_card_says(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t third;
        uint16_t command_data_max;
        size_t len;
        enum err want;
        size_t first;
    } cases[] = {
        {"not told", 0x00, 0, 70000, ERR_LIMIT, 0},
        {"told", 0x40, 0, 70000, OK, 1024},
        {"told, with a length that is enough", 0x40, 800, 70000, OK, 768},
        {"told, with a length that is not", 0x40, 300, 70000, ERR_LIMIT, 0},
        {"255 says nothing of extended commands (quirk-06)", 0x40, 255, 70000, OK, 1024},
        {"a file of two steps", 0x40, 0, 300000, OK, 2048},
        {"a short file goes in short blocks", 0x40, 0, 60000, OK, 247},
    };
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}, .major = 1}};
    wr_heap(&cap.load, LOAD_FILE_MAX);
    for (size_t n = 0; n < COUNT(cases); n++) {
        struct identity id = {.atr = {0x3B, 0x05, 0x80, 0x73, 0, 0, cases[n].third},
                              .atr_len = 7,
                              .command_data_max = cases[n].command_data_max};
        struct plan_problem why;
        struct apdu a;
        set_load(&cap, cases[n].len);
        enum err e = make_load(&cap, PLAN_EXTENDED_AS_CARD_SAYS, &id, &why);
        if (e != cases[n].want)
            fail_msg("%s: %s", cases[n].name, err_name(e));
        if (e != OK)
            continue;
        assert_int_equal(apdu_parse(plan_apdu(&plan, 1), &a), OK);
        if (a.data.len != cases[n].first)
            fail_msg("%s: blocks of %zu", cases[n].name, a.data.len);
        plan_finish(&plan);
    }
    cap_finish(&cap);
}

/* 300 bytes of token: extended where the card has it, else a chain with P1 bit 8. */
static void a_long_install(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-jc222");
    struct writer text;
    struct apdu a, b;
    struct registry nothing = {.count = 0};
    wr_heap(&text, TEXT_MAX);
    wr_view(&text, view_str("load hash=sha1 token="));
    for (size_t n = 0; n < 300; n++)
        wr_view(&text, view_str("5A"));
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence = wr_view_of(&text),
                            .holds = &nothing,
                            .block_size = BLOCK,
                            .extended = PLAN_EXTENDED_YES};
    assert_int_equal(plan_make(&plan, &in, NULL), OK);
    assert_int_equal(apdu_parse(plan_apdu(&plan, 0), &a), OK);
    assert_true(a.extended && a.p1 == 0x02);
    size_t whole = a.data.len;
    plan_finish(&plan);
    in.extended = PLAN_EXTENDED_NO;
    assert_int_equal(plan_make(&plan, &in, NULL), OK);
    assert_int_equal(apdu_parse(plan_apdu(&plan, 0), &a), OK);
    assert_int_equal(apdu_parse(plan_apdu(&plan, 1), &b), OK);
    assert_true(!a.extended && a.p1 == 0x82 && a.data.len == BLOCK && a.ne == 0);
    assert_true(!b.extended && b.p1 == 0x02 && a.data.len + b.data.len == whole && b.ne == 256);
    plan_finish(&plan);
    wr_free(&text);
    cap_finish(&cap);
}

/* A place could lie in two pieces: refused in a chain, good with extended length. */
static void a_place_in_a_long_install(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-jc222");
    struct writer text;
    struct registry nothing = {.count = 0};
    struct plan_problem why;
    wr_heap(&text, TEXT_MAX);
    wr_view(&text, view_str("load\ninstall module=F00000000101 parameters=${derive:k:l:16}"));
    for (size_t n = 0; n < 220; n++)
        wr_view(&text, view_str("5A"));
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence = wr_view_of(&text),
                            .holds = &nothing,
                            .block_size = BLOCK,
                            .extended = PLAN_EXTENDED_NO};
    assert_int_equal(plan_make(&plan, &in, &why), ERR_LIMIT);
    in.extended = PLAN_EXTENDED_YES;
    assert_int_equal(plan_make(&plan, &in, &why), OK);
    assert_int_equal(plan.place_count, 1);
    plan_finish(&plan);
    wr_free(&text);
    cap_finish(&cap);
}

/* ---- memory: rule 14 */

static void memory_is_checked_before_anything_is_deleted(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sequence;
        struct card_memory memory;
        enum err want;
        const char *why;
    } cases[] = {
        {"not told", "load", {.applications = 1}, OK, ""},
        {"just enough", "load", {.has_nonvolatile = true, .nonvolatile = 287}, OK, ""},
        {"a byte too little",
         "load",
         {.has_nonvolatile = true, .nonvolatile = 286},
         ERR_LIMIT,
         "It needs 287 bytes of non-volatile memory, the card says that it has 286 free. Nothing was "
         "deleted."},
        {"the line's own demand",
         "load parameters=EF08C6020200C8020100",
         {.has_nonvolatile = true, .nonvolatile = 768},
         OK,
         ""},
        {"the line's own demand is too much",
         "load parameters=EF08C6020200C8020100",
         {.has_nonvolatile = true, .nonvolatile = 767},
         ERR_LIMIT,
         "It needs 768 bytes of non-volatile memory, the card says that it has 767 free. Nothing was "
         "deleted."},
        {"transient", "load parameters=EF04C7020100", {.has_transient = true, .transient = 256}, OK, ""},
        {"too little transient",
         "load parameters=EF04C7020100",
         {.has_transient = true, .transient = 255},
         ERR_LIMIT,
         "It needs 256 bytes of transient memory, the card says that it has 255 free. Nothing was deleted."},
        {"nothing is loaded", "install module=F00000000101", {.has_nonvolatile = true}, OK, ""},
    };
    struct cap cap = cap_of("hello-jc222");
    /* An old version is there, and would have to go first. */
    struct registry_entry old = {
        .subset = STATUS_PACKAGES, .aid = cap.package.aid, .has_version = true, .version = {0, 9}};
    struct registry holds = {.entries = &old, .count = 1};
    for (size_t n = 0; n < COUNT(cases); n++) {
        struct plan_problem why = {.text = ""};
        struct plan_input in = {.purpose = PLAN_INSTALL,
                                .cap = &cap,
                                .sequence = view_str(cases[n].sequence),
                                .holds = &holds,
                                .memory = &cases[n].memory,
                                .block_size = BLOCK};
        enum err e = plan_make(&plan, &in, &why);
        if (e != cases[n].want || strcmp(why.text, cases[n].why) != 0)
            fail_msg("%s: %s: %s", cases[n].name, err_name(e), why.text);
        if (e == OK)
            plan_finish(&plan);
        else
            assert_int_equal(plan.count, 0);
    }
    cap_finish(&cap);
}

/* ---- STORE DATA in blocks: the whole comes out again, no header is cut, derived places neither */

static void store_blocks_of_groupings(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-jc222");
    struct registry_entry there = {.subset = STATUS_PACKAGES, .aid = cap.package.aid};
    struct registry holds = {.entries = &there, .count = 1};
    char text[TEXT_MAX];
    snprintf(text, sizeof(text),
             "personalize instance=F00000000101\n"
             "store format=dgi data=0101FF0100%0512d0102F0%0480d800110${derive:k:l:16}0103020102",
             0, 0);
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence = view_str(text),
                            .holds = &holds,
                            .kdd = VIEW_NULL,
                            .block_size = BLOCK};
    for (in.block_size = 100; in.block_size <= BLOCK; in.block_size++) {
        size_t total = 0;
        assert_int_equal(plan_make(&plan, &in, NULL), OK);
        for (size_t i = 1; i < plan.count; i++) {
            struct apdu a;
            assert_int_equal(apdu_parse(plan_apdu(&plan, i), &a), OK);
            assert_int_equal(a.p1, i + 1 == plan.count ? 0x88 : 0x08);
            assert_int_equal(a.p2, i - 1);
            assert_true(a.data.len > 0 && a.data.len <= in.block_size);
            total += a.data.len;
        }
        assert_int_equal(total, 5 + 256 + 3 + 240 + 3 + 16 + 5);
        assert_int_equal(plan.place_count, 1);
        struct apdu a;
        const struct derive_place *p = &plan.places[0];
        assert_int_equal(apdu_parse(plan_apdu(&plan, p->command), &a), OK);
        assert_true(p->offset + p->len <= a.data.len);
        plan_finish(&plan);
    }
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
        cmocka_unit_test(lines),
        cmocka_unit_test(dap_of_the_cap_file),
        cmocka_unit_test(large_load_files),
        cmocka_unit_test(extended_as_the_card_says),
        cmocka_unit_test(a_long_install),
        cmocka_unit_test(a_place_in_a_long_install),
        cmocka_unit_test(memory_is_checked_before_anything_is_deleted),
        cmocka_unit_test(store_blocks_of_groupings),
    };
    return cmocka_run_group_tests(tests, NULL, free_files);
}
