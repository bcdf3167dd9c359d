/* SPDX-License-Identifier: Apache-2.0
 *
 * A card's registry as GET STATUS tells it in TLV form (GPCS 2.3.1 11.4.3.1), and as bytes for the store. */
#ifndef GP_REGISTRY_H
#define GP_REGISTRY_H

#include <gp/command.h>

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
};

struct registry {
    struct registry_entry *entries;
    size_t count;
    bool more; /* a 6310 said that not all was told; to be cleared by who asks for the rest */
};

/* Adds one answer to GET STATUS of the subset. 6A88 adds nothing and is fine; 6310 sets more. ERR_FORMAT,
 * ERR_LIMIT, ERR_MEMORY leave it as it was; ERR_STATE on another status word. A zeroed registry is empty. */
enum err registry_add(struct registry *r, uint8_t subset, const struct rapdu *answer) MUST_USE;
void registry_finish(struct registry *r);
const struct registry_entry *registry_find(const struct registry *r, const struct aid *aid);
/* Bytes for the store, and back. */
enum err registry_encode(const struct registry *r, struct writer *out) MUST_USE;
enum err registry_decode(struct registry *out, struct view v) MUST_USE;
/* "SELECTABLE", "LOADED", "OP_READY", ... by subset and state; never NULL. */
const char *registry_state_text(uint8_t subset, uint8_t state);

#endif
