/* SPDX-License-Identifier: Apache-2.0
 *
 * CAP files good, odd and bad, as files; real load files and their hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <base/text.h>
#include <cap/cap.h>
#include <support/vectors.h>

enum { PATH_LEN = 512, IMPORTS_TEXT = 256, FILE_MAX = CAP_FILE_MAX + 1 };

/* The whole file; the caller frees it. */
static struct view file_read(const char *folder, const char *name)
{
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/caps/%s%s", CF_DATA, folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *data = malloc(FILE_MAX);
    assert_non_null(data);
    size_t len = fread(data, 1, FILE_MAX, f);
    fclose(f);
    return view_of(data, len);
}

static void file_free(struct view v)
{
    free((void *)(uintptr_t)v.data);
}

/* name, package, applets, format, flags, bytes to load, imports: the table of tests/data/caps/README.md. */
static const struct {
    const char *name, *package, *applets, *format;
    unsigned flags;
    size_t load;
    const char *imports;
} good[] = {
    {"app-jc222", "F00000000B 1.0", "F00000000B01", "2.1", 0x04, 501,
     "framework 1.3, fixlib 1.0, java.lang 1.0"},
    {"app2-jc222", "F00000000C 1.0", "F00000000C01", "2.1", 0x04, 369,
     "framework 1.3, fixlib 1.1, java.lang 1.0"},
    {"bulk120-jc222", "F000000043 1.0", "F00000004301", "2.1", 0x04, 123556, "framework 1.3, java.lang 1.0"},
    {"bulk24-jc222", "F000000041 1.0", "F00000004101", "2.1", 0x04, 24607, "framework 1.3, java.lang 1.0"},
    {"bulk60-jc222", "F000000042 1.0", "F00000004201", "2.1", 0x04, 61701, "framework 1.3, java.lang 1.0"},
    {"counter-jc222", "F000000002 1.0", "F00000000201", "2.1", 0x04, 607, "framework 1.3, java.lang 1.0"},
    {"counter-jc305", "F000000002 1.0", "F00000000201", "2.1", 0x04, 604, "framework 1.6, java.lang 1.0"},
    {"extended-jc310", "F00000000E 1.0", "F00000000E0B01", "2.3", 0x0E, 740, "java.lang 1.0, framework 1.8"},
    {"extlen-jc222", "F000000031 1.0", "F00000003101", "2.1", 0x04, 502,
     "framework 1.3, apdu 1.0, java.lang 1.0"},
    {"extlen-jc305", "F000000031 1.0", "F00000003101", "2.1", 0x04, 502,
     "framework 1.6, apdu 1.0, java.lang 1.0"},
    {"hello-debug-jc222", "F000000001 1.0", "F00000000101", "2.2", 0x04, 297, "framework 1.3, java.lang 1.0"},
    {"hello-debug-jc305", "F000000001 1.0", "F00000000101", "2.2", 0x04, 297, "framework 1.6, java.lang 1.0"},
    {"hello-jc211", "F000000001 1.0", "F00000000101", "2.1", 0x04, 277, "framework 1.0"},
    {"hello-jc222", "F000000001 1.0", "F00000000101", "2.1", 0x04, 287, "framework 1.3, java.lang 1.0"},
    {"hello-jc305", "F000000001 1.0", "F00000000101", "2.1", 0x04, 287, "framework 1.6, java.lang 1.0"},
    {"hello-jc310", "F000000001 1.0", "F00000000101", "2.3", 0x04, 305, "framework 1.8, java.lang 1.0"},
    {"hello-jc320", "F000000001 1.0", "F00000000101", "2.3", 0x04, 305, "framework 1.9, java.lang 1.0"},
    {"hello-resource-jc310", "F000000001 1.0", "F00000000101", "2.3", 0x04, 337,
     "framework 1.8, java.lang 1.0"},
    {"int-jc222", "F000000033 1.0", "F00000003301", "2.1", 0x05, 361, "framework 1.3, java.lang 1.0"},
    {"int-jc305", "F000000033 1.0", "F00000003301", "2.1", 0x05, 361, "framework 1.6, java.lang 1.0"},
    {"lib-1.0-jc222", "F00000000A 1.0", "", "2.1", 0x02, 255, "java.lang 1.0"},
    {"lib-1.1-jc222", "F00000000A 1.1", "", "2.1", 0x02, 282, "java.lang 1.0"},
    {"multi-jc222", "F00000000D 1.0", "F00000000D01,F00000000D02,F00000000D03", "2.1", 0x04, 507,
     "framework 1.3, java.lang 1.0"},
    {"multi-jc305", "F00000000D 1.0", "F00000000D01,F00000000D02,F00000000D03", "2.1", 0x04, 515,
     "framework 1.6, java.lang 1.0"},
    {"purse-jc222", "F000000021 1.0", "F00000002101", "2.1", 0x06, 393, "java.lang 1.0, framework 1.3"},
    {"till-jc222", "F000000022 1.0", "F00000002201", "2.1", 0x04, 391,
     "framework 1.3, purse 1.0, java.lang 1.0"},
    {"vault-gp16-jc305", "F000000003 1.0", "F00000000301", "2.1", 0x04, 1974,
     "framework 1.6, globalplatform 1.6, security 1.6, crypto 1.6, java.lang 1.0"},
    {"vault-jc222", "F000000003 1.0", "F00000000301", "2.1", 0x04, 1974,
     "framework 1.3, globalplatform 1.0, security 1.3, crypto 1.3, java.lang 1.0"},
    {"vault-jc305", "F000000003 1.0", "F00000000301", "2.1", 0x04, 1974,
     "framework 1.6, globalplatform 1.0, security 1.6, crypto 1.6, java.lang 1.0"},
};

