/* SPDX-License-Identifier: Apache-2.0
 *
 * A load file as the card receives it: first as a stream of LOAD blocks (GPCS 2.3.1 table 11-58: C4, length,
 * load file data block), then as a row of CAP components (JCVM chapter 6). The card reads it on its own and
 * trusts nothing that a host has looked at before. Whether the package can be linked on this card is decided
 * elsewhere. */
#ifndef FERRY_CARD_LOADFILE_H
#define FERRY_CARD_LOADFILE_H

#include "state.h"

enum { DAPS_MAX = 8, DAP_SIGNATURE_MAX = 512, LOADFILE_FIELD_MAX = 640, LOADFILE_ICV_MAX = 16 };

/* A DAP block: a security domain's signature over the load file data block hash. */
struct dap {
    struct card_aid domain;
    uint8_t signature[DAP_SIGNATURE_MAX];
    size_t signature_len;
};

/* The stream (table 11-58): E2 DAP blocks, then C4 with the data block, or D3 with an ICV and D4 with the
 * ciphered one. Memory grows with what arrives, never beyond room. */
struct loadfile {
    uint8_t head[5]; /* tag and length of the object in hand, as far as they have come */
    size_t head_len;
    bool begun;    /* the head of C4 or D4 is complete */
    bool ciphered; /* it was D4 */
    size_t total, room, field_len;
    struct writer field; /* an E2 or D3 in hand */
    struct writer data;
    struct dap daps[DAPS_MAX];
    size_t dap_count;
    uint8_t icv[LOADFILE_ICV_MAX];
    size_t icv_len; /* 0: none came */
};

/* room: how many bytes of load file data block the card can take. */
void loadfile_init(struct loadfile *lf, size_t room);
void loadfile_finish(struct loadfile *lf);
/* Takes a block. 9000; 6A84 when the announced length does not fit in; 6A80 when it is no load file. */
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
