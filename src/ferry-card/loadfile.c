/* SPDX-License-Identifier: Apache-2.0
 *
 * Load file data blocks: one check per component, from a table in load order. */
#include "loadfile.h"

#include <string.h>

/* ---- components ---- */

enum component {
    HEADER = 1,
    DIRECTORY = 2,
    APPLET = 3,
    IMPORT = 4,
    CONSTANT_POOL = 5,
    CLASS = 6,
    METHOD = 7,
    STATIC_FIELD = 8,
    REF_LOCATION = 9,
    EXPORT = 10,
    DESCRIPTOR = 11,
    DEBUG = 12,
    STATIC_RESOURCES = 13,
    COMPONENT_COUNT = 14,
    CUSTOM_FIRST = 128
};

enum { FLAG_EXPORT = 0x02, FLAG_APPLET = 0x04, FLAG_EXTENDED = 0x08, CUSTOM_MAX = 16 };
static const uint32_t cap_magic = 0xDECAFFED;

struct custom {
    uint8_t tag;
    struct view info;
};

struct parse {
    struct loadfile_info *info;
    const char *why;
    struct view part[COMPONENT_COUNT]; /* what follows tag and size */
    bool present[COMPONENT_COUNT];
    struct custom custom[CUSTOM_MAX];
    size_t custom_count;
    uint8_t directory_imports, directory_applets;
    uint16_t directory_image, directory_arrays;
};

static bool refuse(struct parse *p, const char *why)
{
    p->why = why;
    return false;
}

static bool extended(const struct parse *p)
{
    return (p->info->flags & FLAG_EXTENDED) != 0;
}

/* JCVM 3.1: sizes of 4 bytes in static resources, and in extended CAP files where code may be long. */
static bool long_size(const struct parse *p, unsigned tag)
{
    return tag == STATIC_RESOURCES ||
           (extended(p) && (tag == METHOD || tag == REF_LOCATION || tag == DESCRIPTOR || tag == DEBUG));
}

static bool read_aid(struct reader *r, struct card_aid *aid)
{
    return card_aid_set(aid, rd_view8(r, AID_MAX));
}

/* Names of packages: each a length and bytes. */
static bool read_names(struct reader *r, size_t least)
{
    size_t count = 0;
    for (; rd_ok(r) && rd_left(r) != 0; count++)
        (void)rd_view8(r, UINT8_MAX);
    return count >= least;
}

/* Extended CAP files name the packages that are public. */
static bool read_public_packages(struct reader *r)
{
    uint8_t count = rd_u8(r);
    for (size_t i = 0; rd_ok(r) && i < count; i++) {
        struct card_aid aid;
        (void)rd_u16(r);
        if (!read_aid(r, &aid))
            return false;
    }
    return read_names(r, 1);
}

static bool check_header(struct parse *p)
{
    struct loadfile_info *info = p->info;
    struct reader r;
    rd_init(&r, p->part[HEADER]);
    if (rd_u32(&r) != cap_magic)
        return refuse(p, "Header: the magic number is wrong");
    info->format_minor = rd_u8(&r);
    info->format_major = rd_u8(&r);
    if (info->format_major != 2 || info->format_minor < 1 || info->format_minor > 3)
        return refuse(p, "Header: unknown format of CAP file");
    info->flags = rd_u8(&r);
    info->package.minor = rd_u8(&r);
    info->package.major = rd_u8(&r);
    if (!read_aid(&r, &info->package.aid))
        return refuse(p, "Header: the AID has no 5 to 16 bytes");
    bool ok = true;
    if (extended(p))
        ok = info->format_minor >= 3 && read_public_packages(&r);
    else if (info->format_minor >= 2)
        ok = read_names(&r, 1);
    if (!ok || !rd_done(&r))
        return refuse(p, "Header: it is too short, or something follows it");
    return true;
}

static size_t read_size(const struct parse *p, struct reader *r, unsigned tag)
{
    return long_size(p, tag) ? rd_u32(r) : rd_u16(r);
}

