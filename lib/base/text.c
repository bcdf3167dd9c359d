/* SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal and base64url, both ways. */
#include <base/text.h>

#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_write(char *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        *out++ = hex_digits[v.data[i] >> 4];
        *out++ = hex_digits[v.data[i] & 0x0F];
    }
    *out = '\0';
}

void hex_put(struct writer *w, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        wr_u8(w, (uint8_t)hex_digits[v.data[i] >> 4]);
        wr_u8(w, (uint8_t)hex_digits[v.data[i] & 0x0F]);
    }
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

enum err hex_read(struct view text, struct writer *out)
{
    if (text.len % 2 != 0)
        return ERR_FORMAT;
    for (size_t i = 0; i < text.len; i++)
        if (hex_value(text.data[i]) < 0)
            return ERR_FORMAT;
    for (size_t i = 0; i < text.len; i += 2)
        wr_u8(out, (uint8_t)(hex_value(text.data[i]) << 4 | hex_value(text.data[i + 1])));
    return wr_status(out);
}

enum err hex_read_str(const char *text, uint8_t *out, size_t max, size_t *len)
{
    struct writer w;
    wr_fixed(&w, out, max);
    enum err e = hex_read(view_str(text), &w);
    if (e == OK)
        *len = w.len;
    return e;
}

void base64url_put(struct writer *w, struct view v)
{
    for (size_t i = 0; i < v.len; i += 3) {
        struct view part = view_head(i > 0 ? view_tail(v, i) : v, 3);
        uint32_t bits = (uint32_t)part.data[0] << 16;
        if (part.len > 1)
            bits |= (uint32_t)part.data[1] << 8;
        if (part.len > 2)
            bits |= part.data[2];
        for (size_t d = 0; d <= part.len; d++)
            wr_u8(w, (uint8_t)base64url_digits[bits >> (18 - 6 * d) & 0x3F]);
    }
}

static int base64url_value(uint8_t c)
{
    const char *at = c != 0 ? strchr(base64url_digits, c) : NULL;
    return at != NULL ? (int)(at - base64url_digits) : -1;
}

enum err base64url_read(struct view text, struct writer *out)
{
    if (text.len % 4 == 1)
        return ERR_FORMAT;
    for (size_t i = 0; i < text.len; i++)
        if (base64url_value(text.data[i]) < 0)
            return ERR_FORMAT;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        bits = bits << 6 | (uint32_t)base64url_value(text.data[i]);
        held += 6;
        if (held >= 8) {
            held -= 8;
            wr_u8(out, (uint8_t)(bits >> held));
        }
        bits &= (1u << held) - 1;
    }
    /* RFC 4648 section 3.5: the bits that are left over must be zero, or the text is not the only one. */
    return bits != 0 ? ERR_FORMAT : wr_status(out);
}

enum err base64_read(struct view text, struct writer *out)
{
    struct writer url;
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    if (padding > 0 && text.len % 4 != 0)
        return ERR_FORMAT;
    wr_heap(&url, text.len);
    for (size_t i = 0; i < text.len - padding; i++) {
        uint8_t c = text.data[i];
        wr_u8(&url, c == '+' ? '-' : c == '/' ? '_' : c);
    }
    enum err e = wr_status(&url);
    if (e == OK)
        e = base64url_read(wr_view_of(&url), out);
    wr_free(&url);
    return e;
}

enum err base64_lines_read(struct view text, struct writer *out)
{
    struct writer line;
    wr_heap(&line, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n", text.data[i]) == NULL || text.data[i] == 0)
            wr_u8(&line, text.data[i]);
    enum err e = wr_status(&line);
    if (e == OK)
        e = base64_read(wr_view_of(&line), out);
    wr_free(&line);
    return e;
}

/* How many bytes follow, and the least code point that may be written so: RFC 3629 section 3. */
static bool lead_byte(uint8_t c, unsigned *more, uint32_t *point, uint32_t *least)
{
    static const struct {
        uint8_t mask, mark;
        unsigned more;
        uint32_t least;
    } leads[] = {{0x80, 0x00, 0, 0}, {0xE0, 0xC0, 1, 0x80}, {0xF0, 0xE0, 2, 0x800}, {0xF8, 0xF0, 3, 0x10000}};
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if ((c & leads[i].mask) == leads[i].mark) {
            *more = leads[i].more;
            *point = c & (uint8_t)~leads[i].mask;
            *least = leads[i].least;
            return true;
        }
    }
    return false;
}

static bool can_be_shown(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    /* Marks that turn the direction of writing make a line look like another. */
    bool direction = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
                     point == 0x200E || point == 0x200F || point == 0x061C;
    bool line_end = point == 0x2028 || point == 0x2029;
    return !control && !surrogate && !direction && !line_end && point <= 0x10FFFF;
}

bool text_is_line(struct view text)
{
    struct reader r;
    rd_init(&r, text);
    while (rd_ok(&r) && rd_left(&r) > 0) {
        unsigned more = 0;
        uint32_t point = 0, least = 0;
        if (!lead_byte(rd_u8(&r), &more, &point, &least))
            return false;
        for (; more > 0; more--) {
            uint8_t c = rd_u8(&r);
            if ((c & 0xC0) != 0x80)
                return false;
            point = point << 6 | (c & 0x3F);
        }
        if (!rd_ok(&r) || point < least || !can_be_shown(point))
            return false;
    }
    return rd_ok(&r);
}
