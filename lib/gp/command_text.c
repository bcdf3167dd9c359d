/* SPDX-License-Identifier: Apache-2.0
 *
 * What commands and their status words are called. */
#include <gp/command.h>

#include <stddef.h>

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
    {0x2A, "PERFORM SECURITY OPERATION"}, /* of SCP11; MUTUAL AUTHENTICATE has 82, as EXTERNAL AUTHENTICATE */
    {0x88, "INTERNAL AUTHENTICATE"},
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
