/* SPDX-License-Identifier: Apache-2.0
 *
 * One change in one component of a good file, and why it is then refused. Sizes and the Directory follow the
 * change, so that nothing else is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <cap/component.h>
#include <support/vectors.h>

enum { FILE_MAX = 16 * 1024, PATH_LEN = 512, PART_MAX = 4096 };

/* By tag: what is behind the size field. */
struct parts {
    uint8_t flags;
    struct writer info[COMPONENT_TAGS];
};

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

static void parts_read(struct parts *p, const struct cap *cap)
{
    struct reader r;
    *p = (struct parts){.flags = cap->flags};
    rd_init(&r, wr_view_of(&cap->load));
    while (rd_left(&r) > 0) {
        uint8_t tag = rd_u8(&r);
        wr_heap(&p->info[tag], PART_MAX);
        wr_view(&p->info[tag],
                component_is_wide(tag, p->flags) ? rd_view32(&r, PART_MAX) : rd_view16(&r, PART_MAX));
    }
    assert_true(rd_done(&r));
}

static void parts_free(struct parts *p)
{
    for (unsigned tag = 0; tag < COMPONENT_TAGS; tag++)
        wr_free(&p->info[tag]);
}

/* Takes del bytes out at a place of a component and puts others in. */
static void parts_change(struct parts *p, unsigned tag, size_t at, size_t del, const char *hex)
{
    struct writer made;
    struct view old = wr_view_of(&p->info[tag]);
    wr_heap(&made, PART_MAX);
    assert_true(at + del <= old.len);
    wr_view(&made, view_head(old, at));
    assert_int_equal(hex_read(view_str(hex), &made), OK);
    wr_view(&made, view_tail(old, at + del));
    wr_free(&p->info[tag]);
    p->info[tag] = made;
}

/* The Directory says how large each is; in the compact format, each by two bytes. */
static void parts_follow(struct parts *p)
{
    struct writer *d = &p->info[COMPONENT_DIRECTORY];
    for (unsigned tag = 1; tag <= COMPONENT_EXPORT; tag++) {
        d->data[2 * (tag - 1)] = (uint8_t)(p->info[tag].len >> 8);
        d->data[2 * (tag - 1) + 1] = (uint8_t)p->info[tag].len;
    }
}

static void parts_write(const struct parts *p, struct writer *out)
{
    for (const uint8_t *tag = component_load_order(); *tag != 0; tag++) {
        struct view v = wr_view_of(&p->info[*tag]);
        if (v.len == 0)
            continue;
        wr_u8(out, *tag);
        if (component_is_wide(*tag, p->flags))
            wr_view32(out, v);
        else
            wr_view16(out, v);
    }
    assert_true(wr_ok(out));
}

