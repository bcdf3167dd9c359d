/* SPDX-License-Identifier: Apache-2.0
 *
 * BER-TLV as cards use it (ISO/IEC 7816-4 5.2.2): tags of 1 to 3 bytes, definite lengths of 1 to 4 bytes.
 * Reading accepts longer than minimal lengths, as cards send them; writing is always minimal. */
#ifndef TLV_TLV_H
#define TLV_TLV_H

#include <base/bytes.h>

struct tlv {
    uint32_t tag; /* as it stands: 0x4F, 0x9F70, 0x7F49 */
    struct view value;
};

/* Takes the next object from r. False at the end and when r turned bad (ask rd_ok). */
bool tlv_next(struct reader *r, struct tlv *out);
/* The first object with this tag directly in v: true and *value. False when absent or v is malformed before
 * it. */
bool tlv_find(struct view v, uint32_t tag, struct view *value);
/* As tlv_find, down a path of count tags. */
bool tlv_path(struct view v, const uint32_t *tags, size_t count, struct view *value);
/* True when the whole of v is a row of well-formed objects. */
bool tlv_valid(struct view v);
bool tlv_constructed(uint32_t tag);

void tlv_put_tag(struct writer *w, uint32_t tag);
void tlv_put_length(struct writer *w, size_t len);
void tlv_put(struct writer *w, uint32_t tag, struct view value);
/* A constructed object around what is written between open and close; *mark belongs to the pair. Nest freely.
 */
void tlv_open(struct writer *w, uint32_t tag, size_t *mark);
void tlv_close(struct writer *w, size_t mark);
/* Bytes that a tag and length take in front of a value. */
size_t tlv_header_len(uint32_t tag, size_t value_len);
/* Reads a BER length alone (definite, 1 to 4 length bytes). Bad reader otherwise. */
size_t tlv_length(struct reader *r);

#endif
