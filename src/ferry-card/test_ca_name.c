/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of authorities: how they come to a key, how the key is found by them, and what is refused. */
#include "testing/conversation.h"

#define NAME  "0102030405060708090A0B0C0D0E0F1011121314"
#define OTHER "F102030405060708090A0B0C0D0E0F1011121314"

/* A card with a public key on P-256 under identifier 10 and version 01, and a channel. */
static void begin(void)
{
    static const char put_key[] = "80D800104801B041"
                                  "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
                                  "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273F0010000";
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say(put_key), SW_OK);
}

static void a_key_is_found_by_the_name(void **state)
{
    static const struct line lines[] = {
        {"80CA008318A6164214" NAME, SW_REFERENCED_DATA, NULL},
        {"80CAFF3300", SW_REFERENCED_DATA, NULL},
        {"80E290001CA61A4214" NAME "83021001", SW_OK, NULL},
        {"80CA008318A6164214" NAME, SW_OK, "83021001"},
        {"80CA008318A6164214" OTHER, SW_REFERENCED_DATA, NULL},
        {"80CAFF3300", SW_OK, "FF331A4214" NAME "83021001"},
        {"80CAFF3400", SW_REFERENCED_DATA, NULL},
        /* Another name in place of the first; a key may belong to an authority of cards, too. */
        {"80E290001CA61A4214" OTHER "83021001", SW_OK, NULL},
        {"80CAFF3300", SW_OK, "FF331A4214" OTHER "83021001"},
        {"80E290001FA61D8001014214" NAME "83021001", SW_OK, NULL},
        {"80CAFF3400", SW_OK, "FF341A4214" NAME "83021001"},
        {"80CAFF3300", SW_OK, "FF331A4214" OTHER "83021001"},
        {"80CA008318A6164214" NAME, SW_REFERENCED_DATA, NULL}, /* that is the other list */
        {"80E290001FA61D8001004214" NAME "83021001", SW_OK, NULL},
        {"80CA008318A6164214" NAME, SW_OK, "83021001"},
        /* Without the key the name leads nowhere. */
        {"80E4000006D00110D20101", SW_OK, NULL},
        {"80CA008318A6164214" NAME, SW_REFERENCED_DATA, NULL},
        {"80CAFF3300", SW_REFERENCED_DATA, NULL},
    };
    (void)state;
    begin();
    TALK(lines);
    end_card();
}

static void names_that_are_none_are_refused(void **state)
{
    static const struct line lines[] = {
        {"80E290001CA61A4214" NAME "83021002", SW_REFERENCED_DATA, NULL}, /* no such key */
        {"80E290001CA61A4214" NAME "83021101", SW_REFERENCED_DATA, NULL},
        {"80E2900008A606420083021001", SW_WRONG_DATA, NULL},               /* empty */
        {"80E290001DA61B4215" NAME "0083021001", SW_WRONG_DATA, NULL},     /* too long */
        {"80E2900018A6164214" NAME, SW_WRONG_DATA, NULL},                  /* no key */
        {"80E290001BA6194214" NAME "830110", SW_WRONG_DATA, NULL},         /* half a key */
        {"80E290001DA61B4214" NAME "8303100100", SW_WRONG_DATA, NULL},     /* more than one */
        {"80E290001EA61C4214" NAME "830210019900", SW_WRONG_DATA, NULL},   /* something behind */
        {"80E290001FA61D8001024214" NAME "83021001", SW_WRONG_DATA, NULL}, /* whose? */
        {"80E290001EA61C80004214" NAME "83021001", SW_WRONG_DATA, NULL},
        {"80E2900005A603800100", SW_WRONG_DATA, NULL},
        {"80E2900007FF330442024142", SW_WRONG_DATA, NULL}, /* not as an object */
        {"80E2900007FF340442024142", SW_WRONG_DATA, NULL},
        {"80CA008316"
         "4214" NAME,
         SW_WRONG_DATA, NULL},
        {"80CA00831AA6164214" NAME "9900", SW_WRONG_DATA, NULL},
        {"80CA00831AA6184214" NAME "9900", SW_WRONG_DATA, NULL},
        {"80CA008306A60483021001", SW_WRONG_DATA, NULL},
        {"80CA008300", SW_REFERENCED_DATA, NULL},
    };
    (void)state;
    begin();
    TALK(lines);
    end_card();
}

/* They are a security domain's own, and stay when power goes. */
static void names_stay_with_their_domain(void **state)
{
    static const struct line lines[] = {
        {"80E290001CA61A4214" NAME "83021001", SW_OK, NULL},
        {"!", SW_OK, NULL},
        {"-80CA008318A6164214" NAME "00", SW_OK, "83021001"},
    };
    (void)state;
    begin();
    TALK(lines);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("80E60C001D07A000000151535008A00000015153504105F0000000D1018002C90000"), SW_OK);
    assert_int_equal(say("-00A4040005F0000000D100"), SW_OK);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("80E290001CA61A4214" NAME "83021001"), SW_REFERENCED_DATA);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_by_the_name),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(names_stay_with_their_domain),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
