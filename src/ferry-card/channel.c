/* SPDX-License-Identifier: Apache-2.0
 *
 * What the card's secure channels share: padding, the MACed header, the table of protocols. */
#include "channel.h"

#include <string.h>

static const struct card_channel_ops *const ops_rows[] = {&card_scp01_ops, &card_scp02_ops, &card_scp03_ops,
                                                          &card_signed_ops};

const struct card_channel_ops *card_channel_ops(uint8_t scp)
{
    for (size_t n = 0; n < sizeof ops_rows / sizeof ops_rows[0]; n++) {
        if (ops_rows[n]->scp == scp)
            return ops_rows[n];
    }
    return NULL;
}

const struct card_channel_ops *const *card_channel_rows(size_t *count)
{
    *count = sizeof ops_rows / sizeof ops_rows[0];
    return ops_rows;
}

void card_channel_finish(struct card_channel *ch)
{
    if (ch->own_finish != NULL)
        ch->own_finish(ch->own);
    wipe(ch, sizeof *ch);
}

void card_pad(struct writer *w, struct view v, size_t block)
{
    wr_view(w, v);
    wr_u8(w, 0x80);
    for (size_t n = v.len + 1; n % block != 0; n++)
        wr_u8(w, 0);
}

/* Walks the whole last block whatever it holds: with SCP02 the MAC is behind the encryption, and a card that
 * takes longer over good padding decrypts for everybody. */
long card_unpad(struct view padded, size_t block)
{
    if (padded.len == 0 || padded.len % block != 0)
        return -1;
    struct view last = view_tail(padded, padded.len - block);
    unsigned found = 0, bad = 0;
    size_t at = 0;
    for (size_t n = 0; n < block; n++) {
        uint8_t b = last.data[block - 1 - n];
        unsigned is_mark = (b == 0x80) & !found;
        unsigned is_zero = (b == 0);
        bad |= (unsigned)!(found | is_mark | is_zero);
        at += is_mark * n;
        found |= is_mark;
    }
    return found && !bad ? (long)(padded.len - at - 1) : -1;
}

void card_put_mac_header(struct writer *w, const struct apdu *command, size_t data_len)
{
    wr_u8(w, (uint8_t)((command->cla & 0xF0 & ~0x40) | 0x04));
    wr_u8(w, command->ins);
    wr_u8(w, command->p1);
    wr_u8(w, command->p2);
    card_put_lc(w, command, data_len);
}

void card_put_lc(struct writer *w, const struct apdu *command, size_t data_len)
{
    if (command->extended || data_len > 255) {
        wr_u8(w, 0);
        wr_u16(w, (uint16_t)data_len);
    } else {
        wr_u8(w, (uint8_t)data_len);
    }
}

unsigned card_channel_key_count(uint8_t scp, uint8_t i)
{
    return scp == 0x02 && !(i & 0x01) ? 1 : 3;
}
