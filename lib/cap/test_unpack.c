/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files of an archive are components, and which are not looked at: archives with the components of a
 * good file, and others beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <cap/archive.h>

enum { FILE_MAX = 16 * 1024, PATH_LEN = 512, ENTRIES = 24 };

/* The load file of hello, to be cut into its components. */
static uint8_t hello[FILE_MAX];
static size_t hello_len;

static int read_hello(void **state)
{
    (void)state;
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/caps/odd/hello.ijc", CF_DATA);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return -1;
    hello_len = fread(hello, 1, sizeof(hello), f);
    fclose(f);
    return 0;
}

struct file {
    char name[64];
    struct view data;
    uint32_t crc, size; /* as told */
    uint16_t method;
    size_t start;
};
struct files {
    size_t count;
    struct file file[ENTRIES];
};

static uint32_t crc32_of(struct view v)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < v.len; i++) {
        crc ^= v.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static struct file *add(struct files *f, const char *name, struct view data)
{
    assert_true(f->count < ENTRIES);
    struct file *made = &f->file[f->count++];
    *made = (struct file){.data = data, .crc = crc32_of(data), .size = (uint32_t)data.len};
    snprintf(made->name, sizeof(made->name), "%s", name);
    return made;
}

static struct file *find(struct files *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->file[i].name, name) == 0)
            return &f->file[i];
    fail_msg("no file %s", name);
    return NULL;
}

static struct files hello_files(void)
{
    struct files f = {.count = 0};
    struct reader r;
    rd_init(&r, view_of(hello, hello_len));
    while (rd_left(&r) > 0) {
        char name[64];
        struct reader begin = r;
        unsigned tag = rd_u8(&begin);
        snprintf(name, sizeof(name), "hello/javacard/%s.cap", component_kind(tag)->name);
        add(&f, name, rd_view(&r, 3 + (size_t)rd_u16(&begin)));
    }
    assert_true(rd_done(&r));
    return f;
}

static void put16(struct writer *w, size_t n)
{
    wr_u8(w, (uint8_t)n);
    wr_u8(w, (uint8_t)(n >> 8));
}

static void put32(struct writer *w, size_t n)
{
    put16(w, n & 0xFFFF);
    put16(w, n >> 16);
}

/* What both headers have: from the version on to the length of the extra field. */
static void put_common(struct writer *w, const struct file *f)
{
    put16(w, 20);
    put16(w, 0);
    put16(w, f->method);
    put32(w, 0x210000);
    put32(w, f->crc);
    put32(w, f->data.len);
    put32(w, f->size);
    put16(w, strlen(f->name));
    put16(w, 0);
}

static void put_archive(struct writer *w, struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct file *f = &files->file[i];
        f->start = w->len;
        wr_view(w, view_str("PK\3\4"));
        put_common(w, f);
        wr_view(w, view_str(f->name));
        wr_view(w, f->data);
    }
    size_t start = w->len;
    for (size_t i = 0; i < files->count; i++) {
        const struct file *f = &files->file[i];
        wr_view(w, view_str("PK\1\2"));
        put16(w, 20);
        put_common(w, f);
        put16(w, 0);
        put32(w, 0);
        put32(w, 0);
        put32(w, f->start);
        wr_view(w, view_str(f->name));
    }
    size_t len = w->len - start;
    wr_view(w, view_str("PK\5\6"));
    put32(w, 0);
    put16(w, files->count);
    put16(w, files->count);
    put32(w, len);
    put32(w, start);
    put16(w, 0);
}

/* The reason, or "" when what is to be loaded is that of hello. */
static void assert_read(struct files *files, const char *want)
{
    struct writer w;
    struct cap cap;
    struct cap_problem why = {""};
    wr_heap(&w, CAP_FILE_MAX);
    put_archive(&w, files);
    assert_true(wr_ok(&w));
    enum err e = cap_read(&cap, wr_view_of(&w), &why);
    assert_string_equal(why.text, want);
    if (e == OK) {
        assert_true(view_equal(wr_view_of(&cap.load), view_of(hello, hello_len)));
        cap_finish(&cap);
    }
    wr_free(&w);
}

static void test_beside(void **state)
{
    (void)state;
    static const char *const beside[] = {
        "hello/javacard/Header.txt",
        "hello/javacard/Header",
        "hello/javacard/Method.CAP",
        "hello/javacard/header.cap",
        "hello/javacard/Header.cap.bak",
        "hello/javacard/Applet.exp",
        "hello/javacard/x/Header.cap",
        "hello/Javacard/Header.cap",
        "hello/Header.cap",
        "Header.cap",
        "javacard/Header.cap",
        "hello/javacard/Custom.cap",
        "hello/javacard/.cap",
        "hello/javacard/HeaderX.cap",
        "hello/xjavacard/Header.cap",
    };
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        struct files f = hello_files();
        print_message("row %s\n", beside[i]);
        add(&f, beside[i], view_str("?"));
        assert_read(&f, "");
    }
}

