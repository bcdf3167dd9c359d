/* SPDX-License-Identifier: Apache-2.0
 *
 * Security domains: how they come, whom they reach, what they may, and how they go, in conversations. */
#include "testing/conversation.h"

#include "domain.h"
#include "privilege.h"

/* INSTALL [for install and make selectable] of a security domain F0000000Dn with privileges behind. */
#define DOMAIN(n)       "80E60C000007A000000151535008A00000015153504105F0000000D" n
#define SELECT(n)       "-00A4040005F0000000D" n "00"
#define PERSONALIZED(n) "80F0400F0005F0000000D" n

static const char no_parameters[] = "02C90000";

static uint16_t install_domain(char n, const char *privileges)
{
    char command[128];
    snprintf(command, sizeof command, DOMAIN("%c") "%02zX%s%s", n, strlen(privileges) / 2, privileges,
             no_parameters);
    return say(command);
}

/* Selects the card manager ("0") or a security domain and opens a session. */
static void become(char n)
{
    char command[64];
    snprintf(command, sizeof command, n == '0' ? "-00A4040000" : SELECT("%c"), n);
    assert_int_equal(say(command), SW_OK);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
}

/* A security domain that manages: installed, and PERSONALIZED by its own word. */
static void make_domain(char n, const char *privileges)
{
    char command[64];
    assert_int_equal(install_domain(n, privileges), SW_OK);
    become(n);
    snprintf(command, sizeof command, "80F0400F00F0000000D%c", n);
    assert_int_equal(say(command), SW_OK);
    become('0');
}

static void begin(void)
{
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
}

static void a_domain_is_installed(void **state)
{
    static const struct line lines[] = {
        /* a module that is none, no module, no such package */
        {"80E60C000007A000000151535008A00000015153504205F0000000D1018002C90000", SW_REFERENCED_DATA, ""},
        {"80E60C000007A00000015153500005F0000000D1018002C90000", SW_REFERENCED_DATA, ""},
        {"80E60C000007A000000151535108A00000015153504105F0000000D1018002C90000", SW_REFERENCED_DATA, ""},
        /* its code without the privilege; the privilege without its code */
        {DOMAIN("1") "010002C90000", SW_WRONG_DATA, ""},
        {"80E60C000005F00000000106F0000000010106F00000000101018002C90000", SW_WRONG_DATA, ""},
        /* the code's own AID; parameters that are no TLV; a secure channel that is none */
        {"80E60C000007A000000151535008A00000015153504107A0000001515350018002C90000", SW_CONDITIONS, ""},
        {DOMAIN("1") "018003C9015500", SW_WRONG_DATA, ""},
        {DOMAIN("1") "018006C9048102030800", SW_WRONG_DATA, ""},
        {DOMAIN("1") "018006C9048102097000", SW_WRONG_DATA, ""},
        {DOMAIN("1") "018005C90381010300", SW_WRONG_DATA, ""},
        {DOMAIN("1") "018006C9048102037000", SW_OK, "00"},
        {DOMAIN("1") "018006C9048102037000", SW_CONDITIONS, ""},
        {"80F24002004F05F0000000D1", SW_OK,
         "E3234F05F0000000D19F700107C503808000C407A0000001515350CC08A000000151000000"},
        /* the other AIDs of the code that the field uses */
        {"80E60C000007A000000003535008A00000000353504105F0000000D2018002C90000", SW_OK, "00"},
        {"80F24000004F05F0000000D2", SW_OK, "05F0000000D20780"},
    };
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    TALK(lines);
    const struct card_application *a = card_find_application(&h->card.state, vector_hex("F0000000D1"));
    assert_non_null(a);
    assert_int_equal(a->scp, 0x03);
    assert_int_equal(a->i, 0x70);
    end_card();
}

