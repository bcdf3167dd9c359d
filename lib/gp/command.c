/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the plain commands of content management, and says what they and their status words are called. */
#include <gp/command.h>

#include <stddef.h>
#include <tlv/tlv.h>

enum {
    CLA_ISO = 0x00,
    CLA_GP = 0x80,
    ALL = 256, /* Le 00 */
    DATA_MAX = 255,
    P1_LAST = 0x80,
    TAG_AID = 0x4F,
    TAG_LOAD_FILE = 0xC4,
    TAG_APPLICATION_PARAMETERS = 0xC9,
    TAG_SYSTEM_PARAMETERS = 0xEF
};

static struct apdu gp(uint8_t ins, uint8_t p1, uint8_t p2, uint32_t ne)
{
    return (struct apdu){.cla = CLA_GP, .ins = ins, .p1 = p1, .p2 = p2, .ne = ne};
}

/* The command with what was written behind before as its data. */
static enum err with_data(struct apdu *out, struct apdu a, struct writer *w, size_t before)
{
    enum err e = wr_status(w);
    if (e != OK)
        return e;
    a.data = view_tail(wr_view_of(w), before);
    if (a.data.len > DATA_MAX) /* GPCS 2.3.1 11.1.5: short lengths only */
        return ERR_LIMIT;
    *out = a;
    return OK;
}

static bool is_aid(struct view v)
{
    return v.len >= AID_MIN && v.len <= AID_MAX;
}

static void put_length_and_value(struct writer *w, struct view v)
{
    tlv_put_length(w, v.len);
    wr_view(w, v);
}

void command_select(struct apdu *out, struct view aid)
{
    *out = (struct apdu){.cla = CLA_ISO, .ins = INS_SELECT, .p1 = 0x04, .data = aid, .ne = ALL};
}

void command_get_data(struct apdu *out, uint16_t tag)
{
    *out = gp(INS_GET_DATA, (uint8_t)(tag >> 8), (uint8_t)tag, ALL);
}

/* Table 11-42: AID | security domain | hash | parameters | token, each with its length. */
enum err command_install_for_load(struct apdu *out, struct writer *w, struct view package, struct view sd,
                                  struct view hash, struct view load_parameters)
{
    size_t before = w->len;
    if (!is_aid(package) || (sd.len > 0 && !is_aid(sd)) || hash.len > DIGEST_MAX)
        return ERR_ARGUMENT;
    wr_view8(w, package);
    wr_view8(w, sd);
    wr_view8(w, hash);
    put_length_and_value(w, load_parameters);
    put_length_and_value(w, VIEW_NULL);
    return with_data(out, gp(INS_INSTALL, 0x02, 0x00, ALL), w, before);
}

void command_load(struct apdu *out, struct view block, unsigned number, bool last)
{
    *out = gp(INS_LOAD, last ? P1_LAST : 0x00, (uint8_t)number, ALL);
    out->data = block;
}

void command_load_header(struct writer *w, size_t load_len)
{
    tlv_put_tag(w, TAG_LOAD_FILE);
    tlv_put_length(w, load_len);
}

size_t command_load_blocks(size_t load_len, size_t block_size)
{
    if (block_size == 0 || load_len > LOAD_FILE_MAX)
        return 0;
    size_t len = tlv_header_len(TAG_LOAD_FILE, load_len) + load_len;
    size_t blocks = (len + block_size - 1) / block_size;
    return blocks <= LOAD_BLOCKS_MAX ? blocks : 0;
}

/* 6.6.1: one byte when the others are empty, as cards before 2.2 know nothing else. */
static void put_privileges(struct writer *w, struct privileges p)
{
    bool one = p.byte[1] == 0 && p.byte[2] == 0;
    wr_view8(w, view_of(p.byte, one ? 1 : sizeof(p.byte)));
}

