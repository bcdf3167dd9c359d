/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what a card says of itself. Each part is read into a copy, so that a malformed one changes nothing.
 */
#include "identity_parts.h"

#include <string.h>

#include <apdu/atr.h>
#include <base/text.h>
#include <gp/command.h>
#include <tlv/tlv.h>

enum {
    TAG_IIN = 0x42,
    TAG_CIN = 0x45,
    TAG_CARD_DATA = 0x66,
    TAG_CAPABILITIES = 0x67,
    TAG_KEY_INFO = 0xE0,
    TAG_CPLC = 0x9F7F,
    TAG_FCI = 0x6F,
    TAG_FCI_AID = 0x84,
    TAG_FCI_PROPRIETARY = 0xA5,
    TAG_RECOGNITION = 0x73,
    TAG_OID = 0x06,
    TAG_COMMAND_MAX = 0x9F65,

    CPLC_SERIAL = 12, /* fabricator 2, type 2, operating system 2 + 2 + 2, date 2 */
    CPLC_SERIAL_LEN = 4,
    CPLC_BATCH = 16,
    CPLC_BATCH_LEN = 2,
    CPLC_CHIP_LEN = 4 /* fabricator and type */
};

void identity_commands(struct apdu out[IDENTITY_COMMANDS], struct view isd_aid)
{
    static const uint16_t tags[IDENTITY_COMMANDS - 1] = {TAG_CPLC, TAG_CARD_DATA, TAG_KEY_INFO,
                                                         TAG_IIN,  TAG_CIN,       TAG_CAPABILITIES};
    command_select(&out[0], isd_aid);
    for (size_t i = 0; i < IDENTITY_COMMANDS - 1; i++)
        command_get_data(&out[i + 1], tags[i]);
}

/* NXP and most others; Visa's, on older cards; of 7 bytes; Gemalto's two; test cards. */
static const struct aid known_managers[] = {
    {{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00}, 8},
    {{0xA0, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00}, 8},
    {{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00}, 7},
    {{0xA0, 0x00, 0x00, 0x00, 0x18, 0x43, 0x4D, 0x00}, 8},
    {{0xA0, 0x00, 0x00, 0x00, 0x18, 0x43, 0x4D}, 7},
    {{0xD1, 0x56, 0x00, 0x01, 0x01, 0x00, 0x01, 0x60, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00}, 16},
};
enum { KNOWN_MANAGERS = sizeof(known_managers) / sizeof(known_managers[0]) };

static bool select_otherwise(struct apdu *out, const struct apdu *question, size_t attempt)
{
    *out = *question;
    if (attempt == 0)
        return true;
    if (question->data.len > 0 || attempt > KNOWN_MANAGERS)
        return false;
    command_select(out, aid_view(&known_managers[attempt - 1]));
    return true;
}

bool identity_ask_otherwise(struct apdu *out, const struct apdu *question, size_t n, size_t attempt)
{
    enum { SELECT_QUESTION = 0, CPLC_QUESTION = 1 };
    if (n == SELECT_QUESTION)
        return select_otherwise(out, question, attempt);
    if (n != CPLC_QUESTION || attempt > 0)
        return false;
    command_get_data_iso(out, TAG_CPLC);
    return true;
}

bool identity_extended_length(const struct identity *id)
{
    struct atr atr;
    return atr_parse(view_of(id->atr, id->atr_len), &atr) == OK && atr.extended_length;
}

/* The value of the object that v consists of. Some cards put a 00 in front, and some wrap the object a second
 * time in itself. */
bool identity_unwrap(struct view v, uint32_t tag, struct view *value)
{
    struct view inner;
    if (v.len > 0 && v.data[0] == 0)
        v = view_tail(v, 1);
    if (!tlv_valid(v) || !tlv_find(v, tag, value))
        return false;
    if (tlv_valid(*value) && tlv_find(*value, tag, &inner))
        *value = inner;
    return true;
}

void identity_add_scp(struct identity *id, uint8_t scp, uint16_t i)
{
    for (size_t n = 0; n < id->scp_count; n++) {
        if (id->scps[n].scp == scp && id->scps[n].i == i)
            return;
    }
    if (id->scp_count < SCP_INFO_MAX) /* more than we could name anyway */
        id->scps[id->scp_count++] = (struct scp_info){scp, i};
}

