/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialogue between server and card: one try to fulfil an order on one card, as a table of states, events
 * and actions. It does no I/O: each event gives a turn, which says what the caller must do next (ask the
 * vault, or write down and then send). So the same dialogue runs under the server, under a local mode and
 * under a test.
 *
 * Between two POSTs a session is at rest in IDENTIFY, OPEN or DELIVER. Whatever happens within a POST leaves
 * no trace until the one write at its end, so a POST that was cut short can simply be handled again.
 * docs/protocol.md has the picture, made from the table. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <gp/identity.h>
#include <gp/quirk.h>
#include <gp/weak.h>
#include <plan/plan.h>
#include <session/outcome.h>
#include <vault/vault.h>

enum {
    SESSION_ID_MAX = 32,
    SESSION_DETAIL_MAX = 400,
    SESSION_STATE_MAX = SCRIPT_MAX + 128 * 1024, /* a plain script, a registry, and what is small */
    SESSION_RECORDS_MAX = 10,
    /* Scripts in one channel: look (with one page more each time while the card says that there is more),
       delete and load again, look. More than that does not converge. */
    SESSION_ROUNDS_MAX = 12,
    /* GPCS 2.3.1 9.6.7.1: a card may lock itself after consecutive unsuccessful loads. */
    SESSION_FAILED_LOADS_MAX = 3,
    /* An answer to GET DATA of an identity object: a short response. */
    IDENTITY_ANSWER_MAX = 258,
    /* A chain of certificates of the host, each behind its length of two bytes. */
    CERTIFICATE_BYTES_MAX = 6 * 1024
};

#define SESSION_STATE_LIST(X)                                                                                \
    X(SESSION_NEW, "new")           /* a ticket came */                                                      \
    X(SESSION_IDENTIFY, "identify") /* at rest: the card is asked who it is */                               \
    X(SESSION_PREPARE, "prepare")   /* the vault makes the opening of a channel that needs keys for it */    \
    X(SESSION_OPEN, "authenticate") /* at rest: the opening is out: INITIALIZE UPDATE, as a rule */          \
    X(SESSION_VERIFY, "verify")     /* the vault verifies what the card has proven */                        \
    X(SESSION_SIGN, "sign")         /* the vault signs the packet */                                         \
    X(SESSION_DELIVER, "deliver")   /* at rest: a packet is out */                                           \
    X(SESSION_SETTLE, "settle")     /* the vault verifies the answers */                                     \
    X(SESSION_DONE, "done")

#define SESSION_EVENT_LIST(X)                                                                                \
    X(SESSION_BEGIN, "ticket")                                                                               \
    X(SESSION_ANSWER, "answer") /* the client POSTed a response script */                                    \
    X(SESSION_PREPARED, "prepared")                                                                          \
    X(SESSION_OPENED, "opened")                                                                              \
    X(SESSION_SIGNED, "signed")                                                                              \
    X(SESSION_SETTLED, "settled")                                                                            \
    X(SESSION_RESUME, "resume")       /* the client lost the connection and asks to go on */                 \
    X(SESSION_REFUSED, "not written") /* a guard of the store refused the turn's records */                  \
    X(SESSION_EXPIRE, "timeout")

#define SESSION_ENUM(id, word) id,
enum session_state { SESSION_STATE_LIST(SESSION_ENUM) SESSION_STATE_COUNT };
enum session_event_kind { SESSION_EVENT_LIST(SESSION_ENUM) SESSION_EVENT_COUNT };
#undef SESSION_ENUM
const char *session_state_word(enum session_state s);
const char *session_event_word(enum session_event_kind e);

/* What the order says. */
struct session_order {
    enum plan_purpose purpose;
    char app[NAME_MAX_BYTES + 1];        /* "" to inspect */
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* "": any */
    char type[NAME_MAX_BYTES + 1];       /* "": any */
    int level;                           /* -1: as the type says */
};

/* What the dialogue needs to know of a card type. */
struct session_type {
    char name[NAME_MAX_BYTES + 1];
    struct aid isd; /* len 0: SELECT without AID */
    uint8_t scp, i, kvn, level;
    char key[NAME_MAX_BYTES + 1];   /* SCP11a, SCP11c, F0: the host's key pair */
    char trust[NAME_MAX_BYTES + 1]; /* SCP11: who signed the certificates of cards */
    enum kdf kdf;
    uint8_t kid, session_key_len; /* struct channel_request */
    uint8_t ca_kvn, ca_kid;       /* SCP11a, SCP11c: PK.CA-KLOC on the card */
    uint8_t certificates[CERTIFICATE_BYTES_MAX];
    size_t certificates_len;
    char java_card[16]; /* "": not known */
    quirk_set quirks;
    uint8_t block_size; /* of plain data in a command, 0: as much as fits */
    bool identify_first;
    uint32_t max_openings;
};