/* Table 11-43, and 11.5.2.3.7: C9 is mandatory, EF is not. */
enum err command_install(struct apdu *out, struct writer *w, struct view package, struct view module,
                         struct view instance, struct privileges p, struct view c9, struct view system)
{
    size_t before = w->len;
    if (!is_aid(package) || !is_aid(module) || !is_aid(instance))
        return ERR_ARGUMENT;
    size_t parameters = tlv_header_len(TAG_APPLICATION_PARAMETERS, c9.len) + c9.len;
    if (system.len > 0)
        parameters += tlv_header_len(TAG_SYSTEM_PARAMETERS, system.len) + system.len;
    wr_view8(w, package);
    wr_view8(w, module);
    wr_view8(w, instance);
    put_privileges(w, p);
    tlv_put_length(w, parameters);
    tlv_put(w, TAG_APPLICATION_PARAMETERS, c9);
    if (system.len > 0)
        tlv_put(w, TAG_SYSTEM_PARAMETERS, system);
    put_length_and_value(w, VIEW_NULL);
    return with_data(out, gp(INS_INSTALL, 0x0C, 0x00, ALL), w, before);
}

enum err command_delete(struct apdu *out, struct writer *w, struct view aid, bool related)
{
    size_t before = w->len;
    if (!is_aid(aid))
        return ERR_ARGUMENT;
    tlv_put(w, TAG_AID, aid);
    return with_data(out, gp(INS_DELETE, 0x00, related ? 0x80 : 0x00, ALL), w, before);
}

/* Table 11-47: two empty fields | AID | three empty fields. */
enum err command_install_for_personalization(struct apdu *out, struct writer *w, struct view application)
{
    size_t before = w->len;
    if (!is_aid(application))
        return ERR_ARGUMENT;
    wr_u16(w, 0);
    wr_view8(w, application);
    wr_u24(w, 0);
    return with_data(out, gp(INS_INSTALL, 0x20, 0x00, ALL), w, before);
}

/* Table 11-89: bit 1 says that the application answers with data. */
void command_store_data(struct apdu *out, struct view block, uint8_t p1_flags, unsigned number, bool last)
{
    uint8_t p1 = (uint8_t)((p1_flags & ~P1_LAST) | (last ? P1_LAST : 0));
    *out = gp(INS_STORE_DATA, p1, (uint8_t)number, (p1 & 0x01) != 0 ? ALL : 0);
    out->data = block;
}

enum err command_get_status(struct apdu *out, struct writer *w, uint8_t subset, bool next)
{
    size_t before = w->len;
    tlv_put(w, TAG_AID, VIEW_NULL); /* all of them */
    return with_data(out, gp(INS_GET_STATUS, subset, next ? 0x03 : 0x02, ALL), w, before);
}

enum err command_set_status(struct apdu *out, struct writer *w, uint8_t type, uint8_t state, struct view aid)
{
    size_t before = w->len;
    bool card = type == STATUS_ISD; /* 11.10.2.3: the data is ignored */
    if (!is_aid(aid) && !(card && aid.len == 0))
        return ERR_ARGUMENT;
    wr_view(w, aid);
    return with_data(out, gp(INS_SET_STATUS, type, state, 0), w, before);
}

static const struct {
    uint8_t ins;
    const char *name;
} names[] = {
    {INS_INITIALIZE_UPDATE, "INITIALIZE UPDATE"},
    {INS_MANAGE_CHANNEL, "MANAGE CHANNEL"},
    {INS_EXTERNAL_AUTHENTICATE, "EXTERNAL AUTHENTICATE"},
    {INS_SELECT, "SELECT"},
    {INS_GET_RESPONSE, "GET RESPONSE"},
    {INS_GET_DATA, "GET DATA"},
    {INS_PUT_KEY, "PUT KEY"},
    {INS_STORE_DATA, "STORE DATA"},
    {INS_DELETE, "DELETE"},
    {INS_INSTALL, "INSTALL"},
    {INS_LOAD, "LOAD"},
    {INS_SET_STATUS, "SET STATUS"},
    {INS_GET_STATUS, "GET STATUS"},
};

const char *command_name(uint8_t ins)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].ins == ins)
            return names[i].name;
    }
    return "command";
}

/* Where a status word says more than in general: the tables of error conditions in GPCS 2.3.1 chapter 11 and
 * appendix E, and what the same words mean on cards where the tables are silent. */
