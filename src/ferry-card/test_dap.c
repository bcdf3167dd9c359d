/* SPDX-License-Identifier: Apache-2.0
 *
 * What protects content management beside the secure channel: DAP blocks, tokens and receipts, ciphered load
 * files, on a whole card, with every byte of a signature turned once. The published values are checked by
 * tests/vectors. */
#include "testing/conversation.h"

#include "authority.h"
#include "domain.h"
#include "keypair.h"
#include "signature.h"

static const char key_hex[] = "101112131415161718191A1B1C1D1E1F";

/* Puts a single AES key into a security domain of the card, past PUT KEY. */
static void give_key(const char *domain, uint8_t kvn)
{
    struct writer w;
    uint8_t bytes[16];
    struct card_key k = {.kvn = kvn, .kid = 1, .type = CARD_KEY_AES, .data = bytes, .len = 16};
    struct view key = vector_hex(key_hex);
    memcpy(bytes, key.data, sizeof bytes);
    (void)card_aid_set(&k.domain, vector_hex(domain));
    wr_heap(&w, 256);
    card_put_key(&w, &k);
    assert_int_equal(card_commit(&h->card, &w, false), SW_OK);
    wr_free(&w);
}

static void make_domain(const char *n, const char *privileges)
{
    char command[128];
    snprintf(command, sizeof command,
             "80E60C000007A000000151535008A00000015153504105F0000000D%s%02zX%s02C90000", n,
             strlen(privileges) / 2, privileges);
    assert_int_equal(say(command), SW_OK);
    struct card_application *a = &h->card.state.applications[h->card.state.application_count - 1];
    a->life = STATE_PERSONALIZED;
}

static void become(const char *n)
{
    char command[64];
    snprintf(command, sizeof command, "-00A4040005F0000000D%s00", n);
    assert_int_equal(say(command), SW_OK);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
}

static void begin(void)
{
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
}

static void cmac(struct view in, uint8_t out[CMAC_LEN])
{
    assert_int_equal(crypto_cmac(crypto, vector_hex(key_hex), &in, 1, out), OK);
}

/* ---- DAP blocks ---- */

static void put_dap(struct writer *w, const char *domain, struct view hash, int flip)
{
    uint8_t mac[CMAC_LEN];
    size_t mark;
    cmac(hash, mac);
    if (flip >= 0)
        mac[flip] ^= 1;
    tlv_open(w, 0xE2, &mark);
    tlv_put(w, 0x4F, vector_hex(domain));
    tlv_put(w, 0xC3, VIEW_OF(mac));
    tlv_close(w, mark);
}

/* Loads the small package with DAP blocks of these domains, the first with one bit turned (-1: none). */
static uint16_t load_with(const char *const *domains, size_t count, enum digest digest, int flip)
{
    static uint8_t memory[8 * 1024];
    uint8_t hash[DIGEST_MAX];
    struct view file = read_file("odd/hello.ijc");
    struct view hashed = view_of(hash, crypto_digest_len(digest));
    struct writer w;
    assert_int_equal(crypto_digest(crypto, digest, &file, 1, hash), OK);
    wr_fixed(&w, memory, sizeof memory);
    for (size_t n = 0; n < count; n++)
        put_dap(&w, domains[n], hashed, n == 0 ? flip : -1);
    tlv_put(&w, 0xC4, file);
    assert_true(wr_ok(&w));
    uint16_t sw = install_for_load(vector_hex("F000000001"), count != 0 ? hashed : VIEW_NULL);
    return sw == SW_OK ? load_blocks(wr_view_of(&w), 100) : sw;
}

