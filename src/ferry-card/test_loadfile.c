/* SPDX-License-Identifier: Apache-2.0
 *
 * Load files: the stream in every partition; components that are right; and one fault each that must be
 * found. The faults are made from the good file, sizes in the Directory component included where just that is
 * not the fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <apdu/apdu.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

#include "loadfile.h"

enum { FILE_ROOM = 4096 };

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static struct view read_file(const char *name)
{
    static uint8_t bytes[FILE_ROOM];
    char path[512];
    snprintf(path, sizeof path, CF_DATA "/caps/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return view_of(bytes, len);
}

/* ---- components by tag ---- */

struct parts {
    uint8_t bytes[16][FILE_ROOM];
    size_t len[16]; /* what follows tag and size */
    uint8_t order[16];
    size_t count;
};

static void split(struct view file, struct parts *p)
{
    struct reader r;
    memset(p, 0, sizeof *p);
    rd_init(&r, file);
    while (rd_left(&r) != 0) {
        uint8_t tag = rd_u8(&r);
        struct view info = rd_view16(&r, FILE_ROOM);
        assert_true(rd_ok(&r) && tag < 16);
        memcpy(p->bytes[tag], info.data, info.len);
        p->len[tag] = info.len;
        p->order[p->count++] = tag;
    }
}

static struct view join(const struct parts *p)
{
    static uint8_t bytes[FILE_ROOM];
    struct writer w;
    wr_fixed(&w, bytes, sizeof bytes);
    for (size_t n = 0; n < p->count; n++) {
        wr_u8(&w, p->order[n]);
        wr_view16(&w, view_of(p->bytes[p->order[n]], p->len[p->order[n]]));
    }
    assert_true(wr_ok(&w));
    return wr_view_of(&w);
}

/* Writes the size of a component where Directory has it. */
static void tell_directory(struct parts *p, uint8_t tag)
{
    p->bytes[2][2 * (tag - 1)] = (uint8_t)(p->len[tag] >> 8);
    p->bytes[2][2 * (tag - 1) + 1] = (uint8_t)p->len[tag];
}

static enum err parse(struct view file, const char **why)
{
    struct loadfile_info info;
    return loadfile_parse(file, &info, why);
}

/* ---- good ones ---- */

static void a_good_file_is_read(void **state)
{
    struct loadfile_info info;
    const char *why = NULL;
    (void)state;
    assert_int_equal(loadfile_parse(read_file("odd/hello.ijc"), &info, &why), OK);
    assert_true(card_aid_is(&info.package.aid, vector_hex("F000000001")));
    assert_int_equal(info.package.major, 1);
    assert_int_equal(info.package.minor, 0);
    assert_int_equal(info.format_major, 2);
    assert_int_equal(info.format_minor, 1);
    assert_int_equal(info.package.module_count, 1);
    assert_true(card_aid_is(&info.package.modules[0], vector_hex("F00000000101")));
    assert_int_equal(info.package.import_count, 2);
    assert_true(card_aid_is(&info.package.imports[0].aid, vector_hex("A0000000620101")));
    assert_int_equal(info.package.imports[0].minor, 3);
    assert_true(card_aid_is(&info.package.imports[1].aid, vector_hex("A0000000620001")));
}

/* ---- faults ---- */

enum change {
    SET,    /* bytes at an offset, in place */
    CUT,    /* to a length; Directory is told */
    APPEND, /* bytes; Directory is told */
    LIE,    /* Directory says another size */
    DROP,   /* the component is not there */
    SWAP    /* with the component before it */
};