static const struct {
    uint8_t ins;
    uint16_t sw;
    const char *text;
} meanings[] = {
    {INS_INITIALIZE_UPDATE, 0x6982, "the key set is blocked, or the channel may not be opened now"},
    {INS_INITIALIZE_UPDATE, 0x6983, "the key set is blocked"},
    {INS_INITIALIZE_UPDATE, 0x6985, "the sequence counter of the key set has come to its end"},
    {INS_INITIALIZE_UPDATE, 0x6A88, "the card has no such key version, or a key of it is missing"},

    {INS_EXTERNAL_AUTHENTICATE, 0x6300, "the card did not accept the host's cryptogram"},
    {INS_EXTERNAL_AUTHENTICATE, 0x6982, "the command's MAC is wrong"},
    {INS_EXTERNAL_AUTHENTICATE, 0x6985, "no INITIALIZE UPDATE came before"},
    {INS_EXTERNAL_AUTHENTICATE, 0x6A86, "the card does not support this security level"},

    {INS_SELECT, 0x6283, "selected, the card is locked"},
    {INS_SELECT, 0x6882, "secure messaging not supported"},
    {INS_SELECT, 0x6999, "the application refused to be selected"},
    {INS_SELECT, 0x6A81, "function not supported, or the card is locked"},
    {INS_SELECT, 0x6A82, "no such application on the card"},

    {INS_GET_DATA, 0x6A88, "the card does not have this data"},

    {INS_PUT_KEY, 0x6982, "a key check value does not match, or the channel is not secure enough"},
    {INS_PUT_KEY, 0x6A80, "a wrong key, or a key type that the card does not support"},
    {INS_PUT_KEY, 0x6A84, "not enough memory space for the keys"},
    {INS_PUT_KEY, 0x6A88, "the key that should be replaced is not there"},

    {INS_STORE_DATA, 0x6985, "the application is not in a state in which it takes data"},
    {INS_STORE_DATA, 0x6A80, "the application does not accept the data"},
    {INS_STORE_DATA, 0x6A84, "not enough memory space for the data"},
    {INS_STORE_DATA, 0x6A86, "the block number is wrong, or the application answers with data unasked"},
    {INS_STORE_DATA, 0x6A88, "the data refers to something that is not there"},

    {INS_DELETE, 0x6581, "memory failure, nothing can be said of what was deleted"},
    {INS_DELETE, 0x6985, "it is still referenced by others, or it may not be deleted"},
    {INS_DELETE, 0x6A80, "the card does not understand what should be deleted"},
    {INS_DELETE, 0x6A82, "no such application on the card"},
    {INS_DELETE, 0x6A88, "no such application or package on the card"},

    {INS_INSTALL, 0x6581, "memory failure"},
    {INS_INSTALL, 0x6982, "the security domain may not install, or a token is missing or wrong"},
    {INS_INSTALL, 0x6985, "not possible: the AID exists already, or the applet refused its parameters"},
    {INS_INSTALL, 0x6A80, "incorrect parameters, or an AID that exists already"},
    {INS_INSTALL, 0x6A82, "the application is not on the card"},
    {INS_INSTALL, 0x6A84, "not enough memory space"},
    {INS_INSTALL, 0x6A88, "the package, the module or the security domain is not on the card"},

    {INS_LOAD, 0x6438, "a package that the load file imports is missing on the card"},
    {INS_LOAD, 0x6581, "memory failure"},
    {INS_LOAD, 0x6982, "the load file's signature is missing or wrong"},
    {INS_LOAD, 0x6985, "no INSTALL [for load] came before, or the card refuses the load file"},
    {INS_LOAD, 0x6A80, "the card does not accept the load file: its format, an import, or its hash"},
    {INS_LOAD, 0x6A84, "not enough memory space"},
    {INS_LOAD, 0x6A86, "the block number is wrong"},
    {INS_LOAD, 0x6A88, "a package that the load file imports is missing on the card"},

    {INS_SET_STATUS, 0x6985, "the state cannot be reached from the present one"},
    {INS_SET_STATUS, 0x6A80, "no such state"},
    {INS_SET_STATUS, 0x6A88, "no such application on the card"},

    {INS_GET_STATUS, 0x6310, "done, more entries wait"},
    {INS_GET_STATUS, 0x6A80, "the card does not support this search"},
    {INS_GET_STATUS, 0x6A88, "no entry of this kind on the card"},
};

const char *command_sw_text(uint8_t ins, uint16_t sw)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].ins == ins && meanings[i].sw == sw)
            return meanings[i].text;
    }
    return sw_text(sw);
}
