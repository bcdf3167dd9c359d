/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialogue without network and processes: the real session, vault, store and plan on one side, the real
 * virtual card on the other, and between them a client that the test may turn into an attacker. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <session/session.h>

#include "front/world.h"
#include "store/test_support.h"
#include "vcard.h"

struct bench {
    struct crypto *crypto;
    struct vault *vault;
    struct test_folder folder;
    struct store store;
    struct world_cache cache;
    struct vcard *card;
    uint64_t now_ms;
    bool forbid_weak; /* the policy of the server: nothing weak; else everything */
};

/* What the server knows and which card there is. */
struct bench_setup {
    struct vcard_options card;
    const char *scp, *i, *kvn, *level; /* of the card type "type": hexadecimal, as in docs/api.md */
    const char *match;                 /* the type's match object, JSON; NULL: the card's ATR */
    const char *more;                  /* more fields of the type, JSON, beginning with a comma; NULL: none */
    uint8_t server_key;                /* as card.key where the server knows the right one */
    bool no_key;
    char *key_fields; /* of a method with key pairs: bench_open fills in the type's fields; NULL: the master
                         key */
};
/* SCP03 i=70, level 33, on a "modern" card. */
struct bench_setup bench_modern(void);
/* SCP02 i=55, level 03, on a "classic" card: no response MAC in this level. */
struct bench_setup bench_classic(void);

/* Every choice that a card type can make among the methods: a row of the table of methods, a level, a size of
 * its keys. */
struct bench_choice {
    const struct channel_method *method;
    uint8_t level;
    uint16_t key_bits; /* of symmetric keys; of SCP11: of its session keys */
    enum pk_curve curve;
    char name[80];
};
/* The n-th choice; false when there are fewer. every_size: else the shortest keys alone. */
bool bench_choice(size_t n, bool every_size, struct bench_choice *out);
/* A card of that method and a card type for it. Key pairs of the host are made in folders below base, once
 * for each kind. text is what the setup points to. */
struct bench_text {
    char folder[240];
    char scp[3], i[3], kvn[3], level[3], variant[2], fields[16 * 1024];
};
struct bench_setup bench_for(const struct bench_choice *c, const char *base, struct bench_text *text);
/* A new folder for that, and its end. */
void bench_base_make(char base[200]);
void bench_base_remove(const char *base);
/* What the server knows beside the type: of the host's key pairs and whom it trusts (bench_open does it), and
 * of the card, where its public key has to be known. */
/* The card's number, as it tells it to anybody. */
void bench_read_number(struct bench *b, char out[CARD_NUMBER_TEXT_MAX + 1]);
void bench_add_host_pairs(struct bench *b, const struct bench_setup *setup);
/* A key pair as an operator imports it; of its private half nothing but for KEY_USE_HOST. */
void bench_import_pair(struct bench *b, const char *name, enum key_use use, const char *card, struct pk *k);
void bench_add_peer(struct bench *b, const struct bench_setup *setup, const char *card);

/* A vault with the key-encryption key of all benches. */
enum err bench_vault(struct crypto *crypto, struct vault **out) MUST_USE;
void bench_open(struct bench *b, const struct bench_setup *setup);
void bench_close(struct bench *b);

/* Adds an application from tests/data/caps, with the sequence that is generated for it and more lines. */
void bench_add_app(struct bench *b, const char *name, const char *cap_file, const char *more);
/* The same with this sequence. */
void bench_add_app_as(struct bench *b, const char *name, const char *cap_file, const char *sequence);
/* Imports a key as an operator does. row.attributes say what it is. */
void bench_import_key(struct bench *b, struct key_row *row, struct view key);
/* Adds a key from which data for places is derived. */
void bench_add_derive_key(struct bench *b, const char *name);
/* Adds an order; id is a text of at most 31 characters. card and type may be "". */
void bench_add_order(struct bench *b, const char *id, const char *purpose, const char *app, const char *card,
                     const char *type);
/* The card's number, found out by an inspecting session that must be confirmed. */
void bench_number(struct bench *b, char out[CARD_NUMBER_TEXT_MAX + 1]);

/* An operator looks at the card and releases it. */
void bench_release(struct bench *b, const char *card);
/* As if the server had never taken stock of the card. */
void bench_forget_registry(struct bench *b, const char *card);
/* As if the server had found these contents on the card. */
void bench_set_registry(struct bench *b, const char *card, struct view registry);
/* Replaces the type. */
void bench_put_type(struct bench *b, const struct bench_setup *setup);
/* Another card in the reader. */
void bench_change_card(struct bench *b, const struct vcard_options *o);

/* The client. Each may be NULL. post counts from 0. */
struct bench_client {
    void *ctx;
    /* Before the card sees a packet; it may be changed. */
    void (*packet)(void *ctx, struct bench *b, unsigned post, struct writer *packet);
    /* Before each command: false pulls the card out. */
    bool (*command)(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu);
    /* One answer of the card, which may be changed. */
    void (*answer)(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                   struct writer *rapdu);
    /* What is POSTed. */
    void (*body)(void *ctx, struct bench *b, unsigned post, struct writer *body);
    /* Instead of POSTing body: resume. */
    bool (*resume)(void *ctx, struct bench *b, unsigned post);
    const char *card;          /* the number that the client has read; NULL: it does not tell */
    bool goes_on_after_errors; /* as the client of profile B */
    bool own_card;             /* the answers come from answer() alone; the card is not asked */
};

struct bench_result {
    enum outcome outcome;
    enum reason reason;
    char detail[SESSION_DETAIL_MAX + 1];
    char card[CARD_NUMBER_TEXT_MAX + 1];
    unsigned posts;
    size_t commands;                 /* executed by the card */
    size_t external_authentications; /* that left the server */
    size_t initialize_updates;       /* that left the server */
    size_t loads;                    /* LOAD commands that left the server */
    size_t packet_commands;          /* of the last packet */
};
/* One session for the order, from the ticket to the end. */
struct bench_result bench_run(struct bench *b, const char *order, const struct bench_client *client);

/* The client's part alone: executes the packet of a POST and appends the response script. *torn: the card was
 * pulled. */
void bench_execute(struct bench *b, const struct bench_client *c, unsigned post, struct view packet,
                   struct writer *body, bool *torn, struct bench_result *result);

struct ledger_row bench_ledger(struct bench *b, const char *card, uint8_t kvn);
/* False when the card is not in the store. */
bool bench_card_row(struct bench *b, const char *card, struct card_row *out);
struct order_row bench_order(struct bench *b, const char *id);
void bench_submit(struct bench *b, const struct change *changes, size_t count);

/* Fails the test with a row's name unless outcome and reason are these. */
void bench_expect(const char *row, const struct bench_result *r, enum outcome o, enum reason reason);

#endif