/* {globalPlatform ...}: the arc of the specification, H.1.1, and the one that Chinese cards have instead. */
static bool take_arc(struct reader *r)
{
    static const uint8_t arcs[][6] = {{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B},
                                      {0x2A, 0x81, 0x1C, 0x86, 0xFC, 0x6B}};
    struct view arc = rd_view(r, sizeof(arcs[0]));
    return view_equal(arc, VIEW_OF(arcs[0])) || view_equal(arc, VIEW_OF(arcs[1]));
}

/* A number of two digits to base 128, as an object identifier wants it (ITU-T X.690 8.19.2). */
static uint16_t take_base128(struct reader *r)
{
    uint8_t high = rd_u8(r), low = rd_u8(r);
    return (uint16_t)((high & 0x7F) << 7 | (low & 0x7F));
}

/* The i of SCP11 has two bytes (Amendment F 5.1), the identifier of signed commands is above 127
 * (docs/signed-commands.md): these two are encoded as an object identifier wants it. */
static void take_long_scp(struct identity *id, struct view bytes)
{
    struct reader r;
    rd_init(&r, bytes);
    if (rd_peek(&r) == SCP11) {
        (void)rd_u8(&r);
        identity_add_scp(id, SCP11, take_base128(&r));
    } else if (take_base128(&r) == SCP_SIGNED) {
        identity_add_scp(id, SCP_SIGNED, rd_u8(&r));
    }
}

/* {globalPlatform 2 v} and {globalPlatform 4 scp i}, as bytes: cards do not encode an i above 127 as
 * an object identifier wants it. */
static void take_oid(struct identity *id, struct view oid)
{
    struct reader r;
    rd_init(&r, oid);
    if (!take_arc(&r))
        return;
    uint8_t kind = rd_u8(&r);
    if (kind == 2 && rd_left(&r) >= 1 && rd_left(&r) <= sizeof(id->gp_version)) {
        memset(id->gp_version, 0, sizeof(id->gp_version));
        rd_copy(&r, id->gp_version, rd_left(&r));
    } else if (kind == 4 && rd_left(&r) == 2) {
        uint8_t scp = rd_u8(&r);
        identity_add_scp(id, scp, rd_u8(&r));
    } else if (kind == 4 && rd_left(&r) == 3) {
        take_long_scp(id, rd_rest(&r));
    }
}

/* Tables H-1 and H-2: objects that hold an identifier each; the card manager's version is in 60, the
 * protocols are in 64. Some cards wrap 73 in itself. */
static enum err take_recognition(struct identity *id, struct view v)
{
    struct reader r;
    struct tlv object;
    struct view inner;
    if (tlv_find(v, TAG_RECOGNITION, &inner))
        v = inner;
    rd_init(&r, v);
    while (tlv_next(&r, &object)) {
        struct view oid;
        if ((object.tag == 0x60 || object.tag == 0x64) && tlv_find(object.value, TAG_OID, &oid))
            take_oid(id, oid);
    }
    return rd_done(&r) ? OK : ERR_FORMAT;
}

/* 9F65 of one or two bytes; anything else tells nothing. */
static void take_command_max(struct identity *id, struct view fci)
{
    const uint32_t path[] = {TAG_FCI_PROPRIETARY, TAG_COMMAND_MAX};
    struct view v;
    struct reader r;
    if (!tlv_path(fci, path, 2, &v) || v.len == 0 || v.len > 2)
        return;
    rd_init(&r, v);
    id->command_data_max = v.len == 1 ? rd_u8(&r) : rd_u16(&r);
}

enum err identity_parse_fci(struct identity *id, struct view v)
{
    struct identity made = *id;
    struct view fci, aid, recognition;
    if (!identity_unwrap(v, TAG_FCI, &fci) || !tlv_valid(fci) || !tlv_find(fci, TAG_FCI_AID, &aid))
        return ERR_FORMAT;
    if (aid_set(&made.isd, aid) != OK)
        return ERR_FORMAT;
    const uint32_t path[] = {TAG_FCI_PROPRIETARY, TAG_RECOGNITION};
    if (tlv_path(fci, path, 2, &recognition) && take_recognition(&made, recognition) != OK)
        return ERR_FORMAT;
    take_command_max(&made, fci);
    *id = made;
    return OK;
}

