/* SPDX-License-Identifier: Apache-2.0
 *
 * Content management commands, plain (GPCS 2.3.1 chapter 11). Data is written to the caller's writer and
 * viewed by the apdu: encode the apdu before the writer is used again. ERR_ARGUMENT on an AID that is not 5
 * to 16 bytes long, ERR_LIMIT when the data does not fit a short command. */
#ifndef GP_COMMAND_H
#define GP_COMMAND_H

#include <apdu/apdu.h>
#include <cap/cap.h>

/* GPCS 2.3.1 6.6.1: 3 bytes; the first alone is sent when the others are 0. */
struct privileges {
    uint8_t byte[3];
};

/* Instruction bytes (GPCS 2.3.1 table 11-1). */
enum {
    INS_INITIALIZE_UPDATE = 0x50,
    INS_MANAGE_CHANNEL = 0x70,
    INS_EXTERNAL_AUTHENTICATE = 0x82,
    INS_SELECT = 0xA4,
    INS_GET_RESPONSE = 0xC0,
    INS_GET_DATA = 0xCA,
    INS_PUT_KEY = 0xD8,
    INS_STORE_DATA = 0xE2,
    INS_DELETE = 0xE4,
    INS_INSTALL = 0xE6,
    INS_LOAD = 0xE8,
    INS_SET_STATUS = 0xF0,
    INS_GET_STATUS = 0xF2
};

/* Subsets of GET STATUS: P1 (11.4.2.1). */
enum {
    STATUS_ISD = 0x80,
    STATUS_APPLICATIONS = 0x40,
    STATUS_PACKAGES = 0x20,
    STATUS_PACKAGES_MODULES = 0x10
};

void command_select(struct apdu *out, struct view aid);
void command_get_data(struct apdu *out, uint16_t tag);
/* INSTALL [for load] (11.5.2.3.1). sd and hash may be empty; load_parameters is the field's value (e.g.
 * EF{...}). */
enum err command_install_for_load(struct apdu *out, struct writer *w, struct view package, struct view sd,
                                  struct view hash, struct view load_parameters) MUST_USE;
/* One LOAD block (11.6), number 0 to 255. The first begins with the C4 header: write it with
 * command_load_header. */
void command_load(struct apdu *out, struct view block, unsigned number, bool last);
void command_load_header(struct writer *w, size_t load_len);
/* How many blocks a load file needs, C4 header included; 0 when more than LOAD_BLOCKS_MAX. */
size_t command_load_blocks(size_t load_len, size_t block_size);
/* INSTALL [for install and make selectable] (11.5.2.3.2). c9: the application's own parameters, the value of
 * C9, may be empty; system: the value of EF, empty: no EF. */
enum err command_install(struct apdu *out, struct writer *w, struct view package, struct view module,
                         struct view instance, struct privileges p, struct view c9,
                         struct view system) MUST_USE;
/* DELETE (11.2). related: also what came from the package. */
enum err command_delete(struct apdu *out, struct writer *w, struct view aid, bool related) MUST_USE;
/* INSTALL [for personalization] of an application (11.5.2.3.6), then STORE DATA blocks (11.11). */
enum err command_install_for_personalization(struct apdu *out, struct writer *w,
                                             struct view application) MUST_USE;
void command_store_data(struct apdu *out, struct view block, uint8_t p1_flags, unsigned number, bool last);
/* GET STATUS in TLV form (11.4); next: get next occurrence. */
enum err command_get_status(struct apdu *out, struct writer *w, uint8_t subset, bool next) MUST_USE;
enum err command_set_status(struct apdu *out, struct writer *w, uint8_t type, uint8_t state,
                            struct view aid) MUST_USE;

/* What a status word to this instruction means, as words for people; never NULL. */
const char *command_sw_text(uint8_t ins, uint16_t sw);
/* "LOAD", "INSTALL", ...; never NULL. */
const char *command_name(uint8_t ins);

#endif
