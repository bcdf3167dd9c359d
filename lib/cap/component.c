/* SPDX-License-Identifier: Apache-2.0
 *
 * What tells about the package: Header, Directory, Import, Applet (JCVM 6.4 to 6.7). They are compared with
 * each other, since a card's loader takes its memory by what Directory says. */
#include <cap/component.h>

#include <base/text.h>
#include <cap/problem.h>

#include <string.h>

enum { AID_RID_LEN = 5, FORMAT_MAJOR = 2, FORMAT_MINOR_MAX = 3, FORMAT_MINOR_NAME = 2 };

static const struct component_kind kinds[COMPONENT_TAGS] = {
    [COMPONENT_HEADER] = {"Header", true, true, SIZE_U2},
    [COMPONENT_DIRECTORY] = {"Directory", true, true, SIZE_U2},
    [COMPONENT_APPLET] = {"Applet", false, true, SIZE_U2},
    [COMPONENT_IMPORT] = {"Import", true, true, SIZE_U2},
    [COMPONENT_CONSTANT_POOL] = {"ConstantPool", true, true, SIZE_U2},
    [COMPONENT_CLASS] = {"Class", true, true, SIZE_U2},
    [COMPONENT_METHOD] = {"Method", true, true, SIZE_U4_EXTENDED},
    [COMPONENT_STATIC_FIELD] = {"StaticField", true, true, SIZE_U2},
    [COMPONENT_REF_LOCATION] = {"RefLocation", true, true, SIZE_U4_EXTENDED},
    [COMPONENT_EXPORT] = {"Export", false, true, SIZE_U2},
    [COMPONENT_DESCRIPTOR] = {"Descriptor", false, false, SIZE_U4_EXTENDED},
    [COMPONENT_DEBUG] = {"Debug", false, false, SIZE_U4_EXTENDED},
    [COMPONENT_STATIC_RESOURCES] = {"StaticResources", false, true, SIZE_U4},
};

const struct component_kind *component_kind(unsigned tag)
{
    return &kinds[tag];
}

const uint8_t *component_load_order(void)
{
    static const uint8_t order[] = {
        COMPONENT_HEADER,        COMPONENT_DIRECTORY,    COMPONENT_IMPORT,           COMPONENT_APPLET,
        COMPONENT_CLASS,         COMPONENT_METHOD,       COMPONENT_STATIC_FIELD,     COMPONENT_EXPORT,
        COMPONENT_CONSTANT_POOL, COMPONENT_REF_LOCATION, COMPONENT_STATIC_RESOURCES, 0};
    return order;
}

bool component_is_wide(unsigned tag, uint8_t flags)
{
    return kinds[tag].size == SIZE_U4 || (kinds[tag].size == SIZE_U4_EXTENDED && (flags & CAP_EXTENDED) != 0);
}

void components_finish(struct components *c)
{
    for (unsigned tag = 0; tag < COMPONENT_TAGS; tag++)
        wr_free(&c->memory[tag]);
    *c = (struct components){.folder = ""};
}

enum err component_frame(struct components *c, unsigned tag, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, c->whole[tag]);
    uint8_t found = rd_u8(&r);
    size_t size = c->wide[tag] ? rd_u32(&r) : rd_u16(&r);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "%s: ends inside of its size field", kinds[tag].name);
    if (found != tag)
        return cap_refuse(why, ERR_FORMAT, "%s: its tag is %02X", kinds[tag].name, found);
    if (size != rd_left(&r))
        return cap_refuse(why, ERR_FORMAT, "%s: says %zu bytes, there are %zu", kinds[tag].name, size,
                          rd_left(&r));
    if (size == 0)
        return cap_refuse(why, ERR_FORMAT, "%s: is empty", kinds[tag].name);
    c->info[tag] = rd_rest(&r);
    return OK;
}

/* AIDs have a length of one byte in front; a wrong one makes the reader bad. */
static void take_aid(struct reader *r, struct aid *out)
{
    if (aid_set(out, rd_view8(r, AID_MAX)) != OK)
        rd_fail(r);
}

/* JCVM 6.4: package_info. */
static void take_package(struct reader *r, struct cap_package *out)
{
    out->minor = rd_u8(r);
    out->major = rd_u8(r);
    take_aid(r, &out->aid);
}

/* The extended format lists the public packages, and may name each; the file has an AID of its own. */
static void take_public_packages(struct reader *r, size_t *names)
{
    struct cap_package ignored;
    size_t count = rd_u8(r);
    for (size_t i = 0; i < count && rd_ok(r); i++)
        take_package(r, &ignored);
    *names = count > 0 ? count : 1;
}

