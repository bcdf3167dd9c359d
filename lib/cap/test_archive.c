/* SPDX-License-Identifier: Apache-2.0
 *
 * The structure of ZIP archives: one that is right, and one lie at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cap/archive.h>

enum { FILES = 2, ARCHIVE_MAX = 64 * 1024 };

/* The contents of both; nothing is unpacked here, so that their checksum may be any. */
enum { NOTES_LEN = 7 };
static const char notes[] = "Notes.\n";

/* What both headers and the end record are to say; a test changes one thing. */
struct told {
    const char *name, *local_name;
    uint16_t flags, local_flags, method, local_method, disk, extra, comment;
    uint32_t crc, local_crc, packed, local_packed, size, local_size, start;
};
struct archive_told {
    struct told file[FILES];
    uint16_t count, count_here, disk, first_disk, comment_len;
    uint32_t central_len, central_start;
    const char *prefix, *comment, *between;
};

static void put16(struct writer *w, uint16_t n)
{
    wr_u8(w, (uint8_t)n);
    wr_u8(w, (uint8_t)(n >> 8));
}

static void put32(struct writer *w, uint32_t n)
{
    put16(w, (uint16_t)n);
    put16(w, (uint16_t)(n >> 16));
}

static void put_text(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

static void put_zeros(struct writer *w, size_t len)
{
    for (size_t i = 0; i < len; i++)
        wr_u8(w, 0);
}

static void put_local(struct writer *w, const struct told *t)
{
    put_text(w, "PK\3\4");
    put16(w, 20);
    put16(w, t->local_flags);
    put16(w, t->local_method);
    put32(w, 0);
    put32(w, t->local_crc);
    put32(w, t->local_packed);
    put32(w, t->local_size);
    put16(w, (uint16_t)strlen(t->local_name));
    put16(w, t->extra);
    put_text(w, t->local_name);
    put_zeros(w, t->extra);
    put_text(w, notes);
}

static void put_central(struct writer *w, const struct told *t)
{
    put_text(w, "PK\1\2");
    put16(w, 20);
    put16(w, 20);
    put16(w, t->flags);
    put16(w, t->method);
    put32(w, 0);
    put32(w, t->crc);
    put32(w, t->packed);
    put32(w, t->size);
    put16(w, (uint16_t)strlen(t->name));
    put16(w, t->extra);
    put16(w, t->comment);
    put16(w, t->disk);
    put_zeros(w, 6);
    put32(w, t->start);
    put_text(w, t->name);
    put_zeros(w, (size_t)t->extra + t->comment);
}

static void put_archive(struct writer *w, const struct archive_told *a)
{
    put_text(w, a->prefix);
    for (size_t i = 0; i < FILES; i++)
        put_local(w, &a->file[i]);
    put_text(w, a->between);
    for (size_t i = 0; i < FILES; i++)
        put_central(w, &a->file[i]);
    put_text(w, "PK\5\6");
    put16(w, a->disk);
    put16(w, a->first_disk);
    put16(w, a->count_here);
    put16(w, a->count);
    put32(w, a->central_len);
    put32(w, a->central_start);
    put16(w, a->comment_len);
    put_text(w, a->comment);
}

/* Two stored files, "a/x" and "b/y", 40 bytes each; 49 bytes of central directory for each. */
enum { LOCAL_LEN = 30 + 3 + NOTES_LEN, CENTRAL_LEN = 46 + 3 };

static struct archive_told right(void)
{
    struct archive_told a = {.count = FILES,
                             .count_here = FILES,
                             .central_len = FILES * CENTRAL_LEN,
                             .central_start = FILES * LOCAL_LEN,
                             .prefix = "",
                             .comment = "",
                             .between = ""};
    for (size_t i = 0; i < FILES; i++)
        a.file[i] = (struct told){.name = i == 0 ? "a/x" : "b/y",
                                  .local_name = i == 0 ? "a/x" : "b/y",
                                  .crc = 0x12345678,
                                  .local_crc = 0x12345678,
                                  .packed = NOTES_LEN,
                                  .local_packed = NOTES_LEN,
                                  .size = NOTES_LEN,
                                  .local_size = NOTES_LEN,
                                  .start = (uint32_t)(i * LOCAL_LEN)};
    return a;
}

static enum err check(const struct archive_told *a, struct cap_problem *why)
{
    static struct archive found;
    struct writer w;
    why->text[0] = '\0';
    wr_heap(&w, ARCHIVE_MAX);
    put_archive(&w, a);
    assert_true(wr_ok(&w));
    enum err e = archive_check(&found, wr_view_of(&w), why);
    if (e == OK) {
        assert_int_equal(found.count, a->count);
        assert_true(view_equal(found.entries[1].name, view_str(a->file[1].name)));
    }
    wr_free(&w);
    return e;
}

#define LIE(change, want, sentence)                                                                          \
    do {                                                                                                     \
        struct archive_told a = right();                                                                     \
        struct cap_problem why;                                                                              \
        change;                                                                                              \
        print_message("row %s\n", #change);                                                                  \
        enum err e = check(&a, &why);                                                                        \
        assert_string_equal(why.text, sentence);                                                             \
        assert_int_equal(e, want);                                                                           \
    } while (0)

static void test_right(void **state)
{
    (void)state;
    LIE((void)0, OK, "");
    LIE((a.comment = "Made by hand.", a.comment_len = 13), OK, "");
    LIE((a.prefix = "#!/bin/false\n", a.central_start += 13, a.file[0].start += 13, a.file[1].start += 13),
        OK, "");
    LIE((a.between = "gap", a.central_start += 3), OK, "");
    LIE((a.file[1].extra = 5, a.central_start += 5, a.central_len += 5), OK, "");
    LIE((a.file[1].comment = 4, a.central_len += 4), OK, "");
    LIE((a.file[1].flags = a.file[1].local_flags = 8, a.file[1].local_size = a.file[1].local_packed = 0,
         a.file[1].local_crc = 0),
        OK, "");
    LIE((a.file[1].method = a.file[1].local_method = 8, a.file[1].size = a.file[1].local_size = 3), OK, "");
}

static void test_end(void **state)
{
    (void)state;
    static const char not_where[] = "ZIP: the central directory is not where the end record says";
    static const char parts[] = "ZIP: an archive in several parts";
    LIE(a.comment_len = 1, ERR_FORMAT, "ZIP: the end record is not the end of the file");
    LIE(a.comment = "?", ERR_FORMAT, "ZIP: the end record is not the end of the file");
    LIE(a.disk = 1, ERR_UNSUPPORTED, parts);
    LIE(a.first_disk = 1, ERR_UNSUPPORTED, parts);
    LIE(a.count_here = 1, ERR_UNSUPPORTED, parts);
    LIE((a.count = a.count_here = 257), ERR_LIMIT, "ZIP: 257 files, at most 256 are read");
    LIE((a.count = a.count_here = 0xFFFF), ERR_LIMIT, "ZIP: 65535 files, at most 256 are read");
    LIE(a.central_start++, ERR_FORMAT, not_where);
    LIE(a.central_len--, ERR_FORMAT, not_where);
    LIE((a.central_start = a.central_len = 0xFFFFFFFF), ERR_FORMAT, not_where);
    LIE((a.count = a.count_here = 1), ERR_FORMAT,
        "ZIP: the central directory does not hold the 1 files that the end record says");
    LIE((a.count = a.count_here = 3), ERR_FORMAT,
        "ZIP: the central directory does not hold the 3 files that the end record says");
    LIE((a.central_start--, a.central_len++), ERR_FORMAT,
        "ZIP: the central directory does not hold the 2 files that the end record says");
    LIE((a.file[1].disk = 1), ERR_FORMAT,
        "ZIP: the central directory does not hold the 2 files that the end record says");
}

static void test_headers(void **state)
{
    (void)state;
    static const char differ[] = "ZIP: the two headers of b/y differ";
    LIE(a.file[1].local_name = "b/z", ERR_FORMAT, differ);
    LIE(a.file[1].local_flags = 2, ERR_FORMAT, differ);
    LIE(a.file[1].local_method = 8, ERR_FORMAT, differ);
    LIE(a.file[1].local_crc = 0, ERR_FORMAT, differ);
    LIE(a.file[1].local_size = 8, ERR_FORMAT, differ);
    LIE(a.file[1].local_packed = 0, ERR_FORMAT, differ);
    LIE(a.file[1].start++, ERR_FORMAT, differ);
    LIE(a.file[1].start = 2 * LOCAL_LEN, ERR_FORMAT, "ZIP: b/y lies outside of the archive");
    LIE(a.file[1].start = 0xFFFFFFFF, ERR_FORMAT, "ZIP: b/y lies outside of the archive");
    LIE((a.file[1].packed = a.file[1].local_packed = a.file[1].size = a.file[1].local_size = 8), ERR_FORMAT,
        "ZIP: b/y ends behind the archive");
    LIE((a.file[1].packed = a.file[1].local_packed = a.file[1].size = a.file[1].local_size = 0xFFFFFFFF),
        ERR_FORMAT, "ZIP: b/y ends behind the archive");
    LIE((a.file[1].size = a.file[1].local_size = 6), ERR_FORMAT,
        "ZIP: b/y is not compressed, but has two sizes");
    LIE((a.file[1].method = a.file[1].local_method = 1), ERR_UNSUPPORTED,
        "ZIP: b/y has the unknown compression method 1");
    LIE((a.file[1].flags = a.file[1].local_flags = 0x0001), ERR_UNSUPPORTED, "ZIP: b/y is encrypted");
    LIE((a.file[1].flags = a.file[1].local_flags = 0x0020), ERR_UNSUPPORTED, "ZIP: b/y is encrypted");
    LIE((a.file[1].flags = a.file[1].local_flags = 0x0040), ERR_UNSUPPORTED, "ZIP: b/y is encrypted");
    LIE((a.file[1].flags = a.file[1].local_flags = 0x2000), ERR_UNSUPPORTED, "ZIP: b/y is encrypted");
}

/* The same file twice, one inside of the other, and one that begins in the other's data. */
static void test_overlap(void **state)
{
    (void)state;
    static const char shares[] = "ZIP: %s shares its bytes with another file";
    char text[80];
    snprintf(text, sizeof(text), shares, "a/x");
    LIE((a.file[1].name = "a/x", a.file[1].start = 0), ERR_FORMAT, text);
    snprintf(text, sizeof(text), shares, "b/y");
    LIE((a.file[0].packed = a.file[0].local_packed = a.file[0].size = a.file[0].local_size = 2 * NOTES_LEN),
        ERR_FORMAT, text);
    LIE((a.file[0].packed = a.file[0].local_packed = a.file[0].size = a.file[0].local_size =
             LOCAL_LEN + NOTES_LEN),
        ERR_FORMAT, text);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"/xx", "../",  "..",  "./x",  "x/.",   "//x",
                                      "x//", "a\\x", "C:x", "x/..", "a/../b"};
    static const char *const good[] = {"...", "..a", "a..", ".ab", "a/b/c", "a/"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + sizeof(good) / sizeof(good[0]); i++) {
        bool is_bad = i < sizeof(bad) / sizeof(bad[0]);
        const char *name = is_bad ? bad[i] : good[i - sizeof(bad) / sizeof(bad[0])];
        struct archive_told a = right();
        struct cap_problem why;
        char text[128];
        a.file[1].name = a.file[1].local_name = name;
        a.central_start += (uint32_t)strlen(name) - 3;
        a.central_len += (uint32_t)strlen(name) - 3;
        print_message("row %s\n", name);
        snprintf(text, sizeof(text), "ZIP: the name %s is not a plain path inside of the archive", name);
        assert_int_equal(check(&a, &why), is_bad ? ERR_FORMAT : OK);
        assert_string_equal(why.text, is_bad ? text : "");
    }
    LIE((a.file[1].name = a.file[1].local_name = "", a.central_start -= 3, a.central_len -= 3), ERR_FORMAT,
        "ZIP: the name  is not a plain path inside of the archive");
}

/* A long comment is fine, when it is as long as it says. */
static void test_longest_comment(void **state)
{
    (void)state;
    char *comment = calloc(1, 0x10001);
    struct cap_problem why;
    assert_non_null(comment);
    memset(comment, 'c', 0xE000);
    struct archive_told a = right();
    a.comment = comment;
    a.comment_len = 0xE000;
    assert_int_equal(check(&a, &why), OK);
    comment[0xDFFF] = '\0';
    assert_int_equal(check(&a, &why), ERR_FORMAT);
    free(comment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),   cmocka_unit_test(test_end),   cmocka_unit_test(test_headers),
        cmocka_unit_test(test_overlap), cmocka_unit_test(test_names), cmocka_unit_test(test_longest_comment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
