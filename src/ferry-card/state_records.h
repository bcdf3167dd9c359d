/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that read and write records share; for state_*.c alone. */
#ifndef FERRY_CARD_STATE_RECORDS_H
#define FERRY_CARD_STATE_RECORDS_H

#include "state.h"

enum record {
    RECORD_PROFILE = 0x01,
    RECORD_LIFE = 0x02,
    RECORD_KEYSET = 0x03,
    RECORD_COUNTERS = 0x04,
    RECORD_OBJECT = 0x05,
    RECORD_KEYSET_GONE = 0x06,
    RECORD_KEY = 0x07,
    RECORD_KEY_GONE = 0x08,
    RECORD_CONFIRMATIONS = 0x09,
    RECORD_QUIRKS = 0x0A,
    RECORD_PACKAGE = 0x10,
    RECORD_PACKAGE_GONE = 0x11,
    RECORD_PACKAGE_DOMAIN = 0x12,
    RECORD_APPLICATION = 0x20,
    RECORD_APPLICATION_GONE = 0x21,
    RECORD_APPLICATION_LIFE = 0x22,
    RECORD_BLOCK = 0x23,
    RECORD_APPLICATION_DOMAIN = 0x24
};

typedef enum err card_record_apply(struct card_state *s, struct reader *r);
card_record_apply state_apply_keyset, state_apply_keyset_gone, state_apply_counters, state_apply_key,
    state_apply_key_gone, state_apply_object, state_apply_package, state_apply_package_gone,
    state_apply_package_domain, state_apply_application, state_apply_application_gone,
    state_apply_application_life, state_apply_application_domain, state_apply_block;

/* An AID of 5 to 16 bytes; a domain may be empty, too. The reader turns bad otherwise. */
void state_read_aid(struct reader *r, struct card_aid *a);
void state_read_domain(struct reader *r, struct card_aid *a);
/* On the heap; NULL when there is no memory. */
uint8_t *state_copy(struct view v);

/* Frees, wipes, clears. */
void state_key_finish(struct card_key *k);
void state_object_finish(struct card_object *o);
void state_package_finish(struct card_package *p);
void state_application_finish(struct card_application *a);
/* Everything that a security domain owns goes. */
void state_drop_domain(struct card_state *s, struct view domain);

#endif
