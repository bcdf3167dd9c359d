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
/* False for none (len 0), whatever v is. */
bool card_aid_is(const struct card_aid *a, struct view v);
/* The same, but none and an empty v are equal: of domains. */
bool card_domain_is(const struct card_aid *domain, struct view v);

/* GPCS 2.3.1 table 11-6. */
enum card_life {
    LIFE_OP_READY = 0x01,
    LIFE_INITIALIZED = 0x07,
    LIFE_SECURED = 0x0F,
    LIFE_CARD_LOCKED = 0x7F,
    LIFE_TERMINATED = 0xFF
};
/* GPCS 2.3.1 tables 11-3, 11-4 and 11-5. */
enum {
    STATE_LOADED = 0x01,
    STATE_INSTALLED = 0x03,
    STATE_SELECTABLE = 0x07,
    STATE_PERSONALIZED = 0x0F, /* of a security domain */
    STATE_LOCKED_BIT = 0x80
};
/* GPCS 2.3.1 table 11-7. */
enum { PRIVILEGE_SECURITY_DOMAIN = 0x80, PRIVILEGE_CARD_RESET = 0x04 };

/* What kind of card this is: fixed when it is made. */
enum card_flag {
    CARD_COUNTS_OPENINGS = 0x01, /* a bare INITIALIZE UPDATE burns a try, as on some cards */
    CARD_SHORT_ONLY = 0x02,      /* no extended length */
    CARD_SCP11_S16 = 0x04,       /* SCP11 with MACs of 16 bytes */
    CARD_TRUSTS_SCP11B = 0x08, /* manages content for a host that is not authenticated, as in a laboratory */
    CARD_FLAGS_ALL = 0x0F
};

struct card_profile {
    char name[CARD_NAME_MAX + 1];
    uint8_t java_card; /* row of the platform table (platform.h) */
    uint8_t flags;     /* enum card_flag */
    uint32_t quirks;   /* enum card_quirk (quirks.h) */
    uint16_t max_failures;
    uint32_t memory; /* bytes of non-volatile memory for card content */
    struct card_aid isd;
    uint8_t kdd[CARD_KDD_LEN]; /* key diversification data (GPCS 2.3.1 E.5.1.6) */
    uint8_t historical[CARD_HISTORICAL_MAX];
    uint8_t historical_len;
};

/* The three keys of a secure channel with symmetric keys. */
struct card_keyset {
    struct card_aid domain; /* the security domain that they are of; len 0: the issuer security domain */
    uint8_t kvn;
    uint8_t scp, i;
    uint32_t counter;  /* secure channel sequence counter: 2 bytes in SCP02, 3 in SCP03 */
    uint16_t failures; /* failed authentications since the last success */
    struct secret enc, mac, dek;
};

/* GPCS 2.3.1 table 11-16, as far as single keys go. RSA public key: data is exponent and modulus, each behind
 * a length of 2 bytes. ECC: the point 04 | x | y, or the number, of the curve in parameter (table B-2). */
enum {
    CARD_KEY_DES = 0x80,
    CARD_KEY_TLS_PSK = 0x85,
    CARD_KEY_AES = 0x88,
    CARD_KEY_RSA_PUBLIC = 0xA1,
    CARD_KEY_ECC_PUBLIC = 0xB0,
    CARD_KEY_ECC_PRIVATE = 0xB1
};

/* A key that stands alone: for tokens, receipts, DAPs, certificates, signed commands. */
struct card_key {
    struct card_aid domain;
    uint8_t kvn, kid; /* one key of each domain, version and identifier */
    uint8_t type;
    uint8_t parameter;
    uint16_t len;
    uint8_t *data; /* owned, wiped */
};

struct card_import {
    struct card_aid aid;
    uint8_t major, minor;
};

/* An executable load file. */
struct card_package {
    struct card_aid aid;
    struct card_aid domain; /* the associated security domain; len 0: the issuer security domain */
    uint8_t major, minor;
    uint32_t code_len;
    uint8_t hash[32]; /* SHA-256 of the load file data block */
    uint8_t *code;    /* owned */
    uint8_t module_count, import_count;
    struct card_aid modules[CAP_APPLETS_MAX];
    struct card_import imports[CAP_IMPORTS_MAX];
};

