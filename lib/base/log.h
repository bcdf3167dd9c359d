/* SPDX-License-Identifier: Apache-2.0
 *
 * One line, one event: "2026-01-31T12:00:00.123Z info session.opened session=3f2a card=0123". Libraries
 * do no I/O, so where the line goes and what time it is come from the program. Nothing here
 * takes a struct secret. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <base/bytes.h>

enum log_level {
    LOG_ERROR,   /* somebody must act */
    LOG_WARNING, /* somebody should look: refused, quarantined, weak choice allowed */
    LOG_INFO,    /* what happened, one line per event of the business */
    LOG_DEBUG    /* headers, lengths and status words; never bodies */
};

struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_U64, LOG_FIELD_HEX } kind;
    const char *str;
    uint64_t u64;
    struct view hex;
};

struct log_field log_str(const char *key, const char *value);
struct log_field log_u64(const char *key, uint64_t value);
struct log_field log_hex(const char *key, struct view value);
struct log_field log_err(enum err e);

struct log_target {
    void (*line)(void *ctx, enum log_level level, const char *line);
    uint64_t (*now_ms)(void *ctx); /* since 1970-01-01 UTC */
    void *ctx;
    enum log_level most; /* lines above this level are dropped */
};

/* Where lines go from now on; NULL: nowhere. Borrowed. */
void log_set_target(const struct log_target *target);
/* event is a constant "area.verb". Values are escaped, so that a foreign value can't forge a line or a field.
 */
void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define LOG(level, event, ...)                                                                               \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__},                                     \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
