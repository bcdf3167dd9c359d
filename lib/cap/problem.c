/* SPDX-License-Identifier: Apache-2.0
 *
 * The reason why a CAP file is refused, in words. */
#include <cap/problem.h>

#include <stdarg.h>
#include <stdio.h>

enum err cap_refuse(struct cap_problem *why, enum err e, const char *format, ...)
{
    va_list args;
    if (why == NULL)
        return e;
    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return e;
}

struct shown cap_shown(struct view name)
{
    struct shown s = {{0}};
    struct view v = view_head(name, sizeof(s.text) - 1);
    for (size_t i = 0; i < v.len; i++)
        s.text[i] = v.data[i] > ' ' && v.data[i] < 0x7F ? (char)v.data[i] : '?';
    return s;
}