/* The names that the README uses. */
static const char *short_name(const struct aid *aid)
{
    static const struct {
        const char *aid, *name;
    } own[] = {{"F00000000A", "fixlib"}, {"F000000021", "purse"}};
    char hex[2 * AID_MAX + 1];
    const char *name = cap_package_name(aid);
    hex_write(hex, aid_view(aid));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(own[i].aid, hex) == 0)
            return own[i].name;
    assert_non_null(name);
    return strcmp(name, "java.lang") == 0 ? name : strrchr(name, '.') + 1;
}

static void assert_package(const struct cap *cap, const char *want)
{
    char text[64], hex[2 * AID_MAX + 1];
    hex_write(hex, aid_view(&cap->package.aid));
    snprintf(text, sizeof(text), "%s %u.%u", hex, cap->package.major, cap->package.minor);
    assert_string_equal(text, want);
}

static void assert_lists(const struct cap *cap, const char *applets, const char *imports)
{
    char text[IMPORTS_TEXT] = "", hex[2 * AID_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < cap->applet_count; i++) {
        hex_write(hex, aid_view(&cap->applets[i]));
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? "," : "", hex);
    }
    assert_string_equal(text, applets);
    text[len = 0] = '\0';
    for (size_t i = 0; i < cap->import_count; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %u.%u", i > 0 ? ", " : "",
                             short_name(&cap->imports[i].aid), cap->imports[i].major, cap->imports[i].minor);
    assert_string_equal(text, imports);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char name[PATH_LEN], format[8];
        struct cap cap;
        struct cap_problem why = {""};
        print_message("row %s\n", good[i].name);
        snprintf(name, sizeof(name), "%s.cap", good[i].name);
        struct view file = file_read("", name);
        enum err e = cap_read(&cap, file, &why);
        file_free(file);
        assert_string_equal(why.text, "");
        assert_int_equal(e, OK);
        assert_package(&cap, good[i].package);
        assert_lists(&cap, good[i].applets, good[i].imports);
        snprintf(format, sizeof(format), "%u.%u", cap.format_major, cap.format_minor);
        assert_string_equal(format, good[i].format);
        assert_int_equal(cap.flags, good[i].flags);
        assert_int_equal(cap.load.len, good[i].load);
        assert_string_equal(cap.name, strncmp(good[i].name, "hello-debug", 11) == 0 ? "hello" : "");
        cap_finish(&cap);
    }
}

