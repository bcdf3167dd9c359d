/* SPDX-License-Identifier: Apache-2.0
 *
 * What status words mean, in words: GPCS 2.3.1 11.1.3 and the tables "error conditions" and "warning
 * conditions" of its commands (chapter 11, annexes D, E, F), then ISO/IEC 7816-4 tables 5 to 7. The first row
 * that fits is taken, so single words stand in front of the groups that they belong to. */
#include <apdu/apdu.h>

#include <stddef.h>

static const struct {
    uint16_t sw, mask;
    const char *text;
} words[] = {
    {0x9000, 0xFFFF, "done"},

    {0x6100, 0xFF00, "done, more response data waits"},
    {0x6200, 0xFFFF, "warning: nothing was changed, or the logical channel was closed already"},
    {0x6281, 0xFFFF, "warning: part of the data may be corrupted"},
    {0x6282, 0xFFFF, "warning: the end was reached before Le bytes"},
    {0x6283, 0xFFFF, "warning: the card is locked, or the selected file is deactivated"},
    {0x6284, 0xFFFF, "warning: the file control information is malformed"},
    {0x6285, 0xFFFF, "warning: the selected file is terminated"},
    {0x62F1, 0xFFFF, "warning: the response was cut short"},
    {0x6200, 0xFF00, "warning: nothing was changed"},
    {0x6300, 0xFFFF, "authentication of the host or verification of the certificate failed"},
    {0x6310, 0xFFFF, "done, more data available"},
    {0x6381, 0xFFFF, "warning: the file is full"},
    {0x63C0, 0xFFF0, "verification failed, the last digit counts the tries that are left"},
    {0x6300, 0xFF00, "warning: something was changed"},

    {0x6400, 0xFFFF, "no specific diagnosis, nothing was changed"},
    {0x6401, 0xFFFF, "the card needs an immediate response"},
    {0x6400, 0xFF00, "execution error, nothing was changed"},
    {0x6581, 0xFFFF, "memory failure"},
    {0x6500, 0xFF00, "execution error, something was changed"},
    {0x6600, 0xFF00, "security issue"},

    {0x6700, 0xFFFF, "wrong length"},
    {0x6881, 0xFFFF, "logical channel not supported or not active"},
    {0x6882, 0xFFFF, "secure messaging not supported"},
    {0x6883, 0xFFFF, "the last command of the chain was expected"},
    {0x6884, 0xFFFF, "command chaining not supported"},
    {0x6800, 0xFF00, "a function of the class byte is not supported"},
    {0x6981, 0xFFFF, "the command does not fit the file structure"},
    {0x6982, 0xFFFF, "security status not satisfied, or a key check value is wrong"},
    {0x6983, 0xFFFF, "authentication method blocked"},
    {0x6984, 0xFFFF, "reference data not usable"},
    {0x6985, 0xFFFF, "conditions of use not satisfied"},
    {0x6986, 0xFFFF, "command not allowed"},
    {0x6987, 0xFFFF, "expected secure messaging objects are missing"},
    {0x6988, 0xFFFF, "secure messaging objects are incorrect"},
    {0x6999, 0xFFFF, "the applet refused to be selected"},
    {0x6900, 0xFF00, "command not allowed"},
    {0x6A80, 0xFFFF, "incorrect values in the command data"},
    {0x6A81, 0xFFFF, "function not supported, or the card is locked"},
    {0x6A82, 0xFFFF, "application or file not found"},
    {0x6A83, 0xFFFF, "record not found"},
    {0x6A84, 0xFFFF, "not enough memory space"},
    {0x6A85, 0xFFFF, "Lc does not fit the TLV structure"},
    {0x6A86, 0xFFFF, "incorrect P1 P2"},
    {0x6A87, 0xFFFF, "Lc does not fit P1 P2"},
    {0x6A88, 0xFFFF, "referenced data not found"},
    {0x6A89, 0xFFFF, "the file exists already"},
    {0x6A8A, 0xFFFF, "the name exists already"},
    {0x6A00, 0xFF00, "wrong parameters P1 P2"},
    {0x6B00, 0xFFFF, "wrong parameters P1 P2"},
    {0x6C00, 0xFF00, "wrong Le, the last byte says the right one"},
    {0x6D00, 0xFFFF, "instruction not supported"},
    {0x6E00, 0xFFFF, "class not supported"},
    {0x6F00, 0xFFFF, "no precise diagnosis"},

    /* GPCS 2.3.1 11.8.3.2 (PUT KEY), deprecated there and still answered by cards. */
    {0x9484, 0xFFFF, "algorithm not supported"},
    {0x9485, 0xFFFF, "invalid key check value"},
};

const char *sw_text(uint16_t sw)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((sw & words[i].mask) == words[i].sw)
            return words[i].text;
    return "unknown status word";
}