/* What 6.6.1 and 6.6.2 say of each privilege, asked of a security domain and of an application. */
static void privileges_go_together(void **state)
{
    static const struct {
        const char *privileges;
        uint16_t domain, application;
    } rows[] = {
        {"80", SW_OK, SW_WRONG_DATA},
        {"C0", SW_OK, SW_WRONG_DATA},         /* DAP verification */
        {"C1", SW_OK, SW_WRONG_DATA},         /* mandated */
        {"81", SW_WRONG_DATA, SW_WRONG_DATA}, /* mandated without DAP verification */
        {"40", SW_WRONG_DATA, SW_WRONG_DATA},
        {"A0", SW_OK, SW_WRONG_DATA}, /* delegated management */
        {"20", SW_WRONG_DATA, SW_WRONG_DATA},
        {"804000", SW_OK, SW_WRONG_DATA}, /* authorized management */
        {"004000", SW_WRONG_DATA, SW_WRONG_DATA},
        {"A04000", SW_WRONG_DATA, SW_WRONG_DATA}, /* both managements */
        {"802000", SW_OK, SW_WRONG_DATA},         /* token verification */
        {"002000", SW_WRONG_DATA, SW_WRONG_DATA},
        {"A02000", SW_WRONG_DATA, SW_WRONG_DATA},
        {"800080", SW_OK, SW_WRONG_DATA}, /* receipt generation */
        {"A00080", SW_WRONG_DATA, SW_WRONG_DATA},
        {"000080", SW_WRONG_DATA, SW_WRONG_DATA},
        {"800040", SW_OK, SW_WRONG_DATA}, /* ciphered load */
        {"000040", SW_WRONG_DATA, SW_WRONG_DATA},
        {"9E1E00", SW_OK, SW_WRONG_DATA},
        {"1E1E00", SW_WRONG_DATA, SW_OK},         /* card lock to final application */
        {"001030", SW_WRONG_DATA, SW_OK},         /* contactless */
        {"800001", SW_WRONG_DATA, SW_WRONG_DATA}, /* for future use */
        {"8000", SW_WRONG_DATA, SW_WRONG_DATA},
        {"", SW_WRONG_DATA, SW_WRONG_DATA},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        char command[128];
        begin();
        assert_int_equal(load_hello(), SW_OK);
        uint16_t sw = install_domain('1', rows[n].privileges);
        if (sw != rows[n].domain)
            fail_msg("domain with %s: %04X", rows[n].privileges, sw);
        end_card();
        begin();
        assert_int_equal(load_hello(), SW_OK);
        snprintf(command, sizeof command, "80E60C000005F00000000106F0000000010106F00000000101%02zX%s%s",
                 strlen(rows[n].privileges) / 2, rows[n].privileges, no_parameters);
        sw = say(command);
        if (sw != rows[n].application)
            fail_msg("application with %s: %04X", rows[n].privileges, sw);
        end_card();
    }
}

/* Card Reset and Final Application are of one at a time; the issuer's has them while nobody else does. */
static void some_privileges_are_of_one_alone(void **state)
{
    static const struct line lines[] = {
        {"80F28002004F00", SW_OK, "E31D4F08A0000001510000009F700101C5039EFE80CC08A000000151000000"},
        {DOMAIN("1") "03840200"
                     "02C90000",
         SW_OK, "00"},
        {"80F28002004F00", SW_OK, "E31D4F08A0000001510000009F700101C5039AFC80CC08A000000151000000"},
        {DOMAIN("2") "03800200"
                     "02C90000",
         SW_CONDITIONS, ""},
        {DOMAIN("2") "0184"
                     "02C90000",
         SW_CONDITIONS, ""},
        {DOMAIN("2") "0180"
                     "02C90000",
         SW_OK, "00"},
        /* by registry update they go back, and to another */
        {"80E6400000000005F0000000D203848000"
         "0000",
         SW_CONDITIONS, ""},
        {"80E6400000000005F0000000D103808000"
         "0000",
         SW_OK, "00"},
        {"80F28002004F00", SW_OK, "E31D4F08A0000001510000009F700101C5039EFE80CC08A000000151000000"},
        {"80E6400000000005F0000000D203848000"
         "0000",
         SW_OK, "00"},
        {"80E40000004F05F0000000D2", SW_OK, "00"},
        {"80F28002004F00", SW_OK, "E31D4F08A0000001510000009F700101C5039EFE80CC08A000000151000000"},
    };
    (void)state;
    begin();
    TALK(lines);
    end_card();
}

