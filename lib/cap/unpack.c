/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files of an archive are components, and their bytes. libzip inflates, straight from memory and never
 * beyond the size that a file was declared with. */
#include <cap/archive.h>
#include <cap/problem.h>

#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { COMPONENT_SIZE_MAX = 0xFFFF, FRAME_LEN = 3, FRAME_WIDE_LEN = 5 };

/* Takes what is behind the last "/" off; false when there is no "/". */
static bool split_last(struct view *path, struct view *last)
{
    size_t n = path->len;
    while (n > 0 && path->data[n - 1] != '/')
        n--;
    if (n == 0)
        return false;
    *last = view_tail(*path, n);
    *path = view_head(*path, n - 1);
    return true;
}

static bool view_ends(struct view v, const char *end)
{
    size_t len = strlen(end);
    return v.len >= len && view_equal(view_tail(v, v.len - len), view_str(end));
}

/* JCVM 4.1.3: <package's folders>/javacard/<Component>.cap; .capx has a size field of 4 bytes (3.1). 0 when
 * it is no component. */
static unsigned component_tag(struct view name, struct view *folder, bool *wide)
{
    struct view path = name, file, javacard;
    if (!split_last(&path, &file) || !split_last(&path, &javacard) ||
        !view_equal(javacard, view_str("javacard")))
        return 0;
    *folder = path;
    *wide = view_ends(file, ".capx");
    if (!*wide && !view_ends(file, ".cap"))
        return 0;
    struct view stem = view_head(file, file.len - (*wide ? strlen(".capx") : strlen(".cap")));
    for (unsigned tag = 1; tag < COMPONENT_TAGS; tag++)
        if (view_equal(stem, view_str(component_kind(tag)->name)))
            return tag;
    return 0;
}

/* All components are of one package. */
static enum err same_folder(struct components *c, struct view folder, struct cap_problem *why)
{
    if (c->folder[0] == '\0') {
        memcpy(c->folder, folder.data, folder.len);
        c->folder[folder.len] = '\0';
        return OK;
    }
    if (!view_equal(view_str(c->folder), folder))
        return cap_refuse(why, ERR_FORMAT, "ZIP: components in two folders, %s and %s",
                          cap_shown(view_str(c->folder)).text, cap_shown(folder).text);
    return OK;
}

/* entry[tag]: 1 + the number of the entry, 0: there is none. */
static enum err find_components(struct components *c, const struct archive *a, size_t entry[COMPONENT_TAGS],
                                struct cap_problem *why)
{
    enum err e = OK;
    for (size_t i = 0; i < a->count && e == OK; i++) {
        struct view folder = VIEW_NULL;
        bool wide = false;
        unsigned tag = component_tag(a->entries[i].name, &folder, &wide);
        if (tag == 0)
            continue;
        if (entry[tag] != 0)
            return cap_refuse(why, ERR_FORMAT, "ZIP: two files for %s", component_kind(tag)->name);
        entry[tag] = i + 1;
        c->wide[tag] = wide;
        e = same_folder(c, folder, why);
    }
    return e;
}

static enum err check_size(const struct archive_entry *e, unsigned tag, bool wide, struct cap_problem *why)
{
    uint32_t max = wide ? FRAME_WIDE_LEN + LOAD_FILE_MAX : FRAME_LEN + COMPONENT_SIZE_MAX;
    if (e->size > max)
        return cap_refuse(why, ERR_LIMIT, "%s: %u bytes, at most %u are possible", component_kind(tag)->name,
                          e->size, max);
    return OK;
}

/* One byte more than declared is asked for, so that a file that goes on is noticed; at the end libzip
 * compares the checksum. */
