/* SPDX-License-Identifier: Apache-2.0
 *
 * What the answers to one packet show: counted and collected, before anything is decided (deliver.c). */
#ifndef SESSION_JUDGE_H
#define SESSION_JUDGE_H

#include <session/session.h>

enum { SUBSET_PACKAGES = 1, SUBSET_APPLICATIONS = 2, SUBSET_DOMAIN = 4 };
/* Of P1 of GET STATUS. */
unsigned session_subset_bit(uint8_t p1);

/* What one packet's answers show. */
struct verdict {
    size_t changing;      /* commands that change the card, in the packet */
    size_t changing_done; /* ...that were answered well */
    bool refused;         /* a command that changes something, or that nothing can replace, was refused */
    bool stopped;         /* an answer stopped the client; else missing answers were lost */
    bool nothing_listed;  /* the client stopped at a GET STATUS that says that there is nothing */
    bool last_unanswered_changes; /* the first command without an answer changes the card */
    struct registry registry;     /* by GET STATUS since the last change */
    unsigned subsets;             /* of them: bit per subset that was answered */
    bool listed_proven;           /* every answer that listed something */
    bool all_proven;              /* ...and those that there is nothing, which no error status word can be */
    unsigned cut;                 /* subsets whose listing goes on behind the last answer */
    bool no_packages;             /* the client stopped at the listing of packages: there are none */
    bool number_differs;
    unsigned number_answers; /* proven and equal */
};

/* Goes through s->plain and its answers. Notes in *s what was done to the card, and the first command that it
 * refused. v->registry is the caller's to finish, also after an error: ERR_MEMORY. */
enum err session_judge(struct session *s, const struct vault_settlement *in, struct verdict *v) MUST_USE;

#endif