static bool check_sizes(struct parse *p, struct reader *r)
{
    static const uint8_t last_by_minor[] = {0, DESCRIPTOR, DEBUG, STATIC_RESOURCES};
    unsigned last = last_by_minor[p->info->format_minor];
    for (unsigned tag = HEADER; tag <= last; tag++) {
        size_t size = read_size(p, r, tag);
        bool optional = tag == DESCRIPTOR || tag == DEBUG; /* normally not sent */
        if ((p->present[tag] || !optional) && size != p->part[tag].len)
            return refuse(p, "Directory: the size of a component is another");
    }
    return !p->present[STATIC_RESOURCES] || last == STATIC_RESOURCES;
}

static bool check_custom(struct parse *p, struct reader *r)
{
    uint8_t count = rd_u8(r);
    size_t found = 0;
    for (size_t i = 0; rd_ok(r) && i < count; i++) {
        struct card_aid aid;
        uint8_t tag = rd_u8(r);
        uint16_t size = rd_u16(r);
        if (!read_aid(r, &aid))
            return false;
        for (size_t n = 0; n < p->custom_count; n++)
            found += p->custom[n].tag == tag && p->custom[n].info.len == size;
    }
    return found == p->custom_count;
}

static bool check_directory(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[DIRECTORY]);
    if (!check_sizes(p, &r))
        return false;
    p->directory_image = rd_u16(&r);
    p->directory_arrays = rd_u16(&r);
    (void)rd_u16(&r); /* bytes of initialised arrays */
    p->directory_imports = rd_u8(&r);
    p->directory_applets = rd_u8(&r);
    if (extended(p))
        (void)rd_u8(&r); /* number of public packages */
    if (!check_custom(p, &r) || !rd_done(&r))
        return refuse(p, "Directory: it is too short or too long, or its custom components are others");
    return true;
}

static bool check_import(struct parse *p)
{
    struct card_package *package = &p->info->package;
    struct reader r;
    rd_init(&r, p->part[IMPORT]);
    uint8_t count = rd_u8(&r);
    if (count > CAP_IMPORTS_MAX || count != p->directory_imports)
        return refuse(p, "Import: the number of imports is not possible, or not that of Directory");
    for (size_t i = 0; i < count; i++) {
        struct card_import *import = &package->imports[i];
        import->minor = rd_u8(&r);
        import->major = rd_u8(&r);
        if (!read_aid(&r, &import->aid))
            return refuse(p, "Import: an AID is wrong or missing");
    }
    package->import_count = count;
    return rd_done(&r) ? true : refuse(p, "Import: something follows the imports");
}

static bool module_is_new(const struct card_package *package, struct view aid)
{
    for (size_t i = 0; i < package->module_count; i++) {
        if (card_aid_is(&package->modules[i], aid))
            return false;
    }
    return true;
}

static bool check_applet(struct parse *p)
{
    struct card_package *package = &p->info->package;
    struct view rid = view_head(card_aid_view(&package->aid), AID_MIN);
    struct reader r;
    rd_init(&r, p->part[APPLET]);
    uint8_t count = rd_u8(&r);
    if (count == 0 || count > CAP_APPLETS_MAX || count != p->directory_applets)
        return refuse(p, "Applet: the number of applets is not possible, or not that of Directory");
    for (size_t i = 0; i < count; i++) {
        struct card_aid aid;
        if (!read_aid(&r, &aid))
            return refuse(p, "Applet: an AID is wrong or missing");
        /* JCVM 6.5: all of a package's AIDs share its RID. */
        if (!view_starts(card_aid_view(&aid), rid) || !module_is_new(package, card_aid_view(&aid)))
            return refuse(p, "Applet: an AID is of another RID, or comes twice");
        size_t block = extended(p) ? rd_u8(&r) : 0;
        size_t install = rd_u16(&r);
        if (block == 0 && install >= p->part[METHOD].len)
            return refuse(p, "Applet: the install method is outside of Method");
        package->modules[package->module_count++] = aid;
    }
    return rd_done(&r) ? true : refuse(p, "Applet: something follows the applets");
}

