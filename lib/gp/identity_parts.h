/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that read identities share. */
#ifndef GP_IDENTITY_PARTS_H
#define GP_IDENTITY_PARTS_H

#include <gp/identity.h>

enum { SCP11 = 0x11, SCP_SIGNED = 0xF0 };

/* The value of the object that v consists of: with a 00 in front, or wrapped in itself, as some cards have
 * it. */
bool identity_unwrap(struct view v, uint32_t tag, struct view *value);
/* Each pair once; more than SCP_INFO_MAX are dropped. */
void identity_add_scp(struct identity *id, uint8_t scp, uint16_t i);

#endif
