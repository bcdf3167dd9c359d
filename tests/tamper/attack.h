/* SPDX-License-Identifier: Apache-2.0
 *
 * What attackers of all tests here have in common: a packet as the row of its commands, which can be changed
 * and put together otherwise; a card that is as new before each attack, and as good as before behind it; and
 * answers that no card gave. */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#include "bench.h"

enum { POST_OPEN = 0, POST_DELIVER = 1, ATTACK_COMMANDS_MAX = 64 };

/* A packet as the row of its commands. */
struct commands {
    struct writer bytes;
    struct {
        size_t at, len;
    } list[ATTACK_COMMANDS_MAX];
    size_t count;
};
/* out->bytes is the caller's to free. */
void commands_split(struct commands *out, struct view packet);
struct view commands_at(const struct commands *c, size_t n);
/* Replaces the packet by these commands, in this order. */
void commands_put(const struct commands *c, const size_t *order, size_t count, struct writer *packet);

/* One change of one packet, and what came of it. */
struct attack {
    unsigned post;
    size_t flip;       /* which byte of all commands */
    uint8_t mask;      /* 0: none */
    size_t drop, swap; /* SIZE_MAX: none */
    size_t twice;      /* SIZE_MAX: none */

    size_t commands;    /* of the packet */
    size_t bytes;       /* of all commands */
    size_t last_change; /* the last INSTALL */
    size_t flipped;     /* the command that was changed */
    bool is_le;         /* ...in its Le */
    bool is_part;       /* ...so that it says that more of it follows */
    size_t answered_ok; /* commands that the card answered with 9000, from the start */
    bool refused;       /* one answer was none of 9000 */
};
extern const struct attack attack_none; /* of the delivery */

/* The application that is ordered, and whether it is there. */
bool attack_has_application(struct bench *b);

struct scene {
    struct bench b;
    struct bench_setup setup;
    struct writer chip; /* the card as it was made */
    struct blob empty;  /* what the server knows of it then */
    char number[CARD_NUMBER_TEXT_MAX + 1];
};
/* The setup's texts are borrowed. */
void scene_open(struct scene *w, const struct bench_setup *setup);
void scene_close(struct scene *w);
/* The card is as it was made, and the server knows nothing bad of it. */
void scene_fresh(struct scene *w);
/* After the attack the honest delivery works on the same card. */
void scene_usable(struct scene *w, const char *row);

/* The order "install", with the attack in it. */
struct bench_result attack_run(struct bench *b, struct attack *a, bool goes_on);
/* A byte of the delivery was flipped: neither is that command accepted nor one behind it. */
void attack_expect_flip(const char *row, struct scene *w, const struct attack *a,
                        const struct bench_result *r);

/* The n-th command of the delivery left out, changed with the next one, or doubled, on a fresh card: nothing
 * behind it is accepted, and the card is usable afterwards. */
enum { ATTACK_DROP, ATTACK_SWAP, ATTACK_TWICE, ATTACK_KINDS };
void attack_order(const char *row, struct scene *w, unsigned kind, size_t n, bool goes_on);

/* How many commands of the packet, from this one on, the card accepts when somebody sends them. */
size_t packet_play(struct vcard *card, struct view packet, size_t from);

/* Keeps what the server sends, and sends the delivery once more in the same session. */
struct recorder {
    struct writer opening, packet;
    size_t accepted_again;
};
/* ctx is the recorder, which recorder_finish empties. */
struct bench_client recorder_client(struct recorder *r);
void recorder_finish(struct recorder *r);

/* Answers that the card never gave. */
struct liar {
    enum {
        SAYS_9000,    /* and nothing else */
        SAYS_DATA,    /* eight bytes and 9000: the shape of a response MAC */
        SAYS_LONG,    /* data and something like a MAC */
        SAYS_OLD,     /* what an honest delivery was answered */
        SAYS_LAST,    /* the same answer to all */
        SAYS_WARNING, /* the status words that do not stop a client */
        LIES
    } lie;
    uint8_t seed;
    struct writer old[ATTACK_COMMANDS_MAX]; /* answers of an honest delivery */
    size_t old_count;
    bool recording;
};
/* The card is powered down before it can see the delivery; recording, it is not. ctx of the client is the
 * liar, which liar_finish empties. */
struct bench_client liar_client(struct liar *l);
void liar_finish(struct liar *l);

/* Changes one byte of one true answer. */
struct flipper {
    unsigned post;
    size_t command, byte;
    uint8_t mask;
    bool done;
};
struct bench_client flipper_client(struct flipper *f);

#endif
