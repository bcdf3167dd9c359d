/* SPDX-License-Identifier: Apache-2.0
 *
 * The reason why a sequence or a plan is refused, in words. */
#include <plan/problem.h>

#include <base/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err plan_refuse(struct plan_problem *why, enum err e, const char *format, ...)
{
    va_list args;
    if (why == NULL)
        return e;
    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return e;
}

enum err plan_refuse_at(struct plan_problem *why, enum err e, struct position at, const char *format, ...)
{
    va_list args;
    char sentence[sizeof(why->text)];
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (at.line == 0)
        return plan_refuse(why, e, "%s", sentence);
    return plan_refuse(why, e, "line %u, column %u: %s", at.line, at.column, sentence);
}

struct plan_shown plan_shown(struct view v)
{
    struct plan_shown s = {{0}};
    struct view kept = view_head(v, sizeof(s.text) - 1);
    for (size_t i = 0; i < kept.len; i++)
        s.text[i] = kept.data[i] > ' ' && kept.data[i] < 0x7F ? (char)kept.data[i] : '?';
    return s;
}

struct package_text package_text(const struct cap_package *p)
{
    struct package_text t;
    char hex[2 * AID_MAX + 1];
    const char *name = cap_package_name(&p->aid);
    hex_write(hex, aid_view(&p->aid));
    snprintf(t.text, sizeof(t.text), "%s%s%s %u.%u", name != NULL ? name : "", name != NULL ? " " : "", hex,
             p->major, p->minor);
    return t;
}
