/* SPDX-License-Identifier: Apache-2.0
 *
 * A card's registry as GET STATUS tells it, and as bytes for the store. The answers are in TLV form
 * (GPCS 2.3.1 11.4.3.1) or, on cards before 2.1.1, in the form of length and value that the specification no
 * longer tells; the first byte shows which. Where a card cuts its pages inside of an entry, the rest comes
 * with the next. */
#ifndef GP_REGISTRY_H
#define GP_REGISTRY_H

#include <gp/command.h>
#include <gp/memory.h>

struct registry_entry {
    uint8_t subset; /* where it came from: STATUS_... */
    struct aid aid;
    uint8_t state;
    struct privileges privileges;
    struct aid package; /* C4 of an application, when told */
    struct aid domain;  /* CC, when told */
    bool has_version;
    uint8_t version[2];                  /* CE of a package */
    struct aid modules[CAP_APPLETS_MAX]; /* 84 of a package, subset 10 */
    size_t module_count;
    uint8_t implicit[REGISTRY_IMPLICIT_MAX]; /* CF: implicit selection parameters (11.1.7) */
    size_t implicit_count;
};

struct registry {
    struct registry_entry *entries;
    size_t count;
    bool more; /* a 6310 said that not all was told; to be cleared by who asks for the rest */
    uint8_t tail_subset;
    uint16_t tail_len;
    uint8_t tail[REGISTRY_TAIL_MAX]; /* the beginning of an entry that the last page cut */
    /* What the card said at the same time that it has left (FF21), when it was asked and tells. */
    bool asked_memory, tells_memory;
    struct card_memory memory;
};

/* Adds one answer to GET STATUS of the subset, the next page too. 6A88 adds nothing and is fine; 6310 sets
 * more. ERR_FORMAT, ERR_LIMIT, ERR_MEMORY leave it as it was; ERR_STATE on another status word. A zeroed
 * registry is empty. A subset of several bits makes each entry one of all: what the card does not tell apart.
 */
enum err registry_add(struct registry *r, uint8_t subset, const struct rapdu *answer) MUST_USE;
void registry_finish(struct registry *r);
const struct registry_entry *registry_find(const struct registry *r, const struct aid *aid);
/* Bytes for the store, and back. */
enum err registry_encode(const struct registry *r, struct writer *out) MUST_USE;
enum err registry_decode(struct registry *out, struct view v) MUST_USE;
/* "SELECTABLE", "LOADED", "OP_READY", ... by subset and state; never NULL. */
const char *registry_state_text(uint8_t subset, uint8_t state);
/* True for a status word by which a card says that it does not know the TLV form (6A80, 6A86): then it is
 * asked in the old form, which the same functions read. */
bool registry_wants_old_form(uint16_t sw);

/* GPCS 2.3.1 tables 11-7 to 11-9: the privileges by their bits, from 0 (byte 1, b8) to 23 (byte 3, b1):
 * "security domain", "DAP verification", ...; NULL where there is none. */
const char *privilege_name(unsigned bit);
bool privilege_has(const struct privileges *p, unsigned bit);
/* 1 or 3 bytes, as they stand in a command. Mandated DAP verification is b8, b7 and b1 of byte 1 together; b7
 * and b6 need b8. ERR_FORMAT for other lengths, ERR_ARGUMENT where bits are missing. */
enum err privileges_read(struct view v, struct privileges *out) MUST_USE;

#endif
