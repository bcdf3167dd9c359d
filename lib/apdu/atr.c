/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes an answer to reset apart. */
#include <apdu/atr.h>

enum {
    TS_DIRECT = 0x3B,
    TS_INVERSE = 0x3F,
    HAS_TA = 0x10,
    HAS_TB = 0x20,
    HAS_TC = 0x40,
    HAS_TD = 0x80,
    LOW = 0x0F,
    CATEGORY_STATUS_LAST = 0x00, /* three bytes of status stand behind the objects */
    CATEGORY_OBJECTS = 0x80,
    STATUS_LEN = 3,
    OBJECT_CAPABILITIES = 0x7,
    CAPABILITIES_LEN = 3,
    CHAINING = 0x80,
    EXTENDED = 0x40,
    CHANNELS_BY_CARD_OR_INTERFACE = 0x18,
    CHANNELS = 0x07
};

/* TA, TB, TC and TD as often as the TD before says (8.2.3). */
static void take_interface(struct reader *r, uint8_t has, struct atr *a)
{
    while (rd_ok(r)) {
        if ((has & HAS_TA) != 0)
            rd_u8(r);
        if ((has & HAS_TB) != 0)
            rd_u8(r);
        if ((has & HAS_TC) != 0)
            rd_u8(r);
        if ((has & HAS_TD) == 0)
            return;
        has = rd_u8(r);
        if (a->protocol_count == ATR_PROTOCOLS_MAX)
            rd_fail(r);
        else
            a->protocols[a->protocol_count++] = has & LOW;
    }
}

/* All bytes from T0 to TCK together are zero (8.2.5). */
static bool check_is_good(struct view v)
{
    uint8_t sum = 0;
    for (struct view rest = view_tail(v, 1); rest.len > 0; rest = view_tail(rest, 1))
        sum ^= rest.data[0];
    return sum == 0;
}

static void take_abilities(struct view v, struct atr *a)
{
    struct reader r;
    rd_init(&r, v);
    rd_u8(&r); /* selection methods */
    rd_u8(&r); /* data coding */
    uint8_t third = rd_u8(&r);
    a->tells_abilities = true;
    a->command_chaining = (third & CHAINING) != 0;
    a->extended_length = (third & EXTENDED) != 0;
    if ((third & CHANNELS_BY_CARD_OR_INTERFACE) != 0)
        a->logical_channels = third & CHANNELS;
}

/* ISO 7816-4 12.1.1.2: objects with tag and length in one byte. */
static void take_historical(struct view v, struct atr *a)
{
    struct reader r;
    if (v.len == 0 || (v.data[0] != CATEGORY_STATUS_LAST && v.data[0] != CATEGORY_OBJECTS))
        return;
    bool status_last = v.data[0] == CATEGORY_STATUS_LAST;
    if (status_last && v.len < 1 + STATUS_LEN)
        return;
    rd_init(&r, view_tail(status_last ? view_head(v, v.len - STATUS_LEN) : v, 1));
    while (rd_left(&r) > 0) {
        uint8_t byte = rd_u8(&r);
        struct view value = rd_view(&r, byte & LOW);
        if (rd_ok(&r) && byte >> 4 == OBJECT_CAPABILITIES && value.len == CAPABILITIES_LEN)
            take_abilities(value, a);
    }
}

/* 8.2.5: TCK is there unless T=0 is the only protocol. Cards without it, and cards with it where it should
 * not be, were both seen. */
enum err atr_parse(struct view v, struct atr *out)
{
    struct reader r;
    struct atr a = {.protocol_count = 0};
    if (v.len > ATR_MAX)
        return ERR_FORMAT;
    rd_init(&r, v);
    uint8_t ts = rd_u8(&r), t0 = rd_u8(&r);
    take_interface(&r, t0, &a);
    a.historical = rd_view(&r, t0 & LOW);
    if (!rd_ok(&r) || rd_left(&r) > 1 || (ts != TS_DIRECT && ts != TS_INVERSE))
        return ERR_FORMAT;
    a.has_check = rd_left(&r) == 1;
    a.check_good = a.has_check && check_is_good(v);
    if (a.protocol_count == 0)
        a.protocol_count = 1; /* T=0 */
    take_historical(a.historical, &a);
    *out = a;
    return OK;
}