/* Internal form: "org/example/hello". The folder in the archive is the same, where the file came from one. */
static enum err check_name(const struct components *c, struct view name, struct cap *out,
                           struct cap_problem *why)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] == 0x7F)
            return cap_refuse(why, ERR_FORMAT, "Header: a package name that is none");
    if (name.len > 0 && c->folder[0] != '\0' && !view_equal(name, view_str(c->folder)))
        return cap_refuse(why, ERR_FORMAT, "Header: the package is %s, but its folder %s",
                          cap_shown(name).text, cap_shown(view_str(c->folder)).text);
    struct view kept = view_head(name, NAME_MAX_BYTES);
    if (kept.len > 0)
        memcpy(out->name, kept.data, kept.len);
    out->name[kept.len] = '\0';
    return OK;
}

static enum err check_format(const struct cap *cap, struct cap_problem *why)
{
    if (cap->format_major != FORMAT_MAJOR || cap->format_minor == 0 || cap->format_minor > FORMAT_MINOR_MAX)
        return cap_refuse(why, ERR_UNSUPPORTED, "Header: CAP format %u.%u, 2.1 to 2.3 are known",
                          cap->format_major, cap->format_minor);
    if ((cap->flags & ~(CAP_INT | CAP_EXPORT | CAP_APPLET | CAP_EXTENDED)) != 0 ||
        ((cap->flags & CAP_EXTENDED) != 0 && cap->format_minor < FORMAT_MINOR_MAX))
        return cap_refuse(why, ERR_UNSUPPORTED, "Header: unknown flags %02X", cap->flags);
    return OK;
}

enum err component_header(struct components *c, struct cap *out, struct cap_problem *why)
{
    struct reader r;
    struct view name = VIEW_NULL;
    size_t names = 1;
    rd_init(&r, c->info[COMPONENT_HEADER]);
    uint32_t magic = rd_u32(&r);
    if (rd_ok(&r) && magic != 0xDECAFFEDu)
        return cap_refuse(why, ERR_FORMAT, "Header: the magic number is %08X instead of DECAFFED", magic);
    out->format_minor = rd_u8(&r);
    out->format_major = rd_u8(&r);
    out->flags = rd_u8(&r);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "Header: ends too early");
    enum err e = check_format(out, why);
    if (e != OK)
        return e;
    take_package(&r, &out->package);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "Header: the package AID does not have 5 to 16 bytes");
    if ((out->flags & CAP_EXTENDED) != 0)
        take_public_packages(&r, &names);
    if (out->format_minor >= FORMAT_MINOR_NAME)
        name = rd_view8(&r, UINT8_MAX);
    for (size_t i = 1; i < names && rd_left(&r) > 0; i++)
        rd_view8(&r, UINT8_MAX);
    if (!rd_done(&r))
        return cap_refuse(why, ERR_FORMAT, "Header: its end is not where it should be");
    return check_name(c, name, out, why);
}

/* JCVM 6.5: sizes in the order of the tags. Those of Descriptor and Debug don't matter: they are not sent,
 * and often taken out. */
static enum err take_sizes(struct reader *r, const struct components *c, const struct cap *cap,
                           struct cap_problem *why)
{
    unsigned last = cap->format_minor >= 3   ? COMPONENT_STATIC_RESOURCES
                    : cap->format_minor >= 2 ? COMPONENT_DEBUG
                                             : COMPONENT_DESCRIPTOR;
    for (unsigned tag = 1; tag <= last; tag++) {
        size_t size = component_is_wide(tag, cap->flags) ? rd_u32(r) : rd_u16(r);
        if (rd_ok(r) && kinds[tag].loaded && size != c->info[tag].len)
            return cap_refuse(why, ERR_FORMAT, "Directory: says %zu bytes for %s, there are %zu", size,
                              kinds[tag].name, c->info[tag].len);
    }
    return OK;
}

/* The first values of StaticField are repeated (JCVM 6.5, static_field_size_info). */
static bool static_fields_agree(const struct components *c, uint16_t image_size, uint16_t array_count)
{
    struct reader r;
    rd_init(&r, c->info[COMPONENT_STATIC_FIELD]);
    bool same = rd_u16(&r) == image_size;
    rd_u16(&r);
    return rd_u16(&r) == array_count && same;
}

