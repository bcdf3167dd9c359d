/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict reading of small JSON documents: bounded in size and depth, and every object checked against a
 * table of the fields that it may have, so that a misspelt field is refused by name instead of being
 * ignored. */
#ifndef FRONT_JSON_H
#define FRONT_JSON_H

#include <jansson.h>

#include <base/bytes.h>

/* Deeper than any document of docs/api.md needs (a body, its list, its rows, their fields). */
enum { JSON_DEPTH_MAX = 6 };

struct json_rule {
    const char *name;
    enum json_take {
        TAKE_TEXT,  /* one line: without control characters */
        TAKE_LINES, /* text of any number of lines */
        TAKE_NUMBER,
        TAKE_FLAG,
        TAKE_LIST,
        TAKE_OBJECT
    } take;
    bool required;
    size_t max; /* bytes of a string, greatest value of an integer (the least is 0), entries of a list */
};

/* Reads one object and nothing behind it. ERR_LIMIT when v is longer than max or too deep; ERR_FORMAT when it
 * is not well-formed, names a field twice, or is not an object. why: a sentence, filled when not OK. On
 * success *out must go to json_decref. */
enum err json_open(json_t **out, struct view v, size_t max, char *why, size_t why_len) MUST_USE;

/* ERR_ARGUMENT with why when a field is unknown, missing, of another type, too long, or holds control
 * characters. */
enum err json_check(const json_t *object, const struct json_rule *rules, size_t count, char *why,
                    size_t why_len) MUST_USE;

/* Fields of a checked object; "" and the default when absent. */
const char *json_text(const json_t *object, const char *name);
uint64_t json_number(const json_t *object, const char *name, uint64_t absent);
bool json_flag(const json_t *object, const char *name);

/* One byte as two hexadecimal digits. ERR_FORMAT. */
enum err json_hex_byte(const char *text, uint8_t *out) MUST_USE;

/* True for a name that people give to things: 1 to NAME_MAX_BYTES of letters, digits, '.', '_' and '-', not
 * beginning with '.': it stands in paths and in logs without escaping. */
bool name_ok(const char *name);

/* Writes a sentence to why (which may be NULL), and gives e back. */
enum err why_not(enum err e, char *why, size_t why_len, const char *format, ...)
    __attribute__((format(printf, 4, 5))) MUST_USE;

#endif
