/* SPDX-License-Identifier: Apache-2.0
 *
 * The structure of a ZIP archive (PKWARE APPNOTE 4.3), checked before anything in it is believed. An archive
 * tells most things twice; readers differ in which they believe, so two stories are a reason to refuse. What
 * is checked here also bounds the work that the unpacking can cause. */
#include <cap/archive.h>
#include <cap/problem.h>

enum {
    SIGNATURE_LEN = 4,
    END_LEN = 22,
    COMMENT_MAX = 0xFFFF,
    FLAG_ENCRYPTED = 0x0001,
    FLAG_STREAMED = 0x0008, /* sizes and checksum only behind the data */
    FLAG_PATCH = 0x0020,
    FLAG_STRONG = 0x0040,
    FLAG_MASKED = 0x2000,
    FLAGS_REFUSED = FLAG_ENCRYPTED | FLAG_PATCH | FLAG_STRONG | FLAG_MASKED
};

static const uint8_t local_signature[SIGNATURE_LEN] = {'P', 'K', 3, 4};
static const uint8_t central_signature[SIGNATURE_LEN] = {'P', 'K', 1, 2};
static const uint8_t end_signature[SIGNATURE_LEN] = {'P', 'K', 5, 6};

/* ZIP is little-endian. */
static uint16_t take16(struct reader *r)
{
    uint16_t low = rd_u8(r);
    return (uint16_t)(low | rd_u8(r) << 8);
}

static uint32_t take32(struct reader *r)
{
    uint32_t low = take16(r);
    return low | (uint32_t)take16(r) << 16;
}

static void take_signature(struct reader *r, const uint8_t signature[SIGNATURE_LEN])
{
    if (!view_equal(rd_view(r, SIGNATURE_LEN), view_of(signature, SIGNATURE_LEN)))
        rd_fail(r);
}

/* Where the last end record begins; its comment must be the end of the file. */
static bool find_end(struct view file, size_t *at)
{
    for (size_t back = END_LEN; back <= file.len && back <= END_LEN + COMMENT_MAX; back++) {
        if (!view_starts(view_tail(file, file.len - back), VIEW_OF(end_signature)))
            continue;
        *at = file.len - back;
        return true;
    }
    return false;
}

/* What the end record says of the central directory. */
struct central {
    uint16_t count;
    uint32_t len, start;
};

static enum err read_end(struct view file, size_t at, struct central *out, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, view_tail(file, at));
    take_signature(&r, end_signature);
    uint16_t disk = take16(&r), first_disk = take16(&r), count_here = take16(&r);
    struct central c = {.count = take16(&r)};
    c.len = take32(&r);
    c.start = take32(&r);
    uint16_t comment_len = take16(&r);
    rd_view(&r, comment_len);
    if (!rd_done(&r))
        return cap_refuse(why, ERR_FORMAT, "ZIP: the end record is not the end of the file");
    if (disk != 0 || first_disk != 0 || count_here != c.count)
        return cap_refuse(why, ERR_UNSUPPORTED, "ZIP: an archive in several parts");
    if (c.count > CAP_ENTRIES_MAX)
        return cap_refuse(why, ERR_LIMIT, "ZIP: %u files, at most %d are read", c.count, CAP_ENTRIES_MAX);
    if ((uint64_t)c.start + c.len != at)
        return cap_refuse(why, ERR_FORMAT, "ZIP: the central directory is not where the end record says");
    *out = c;
    return OK;
}

/* A path that stays in its archive, whatever system reads it. */
static bool name_is_good(struct view name)
{
    struct view rest = name;
    if (name.len == 0)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '\0' || name.data[i] == '\\' || name.data[i] == ':')
            return false;
    while (rest.len > 0) {
        size_t n = 0;
        while (n < rest.len && rest.data[n] != '/')
            n++;
        struct view part = view_head(rest, n);
        if (part.len == 0 || view_equal(part, view_str(".")) || view_equal(part, view_str("..")))
            return false;
        rest = view_tail(rest, n + 1);
    }
    return true;
}

