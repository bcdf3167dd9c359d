/* SPDX-License-Identifier: Apache-2.0
 *
 * A card at work: the remembered state (state.h) and what is lost with power, and the way of a command
 * through it. The card does no I/O: durable memory and randomness come from the program. */
#ifndef FERRY_CARD_CARD_H
#define FERRY_CARD_CARD_H

#include <base/sources.h>

#include "authority.h"
#include "chain.h"
#include "channel.h"
#include "cmd_scp11.h"
#include "loadfile.h"
#include "platform.h"
#include "quirks.h"
#include "state.h"

/* Where transactions go. sync: must survive a loss of power, not only of the process. On an error nothing was
 * written. */
struct card_store {
    enum err (*commit)(void *ctx, struct view records, bool sync);
    void *ctx;
};

/* Secure channel session of the selected security domain (GPCS 2.3.1 E.1.6, Amendment D 5.6). */
enum session_state {
    SESSION_NONE,
    SESSION_INITIATED, /* INITIALIZE UPDATE was answered */
    SESSION_OPEN,
    SESSION_ABORTED /* after a security error: every command is refused until a new session or SELECT */
};

struct session {
    enum session_state state;
    uint8_t kvn;
    const struct card_channel_ops *ops;
    struct card_channel channel;
};

/* Between INSTALL [for load] and the last LOAD. */
struct logical_channel;
struct loading {
    bool active;
    bool combined, complete;     /* of the combined process: the last LOAD was right, INSTALL ends it */
    struct logical_channel *on;  /* the logical channel whose session loads */
    struct card_aid aid, domain; /* of the load file, and the security domain that it will belong to */
    struct authority authority;
    struct writer first; /* what the token of the combined process signs of its first INSTALL */
    struct card_package package;
    uint8_t hash[DIGEST_MAX];
    size_t hash_len; /* 0: none was given */
    unsigned next_block;
    struct loadfile file;
};

/* Between INSTALL [for personalization] and the last STORE DATA; aid.len 0: the security domain itself. */
enum { STORE_PENDING_MAX = CARD_OBJECT_MAX + 16 };
struct personalising {
    struct card_aid aid;
    unsigned next_block;
    uint8_t structure; /* P1 of the blocks that brought what is pending */
    size_t pending_len;
    uint8_t pending[STORE_PENDING_MAX]; /* a structure that is not all there yet */
};

/* GET STATUS [get next occurrence(s)] goes on here. */
struct listing {
    bool active;
    uint8_t p1;
    size_t next;
};

/* ISO/IEC 7816-4 5.4: what a logical channel has of its own. The basic one is number 0 and always open. */
enum { CARD_LOGICAL_CHANNELS = 4 };
struct logical_channel {
    bool open;
    struct card_aid selected; /* len 0: the issuer security domain */
    size_t select_cursor;     /* for SELECT [next occurrence] */
    struct session session;
    struct card_oce oce; /* certificates of the host that were shown */
    struct personalising personalising;
    struct listing listing;
};

struct card {
    struct card_state state;
    struct crypto *crypto; /* borrowed */
    struct random_source random;
    struct card_store store;
    struct clock_source clock; /* now_ms NULL: the card has none, as most */
    bool t0;                   /* 61xx and 6Cxx as T=0 has them */
    bool selected_since_reset;
    bool dead; /* memory and file have parted: silent until the next start */

    struct logical_channel logical[CARD_LOGICAL_CHANNELS];
    struct logical_channel *now; /* the one that the command in hand came on; never NULL */
    struct loading loading;
    struct chain chain;      /* a command that comes in parts, on whatever logical channel */
    struct writer waiting;   /* response data that the reader has yet to fetch */
    uint16_t waiting_sw;     /* the status word behind it */
    uint8_t waiting_head[4]; /* command that may be repeated after 6Cxx */
    bool waiting_repeat;
};

/* The card takes over state (which is emptied) and borrows the rest. */
void card_init(struct card *card, struct card_state *state, struct crypto *crypto,
               struct random_source random, struct card_store store);
void card_finish(struct card *card);