static void test_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {"deflated.cap", "reversed.cap", "streamed.cap",      "prefixed.cap",
                                      "folders.cap",  "deep.cap",     "no-descriptor.cap", "hello.ijc"};
    struct view want = file_read("odd/", "hello.ijc");
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct cap cap;
        struct cap_problem why = {""};
        print_message("row %s\n", odd[i]);
        struct view file = file_read("odd/", odd[i]);
        enum err e = cap_read(&cap, file, &why);
        file_free(file);
        assert_string_equal(why.text, "");
        assert_int_equal(e, OK);
        assert_true(view_equal(wr_view_of(&cap.load), want));
        assert_package(&cap, "F000000001 1.0");
        cap_finish(&cap);
    }
    file_free(want);
}

/* All that tests/data/caps/README.md lists: none is left to the card. */
static const struct {
    const char *name;
    enum err want;
    const char *why;
} bad[] = {
    {"applet-aid-17.cap", ERR_FORMAT, "Applet: an AID that does not have 5 to 16 bytes, or too few applets"},
    {"applet-aid-4.cap", ERR_FORMAT, "Applet: an AID that does not have 5 to 16 bytes, or too few applets"},
    {"applet-offset.cap", ERR_FORMAT, "Applet: install() of F00000000101 lies outside of Method"},
    {"applet-rid.cap", ERR_FORMAT, "Applet: F00000009901 does not begin as the package's AID"},
    {"applets-0.cap", ERR_FORMAT, "Applet: holds no applet"},
    {"applets-cut.cap", ERR_FORMAT, "Applet: an AID that does not have 5 to 16 bytes, or too few applets"},
    {"applets-same.cap", ERR_FORMAT, "Applet: two applets have the AID F00000000101"},
    {"bomb-1g.cap", ERR_LIMIT, "Method: 1073741824 bytes, at most 65538 are possible"},
    {"bomb-overlap.cap", ERR_FORMAT, "ZIP: the two headers of hello/javacard/C0.cap differ"},
    {"class-cut.cap", ERR_FORMAT, "Class: is cut, or refers to a class that is not there"},
    {"class-super.cap", ERR_FORMAT, "Class: is cut, or refers to a class that is not there"},
    {"component-2-bytes.cap", ERR_FORMAT, "Method: ends inside of its size field"},
    {"component-empty.cap", ERR_FORMAT, "Method: no bytes"},
    {"directory-applets.cap", ERR_FORMAT, "Directory: says 2 applets, there are 1"},
    {"directory-custom.cap", ERR_UNSUPPORTED, "Directory: says 255 custom components, none are known"},
    {"directory-cut.cap", ERR_FORMAT, "Directory: ends too early"},
    {"directory-imports.cap", ERR_FORMAT, "Directory: says 7 imports, there are 2"},
    {"directory-size.cap", ERR_FORMAT, "Directory: says 90 bytes for Method, there are 89"},
    {"duplicate.cap", ERR_FORMAT, "ZIP: two files for Header"},
    {"empty.cap", ERR_FORMAT, "neither a ZIP archive nor components in load order"},
    {"folder-mismatch.cap", ERR_FORMAT, "ZIP: components in two folders, hello and other"},
    {"folder-other.cap", ERR_FORMAT, "Header: the package is hello, but its folder other"},
    {"header-cut.cap", ERR_FORMAT, "Header: ends too early"},
    {"header-more.cap", ERR_FORMAT, "Header: its end is not where it should be"},
    {"import-aid-17.cap", ERR_FORMAT, "Import: does not hold the 2 packages that it says"},
    {"imports-255.cap", ERR_LIMIT, "Import: 255 packages, at most 128 are possible"},
    {"imports-300.cap", ERR_FORMAT, "Import: does not hold the 44 packages that it says"},
    {"imports-cut.cap", ERR_FORMAT, "Import: does not hold the 100 packages that it says"},
    {"magic.cap", ERR_FORMAT, "Header: the magic number is CAFEBABE instead of DECAFFED"},
    {"method-handlers.cap", ERR_FORMAT, "Method: says 255 exception handlers, there are fewer"},
    {"method-opcode.cap", ERR_FORMAT, "Method: begins with FA, which is no bytecode"},
    {"no-applet.cap", ERR_FORMAT, "Header says there are applets, but Applet is missing"},
    {"no-class.cap", ERR_FORMAT, "Class is missing"},
    {"no-constantpool.cap", ERR_FORMAT, "ConstantPool is missing"},
    {"no-directory.cap", ERR_FORMAT, "Directory is missing"},
    {"no-folder.cap", ERR_FORMAT, "Header is missing"},
    {"no-header.cap", ERR_FORMAT, "Header is missing"},
    {"no-import.cap", ERR_FORMAT, "Import is missing"},
    {"no-method.cap", ERR_FORMAT, "Method is missing"},
    {"no-reflocation.cap", ERR_FORMAT, "RefLocation is missing"},
    {"no-staticfield.cap", ERR_FORMAT, "StaticField is missing"},
    {"order.ijc", ERR_FORMAT, "neither a ZIP archive nor components in load order"},
    {"package-aid-0.cap", ERR_FORMAT, "Header: the package AID does not have 5 to 16 bytes"},
    {"package-aid-17.cap", ERR_FORMAT, "Header: the package AID does not have 5 to 16 bytes"},
    {"package-aid-4.cap", ERR_FORMAT, "Header: the package AID does not have 5 to 16 bytes"},
    {"package-aid-cut.cap", ERR_FORMAT, "Header: the package AID does not have 5 to 16 bytes"},
    {"path-absolute.cap", ERR_FORMAT,
     "ZIP: the name /tmp/hello/javacard/Header.cap is not a plain path inside of the archive"},
    {"path-backslash.cap", ERR_FORMAT,
     "ZIP: the name ..\\..\\hello\\javacard\\Header.cap is not a plain path inside of the archive"},
    {"path-long.cap", ERR_LIMIT, "ZIP: a name of 60020 bytes, at most 512 are read"},
    {"path-nul.cap", ERR_FORMAT,
     "ZIP: the name hello/javacard/Header.cap?.txt is not a plain path inside of the archive"},
    {"path-traversal.cap", ERR_FORMAT,
     "ZIP: the name ../../../../tmp/hello/javacard/Header.cap is not a plain path inside of the archive"},
    {"pool-count.cap", ERR_FORMAT, "ConstantPool: its parts do not fit its size"},
    {"pool-tag.cap", ERR_FORMAT, "ConstantPool: entry 0 has the unknown tag 09"},
    {"reflocation-count.cap", ERR_FORMAT, "RefLocation: its parts do not fit its size"},
    {"reflocation-far.cap", ERR_FORMAT, "RefLocation: a place outside of Method"},
    {"size-0.cap", ERR_FORMAT, "Method: says 0 bytes, there are 89"},
    {"size-less.cap", ERR_FORMAT, "Method: says 86 bytes, there are 89"},
    {"size-more.cap", ERR_FORMAT, "Method: says 65535 bytes, there are 89"},
    {"static-arrays.cap", ERR_FORMAT, "Directory: says other sizes of static fields than StaticField"},
    {"static-image.cap", ERR_FORMAT, "Directory: says other sizes of static fields than StaticField"},
    {"tag-0.cap", ERR_FORMAT, "Import: its tag is 00"},
    {"tag-14.cap", ERR_FORMAT, "Import: its tag is 0E"},
    {"tags-swapped.cap", ERR_FORMAT, "Class: its tag is 07"},
    {"text.cap", ERR_FORMAT, "neither a ZIP archive nor components in load order"},
    {"truncated-directory.cap", ERR_FORMAT, "neither a ZIP archive nor components in load order"},
    {"truncated.cap", ERR_FORMAT, "neither a ZIP archive nor components in load order"},
    {"two-packages.cap", ERR_FORMAT, "ZIP: two files for Header"},
    {"version-9-9.cap", ERR_UNSUPPORTED, "Header: CAP format 9.9, 2.1 to 2.3 are known"},
    {"zip-count.cap", ERR_LIMIT, "ZIP: 500 files, at most 256 are read"},
    {"zip-crc.cap", ERR_FORMAT, "ZIP: Method can't be unpacked to its size and checksum"},
    {"zip-deflate-cut.cap", ERR_FORMAT, "ZIP: Method can't be unpacked to its size and checksum"},
    {"zip-encrypted.cap", ERR_UNSUPPORTED, "ZIP: hello/javacard/Method.cap is encrypted"},
    {"zip-local-name.cap", ERR_FORMAT, "ZIP: the two headers of hello/javacard/Method.cap differ"},
    {"zip-many.cap", ERR_LIMIT, "ZIP: 3010 files, at most 256 are read"},
    {"zip-method.cap", ERR_UNSUPPORTED,
     "ZIP: hello/javacard/Method.cap has the unknown compression method 99"},
    {"zip-no-entries.cap", ERR_FORMAT, "Header is missing"},
    {"zip-offset.cap", ERR_FORMAT, "ZIP: hello/javacard/Method.cap lies outside of the archive"},
    {"zip-size-lies.cap", ERR_FORMAT, "ZIP: Method can't be unpacked to its size and checksum"},
    {"zip-two-ends.cap", ERR_FORMAT, "ZIP: the end record is not the end of the file"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cap cap;
        struct cap_problem why = {""};
        print_message("row %s\n", bad[i].name);
        memset(&cap, 0xA5, sizeof(cap));
        struct view file = file_read("bad/", bad[i].name);
        assert_int_equal(cap_read(&cap, file, &why), bad[i].want);
        assert_int_equal(cap_read(&cap, file, NULL), bad[i].want);
        file_free(file);
        assert_int_equal(cap.load.len, (size_t)0xA5A5A5A5A5A5A5A5u);
        assert_string_equal(why.text, bad[i].why);
    }
}

