/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card remembers without power: who it is, its keys, its registry, what applications stored. The state
 * changes in one way only: a transaction (a row of records) is made durable first and then applied here, by
 * the same code that reads the memory file. So a command either happened or did not, and there is one parser.
 *
 * A transaction is a row of records, each one byte of type and its fields; nothing follows the last one. */
#ifndef FERRY_CARD_STATE_H
#define FERRY_CARD_STATE_H

#include <base/limits.h>
#include <base/secret.h>

enum { CARD_KDD_LEN = 10, CARD_NAME_MAX = 31, CARD_HISTORICAL_MAX = 15, CARD_PRIVILEGES = 3 };

struct card_aid {
    uint8_t data[AID_MAX];
    uint8_t len; /* 5 to 16; 0: none */
};

struct view card_aid_view(const struct card_aid *a);
/* False, and *a untouched, unless v has 5 to 16 bytes. */
bool card_aid_set(struct card_aid *a, struct view v);
bool card_aid_is(const struct card_aid *a, struct view v);

/* GPCS 2.3.1 table 11-6. */
enum card_life {
    LIFE_OP_READY = 0x01,
    LIFE_INITIALIZED = 0x07,
    LIFE_SECURED = 0x0F,
    LIFE_CARD_LOCKED = 0x7F,
    LIFE_TERMINATED = 0xFF
};
/* GPCS 2.3.1 tables 11-3 and 11-4. */
enum { STATE_LOADED = 0x01, STATE_INSTALLED = 0x03, STATE_SELECTABLE = 0x07, STATE_LOCKED_BIT = 0x80 };
/* GPCS 2.3.1 table 11-7. */
enum { PRIVILEGE_SECURITY_DOMAIN = 0x80, PRIVILEGE_CARD_RESET = 0x04 };

/* What kind of card this is: fixed when it is made. */
enum card_flag {
    CARD_COUNTS_OPENINGS = 0x01, /* a bare INITIALIZE UPDATE burns a try, as on some cards */
    CARD_SHORT_ONLY = 0x02,      /* no extended length */
    CARD_FLAGS_ALL = 0x03
};

struct card_profile {
    char name[CARD_NAME_MAX + 1];
    uint8_t java_card; /* row of the platform table (platform.h) */
    uint8_t flags;     /* enum card_flag */
    uint16_t max_failures;
    uint32_t memory; /* bytes of non-volatile memory for card content */
    struct card_aid isd;
    uint8_t kdd[CARD_KDD_LEN]; /* key diversification data (GPCS 2.3.1 E.5.1.6) */
    uint8_t historical[CARD_HISTORICAL_MAX];
    uint8_t historical_len;
};

struct card_keyset {
    uint8_t kvn;
    uint8_t scp, i;
    uint32_t counter;  /* secure channel sequence counter: 2 bytes in SCP02, 3 in SCP03 */
    uint16_t failures; /* failed authentications since the last success */
    struct secret enc, mac, dek;
};

struct card_import {
    struct card_aid aid;
    uint8_t major, minor;
};

/* An executable load file. */
struct card_package {
    struct card_aid aid;
    uint8_t major, minor;
    uint32_t code_len;
    uint8_t hash[32]; /* SHA-256 of the load file data block */
    uint8_t *code;    /* owned */
    uint8_t module_count, import_count;
    struct card_aid modules[CAP_APPLETS_MAX];
    struct card_import imports[CAP_IMPORTS_MAX];
};

/* An application: an instance of a module. */
struct card_application {
    struct card_aid aid, package, module;
    uint8_t privileges[CARD_PRIVILEGES];
    uint8_t life;           /* with STATE_LOCKED_BIT while locked; the other bits are the state before */
    uint16_t parameter_len; /* bytes of the install parameters (C9) */
    uint16_t block_count;   /* STORE DATA blocks kept */
    uint32_t stored_len;
    uint8_t *stored; /* owned: each block is P1, P2, length (2), bytes */
};

/* A data object of the issuer security domain, for GET DATA: the value without its tag. */
struct card_object {
    uint16_t tag;
    uint8_t len;
    uint8_t data[CARD_OBJECT_MAX];
};

struct card_state {
    struct card_profile profile;
    uint8_t life; /* enum card_life */
    uint8_t keyset_count, package_count, application_count, object_count;
    struct card_keyset keysets[CARD_KEYSETS_MAX];
    struct card_package packages[CARD_PACKAGES_MAX];
    struct card_application applications[CARD_APPLICATIONS_MAX];
    struct card_object objects[CARD_OBJECTS_MAX];
};

void card_state_init(struct card_state *s);
/* Wipes keys, frees what is owned. Accepts a zeroed state; may be called twice. */
void card_state_finish(struct card_state *s);

/* Applies a row of records. ERR_FORMAT when one is malformed or does not fit the state, ERR_LIMIT when the
 * state is full, ERR_MEMORY. After an error the state may hold a part of the row: finish it. */
enum err card_state_apply(struct card_state *s, struct view records) MUST_USE;
/* The whole state as a row of records. */
void card_state_put(const struct card_state *s, struct writer *w);

/* One record each. */
void card_put_profile(struct writer *w, const struct card_profile *p);
void card_put_life(struct writer *w, uint8_t life);
void card_put_keyset(struct writer *w, const struct card_keyset *k);
void card_put_keyset_gone(struct writer *w, uint8_t kvn);
void card_put_counters(struct writer *w, uint8_t kvn, uint32_t counter, uint16_t failures);
void card_put_object(struct writer *w, uint16_t tag, struct view value);
void card_put_package(struct writer *w, const struct card_package *p);
void card_put_package_gone(struct writer *w, struct view aid);
void card_put_application(struct writer *w, const struct card_application *a);
void card_put_application_gone(struct writer *w, struct view aid);
void card_put_application_life(struct writer *w, struct view aid, uint8_t life,
                               const uint8_t privileges[CARD_PRIVILEGES]);
/* Adds a STORE DATA block to what the application keeps. */
void card_put_block(struct writer *w, struct view aid, uint8_t p1, uint8_t p2, struct view data);

/* NULL when there is none. find_keyset: kvn 0 is the first one (GPCS 2.3.1 E.5.1.3). */
struct card_keyset *card_find_keyset(struct card_state *s, uint8_t kvn);
struct card_package *card_find_package(struct card_state *s, struct view aid);
struct card_application *card_find_application(struct card_state *s, struct view aid);
const struct card_object *card_find_object(const struct card_state *s, uint16_t tag);

/* Bytes of non-volatile memory that card content takes, and that are left. */
uint32_t card_memory_used(const struct card_state *s);
uint32_t card_memory_free(const struct card_state *s);

/* What an entry of the registry costs beside its contents. */
enum { CARD_PACKAGE_COST = 64, CARD_APPLICATION_COST = 128 };

#endif