static const struct fault {
    const char *name;
    uint8_t tag;
    enum change change;
    size_t at;
    const char *bytes;
} faults[] = {
    {"magic", 1, SET, 0, "CAFEBABE"},
    {"format 9.9", 1, SET, 4, "0909"},
    {"format 2.0", 1, SET, 4, "0002"},
    {"format 2.4", 1, SET, 4, "0402"},
    {"header cut after the magic", 1, CUT, 4, NULL},
    {"package AID of 4 bytes", 1, SET, 9, "04"},
    {"package AID of 17 bytes", 1, SET, 9, "11"},
    {"package AID longer than the header", 1, SET, 9, "10"},
    {"header with more behind", 1, APPEND, 0, "000000"},
    {"flag says no applets", 1, SET, 6, "00"},
    {"flag says exports", 1, SET, 6, "06"},
    {"flag says extended, format does not know it", 1, SET, 6, "0C"},
    {"directory size of Method", 7, LIE, 90, NULL},
    {"directory size of Import", 4, LIE, 1, NULL},
    {"directory size of Header", 1, LIE, 14, NULL},
    {"directory size of Export, which is not there", 10, LIE, 4, NULL},
    {"directory says 7 imports", 2, SET, 28, "07"},
    {"directory says 2 applets", 2, SET, 29, "02"},
    {"directory says 255 custom components", 2, SET, 30, "FF"},
    {"directory cut", 2, CUT, 10, NULL},
    {"directory with more behind", 2, APPEND, 0, "00"},
    {"directory says another image", 2, SET, 22, "0003"},
    {"directory says other arrays", 2, SET, 24, "0002"},
    {"imports: says 100", 4, SET, 0, "64"},
    {"imports: 255", 4, SET, 0, "FF"},
    {"imports: AID of 17 bytes", 4, SET, 3, "11"},
    {"imports: AID of 4 bytes", 4, SET, 3, "04"},
    {"imports: more behind", 4, APPEND, 0, "00"},
    {"imports: cut", 4, CUT, 12, NULL},
    {"applets: none", 3, SET, 0, "00"},
    {"applets: says 9", 3, SET, 0, "09"},
    {"applets: AID of 4 bytes", 3, SET, 1, "04"},
    {"applets: AID of 17 bytes", 3, SET, 1, "11"},
    {"applets: another RID", 3, SET, 6, "99"},
    {"applets: install outside of Method", 3, SET, 8, "FFF0"},
    {"applets: more behind", 3, APPEND, 0, "00"},
    {"class: cut in a method table", 6, CUT, 9, NULL},
    {"class: superclass outside", 6, SET, 1, "7FF0"},
    {"method: 255 handlers", 7, SET, 0, "FF"},
    {"static field: 60000 arrays", 8, SET, 4, "EA60"},
    {"static field: image of 1 byte", 8, SET, 0, "0001"},
    {"static field: more behind", 8, APPEND, 0, "00"},
    {"static field: cut", 8, CUT, 20, NULL},
    {"constant pool: 65535 entries", 5, SET, 0, "FFFF"},
    {"constant pool: tag 9", 5, SET, 2, "09"},
    {"constant pool: tag 0", 5, SET, 2, "00"},
    {"constant pool: fewer entries than bytes", 5, SET, 0, "0009"},
    {"reference locations: 65535", 9, SET, 0, "FFFF"},
    {"reference locations: a place far outside", 9, SET, 4, "FF"},
    {"reference locations: cut", 9, CUT, 15, NULL},
    {"no Header", 1, DROP, 0, NULL},
    {"no Directory", 2, DROP, 0, NULL},
    {"no Applet", 3, DROP, 0, NULL},
    {"no Import", 4, DROP, 0, NULL},
    {"no ConstantPool", 5, DROP, 0, NULL},
    {"no Class", 6, DROP, 0, NULL},
    {"no Method", 7, DROP, 0, NULL},
    {"no StaticField", 8, DROP, 0, NULL},
    {"no RefLocation", 9, DROP, 0, NULL},
    {"order: Directory first", 2, SWAP, 0, NULL},
    {"order: Applet before Import", 3, SWAP, 0, NULL},
    {"order: Method before Class", 7, SWAP, 0, NULL},
    {"order: RefLocation before ConstantPool", 9, SWAP, 0, NULL},
};

static size_t place_of(const struct parts *p, uint8_t tag)
{
    size_t n = 0;
    while (n < p->count && p->order[n] != tag)
        n++;
    return n;
}

static void drop(struct parts *p, uint8_t tag)
{
    size_t n = place_of(p, tag);
    memmove(&p->order[n], &p->order[n + 1], p->count - n - 1);
    p->count--;
    p->len[tag] = 0;
    if (tag != 2)
        tell_directory(p, tag);
}

static void make(struct parts *p, const struct fault *f)
{
    struct view bytes = f->bytes != NULL ? vector_hex(f->bytes) : VIEW_NULL;
    size_t n = place_of(p, f->tag), lie = f->at;
    switch (f->change) {
    case SET:
        memcpy(p->bytes[f->tag] + f->at, bytes.data, bytes.len);
        break;
    case CUT:
        p->len[f->tag] = f->at;
        tell_directory(p, f->tag);
        break;
    case APPEND:
        memcpy(p->bytes[f->tag] + p->len[f->tag], bytes.data, bytes.len);
        p->len[f->tag] += bytes.len;
        tell_directory(p, f->tag);
        break;
    case LIE:
        p->bytes[2][2 * (f->tag - 1)] = 0;
        p->bytes[2][2 * (f->tag - 1) + 1] = (uint8_t)lie;
        break;
    case DROP:
        drop(p, f->tag);
        break;
    case SWAP:
        p->order[n] = p->order[n - 1];
        p->order[n - 1] = f->tag;
        break;
    }
}