/* Power on or reset: what is volatile is gone; the default application is selected. */
void card_reset(struct card *card);
/* Appends the answer to reset, at most ATR_MAX bytes (ISO/IEC 7816-3 8.2). */
void card_put_atr(const struct card *card, struct writer *out);

/* One command as the reader sends it, one response appended to out; nothing at all when the card is dead. */
void card_process(struct card *card, struct view capdu, struct writer *out);

/* ---- for the handlers of commands ---- */

/* Makes the records durable, then true. 9000; 6581 when that was not possible (nothing has happened). */
uint16_t card_commit(struct card *card, struct writer *records, bool sync) MUST_USE;

/* The time, 0 on a card without clock. */
uint64_t card_time(const struct card *card);
/* STORE DATA of what belongs to a key (Amendment F 7.8): certificates BF21, list 70, behind a template A6
 * with this value. Appends the record. 9000, 6A80, 6A88. */
struct tlv;
uint16_t card_put_of_key(struct card *card, struct view crt, const struct tlv *object,
                         struct writer *records) MUST_USE;
/* GET DATA BF21 (Amendment F 7.3): appends the certificates of the key that data names. 9000, 6A88, 6A80. */
uint16_t card_get_certificates(const struct card *card, struct view data, struct writer *value) MUST_USE;
bool card_has_quirk(const struct card *card, enum card_quirk quirk);
bool card_isd_selected(const struct card *card);
/* Is it selected on a logical channel beside the one of the command in hand? (GPCS 2.3.1 9.5: then it cannot
 * be deleted) */
bool card_selected_elsewhere(const struct card *card, struct view aid);
/* The registry has changed: no GET STATUS, on whatever logical channel, goes on where it was. */
void card_listings_end(struct card *card);
/* The application with the Card Reset privilege, if it can be selected; else the issuer security domain, of
 * which len is 0 (GPCS 2.3.1 6.6.2). */
struct card_aid card_default_application(const struct card *card);
/* Is the host authenticated, as far as the command in hand goes? With implicit initiation only a command that
 * came with a C-MAC counts: what comes without one could come from anybody (GPCS 2.3.1 E.1.6 leaves that to
 * the security domain). */
bool card_is_authenticated(const struct card *card);
/* Ends the secure channel session of the logical channel in hand and all that hangs on it. */
void card_session_end(struct card *card, enum session_state state);
void card_loading_end(struct card *card);
/* How many bytes of plain response data fit into one response to this command, what the channel adds
 * deducted. */
size_t card_response_room(const struct card *card, const struct apdu *a);

/* A handler answers a command whose class, security and life cycle were checked. It appends response data
 * (which counts only with 9000 and warnings) and returns the status word. */
typedef uint16_t card_handler(struct card *card, const struct apdu *a, struct writer *out);

/* SCP02 with implicit initiation (E.1.2.2): opens a session for a command with a C-MAC that has none, with
 * the default keys of the security domain. 9000, or 6982 when there are no such keys or they are blocked. */
uint16_t card_begin_implicit(struct card *card) MUST_USE;
/* The first C-MAC of it was judged with this status word: counts, and gives the status word that is due. */
uint16_t card_settle_implicit(struct card *card, uint16_t sw) MUST_USE;

card_handler cmd_begin_r_mac, cmd_end_r_mac;
card_handler cmd_select, cmd_get_data, cmd_initialize_update, cmd_external_authenticate, cmd_install,
    cmd_load, cmd_delete, cmd_get_status, cmd_set_status, cmd_store_data, cmd_put_key,
    cmd_perform_security_operation, cmd_mutual_authenticate, cmd_internal_authenticate;

/* DELETE [key] (GPCS 2.3.1 11.2.2.3.2), the part of DELETE that is about keys. */
uint16_t card_delete_keys(struct card *card, struct view data) MUST_USE;
/* A field and its length as for BER-TLV, except that 128 may stand in one byte as 80
 * (11.5.2.3.1, 11.8.2.3.1). */
struct view card_read_long_field(struct reader *r);

#endif