/* A security domain without privileges sees itself and manages nothing; with them it manages its own tree. */
static void a_domain_reaches_its_tree(void **state)
{
    static const struct line plain[] = {
        {"80F24002004F00", SW_OK,
         "E3234F05F0000000D19F70010FC503808000C407A0000001515350CC08A000000151000000"},
        {"80F28002004F00", SW_REFERENCED_DATA, ""},
        {"80F22002004F00", SW_REFERENCED_DATA, ""},
        {DOMAIN("3") "018002C90000", SW_CONDITIONS, ""},
        {"80E602000005F0000000010000000000", SW_WRONG_DATA, ""},
        {"80E602000005F00000000900000000", SW_CONDITIONS, ""},
        {"80E40000004F06F00000000101", SW_CONDITIONS, ""},
        {"80E40000004F05F0000000D1", SW_CONDITIONS, ""},
        {"80E608000D000006F0000000010101000000", SW_CONDITIONS, ""},
        {"80E610000005F0000000D10006F00000000101000000", SW_CONDITIONS, ""},
        {"80F0408000F00000000101", SW_CONDITIONS, ""},
        {"80F0800700", SW_CONDITIONS, ""},
        {"80F080FF00", SW_CONDITIONS, ""},
        {"80E620000000"
         "0006F00000000101000000",
         SW_CONDITIONS, ""},
    };
    static const struct line manager[] = {
        {DOMAIN("3") "018002C90000", SW_OK, "00"}, /* below the one that installs it */
        {"80F24002004F00", SW_OK,
         "E3234F05F0000000D29F70010FC50380C000C407A0000001515350CC08A000000151000000"
         "E3204F05F0000000D39F700107C503808000C407A0000001515350CC05F0000000D2"},
        {"80E40000004F06F00000000101", SW_CONDITIONS, ""}, /* not its own */
        {"80E40000004F05F0000000D1", SW_CONDITIONS, ""},
        {"80E40000004F05F0000000D2", SW_CONDITIONS, ""}, /* itself */
        {"80F0408000F0000000D1", SW_CONDITIONS, ""},
        {"80F0408000F0000000D3", SW_OK, ""},
        {"80E60C000005F00000000106F0000000010106F00000000102010002C90000", SW_CONDITIONS, ""}, /* its code */
        {"80E40000004F05F0000000D3", SW_OK, "00"},
    };
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    make_domain('1', "80");
    make_domain('2', "80C000");
    become('1');
    TALK(plain);
    become('2');
    TALK(manager);
    /* 9.3.5: not before it is PERSONALIZED */
    become('0');
    assert_int_equal(install_domain('4', "80C000"), SW_OK);
    become('4');
    assert_int_equal(install_domain('5', "80"), SW_CONDITIONS);
    end_card();
}

static void content_moves_between_domains(void **state)
{
    static const struct line lines[] = {
        {"80E610000005F0000000D9"
         "0006F00000000101000000",
         SW_REFERENCED_DATA, ""},
        {"80E610000005F0000000D1"
         "0006F00000000109000000",
         SW_REFERENCED_DATA, ""},
        {"80E610000006F00000000101"
         "0006F00000000101000000",
         SW_REFERENCED_DATA, ""}, /* no domain */
        {"80E610000005F0000000D4"
         "0006F00000000101000000",
         SW_CONDITIONS, ""}, /* not PERSONALIZED */
        {"80E610000005F0000000D1"
         "0008A000000151000000000000",
         SW_CONDITIONS, ""}, /* the issuer's stays */
        {"80E610000005F0000000D3"
         "0005F000000001000000",
         SW_CONDITIONS, ""}, /* a load file to a DAP verifier */
        {"80E610000005F0000000D3"
         "0006F00000000101000000",
         SW_OK, "00"}, /* an application may */
        {"80E610000005F0000000D1"
         "0006F00000000101000000",
         SW_OK, "00"},
        {"80E610000005F0000000D1"
         "0005F000000001000000",
         SW_OK, "00"},
        {"80E610000005F0000000D1"
         "0005F0000000D2000000",
         SW_OK, "00"},
        {"80E610000005F0000000D2"
         "0005F0000000D1000000",
         SW_CONDITIONS, ""}, /* a circle */
        {"80F24002004F05F000000001", SW_OK,
         "E31F4F06F000000001019F700107C503000000C405F000000001CC05F0000000D1"},
        {"80F22002004F05F000000001", SW_OK, "E3164F05F0000000019F700101CE020100CC05F0000000D1"},
        {"80E40000004F05F0000000D1", SW_CONDITIONS, ""}, /* it has associated entries */
        /* a domain of its own is out of the issuer's reach, but for the global privileges */
        {"80E610000005F0000000D1"
         "0005F0000000D1000000",
         SW_OK, "00"},
        {"80E610000008A000000151000000"
         "0005F0000000D1000000",
         SW_CONDITIONS, ""},
        {"80E60C000005F00000000106F0000000010106F00000000102010002C90000", SW_CONDITIONS, ""},
        {"80F0408000F0000000D1", SW_OK, ""},
        {"80F0400000F0000000D1", SW_OK, ""},
        {"80E40000004F06F00000000101", SW_OK, "00"},
        {"80F24002004F05F0000000D1", SW_OK,
         "E3204F05F0000000D19F70010FC503808000C407A0000001515350CC05F0000000D1"},
    };
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    make_domain('1', "80");
    make_domain('2', "80");
    make_domain('3', "C0");
    assert_int_equal(install_domain('4', "80"), SW_OK);
    TALK(lines);
    assert_true(card_state_is_whole(&h->card.state));
    end_card();
}