/* Descriptor and Debug are not unpacked: whatever they say costs nothing. */
static void test_not_loaded(void **state)
{
    (void)state;
    struct files f = hello_files();
    add(&f, "hello/javacard/Descriptor.cap", view_str("?"))->crc++;
    struct file *debug = add(&f, "hello/javacard/Debug.cap", view_str("?"));
    debug->method = ENTRY_DEFLATED;
    debug->size = 0x40000000;
    assert_read(&f, "");
    f = hello_files();
    add(&f, "hello/javacard/Descriptor.capx", view_str("?"));
    assert_read(&f, "");
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t wide_method[] = {0x07, 0x00, 0x00, 0x00, 0x01, 0x00};
    struct files f = hello_files();
    assert_read(&f, "");
    find(&f, "hello/javacard/Method.cap")->crc++;
    assert_read(&f, "ZIP: Method can't be unpacked to its size and checksum");
    f = hello_files();
    add(&f, "hello/javacard/Method.capx", VIEW_OF(wide_method));
    assert_read(&f, "ZIP: two files for Method");
    f = hello_files();
    snprintf(find(&f, "hello/javacard/Method.cap")->name, sizeof(f.file[0].name),
             "hello/javacard/Method.capx");
    assert_read(&f, "Method: says 5832705 bytes, there are 87");
    find(&f, "hello/javacard/Method.capx")->data = VIEW_OF(wide_method);
    find(&f, "hello/javacard/Method.capx")->size = sizeof(wide_method);
    find(&f, "hello/javacard/Method.capx")->crc = crc32_of(VIEW_OF(wide_method));
    assert_read(&f, "Method: is a .capx file");
    f = hello_files();
    add(&f, "other/javacard/Debug.cap", view_str("?"));
    assert_read(&f, "ZIP: components in two folders, hello and other");
    f = hello_files();
    add(&f, "/javacard/Debug.cap", view_str("?"));
    assert_read(&f, "ZIP: the name /javacard/Debug.cap is not a plain path inside of the archive");
}

/* A component of more than 3 + 65535 bytes can't be; it is not unpacked to find out. */
static void test_too_large(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, 65539);
    assert_non_null(zeros);
    struct files f = hello_files();
    struct file *method = find(&f, "hello/javacard/Method.cap");
    method->data = view_of(zeros, 65539);
    method->size = 65539;
    method->crc = crc32_of(method->data);
    assert_read(&f, "Method: 65539 bytes, at most 65538 are possible");
    method->data = view_of(zeros, 65538);
    method->size = 65538;
    method->crc = crc32_of(method->data);
    assert_read(&f, "Method: its tag is 00");
    free(zeros);
}

/* Signatures that came with the file: by their names, all of them, and nothing else below META-INF. */
static void test_signatures(void **state)
{
    (void)state;
    static uint8_t bytes[CAP_SIGNATURE_MAX + 1] = {1, 2, 3};
    struct files f = hello_files();
    struct writer w;
    struct cap cap;
    add(&f, "META-INF/MANIFEST.MF", view_str("?"));
    add(&f, "META-INF/dap.rsa.sha1", view_of(bytes, 128));
    add(&f, "META-INF/dap.p256.sha256", view_of(bytes, CAP_SIGNATURE_MAX));
    add(&f, "META-INF/dap.of a blank", view_str("?"));
    add(&f, "META-INF/dap.folder/dap", view_str("?"));
    add(&f, "META-INF/dap.a name longer than all", view_str("?"));
    add(&f, "other/META-INF/dap.rsa.sha1", view_str("?"));
    wr_heap(&w, CAP_FILE_MAX);
    put_archive(&w, &f);
    assert_int_equal(cap_read(&cap, wr_view_of(&w), NULL), OK);
    assert_int_equal(cap.signature_count, 2);
    assert_string_equal(cap.signatures[0].name, "dap.rsa.sha1");
    assert_true(view_equal(view_of(cap.signatures[0].data, cap.signatures[0].len), view_of(bytes, 128)));
    assert_string_equal(cap.signatures[1].name, "dap.p256.sha256");
    assert_int_equal(cap.signatures[1].len, CAP_SIGNATURE_MAX);
    cap_finish(&cap);
    wr_free(&w);
}

static void test_signatures_refused(void **state)
{
    (void)state;
    static uint8_t bytes[CAP_SIGNATURE_MAX + 1];
    struct files f = hello_files();
    add(&f, "META-INF/dap.rsa.sha1", VIEW_NULL);
    assert_read(&f, "ZIP: dap.rsa.sha1 has 0 bytes, a signature has 1 to 512");
    f = hello_files();
    add(&f, "META-INF/dap.rsa.sha1", VIEW_OF(bytes));
    assert_read(&f, "ZIP: dap.rsa.sha1 has 513 bytes, a signature has 1 to 512");
    f = hello_files();
    add(&f, "META-INF/dap.rsa.sha1", view_of(bytes, 4))->crc++;
    assert_read(&f, "ZIP: dap.rsa.sha1 can't be unpacked to its size and checksum");
    f = hello_files();
    for (unsigned n = 0; n <= CAP_SIGNATURES_MAX; n++) {
        char name[32];
        snprintf(name, sizeof(name), "META-INF/dap.%u", n);
        if (n == CAP_SIGNATURES_MAX)
            assert_read(&f, "");
        add(&f, name, view_of(bytes, 4));
    }
    assert_read(&f, "ZIP: more than 8 signatures");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside),     cmocka_unit_test(test_not_loaded),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_signatures_refused),
    };
    return cmocka_run_group_tests(tests, read_hello, NULL);
}
