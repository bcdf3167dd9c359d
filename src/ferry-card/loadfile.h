/* SPDX-License-Identifier: Apache-2.0
 *
 * A load file as the card receives it: first as a stream of LOAD blocks (GPCS 2.3.1 table 11-58: C4, length,
 * load file data block), then as a row of CAP components (JCVM chapter 6). The card reads it on its own and
 * trusts nothing that a host has looked at before. Whether the package can be linked on this card is decided
 * elsewhere. */
#ifndef FERRY_CARD_LOADFILE_H
#define FERRY_CARD_LOADFILE_H

#include "state.h"

/* The stream. Memory grows with what arrives, never beyond room. */
struct loadfile {
    uint8_t head[5]; /* tag and length of the data block, as far as they have come */
    size_t head_len;
    bool begun; /* head is complete */
    size_t total, room;
    struct writer data;
};

/* room: how many bytes of load file data block the card can take. */
void loadfile_init(struct loadfile *lf, size_t room);
void loadfile_finish(struct loadfile *lf);
/* Takes a block. 9000; 6A84 when the announced length does not fit in; 6A80 when it is no load file: DAP
 * blocks (E2) and ciphered ones (D4) are not for a card without a security domain that could check them. */
uint16_t loadfile_feed(struct loadfile *lf, struct view block) MUST_USE;
/* Has all that was announced come? */
bool loadfile_complete(const struct loadfile *lf);

/* What a load file data block says of itself. code and hash of the package stay empty. */
struct loadfile_info {
    struct card_package package;
    uint8_t format_major, format_minor, flags;
};

/* Parses and checks a load file data block: order, sizes and mutual consistency of its components. ERR_FORMAT
 * with *why a sentence. Bytecode is not verified. */
enum err loadfile_parse(struct view block, struct loadfile_info *out, const char **why) MUST_USE;

#endif