static void the_registry_is_updated(void **state)
{
    static const struct line lines[] = {
        {"80E640000000000500000000", SW_WRONG_DATA, ""},
        {"80E6400000000000000000", SW_WRONG_DATA, ""},                   /* no AID */
        {"80E6400000000006F000000001010003D9010100", SW_WRONG_DATA, ""}, /* a restriction */
        {"80E6400000000005F000000001000000", SW_REFERENCED_DATA, ""},    /* a load file */
        {"80E6400000000006F00000000109000000", SW_REFERENCED_DATA, ""},
        {"80E6400000000006F000000001010180"
         "0000",
         SW_WRONG_DATA, ""}, /* it becomes no security domain */
        {"80E6400000000005F0000000D10100"
         "0000",
         SW_WRONG_DATA, ""},
        {"80E6400000000005F0000000D1022000"
         "0000",
         SW_WRONG_DATA, ""},
        {"80E6400000000006F00000000101030010000000", SW_OK, "00"},
        {"80F24002005C02C5CC4F05F000000001", SW_OK, "E30FC503001000CC08A000000151000000"},
        /* both at once, or nothing */
        {"80E640000005F0000000D1"
         "0006F00000000101030004"
         "010000",
         SW_WRONG_DATA, ""},
        {"80E640000005F0000000D9"
         "0006F00000000101030004"
         "000000",
         SW_REFERENCED_DATA, ""},
        {"80E640000005F0000000D1"
         "0006F00000000101030004"
         "000000",
         SW_OK, "00"},
        {"80F24002005C02C5CC4F05F000000001", SW_OK, "E30CC503000400CC05F0000000D1"},
        {"80E640000008A000000151000000"
         "0006F00000000101000000",
         SW_OK, "00"},
        {"80F24002005C02C5CC4F05F000000001", SW_OK, "E30FC503000400CC08A000000151000000"},
    };
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    make_domain('1', "80");
    TALK(lines);
    end_card();
}

/* From each state to each, by the domain itself and by the issuer's: what is not said is refused. */
static void life_cycles_go_as_the_tables_say(void **state)
{
    static const uint8_t from[] = {0x07, 0x0F, 0x87, 0x8F};
    static const uint8_t to[] = {0x03, 0x07, 0x0F, 0x80, 0x83, 0x87, 0x8F, 0xFF};
    (void)state;
    for (size_t f = 0; f < sizeof from; f++) {
        for (size_t t = 0; t < sizeof to; t++) {
            for (int own = 0; own < 2; own++) {
                char command[64];
                begin();
                assert_int_equal(install_domain('1', "80"), SW_OK);
                struct card_application *a = card_find_application(&h->card.state, vector_hex("F0000000D1"));
                if (own)
                    become('1');
                a->life = from[f];
                bool locked = (from[f] & 0x80) != 0, lock = (to[t] & 0x80) != 0;
                uint8_t want = from[f];
                if (own && to[t] == 0x0F && from[f] == 0x07)
                    want = 0x0F;
                else if (locked != lock && !(own && locked))
                    want = lock ? from[f] | 0x80 : from[f] & 0x7F;
                snprintf(command, sizeof command, "80F040%02X00F0000000D1", to[t]);
                uint16_t sw = say(command);
                if (own && !lock && to[t] != 0x0F)
                    want = from[f];
                if (a->life != want || (sw == SW_OK) != (want != from[f]))
                    fail_msg("from %02X to %02X, %s: %04X, %02X", from[f], to[t], own ? "own" : "issuer's",
                             sw, a->life);
                end_card();
            }
        }
    }
}

