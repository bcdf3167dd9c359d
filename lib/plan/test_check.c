/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequences right and wrong, checked without a card, and generated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <plan/plan.h>
#include <support/vectors.h>

enum { PATH_LEN = 512, MANY = 2000 };

static struct cap cap_of(const char *name)
{
    char path[PATH_LEN];
    struct cap cap;
    struct cap_problem why = {""};
    snprintf(path, sizeof(path), "caps/%s.cap", name);
    enum err e = cap_read(&cap, vectors_file(path), &why);
    assert_string_equal(why.text, "");
    assert_int_equal(e, OK);
    return cap;
}

/* Against multi-jc222: package F00000000D, applets F00000000D01 to 03. */
static const struct {
    const char *name, *text;
    enum err want;
    const char *why;
} rows[] = {
    {"load alone", "load", OK, ""},
    {"all words",
     "# comment\n\n  load parameters=EF04C6020400 hash=sha256\r\n"
     "install module=F00000000D01 instance=F00000000DAA privileges=04 parameters=0102${card.serial} "
     "system=C802${card.kdd}\n\tinstall module=f00000000d02 privileges=80C020\n# more\n"
     "personalize instance=F00000000DAA\nstore data=010108${derive:pin-key:PIN:8} format=dgi\nstore "
     "data=C100 "
     "format=tlv encryption=some answer\n"
     "delete aid=F000000099 related\ndelete aid=F000000099\napdu 80CA00CF00",
     OK, ""},
    {"nothing", "", ERR_FORMAT, "The sequence has no commands."},
    {"comments alone", "# load\n   # load\n", ERR_FORMAT, "The sequence has no commands."},
    {"no command", "load\nlaod", ERR_FORMAT,
     "line 2, column 1: laod is no command; load, install, personalize, store, delete, apdu, dap, extradite, "
     "create-domain and others are (docs/sequences.md)"},
    {"strange bytes", "load\n\n \t\x01\xff-x", ERR_FORMAT,
     "line 3, column 3: ?\?-x is no command; load, install, personalize, store, delete, apdu, dap, "
     "extradite, create-domain and others are (docs/sequences.md)"},
    {"upper case", "LOAD", ERR_FORMAT,
     "line 1, column 1: LOAD is no command; load, install, personalize, store, delete, apdu, dap, extradite, "
     "create-domain and others are (docs/sequences.md)"},
    {"another's word", "load module=F00000000D01", ERR_FORMAT,
     "line 1, column 6: module does not belong to load"},
    {"unknown word", "load hashes=sha1", ERR_FORMAT, "line 1, column 6: hashes does not belong to load"},
    {"word without value", "load hash", ERR_FORMAT, "line 1, column 6: hash needs = and a value"},
    {"word with a value", "delete aid=F000000099 related=1", ERR_FORMAT,
     "line 1, column 23: related stands alone, without ="},
    {"word twice", "load hash=sha1 hash=sha1", ERR_FORMAT, "line 1, column 16: hash is there twice"},
    {"comment behind", "load # now", ERR_FORMAT, "line 1, column 6: # does not belong to load"},
    {"word missing", "install instance=F00000000D01", ERR_FORMAT, "line 1, column 1: install needs module"},
    {"bytes missing", "apdu", ERR_FORMAT, "line 1, column 1: apdu needs its bytes"},
    {"bytes in pieces", "apdu 80CA 00CF00", ERR_FORMAT,
     "line 1, column 11: apdu takes its bytes in one piece, without blanks"},
    {"load twice", "load\nload", ERR_FORMAT, "line 2, column 1: load is there twice"},
    {"unknown hash", "load hash=md5", ERR_FORMAT,
     "line 1, column 11: md5 is no hash; sha1, sha256, sha384 and sha512 are"},
    {"load parameters of another tag", "load parameters=C6020400", ERR_FORMAT,
     "line 1, column 17: load parameters are a TLV object EF, e.g. EF04C6020400"},
    {"load parameters cut", "load parameters=EF04C60204", ERR_FORMAT,
     "line 1, column 17: load parameters are a TLV object EF, e.g. EF04C6020400"},
    {"load parameters with a place", "load parameters=EF04${card.serial}", ERR_FORMAT,
     "line 1, column 17: EF04${card.serial} is not hexadecimal"},
    {"module that is not there", "install module=F00000000D04", ERR_FORMAT,
     "line 1, column 16: the CAP file has no applet F00000000D04"},
    {"AID of 4 bytes", "install module=F00000000D01 instance=F0000000", ERR_FORMAT,
     "line 1, column 38: an AID has 5 to 16 bytes"},
    {"AID of 17 bytes", "delete aid=F000000001020304050607080910111213", ERR_FORMAT,
     "line 1, column 12: at most 16 bytes are possible here"},
    {"AID with an odd digit", "delete aid=F0000000123", ERR_FORMAT,
     "line 1, column 12: F0000000123 is not hexadecimal"},
    {"no AID", "personalize instance=", ERR_FORMAT, "line 1, column 22: an AID has 5 to 16 bytes"},
    {"privileges of 2 bytes", "install module=F00000000D01 privileges=80C0", ERR_FORMAT,
     "line 1, column 40: privileges are 1 or 3 bytes"},
    {"privileges of 4 bytes", "install module=F00000000D01 privileges=80C00000", ERR_FORMAT,
     "line 1, column 40: at most 3 bytes are possible here"},
    {"half a byte", "install module=F00000000D01 parameters=010", ERR_FORMAT,
     "line 1, column 42: 0 is no byte in hexadecimal"},
    {"no digit", "install module=F00000000D01 parameters=01-5", ERR_FORMAT,
     "line 1, column 42: -5 is no byte in hexadecimal"},
    {"place in half a byte", "install module=F00000000D01 parameters=0${card.serial}", ERR_FORMAT,
     "line 1, column 40: 0$ is no byte in hexadecimal"},
    {"unknown place", "install module=F00000000D01 parameters=${card.pin}", ERR_FORMAT,
     "line 1, column 40: card.pin is no place; card.serial, card.cin, card.iin, card.kdd and derive are"},
    {"place without end", "install module=F00000000D01 parameters=${card.cin", ERR_FORMAT,
     "line 1, column 40: a place without its }"},
    {"derive without length", "install module=F00000000D01 parameters=${derive:key:label}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive without key", "install module=F00000000D01 parameters=${derive::label:16}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 0 bytes", "install module=F00000000D01 parameters=${derive:key:label:0}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 65 bytes", "install module=F00000000D01 parameters=${derive:key:label:65}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 100 bytes", "install module=F00000000D01 parameters=${derive:key:label:100}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 064 bytes", "install module=F00000000D01 parameters=${derive:key:label:064}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 08 bytes", "install module=F00000000D01 parameters=${derive:key:label:08}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 3. bytes", "install module=F00000000D01 parameters=${derive:key:label:3.}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 1: bytes", "install module=F00000000D01 parameters=${derive:key:label:1:}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive of 2^64 + 1 bytes",
     "install module=F00000000D01 parameters=${derive:key:label:18446744073709551617}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"empty load parameters", "load parameters=", OK, ""},
    {"derive of x bytes", "install module=F00000000D01 parameters=${derive:key:label:1x}", ERR_FORMAT,
     "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"derive with a long key",
     "install module=F00000000D01 parameters=${derive:"
     "12345678901234567890123456789012345678901234567890123456789012345:label:8}",
     ERR_FORMAT, "line 1, column 40: a derived place is ${derive:<key>:<label>:<1 to 64>}"},
    {"store alone", "store data=00", ERR_FORMAT, "line 1, column 1: store needs personalize before it"},
    {"store of nothing", "personalize instance=F00000000D01\nstore data=", ERR_FORMAT,
     "line 2, column 12: store without data"},
    {"store in another format", "personalize instance=F00000000D01\nstore data=00 format=xml", ERR_FORMAT,
     "line 2, column 22: format is dgi or tlv"},
    {"no APDU", "apdu 80CA00", ERR_FORMAT, "line 1, column 6: these 3 bytes are no command APDU"},
    {"APDU cut", "apdu 80E2000004010203", ERR_FORMAT, "line 1, column 6: these 8 bytes are no command APDU"},
    {"APDU of extended length", "apdu 80E200000000020102", OK, ""},
    {"derived bytes as header", "apdu ${derive:key:label:5}", ERR_FORMAT,
     "line 1, column 6: a derived place must lie in the data of the command"},
    {"derived byte as Lc", "apdu 80DA0000${derive:key:label:1}", ERR_FORMAT,
     "line 1, column 6: a derived place must lie in the data of the command"},
    {"derived byte as Le", "apdu 80DA00000101${derive:key:label:1}", ERR_FORMAT,
     "line 1, column 6: a derived place must lie in the data of the command"},
    {"SELECT", "apdu 00A4040005F000000001", ERR_FORMAT,
     "line 1, column 6: SELECT would end the secure channel"},
    {"INITIALIZE UPDATE", "apdu 8050000008000000000000000000", ERR_FORMAT,
     "line 1, column 6: INITIALIZE UPDATE would end the secure channel"},
    {"EXTERNAL AUTHENTICATE", "apdu 84820100", ERR_FORMAT,
     "line 1, column 6: EXTERNAL AUTHENTICATE would end the secure channel"},
    {"MANAGE CHANNEL", "apdu 0070000001", ERR_FORMAT,
     "line 1, column 6: MANAGE CHANNEL would leave the secure channel"},
    {"GET RESPONSE", "apdu 00C0000000", ERR_FORMAT,
     "line 1, column 6: GET RESPONSE is the client's business"},
    {"PUT KEY", "apdu 80D80081", ERR_FORMAT, "line 1, column 6: PUT KEY is the line put-key"},
    {"SET STATUS", "apdu 80F0807F", ERR_FORMAT, "line 1, column 6: SET STATUS is the line set-status"},
    {"DELETE", "apdu 80E40000", ERR_FORMAT, "line 1, column 6: DELETE is the line delete"},
    {"LOAD", "apdu 80E80000", ERR_FORMAT, "line 1, column 6: LOAD is the line load"},
};

static void test_rows(void **state)
{
    (void)state;
    struct cap cap = cap_of("multi-jc222");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plan_problem why = {.text = ""};
        print_message("row %s\n", rows[i].name);
        enum err e = plan_check(view_str(rows[i].text), &cap, &why);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(e, rows[i].want);
        assert_int_equal(plan_check(view_str(rows[i].text), &cap, NULL), e);
    }
    cap_finish(&cap);
}