enum err identity_parse_cplc(struct identity *id, struct view v)
{
    struct view cplc = v; /* cards that answer the class 00 give the bare value */
    if (v.len != CPLC_LEN && (!identity_unwrap(v, TAG_CPLC, &cplc) || cplc.len != CPLC_LEN))
        return ERR_FORMAT;
    memcpy(id->cplc, cplc.data, CPLC_LEN);
    id->has_cplc = true;
    return OK;
}

enum err identity_parse_recognition(struct identity *id, struct view v)
{
    struct identity made = *id;
    struct view data, recognition;
    if (!identity_unwrap(v, TAG_CARD_DATA, &data) || !tlv_find(data, TAG_RECOGNITION, &recognition))
        return ERR_FORMAT;
    enum err e = take_recognition(&made, recognition);
    if (e == OK)
        *id = made;
    return e;
}

static enum err take_number(struct view v, uint32_t tag, uint8_t out[CARD_ID_MAX], size_t *len)
{
    struct view value;
    if (!identity_unwrap(v, tag, &value) || value.len == 0 || value.len > CARD_ID_MAX)
        return ERR_FORMAT;
    memcpy(out, value.data, value.len);
    *len = value.len;
    return OK;
}

static enum err parse_iin(struct identity *id, struct view v)
{
    return take_number(v, TAG_IIN, id->iin, &id->iin_len);
}

static enum err parse_cin(struct identity *id, struct view v)
{
    return take_number(v, TAG_CIN, id->cin, &id->cin_len);
}

enum err identity_parse(struct identity *out, struct view atr, const struct rapdu *answers, size_t count)
{
    static enum err (*const parts[IDENTITY_COMMANDS])(struct identity *, struct view) = {
        identity_parse_fci, identity_parse_cplc, identity_parse_recognition,  identity_parse_key_info,
        parse_iin,          parse_cin,           identity_parse_capabilities,
    };
    struct identity id = {0};
    if (atr.len > ATR_MAX)
        return ERR_LIMIT;
    /* 11.9.3.2: a locked card answers 6283, and may be looked at. */
    if (count == 0 || (answers[0].sw != SW_OK && answers[0].sw != SW_CARD_LOCKED_FCI))
        return ERR_NOT_FOUND;
    if (atr.len > 0)
        memcpy(id.atr, atr.data, atr.len);
    id.atr_len = atr.len;
    for (size_t i = 0; i < count && i < IDENTITY_COMMANDS; i++) {
        if (answers[i].sw != SW_OK && i > 0)
            continue;
        enum err e = parts[i](&id, answers[i].data);
        (void)e; /* a strange card is not an error: the fields stay empty */
    }
    *out = id;
    return OK;
}

/* Not all 00 and not all FF: such fields were never personalized, and would name many cards. */
static bool is_personal(struct view v)
{
    bool zeros = true, ones = true;
    for (size_t i = 0; i < v.len; i++) {
        zeros = zeros && v.data[i] == 0x00;
        ones = ones && v.data[i] == 0xFF;
    }
    return !zeros && !ones;
}

static struct view cplc_part(const struct identity *id, size_t at, size_t len)
{
    return id->has_cplc ? view_head(view_tail(VIEW_OF(id->cplc), at), len) : VIEW_NULL;
}

struct view identity_serial(const struct identity *id)
{
    return cplc_part(id, CPLC_SERIAL, CPLC_SERIAL_LEN);
}

enum err identity_card_number(const struct identity *id, char out[2 * CARD_NUMBER_MAX + 2])
{
    struct writer w;
    struct view cin = view_of(id->cin, id->cin_len), serial = identity_serial(id);
    wr_fixed(&w, (uint8_t *)out, 2 * CARD_NUMBER_MAX + 2);
    if (is_personal(cin)) {
        hex_put(&w, view_of(id->iin, id->iin_len));
        wr_u8(&w, '-');
        hex_put(&w, cin);
    } else if (is_personal(serial)) {
        hex_put(&w, cplc_part(id, 0, CPLC_CHIP_LEN));
        hex_put(&w, cplc_part(id, CPLC_BATCH, CPLC_BATCH_LEN));
        hex_put(&w, serial);
    } else {
        return ERR_NOT_FOUND;
    }
    wr_u8(&w, '\0');
    return wr_status(&w);
}