/* One interface_info or class_info of format 2.1 (JCVM 2.2 6.8). */
static bool read_class(struct reader *r, size_t size)
{
    enum { IS_INTERFACE = 0x80, IS_REMOTE = 0x20, EXTERNAL = 0x8000, NO_SUPERCLASS = 0xFFFF };
    uint8_t head = rd_u8(r);
    size_t interfaces = head & 0x0F;
    if (head & IS_INTERFACE) {
        (void)rd_view(r, 2 * interfaces);
        if (head & IS_REMOTE)
            (void)rd_view8(r, UINT8_MAX);
        return rd_ok(r);
    }
    uint16_t super = rd_u16(r);
    if (super != NO_SUPERCLASS && !(super & EXTERNAL) && super >= size)
        return false;
    (void)rd_view(r, 3); /* instance size, references */
    (void)rd_u8(r);
    size_t methods = rd_u8(r);
    (void)rd_u8(r);
    methods += rd_u8(r);
    (void)rd_view(r, 2 * methods);
    for (size_t i = 0; rd_ok(r) && i < interfaces; i++) {
        (void)rd_u16(r);
        (void)rd_view8(r, UINT8_MAX);
    }
    if (head & IS_REMOTE)
        (void)rd_rest(r); /* remote methods: not looked at */
    return rd_ok(r);
}

static bool check_class(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[CLASS]);
    /* From format 2.2 on a signature pool and token mappings stand here as well: left to the interpreter. */
    if (p->info->format_minor > 1)
        return true;
    while (rd_left(&r) != 0) {
        if (!read_class(&r, p->part[CLASS].len))
            return refuse(p, "Class: it ends too early, or a superclass is outside");
    }
    return true;
}

static bool check_method(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[METHOD]);
    if (extended(p))
        return rd_left(&r) != 0 || refuse(p, "Method: it is empty");
    size_t handlers = rd_u8(&r);
    (void)rd_view(&r, 8 * handlers);
    return rd_ok(&r) ? true : refuse(p, "Method: the exception handlers are not all there");
}

static bool check_static_field(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[STATIC_FIELD]);
    size_t image = rd_u16(&r), references = rd_u16(&r), arrays = rd_u16(&r);
    if (image != p->directory_image || arrays != p->directory_arrays)
        return refuse(p, "StaticField: it differs from what Directory says");
    for (size_t i = 0; rd_ok(&r) && i < arrays; i++) {
        (void)rd_u8(&r);
        (void)rd_view16(&r, UINT16_MAX);
    }
    size_t defaults = rd_u16(&r);
    size_t others = rd_view16(&r, UINT16_MAX).len;
    if (!rd_done(&r) || image != 2 * references + defaults + others)
        return refuse(p, "StaticField: it is too short or too long, or the image is of another size");
    return true;
}

static bool check_constant_pool(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[CONSTANT_POOL]);
    uint16_t count = rd_u16(&r);
    for (size_t i = 0; rd_ok(&r) && i < count; i++) {
        uint8_t tag = rd_u8(&r);
        if (tag < 1 || tag > 6)
            return refuse(p, "ConstantPool: an entry has an unknown tag");
        (void)rd_u24(&r);
    }
    return rd_done(&r) ? true : refuse(p, "ConstantPool: the entries are not all there, or there are more");
}

/* Distances from place to place: the last place must be in Method (JCVM 6.11). */
static bool check_places(struct parse *p, struct view places)
{
    size_t at = 0;
    for (size_t i = 0; i < places.len; i++)
        at += places.data[i];
    return places.len == 0 || at < p->part[METHOD].len;
}

static bool check_ref_location(struct parse *p)
{
    struct reader r;
    rd_init(&r, p->part[REF_LOCATION]);
    if (extended(p))
        return rd_left(&r) != 0 || refuse(p, "RefLocation: it is empty");
    struct view one = rd_view16(&r, UINT16_MAX), two = rd_view16(&r, UINT16_MAX);
    if (!rd_done(&r))
        return refuse(p, "RefLocation: the places are not all there, or there are more");
    return (check_places(p, one) && check_places(p, two)) || refuse(p, "RefLocation: a place is outside");
}

static bool check_export(struct parse *p)
{
    return p->part[EXPORT].len >= 2 || refuse(p, "Export: it is empty");
}

