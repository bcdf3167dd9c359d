/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a CAP file from the outside in: where the components are, what each says, whether they agree, and
 * then the load file. */
#include <cap/archive.h>
#include <cap/problem.h>

#include <string.h>

struct view aid_view(const struct aid *a)
{
    return view_of(a->data, a->len);
}

enum err aid_set(struct aid *a, struct view v)
{
    if (v.len < AID_MIN || v.len > AID_MAX)
        return ERR_FORMAT;
    struct aid made = {.len = (uint8_t)v.len};
    memcpy(made.data, v.data, v.len);
    *a = made;
    return OK;
}

bool aid_equal(const struct aid *a, const struct aid *b)
{
    return view_equal(aid_view(a), aid_view(b));
}

/* Those that are there, and none that must be is missing. Descriptor and Debug are not looked at. */
static enum err frame_all(struct components *c, struct cap_problem *why)
{
    enum err e = OK;
    for (unsigned tag = 1; tag < COMPONENT_TAGS && e == OK; tag++) {
        const struct component_kind *kind = component_kind(tag);
        if (kind->required && c->whole[tag].len == 0)
            return cap_refuse(why, ERR_FORMAT, "%s is missing", kind->name);
        if (kind->loaded && c->whole[tag].len > 0)
            e = component_frame(c, tag, why);
    }
    return e;
}

/* A size field of 4 bytes exactly where the format wants it; resources only where it knows them. */
static enum err check_widths(const struct components *c, const struct cap *cap, struct cap_problem *why)
{
    if (c->whole[COMPONENT_STATIC_RESOURCES].len > 0 && cap->format_minor < 3)
        return cap_refuse(why, ERR_FORMAT, "StaticResources: not in CAP format %u.%u", cap->format_major,
                          cap->format_minor);
    for (unsigned tag = 1; tag < COMPONENT_TAGS; tag++)
        if (c->whole[tag].len > 0 && c->wide[tag] != component_is_wide(tag, cap->flags))
            return cap_refuse(why, ERR_FORMAT, "%s: is a .%s file", component_kind(tag)->name,
                              c->wide[tag] ? "capx" : "cap");
    return OK;
}

static enum err parse(struct components *c, struct cap *out, struct cap_problem *why)
{
    enum err e = frame_all(c, why);
    if (e == OK)
        e = component_header(c, out, why);
    if (e == OK)
        e = check_widths(c, out, why);
    if (e == OK)
        e = component_import(c, out, why);
    if (e == OK)
        e = component_applet(c, out, why);
    if (e == OK)
        e = component_directory(c, out, why);
    if (e == OK)
        e = component_code(c, out, why);
    return e;
}

static enum err put_load_file(const struct components *c, struct writer *out, struct cap_problem *why)
{
    size_t len = 0;
    for (const uint8_t *tag = component_load_order(); *tag != 0; tag++)
        len += c->whole[*tag].len;
    if (len > LOAD_FILE_MAX)
        return cap_refuse(why, ERR_LIMIT, "%zu bytes to load, at most %d are possible", len, LOAD_FILE_MAX);
    wr_heap(out, len);
    for (const uint8_t *tag = component_load_order(); *tag != 0; tag++)
        wr_view(out, c->whole[*tag]);
    if (!wr_ok(out))
        return cap_refuse(why, ERR_MEMORY, "out of memory");
    return OK;
}

enum err cap_read(struct cap *out, struct view file, struct cap_problem *why)
{
    struct cap made = {.name = ""};
    struct components c = {.folder = ""};
    if (file.len > CAP_FILE_MAX)
        return cap_refuse(why, ERR_LIMIT, "%zu bytes, at most %d are read", file.len, CAP_FILE_MAX);
    enum err e = row_looks_like(file) ? row_read(&c, file, why) : archive_read(&c, file, why);
    if (e == OK)
        e = parse(&c, &made, why);
    if (e == OK)
        e = put_load_file(&c, &made.load, why);
    memcpy(made.signatures, c.signatures, sizeof(made.signatures));
    made.signature_count = c.signature_count;
    components_finish(&c);
    if (e != OK) {
        wr_free(&made.load);
        return e;
    }
    *out = made;
    return OK;
}

void cap_finish(struct cap *c)
{
    wr_free(&c->load);
}

enum err cap_hash(const struct cap *c, struct crypto *crypto, enum digest d, uint8_t *out)
{
    struct view load = wr_view_of(&c->load);
    return crypto_digest(crypto, d, &load, 1, out);
}

bool cap_satisfies(const struct cap_package *have, const struct cap_package *need)
{
    return aid_equal(&have->aid, &need->aid) && have->major == need->major && have->minor >= need->minor;
}
