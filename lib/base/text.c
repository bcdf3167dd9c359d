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
