/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the plain commands of content management, but for INSTALL and PUT KEY. */
#include <gp/command.h>

#include <stddef.h>
#include <tlv/tlv.h>

enum {
    CLA_ISO = 0x00,
    CLA_GP = 0x80,
    ALL = 256, /* Le 00 */
    DATA_MAX = 255,
    P1_LAST = 0x80, /* of LOAD and STORE DATA */
    P1_MORE = 0x80, /* of INSTALL, DELETE and PUT KEY */
    CHANNEL_CLOSE = 0x80,
    TAG_AID = 0x4F,
    TAG_TAG_LIST = 0x5C,
    TAG_CONTROL_REFERENCE = 0xB6,
    TAG_TOKEN = 0x9E,
    TAG_KEY_ID = 0xD0,
    TAG_KEY_VERSION = 0xD2,
    TAG_LOAD_FILE = 0xC4,
    KEY_NUMBER_MAX = 0x7F
};

static struct apdu gp(uint8_t ins, uint8_t p1, uint8_t p2, uint32_t ne)
{
    return (struct apdu){.cla = CLA_GP, .ins = ins, .p1 = p1, .p2 = p2, .ne = ne};
}

/* The command with what was written behind before as its data. */
static enum err with_data(struct apdu *out, struct apdu a, struct writer *w, size_t before, size_t data_max)
{
    enum err e = wr_status(w);
    if (e != OK)
        return e;
    a.data = view_tail(wr_view_of(w), before);
    if (a.data.len > data_max)
        return ERR_LIMIT;
    *out = a;
    return OK;
}

static bool is_aid(struct view v)
{
    return v.len >= AID_MIN && v.len <= AID_MAX;
}

void command_select(struct apdu *out, struct view aid)
{
    *out = (struct apdu){.cla = CLA_ISO, .ins = INS_SELECT, .p1 = 0x04, .data = aid, .ne = ALL};
}

void command_get_data(struct apdu *out, uint16_t tag)
{
    *out = gp(INS_GET_DATA, (uint8_t)(tag >> 8), (uint8_t)tag, ALL);
}

void command_get_data_iso(struct apdu *out, uint16_t tag)
{
    command_get_data(out, tag);
    out->cla = CLA_ISO;
}

void command_get_data_search(struct apdu *out, uint16_t tag, struct view search)
{
    command_get_data(out, tag);
    out->data = search;
}

/* Table 11-61: open has P1 and P2 00, and the card's choice as its answer; close has no data at all. */
void command_open_channel(struct apdu *out)
{
    *out = (struct apdu){.cla = CLA_ISO, .ins = INS_MANAGE_CHANNEL, .ne = 1};
}

void command_close_channel(struct apdu *out, uint8_t channel)
{
    *out = (struct apdu){.cla = CLA_ISO, .ins = INS_MANAGE_CHANNEL, .p1 = CHANNEL_CLOSE, .p2 = channel};
}

void command_load(struct apdu *out, struct view block, unsigned number, bool last)
{
    *out = gp(INS_LOAD, last ? P1_LAST : 0x00, (uint8_t)number, ALL);
    out->data = block;
}

void command_load_header(struct writer *w, size_t load_len)
{
    tlv_put_tag(w, TAG_LOAD_FILE);
    tlv_put_length(w, load_len);
}

size_t command_load_blocks(size_t load_len, size_t block_size)
{
    if (load_len > LOAD_FILE_MAX)
        return 0;
    return command_file_blocks(tlv_header_len(TAG_LOAD_FILE, load_len) + load_len, block_size);
}

size_t command_file_blocks(size_t file_len, size_t block_size)
{
    if (block_size == 0)
        return 0;
    size_t blocks = file_len / block_size + (file_len % block_size != 0 ? 1 : 0);
    return blocks <= LOAD_BLOCKS_MAX ? blocks : 0;
}

enum err command_delete(struct apdu *out, struct writer *w, struct view aid, bool related)
{
    const struct delete_content d = {.aids = &aid, .count = 1, .related = related};
    return command_delete_content(out, w, &d);
}