/* Lines like "Data:  1234 kB" in /proc/self/status. */
static size_t data_bytes(void)
{
    char line[128];
    size_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmData: %zu kB", &kib) == 1)
            break;
    fclose(f);
    return kib * 1024;
}

/* In a process of its own, which may take 64 MiB more and two seconds, all bad files are refused again. */
static void refuse_all_bounded(void)
{
    enum { MEMORY = 64 * 1024 * 1024, SECONDS = 2 };
    struct view files[sizeof(bad) / sizeof(bad[0])];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        files[i] = file_read("bad/", bad[i].name);
        void *fit = realloc((void *)(uintptr_t)files[i].data, files[i].len + 1);
        files[i].data = fit != NULL ? fit : files[i].data;
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    struct rlimit memory = {data_bytes() + MEMORY, data_bytes() + MEMORY};
    rlim_t seconds = (rlim_t)used.ru_utime.tv_sec + SECONDS + 1;
    struct rlimit cpu = {seconds, seconds};
    if (setrlimit(RLIMIT_DATA, &memory) != 0 || setrlimit(RLIMIT_CPU, &cpu) != 0)
        _exit(2);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cap cap;
        if (cap_read(&cap, files[i], NULL) != bad[i].want)
            _exit(1);
    }
    _exit(0);
}