static bool read_all(zip_file_t *f, uint8_t *out, size_t len)
{
    size_t got = 0;
    uint8_t more;
    while (got < len) {
        zip_int64_t n = zip_fread(f, out + got, len - got);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return zip_fread(f, &more, 1) == 0;
}

static enum err unpack(zip_t *z, size_t index, size_t len, struct writer *out, const char *name,
                       struct cap_problem *why)
{
    wr_heap(out, len > 0 ? len : 1);
    uint8_t *memory = wr_reserve(out, len);
    if (memory == NULL)
        return cap_refuse(why, ERR_MEMORY, "out of memory");
    zip_file_t *f = zip_fopen_index(z, index, 0);
    bool good = f != NULL && read_all(f, memory, len);
    bool memory_gone =
        zip_error_code_zip(f != NULL ? zip_file_get_error(f) : zip_get_error(z)) == ZIP_ER_MEMORY;
    if (f != NULL)
        zip_fclose(f);
    if (good)
        return OK;
    if (memory_gone)
        return cap_refuse(why, ERR_MEMORY, "out of memory");
    return cap_refuse(why, ERR_FORMAT, "ZIP: %s can't be unpacked to its size and checksum", name);
}

static zip_t *open_archive(struct view file, bool *memory_gone)
{
    zip_error_t error;
    zip_t *z = NULL;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(file.data, file.len, 0, &error);
    if (source != NULL)
        z = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (source != NULL && z == NULL)
        zip_source_free(source);
    *memory_gone = zip_error_code_zip(&error) == ZIP_ER_MEMORY;
    zip_error_fini(&error);
    return z;
}

static const char signature_folder[] = "META-INF/";
static const char signature_stem[] = "META-INF/dap.";

/* Others below META-INF are passed over, and what is no name of a signature. */
static bool is_signature(struct view name)
{
    struct view last = view_tail(name, strlen(signature_folder));
    if (!view_starts(name, view_str(signature_stem)) || last.len > CAP_SIGNATURE_NAME_MAX)
        return false;
    for (size_t i = 0; i < last.len; i++)
        if (last.data[i] <= ' ' || last.data[i] > '~' || last.data[i] == '/')
            return false;
    return true;
}

static enum err unpack_signature(struct components *c, zip_t *z, const struct archive_entry *entry,
                                 size_t index, struct cap_problem *why)
{
    struct writer memory = {0};
    struct view name = view_tail(entry->name, strlen(signature_folder));
    if (c->signature_count == CAP_SIGNATURES_MAX)
        return cap_refuse(why, ERR_LIMIT, "ZIP: more than %d signatures", CAP_SIGNATURES_MAX);
    if (entry->size == 0 || entry->size > CAP_SIGNATURE_MAX)
        return cap_refuse(why, ERR_FORMAT, "ZIP: %s has %u bytes, a signature has 1 to %d",
                          cap_shown(name).text, entry->size, CAP_SIGNATURE_MAX);
    enum err e = unpack(z, index, entry->size, &memory, cap_shown(name).text, why);
    if (e == OK) {
        struct cap_signature *s = &c->signatures[c->signature_count++];
        memcpy(s->name, name.data, name.len);
        memcpy(s->data, memory.data, memory.len);
        s->len = memory.len;
    }
    wr_free(&memory);
    return e;
}

static enum err unpack_signatures(struct components *c, zip_t *z, const struct archive *a,
                                  struct cap_problem *why)
{
    enum err e = OK;
    for (size_t i = 0; i < a->count && e == OK; i++)
        if (is_signature(a->entries[i].name))
            e = unpack_signature(c, z, &a->entries[i], i, why);
    return e;
}

static enum err unpack_all(struct components *c, const struct archive *a, const size_t entry[COMPONENT_TAGS],
                           struct view file, struct cap_problem *why)
{
    bool memory_gone = false;
    enum err e = OK;
    zip_t *z = open_archive(file, &memory_gone);
    if (z == NULL && memory_gone)
        return cap_refuse(why, ERR_MEMORY, "out of memory");
    if (z == NULL || zip_get_num_entries(z, 0) != (zip_int64_t)a->count)
        e = cap_refuse(why, ERR_FORMAT, "ZIP: the archive is damaged");
    for (unsigned tag = 1; tag < COMPONENT_TAGS && e == OK; tag++) {
        if (entry[tag] == 0 || !component_kind(tag)->loaded)
            continue;
        const struct archive_entry *found = &a->entries[entry[tag] - 1];
        e = check_size(found, tag, c->wide[tag], why);
        if (e == OK)
            e = unpack(z, entry[tag] - 1, found->size, &c->memory[tag], component_kind(tag)->name, why);
        if (e == OK && found->size == 0)
            e = cap_refuse(why, ERR_FORMAT, "%s: no bytes", component_kind(tag)->name);
        if (e == OK)
            c->whole[tag] = wr_view_of(&c->memory[tag]);
    }
    if (e == OK)
        e = unpack_signatures(c, z, a, why);
    if (z != NULL)
        zip_discard(z);
    return e;
}

enum err archive_read(struct components *out, struct view file, struct cap_problem *why)
{
    size_t entry[COMPONENT_TAGS] = {0};
    enum err e = OK;
    *out = (struct components){.folder = ""};
    struct archive *a = malloc(sizeof(*a));
    if (a == NULL)
        return cap_refuse(why, ERR_MEMORY, "out of memory");
    e = archive_check(a, file, why);
    if (e == OK)
        e = find_components(out, a, entry, why);
    if (e == OK)
        e = unpack_all(out, a, entry, file, why);
    free(a);
    if (e != OK)
        components_finish(out);
    return e;
}