/* head, then piece many times, then tail. */
static enum err check_long(const struct cap *cap, const char *head, const char *piece, size_t times,
                           const char *tail, struct plan_problem *why)
{
    struct writer text;
    wr_heap(&text, 4 * SEQUENCE_TEXT_MAX);
    wr_view(&text, view_str(head));
    for (size_t i = 0; i < times; i++)
        wr_view(&text, view_str(piece));
    wr_view(&text, view_str(tail));
    assert_true(wr_ok(&text));
    enum err e = plan_check(wr_view_of(&text), cap, why);
    wr_free(&text);
    return e;
}

static const struct {
    const char *name, *head, *piece;
    size_t times;
    const char *tail;
    enum err want;
    const char *why;
} long_rows[] = {
    {"longest text", "load\n", "#", SEQUENCE_TEXT_MAX - 5, "", OK, ""},
    {"text too long", "load\n", "#", SEQUENCE_TEXT_MAX - 4, "", ERR_LIMIT,
     "The sequence has 65537 bytes, at most 65536 are read."},
    {"most commands", "", "apdu 80CA00CF00\n", SCRIPT_COMMANDS_MAX, "", OK, ""},
    {"too many commands", "", "apdu 80CA00CF00\n", SCRIPT_COMMANDS_MAX + 1, "", ERR_LIMIT,
     "line 1025, column 6: more than 1024 commands"},
    {"most places", "", "apdu 80DA000008${derive:k:l:8}\n", PLACES_MAX, "", OK, ""},
    {"too many places", "", "apdu 80DA000008${derive:k:l:8}\n", PLACES_MAX + 1, "", ERR_LIMIT,
     "line 65, column 6: more than 64 derived places"},
    {"too many places in one value", "personalize instance=F00000000D01\nstore data=", "${derive:k:l:8}",
     PLACES_MAX + 1, "", ERR_LIMIT, "line 2, column 972: more than 64 derived places"},
    {"longest parameters", "install module=F00000000D01 parameters=", "00", 255, "", OK, ""},
    {"a command too long to sign", "apdu 80DA0000F8", "00", 248, "", ERR_LIMIT,
     "line 1, column 6: command has 248 bytes of data, at most 247 fit into a signed command"},
    {"parameters longer than any command", "install module=F00000000D01 parameters=", "00", 256, "",
     ERR_LIMIT, "line 1, column 40: 256 bytes do not fit into INSTALL"},
    {"system parameters longer than any command", "install module=F00000000D01 system=", "00", 256, "",
     ERR_LIMIT, "line 1, column 36: 256 bytes do not fit into INSTALL"},
    {"many blocks", "personalize instance=F00000000D01\nstore data=", "00", 30000, "", OK, ""},
    {"most blocks, of places of the card", "personalize instance=F00000000D01\nstore data=", "${card.cin}",
     3952, "", OK, ""},
    {"one block too many", "personalize instance=F00000000D01\nstore data=", "${card.cin}", 3953, "",
     ERR_LIMIT, "line 2, column 1: more than 256 blocks of STORE DATA"},
};