static void test_bounded(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        refuse_all_bounded();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Truncated anywhere, and with every byte changed, a good file is read or refused, but nothing else. */
static void test_damaged(void **state)
{
    (void)state;
    struct view file = file_read("odd/", "deflated.cap");
    uint8_t *copy = malloc(file.len);
    assert_non_null(copy);
    for (size_t i = 0; i < file.len; i++) {
        struct cap cap;
        assert_int_not_equal(cap_read(&cap, view_head(file, i), NULL), OK);
        memcpy(copy, file.data, file.len);
        copy[i] ^= 0x41;
        if (cap_read(&cap, view_of(copy, file.len), NULL) == OK)
            cap_finish(&cap);
    }
    free(copy);
    file_free(file);
}

static void test_too_large(void **state)
{
    (void)state;
    struct cap cap;
    struct cap_problem why = {""};
    uint8_t *zeros = calloc(1, FILE_MAX);
    assert_non_null(zeros);
    assert_int_equal(cap_read(&cap, view_of(zeros, FILE_MAX), &why), ERR_LIMIT);
    assert_string_equal(why.text, "4194305 bytes, at most 4194304 are read");
    free(zeros);
}

static const struct {
    enum digest digest;
    const char *key;
} digests[] = {
    {DIGEST_SHA1, "sha1"}, {DIGEST_SHA256, "sha256"}, {DIGEST_SHA384, "sha384"}, {DIGEST_SHA512, "sha512"}};

/* The hashes of a load file data block as it stands. */
static void check_hashes(struct crypto *crypto, const json_t *row, const struct cap *cap)
{
    uint8_t hash[DIGEST_MAX];
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        struct view want = vector_bytes(row, digests[i].key);
        assert_int_equal(cap_hash(cap, crypto, digests[i].digest, hash), OK);
        assert_int_equal(want.len, crypto_digest_len(digests[i].digest));
        assert_memory_equal(hash, want.data, want.len);
    }
}