/* An application: an instance of a module. One with the Security Domain privilege is a security domain. */
struct card_application {
    struct card_aid aid, package, module;
    struct card_aid domain; /* the associated security domain; its own AID when it was extradited to itself */
    uint8_t privileges[CARD_PRIVILEGES];
    uint8_t life;           /* with STATE_LOCKED_BIT while locked; the other bits are the state before */
    uint8_t scp, i;         /* of a security domain: the secure channel that its keys are for; 0: by key */
    uint16_t parameter_len; /* bytes of the install parameters (C9) */
    uint16_t block_count;   /* STORE DATA blocks kept */
    uint32_t stored_len;
    uint8_t *stored; /* owned: each block is P1, P2, length (2), bytes */
};

/* A data object of a security domain, for GET DATA: the value without its tag. A certificate is one of
 * several under one tag and goes by the key that it is of. */
struct card_object {
    struct card_aid domain;
    uint16_t tag;
    uint8_t kvn, kid; /* of a certificate; otherwise 0 */
    uint16_t len;
    uint8_t *data; /* owned */
};

struct card_state {
    struct card_profile profile;
    uint8_t life;           /* enum card_life */
    uint16_t confirmations; /* receipts made (GPCS 2.3.1 C.5) */
    uint8_t keyset_count, key_count, package_count, application_count, object_count;
    struct card_keyset keysets[CARD_KEYSETS_MAX];
    struct card_key keys[CARD_KEYS_MAX];
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

/* One record each. A domain is its AID, empty for the issuer security domain. */
void card_put_profile(struct writer *w, const struct card_profile *p);
void card_put_life(struct writer *w, uint8_t life);
/* Of the profile that was put before. */
void card_put_quirks(struct writer *w, uint32_t quirks);
void card_put_confirmations(struct writer *w, uint16_t n);
void card_put_keyset(struct writer *w, const struct card_keyset *k);
void card_put_keyset_gone(struct writer *w, struct view domain, uint8_t kvn);
void card_put_counters(struct writer *w, struct view domain, uint8_t kvn, uint32_t counter,
                       uint16_t failures);
/* Adds the key or takes the place of the one with its domain, version and identifier. */
void card_put_key(struct writer *w, const struct card_key *k);
void card_put_key_gone(struct writer *w, struct view domain, uint8_t kvn, uint8_t kid);
/* An empty value takes the object away. */
void card_put_object(struct writer *w, struct view domain, uint16_t tag, struct view value);
void card_put_certificate(struct writer *w, struct view domain, uint16_t tag, uint8_t kvn, uint8_t kid,
                          struct view value);
void card_put_package(struct writer *w, const struct card_package *p);
void card_put_package_gone(struct writer *w, struct view aid);
void card_put_package_domain(struct writer *w, struct view aid, struct view domain);
void card_put_application(struct writer *w, const struct card_application *a);
/* With a security domain its keys and objects go. */
void card_put_application_gone(struct writer *w, struct view aid);
void card_put_application_life(struct writer *w, struct view aid, uint8_t life,
                               const uint8_t privileges[CARD_PRIVILEGES]);
void card_put_application_domain(struct writer *w, struct view aid, struct view domain);
/* Adds a STORE DATA block to what the application keeps. */
void card_put_block(struct writer *w, struct view aid, uint8_t p1, uint8_t p2, struct view data);

/* NULL when there is none. find_keyset: kvn 0 is the first one (GPCS 2.3.1 E.5.1.3). */
struct card_keyset *card_find_keyset(struct card_state *s, struct view domain, uint8_t kvn);
struct card_key *card_find_key(struct card_state *s, struct view domain, uint8_t kvn, uint8_t kid);
struct card_package *card_find_package(struct card_state *s, struct view aid);
struct card_application *card_find_application(struct card_state *s, struct view aid);
const struct card_object *card_find_object(const struct card_state *s, struct view domain, uint16_t tag);
const struct card_object *card_find_certificate(const struct card_state *s, struct view domain, uint16_t tag,
                                                uint8_t kvn, uint8_t kid);
/* Is there such a security domain (empty: the issuer's, always)? */
bool card_has_domain(const struct card_state *s, struct view domain);
/* Is every entry associated with a security domain that is there? */
bool card_state_is_whole(const struct card_state *s);

/* The executable load file and module of security domains that every card has without loading it; module may
 * be empty (any). */
bool card_is_domain_code(struct view package, struct view module);

/* Bytes of non-volatile memory that card content takes, and that are left. */
uint32_t card_memory_used(const struct card_state *s);
uint32_t card_memory_free(const struct card_state *s);

/* What an entry of the registry costs beside its contents. */
enum { CARD_PACKAGE_COST = 64, CARD_APPLICATION_COST = 128 };

#endif