static void test_long(void **state)
{
    (void)state;
    struct cap cap = cap_of("multi-jc222");
    for (size_t i = 0; i < sizeof(long_rows) / sizeof(long_rows[0]); i++) {
        struct plan_problem why = {.text = ""};
        print_message("row %s\n", long_rows[i].name);
        enum err e = check_long(&cap, long_rows[i].head, long_rows[i].piece, long_rows[i].times,
                                long_rows[i].tail, &why);
        assert_string_equal(why.text, long_rows[i].why);
        assert_int_equal(e, long_rows[i].want);
    }
    cap_finish(&cap);
}

/* A large package is good: a card with extended length can take it. */
static void test_large_package(void **state)
{
    (void)state;
    struct cap cap = cap_of("bulk120-jc222");
    struct plan_problem why = {.text = ""};
    assert_int_equal(plan_check(view_str("load"), &cap, &why), OK);
    cap_finish(&cap);
}

/* --- Generated */

static void assert_generated(const char *name, const struct install_choice *choices, size_t count,
                             const char *load_parameters, enum err want, const char *text)
{
    struct cap cap = cap_of(name);
    struct writer w;
    struct plan_problem why = {.text = ""};
    wr_heap(&w, SEQUENCE_TEXT_MAX);
    enum err e = plan_generate(&cap, choices, count, view_str(load_parameters), &w, &why);
    assert_int_equal(e, want);
    if (want == OK) {
        wr_u8(&w, 0);
        assert_string_equal((const char *)w.data, text);
    } else {
        assert_int_equal(w.len, 0);
        assert_string_equal(why.text, text);
    }
    wr_free(&w);
    cap_finish(&cap);
}