/* The row of the same applet without Descriptor; NULL when there is none. */
static const json_t *without_descriptor(const json_t *rows, const char *applet)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (vector_is(row, "lfdbh") && strcmp(vector_text(row, "cap"), applet) == 0 &&
            json_is_false(json_object_get(row, "descriptor_included")))
            return row;
    }
    return NULL;
}

/* Load file data blocks of public applets: Descriptor, where it is there, is left out, and what is left has
 * the hash of the same applet without. One row is no CAP file, but bytes to hash. */
static void check_row(struct crypto *crypto, const json_t *rows, const json_t *row)
{
    struct cap cap = {.name = ""};
    struct view lfdb = vector_bytes(row, "lfdb");
    const char *applet = vector_text(row, "cap");
    const json_t *without = without_descriptor(rows, applet);
    print_message("row %s\n", vector_text(row, "id"));
    wr_heap(&cap.load, LOAD_FILE_MAX);
    wr_view(&cap.load, lfdb);
    check_hashes(crypto, row, &cap);
    cap_finish(&cap);
    enum err e = cap_read(&cap, lfdb, NULL);
    if (strcmp(applet, "scll-minimal") == 0) {
        assert_int_equal(e, ERR_FORMAT);
        return;
    }
    assert_int_equal(e, OK);
    if (without != NULL)
        check_hashes(crypto, without, &cap);
    cap_finish(&cap);
}

static void test_hashes(void **state)
{
    (void)state;
    struct crypto *crypto = NULL;
    json_t *rows = vectors_load("vectors/dap_token.json"), *row;
    size_t i, checked = 0;
    assert_int_equal(crypto_new(&crypto), OK);
    json_array_foreach(rows, i, row)
    {
        if (!vector_is(row, "lfdbh"))
            continue;
        check_row(crypto, rows, row);
        checked++;
    }
    assert_int_equal(checked, 7);
    crypto_free(&crypto);
    vectors_free();
}

static void test_aid(void **state)
{
    (void)state;
    static const uint8_t bytes[AID_MAX + 1] = {0xF0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct aid a = {.len = 0}, b = {.len = 0};
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        bool fits = len >= 5 && len <= 16;
        struct aid before = a;
        assert_int_equal(aid_set(&a, view_of(bytes, len)), fits ? OK : ERR_FORMAT);
        assert_true(aid_equal(&a, &before) != fits);
        assert_true(!fits || view_equal(aid_view(&a), view_of(bytes, len)));
    }
    assert_int_equal(aid_set(&b, view_of(bytes + 1, 16)), OK);
    assert_false(aid_equal(&a, &b));
    assert_int_equal(aid_set(&b, view_of(bytes, 16)), OK);
    assert_true(aid_equal(&a, &b));
}

