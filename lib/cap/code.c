/* SPDX-License-Identifier: Apache-2.0
 *
 * The components that only a card reads: Class, Method, StaticField, Export, ConstantPool, RefLocation
 * (JCVM 6.8 to 6.13). They are walked through by their form, so that a file that is cut, or points outside of
 * itself, is refused before it reaches a card. The bytecode itself is not verified. */
#include <cap/component.h>
#include <cap/problem.h>

enum {
    CLASS_INTERFACE = 0x80,
    CLASS_REMOTE = 0x20,
    CLASS_INTERFACES_MASK = 0x0F,
    CLASS_REF_NONE = 0xFFFF,
    CLASS_REF_EXTERNAL = 0x8000,
    CLASS_REF_PACKAGE_MASK = 0x7F,
    METHOD_EXTENDED = 0x80,
    METHOD_ABSTRACT = 0x40,
    HANDLER_LEN = 8,
    /* JCVM table 7: putfield_i_this is the last; FE and FF are not for CAP files. */
    OPCODE_MAX = 0xB8,
    POOL_TAG_MAX = 6,
    POOL_INFO_LEN = 3,
    ARRAY_TYPE_MIN = 2, /* boolean */
    ARRAY_TYPE_MAX = 5, /* int */
    /* An entry of a jump list that goes on in the next. */
    JUMP_MORE = 0xFF
};

static bool is_extended(const struct cap *cap)
{
    return (cap->flags & CAP_EXTENDED) != 0;
}

static enum err refuse_end(struct cap_problem *why, const char *name)
{
    return cap_refuse(why, ERR_FORMAT, "%s: its parts do not fit its size", name);
}

/* --- ConstantPool (6.8) */

static enum err check_pool(struct view info, const struct cap *cap, struct cap_problem *why)
{
    struct reader r;
    (void)cap;
    rd_init(&r, info);
    uint16_t count = rd_u16(&r);
    for (uint16_t i = 0; i < count && rd_ok(&r); i++) {
        uint8_t tag = rd_u8(&r);
        if (rd_ok(&r) && (tag == 0 || tag > POOL_TAG_MAX))
            return cap_refuse(why, ERR_FORMAT, "ConstantPool: entry %u has the unknown tag %02X", i, tag);
        rd_view(&r, POOL_INFO_LEN);
    }
    return rd_done(&r) ? OK : refuse_end(why, "ConstantPool");
}

/* --- Class (6.9) */

/* A class of this file, or of an imported package. */
static bool class_ref_is_good(uint16_t ref, struct view info, const struct cap *cap)
{
    if ((ref & CLASS_REF_EXTERNAL) != 0)
        return (ref >> 8 & CLASS_REF_PACKAGE_MASK) < (int)cap->import_count;
    return ref < info.len;
}

static void take_class_refs(struct reader *r, size_t count, struct view info, const struct cap *cap)
{
    for (size_t i = 0; i < count; i++)
        if (!class_ref_is_good(rd_u16(r), info, cap))
            rd_fail(r);
}

static void take_interface(struct reader *r, uint8_t flags, struct view info, const struct cap *cap)
{
    take_class_refs(r, flags & CLASS_INTERFACES_MASK, info, cap);
    if ((flags & CLASS_REMOTE) != 0)
        rd_view8(r, UINT8_MAX); /* its name */
}

/* remote_interface_info. */
static void take_remote(struct reader *r, struct view info, const struct cap *cap)
{
    size_t methods = rd_u8(r);
    rd_view(r, methods * (2 + 2 + 1)); /* hash, signature, token */
    rd_view8(r, UINT8_MAX);            /* hash modifier */
    rd_view8(r, UINT8_MAX);            /* class name */
    take_class_refs(r, rd_u8(r), info, cap);
}

static void take_class(struct reader *r, uint8_t flags, struct view info, const struct cap *cap)
{
    size_t method_ref_len = is_extended(cap) ? 3 : 2;
    uint16_t super = rd_u16(r);
    if (super != CLASS_REF_NONE && !class_ref_is_good(super, info, cap))
        rd_fail(r);
    rd_view(r, 3); /* instance size, first reference, reference count */
    size_t public_base = rd_u8(r), public_count = rd_u8(r);
    rd_u8(r); /* package table's base */
    size_t package_count = rd_u8(r);
    rd_view(r, (public_count + package_count) * method_ref_len);
    for (int i = 0; i < (flags & CLASS_INTERFACES_MASK); i++) {
        take_class_refs(r, 1, info, cap);
        rd_view8(r, UINT8_MAX);
    }
    if ((flags & CLASS_REMOTE) != 0)
        take_remote(r, info, cap);
    /* Since 2.3: a token for each public method, and one count. */
    if (cap->format_minor >= 3)
        rd_view(r, public_base + public_count + 1);
}

static enum err check_class(struct view info, const struct cap *cap, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, info);
    if (cap->format_minor >= 2)
        rd_view16(&r, UINT16_MAX); /* signature pool, for remote methods */
    while (rd_left(&r) > 0) {
        uint8_t flags = rd_u8(&r);
        if ((flags & CLASS_INTERFACE) != 0)
            take_interface(&r, flags, info, cap);
        else
            take_class(&r, flags, info, cap);
    }
    return rd_done(&r) ? OK
                       : cap_refuse(why, ERR_FORMAT, "Class: is cut, or refers to a class that is not there");
}