static void test_generate(void **state)
{
    (void)state;
    assert_generated("lib-1.0-jc222", NULL, 0, "", OK, "load\n");
    assert_generated("hello-jc222", NULL, 0, "EF04C6020400", OK,
                     "load parameters=EF04C6020400\ninstall module=F00000000101 instance=F00000000101\n");
    assert_generated("multi-jc222", NULL, 0, "", OK,
                     "load\ninstall module=F00000000D01 instance=F00000000D01\n"
                     "install module=F00000000D02 instance=F00000000D02\n"
                     "install module=F00000000D03 instance=F00000000D03\n");
    static const struct install_choice chosen[] = {
        {.module = {{0xF0, 0, 0, 0, 0x0D, 2}, 6},
         .instance = {{0xF0, 0, 0, 0, 0x0D, 0xAA}, 6},
         .privileges = {{0x04, 0, 0}}},
        {.module = {{0xF0, 0, 0, 0, 0x0D, 1}, 6}, .privileges = {{0x80, 0xC0, 0}}},
    };
    assert_generated("multi-jc222", chosen, 2, "", OK,
                     "load\ninstall module=F00000000D02 instance=F00000000DAA privileges=04\n"
                     "install module=F00000000D01 instance=F00000000D01 privileges=80C000\n");
    struct install_choice late[] = {chosen[1], chosen[1]};
    late[0].privileges = (struct privileges){{0, 0x40, 0}};
    late[1].privileges = (struct privileges){{0, 0, 0x80}};
    assert_generated("multi-jc222", late, 2, "", OK,
                     "load\ninstall module=F00000000D01 instance=F00000000D01 privileges=004000\n"
                     "install module=F00000000D01 instance=F00000000D01 privileges=000080\n");
    struct install_choice filled = chosen[1];
    filled.privileges = (struct privileges){{0}};
    filled.parameters = view_str("0102${card.serial}");
    filled.system = view_str("C8020100");
    assert_generated("multi-jc222", &filled, 1, "", OK,
                     "load\ninstall module=F00000000D01 instance=F00000000D01 parameters=0102${card.serial} "
                     "system=C8020100\n");
    /* Where there is one applet only, it need not be named. */
    struct install_choice unnamed = {.parameters = view_str("00")};
    assert_generated("hello-jc222", &unnamed, 1, "", OK,
                     "load\ninstall module=F00000000101 instance=F00000000101 parameters=00\n");
    assert_generated("multi-jc222", &unnamed, 1, "", ERR_FORMAT,
                     "Which applet? The CAP file has 3: name the module.");

    /* What can't work is not generated; nor can a value bring words or lines of its own. */
    filled.parameters = view_str("01 privileges=80");
    assert_generated("multi-jc222", &filled, 1, "", ERR_FORMAT, "Parameters must not have blanks in them.");
    filled.parameters = view_str("");
    filled.system = view_str("C8020100\ndelete aid=F000000001");
    assert_generated("multi-jc222", &filled, 1, "", ERR_FORMAT, "Parameters must not have blanks in them.");
    assert_generated("multi-jc222", chosen, 2, "EF00\n", ERR_FORMAT,
                     "Parameters must not have blanks in them.");
    assert_generated("hello-jc222", chosen, 1, "", ERR_FORMAT,
                     "line 2, column 16: the CAP file has no applet F00000000D02");
}

static int free_files(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_large_package),
        cmocka_unit_test(test_generate),
    };
    return cmocka_run_group_tests(tests, NULL, free_files);
}
