/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict reading of JSON, over jansson. */
#include "front/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/limits.h>
#include <base/text.h>

enum err why_not(enum err e, char *why, size_t why_len, const char *format, ...)
{
    if (why == NULL || why_len == 0)
        return e;
    va_list args;
    va_start(args, format);
    vsnprintf(why, why_len, format, args);
    va_end(args);
    return e;
}

/* Counts brackets outside strings. jansson's own limit is thousands deep; ours keeps every recursion flat. */
static bool too_deep(struct view v)
{
    bool in_string = false;
    size_t depth = 0;
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

enum err json_open(json_t **out, struct view v, size_t max, char *why, size_t why_len)
{
    if (v.len > max)
        return why_not(ERR_LIMIT, why, why_len, "the body is longer than %zu bytes", max);
    if (v.len == 0)
        return why_not(ERR_FORMAT, why, why_len, "the body is empty");
    if (too_deep(v))
        return why_not(ERR_LIMIT, why, why_len, "the body is nested deeper than %d levels", JSON_DEPTH_MAX);
    json_error_t error;
    json_t *j = json_loadb((const char *)v.data, v.len, JSON_REJECT_DUPLICATES, &error);
    if (j == NULL)
        return why_not(ERR_FORMAT, why, why_len, "not well-formed JSON: line %d: %s", error.line, error.text);
    if (!json_is_object(j)) {
        json_decref(j);
        return why_not(ERR_FORMAT, why, why_len, "the body is not an object");
    }
    *out = j;
    return OK;
}

static const struct {
    const char *text;
    json_type type;
} takes[] = {
    [TAKE_TEXT] = {"a string", JSON_STRING},
    [TAKE_LINES] = {"a string", JSON_STRING},
    [TAKE_NUMBER] = {"a whole number", JSON_INTEGER},
    [TAKE_FLAG] = {"true or false", JSON_TRUE},
    [TAKE_LIST] = {"a list", JSON_ARRAY},
    [TAKE_OBJECT] = {"an object", JSON_OBJECT},
};

static bool type_fits(const json_t *value, enum json_take take)
{
    return take == TAKE_FLAG ? json_is_boolean(value) : json_typeof(value) == takes[take].type;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return true;
    return false;
}

static bool number_fits(const json_t *value, size_t max)
{
    return json_integer_value(value) >= 0 && (uint64_t)json_integer_value(value) <= max;
}

static enum err check_value(const json_t *value, const struct json_rule *rule, char *why, size_t why_len)
{
    if (!type_fits(value, rule->take))
        return why_not(ERR_ARGUMENT, why, why_len, "'%s' must be %s", rule->name, takes[rule->take].text);
    if (json_is_string(value) && json_string_length(value) > rule->max)
        return why_not(ERR_ARGUMENT, why, why_len, "'%s' is longer than %zu bytes", rule->name, rule->max);
    if (rule->take == TAKE_TEXT && has_control(json_string_value(value)))
        return why_not(ERR_ARGUMENT, why, why_len, "'%s' holds a control character", rule->name);
    if (rule->take == TAKE_NUMBER && !number_fits(value, rule->max))
        return why_not(ERR_ARGUMENT, why, why_len, "'%s' is not between 0 and %zu", rule->name, rule->max);
    if (rule->take == TAKE_LIST && json_array_size(value) > rule->max)
        return why_not(ERR_ARGUMENT, why, why_len, "'%s' has more than %zu entries", rule->name, rule->max);
    return OK;
}

static const struct json_rule *find_rule(const char *name, const struct json_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

enum err json_check(const json_t *object, const struct json_rule *rules, size_t count, char *why,
                    size_t why_len)
{
    if (!json_is_object(object))
        return why_not(ERR_ARGUMENT, why, why_len, "an entry of a list is not an object");
    json_t *unconst = (json_t *)(uintptr_t)object; /* jansson iterates without const, and changes nothing */
    for (void *at = json_object_iter(unconst); at != NULL; at = json_object_iter_next(unconst, at)) {
        const char *name = json_object_iter_key(at);
        const struct json_rule *rule = find_rule(name, rules, count);
        if (rule == NULL)
            return why_not(ERR_ARGUMENT, why, why_len, "there is no field '%.40s'",
                           has_control(name) ? "?" : name);
        enum err e = check_value(json_object_iter_value(at), rule, why, why_len);
        if (e != OK)
            return e;
    }
    for (size_t i = 0; i < count; i++)
        if (rules[i].required && json_object_get(object, rules[i].name) == NULL)
            return why_not(ERR_ARGUMENT, why, why_len, "'%s' is missing", rules[i].name);
    return OK;
}

const char *json_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

uint64_t json_number(const json_t *object, const char *name, uint64_t absent)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (uint64_t)json_integer_value(value) : absent;
}

bool json_flag(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

enum err json_hex_byte(const char *text, uint8_t *out)
{
    uint8_t byte;
    size_t len;
    if (hex_read_str(text, &byte, 1, &len) != OK || len != 1)
        return ERR_FORMAT;
    *out = byte;
    return OK;
}

bool name_ok(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len >= 1 && len <= NAME_MAX_BYTES && name[0] != '.' && strspn(name, allowed) == len;
}
