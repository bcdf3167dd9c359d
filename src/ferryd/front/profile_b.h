/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies of profile B, taken apart without any session: for the dialogue, its tests and its fuzz target.
 */
#ifndef FRONT_PROFILE_B_H
#define FRONT_PROFILE_B_H

#include <base/bytes.h>

/* E8 L {C0 L <ATR>}: *atr borrows from body. ERR_FORMAT. */
enum err profile_b_initiation(struct view body, struct view *atr) MUST_USE;
/* AB L {23 L <R-APDU> | C0 L <ATR> | E1 L {...} | 80 L <count>}...: appends a response script without what
 * the other profile does not have. *closed: the client has ended the session (E1). ERR_FORMAT. */
enum err profile_b_responses(struct view body, struct writer *script, bool *closed) MUST_USE;

#endif
