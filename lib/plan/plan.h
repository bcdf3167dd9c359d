/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a card shall hold, and what it holds, to plain commands. A sequence is text, one command a line,
 * stored with the application (predefined) or made from its CAP file (generated); it may have places that are
 * filled per card. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <gp/channel.h>
#include <gp/command.h>
#include <gp/identity.h>
#include <gp/memory.h>
#include <gp/registry.h>
#include <gp/weak.h>

/* A sequence (docs/sequences.md):
 *     # comment
 *     dap domain=<aid> signature=<hex>           DAP block in front of the load file; signature: from the CAP
 * file load parameters=<hex> hash=sha256 domain=<aid> token=<hex> INSTALL [for load], LOAD...; all words may
 * be left out install module=<aid> instance=<aid> privileges=<hex> parameters=<hex, places> system=<hex,
 * places> reference=<hex> token=<hex> [not-selectable] make-selectable instance=<aid> privileges=<hex>
 * system=<hex> personalize instance=<aid>                 INSTALL [for personalization] store data=<hex,
 * places> format=<dgi|tlv> encryption=<all|some> [answer] STORE DATA, cut into blocks delete aid=<aid>
 * [related] reference=<hex> token=<hex> extradite aid=<aid> domain=<aid> registry-update aid=<aid>
 * domain=<aid> privileges=<hex> system=<hex> create-domain instance=<aid> package=<aid> module=<aid>
 * privileges=<hex> parameters=<hex> put-key version=<hex> id=<hex> n=<hex> e=<hex>, or curve=P-256
 * point=<hex> set-status aid=<aid> state=<lock|unlock|hex> [all] apdu <hex, places> Places: ${card.serial}
 * ${card.cin} ${card.iin} ${card.kdd} ${derive:<key>:<label>:<length>} */

enum { SEQUENCE_TEXT_MAX = 64 * 1024, PLACES_MAX = 64 };

struct plan_problem {
    char text[200]; /* a sentence; with the line number of the sequence where there is one */
    bool memory;    /* the card has too little memory left */
};

/* For the generated sequence: one chosen applet. */
struct install_choice {
    struct aid module, instance; /* an empty module: the only applet; an empty instance: same as module */
    struct privileges privileges;
    struct view parameters, system; /* text: hex with places */
};
/* Writes the sequence for a CAP file: load, then one install line per choice (none chosen: per applet).
 * load_parameters: hex text. */
enum err plan_generate(const struct cap *cap, const struct install_choice *choices, size_t count,
                       struct view load_parameters, struct writer *text, struct plan_problem *why) MUST_USE;
/* Checks a sequence against its CAP file without any card: every line, AID, place and length. */
enum err plan_check(struct view sequence, const struct cap *cap, struct plan_problem *why) MUST_USE;

/* The weak choices that a sequence makes: a load file's hash by SHA-1, RSA keys of 1024 bits that it puts.
 * ERR_FORMAT as plan_check. */
enum err plan_weak(struct view sequence, weak_set *out) MUST_USE;

/* A place that only the keeper can fill: len bytes at offset of the data of plain command number command,
 * zeros until then. */
struct derive_place {
    size_t command, offset, len;
    char key[NAME_MAX_BYTES + 1], label[NAME_MAX_BYTES + 1];
};

enum plan_purpose { PLAN_INSTALL, PLAN_REMOVE, PLAN_INSPECT };

/* Commands of extended length, for load files that are too long for 256 short blocks, and for INSTALL, DELETE
 * and PUT KEY that are too long for one short command. */
enum plan_extended {
    PLAN_EXTENDED_AS_CARD_SAYS, /* its ATR, in the identity */
    PLAN_EXTENDED_YES,          /* the card type says so */
    PLAN_EXTENDED_NO
};

struct plan_input {
    enum plan_purpose purpose;
    const struct cap *cap; /* INSTALL and REMOVE */
    struct view sequence;  /* INSTALL */
    const struct identity *identity;
    struct view kdd;
    const struct registry *holds;       /* what the card is known to hold; NULL: not known */
    const struct cap_package *platform; /* packages of the card type; NULL: not known */
    size_t platform_count;
    size_t block_size; /* channel_block_size */
    enum plan_extended extended;
    /* What is too long for a card without extended length goes in parts (GPCS 2.3.1 11.1.5.1). Whole: it
     * stands in the plan with extended length, and is cut once it is wrapped. Else it is cut here. */
    bool whole_commands;
    const struct card_memory *memory; /* what the card says it has left; NULL: not known */
    struct crypto *crypto;            /* for "hash="; NULL: made for the purpose */
};

struct plan {
    struct writer bytes; /* the encoded C-APDUs, one behind the other */
    struct {
        size_t at, len;
    } apdus[SCRIPT_COMMANDS_MAX];
    size_t count;
    struct derive_place places[PLACES_MAX];
    size_t place_count;
};

/* ERR_EXISTS: nothing is to be done, the card holds it already (or, to remove: does not hold it); only with
 * holds known. ERR_NOT_FOUND: a needed package is missing on the card, *why names it; only with holds or
 * platform known. ERR_LIMIT: more than LOAD_BLOCKS_MAX blocks, or more than the card has memory for (rule 14
 * of the protection of cards: said before anything is deleted). ERR_UNSUPPORTED: the card does not tell what
 * a place wants, or holds an instance from another package. ERR_FORMAT, ERR_MEMORY. *why is filled whenever
 * the result is not OK; why may be NULL. Where holds is NULL the plan begins with GET STATUS of packages and
 * of applications, so that the answers tell what the card holds even when a later command is refused. Where
 * holds says that another version or a half-installed one is there, DELETE comes first, and only after
 * everything else was checked. On OK *out must go to plan_finish. */
enum err plan_make(struct plan *out, const struct plan_input *in, struct plan_problem *why) MUST_USE;
void plan_finish(struct plan *p);
struct view plan_apdu(const struct plan *p, size_t n);

#endif
