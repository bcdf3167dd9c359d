/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server remembers. One interface, a function table behind it: SQLite is a file of its own
 * (sqlite.c), and another database will be another one. Reads are answered at once; writes are change sets,
 * submitted to one writer that commits many of them together and reports each one's completion on the front's
 * event loop. A change set is all or nothing, and may carry guards. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <base/bytes.h>
#include <base/limits.h>
#include <cap/cap.h>
#include <vault/vault.h>

enum {
    ID_TEXT = 32,     /* random names of orders and sessions: 16 bytes as lower-case hex */
    DIGEST_LEN = 32,  /* SHA-256 of tickets and session tokens: the store never has the token itself */
    WORD_MAX = 40,    /* outcome, reason, state: words of closed lists */
    DETAIL_MAX = 400, /* a sentence for people */
    PAGE_MAX = 201    /* rows of one listing: 200, and one that tells that there are more */
};

/* Bytes that a row owns. */
struct blob {
    uint8_t *data;
    size_t len;
};

struct app_row {
    char name[NAME_MAX_BYTES + 1];
    struct blob cap;      /* the file as uploaded */
    struct blob sequence; /* text */
    struct blob info; /* JSON: what the administration tells about it, so that no CAP need be read for it */
    uint8_t sha256[DIGEST_LEN];
    struct cap_package package;
    uint64_t created_ms;
    char approved_by[NAME_MAX_BYTES + 1]; /* as audit_row.who; "": it is neither ordered nor delivered */
    uint64_t approved_ms;
};

struct type_row {
    char name[NAME_MAX_BYTES + 1];
    struct blob spec; /* JSON, docs/api.md */
    uint64_t created_ms;
};

struct key_row {
    struct key_attributes attributes; /* name, version, use, type, key_len, card */
    struct blob sealed;
    uint8_t kcv[3][3];
    bool retired;
    uint64_t created_ms;
};

struct card_row {
    char number[CARD_NUMBER_TEXT_MAX + 1];
    char type[NAME_MAX_BYTES + 1];
    struct blob identity; /* gp/identity.h */
    struct blob registry; /* gp/registry.h; empty: not known */
    uint64_t registry_ms; /* when it was taken; proven by response MACs when registry_proven */
    bool registry_proven;
    int pinned_scp, pinned_i, pinned_kvn; /* -1: not yet known */
    bool quarantined;
    char reason[DETAIL_MAX + 1]; /* of the quarantine */
    uint64_t seen_ms;
    uint32_t revision; /* moves with every change: guard */
};

/* The ledger of channel openings, per card and key version (card-rules: 2 and 3). */
struct ledger_row {
    char card[CARD_NUMBER_TEXT_MAX + 1];
    uint8_t kvn;
    uint32_t openings; /* not yet followed by a proven success */
    uint32_t wrong_cryptograms;
    uint32_t failed_loads; /* consecutive */
    uint64_t last_ms;
};

struct order_row {
    char id[ID_TEXT + 1];
    uint8_t ticket_digest[DIGEST_LEN];
    char app[NAME_MAX_BYTES + 1];        /* "" for inspect */
    char purpose[WORD_MAX + 1];          /* install, remove, inspect */
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* "": any card of the type */
    char type[NAME_MAX_BYTES + 1];       /* "": any type */
    int level;                           /* -1: as the type says */
    char state[WORD_MAX + 1];            /* open, done, cancelled */
    char offer_ticket[TICKET_MAX];       /* the ticket in clear, of an offer to everybody; "": it is none */
    uint32_t cards;                      /* how many it was made for */
    uint32_t cards_left;                 /* how many cards may still be served */
    uint32_t openings_left;              /* how many channels may still be opened on this ticket */
    uint64_t created_ms, expires_ms;
};

struct session_row {
    char id[ID_TEXT + 1];
    uint8_t token_digest[DIGEST_LEN]; /* of the s= of the Next-URI that is valid now */
    char order[ID_TEXT + 1];
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* "" until known */
    struct blob state;                   /* session/session.h */
    uint8_t request_digest[DIGEST_LEN];  /* of the POST that reply answers */
    struct blob reply;                   /* the answer, so that a repeated POST gets the same one */
    struct blob dialogue;                /* front/trace.h */
    char step[WORD_MAX + 1];             /* name of the state, for people */
    char outcome[WORD_MAX + 1], reason[WORD_MAX + 1]; /* "" while it runs */
    char detail[DETAIL_MAX + 1];
    uint32_t posts, commands, bytes;
    uint64_t created_ms, updated_ms;
    uint32_t revision;
};

