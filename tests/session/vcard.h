/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtual card for tests that also see the server: the card's own headers stay out of their sight, as the
 * two sides have things of the same name on purpose. */
#ifndef TESTS_VCARD_H
#define TESTS_VCARD_H

#include <base/bytes.h>
#include <crypto/pk.h>

struct vcard;

struct vcard_options {
    const char *kind; /* "modern", "classic", "token" */
    int i;            /* -1: as the kind has it */
    uint8_t serial;   /* makes one card different from another */
    uint8_t key;      /* ENC is filled with it, MAC with the next, DEK with the one after */
    uint32_t memory;  /* 0: as the kind has it */
    /* 0: as the kind has them. */
    uint8_t scp, kvn;
    uint16_t key_bits;
    /* Beside the key set, with the other side's keys in the folder host: SCP11 of these variants ("a"), on
     * this curve; or signed commands with this i. */
    const char *host, *scp11;
    enum pk_curve curve;
    bool s16;
    uint8_t signed_i;
    bool short_only;   /* no extended length */
    const char *quirk; /* of the card (ferry-card(1)); NULL: none */
};
/* The name of the n-th quirk that there is; NULL when there are fewer. */
const char *vcard_quirk(size_t n);
enum err vcard_new(struct vcard **out, struct crypto *crypto, const struct vcard_options *o) MUST_USE;
void vcard_free(struct vcard **c);

/* The chip as it is, to be made so again: all that it remembers. What is volatile is gone. */
enum { VCARD_SAVED_MAX = 256 * 1024 };
void vcard_save(const struct vcard *c, struct writer *out);
enum err vcard_restore(struct vcard *c, struct view saved) MUST_USE;

void vcard_put_atr(const struct vcard *c, struct writer *out);
void vcard_reset(struct vcard *c);
/* Appends the answer. */
void vcard_send(struct vcard *c, struct view capdu, struct writer *rapdu);

bool vcard_has_package(struct vcard *c, struct view aid);
bool vcard_has_application(struct vcard *c, struct view aid);
/* The public key of this pair, as a SubjectPublicKeyInfo. */
enum err vcard_public_key(struct vcard *c, uint8_t kvn, uint8_t kid, struct writer *spki) MUST_USE;
/* Failed authentications in a row, as the card counts them. */
unsigned vcard_failures(struct vcard *c);
void vcard_set_failures(struct vcard *c, unsigned failures);

#endif