static const struct {
    const char *name, *base;
    unsigned tag;
    size_t at, del;
    const char *put;
    enum err want;
    const char *why;
} rows[] = {
    {"format 2.0", "hello-jc222", COMPONENT_HEADER, 4, 1, "00", ERR_UNSUPPORTED,
     "Header: CAP format 2.0, 2.1 to 2.3 are known"},
    {"format 2.4", "hello-jc222", COMPONENT_HEADER, 4, 1, "04", ERR_UNSUPPORTED,
     "Header: CAP format 2.4, 2.1 to 2.3 are known"},
    {"format 3.1", "hello-jc222", COMPONENT_HEADER, 5, 1, "03", ERR_UNSUPPORTED,
     "Header: CAP format 3.1, 2.1 to 2.3 are known"},
    {"unknown flag", "hello-jc222", COMPONENT_HEADER, 6, 1, "14", ERR_UNSUPPORTED,
     "Header: unknown flags 14"},
    {"extended in 2.1", "hello-jc222", COMPONENT_HEADER, 6, 1, "0C", ERR_UNSUPPORTED,
     "Header: unknown flags 0C"},
    {"2.2 without a name", "hello-debug-jc222", COMPONENT_HEADER, 15, 6, "", ERR_FORMAT,
     "Header: its end is not where it should be"},
    {"2.2 with a name cut", "hello-debug-jc222", COMPONENT_HEADER, 20, 1, "", ERR_FORMAT,
     "Header: its end is not where it should be"},
    {"2.2 with an empty name", "hello-debug-jc222", COMPONENT_HEADER, 15, 6, "00", OK, ""},
    {"name with a line end", "hello-debug-jc222", COMPONENT_HEADER, 16, 1, "0A", ERR_FORMAT,
     "Header: a package name that is none"},
    {"name with a DEL", "hello-debug-jc222", COMPONENT_HEADER, 16, 1, "7F", ERR_FORMAT,
     "Header: a package name that is none"},
    {"public package with an AID of 4 bytes", "extended-jc310", COMPONENT_HEADER, 18, 1, "04", ERR_FORMAT,
     "Header: its end is not where it should be"},
    {"more public packages than there are", "extended-jc310", COMPONENT_HEADER, 15, 1, "02", ERR_FORMAT,
     "Header: its end is not where it should be"},

    {"Directory with more", "hello-jc222", COMPONENT_DIRECTORY, 31, 0, "00", ERR_FORMAT,
     "Directory: its end is not where it should be"},
    {"Directory with a custom component", "hello-jc222", COMPONENT_DIRECTORY, 30, 1,
     "01800001"
     "05F000000001",
     ERR_UNSUPPORTED, "Directory: says 1 custom components, none are known"},
    {"Directory with another image size", "hello-jc222", COMPONENT_DIRECTORY, 22, 2, "0004", ERR_FORMAT,
     "Directory: says other sizes of static fields than StaticField"},
    {"Directory with another array count", "hello-jc222", COMPONENT_DIRECTORY, 24, 2, "0000", ERR_FORMAT,
     "Directory: says other sizes of static fields than StaticField"},
    {"Directory of 2.3 without resources", "hello-resource-jc310", COMPONENT_DIRECTORY, 24, 4, "00000000",
     ERR_FORMAT, "Directory: says 0 bytes for StaticResources, there are 27"},
    {"Directory with another size of Debug", "hello-debug-jc222", COMPONENT_DIRECTORY, 22, 2, "0000", OK, ""},
    {"Directory with another size of Descriptor", "hello-jc222", COMPONENT_DIRECTORY, 20, 2, "0000", OK, ""},

    {"import with an AID of 4 bytes", "hello-jc222", COMPONENT_IMPORT, 3, 1, "04", ERR_FORMAT,
     "Import: does not hold the 2 packages that it says"},
    {"more than the imports", "hello-jc222", COMPONENT_IMPORT, 21, 0, "00", ERR_FORMAT,
     "Import: does not hold the 2 packages that it says"},
    {"more than the applets", "hello-jc222", COMPONENT_APPLET, 10, 0, "00", ERR_FORMAT,
     "Applet: does not hold the 1 applets that it says"},
    {"65 applets", "hello-jc222", COMPONENT_APPLET, 0, 1, "41", ERR_LIMIT,
     "Applet: 65 applets, at most 64 are possible"},
    {"install() at the end", "hello-jc222", COMPONENT_APPLET, 8, 2, "0059", ERR_FORMAT,
     "Applet: install() of F00000000101 lies outside of Method"},
    {"install() at the last byte", "hello-jc222", COMPONENT_APPLET, 8, 2, "0058", OK, ""},
    {"applets in a library", "lib-1.0-jc222", COMPONENT_HEADER, 6, 1, "06", ERR_FORMAT,
     "Header says there are applets, but Applet is missing"},
    {"an applet that the flags do not tell", "hello-jc222", COMPONENT_HEADER, 6, 1, "00", ERR_FORMAT,
     "Header says no applets, but Applet is there"},
    {"exports that the flags do not tell", "purse-jc222", COMPONENT_HEADER, 6, 1, "04", ERR_FORMAT,
     "Header says no exports, but Export is there"},
    {"exports told, but not there", "hello-jc222", COMPONENT_HEADER, 6, 1, "06", ERR_FORMAT,
     "Header says there are exports, but Export is missing"},

    {"pool with tag 0", "hello-jc222", COMPONENT_CONSTANT_POOL, 2, 1, "00", ERR_FORMAT,
     "ConstantPool: entry 0 has the unknown tag 00"},
    {"pool with tag 7", "hello-jc222", COMPONENT_CONSTANT_POOL, 38, 1, "07", ERR_FORMAT,
     "ConstantPool: entry 9 has the unknown tag 07"},
    {"pool with more", "hello-jc222", COMPONENT_CONSTANT_POOL, 42, 0, "00", ERR_FORMAT,
     "ConstantPool: its parts do not fit its size"},
    {"superclass of a package that is not imported", "hello-jc222", COMPONENT_CLASS, 1, 1, "82", ERR_FORMAT,
     "Class: is cut, or refers to a class that is not there"},
    {"no superclass", "hello-jc222", COMPONENT_CLASS, 1, 2, "FFFF", OK, ""},
    {"class with an interface", "hello-jc222", COMPONENT_CLASS, 0, 12,
     "018003"
     "00FF000701000000"
     "1C"
     "8001"
     "0101",
     OK, ""},
    {"class with an interface that is not there", "hello-jc222", COMPONENT_CLASS, 0, 12,
     "018003"
     "00FF000701000000"
     "1C"
     "7FFF"
     "0101",
     ERR_FORMAT, "Class: is cut, or refers to a class that is not there"},
    {"interface in front", "hello-jc222", COMPONENT_CLASS, 0, 0, "818001", OK, ""},
    {"interface of an interface that is not there", "hello-jc222", COMPONENT_CLASS, 0, 0, "817FFF",
     ERR_FORMAT, "Class: is cut, or refers to a class that is not there"},
    {"remote interface, with its name", "hello-debug-jc222", COMPONENT_CLASS, 2, 0, "A00361626380", OK, ""},
    {"remote class", "hello-debug-jc222", COMPONENT_CLASS, 2, 12,
     "208003"
     "00FF000701000000"
     "1C"
     "01AABBCCDD00"
     "00"
     "0161"
     "018001",
     OK, ""},
    {"remote class, cut", "hello-debug-jc222", COMPONENT_CLASS, 2, 12,
     "208003"
     "00FF000701000000"
     "1C"
     "01AABBCCDD00"
     "00"
     "0161"
     "0180",
     ERR_FORMAT, "Class: is cut, or refers to a class that is not there"},
    {"signature pool longer than Class", "hello-debug-jc222", COMPONENT_CLASS, 0, 2, "00FF", ERR_FORMAT,
     "Class: is cut, or refers to a class that is not there"},
    {"tokens of public methods cut", "hello-jc310", COMPONENT_CLASS, 22, 1, "", ERR_FORMAT,
     "Class: is cut, or refers to a class that is not there"},
    {"Method ends in its handlers", "hello-jc222", COMPONENT_METHOD, 0, 1, "0C", ERR_FORMAT,
     "Method: says 12 exception handlers, there are fewer"},
    {"Method with an opcode behind the last", "hello-jc222", COMPONENT_METHOD, 3, 1, "B9", ERR_FORMAT,
     "Method: begins with B9, which is no bytecode"},
    {"Method with the last opcode", "hello-jc222", COMPONENT_METHOD, 3, 1, "B8", OK, ""},
    {"Method with impdep1", "hello-jc222", COMPONENT_METHOD, 3, 1, "FE", ERR_FORMAT,
     "Method: begins with FE, which is no bytecode"},
    {"Method with a long header, then no opcode", "hello-jc222", COMPONENT_METHOD, 1, 5, "80010101FA",
     ERR_FORMAT, "Method: begins with FA, which is no bytecode"},
    {"first method is abstract", "hello-jc222", COMPONENT_METHOD, 1, 3, "4010FA", OK, ""},
    {"Method with blocks outside", "extended-jc310", COMPONENT_METHOD, 1, 4, "00000145", ERR_FORMAT,
     "Method: its parts do not fit its size"},
    {"static array of references", "hello-jc222", COMPONENT_STATIC_FIELD, 6, 1, "01", ERR_FORMAT,
     "StaticField: its parts do not fit its size"},
    {"static array of an unknown type", "hello-jc222", COMPONENT_STATIC_FIELD, 6, 1, "06", ERR_FORMAT,
     "StaticField: its parts do not fit its size"},
    {"static array cut", "hello-jc222", COMPONENT_STATIC_FIELD, 7, 2, "00FF", ERR_FORMAT,
     "StaticField: its parts do not fit its size"},
    {"static values that are not there", "hello-jc222", COMPONENT_STATIC_FIELD, 22, 2, "0001", ERR_FORMAT,
     "StaticField: its parts do not fit its size"},
    {"a static field that the image lacks", "hello-jc222", COMPONENT_STATIC_FIELD, 20, 4, "00010000",
     ERR_FORMAT, "StaticField: an image of 2 bytes, but fields of 3"},
    {"a static reference less than arrays", "hello-jc222", COMPONENT_STATIC_FIELD, 2, 2, "0000", ERR_FORMAT,
     "StaticField: an image of 2 bytes, but fields of 0"},
    {"no static references for arrays", "hello-jc222", COMPONENT_STATIC_FIELD, 2, 22,
     "0000"
     "0001"
     "03000B"
     "48656C6C6F2C2063617264"
     "0002"
     "0000",
     ERR_FORMAT, "StaticField: an image of 2 bytes, but fields of 2"},
    {"first places cut", "hello-jc222", COMPONENT_REF_LOCATION, 0, 2, "0001", ERR_FORMAT,
     "RefLocation: its parts do not fit its size"},
    {"more than the places", "hello-jc222", COMPONENT_REF_LOCATION, 16, 0, "00", ERR_FORMAT,
     "RefLocation: its parts do not fit its size"},
    {"a one-byte place outside of Method", "hello-jc222", COMPONENT_REF_LOCATION, 0, 2,
     "0002"
     "FF01",
     ERR_FORMAT, "RefLocation: a place outside of Method"},
    {"export of a class that is not there", "purse-jc222", COMPONENT_EXPORT, 1, 2, "7FFF", ERR_FORMAT,
     "Export: is cut, or exports what is not there"},
    {"export of a method that is not there", "lib-1.0-jc222", COMPONENT_EXPORT, 7, 2, "7FFF", ERR_FORMAT,
     "Export: is cut, or exports what is not there"},
    {"export cut", "purse-jc222", COMPONENT_EXPORT, 0, 1, "02", ERR_FORMAT,
     "Export: is cut, or exports what is not there"},
    {"export of fields that are not there", "purse-jc222", COMPONENT_EXPORT, 3, 1, "01", ERR_FORMAT,
     "Export: is cut, or exports what is not there"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parts p;
        struct writer row;
        struct cap_problem why = {""};
        struct cap cap = cap_of(rows[i].base);
        print_message("row %s\n", rows[i].name);
        parts_read(&p, &cap);
        cap_finish(&cap);
        parts_change(&p, rows[i].tag, rows[i].at, rows[i].del, rows[i].put);
        if ((p.flags & CAP_EXTENDED) == 0)
            parts_follow(&p);
        wr_heap(&row, FILE_MAX);
        parts_write(&p, &row);
        enum err e = cap_read(&cap, wr_view_of(&row), &why);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(e, rows[i].want);
        if (e == OK) {
            assert_true(view_equal(wr_view_of(&row), wr_view_of(&cap.load)));
            cap_finish(&cap);
        }
        wr_free(&row);
        parts_free(&p);
    }
}

