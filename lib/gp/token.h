/* SPDX-License-Identifier: Apache-2.0
 *
 * Delegated management: tokens, by which an issuer allows one command of somebody else (GPCS 2.3.1 C.4), and
 * receipts, by which a card confirms that it executed it (C.5, 11.1.6). */
#ifndef GP_TOKEN_H
#define GP_TOKEN_H

#include <gp/command.h>
#include <gp/signature.h>

/* What is signed: P1 | P2 | length of what follows | the command's data without its token. A length above 255
 * is 00 and two bytes (C.4). The token of the fields is ignored. Appends. ERR_ARGUMENT as the command's
 * function; INSTALL for personalization has no token. */
enum err token_input_install(struct writer *w, const struct install *i) MUST_USE;
enum err token_input_delete(struct writer *w, const struct delete_content *d) MUST_USE;
/* Of the combined load, install and make selectable (C.4.7): both commands; the token stands in the second.
 */
enum err token_input_all(struct writer *w, const struct install *begin, const struct install *end) MUST_USE;

/* A token is the signature over such an input: signature_make and signature_check. */

/* ---- receipts ---- */

/* Table 11-14, as it stands in an answer to INSTALL, DELETE or the last LOAD; views borrow. */
struct receipt {
    struct view signature;    /* the receipt itself; empty: the card gave none */
    struct view confirmation; /* what it is about, first part: as it was signed */
    uint16_t counter;
    struct view domain_data;      /* 42 and 45 of the domain that made it */
    struct view token_identifier; /* may be empty */
    struct view token_digest;     /* may be empty */
};
/* The answer's data without status word. ERR_NOT_FOUND: the card gave no confirmation (00, or nothing);
 * ERR_FORMAT. */
enum err receipt_parse(struct view answer, struct receipt *out) MUST_USE;

enum receipt_kind {
    RECEIPT_LOAD,            /* package, domain */
    RECEIPT_INSTALL,         /* package, application; also of make selectable */
    RECEIPT_EXTRADITION,     /* old domain, application or package, new domain */
    RECEIPT_REGISTRY_UPDATE, /* old domain, application, new domain, privileges, parameters */
    RECEIPT_DELETE,          /* application (or package) */
    RECEIPT_ALL,             /* package, application, domain */
    RECEIPT_KIND_COUNT
};
/* What should have been done; only the fields of the kind. */
struct receipt_about {
    enum receipt_kind kind;
    struct view package, application, domain, old_domain;
    struct view privileges, parameters;
};
/* Appends what the card signed (tables C-11 to C-16). */
enum err receipt_input(struct writer *w, const struct receipt *r, const struct receipt_about *about) MUST_USE;
/* ERR_AUTH: it is not the receipt for this by the holder of this key; ERR_NOT_FOUND: it is not signed.
 * Whether the counter is new is for the caller to say: it must be above the last one of that domain. */
enum err receipt_verify(struct crypto *c, const struct signature_key *key, const struct receipt *r,
                        const struct receipt_about *about) MUST_USE;

#endif
