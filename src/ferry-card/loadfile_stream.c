/* SPDX-License-Identifier: Apache-2.0
 *
 * Load files as a stream of LOAD blocks: the objects of GPCS 2.3.1 table 11-58, cut anywhere. */
#include "loadfile.h"

#include <string.h>

#include <apdu/apdu.h>
#include <tlv/tlv.h>

enum { TAG_DAP = 0xE2, TAG_DATA_BLOCK = 0xC4, TAG_ICV = 0xD3, TAG_CIPHERED = 0xD4 };

void loadfile_init(struct loadfile *lf, size_t room)
{
    memset(lf, 0, sizeof *lf);
    lf->room = room < LOAD_FILE_MAX ? room : LOAD_FILE_MAX;
    wr_heap(&lf->data, lf->room != 0 ? lf->room : 1);
    wr_heap(&lf->field, LOADFILE_FIELD_MAX);
}

void loadfile_finish(struct loadfile *lf)
{
    wr_free(&lf->data);
    wr_free(&lf->field);
    memset(lf, 0, sizeof *lf);
}

/* ---- the objects before the data block ---- */

static uint16_t take_dap(struct loadfile *lf, struct view v)
{
    struct view domain, signature;
    if (!tlv_valid(v) || !tlv_find(v, 0x4F, &domain) || !tlv_find(v, 0xC3, &signature) ||
        signature.len == 0 || signature.len > DAP_SIGNATURE_MAX || lf->dap_count == DAPS_MAX ||
        lf->icv_len != 0)
        return SW_WRONG_DATA;
    struct dap *dap = &lf->daps[lf->dap_count];
    if (!card_aid_set(&dap->domain, domain))
        return SW_WRONG_DATA;
    memcpy(dap->signature, signature.data, signature.len);
    dap->signature_len = signature.len;
    lf->dap_count++;
    return SW_OK;
}

static uint16_t take_icv(struct loadfile *lf, struct view v)
{
    if ((v.len != 8 && v.len != LOADFILE_ICV_MAX) || lf->icv_len != 0)
        return SW_WRONG_DATA;
    memcpy(lf->icv, v.data, v.len);
    lf->icv_len = v.len;
    return SW_OK;
}

static uint16_t begin_field(struct loadfile *lf, size_t len)
{
    lf->field_len = len;
    return len <= LOADFILE_FIELD_MAX ? SW_OK : SW_WRONG_DATA;
}

static uint16_t begin_block(struct loadfile *lf, size_t len)
{
    if (len > lf->room)
        return SW_NOT_ENOUGH_MEMORY;
    lf->total = len;
    lf->begun = true;
    return SW_OK;
}

static uint16_t begin_ciphered(struct loadfile *lf, size_t len)
{
    lf->ciphered = true;
    return begin_block(lf, len);
}

static uint16_t begin_plain(struct loadfile *lf, size_t len)
{
    return lf->icv_len == 0 ? begin_block(lf, len) : SW_WRONG_DATA;
}

static const struct row {
    uint8_t tag;
    uint16_t (*begin)(struct loadfile *lf, size_t len);
    uint16_t (*take)(struct loadfile *lf, struct view v); /* once all of it has come */
} rows[] = {{TAG_DAP, begin_field, take_dap},
            {TAG_ICV, begin_field, take_icv},
            {TAG_DATA_BLOCK, begin_plain, NULL},
            {TAG_CIPHERED, begin_ciphered, NULL}};

static const struct row *row_of(uint8_t tag)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n].tag == tag)
            return &rows[n];
    }
    return NULL;
}

/* ---- the stream ---- */

/* How many bytes tag and length have, judging by those that are there: at least 2. A length has 1 to 4 bytes.
 */
static size_t head_need(const struct loadfile *lf)
{
    size_t more = lf->head_len < 2 || lf->head[1] < 0x80 ? 0 : (size_t)(lf->head[1] & 0x7F);
    return 2 + more;
}

static uint16_t begin(struct loadfile *lf)
{
    struct reader r;
    rd_init(&r, view_of(lf->head, lf->head_len));
    const struct row *row = row_of(rd_u8(&r));
    size_t len = rd_u8(&r);
    if (len >= 0x80)
        len = 0;
    while (rd_left(&r) != 0)
        len = len << 8 | rd_u8(&r);
    return row == NULL || len == 0 ? SW_WRONG_DATA : row->begin(lf, len);
}

static uint16_t feed_head(struct loadfile *lf, struct reader *r)
{
    lf->head[lf->head_len++] = rd_u8(r);
    if (row_of(lf->head[0]) == NULL || (lf->head_len >= 2 && lf->head[1] == 0x80) ||
        head_need(lf) > sizeof lf->head)
        return SW_WRONG_DATA;
    return lf->head_len == head_need(lf) && lf->head_len >= 2 ? begin(lf) : SW_OK;
}

/* Some of a DAP block or an ICV; the last byte makes room for the next object. */
static uint16_t feed_field(struct loadfile *lf, struct reader *r)
{
    size_t missing = lf->field_len - lf->field.len, have = rd_left(r);
    wr_view(&lf->field, rd_view(r, have < missing ? have : missing));
    if (!wr_ok(&lf->field))
        return SW_MEMORY;
    if (lf->field.len < lf->field_len)
        return SW_OK;
    uint16_t sw = row_of(lf->head[0])->take(lf, wr_view_of(&lf->field));
    wr_clear(&lf->field);
    lf->field_len = 0;
    lf->head_len = 0;
    return sw;
}

uint16_t loadfile_feed(struct loadfile *lf, struct view block)
{
    struct reader r;
    uint16_t sw = SW_OK;
    rd_init(&r, block);
    while (sw == SW_OK && !lf->begun && rd_left(&r) != 0)
        sw = lf->field_len != 0 ? feed_field(lf, &r) : feed_head(lf, &r);
    if (sw != SW_OK)
        return sw;
    if (rd_left(&r) > lf->total - lf->data.len)
        return SW_WRONG_DATA;
    wr_view(&lf->data, rd_rest(&r));
    return wr_ok(&lf->data) ? SW_OK : SW_MEMORY;
}

bool loadfile_complete(const struct loadfile *lf)
{
    return lf->begun && lf->data.len == lf->total;
}
