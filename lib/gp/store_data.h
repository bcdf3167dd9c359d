/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA: data groupings, keys as data groupings, and the cutting into blocks (GPCS 2.3.1 11.11, and the
 * EMV card personalization format that it takes its groupings from).
 *
 *     data grouping: identifier 2 | length 1, or FF and 2 | value */
#ifndef GP_STORE_DATA_H
#define GP_STORE_DATA_H

#include <gp/put_key.h>

enum {
    DGI_KEY_CONTROL = 0x00B9, /* control reference templates of the keys that follow */
    DGI_SECRET_KEY = 0x8113,
    DGI_TLV = 0x0070, /* BER-TLV objects among data groupings */
    DGI_EC_PUBLIC = 0x0036,
    DGI_EC_PRIVATE = 0x8137,
    STORE_BLOCKS_MAX = 256 /* the block number is one byte (11.11.2.2) */
};

struct dgi {
    uint16_t id;
    struct view value;
};
void dgi_put(struct writer *w, uint16_t id, struct view value);
/* Takes the next one. False at the end and when r turned bad (ask rd_ok). */
bool dgi_next(struct reader *r, struct dgi *out);
/* The whole of v is a row of data groupings. */
bool dgi_valid(struct view v);
/* A grouping whose value goes out encrypted under the data encryption key. Values that are no whole blocks
 * are padded with 80 and zeros (B.1.3, B.2.3); pad_always does so also when they are, for applications that
 * take the padding off again. */
enum err dgi_put_encrypted(struct writer *w, struct crypto *c, uint16_t id, struct view value,
                           bool pad_always, const struct key_encryption *dek) MUST_USE;

/* What is said of a symmetric key (table 11-92). */
struct store_key {
    uint8_t type, kid, kvn, usage, access;
    bool has_access;
    struct view value;
};
/* 00B9 with a template each, then 8113 each (11.11.4.1). ERR_ARGUMENT as new_key_symmetric. */
enum err store_put_keys(struct writer *w, struct crypto *c, const struct store_key *keys, size_t count,
                        const struct key_encryption *dek) MUST_USE;

/* Where blocks end. flags: P1 (STORE_DGI, STORE_TLV, ...). A block ends inside a value, never inside a tag,
 * an identifier or a length (11.11.2.3); without a format, anywhere. */
struct store_cut {
    struct view data;
    uint8_t flags;
    size_t size;
    size_t at;     /* where the next block begins */
    size_t inside; /* how many bytes of a value that was cut are left from there on */
};
/* ERR_FORMAT when the data is not what flags say; ERR_ARGUMENT on a size below STORE_BLOCK_MIN. */
enum { STORE_BLOCK_MIN = 16 };
enum err store_cut_init(struct store_cut *s, struct view data, uint8_t flags, size_t size) MUST_USE;
/* The next block; false when there is none left. */
bool store_cut_next(struct store_cut *s, struct view *block);

#endif