static void a_mandated_dap_must_be_there_and_right(void **state)
{
    static const char *const one[] = {"F0000000D1"}, *const two[] = {"F0000000D1", "F0000000D2"},
                             *const other[] = {"F0000000D2"}, *const nobody[] = {"F0000000D9"},
                             *const plain[] = {"F0000000D1", "F0000000D3"};
    static const struct {
        const char *name;
        const char *const *domains;
        size_t count;
        enum digest digest;
        uint16_t sw;
    } rows[] = {
        {"none", one, 0, DIGEST_SHA256, SW_SECURITY_STATUS},
        {"of another", other, 1, DIGEST_SHA256, SW_SECURITY_STATUS},
        {"of one that is not there", nobody, 1, DIGEST_SHA256, SW_SECURITY_STATUS},
        {"and one of a domain that cannot", plain, 2, DIGEST_SHA256, SW_CONDITIONS},
        {"over a weak hash", one, 1, DIGEST_SHA1, SW_WRONG_DATA},
        {"right", one, 1, DIGEST_SHA256, SW_OK},
        {"over a longer hash", one, 1, DIGEST_SHA512, SW_OK},
        {"two", two, 2, DIGEST_SHA384, SW_OK},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        begin();
        make_domain("1", "C1");
        make_domain("2", "C0");
        make_domain("3", "80");
        give_key("F0000000D1", 0x73);
        give_key("F0000000D2", 0x73);
        give_key("F0000000D3", 0x73);
        uint16_t sw = load_with(rows[n].domains, rows[n].count, rows[n].digest, -1);
        if (sw != rows[n].sw || h->card.state.package_count != (sw == SW_OK))
            fail_msg("%s: %04X", rows[n].name, sw);
        end_card();
    }
}

static void every_byte_of_a_dap_counts(void **state)
{
    static const char *const one[] = {"F0000000D1"};
    (void)state;
    begin();
    make_domain("1", "C1");
    give_key("F0000000D1", 0x73);
    for (int flip = 0; flip < CMAC_LEN; flip++)
        assert_int_equal(load_with(one, 1, DIGEST_SHA256, flip), SW_SECURITY_STATUS);
    assert_int_equal(h->card.state.package_count, 0);
    h->card.state.applications[0].life = STATE_SELECTABLE; /* not PERSONALIZED: it mandates nothing (9.3.5) */
    assert_int_equal(load_with(one, 0, DIGEST_SHA256, -1), SW_OK);
    end_card();
}

/* A domain that verifies DAPs wants one for what is loaded to it, and nobody else needs one. */
static void a_dap_is_for_the_domain_that_loads(void **state)
{
    static const char *const one[] = {"F0000000D1"};
    (void)state;
    begin();
    make_domain("1", "C0C000"); /* DAP verification, authorized management */
    become("1");
    assert_int_equal(load_with(one, 0, DIGEST_SHA256, -1), SW_SECURITY_STATUS);
    assert_int_equal(load_with(one, 1, DIGEST_SHA256, -1), SW_CONDITIONS); /* without its key */
    give_key("F0000000D1", 0x73);
    assert_int_equal(load_with(one, 1, DIGEST_SHA256, -1), SW_OK);
    assert_true(card_aid_is(&h->card.state.packages[0].domain, vector_hex("F0000000D1")));
    end_card();
}

/* ---- ciphered load files ---- */

static uint16_t load_ciphered(struct view icv, bool with_hash, uint8_t key_turn)
{
    static uint8_t memory[8 * 1024], cipher[8 * 1024];
    static const uint8_t zeros[AES_BLOCK];
    uint8_t hash[DIGEST_MAX], key[16];
    struct view file = read_file("odd/hello.ijc");
    struct writer w, padded;
    memcpy(key, vector_hex(key_hex).data, sizeof key);
    key[0] ^= key_turn;
    wr_fixed(&padded, cipher, sizeof cipher);
    card_pad(&padded, file, AES_BLOCK);
    assert_int_equal(crypto_digest(crypto, DIGEST_SHA256, &file, 1, hash), OK);
    assert_int_equal(crypto_aes_cbc_encrypt(crypto, VIEW_OF(key), icv.len != 0 ? icv.data : zeros,
                                            wr_view_of(&padded), cipher),
                     OK);
    wr_fixed(&w, memory, sizeof memory);
    if (icv.len != 0)
        tlv_put(&w, 0xD3, icv);
    tlv_put(&w, 0xD4, view_of(cipher, padded.len));
    uint16_t sw = install_for_load(vector_hex("F000000001"), with_hash ? view_of(hash, 32) : VIEW_NULL);
    return sw == SW_OK ? load_blocks(wr_view_of(&w), 100) : sw;
}