/* Rows of components: what stands in which order. hello: Header 18 bytes, Directory 34, then the others. */
static const struct {
    const char *name;
    size_t head, tail; /* of the good row: its first head bytes, and what is behind its first tail bytes */
    const char *front, *between, *behind;
    enum err want;
    const char *why;
} orders[] = {
    {"as it is", 287, 287, "", "", "", OK, ""},
    {"with Descriptor, which is left out", 287, 287, "", "", "0B000100", OK, ""},
    {"with Debug, which is left out", 287, 287, "", "", "0B0001000C0001FF", OK, ""},
    {"Descriptor in front of others", 18, 18, "", "0B000100", "", ERR_FORMAT,
     "Directory is not in load order"},
    {"Descriptor twice", 287, 287, "", "", "0B0001000B000100", ERR_FORMAT, "Descriptor is not in load order"},
    {"Debug before Descriptor", 287, 287, "", "", "0C0001000B000100", ERR_FORMAT,
     "Descriptor is not in load order"},
    {"Descriptor cut", 287, 287, "", "", "0B000200", ERR_FORMAT,
     "Descriptor: says 5 bytes, the file ends before"},
    {"size field cut", 287, 287, "", "", "0B00", ERR_FORMAT,
     "Descriptor: says 3 bytes, the file ends before"},
    {"a byte behind", 287, 287, "", "", "00", ERR_FORMAT, "a component with the unknown tag 00"},
    {"tag 0E behind", 287, 287, "", "", "0E000100", ERR_FORMAT, "a component with the unknown tag 0E"},
    {"Directory missing", 18, 52, "", "", "", ERR_FORMAT, "Directory is missing"},
    {"the last missing", 268, 287, "", "", "", ERR_FORMAT, "RefLocation is missing"},
    {"an empty component", 268, 287, "", "", "090000", ERR_FORMAT, "RefLocation: is empty"},
    {"Header twice", 18, 0, "", "", "", ERR_FORMAT, "Header is not in load order"},
    {"resources in 2.1", 287, 287, "", "", "0D00000001FF", ERR_FORMAT,
     "StaticResources: not in CAP format 2.1"},
    {"nothing in front of Header", 287, 287, "00", "", "", ERR_FORMAT,
     "neither a ZIP archive nor components in load order"},
};

