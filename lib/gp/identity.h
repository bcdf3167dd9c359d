/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card says of itself before it is authenticated: CPLC, IIN, CIN, card recognition data, key
 * information, capabilities, FCI of the issuer security domain. All of it may be lies: it chooses, it proves
 * nothing. */
#ifndef GP_IDENTITY_H
#define GP_IDENTITY_H

#include <apdu/apdu.h>
#include <cap/cap.h>
#include <gp/capabilities.h>

enum { CPLC_LEN = 42, CARD_ID_MAX = 16, KEY_INFO_MAX = 64, SCP_INFO_MAX = 16, CARD_NUMBER_MAX = 40 };

struct scp_info {
    uint8_t scp;
    uint16_t i; /* of one byte, but for SCP11 (Amendment F 5.1: two) */
};

/* A key of the key information template, in either form. */
struct key_info {
    uint8_t id, version, type; /* type: GPCS 2.3.1 table 11-16: 80 DES, 88 AES, ... */
    uint16_t len;              /* bytes; 0 in the basic form: 256 or more */
    /* All components, the first one again included: a public key has two. */
    size_t component_count;
    struct {
        uint8_t type;
        uint16_t len;
    } components[KEY_COMPONENTS_TOLD_MAX];
    bool has_usage, has_access;
    uint8_t usage, access; /* 11.1.9, 11.1.10 */
};

struct identity {
    uint8_t atr[ATR_MAX];
    size_t atr_len;
    struct aid isd; /* from the FCI: tag 84 */
    uint8_t cplc[CPLC_LEN];
    bool has_cplc;
    uint8_t iin[CARD_ID_MAX], cin[CARD_ID_MAX];
    size_t iin_len, cin_len;
    struct scp_info scps[SCP_INFO_MAX]; /* from card recognition data (H.2) and card capabilities (H.4) */
    size_t scp_count;
    struct key_info keys[KEY_INFO_MAX];
    size_t key_count;
    uint8_t gp_version[3]; /* from card recognition data; zeros when unknown */
    /* 9F65 of the FCI: the longest command data, 0 when it is not told. A hint, never more: cards that say
     * 255 take longer extended commands, and others less. */
    uint16_t command_data_max;
    struct capabilities capabilities;
};

/* The commands by which a card is identified, in order: SELECT, GET DATA 9F7F, 66, E0, 42, 45, 67. An empty
 * AID selects the default application. */
enum { IDENTITY_CPLC = 1, IDENTITY_COMMANDS = 7 };
void identity_commands(struct apdu out[IDENTITY_COMMANDS], struct view isd_aid);
/* Takes the answers to these, in order. Missing answers, error status words and malformed objects leave their
 * fields empty (a strange card is not an error); SELECT must have worked (9000, or 6283 of a locked card):
 * ERR_NOT_FOUND otherwise. ERR_LIMIT on an ATR that is too long. */
enum err identity_parse(struct identity *out, struct view atr, const struct rapdu *answers,
                        size_t count) MUST_USE;

/* What to ask when question n was refused with an error status word, at attempt 0, 1, ...: true and *out. The
 * answer counts as that to question n. SELECT: the same again, which some cards want after a cold start; and
 * without an AID, what card managers in the field are called. CPLC: cards answer it in class 80 or 00. */
bool identity_ask_otherwise(struct apdu *out, const struct apdu *question, size_t n, size_t attempt) MUST_USE;
/* Whether the card says in its ATR that it takes extended length; false also when it says nothing. */
bool identity_extended_length(const struct identity *id);

/* The single parts; ERR_FORMAT when malformed (ERR_LIMIT: too many keys), and then *id is unchanged. */
enum err identity_parse_fci(struct identity *id, struct view v) MUST_USE;
enum err identity_parse_cplc(struct identity *id, struct view v) MUST_USE;
enum err identity_parse_recognition(struct identity *id, struct view v) MUST_USE;
enum err identity_parse_key_info(struct identity *id, struct view v) MUST_USE;
enum err identity_parse_capabilities(struct identity *id, struct view v) MUST_USE;

/* The card's number, as upper-case hexadecimal text with an end: IIN and CIN joined by "-" where there is a
 * CIN, else CPLC fabricator, type, batch and serial number. It names the card in the store. A CIN or serial
 * number of nothing but 00 or FF was never personalized and does not count. ERR_NOT_FOUND when the card has
 * neither. */
enum err identity_card_number(const struct identity *id, char out[2 * CARD_NUMBER_MAX + 2]) MUST_USE;
/* The CPLC serial number (4 bytes), empty without CPLC. */
struct view identity_serial(const struct identity *id);

/* A date of CPLC: last digit of the year and day of the year, in decimal digits of half a byte each (VISA's
 * card personalization; cplc bytes 6, 10, ...). The year is the latest that is not behind today. ERR_FORMAT
 * for what is no date: 0000, a day above 366, other digits. */
struct cplc_date {
    unsigned year, month, day;
};
enum err cplc_date_read(struct view v, unsigned year_today, unsigned day_of_year_today,
                        struct cplc_date *out) MUST_USE;
unsigned cplc_day_of_year(unsigned year, unsigned month, unsigned day);

/* Bytes for the store, and back. */
enum err identity_encode(const struct identity *id, struct writer *out) MUST_USE;
enum err identity_decode(struct identity *out, struct view v) MUST_USE;

#endif
