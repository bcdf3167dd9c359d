/* SPDX-License-Identifier: Apache-2.0
 *
 * Content management commands, plain (GPCS 2.3.1 chapter 11). Data is written to the caller's writer and
 * viewed by the apdu: encode the apdu before the writer is used again. ERR_ARGUMENT on an AID that is not 5
 * to 16 bytes long, or a field that is missing; ERR_LIMIT when the data does not fit: a short command, where
 * the function makes no longer ones. */
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

/* Subsets of GET STATUS: P1 (11.4.2.1). The first two are also types of SET STATUS (table 11-86), and so is
 * the last: a security domain and all that is associated with it. */
enum {
    STATUS_ISD = 0x80,
    STATUS_APPLICATIONS = 0x40,
    STATUS_PACKAGES = 0x20,
    STATUS_PACKAGES_MODULES = 0x10,
    STATUS_DOMAIN_AND_ALL = 0x60
};

/* P1 of STORE DATA (table 11-89), to be combined. The last block's bit is set by the functions. */
enum {
    STORE_DGI = 0x08,
    STORE_TLV = 0x10,
    STORE_MAY_BE_ENCRYPTED = 0x20, /* which of the values are encrypted, the application knows */
    STORE_ENCRYPTED = 0x60,
    STORE_ANSWER = 0x01 /* the application answers with data: the command gets an Le */
};

void command_select(struct apdu *out, struct view aid);
void command_get_data(struct apdu *out, uint16_t tag);
/* In class 00: cards answer some tags in one class only. */
void command_get_data_iso(struct apdu *out, uint16_t tag);
/* With data, which chooses among objects (Amendment F 6.3: BF21 with a control reference). */
void command_get_data_search(struct apdu *out, uint16_t tag, struct view search);
/* MANAGE CHANNEL (11.7): the card tells the number of the new channel; channel 0 cannot be closed. */
void command_open_channel(struct apdu *out);
void command_close_channel(struct apdu *out, uint8_t channel);
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
/* The same for a whole load file: DAP blocks and header included (11.6.2.3). */
size_t command_file_blocks(size_t file_len, size_t block_size);
/* INSTALL with any purpose: P1 and P2 of tables 11-41 and 11.5.2.2. */
enum install_purpose {
    INSTALL_LOAD,
    INSTALL_INSTALL,
    INSTALL_SELECTABLE,
    INSTALL_INSTALL_SELECTABLE,
    INSTALL_EXTRADITION,
    INSTALL_PERSONALIZATION,
    INSTALL_REGISTRY_UPDATE,
    INSTALL_ALL_BEGIN, /* combined load, install and make selectable: the first and the last command */
    INSTALL_ALL_END,
    INSTALL_PURPOSE_COUNT
};
struct install {
    enum install_purpose purpose;
    struct view package;     /* load: the new one; install: where the module is */
    struct view module;      /* install; may be empty where the platform has none */
    struct view application; /* instance, or what is extradited, updated or personalized */
    struct view domain;      /* load: may be empty; extradition, registry update: the new one */
    struct view hash;        /* load file data block hash */
    bool has_privileges;     /* registry update: the others always have them */
    bool three_privileges; /* three bytes also where the first says all: a token is over the bytes as sent */
    struct privileges privileges;
    struct view parameters; /* the whole field, as command_put_parameters writes it */
    struct view token;
};
/* Fields that do not belong to the purpose must be empty: ERR_ARGUMENT. The command may be longer than a
 * short one: then it is sent with extended length, or as command_segment cuts it. */
enum err command_install_any(struct apdu *out, struct writer *w, const struct install *i) MUST_USE;
/* Install, make selectable, extradition and registry update parameters (11.5.2.3.7): C9, EF and B6, each
 * given by its value. C9 is written when has_c9 says so, also when it is empty. */
struct install_parameters {
    bool has_c9;
    struct view c9, system, control_reference;
};
void command_put_parameters(struct writer *w, const struct install_parameters *p);
/* INSTALL [for install and make selectable] (11.5.2.3.2). c9: the application's own parameters, the value of
 * C9, may be empty; system: the value of EF, empty: no EF. */
enum err command_install(struct apdu *out, struct writer *w, struct view package, struct view module,
                         struct view instance, struct privileges p, struct view c9,
                         struct view system) MUST_USE;
/* DELETE (11.2). related: also what came from the package. */
enum err command_delete(struct apdu *out, struct writer *w, struct view aid, bool related) MUST_USE;
/* The same with a control reference template (the value of B6) and a token (9E), each of which may be empty;
 * the specification wants one AID, some cards take several. */
struct delete_content {
    const struct view *aids;
    size_t count;
    bool related;
    struct view control_reference, token;
};
enum err command_delete_content(struct apdu *out, struct writer *w, const struct delete_content *d) MUST_USE;
/* DELETE [key] (11.2.2.3.2): one key, or all with this version (kid -1) or this identifier (kvn -1). */
enum err command_delete_key(struct apdu *out, struct writer *w, int kvn, int kid) MUST_USE;

/* A command that is too long, as a chain of count commands with at most size bytes each (11.1.5.1): INSTALL,
 * DELETE and PUT KEY have a bit for it in P1. Each n from 0 has all but the last without Le. The
 * specification has the whole wrapped, as if it had extended length, and cuts that; cutting the plain command
 * and wrapping the pieces gives each a MAC of its own, which some cards want (quirk.h). */
bool command_can_be_segmented(uint8_t ins);
size_t command_segments(const struct apdu *whole, size_t size);
void command_segment(struct apdu *out, const struct apdu *whole, size_t size, size_t n);
/* INSTALL [for personalization] of an application (11.5.2.3.6), then STORE DATA blocks (11.11). */
enum err command_install_for_personalization(struct apdu *out, struct writer *w,
                                             struct view application) MUST_USE;
void command_store_data(struct apdu *out, struct view block, uint8_t p1_flags, unsigned number, bool last);
/* GET STATUS in TLV form (11.4); next: get next occurrence. */
enum err command_get_status(struct apdu *out, struct writer *w, uint8_t subset, bool next) MUST_USE;
/* With all that it can ask. aid: the first bytes of the AIDs that are wanted, up to 16, empty for all; tags:
 * which objects an answer shall have (5C), may be empty. Format LV is that of cards before 2.1.1, deprecated
 * (11.4.2.2). */
enum status_format { STATUS_FORMAT_TLV, STATUS_FORMAT_LV };
struct get_status {
    uint8_t subset;
    enum status_format format;
    bool next;
    struct view aid, tags;
};
enum err command_get_status_any(struct apdu *out, struct writer *w, const struct get_status *g) MUST_USE;
/* SET STATUS (11.10): of the card (type STATUS_ISD; aid may be empty), an application or domain
 * (STATUS_APPLICATIONS), a domain and all below it (STATUS_DOMAIN_AND_ALL). */
enum err command_set_status(struct apdu *out, struct writer *w, uint8_t type, uint8_t state,
                            struct view aid) MUST_USE;

/* What a status word to this instruction means, as words for people; never NULL. */
const char *command_sw_text(uint8_t ins, uint16_t sw);
/* "LOAD", "INSTALL", ...; never NULL. */
const char *command_name(uint8_t ins);

#endif