struct audit_row {
    uint64_t number; /* given by the store */
    uint64_t time_ms;
    char who[NAME_MAX_BYTES + 1]; /* "admin token", "certificate CN", "session <id>" */
    char what[WORD_MAX + 1];      /* "app.add", "order.add", "session.confirmed", "card.released", ... */
    char object[CARD_NUMBER_TEXT_MAX + 1];
    char detail[DETAIL_MAX + 1];
};

/* How many sessions ended so, on one day. */
struct tally_row {
    uint32_t day; /* since 1970-01-01, UTC */
    char outcome[WORD_MAX + 1], reason[WORD_MAX + 1];
    uint64_t count;
};

/* How much there is of what an operator looks after. */
struct store_counts {
    uint64_t sessions_running, cards, cards_set_aside, orders_open, apps_waiting;
};

/* One change. Pointers are borrowed until store_submit returns. */
struct change {
    enum {
        APP_ADD,          /* fails with ERR_EXISTS */
        APP_PUT_SEQUENCE, /* approved_by and approved_ms with it; ERR_NOT_FOUND, also when the file is not
                             of row.app->sha256 */
        APP_PUT_TEXTS,    /* info; ERR_NOT_FOUND as before */
        APP_APPROVE,      /* ERR_NOT_FOUND; ERR_STATE when it was approved already */
        APP_REMOVE,       /* ERR_NOT_FOUND; ERR_CONFLICT while open orders name it */
        TYPE_ADD,         /* ERR_EXISTS */
        TYPE_PUT,         /* replaces or adds */
        TYPE_REMOVE,      /* ERR_NOT_FOUND; ERR_CONFLICT while cards or open orders have it */
        KEY_ADD,          /* ERR_EXISTS */
        KEY_RETIRE,       /* ERR_NOT_FOUND */
        CARD_PUT, /* revision must be the stored one (0: the row must be new), else ERR_CONFLICT; stored as
                     revision + 1 */
        CARD_RELEASE,   /* clears quarantine and the ledger of row.card->number; ERR_NOT_FOUND */
        LEDGER_OPENING, /* openings + 1; ERR_BLOCKED when they would exceed limit, when a cryptogram was
                           wrong, or when the card is in quarantine */
        LEDGER_WRONG,   /* wrong_cryptograms + 1 */
        LEDGER_LOAD_FAILED,
        LEDGER_CLEAR,   /* a proven success */
        LEDGER_RELEASE, /* openings - limit, not below 0: so many are known to have ended; all else stays */
        ORDER_ADD,      /* ERR_EXISTS; ERR_NOT_FOUND when the app or type that it names is not there;
                           ERR_POLICY when the app is not approved */
        ORDER_CANCEL,   /* ERR_NOT_FOUND; ERR_STATE unless open */
        ORDER_TICKET,   /* ticket_digest and offer_ticket take the place of the old; ERR_NOT_FOUND; ERR_STATE
                           unless open and not expired */
        ORDER_OPENING,  /* openings_left - 1; ERR_BLOCKED at 0, ERR_STATE unless open, ERR_EXPIRED */
        ORDER_SERVED,   /* cards_left - 1, never below 0; at 0 an open order is done */
        SESSION_ADD,    /* ERR_EXISTS; stored as revision + 1; counted when it has ended */
        SESSION_PUT,    /* revision must be the stored one, else ERR_CONFLICT; stored as revision + 1. What
                           identifies it (id, order, created_ms) stays; when it ends it is counted */
        AUDIT_ADD,
        CHANGE_COUNT
    } kind;
    union {
        const struct app_row *app;
        const struct type_row *type;
        const struct key_row *key;
        const struct card_row *card;
        const struct ledger_row *ledger; /* card and kvn */
        const struct order_row *order;
        const struct session_row *session;
        const struct audit_row *audit;
    } row;
    uint32_t limit;  /* LEDGER_OPENING, LEDGER_RELEASE */
    uint64_t now_ms; /* where time is stored or compared */
};

struct store;
/* Which rows, and in which order: by name, or newest first for orders, sessions and audit. */
struct listing {
    char after[CARD_NUMBER_TEXT_MAX + 1]; /* the key of the last row of the page before; "": from the start */
    char match[NAME_MAX_BYTES + 1];       /* begins with; "": all */
    /* Only of these, "": all. order: sessions, audit; card: orders, sessions, audit; type: cards; app:
     * orders. */
    char order[ID_TEXT + 1], card[CARD_NUMBER_TEXT_MAX + 1];
    char type[NAME_MAX_BYTES + 1], app[NAME_MAX_BYTES + 1];
    bool set_aside;  /* only cards in quarantine */
    bool open;       /* only orders that are open and not expired */
    bool running;    /* only sessions that have not ended */
    uint64_t now_ms; /* open, offers: expired is what ends until then */
    size_t limit;    /* 1 to PAGE_MAX */
};