struct session_card {
    char type[NAME_MAX_BYTES + 1];
    int pinned_scp, pinned_i, pinned_kvn; /* -1: not known */
    bool quarantined;
    struct view registry; /* encoded; empty: not known. Valid until the next call of card */
};

struct session_ledger {
    uint32_t openings, wrong_cryptograms, failed_loads;
};

struct session_key {
    struct key_attributes attributes;
    uint8_t sealed[SEALED_KEY_MAX];
    size_t sealed_len;
};

/* An application, valid until app_done. */
struct session_app {
    const struct cap *cap;
    struct view sequence;
    void *owner;
};

/* What the server knows: looked up, never changed. ERR_NOT_FOUND: there is none. Other errors end the call of
 * session_handle, and the session is as before. */
struct session_world {
    void *ctx;
    struct random_source random;
    uint64_t (*now_ms)(void *ctx); /* since 1970-01-01 UTC */
    weak_set allow_weak;           /* the policy */
    enum err (*type)(void *ctx, const char *name, struct session_type *out);
    /* The type that fits best. id NULL: only the ATR is known; ERR_STATE when that does not decide. */
    enum err (*match)(void *ctx, struct view atr, const struct identity *id, struct session_type *out);
    /* Whether a card that is said to be of this type can be: false when a pattern excludes it. */
    bool (*fits)(void *ctx, const char *type, struct view atr, const struct identity *id);
    enum err (*card)(void *ctx, const char *number, struct session_card *out);
    enum err (*ledger)(void *ctx, const char *number, uint8_t kvn, struct session_ledger *out);
    /* version 0: the newest that is not retired. */
    enum err (*key)(void *ctx, const char *name, uint32_t version, struct session_key *out);
    /* The card's own: CARD or PEER. */
    enum err (*card_key)(void *ctx, const char *number, enum key_use use, struct session_key *out);
    /* Whether somebody has approved the application as it is: nothing of another reaches a card. */
    enum err (*approved)(void *ctx, const char *app, bool *out);
    enum err (*app)(void *ctx, const char *name, struct session_app *out);
    void (*app_done)(void *ctx, struct session_app *app);
};

/* What has to be written down, all or nothing, before the turn's answer leaves. */
enum session_record_kind {
    RECORD_ORDER_OPENING,
    RECORD_ORDER_SERVED,
    RECORD_LEDGER_OPENING, /* refused with ERR_BLOCKED above limit */
    RECORD_LEDGER_WRONG,
    RECORD_LEDGER_LOAD_FAILED,
    RECORD_LEDGER_RELEASE, /* limit openings are known to have ended */
    RECORD_LEDGER_CLEAR,
    RECORD_CARD /* struct session_facts */
};
struct session_record {
    enum session_record_kind kind;
    uint8_t kvn;    /* LEDGER_... */
    uint32_t limit; /* LEDGER_OPENING, LEDGER_RELEASE */
};

/* What became known of the card; written by RECORD_CARD. */
struct session_facts {
    bool identity, pins, quarantine;
    enum { REGISTRY_KEEP, REGISTRY_FORGET, REGISTRY_TAKEN, REGISTRY_PROVEN } registry;
};

struct session_event {
    enum session_event_kind kind;
    const char *card; /* BEGIN: the card's number as the client has read it, or NULL: protects a card, proves
                         nothing */
    struct view body; /* ANSWER: response script; must live until the turn COMMITs */
    const char *script_status; /* ANSWER: X-Admin-Script-Status, "" when absent */
    enum err result;           /* PREPARED, OPENED, SIGNED, SETTLED, REFUSED */
    struct view bytes;   /* PREPARED: commands, a script; OPENED: sealed channel; SIGNED: signed script */
    struct view opening; /* PREPARED: sealed */
    const struct vault_settlement *settlement; /* SETTLED and OK */
    enum session_record_kind refused;          /* REFUSED */
};

enum session_want {
    SESSION_WANT_BEGIN,
    SESSION_WANT_OPEN,
    SESSION_WANT_SIGN,
    SESSION_WANT_SETTLE,
    SESSION_WANT_COMMIT
};

/* What to do next. Everything in it is borrowed from the session, until its next event. */
struct session_turn {
    enum session_want want;
    struct vault_begin begin;   /* WANT_BEGIN */
    struct vault_open open;     /* WANT_OPEN */
    struct vault_script script; /* WANT_SIGN, WANT_SETTLE */
    struct view answers;        /* WANT_SETTLE: the event's body */
    /* WANT_COMMIT: write the records and the session, then send the script; or, when ended, the outcome. */
    struct session_record records[SESSION_RECORDS_MAX];
    size_t record_count;
    bool ended;
    struct view packet;
    size_t commands;  /* of the packet */
    const char *step; /* "identify", "authenticate", "deliver": progress for people */
};