static void a_tree_is_locked_at_once(void **state)
{
    static const struct line lines[] = {
        {"80E610000005F0000000D1"
         "0006F00000000101000000",
         SW_OK, "00"},
        {"80E610000005F0000000D1"
         "0005F0000000D2000000",
         SW_OK, "00"},
        {"80F0608000F00000000101", SW_REFERENCED_DATA, ""}, /* no security domain */
        {"80F0608000", SW_REFERENCED_DATA, ""},
        {"80F0408000F0000000D2", SW_OK, ""},
        {"80F0608000F0000000D1", SW_OK, ""},
        {"80F24000004F00", SW_OK, "06F00000000101870005F0000000D18F8005F0000000D28F8005F0000000D30F80"},
        {"80F0608000F0000000D1", SW_OK, ""}, /* locked stays locked */
        {"80F0600000F0000000D1", SW_OK, ""},
        {"80F24000004F00", SW_OK, "06F00000000101070005F0000000D10F8005F0000000D20F8005F0000000D30F80"},
        {"80F0608000F0000000D1", SW_OK, ""},
        {SELECT("1"), SW_FILE_NOT_FOUND, ""},
        {SELECT("2"), SW_FILE_NOT_FOUND, ""},
    };
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    make_domain('1', "80");
    make_domain('2', "80");
    make_domain('3', "80");
    TALK(lines);
    end_card();
}

/* Card Lock and Card Terminate are privileges, the first steps of a card's life the issuer's. */
static void the_cards_life_needs_privileges(void **state)
{
    static const struct line without[] = {{"80F0807F00", SW_CONDITIONS, ""},
                                          {"80F080FF00", SW_CONDITIONS, ""}};
    static const struct line first[] = {{"80F0800700", SW_CONDITIONS, ""}};
    static const struct line lock[] = {
        {"80F0807F00", SW_OK, ""}, {"80F0800F00", SW_OK, ""}, {"80F080FF00", SW_CONDITIONS, ""}};
    static const struct line terminate[] = {{"80F0807F00", SW_CONDITIONS, ""}, {"80F080FF00", SW_OK, ""}};
    (void)state;
    begin();
    make_domain('1', "80");
    make_domain('2', "90"); /* card lock */
    make_domain('3', "88"); /* card terminate */
    become('2');
    TALK(first);
    h->card.state.life = LIFE_SECURED;
    become('1');
    TALK(without);
    become('2');
    TALK(lock);
    become('3');
    TALK(terminate);
    end_card();
}

/* Every answer with FCI or data names the domain that gives it. */
static void a_domain_speaks_for_itself(void **state)
{
    (void)state;
    begin();
    make_domain('1', "80");
    assert_int_equal(say(SELECT("1")), SW_OK);
    struct view fci, aid;
    assert_true(tlv_find(host_data(h), 0x6F, &fci) && tlv_find(fci, 0x84, &aid));
    assert_true(view_equal(aid, vector_hex("F0000000D1")));
    assert_true(view_equal(card_domain_of(&h->card), vector_hex("F0000000D1")));
    assert_int_equal(card_channel_domain(&h->card).len, 0);   /* no keys of its own yet */
    assert_int_equal(say("-80CA004200"), SW_REFERENCED_DATA); /* the number is the issuer's */
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_is_installed),
        cmocka_unit_test(privileges_go_together),
        cmocka_unit_test(some_privileges_are_of_one_alone),
        cmocka_unit_test(a_domain_reaches_its_tree),
        cmocka_unit_test(content_moves_between_domains),
        cmocka_unit_test(the_registry_is_updated),
        cmocka_unit_test(life_cycles_go_as_the_tables_say),
        cmocka_unit_test(a_tree_is_locked_at_once),
        cmocka_unit_test(the_cards_life_needs_privileges),
        cmocka_unit_test(a_domain_speaks_for_itself),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