/* Table 11-23. */
enum err command_delete_content(struct apdu *out, struct writer *w, const struct delete_content *d)
{
    size_t before = w->len;
    if (d->count == 0)
        return ERR_ARGUMENT;
    for (size_t n = 0; n < d->count; n++) {
        if (!is_aid(d->aids[n]))
            return ERR_ARGUMENT;
        tlv_put(w, TAG_AID, d->aids[n]);
    }
    if (d->control_reference.len > 0)
        tlv_put(w, TAG_CONTROL_REFERENCE, d->control_reference);
    if (d->token.len > 0)
        tlv_put(w, TAG_TOKEN, d->token);
    return with_data(out, gp(INS_DELETE, 0x00, d->related ? 0x80 : 0x00, ALL), w, before, COMMAND_DATA_MAX);
}

static void put_number(struct writer *w, uint32_t tag, int number)
{
    uint8_t byte = (uint8_t)number;
    if (number >= 0)
        tlv_put(w, tag, view_of(&byte, 1));
}

/* Table 11-24. */
enum err command_delete_key(struct apdu *out, struct writer *w, int kvn, int kid)
{
    size_t before = w->len;
    if ((kvn < 0 && kid < 0) || kvn == 0 || kvn > UINT8_MAX || kid > KEY_NUMBER_MAX)
        return ERR_ARGUMENT;
    put_number(w, TAG_KEY_ID, kid);
    put_number(w, TAG_KEY_VERSION, kvn);
    return with_data(out, gp(INS_DELETE, 0x00, 0x00, ALL), w, before, DATA_MAX);
}

size_t command_segments(const struct apdu *whole, size_t size)
{
    if (size == 0 || whole->data.len == 0)
        return 1;
    return (whole->data.len - 1) / size + 1;
}

bool command_can_be_segmented(uint8_t ins)
{
    return ins == INS_INSTALL || ins == INS_DELETE || ins == INS_PUT_KEY;
}

void command_segment(struct apdu *out, const struct apdu *whole, size_t size, size_t n)
{
    bool last = n + 1 >= command_segments(whole, size);
    *out = *whole;
    out->extended = false;
    out->data = last ? view_tail(whole->data, n * size) : view_head(view_tail(whole->data, n * size), size);
    if (last)
        return;
    out->p1 |= P1_MORE;
    out->ne = 0; /* 11.1.5.1: answered by 9000 alone */
}

/* Table 11-89: bit 1 says that the application answers with data. */
void command_store_data(struct apdu *out, struct view block, uint8_t p1_flags, unsigned number, bool last)
{
    uint8_t p1 = (uint8_t)((p1_flags & ~P1_LAST) | (last ? P1_LAST : 0));
    *out = gp(INS_STORE_DATA, p1, (uint8_t)number, (p1 & STORE_ANSWER) != 0 ? ALL : 0);
    out->data = block;
}

enum err command_get_status(struct apdu *out, struct writer *w, uint8_t subset, bool next)
{
    const struct get_status g = {.subset = subset, .next = next};
    return command_get_status_any(out, w, &g);
}

/* Tables 11-34 and 11-35. */
enum err command_get_status_any(struct apdu *out, struct writer *w, const struct get_status *g)
{
    size_t before = w->len;
    uint8_t p2 = (uint8_t)((g->format == STATUS_FORMAT_TLV ? 0x02 : 0x00) | (g->next ? 0x01 : 0x00));
    if (g->aid.len > AID_MAX)
        return ERR_ARGUMENT;
    tlv_put(w, TAG_AID, g->aid);
    if (g->tags.len > 0)
        tlv_put(w, TAG_TAG_LIST, g->tags);
    return with_data(out, gp(INS_GET_STATUS, g->subset, p2, ALL), w, before, DATA_MAX);
}

enum err command_set_status(struct apdu *out, struct writer *w, uint8_t type, uint8_t state, struct view aid)
{
    size_t before = w->len;
    bool card = type == STATUS_ISD; /* 11.10.2.3: the data is ignored */
    if (!is_aid(aid) && !(card && aid.len == 0))
        return ERR_ARGUMENT;
    wr_view(w, aid);
    return with_data(out, gp(INS_SET_STATUS, type, state, 0), w, before, DATA_MAX);
}