static void a_ciphered_load_file_is_opened(void **state)
{
    struct view icv = vector_hex("000102030405060708090A0B0C0D0E0F");
    (void)state;
    begin();
    assert_int_equal(load_ciphered(VIEW_NULL, true, 0), SW_CONDITIONS); /* the issuer's takes none */
    make_domain("1", "80C040");
    become("1");
    assert_int_equal(load_hello(), SW_CONDITIONS);                      /* and this one takes nothing else */
    assert_int_equal(load_ciphered(VIEW_NULL, true, 0), SW_CONDITIONS); /* without its key */
    give_key("F0000000D1", 0x75);
    assert_int_equal(load_ciphered(VIEW_NULL, false, 0), SW_WRONG_DATA); /* without a hash */
    assert_int_equal(load_ciphered(VIEW_NULL, true, 1), SW_WRONG_DATA);
    assert_int_equal(load_ciphered(icv, true, 0), SW_OK);
    assert_int_equal(h->card.state.package_count, 1);
    assert_int_equal(h->card.state.packages[0].code_len, read_file("odd/hello.ijc").len);
    assert_int_equal(say("80E40080004F05F000000001"), SW_OK);
    assert_int_equal(load_ciphered(VIEW_NULL, true, 0), SW_OK);
    end_card();
}

/* ---- tokens and receipts ---- */

/* Sends a command of header and fields (hexadecimal) with its token, made as clause C.4 says by hand. before:
 * what a combined process signs first. flip: a bit of the token (-1: none, -2: no token). */
static uint16_t send_with_token(const char *header, struct view before, const char *fields, bool delete,
                                int flip)
{
    uint8_t memory[256], head[4], mac[CMAC_LEN];
    struct writer signed_part, data;
    struct view v = vector_hex(header);
    memcpy(head, v.data, sizeof head);
    wr_heap(&signed_part, 1024);
    wr_fixed(&data, memory, sizeof memory);
    v = vector_hex(fields);
    wr_view(&signed_part, before);
    wr_u8(&signed_part, head[2]);
    wr_u8(&signed_part, head[3]);
    wr_u8(&signed_part, (uint8_t)v.len);
    wr_view(&signed_part, v);
    cmac(wr_view_of(&signed_part), mac);
    if (flip >= 0)
        mac[flip] ^= 0x80;
    wr_view(&data, v);
    if (delete &&flip != -2)
        wr_u8(&data, 0x9E);
    if (!delete || flip != -2)
        wr_view8(&data, flip == -2 ? VIEW_NULL : VIEW_OF(mac));
    uint16_t sw = host_secure(h, VIEW_OF(head), wr_view_of(&data));
    wr_free(&signed_part);
    return sw;
}

/* The answer: a confirmation with counter n, the issuer's numbers, and a receipt over it and fields. */
static void check_receipt(uint16_t n, const char *token_id, const char *fields)
{
    uint8_t mac[CMAC_LEN], receipt[CMAC_LEN];
    struct writer input;
    struct reader r;
    rd_init(&r, host_data(h));
    struct view confirmation = rd_view8(&r, 255);
    assert_true(rd_done(&r));
    rd_init(&r, confirmation);
    assert_int_equal(rd_u8(&r), CMAC_LEN);
    rd_copy(&r, receipt, sizeof receipt);
    struct view data = rd_rest(&r);
    wr_heap(&input, 512);
    wr_view(&input, data);
    wr_view(&input, vector_hex(fields));
    cmac(wr_view_of(&input), mac);
    assert_memory_equal(mac, receipt, sizeof mac);
    wr_free(&input);
    rd_init(&r, data);
    assert_int_equal(rd_u8(&r), 2);
    assert_int_equal(rd_u16(&r), n);
    struct view unique = rd_view8(&r, 255), value;
    assert_true(tlv_find(unique, 0x42, &value) && tlv_find(unique, 0x45, &value));
    struct view id = rd_view8(&r, 255);
    assert_true(token_id[0] == '\0' || view_equal(id, vector_hex(token_id)));
    assert_int_equal(rd_left(&r), 0);
}