static void test_orders(void **state)
{
    (void)state;
    struct cap good = cap_of("hello-jc222");
    assert_int_equal(good.load.len, 287);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct writer row;
        struct cap cap;
        struct cap_problem why = {""};
        struct view load = wr_view_of(&good.load);
        print_message("row %s\n", orders[i].name);
        wr_heap(&row, FILE_MAX);
        assert_int_equal(hex_read(view_str(orders[i].front), &row), OK);
        wr_view(&row, view_head(load, orders[i].head));
        assert_int_equal(hex_read(view_str(orders[i].between), &row), OK);
        wr_view(&row, view_tail(load, orders[i].tail));
        assert_int_equal(hex_read(view_str(orders[i].behind), &row), OK);
        enum err e = cap_read(&cap, wr_view_of(&row), &why);
        assert_string_equal(why.text, orders[i].why);
        assert_int_equal(e, orders[i].want);
        if (e == OK)
            cap_finish(&cap);
        wr_free(&row);
    }
    cap_finish(&good);
}

/* Components that no file here has: a package of interfaces has no methods. */
static void test_method(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method;
        enum err want;
        const char *why;
    } methods[] = {
        {"no methods", "00", OK, ""},
        {"one handler, no methods", "010000000100010000", OK, ""},
        {"header cut",
         "00"
         "01",
         ERR_FORMAT, "Method: its parts do not fit its size"},
        {"header without bytecode",
         "00"
         "0110",
         ERR_FORMAT, "Method: its parts do not fit its size"},
        {"long header cut",
         "00"
         "800110",
         ERR_FORMAT, "Method: its parts do not fit its size"},
        {"abstract, cut",
         "00"
         "40",
         ERR_FORMAT, "Method: its parts do not fit its size"},
        {"abstract alone",
         "00"
         "4010",
         OK, ""},
    };
    static const uint8_t zeros[10];
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        uint8_t memory[16];
        size_t len = 0;
        struct cap_problem why = {""};
        struct cap cap = {.format_major = 2, .format_minor = 1};
        struct components c = {.folder = ""};
        print_message("row %s\n", methods[i].name);
        assert_int_equal(hex_read_str(methods[i].method, memory, sizeof(memory), &len), OK);
        c.info[COMPONENT_METHOD] = view_of(memory, len);
        c.info[COMPONENT_CONSTANT_POOL] = view_of(zeros, 2);
        c.info[COMPONENT_STATIC_FIELD] = view_of(zeros, 10);
        c.info[COMPONENT_REF_LOCATION] = view_of(zeros, 4);
        assert_int_equal(component_code(&c, &cap, &why), methods[i].want);
        assert_string_equal(why.text, methods[i].why);
    }
}

