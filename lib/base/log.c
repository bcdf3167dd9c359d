/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats log lines. The longest line is bounded; a value that does not fit is cut. */
#include <base/log.h>
#include <base/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { LINE_MAX_BYTES = 2048, VALUE_MAX_BYTES = 512 };

static const struct log_target *current;
static const char *const level_names[] = {"error", "warning", "info", "debug"};

struct log_field log_str(const char *key, const char *value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_STR, .str = value != NULL ? value : ""};
}

struct log_field log_u64(const char *key, uint64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_U64, .u64 = value};
}

struct log_field log_hex(const char *key, struct view value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_HEX, .hex = value};
}

struct log_field log_err(enum err e)
{
    return log_str("error", err_name(e));
}

void log_set_target(const struct log_target *target)
{
    current = target;
}

/* A value with blanks or equal signs stands between quotes. What could end a value or a line, there or
 * without quotes, is written as \xNN. */
static void put_value(struct writer *w, struct view v)
{
    char escape[8];
    bool quoted = false;
    for (size_t i = 0; i < v.len; i++)
        quoted = quoted || v.data[i] == ' ' || v.data[i] == '=';
    if (quoted)
        wr_u8(w, '"');
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        if (c >= ' ' && c < 0x7F && c != '"' && c != '\\') {
            wr_u8(w, c);
            continue;
        }
        snprintf(escape, sizeof(escape), "\\x%02X", c);
        wr_view(w, view_str(escape));
    }
    if (quoted)
        wr_u8(w, '"');
}

static void put_field(struct writer *w, const struct log_field *f)
{
    char number[24];
    wr_u8(w, ' ');
    wr_view(w, view_str(f->key));
    wr_u8(w, '=');
    switch (f->kind) {
    case LOG_FIELD_STR:
        put_value(w, view_head(view_str(f->str), VALUE_MAX_BYTES / 4));
        break;
    case LOG_FIELD_U64:
        snprintf(number, sizeof(number), "%" PRIu64, f->u64);
        wr_view(w, view_str(number));
        break;
    case LOG_FIELD_HEX:
        hex_put(w, view_head(f->hex, VALUE_MAX_BYTES / 2));
        break;
    }
}

static void put_time(struct writer *w, uint64_t now_ms)
{
    char date[32], fraction[16];
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(fraction, sizeof(fraction), ".%03uZ", (unsigned)(now_ms % 1000));
    wr_view(w, view_str(date));
    wr_view(w, view_str(fraction));
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    char line[LINE_MAX_BYTES + 1];
    struct writer w;
    if (current == NULL || level > current->most)
        return;
    wr_fixed(&w, line, LINE_MAX_BYTES);
    put_time(&w, current->now_ms(current->ctx));
    wr_u8(&w, ' ');
    wr_view(&w, view_str(level_names[level]));
    wr_u8(&w, ' ');
    wr_view(&w, view_str(event));
    for (size_t i = 0; i < count; i++) {
        struct writer before = w;
        put_field(&w, &fields[i]);
        if (!wr_ok(&w)) {
            w = before;
            break;
        }
    }
    line[w.len] = '\0';
    current->line(current->ctx, level, line);
}
