/* links: cf_gp cf_apdu */
/* SPDX-License-Identifier: Apache-2.0
 *
 * The small things that cards tell of themselves: answer to reset, memory, dates, privileges. */
#include <assert.h>

#include <apdu/atr.h>
#include <gp/identity.h>
#include <gp/memory.h>
#include <gp/registry.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_atr(struct view v)
{
    struct atr a;
    if (atr_parse(v, &a) != OK)
        return;
    assert(v.len <= ATR_MAX && a.protocol_count >= 1 && a.protocol_count <= ATR_PROTOCOLS_MAX);
    assert(a.historical.len <= 15 && a.logical_channels <= 7 && (a.has_check || !a.check_good));
    assert(a.tells_abilities || (!a.extended_length && !a.command_chaining));
}

static void try_date(struct view v)
{
    struct cplc_date d;
    if (cplc_date_read(v, 2025, 200, &d) != OK)
        return;
    assert(d.year > 2015 && d.year <= 2025 && d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31);
    assert(cplc_day_of_year(d.year, d.month, d.day) <= 366);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_of(data, len);
    struct card_memory m;
    struct privileges p;
    try_atr(v);
    try_date(v);
    if (len <= RAPDU_MAX && memory_parse(v, &m) == OK)
        assert(m.has_applications || m.has_nonvolatile || m.has_transient);
    if (privileges_read(v, &p) == OK)
        assert(len == 1 || len == 3);
    return 0;
}