enum err component_directory(struct components *c, const struct cap *cap, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, c->info[COMPONENT_DIRECTORY]);
    enum err e = take_sizes(&r, c, cap, why);
    if (e != OK)
        return e;
    uint16_t image_size = rd_u16(&r), array_count = rd_u16(&r);
    rd_u16(&r);
    uint8_t imports = rd_u8(&r), applets = rd_u8(&r);
    if ((cap->flags & CAP_EXTENDED) != 0)
        rd_u8(&r); /* one more count in the extended format */
    uint8_t custom = rd_u8(&r);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "Directory: ends too early");
    if (!static_fields_agree(c, image_size, array_count))
        return cap_refuse(why, ERR_FORMAT, "Directory: says other sizes of static fields than StaticField");
    if (imports != cap->import_count)
        return cap_refuse(why, ERR_FORMAT, "Directory: says %u imports, there are %zu", imports,
                          cap->import_count);
    if (applets != cap->applet_count)
        return cap_refuse(why, ERR_FORMAT, "Directory: says %u applets, there are %zu", applets,
                          cap->applet_count);
    if (custom != 0)
        return cap_refuse(why, ERR_UNSUPPORTED, "Directory: says %u custom components, none are known",
                          custom);
    if (!rd_done(&r))
        return cap_refuse(why, ERR_FORMAT, "Directory: its end is not where it should be");
    return OK;
}

enum err component_import(struct components *c, struct cap *out, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, c->info[COMPONENT_IMPORT]);
    size_t count = rd_u8(&r);
    if (count > CAP_IMPORTS_MAX)
        return cap_refuse(why, ERR_LIMIT, "Import: %zu packages, at most %d are possible", count,
                          CAP_IMPORTS_MAX);
    for (size_t i = 0; i < count; i++)
        take_package(&r, &out->imports[i]);
    if (!rd_done(&r))
        return cap_refuse(why, ERR_FORMAT, "Import: does not hold the %zu packages that it says", count);
    out->import_count = count;
    return OK;
}

/* JCVM 6.6: all applets have the package's RID, none has another's AID, and install() lies in Method. */
static enum err check_applet(const struct components *c, const struct cap *cap, const struct aid *a,
                             uint16_t install, struct cap_problem *why)
{
    char hex[2 * AID_MAX + 1];
    hex_write(hex, aid_view(a));
    if (!view_equal(view_head(aid_view(a), AID_RID_LEN), view_head(aid_view(&cap->package.aid), AID_RID_LEN)))
        return cap_refuse(why, ERR_FORMAT, "Applet: %s does not begin as the package's AID", hex);
    for (size_t i = 0; i < cap->applet_count; i++)
        if (aid_equal(&cap->applets[i], a))
            return cap_refuse(why, ERR_FORMAT, "Applet: two applets have the AID %s", hex);
    if (install >= c->info[COMPONENT_METHOD].len)
        return cap_refuse(why, ERR_FORMAT, "Applet: install() of %s lies outside of Method", hex);
    return OK;
}

enum err component_applet(struct components *c, struct cap *out, struct cap_problem *why)
{
    struct reader r;
    enum err e = OK;
    if (((out->flags & CAP_APPLET) != 0) != (c->info[COMPONENT_APPLET].len > 0))
        return cap_refuse(why, ERR_FORMAT, "Header says %s applets, but Applet is %s",
                          (out->flags & CAP_APPLET) != 0 ? "there are" : "no",
                          c->info[COMPONENT_APPLET].len > 0 ? "there" : "missing");
    if ((out->flags & CAP_APPLET) == 0)
        return OK;
    rd_init(&r, c->info[COMPONENT_APPLET]);
    size_t count = rd_u8(&r);
    if (count == 0)
        return cap_refuse(why, ERR_FORMAT, "Applet: holds no applet");
    if (count > CAP_APPLETS_MAX)
        return cap_refuse(why, ERR_LIMIT, "Applet: %zu applets, at most %d are possible", count,
                          CAP_APPLETS_MAX);
    for (size_t i = 0; i < count && e == OK; i++) {
        struct aid a = {.len = 0};
        take_aid(&r, &a);
        if ((out->flags & CAP_EXTENDED) != 0)
            rd_u8(&r); /* the block of Method that the offset belongs to */
        uint16_t install = rd_u16(&r);
        if (!rd_ok(&r))
            return cap_refuse(why, ERR_FORMAT,
                              "Applet: an AID that does not have 5 to 16 bytes, or too few applets");
        e = check_applet(c, out, &a, install, why);
        if (e == OK)
            out->applets[out->applet_count++] = a;
    }
    if (e == OK && !rd_done(&r))
        return cap_refuse(why, ERR_FORMAT, "Applet: does not hold the %zu applets that it says", count);
    return e;
}