static enum err check_entry(const struct archive_entry *e, struct cap_problem *why)
{
    if (e->name.len > CAP_PATH_MAX)
        return cap_refuse(why, ERR_LIMIT, "ZIP: a name of %zu bytes, at most %d are read", e->name.len,
                          CAP_PATH_MAX);
    if (!name_is_good(e->name))
        return cap_refuse(why, ERR_FORMAT, "ZIP: the name %s is not a plain path inside of the archive",
                          cap_shown(e->name).text);
    if ((e->flags & FLAGS_REFUSED) != 0)
        return cap_refuse(why, ERR_UNSUPPORTED, "ZIP: %s is encrypted", cap_shown(e->name).text);
    if (e->method != ENTRY_STORED && e->method != ENTRY_DEFLATED)
        return cap_refuse(why, ERR_UNSUPPORTED, "ZIP: %s has the unknown compression method %u",
                          cap_shown(e->name).text, e->method);
    if (e->method == ENTRY_STORED && e->packed != e->size)
        return cap_refuse(why, ERR_FORMAT, "ZIP: %s is not compressed, but has two sizes",
                          cap_shown(e->name).text);
    return OK;
}

static void take_central(struct reader *r, struct archive_entry *e)
{
    take_signature(r, central_signature);
    take16(r); /* made by */
    take16(r); /* needs */
    e->flags = take16(r);
    e->method = take16(r);
    take32(r); /* time and date */
    e->crc = take32(r);
    e->packed = take32(r);
    e->size = take32(r);
    uint16_t name_len = take16(r), extra_len = take16(r), comment_len = take16(r);
    if (take16(r) != 0) /* disk */
        rd_fail(r);
    take16(r); /* attributes, internal and external */
    take32(r);
    e->start = take32(r);
    e->name = rd_view(r, name_len);
    rd_view(r, extra_len);
    rd_view(r, comment_len);
}

/* The local header must tell the same; a streamed one tells no sizes and no checksum. */
static bool local_agrees(struct reader *r, const struct archive_entry *e)
{
    take_signature(r, local_signature);
    take16(r); /* needs */
    bool same = take16(r) == e->flags;
    same &= take16(r) == e->method;
    take32(r); /* time and date */
    uint32_t crc = take32(r), packed = take32(r), size = take32(r);
    if ((e->flags & FLAG_STREAMED) == 0)
        same &= crc == e->crc && packed == e->packed && size == e->size;
    uint16_t name_len = take16(r), extra_len = take16(r);
    same &= view_equal(rd_view(r, name_len), e->name);
    rd_view(r, extra_len);
    return same && rd_ok(r);
}

/* locals: everything in front of the central directory. */
static enum err check_local(struct view locals, struct archive_entry *e, struct cap_problem *why)
{
    struct reader r;
    if (e->start >= locals.len)
        return cap_refuse(why, ERR_FORMAT, "ZIP: %s lies outside of the archive", cap_shown(e->name).text);
    rd_init(&r, view_tail(locals, e->start));
    if (!local_agrees(&r, e))
        return cap_refuse(why, ERR_FORMAT, "ZIP: the two headers of %s differ", cap_shown(e->name).text);
    rd_view(&r, e->packed);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "ZIP: %s ends behind the archive", cap_shown(e->name).text);
    e->end = locals.len - rd_left(&r);
    return OK;
}

static enum err check_overlap(const struct archive *a, struct cap_problem *why)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = i + 1; j < a->count; j++)
            if (a->entries[i].start < a->entries[j].end && a->entries[j].start < a->entries[i].end)
                return cap_refuse(why, ERR_FORMAT, "ZIP: %s shares its bytes with another file",
                                  cap_shown(a->entries[j].name).text);
    return OK;
}

enum err archive_check(struct archive *out, struct view file, struct cap_problem *why)
{
    struct central c = {0};
    struct reader r;
    size_t at = 0;
    if (!find_end(file, &at))
        return cap_refuse(why, ERR_FORMAT, "neither a ZIP archive nor components in load order");
    enum err e = read_end(file, at, &c, why);
    if (e != OK)
        return e;
    struct view locals = view_head(file, c.start);
    rd_init(&r, view_head(view_tail(file, c.start), c.len));
    for (out->count = 0; e == OK && out->count < c.count; out->count++) {
        struct archive_entry *entry = &out->entries[out->count];
        take_central(&r, entry);
        if (!rd_ok(&r))
            break;
        e = check_entry(entry, why);
        if (e == OK)
            e = check_local(locals, entry, why);
    }
    if (e != OK)
        return e;
    if (!rd_done(&r))
        return cap_refuse(why, ERR_FORMAT,
                          "ZIP: the central directory does not hold the %u files that the end "
                          "record says",
                          c.count);
    return check_overlap(out, why);
}
