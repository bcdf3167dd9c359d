/* SPDX-License-Identifier: Apache-2.0
 *
 * What a host has shown of its certificates on one logical channel (Amendment F 7.5), until a session is
 * opened with it or anything else comes between. */
#ifndef FERRY_CARD_CMD_SCP11_H
#define FERRY_CARD_CMD_SCP11_H

#include <crypto/pk.h>

/* Data objects beside those of GET DATA: the name of the card's group (SCP11c), the list of certificates that
 * an authority's key lets in. */
enum { CARD_TAG_GROUP = 0x5F20, CARD_TAG_LIST = 0x0070, CARD_TAG_CERTIFICATES = 0xBF21 };
/* In front of objects that belong to a key. */
enum { CARD_TAG_KEY_REFERENCE = 0xA6 };

struct card_oce {
    struct pk *key;            /* of the last certificate that was verified, or the root's; NULL: none */
    bool complete;             /* it was the host's own certificate */
    uint8_t kvn, kid;          /* the root's, as the command named it */
    unsigned count;            /* certificates so far */
    struct writer certificate; /* the last one */
};
/* Accepts a zeroed one. */
void card_oce_end(struct card_oce *oce);

#endif