static void each_fault_is_found(void **state)
{
    static struct parts p;
    (void)state;
    for (size_t n = 0; n < sizeof faults / sizeof faults[0]; n++) {
        const char *why = "";
        split(read_file("odd/hello.ijc"), &p);
        make(&p, &faults[n]);
        enum err e = parse(join(&p), &why);
        if (e != ERR_FORMAT || why[0] == '\0')
            fail_msg("%s: %s", faults[n].name, err_name(e));
    }
}

static void the_order_of_the_sample_is_refused(void **state)
{
    const char *why = "";
    (void)state;
    assert_int_equal(parse(read_file("bad/order.ijc"), &why), ERR_FORMAT);
}

static void tags_that_are_not_for_cards(void **state)
{
    static const uint8_t tags[] = {0, 12, 14, 127, 1, 9};
    static uint8_t file[FILE_ROOM];
    (void)state;
    for (size_t n = 0; n < sizeof tags; n++) {
        const char *why = "";
        struct view good = read_file("odd/hello.ijc");
        struct writer w;
        wr_fixed(&w, file, sizeof file);
        wr_view(&w, good);
        wr_u8(&w, tags[n]);
        wr_view16(&w, vector_hex("00"));
        if (parse(wr_view_of(&w), &why) != ERR_FORMAT)
            fail_msg("tag %u", tags[n]);
    }
}

/* Custom components are taken when Directory names them; Descriptor may come, Directory's size must be its.
 */
static void what_may_follow(void **state)
{
    static struct parts p;
    static uint8_t file[FILE_ROOM], descriptor[0x61];
    static const struct {
        const char *name, *directory_end, *behind;
        bool descriptor;
        enum err e;
    } rows[] = {{"named custom",
                 "01"
                 "80"
                 "0003"
                 "05F000000001",
                 "800003AABBCC", false, OK},
                {"named, not there",
                 "01"
                 "80"
                 "0003"
                 "05F000000001",
                 "", false, OK},
                {"not named", "00", "800003AABBCC", false, ERR_FORMAT},
                {"named with another size",
                 "01"
                 "80"
                 "0002"
                 "05F000000001",
                 "800003AABBCC", false, ERR_FORMAT},
                {"empty",
                 "01"
                 "80"
                 "0000"
                 "05F000000001",
                 "800000", false, ERR_FORMAT},
                {"Descriptor", "00", "", true, OK}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        const char *why = "";
        struct writer w;
        split(read_file("odd/hello.ijc"), &p);
        struct view end = vector_hex(rows[n].directory_end);
        memcpy(p.bytes[2] + 30, end.data, end.len);
        p.len[2] = 30 + end.len;
        tell_directory(&p, 2);
        wr_fixed(&w, file, sizeof file);
        wr_view(&w, join(&p));
        if (rows[n].descriptor) {
            wr_u8(&w, 11);
            wr_view16(&w, VIEW_OF(descriptor));
        }
        wr_view(&w, vector_hex(rows[n].behind));
        enum err e = parse(wr_view_of(&w), &why);
        if (e != rows[n].e)
            fail_msg("%s: %s (%s)", rows[n].name, err_name(e), why);
    }
}

/* Two applets, and two that are one. */
static void applets_have_aids_of_their_own(void **state)
{
    static struct parts p;
    static const struct {
        const char *second;
        enum err e;
    } rows[] = {{"06F000000001020008", OK}, {"06F000000001010008", ERR_FORMAT}};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        const char *why = "";
        struct view second = vector_hex(rows[n].second);
        split(read_file("odd/hello.ijc"), &p);
        p.bytes[3][0] = 2;
        memcpy(p.bytes[3] + p.len[3], second.data, second.len);
        p.len[3] += second.len;
        tell_directory(&p, 3);
        p.bytes[2][29] = 2;
        assert_int_equal(parse(join(&p), &why), rows[n].e);
    }
}