/* JCVM 4.5: the same major version, and a minor version not lower. */
static void test_satisfies(void **state)
{
    (void)state;
    static const struct {
        uint8_t have_major, have_minor, need_major, need_minor;
        bool want;
    } rows[] = {{1, 0, 1, 0, true},  {1, 1, 1, 0, true},  {1, 0, 1, 1, false},
                {2, 0, 1, 0, false}, {1, 9, 2, 0, false}, {0, 1, 0, 1, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cap_package have = {{{0xF0, 0, 0, 0, 1}, 5}, rows[i].have_major, rows[i].have_minor};
        struct cap_package need = {{{0xF0, 0, 0, 0, 1}, 5}, rows[i].need_major, rows[i].need_minor};
        assert_int_equal(cap_satisfies(&have, &need), rows[i].want);
        need.aid.data[4] = 2;
        assert_false(cap_satisfies(&have, &need));
    }
}

/* Every sample fits the platform that it was made for, and not always an older one. */
static void test_platforms(void **state)
{
    (void)state;
    static const struct {
        const char *version, *aid;
        int minor; /* -1: it has no such package */
    } rows[] = {
        {"2.1.1", "A0000000620101", 0},     {"2.1.1", "A0000000620102", 1},
        {"2.1.1", "A0000000620002", -1},    {"2.1.2", "A0000000620201", 1},
        {"2.2.1", "A0000000620101", 2},     {"2.2.1", "A0000000620209", -1},
        {"2.2.2", "A0000000620101", 3},     {"2.2.2", "A0000000620209", 0},
        {"2.2.2", "A0000000620202", 2},     {"3.0.1", "A0000000620102", 4},
        {"3.0.3", "A0000000620201", 4},     {"3.0.4", "A0000000620101", 5},
        {"3.0.4", "A000000062020804", 0},   {"3.0.5", "A0000000620101", 6},
        {"3.0.5", "A000000062020901", 0},   {"3.0.5", "A000000062020801", 1},
        {"3.0.5", "A00000006202080101", 0}, {"3.1.0", "A0000000620101", 8},
        {"3.1.0", "A0000000620201", 7},     {"3.1.0", "A000000062020502", 0},
        {"3.1.0", "A00000006202080101", 1}, {"3.2.0", "A0000000620101", 9},
        {"3.2.0", "A0000000620001", 0},     {"3.2.0", "A00000015100", -1},
    };
    const struct cap_package *packages = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int minor = -1;
        print_message("row %s %s\n", rows[i].version, rows[i].aid);
        assert_int_equal(cap_platform(rows[i].version, &packages, &count), OK);
        for (size_t j = 0; j < count; j++) {
            char hex[2 * AID_MAX + 1];
            hex_write(hex, aid_view(&packages[j].aid));
            assert_int_equal(packages[j].major, 1);
            assert_non_null(cap_package_name(&packages[j].aid));
            if (strcmp(hex, rows[i].aid) == 0)
                minor = packages[j].minor;
        }
        assert_int_equal(minor, rows[i].minor);
    }
    assert_int_equal(cap_platform("2.2", &packages, &count), ERR_NOT_FOUND);
    assert_int_equal(cap_platform("", &packages, &count), ERR_NOT_FOUND);
}

static void test_gp_packages(void **state)
{
    (void)state;
    static const struct {
        uint8_t version[3];
        int minor;
    } rows[] = {{{2, 1, 1}, 0}, {{2, 2, 0}, 4},  {{2, 2, 1}, 5}, {{2, 3, 0}, 6},
                {{2, 3, 1}, 7}, {{0, 0, 0}, -1}, {{2, 4, 0}, -1}};
    static const struct aid unknown = {{0xF0, 0, 0, 0, 1}, 5};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct cap_package *p = cap_gp_package(rows[i].version);
        assert_int_equal(p != NULL ? p->minor : -1, rows[i].minor);
        if (p != NULL)
            assert_string_equal(cap_package_name(&p->aid), "org.globalplatform");
    }
    assert_null(cap_package_name(&unknown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_bad),         cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_hashes),      cmocka_unit_test(test_aid),
        cmocka_unit_test(test_satisfies),   cmocka_unit_test(test_platforms),
        cmocka_unit_test(test_gp_packages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