/* What the writer did since it was opened. */
struct store_stats {
    uint64_t commits, commits_failed; /* transactions */
    uint64_t sets, sets_refused;      /* change sets in them */
    uint64_t batch_max;               /* most sets in one transaction */
    uint64_t checkpoints, restarts;   /* of the write-ahead log; restarts: emptied by force */
    uint64_t wal_pages;               /* its length after the last commit */
    enum err last;                    /* outcome of the last transaction */
};

struct store_ops {
    enum err (*get_app)(void *ctx, const char *name, struct app_row *out);
    enum err (*get_type)(void *ctx, const char *name, struct type_row *out);
    enum err (*get_key)(void *ctx, const char *name, uint32_t version,
                        struct key_row *out); /* version 0: the newest that is not retired */
    enum err (*get_card_key)(void *ctx, const char *card, enum key_use use,
                             struct key_row *out); /* KEY_USE_CARD or PEER, the newest that is not retired */
    enum err (*get_card)(void *ctx, const char *number, struct card_row *out);
    enum err (*get_ledger)(void *ctx, const char *card, uint8_t kvn,
                           struct ledger_row *out); /* zeros when there is none */
    enum err (*get_order)(void *ctx, const char *id, struct order_row *out);
    enum err (*get_order_by_ticket)(void *ctx, const uint8_t digest[DIGEST_LEN], struct order_row *out);
    enum err (*get_session)(void *ctx, const char *id, struct session_row *out);
    enum err (*get_counts)(void *ctx, uint64_t now_ms, struct store_counts *out);

    /* Calls each for every row of the page; it may take over blobs by clearing them in the row. Stops early
     * on an error. */
    enum err (*list_apps)(void *ctx, const struct listing *l,
                          enum err (*each)(void *arg, struct app_row *row), void *arg); /* without cap */
    enum err (*list_types)(void *ctx, const struct listing *l,
                           enum err (*each)(void *arg, struct type_row *row), void *arg);
    enum err (*list_keys)(void *ctx, const struct listing *l,
                          enum err (*each)(void *arg, struct key_row *row), void *arg);
    enum err (*list_cards)(void *ctx, const struct listing *l,
                           enum err (*each)(void *arg, struct card_row *row), void *arg);
    enum err (*list_ledger)(void *ctx, const struct listing *l,
                            enum err (*each)(void *arg, struct ledger_row *row), void *arg);
    enum err (*list_orders)(void *ctx, const struct listing *l,
                            enum err (*each)(void *arg, struct order_row *row), void *arg);
    /* Offers that a card could still take: open, not expired at now_ms, cards and openings left. after and
     * the filters are not used. */
    enum err (*list_offers)(void *ctx, const struct listing *l,
                            enum err (*each)(void *arg, struct order_row *row), void *arg);
    enum err (*list_sessions)(void *ctx, const struct listing *l,
                              enum err (*each)(void *arg, struct session_row *row),
                              void *arg); /* without state, reply and dialogue */
    enum err (*list_audit)(void *ctx, const struct listing *l,
                           enum err (*each)(void *arg, struct audit_row *row), void *arg);
    /* From this day on, by day; not in pages: there are as many as days and outcomes. */
    enum err (*list_tallies)(void *ctx, uint32_t from_day, enum err (*each)(void *arg, struct tally_row *row),
                             void *arg);

    /* Copies what it needs, returns at once. done is called once, on the loop's thread, from store_dispatch,
     * when the set is durable (OK) or was refused as a whole (ERR_DISK_FULL, ERR_CONFLICT, ...; failed: which
     * change). An empty set writes a mark, to prove that the store can write. Only when there is no memory
     * even for the news, done is called before submit returns. */
    void (*submit)(void *ctx, const struct change *changes, size_t count,
                   void (*done)(void *arg, enum err e, size_t failed), void *arg);
    int (*event_fd)(void *ctx); /* readable when completions wait */
    void (*dispatch)(void *ctx);
    void (*stats)(void *ctx, struct store_stats *out);
    /* Writes what was submitted, calls what is done, then closes. */
    void (*close)(void *ctx);
};

struct store {
    const struct store_ops *ops;
    void *ctx;
};

/* Opens (and creates, and migrates) an embedded database; path is a file, mode 0600. ERR_IO, ERR_DISK_FULL,
 * ERR_UNSUPPORTED for a newer schema, ERR_FORMAT for a damaged file or another program's; logged. */
enum err store_open_sqlite(struct store *out, const char *path) MUST_USE;

void blob_free(struct blob *b);
enum err blob_copy(struct blob *out, struct view v) MUST_USE;
struct view blob_view(const struct blob *b);
void app_row_free(struct app_row *r);
void type_row_free(struct type_row *r);
void key_row_free(struct key_row *r);
void card_row_free(struct card_row *r);
void session_row_free(struct session_row *r);

#endif