/* So many custom components as there may be, and one more; and one that stands too early. */
static void custom_components_are_bounded(void **state)
{
    static struct parts p;
    static uint8_t file[FILE_ROOM];
    (void)state;
    for (size_t count = 15; count <= 17; count++) {
        const char *why = "";
        struct writer w, directory;
        split(read_file("odd/hello.ijc"), &p);
        wr_fixed(&directory, p.bytes[2] + 30, FILE_ROOM - 30);
        wr_u8(&directory, (uint8_t)count);
        for (size_t n = 0; n < count; n++) {
            wr_u8(&directory, (uint8_t)(0x80 + n));
            wr_u16(&directory, 1);
            wr_view8(&directory, vector_hex("F000000001"));
        }
        p.len[2] = 30 + directory.len;
        tell_directory(&p, 2);
        wr_fixed(&w, file, sizeof file);
        wr_view(&w, join(&p));
        for (size_t n = 0; n < count; n++) {
            wr_u8(&w, (uint8_t)(0x80 + n));
            wr_view16(&w, vector_hex("55"));
        }
        enum err e = parse(wr_view_of(&w), &why);
        if (e != (count <= 16 ? OK : ERR_FORMAT))
            fail_msg("%zu: %s (%s)", count, err_name(e), why);
    }
    const char *why = "";
    struct view header = view_head(read_file("odd/hello.ijc"), 18);
    struct writer w;
    wr_fixed(&w, file, sizeof file);
    wr_view(&w, header);
    wr_view(&w, vector_hex("80000155"));
    wr_view(&w, view_tail(read_file("odd/hello.ijc"), 18));
    assert_int_equal(parse(wr_view_of(&w), &why), ERR_FORMAT);
    assert_non_null(strstr(why, "too early"));
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct view file = read_file("odd/hello.ijc");
    for (size_t len = 0; len < file.len; len++) {
        const char *why = "";
        if (parse(view_head(file, len), &why) != ERR_FORMAT || why[0] == '\0')
            fail_msg("%zu bytes", len);
    }
}

/* ---- the stream ---- */

static uint16_t feed_in_two(struct loadfile *lf, struct view file, size_t cut)
{
    uint16_t sw = loadfile_feed(lf, view_head(file, cut));
    return sw == SW_OK ? loadfile_feed(lf, view_tail(file, cut)) : sw;
}

static void the_stream_comes_in_pieces(void **state)
{
    static const struct {
        const char *bytes;
        uint16_t sw;
        bool complete;
    } rows[] = {{"C403010203", SW_OK, true},
                {"C48103010203", SW_OK, true},
                {"C4820003010203", SW_OK, true},
                {"C483000003010203", SW_OK, true},
                {"C40301020304", SW_WRONG_DATA, false},
                {"C4030102", SW_OK, false},
                {"C4", SW_OK, false},
                {"C48200", SW_OK, false},
                {"C400", SW_WRONG_DATA, false},
                {"C480010203", SW_WRONG_DATA, false},
                {"C48400000003010203", SW_WRONG_DATA, false},
                {"C40A01", SW_NOT_ENOUGH_MEMORY, false},
                {"E203010203", SW_WRONG_DATA, false}, /* no DAP block */
                {"E2", SW_OK, false},
                {"E2094F05F000000001C300C403010203", SW_WRONG_DATA, false},
                {"E20A4F05F000000001C30109C403010203", SW_OK, true},
                {"E20A4F05F000000001C30109E2810A4F05F000000002C30109C403010203", SW_OK, true},
                {"E20A4F05F000000001C301", SW_OK, false},
                {"E2084F03F00000C30109", SW_WRONG_DATA, false},
                {"E2820281", SW_WRONG_DATA, false}, /* longer than the longest signature */
                {"D308A1A2A3A4A5A6A7A8D408A1A2A3A4A5A6A7A8", SW_OK, true},
                {"D307A1A2A3A4A5A6A7", SW_WRONG_DATA, false},
                {"D308A1A2A3A4A5A6A7A8C403010203", SW_WRONG_DATA, false},
                {"D308A1A2A3A4A5A6A7A8D308", SW_OK, false},
                {"D308A1A2A3A4A5A6A7A8D308A1A2A3A4A5A6A7A8", SW_WRONG_DATA, false},
                {"D308A1A2A3A4A5A6A7A8E20A4F05F000000001C30109", SW_WRONG_DATA, false},
                {"D403010203", SW_OK, true},
                {"C50101", SW_WRONG_DATA, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct view v = vector_hex(rows[n].bytes);
        for (size_t cut = 0; cut <= v.len; cut++) {
            struct loadfile lf;
            loadfile_init(&lf, 9);
            uint16_t sw = feed_in_two(&lf, v, cut);
            if (sw != rows[n].sw || (sw == SW_OK && loadfile_complete(&lf) != rows[n].complete))
                fail_msg("%s cut at %zu: %04X", rows[n].bytes, cut, sw);
            loadfile_finish(&lf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_read),
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(the_order_of_the_sample_is_refused),
        cmocka_unit_test(tags_that_are_not_for_cards),
        cmocka_unit_test(what_may_follow),
        cmocka_unit_test(applets_have_aids_of_their_own),
        cmocka_unit_test(custom_components_are_bounded),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(the_stream_comes_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