#define INSTANCE "05F00000000106F0000000010106F00000000101010002C900"

/* 9.1.3.3: one delegated domain does all of it, each with its token; the answers are receipts. */
static void a_delegated_domain_needs_tokens(void **state)
{
    uint8_t hash[32];
    char fields[256], hex[65];
    struct view file = read_file("odd/hello.ijc");
    (void)state;
    begin();
    make_domain("1", "A0");
    make_domain("2", "80");
    become("1");
    assert_int_equal(crypto_digest(crypto, DIGEST_SHA256, &file, 1, hash), OK);
    for (size_t n = 0; n < 32; n++)
        snprintf(hex + 2 * n, 3, "%02X", hash[n]);
    snprintf(fields, sizeof fields, "05F0000000010020%s00", hex);
    /* nobody has the key; then no token, wrong ones, one for another command */
    assert_int_equal(send_with_token("80E60200", VIEW_NULL, fields, false, -1), SW_SECURITY_STATUS);
    give_key("", 0x70);
    assert_int_equal(send_with_token("80E60200", VIEW_NULL, fields, false, -2), SW_SECURITY_STATUS);
    for (int flip = 0; flip < CMAC_LEN; flip++)
        assert_int_equal(send_with_token("80E60200", VIEW_NULL, fields, false, flip), SW_SECURITY_STATUS);
    assert_int_equal(send_with_token("80E60200", vector_hex("00"), fields, false, -1), SW_SECURITY_STATUS);
    /* without a hash the token would say nothing of the file */
    assert_int_equal(send_with_token("80E60200", VIEW_NULL, "05F000000001000000", false, -1), SW_WRONG_DATA);
    assert_int_equal(send_with_token("80E60200", VIEW_NULL, fields, false, -1), SW_OK);
    give_key("", 0x71);
    assert_int_equal(load_blocks(with_c4(file), 200), SW_OK);
    check_receipt(0, "", "05F00000000105F0000000D1");

    assert_int_equal(send_with_token("80E60C00", VIEW_NULL, INSTANCE, false, -2), SW_SECURITY_STATUS);
    assert_int_equal(send_with_token("80E60C00", VIEW_NULL, INSTANCE, false, 3), SW_SECURITY_STATUS);
    assert_int_equal(send_with_token("80E60400", VIEW_NULL, INSTANCE, false, -1), SW_OK);
    check_receipt(1, "", "05F00000000106F00000000101");
    assert_int_equal(send_with_token("80E60800", VIEW_NULL, "000006F00000000101010000", false, -1), SW_OK);
    check_receipt(2, "", "05F00000000106F00000000101");
    assert_int_equal(send_with_token("80E64000", VIEW_NULL,
                                     "000006F0000000010103001000"
                                     "00",
                                     false, -1),
                     SW_OK);
    check_receipt(3, "",
                  "0006F000000001010003001000"
                  "00");
    assert_int_equal(send_with_token("80E61000", VIEW_NULL, "05F0000000D20006F000000001010000", false, -1),
                     SW_OK);
    check_receipt(4, "", "05F0000000D106F0000000010105F0000000D2");
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F06F00000000101", true, -1), SW_CONDITIONS);
    assert_int_equal(say("-00A4040000"), SW_OK);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("80E40000004F06F00000000101"), SW_OK);
    assert_int_equal(host_data(h).len, 1); /* the issuer's own needs no token and gets no receipt */
    become("1");
    /* the token is for the issuer's numbers, and its identifier comes back */
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F05F000000001B6054203123456", true, -1),
                     SW_WRONG_DATA);
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F05F000000001B603930107", true, 2),
                     SW_SECURITY_STATUS);
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F05F000000001B603930107", true, -1), SW_OK);
    check_receipt(5, "07", "05F000000001");
    assert_int_equal(h->card.state.confirmations, 6);
    end_card();
}