/* A place filled with derived data, and the key that fills it. */
struct session_place {
    struct derive_place place;
    struct session_key key;
};

struct session {
    /* At rest: what session_encode writes. */
    enum session_state state;
    char id[SESSION_ID_MAX + 1];
    struct session_order order;
    uint8_t atr[ATR_MAX];
    size_t atr_len;
    struct session_type type; /* name "": not yet known */
    char card[CARD_NUMBER_TEXT_MAX + 1];
    struct {
        uint8_t data[IDENTITY_ANSWER_MAX];
        size_t len;
    } answers[IDENTITY_COMMANDS]; /* as the card gave them: R-APDUs; len 0: none */
    uint8_t asked;                /* bit n: identity command n is in the script that is out */
    struct identity identity;
    bool counted;                            /* the opening that is under way stands in the card's ledger */
    struct writer opening, opening_commands; /* for vault_open; a script */
    size_t opening_count;
    uint8_t kdd[KDD_LEN];
    uint8_t level;
    uint8_t channel[SEALED_CHANNEL_MAX];
    size_t channel_len;
    struct writer plain;                 /* commands that are signed */
    size_t plain_count, packet_commands; /* one that goes in parts counts for each part in the packet */
    struct session_place *places;        /* on the heap; NULL: none */
    size_t place_count;
    struct registry registry; /* what the card is believed to hold */
    bool registry_known;      /* else empty */
    bool registry_fresh;      /* taken in the channel that is open, and nothing was changed since */
    bool registry_proven;     /* by response MACs */
    bool listed_proven;  /* ...at least what it lists: that there is no more, no error status word proves */
    bool looking;        /* the packet only takes stock */
    bool asking_memory;  /* ...and only of the memory that is left */
    bool look_first;     /* a tear is possible: take stock before anything else */
    bool changed;        /* something was done to the card in this session */
    bool unproven;       /* ...and something of that was not proven */
    bool channel_proven; /* a response MAC was verified: the card accepted EXTERNAL AUTHENTICATE */
    bool number_proven;  /* ...and so was the answer that has the card's number */
    uint8_t refused_ins; /* the command that the card refused in this channel; 0: none */
    uint16_t refused_sw;
    bool tried_again;     /* after a refusal, in this channel */
    bool torn;            /* a delivery was cut short in an earlier channel of this session */
    uint8_t pages[2];     /* how many more pages the listings of packages and of applications have */
    unsigned rounds;      /* scripts in this channel */
    enum outcome outcome; /* DONE */
    enum reason reason;
    char detail[SESSION_DETAIL_MAX + 1];

    /* Within one POST only. */
    struct session_record records[SESSION_RECORDS_MAX];
    size_t record_count;
    struct session_facts facts;
    struct vault_place *vault_places; /* on the heap */
    struct session_key key, peer;
    struct view certificates[CERTIFICATES_MAX];
    struct view opening_answers[OPENING_COMMANDS_MAX];
    struct writer packet;
    struct view body;
    const char *script_status;
};

/* atr may be empty. The strings of order are copied. */
void session_init(struct session *s, const char *id, const struct session_order *order, struct view atr);
/* Wipes and frees. Accepts a zeroed session. */
void session_finish(struct session *s);

/* Takes an event, acts, and says in *out what is to be done next. ERR_STATE when the table does not have the
 * event in this state; whatever else is not OK is a failure of the world, and the POST may be handled again
 * from the stored session. */
enum err session_handle(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out) MUST_USE;

/* In DELIVER: what the vault signs to get the packet that is out once more, byte for byte: a POST that is
 * repeated gets it again. ERR_STATE, ERR_MEMORY. */
enum err session_packet_again(struct session *s, struct vault_script *out) MUST_USE;

/* Only at rest or done: ERR_STATE otherwise. */
enum err session_encode(const struct session *s, struct writer *out) MUST_USE;
/* ERR_FORMAT, ERR_MEMORY. On OK *out must go to session_finish. */
enum err session_decode(struct session *out, struct view v) MUST_USE;

/* The table, for documentation and for the test that each absent row is refused. */
enum { SESSION_NEXT_MAX = 5 };
struct session_row_of_table {
    enum session_state state;
    enum session_event_kind event;
    const char *action;
    enum session_state next[SESSION_NEXT_MAX]; /* where the action may lead */
    size_t next_count;
};
size_t session_table_rows(void);
struct session_row_of_table session_table_row(size_t n);

#endif
