/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as text: hexadecimal and base64url (RFC 4648 section 5, without padding). Strict: one
 * encoding is accepted, anything else is ERR_FORMAT. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <base/bytes.h>

/* Writes 2 * v.len upper-case digits and an end; out needs 2 * v.len + 1 bytes. */
void hex_write(char *out, struct view v);
/* Appends the digits, without an end. */
void hex_put(struct writer *w, struct view v);
/* Reads an even number of digits, upper or lower case, nothing else, and appends the bytes to out. */
enum err hex_read(struct view text, struct writer *out) MUST_USE;
/* Reads a string of at most max bytes to out; *len says how many. ERR_LIMIT when there are more. */
enum err hex_read_str(const char *text, uint8_t *out, size_t max, size_t *len) MUST_USE;

void base64url_put(struct writer *w, struct view v);
enum err base64url_read(struct view text, struct writer *out) MUST_USE;
/* What others wrote: base64 of RFC 4648 section 4 with padding, or of either alphabet without; appended. */
enum err base64_read(struct view text, struct writer *out) MUST_USE;
/* The same in lines, as in PEM (RFC 7468 section 3): blanks and ends of lines do not count. */
enum err base64_lines_read(struct view text, struct writer *out) MUST_USE;

/* Well-formed UTF-8 (RFC 3629) without control characters: a line that can be shown. */
bool text_is_line(struct view text);

#endif