/* --- Method (6.10) */

/* Where each method begins only Descriptor tells; the first one begins behind the exception handlers. */
static enum err check_method(struct view info, const struct cap *cap, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, info);
    size_t count = rd_u8(&r);
    if (is_extended(cap)) {
        /* Blocks, by their offsets. */
        for (size_t i = 0; i < count; i++)
            if (rd_u32(&r) >= info.len)
                rd_fail(&r);
        return rd_ok(&r) ? OK : refuse_end(why, "Method");
    }
    rd_view(&r, count * HANDLER_LEN);
    if (!rd_ok(&r))
        return cap_refuse(why, ERR_FORMAT, "Method: says %zu exception handlers, there are fewer", count);
    if (rd_left(&r) == 0)
        return OK;
    uint8_t flags = rd_u8(&r);
    rd_view(&r, (flags & METHOD_EXTENDED) != 0 ? 3 : 1);
    if ((flags & METHOD_ABSTRACT) != 0)
        return rd_ok(&r) ? OK : refuse_end(why, "Method");
    uint8_t opcode = rd_u8(&r);
    if (!rd_ok(&r))
        return refuse_end(why, "Method");
    if (opcode > OPCODE_MAX)
        return cap_refuse(why, ERR_FORMAT, "Method: begins with %02X, which is no bytecode", opcode);
    return OK;
}

/* --- StaticField (6.11) */

static enum err check_static_field(struct view info, const struct cap *cap, struct cap_problem *why)
{
    struct reader r;
    (void)cap;
    rd_init(&r, info);
    uint16_t image_size = rd_u16(&r), references = rd_u16(&r), arrays = rd_u16(&r);
    for (uint16_t i = 0; i < arrays && rd_ok(&r); i++) {
        uint8_t type = rd_u8(&r);
        if (type < ARRAY_TYPE_MIN || type > ARRAY_TYPE_MAX)
            rd_fail(&r);
        rd_view16(&r, UINT16_MAX);
    }
    uint16_t zeros = rd_u16(&r), values = rd_u16(&r);
    rd_view(&r, values);
    if (!rd_done(&r))
        return refuse_end(why, "StaticField");
    if (image_size != 2u * references + zeros + values || arrays > references)
        return cap_refuse(why, ERR_FORMAT, "StaticField: an image of %u bytes, but fields of %u", image_size,
                          2u * references + zeros + values);
    return OK;
}

/* --- RefLocation (6.12) */

/* Jumps from place to place in Method. */
static bool take_jumps(struct reader *r, size_t method_len)
{
    struct view jumps = rd_view16(r, UINT16_MAX);
    size_t at = 0;
    for (size_t i = 0; i < jumps.len; i++) {
        at += jumps.data[i];
        if (jumps.data[i] != JUMP_MORE && at >= method_len)
            return false;
    }
    return true;
}

static enum err check_ref_location(struct view info, struct view method, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, info);
    bool inside = take_jumps(&r, method.len);
    inside = take_jumps(&r, method.len) && inside;
    if (!rd_done(&r))
        return refuse_end(why, "RefLocation");
    return inside ? OK : cap_refuse(why, ERR_FORMAT, "RefLocation: a place outside of Method");
}

/* --- Export (6.13) */

static enum err check_export(struct view info, const struct view *all, struct cap_problem *why)
{
    struct reader r;
    rd_init(&r, info);
    size_t count = rd_u8(&r);
    for (size_t i = 0; i < count; i++) {
        if (rd_u16(&r) >= all[COMPONENT_CLASS].len)
            rd_fail(&r);
        size_t fields = rd_u8(&r), methods = rd_u8(&r);
        rd_view(&r, 2 * fields);
        for (size_t j = 0; j < methods; j++)
            if (rd_u16(&r) >= all[COMPONENT_METHOD].len)
                rd_fail(&r);
    }
    return rd_done(&r) ? OK : cap_refuse(why, ERR_FORMAT, "Export: is cut, or exports what is not there");
}

enum err component_code(struct components *c, const struct cap *cap, struct cap_problem *why)
{
    static const struct {
        unsigned tag;
        enum err (*check)(struct view info, const struct cap *cap, struct cap_problem *why);
    } rows[] = {
        {COMPONENT_CONSTANT_POOL, check_pool},
        {COMPONENT_CLASS, check_class},
        {COMPONENT_METHOD, check_method},
        {COMPONENT_STATIC_FIELD, check_static_field},
    };
    enum err e = OK;
    bool exports = (cap->flags & CAP_EXPORT) != 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && e == OK; i++)
        e = rows[i].check(c->info[rows[i].tag], cap, why);
    if (e != OK)
        return e;
    if (exports != (c->info[COMPONENT_EXPORT].len > 0))
        return cap_refuse(why, ERR_FORMAT, "Header says %s exports, but Export is %s",
                          exports ? "there are" : "no", exports ? "missing" : "there");
    /* In the extended format both have another form: left to the card. */
    if (is_extended(cap))
        return OK;
    e = check_ref_location(c->info[COMPONENT_REF_LOCATION], c->info[COMPONENT_METHOD], why);
    if (e == OK && exports)
        e = check_export(c->info[COMPONENT_EXPORT], c->info, why);
    return e;
}