/* One token for the combined process; package and application come together or not at all. */
static void a_combined_process_is_one(void **state)
{
    uint8_t hash[32], first_memory[128];
    char fields[256], hex[65];
    struct view file = read_file("odd/hello.ijc");
    struct writer first;
    (void)state;
    begin();
    make_domain("1", "A0");
    give_key("", 0x70);
    give_key("", 0x71);
    become("1");
    assert_int_equal(crypto_digest(crypto, DIGEST_SHA256, &file, 1, hash), OK);
    for (size_t n = 0; n < 32; n++)
        snprintf(hex + 2 * n, 3, "%02X", hash[n]);
    snprintf(fields, sizeof fields, "80E60E010005F0000000010020%s0000", hex);
    wr_fixed(&first, first_memory, sizeof first_memory);
    wr_u16(&first, 0x0E01);
    wr_u8(&first, 5 + 1 + 1 + 1 + 32 + 1);
    wr_view(&first, view_head(view_tail(vector_hex(fields), 5), 41));
    for (int flip = 1; flip >= -1; flip--) {
        assert_int_equal(say(fields), SW_OK);
        assert_int_equal(send_with_token("80E60E03", wr_view_of(&first), INSTANCE, false, -1), SW_CONDITIONS);
        assert_int_equal(load_blocks(with_c4(read_file("odd/hello.ijc")), 200), SW_OK);
        assert_int_equal(host_data(h).len, 1);
        assert_int_equal(h->card.state.package_count, 0);
        unsigned commits = h->commits;
        uint16_t sw = send_with_token("80E60E03", wr_view_of(&first), INSTANCE, false, flip);
        assert_int_equal(sw, flip < 0 ? SW_OK : SW_SECURITY_STATUS);
        assert_int_equal(h->commits - commits, flip < 0);
    }
    check_receipt(0, "", "05F00000000106F0000000010105F0000000D1");
    assert_int_equal(h->card.state.package_count, 1);
    assert_non_null(card_find_application(&h->card.state, vector_hex("F00000000101")));
    end_card();
}

/* The counter of receipts ends, and with it what would need one (C.5). */
static void receipts_end(void **state)
{
    (void)state;
    begin();
    assert_int_equal(load_hello(), SW_OK);
    make_domain("1", "A0");
    h->card.state.packages[0].domain = h->card.state.applications[0].aid;
    give_key("", 0x70);
    give_key("", 0x71);
    h->card.state.confirmations = 32766;
    become("1");
    assert_int_equal(send_with_token("80E60C00", VIEW_NULL, INSTANCE, false, -1), SW_OK);
    check_receipt(32766, "", "05F00000000106F00000000101");
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F06F00000000101", true, -1), SW_CONDITIONS);
    assert_non_null(card_find_application(&h->card.state, vector_hex("F00000000101")));
    end_card();
}

/* Whoever may manage alone must not send a token (11.5.2.3.1). */
static void the_issuer_sends_no_token(void **state)
{
    (void)state;
    begin();
    give_key("", 0x70);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(send_with_token("80E60C00", VIEW_NULL, INSTANCE, false, -1), SW_WRONG_DATA);
    assert_int_equal(send_with_token("80E60C00", VIEW_NULL, INSTANCE, false, -2), SW_OK);
    assert_int_equal(send_with_token("80E40000", VIEW_NULL, "4F06F00000000101", true, -1), SW_WRONG_DATA);
    assert_int_equal(say("80E40000004F06F000000001019E00"), SW_OK); /* one with nothing in it is none */
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mandated_dap_must_be_there_and_right),
        cmocka_unit_test(every_byte_of_a_dap_counts),
        cmocka_unit_test(a_dap_is_for_the_domain_that_loads),
        cmocka_unit_test(a_ciphered_load_file_is_opened),
        cmocka_unit_test(a_delegated_domain_needs_tokens),
        cmocka_unit_test(a_combined_process_is_one),
        cmocka_unit_test(receipts_end),
        cmocka_unit_test(the_issuer_sends_no_token),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