/* In load order (JCVM 6.3); required by every load file, or by a flag in Header. */
static const struct {
    uint8_t tag;
    enum { REQUIRED, BY_FLAG, OPTIONAL } need;
    uint8_t flag;
    bool (*check)(struct parse *p);
} component_rows[] = {{HEADER, REQUIRED, 0, check_header},
                      {DIRECTORY, REQUIRED, 0, check_directory},
                      {IMPORT, REQUIRED, 0, check_import},
                      {APPLET, BY_FLAG, FLAG_APPLET, check_applet},
                      {CLASS, REQUIRED, 0, check_class},
                      {METHOD, REQUIRED, 0, check_method},
                      {STATIC_FIELD, REQUIRED, 0, check_static_field},
                      {EXPORT, BY_FLAG, FLAG_EXPORT, check_export},
                      {CONSTANT_POOL, REQUIRED, 0, check_constant_pool},
                      {REF_LOCATION, REQUIRED, 0, check_ref_location},
                      {DESCRIPTOR, OPTIONAL, 0, NULL},
                      {STATIC_RESOURCES, OPTIONAL, 0, NULL}};
enum { ROW_COUNT = sizeof component_rows / sizeof component_rows[0] };

static size_t row_of(unsigned tag)
{
    size_t n = 0;
    while (n < ROW_COUNT && component_rows[n].tag != tag)
        n++;
    return n;
}

/* Takes one component off the row; next_row is where the load order stands. */
static bool take_component(struct parse *p, struct reader *r, size_t *next_row)
{
    uint8_t tag = rd_u8(r);
    struct view info = long_size(p, tag) ? rd_view32(r, LOAD_FILE_MAX) : rd_view16(r, UINT16_MAX);
    if (!rd_ok(r))
        return refuse(p, "a component is longer than the file");
    if (info.len == 0)
        return refuse(p, "a component is empty");
    if (tag >= CUSTOM_FIRST) {
        if (*next_row < row_of(DESCRIPTOR) || p->custom_count == CUSTOM_MAX)
            return refuse(p, "a custom component stands too early, or there are too many");
        p->custom[p->custom_count++] = (struct custom){tag, info};
        return true;
    }
    size_t row = row_of(tag);
    if (row == ROW_COUNT)
        return refuse(p, "a component has a tag that is not for cards");
    if (row < *next_row)
        return refuse(p, "the components are out of order");
    p->part[tag] = info;
    p->present[tag] = true;
    *next_row = row + 1;
    return true;
}

static bool take_components(struct parse *p, struct view block)
{
    struct reader r;
    size_t next_row = 0;
    rd_init(&r, block);
    while (rd_left(&r) != 0) {
        if (!take_component(p, &r, &next_row))
            return false;
        /* Header is first, and says how long the sizes of the others are. */
        if (next_row == 1 && !check_header(p))
            return false;
        if (!p->present[HEADER])
            return refuse(p, "Header is missing");
    }
    return p->present[HEADER] || refuse(p, "it is empty");
}

static bool check_presence(struct parse *p)
{
    for (size_t n = 0; n < ROW_COUNT; n++) {
        bool present = p->present[component_rows[n].tag];
        bool flagged = (p->info->flags & component_rows[n].flag) != 0;
        if (component_rows[n].need == REQUIRED && !present)
            return refuse(p, "a component is missing");
        if (component_rows[n].need == BY_FLAG && present != flagged)
            return refuse(p, "a component is there or missing against the flags in Header");
    }
    return true;
}

static bool check_components(struct parse *p)
{
    for (size_t n = 1; n < ROW_COUNT; n++) {
        if (p->present[component_rows[n].tag] && component_rows[n].check != NULL &&
            !component_rows[n].check(p))
            return false;
    }
    return p->present[APPLET] || p->directory_applets == 0 || refuse(p, "Directory: there is no applet");
}

enum err loadfile_parse(struct view block, struct loadfile_info *out, const char **why)
{
    struct loadfile_info info = {0};
    struct parse p = {.info = &info, .why = ""};
    bool ok = take_components(&p, block) && check_presence(&p) && check_components(&p);
    *why = p.why;
    if (!ok)
        return ERR_FORMAT;
    *out = info;
    return OK;
}