/* Each component may be large, but not all together. */
static void test_too_much_to_load(void **state)
{
    (void)state;
    struct cap cap = cap_of("hello-resource-jc310");
    for (size_t more = 0; more <= 1; more++) {
        struct cap read;
        struct cap_problem why = {""};
        struct writer row;
        struct view load = wr_view_of(&cap.load);
        /* What is there without resources (5 bytes of frame, 27 of contents), then resources up to the limit.
         */
        size_t rest = load.len - 32, len = LOAD_FILE_MAX - rest - 5 + more;
        wr_heap(&row, 2 * LOAD_FILE_MAX);
        wr_view(&row, view_head(load, rest));
        wr_u8(&row, COMPONENT_STATIC_RESOURCES);
        wr_u32(&row, (uint32_t)len);
        assert_non_null(wr_reserve(&row, len));
        for (size_t i = 0; i < 4; i++)
            row.data[19 + 3 + 24 + i] = (uint8_t)(len >> (24 - 8 * i));
        enum err e = cap_read(&read, wr_view_of(&row), &why);
        assert_string_equal(why.text, more ? "1048577 bytes to load, at most 1048576 are possible" : "");
        assert_int_equal(e, more ? ERR_LIMIT : OK);
        if (e == OK)
            cap_finish(&read);
        wr_free(&row);
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
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_method),
        cmocka_unit_test(test_too_much_to_load),
    };
    return cmocka_run_group_tests(tests, NULL, free_files);
}
