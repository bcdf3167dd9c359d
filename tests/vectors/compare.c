/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons that count themselves. */
#include "run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum verdict verdict(struct run *r, enum verdict v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, sizeof(r->why), format, args);
    va_end(args);
    return v;
}

static void put_hex(char *out, size_t size, struct view v)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < v.len && at + 3 < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%02X", v.data[i]);
}

bool same(struct run *r, const char *what, struct view got, struct view want)
{
    char a[140], b[140];
    r->compared++;
    if (view_equal(got, want))
        return true;
    put_hex(a, sizeof(a), got);
    put_hex(b, sizeof(b), want);
    snprintf(r->why, sizeof(r->why), "%s: got %s, want %s", what, a, b);
    return false;
}

bool same_number(struct run *r, const char *what, unsigned long got, unsigned long want)
{
    r->compared++;
    if (got == want)
        return true;
    snprintf(r->why, sizeof(r->why), "%s: got %lX, want %lX", what, got, want);
    return false;
}

bool worked(struct run *r, const char *what, enum err e)
{
    if (e == OK)
        return true;
    snprintf(r->why, sizeof(r->why), "%s: %s", what, err_name(e));
    return false;
}
