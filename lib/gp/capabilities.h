/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card says that it can do: card capability information, GET DATA 67 (GPCS 2.3.1 7.4.1.4, H.4). */
#ifndef GP_CAPABILITIES_H
#define GP_CAPABILITIES_H

#include <crypto/crypto.h>
#include <gp/command.h>

/* Bits of the tables, by their number from 0. */
enum { CAPABILITY_BLOCK_CIPHERS = 4, CAPABILITY_SIGNATURES = 9, CAPABILITY_SCP03_KEYS = 3 };

struct capabilities {
    bool known;
    bool has_domain, has_application, has_tokens, has_receipts, has_daps, has_block_ciphers;
    struct privileges domain, application; /* 81, 82: what a domain, an application can have */
    uint8_t hashes;                        /* 83: bit 0 SHA-1, 1 SHA-256, 2 SHA-384, 3 SHA-512 */
    uint8_t block_ciphers;                 /* 84, table H-8; bit 7: an initial value can be given */
    uint16_t tokens, receipts, daps;       /* 85, 86, 87: tables H-9 and H-10, second byte on top */
    uint8_t scp03_keys;                    /* table H-7 */
};
/* "AES-128", ...; NULL beyond the tables. */
const char *capability_block_cipher_name(unsigned bit);
const char *capability_signature_name(unsigned bit);
const char *capability_scp03_key_name(unsigned bit);
/* What is said of a load file data block's hash: true also when the card tells nothing. */
bool capability_has_hash(const struct capabilities *c, enum digest d);

#endif
