/* SPDX-License-Identifier: Apache-2.0
 *
 * Which method a card is opened with, by what it announces and what was named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "local_channel.h"

static const struct {
    const char *row;
    struct scp_info scps[4];
    size_t scp_count;
    uint8_t key_type; /* of version 30; 0: the card tells none */
    uint8_t kvn;
    const char *name;
    int i;
    enum err e;
    uint8_t scp;
    int chosen_i; /* -1: any, the card's answer will say */
} rows[] = {
    {"one of SCP03", {{3, 0x70}}, 1, 0x88, 0, "", -1, OK, 3, 0x70},
    {"one of SCP02", {{2, 0x55}}, 1, 0x80, 0, "", -1, OK, 2, 0x55},
    {"the newer of two", {{2, 0x55}, {3, 0x60}}, 2, 0, 0, "", -1, OK, 3, 0x60},
    {"in any order", {{3, 0x60}, {2, 0x55}}, 2, 0, 0, "", -1, OK, 3, 0x60},
    {"which the keys fit", {{2, 0x55}, {3, 0x60}}, 2, 0x80, 0x30, "", -1, OK, 2, 0x55},
    {"keys of another version do not count", {{2, 0x55}, {3, 0x60}}, 2, 0x80, 0x31, "", -1, OK, 3, 0x60},
    {"two i of SCP02 are not clear", {{2, 0x15}, {2, 0x55}}, 2, 0, 0, "", -1, ERR_CONFLICT, 0, 0},
    {"unless SCP03 is there", {{2, 0x15}, {2, 0x55}, {3, 0x00}}, 3, 0, 0, "", -1, OK, 3, 0x00},
    {"SCP03 answers which i", {{3, 0x10}, {3, 0x70}}, 2, 0, 0, "", -1, OK, 3, -1},
    {"but not how long its challenges are", {{3, 0x70}, {3, 0x71}}, 2, 0, 0, "", -1, ERR_CONFLICT, 0, 0},
    {"what is named goes first", {{2, 0x15}, {2, 0x55}}, 2, 0, 0, "SCP02", 0x15, OK, 2, 0x15},
    {"a name alone must be clear", {{2, 0x15}, {2, 0x55}}, 2, 0, 0, "SCP02", -1, ERR_CONFLICT, 0, 0},
    {"and announced", {{3, 0x70}}, 1, 0, 0, "SCP02", -1, ERR_UNSUPPORTED, 0, 0},
    {"a card that announces nothing is asked", {{0, 0}}, 0, 0, 0, "", -1, OK, 3, -1},
    {"or taken by name", {{0, 0}}, 0, 0, 0, "SCP02", 0x55, OK, 2, 0x55},
    {"SCP11 with the MACs that it announces", {{0x11, 0x13}}, 1, 0, 0, "SCP11a", -1, OK, 0x11, 0x01},
    {"or long ones", {{0x11, 0x53}}, 1, 0, 0, "SCP11a", -1, OK, 0x11, 0x81},
    {"beside another protocol", {{3, 0x70}, {0x11, 0x50}}, 2, 0, 0, "SCP11c", -1, OK, 0x11, 0x83},
    {"whose i has other bits", {{3, 0x70}, {0x11, 0x10}}, 2, 0, 0, "SCP11b", -1, OK, 0x11, 0x00},
    {"where it is not told, short ones", {{0, 0}}, 0, 0, 0, "SCP11b", -1, OK, 0x11, 0x00},
    {"unless they are named", {{0x11, 0x13}}, 1, 0, 0, "SCP11a", 0x81, OK, 0x11, 0x81},
    {"F0 answers which it is", {{0xF0, 0x04}}, 1, 0, 0, "F0", -1, OK, 0xF0, -1},
    {"an unknown protocol", {{0x10, 0x01}}, 1, 0, 0, "", -1, ERR_UNSUPPORTED, 0, 0},
    {"an unknown i", {{3, 0x0F}}, 1, 0, 0, "", -1, ERR_UNSUPPORTED, 0, 0},
};

static void the_card_says_which_method(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct identity id = {.scp_count = rows[n].scp_count};
        const struct channel_method *m = NULL;
        memcpy(id.scps, rows[n].scps, sizeof(rows[n].scps));
        if (rows[n].key_type != 0)
            id.keys[id.key_count++] =
                (struct key_info){.id = 1, .version = 0x30, .type = rows[n].key_type, .len = 16};
        const struct method_wish wish = {.id = &id, .name = rows[n].name, .i = rows[n].i, .kvn = rows[n].kvn};
        print_message("%s\n", rows[n].row);
        assert_int_equal(local_choose_method(&wish, &m), rows[n].e);
        if (rows[n].e != OK) {
            assert_null(m);
            continue;
        }
        assert_int_equal(m->scp, rows[n].scp);
        if (rows[n].chosen_i >= 0)
            assert_int_equal(m->i, rows[n].chosen_i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_card_says_which_method)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
