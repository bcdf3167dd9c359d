/* SPDX-License-Identifier: Apache-2.0
 *
 * How cards in the field differ from their specification, and that the host does what it should: for each a
 * function that drives the host's code with what such a card answers. */
#include "run.h"

#include <string.h>

#include <cap/component.h>
#include <gp/certificate.h>
#include <gp/channel.h>
#include <gp/channel/scp11.h>
#include <gp/command.h>
#include <gp/dap.h>
#include <gp/identity.h>
#include <gp/memory.h>
#include <gp/put_key.h>
#include <gp/registry.h>
#include <gp/store_data.h>
#include <plan/plan.h>
#include <tlv/tlv.h>

#include "relayed.h"

enum { BYTES_MAX = 1024, COMMAND_MAX = 300, TRANSCRIPT_MAX = 8 };

typedef bool quirk(struct run *r);

static bool yes(struct run *r, const char *what, bool is)
{
    return same_number(r, what, is, true);
}

/* ---- who the card is */

static enum err identity_of(const char *fci, uint16_t select_sw, uint16_t others, struct identity *id)
{
    struct rapdu answers[IDENTITY_COMMANDS];
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++)
        answers[n] = (struct rapdu){.sw = others};
    answers[0] = (struct rapdu){vector_hex(fci), select_sw};
    return identity_parse(id, VIEW_NULL, answers, IDENTITY_COMMANDS);
}

/* Selected by an empty AID; what the FCI says is the AID, of 7, 8 or 16 bytes. */
static bool isd_aid(struct run *r)
{
    static const struct {
        const char *fci;
        size_t len;
    } rows[] = {{"6F108408A000000151000000A5049F6501FF", 8},
                {"6F108408A000000003000000A5049F6501FF", 8},
                {"6F0F8407A0000001510000A5049F6501FF", 7},
                {"6F188410D1560001010001600000000100000000A5049F6501FF", 16}};
    struct apdu a[IDENTITY_COMMANDS];
    struct identity id;
    identity_commands(a, VIEW_NULL);
    bool good = same_number(r, "empty AID", a[0].data.len, 0) && same_number(r, "SELECT by name", a[0].p1, 4);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]) && good; n++)
        good = worked(r, "FCI", identity_of(rows[n].fci, SW_OK, SW_REFERENCED_DATA, &id)) &&
               same_number(r, "AID", id.isd.len, rows[n].len);
    return good;
}

static bool select_6283(struct run *r)
{
    struct identity id;
    return worked(r, "locked card",
                  identity_of("6F108408A000000151000000A5049F6501FF", 0x6283, SW_OK, &id)) &&
           yes(r, "a warning", sw_is_ok_or_warning(0x6283));
}

/* Told as an error, never taken for a card without objects; asked once more, then by the known AIDs. */
static bool select_refused(struct run *r)
{
    struct identity id;
    struct apdu a[IDENTITY_COMMANDS], other = {0};
    static const uint8_t aid[] = {0xA0, 0, 0, 1, 0x51, 0, 0, 0};
    identity_commands(a, VIEW_NULL);
    return same_number(r, "6D00", identity_of("", 0x6D00, SW_OK, &id), ERR_NOT_FOUND) &&
           yes(r, "again", identity_ask_otherwise(&other, &a[0], 0, 0)) &&
           same(r, "the same", other.data, VIEW_NULL) &&
           yes(r, "known", identity_ask_otherwise(&other, &a[0], 0, 1)) &&
           same(r, "AID", other.data, VIEW_OF(aid));
}

/* 6E00 is said as it is: nothing is concluded of the card's keys. */
static bool class_refused(struct run *r)
{
    return yes(r, "INITIALIZE UPDATE",
               strstr(command_sw_text(INS_INITIALIZE_UPDATE, 0x6E00), "class") != NULL) &&
           yes(r, "INSTALL", strstr(command_sw_text(INS_INSTALL, 0x6E00), "class") != NULL);
}

static bool fci_minimal(struct run *r)
{
    struct identity id = {.atr_len = 0};
    return worked(
               r, "FCI",
               identity_parse_fci(&id, vector_hex("6F178408A000000151000000A50B730906072A864886FC6B01"))) &&
           same_number(r, "9F65", id.command_data_max, 0);
}

/* Never a reason for blocks of more than 247, and never larger than what was asked for. */
static bool fci_9f65(struct run *r)
{
    static const char *const fcis[] = {"6F108408A000000151000000A5049F6501FF",
                                       "6F118408A000000151000000A5059F65020100"};
    static const uint8_t load[600];
    bool good = true;
    for (size_t n = 0; n < 2 && good; n++) {
        static struct plan plan;
        struct identity id = {.atr_len = 0};
        struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}}};
        struct registry nothing = {.count = 0};
        struct apdu a;
        wr_heap(&cap.load, sizeof(load));
        wr_view(&cap.load, VIEW_OF(load));
        const struct plan_input in = {.purpose = PLAN_INSTALL,
                                      .cap = &cap,
                                      .sequence = view_str("load"),
                                      .identity = &id,
                                      .holds = &nothing,
                                      .block_size = 100};
        good = worked(r, "FCI", identity_parse_fci(&id, vector_hex(fcis[n]))) &&
               worked(r, "plan", plan_make(&plan, &in, NULL)) &&
               worked(r, "LOAD", apdu_parse(plan_apdu(&plan, 1), &a)) &&
               same_number(r, "block", a.data.len, 100);
        plan_finish(&plan);
        cap_finish(&cap);
    }
    return good;
}

static bool duplicated_tag(struct run *r)
{
    struct identity id = {.atr_len = 0};
    return worked(
               r, "66",
               identity_parse_recognition(
                   &id, vector_hex("0066336631732F06072A811C86FC6B01600C060A2A811C86FC6B02020101630906072A81"
                                   "1C86FC6B03640B06092A811C86FC6B040215"))) &&
           same_number(r, "protocols", id.scp_count, 1) &&
           worked(r, "E0", identity_parse_key_info(&id, vector_hex("00E006C00401208010"))) &&
           same_number(r, "keys", id.key_count, 1);
}

static bool cplc_class(struct run *r)
{
    struct apdu a[IDENTITY_COMMANDS], other = {0};
    struct identity id;
    identity_commands(a, VIEW_NULL);
    return same_number(r, "first", a[1].cla, 0x80) &&
           yes(r, "again", identity_ask_otherwise(&other, &a[1], 1, 0)) &&
           same_number(r, "then", other.cla, 0x00) &&
           worked(r, "any error", identity_of("6F108408A000000151000000A5049F6501FF", SW_OK, 0x6E00, &id)) &&
           yes(r, "no CPLC", !id.has_cplc);
}

static bool class_80_first(struct run *r)
{
    struct apdu a;
    command_get_data(&a, 0x00C1);
    return same_number(r, "class", a.cla, 0x80);
}

static bool raw_oid(struct run *r)
{
    struct identity id = {.atr_len = 0};
    return worked(r, "66",
                  identity_parse_recognition(&id, vector_hex("660F730D640B06092A864886FC6B048000"))) &&
           same_number(r, "SCP80", id.scps[0].scp, 0x80) && same_number(r, "i", id.scps[0].i, 0);
}

static bool scp11_oid(struct run *r)
{
    struct identity id = {.atr_len = 0};
    return worked(r, "66",
                  identity_parse_recognition(&id, vector_hex("6610730E640C060A2A864886FC6B04119B06"))) &&
           same_number(r, "i", id.scps[0].i, 0x0D86);
}

static bool gp_version(struct run *r)
{
    struct identity id = {.atr_len = 0};
    const uint8_t want[] = {2, 3, 0};
    return worked(r, "66",
                  identity_parse_recognition(&id, vector_hex("660F730D600B06092A864886FC6B020203"))) &&
           same(r, "version", VIEW_OF(id.gp_version), VIEW_OF(want));
}

/* SELECT stands in front of the questions, so that it is the card manager who answers. */
static bool card_data_of_the_domain(struct run *r)
{
    struct apdu a[IDENTITY_COMMANDS];
    identity_commands(a, VIEW_NULL);
    bool good = same_number(r, "SELECT first", a[0].ins, INS_SELECT);
    for (size_t n = 1; n < IDENTITY_COMMANDS && good; n++)
        good = same_number(r, "then GET DATA", a[n].ins, INS_GET_DATA);
    return good;
}

static bool not_fatal(struct run *r)
{
    struct identity id;
    return worked(r, "6985", identity_of("6F108408A000000151000000A5049F6501FF", SW_OK, 0x6985, &id)) &&
           yes(r, "nothing", !id.has_cplc && id.scp_count == 0);
}

/* ---- keys */

static struct put_key one_key(const struct new_key *k, uint8_t replaced, uint8_t kvn)
{
    return (struct put_key){.replaced = replaced, .kvn = kvn, .kid = 1, .keys = k, .count = 1};
}

static enum err put_key(struct run *r, uint8_t type, const char *value, enum key_type dek_type,
                        uint8_t replaced, uint8_t kvn, struct writer *w, struct apdu *out)
{
    struct new_key k;
    struct card_keys dek = {.type = dek_type};
    struct key_encryption encryption = secret_key_encryption(&dek);
    enum err e = secret_set(&dek.dek, vector_hex("404142434445464748494A4B4C4D4E4F"));
    if (e == OK)
        e = new_key_symmetric(&k, r->crypto, type, vector_hex(value));
    const struct put_key p = one_key(&k, replaced, kvn);
    return e == OK ? command_put_key(out, w, r->crypto, &p, &encryption) : e;
}

#define KEY_16 "101112131415161718191A1B1C1D1E1F"

static bool put_key_case(struct run *r, uint8_t type, const char *value, enum key_type dek, uint8_t replaced,
                         uint8_t kvn, enum err want, const char *head)
{
    uint8_t memory[COMMAND_MAX];
    struct writer w;
    struct apdu a;
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = put_key(r, type, value, dek, replaced, kvn, &w, &a);
    if (!same_number(r, "outcome", e, want) || e != OK)
        return e == want;
    struct view h = vector_hex(head);
    return same(r, "data", view_head(a.data, h.len), h) && same_number(r, "P1", a.p1, replaced);
}

/* FF is replaced, and never put; INITIALIZE UPDATE may be answered with it. */
static bool kvn_ff(struct run *r)
{
    struct init_update iu;
    return put_key_case(r, KEY_TYPE_DES, KEY_16, KEY_DES3, 0xFF, 0x01, OK, "018010") &&
           put_key_case(r, KEY_TYPE_DES, KEY_16, KEY_DES3, 0x00, 0xFF, ERR_ARGUMENT, "") &&
           worked(r, "answer",
                  init_update_parse(vector_hex("00000000000000000000FF020000112233445566778899AABBCCDDEE"),
                                    &iu)) &&
           same_number(r, "version", iu.kvn, 0xFF);
}

static bool kvn_20(struct run *r)
{
    struct identity id = {.atr_len = 0};
    return worked(r, "E0", identity_parse_key_info(&id, vector_hex("E006C00401208010"))) &&
           same_number(r, "version", id.keys[0].version, 0x20) &&
           put_key_case(r, KEY_TYPE_AES, KEY_16, KEY_AES, 0x20, 0x30, OK, "30881110");
}

static bool unknown_kvn(struct run *r)
{
    return yes(r, "6A88", strcmp(command_sw_text(INS_INITIALIZE_UPDATE, 0x6A88), sw_text(0x6A88)) != 0) &&
           yes(r, "6985", strcmp(command_sw_text(INS_INITIALIZE_UPDATE, 0x6985), sw_text(0x6985)) != 0);
}

/* What the answer to INITIALIZE UPDATE says decides, whatever the template lists. */
static bool aes_and_des_listed(struct run *r)
{
    struct identity id = {.atr_len = 0};
    struct init_update iu;
    return worked(r, "E0", identity_parse_key_info(&id, vector_hex("E00CC00401FF8010C00401FF8820"))) &&
           same_number(r, "both", id.key_count, 2) &&
           worked(r, "answer",
                  init_update_parse(vector_hex("00000000000000000000FF0370112233445566778899AABBCCDDEEFF00"
                                               "000001"),
                                    &iu)) &&
           same_number(r, "protocol", iu.scp, 0x03) &&
           same_number(r, "keys", channel_method(iu.scp, 0x70)->key_type, KEY_AES);
}

static bool type_81(struct run *r)
{
    return put_key_case(r, KEY_TYPE_DES_ECB, KEY_16, KEY_DES3, 1, 1, OK, "018110") &&
           put_key_case(r, KEY_TYPE_DES, KEY_16, KEY_DES3, 1, 1, OK, "018010");
}

static bool aes_in_scp02(struct run *r)
{
    return put_key_case(r, KEY_TYPE_AES, KEY_16, KEY_DES3, 0, 0x30, OK, "30881110");
}

static bool check_by_type(struct run *r)
{
    struct new_key des, aes;
    return worked(r, "DES", new_key_symmetric(&des, r->crypto, KEY_TYPE_DES, vector_hex(KEY_16))) &&
           worked(r, "AES", new_key_symmetric(&aes, r->crypto, KEY_TYPE_AES, vector_hex(KEY_16))) &&
           same(r, "AES", VIEW_OF(aes.check), vector_hex("013808")) &&
           same(r, "DES", VIEW_OF(des.check), vector_hex("FE8A09"));
}

static bool aes_192(struct run *r)
{
    return put_key_case(r, KEY_TYPE_AES, KEY_16 "2021222324252627", KEY_AES, 0, 0x30, OK, "30882118");
}

/* 70: RSA for tokens, 73: for DAP; as sequences have them. */
static bool usual_versions(struct run *r)
{
    static struct plan plan;
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}}};
    struct apdu a;
    struct registry nothing = {.count = 0};
    const struct plan_input in = {.purpose = PLAN_INSTALL,
                                  .cap = &cap,
                                  .sequence = view_str("put-key version=70 id=01 n=C1C2 e=03\n"
                                                       "put-key version=73 id=01 n=C1C2 e=03"),
                                  .holds = &nothing,
                                  .block_size = 247};
    bool good = worked(r, "plan", plan_make(&plan, &in, NULL)) &&
                worked(r, "PUT KEY", apdu_parse(plan_apdu(&plan, 1), &a)) &&
                same(r, "data", a.data, vector_hex("73A102C1C2A0010300"));
    plan_finish(&plan);
    return good;
}

/* ---- channels */

static bool has_method(struct run *r, uint8_t scp, uint8_t i)
{
    return yes(r, "method", channel_method(scp, i) != NULL);
}

/* No i of 55 without its checks being optional: a channel opens with any challenge (vectors scp02 show it).
 */
static bool same_data_i15_i55(struct run *r)
{
    return has_method(r, 0x02, 0x15) && has_method(r, 0x02, 0x55) &&
           same_number(r, "levels", channel_method(0x02, 0x15)->levels[0],
                       channel_method(0x02, 0x55)->levels[0]);
}

/* Equal challenges are parsed alike: nothing remembers them. */
static bool repeated_challenge(struct run *r)
{
    struct init_update a, b;
    struct view v = vector_hex("000000000000000000003002001B112233445566778899AABBCCDDEE");
    return worked(r, "first", init_update_parse(v, &a)) && worked(r, "second", init_update_parse(v, &b)) &&
           same(r, "challenge", view_of(a.challenge, a.challenge_len), view_of(b.challenge, b.challenge_len));
}

/* Only levels with C-MAC, or none at all. */
static bool levels_offered(struct run *r)
{
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    bool good = true;
    for (size_t n = 0; n < count && good; n++)
        good = same_number(r, "C-DEC alone", channel_level_ok(&m[n], 0x02), false) &&
               same_number(r, "R-MAC with C-DEC alone", channel_level_ok(&m[n], 0x12), false);
    return good;
}

/* A session of a real card (or a computed one) that shows it, through the host's whole channel: wrapping,
 * response MACs, the sequence of counters. */
static bool session_of(struct run *r, const char *file, const char *id)
{
    size_t n;
    json_t *row;
    struct run own = {.crypto = r->crypto};
    json_array_foreach(vectors_load(file), n, row)
    {
        const char *found = vector_text(row, "id"), *protocol = vector_text(row, "protocol");
        if (found == NULL || protocol == NULL || strcmp(found, id) != 0)
            continue;
        for (const struct check *c = checks_host; c->check != NULL; c++) {
            if (c->prefix == NULL || strcmp(c->prefix, protocol) != 0)
                continue;
            enum verdict v = c->check(&own, row);
            r->compared += own.compared;
            if (v == PASS || v == PARTLY)
                return yes(r, id, own.compared > 0);
            verdict(r, v, "%s: %s", id, own.why);
            return false;
        }
    }
    verdict(r, FAIL, "no session %s", id);
    return false;
}

static bool real_challenges(struct run *r)
{
    return same_data_i15_i55(r) && session_of(r, "vectors/scp02.json", "gppro-259-1") &&
           session_of(r, "vectors/scp02.json", "csdn-10533779-1");
}

static bool levels_and_words(struct run *r)
{
    return levels_offered(r) && session_of(r, "vectors/scp02.json", "orange-sim-4");
}

/* Every wrapped command has the class bit, whatever its level. */
static bool always_wraps(struct run *r)
{
    return session_of(r, "vectors/scp02.json", "orange-sim-6") &&
           session_of(r, "vectors/scp02.json", "orange-sim-7");
}

/* Case 3: nothing behind the data; the sessions compare the whole command. */
static bool no_le(struct run *r)
{
    struct session_vector v;
    struct apdu a;
    size_t n;
    json_t *row;
    json_array_foreach(vectors_load("vectors/scp03.json"), n, row)
    {
        if (strcmp(vector_text(row, "id"), "pysim-SCP03_Test_AES128_03-1") == 0 && session_read(&v, row))
            return worked(r, "vector", apdu_parse(v.external, &a)) && same_number(r, "Le", a.ne, 0) &&
                   session_of(r, "vectors/scp03.json", "pysim-SCP03_Test_AES128_03-1");
    }
    return yes(r, "session", false);
}

static bool class_in_mac(struct run *r)
{
    return session_of(r, "vectors/scp03.json", "gp_pro_scp03_mac-1");
}

static bool bare_errors(struct run *r)
{
    return session_of(r, "vectors/scp03.json", "gp_pro_scp03_rmac-1") &&
           session_of(r, "vectors/scp03.json", "gp_pro_scp03_renc-1");
}

static bool counts_empty(struct run *r)
{
    return session_of(r, "vectors/scp03.json", "pysim-SCP03_Test_AES128_33-1") &&
           session_of(r, "vectors/scp03.json", "scll-scp03-s8-l33-1");
}

static bool rmac_chain(struct run *r)
{
    return session_of(r, "vectors/scp02.json", "scll-scp02-rmac-case1");
}

static bool fixed_challenge(struct run *r)
{
    return session_of(r, "vectors/scp03.json", "samsung-Scp03Aes128S8-1");
}

/* A row of its own, with a challenge of 16 bytes: who names it in the card type gets it. */
static bool s16_chosen(struct run *r)
{
    const struct channel_method *m = channel_method(0x03, 0x71);
    return yes(r, "method", m != NULL) && same_number(r, "challenge", m->host_challenge_len, 16) &&
           session_of(r, "vectors/scp03.json", "samsung-Scp03Aes256S16-1");
}

static bool scp01_apart(struct run *r)
{
    return session_of(r, "vectors/scp01.json", "computed-scp01-i05-l01") &&
           session_of(r, "vectors/scp01.json", "computed-scp01-i15-l01");
}

/* ---- load files */

static bool plan_load(struct run *r, size_t len, size_t block, struct plan *plan)
{
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}}};
    struct registry nothing = {.count = 0};
    const struct plan_input in = {.purpose = PLAN_INSTALL,
                                  .cap = &cap,
                                  .sequence = view_str("load"),
                                  .holds = &nothing,
                                  .block_size = block};
    wr_heap(&cap.load, len);
    bool good =
        yes(r, "memory", wr_reserve(&cap.load, len) != NULL) && worked(r, "plan", plan_make(plan, &in, NULL));
    cap_finish(&cap);
    return good;
}

/* At most 247 unless asked for, and less where asked for. */
static bool block_sizes(struct run *r)
{
    static struct plan plan;
    struct apdu a;
    bool good =
        same_number(r, "at C-MAC", channel_block_size(channel_method(0x03, 0x00), LEVEL_C_MAC), 247) &&
        plan_load(r, 1000, 200, &plan) && worked(r, "LOAD", apdu_parse(plan_apdu(&plan, 1), &a)) &&
        same_number(r, "smaller", a.data.len, 200);
    plan_finish(&plan);
    return good;
}

static bool one_block(struct run *r)
{
    static struct plan plan;
    struct apdu a;
    bool good = plan_load(r, 100, 247, &plan) && same_number(r, "commands", plan.count, 2) &&
                worked(r, "LOAD", apdu_parse(plan_apdu(&plan, 1), &a)) && same_number(r, "P1", a.p1, 0x80) &&
                same_number(r, "P2", a.p2, 0x00) && yes(r, "C4", a.data.data[0] == 0xC4);
    plan_finish(&plan);
    return good;
}

/* The hash is over what is loaded: in a CAP file of ours, all but the Descriptor. */
static bool descriptor(struct run *r)
{
    struct dap_entry_name name;
    return yes(r, "Descriptor is not loaded", !component_kind(COMPONENT_DESCRIPTOR)->loaded) &&
           yes(r, "Debug neither", !component_kind(COMPONENT_DEBUG)->loaded) &&
           worked(r, "signature of a tool", dap_entry_name(view_str("META-INF/dap.rsa.sha1"), &name)) &&
           same_number(r, "over", name.digest, DIGEST_SHA1);
}

static bool free_memory(struct run *r)
{
    struct card_memory m;
    return worked(r, "FF21", memory_parse(vector_hex("FF210B8101058202123483020ABC"), &m)) &&
           same_number(r, "free", m.nonvolatile, 0x1234) &&
           yes(r, "words", strstr(command_sw_text(INS_LOAD, 0x6A84), "memory") != NULL);
}

static bool imports(struct run *r)
{
    static struct plan plan;
    struct plan_problem why = {.text = ""};
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}},
                      .imports = {{.aid = {{0xF0, 0, 0, 0, 9}, 5}, .major = 1}},
                      .import_count = 1};
    struct registry nothing = {.count = 0};
    const struct plan_input in = {.purpose = PLAN_INSTALL,
                                  .cap = &cap,
                                  .sequence = view_str("load"),
                                  .holds = &nothing,
                                  .block_size = 247};
    return same_number(r, "before anything is sent", plan_make(&plan, &in, &why), ERR_NOT_FOUND) &&
           yes(r, "named", strstr(why.text, "F000000009") != NULL);
}

/* A domain is made with the parameters that a card takes, personalized by STORE DATA, and its state set. */
static bool into_domain(struct run *r)
{
    static struct plan plan;
    struct cap cap = {.package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}}};
    struct registry nothing = {.count = 0};
    struct apdu a;
    const struct plan_input in = {
        .purpose = PLAN_INSTALL,
        .cap = &cap,
        .sequence = view_str("create-domain instance=F0000000D1 parameters=820180\n"
                             "personalize instance=F0000000D1\nstore data=010101AA format=dgi\n"
                             "set-status aid=F0000000D1 state=0F"),
        .holds = &nothing,
        .block_size = 247};
    bool good = worked(r, "plan", plan_make(&plan, &in, NULL)) && same_number(r, "commands", plan.count, 4) &&
                worked(r, "SET STATUS", apdu_parse(plan_apdu(&plan, 3), &a)) &&
                same_number(r, "PERSONALIZED", a.p2, 0x0F);
    plan_finish(&plan);
    return good;
}

/* ---- listings */

static bool listing(struct run *r, const char *first, uint16_t sw, const char *second, size_t count)
{
    struct registry registry = {0};
    struct rapdu a = {vector_hex(first), sw}, b = {vector_hex(second), SW_OK};
    bool good = worked(r, "first", registry_add(&registry, STATUS_APPLICATIONS, &a));
    if (good && sw == SW_MORE_DATA)
        good = worked(r, "second", registry_add(&registry, STATUS_APPLICATIONS, &b));
    good = good && same_number(r, "entries", registry.count, count);
    registry_finish(&registry);
    return good;
}

static bool cut_pages(struct run *r)
{
    return listing(r, "E30B4F05A0000000019F700107E30B4F", SW_MORE_DATA, "05A0000000029F700107", 2);
}

static bool old_form(struct run *r)
{
    uint8_t memory[16];
    struct writer w;
    struct apdu a;
    const struct get_status g = {.subset = STATUS_APPLICATIONS, .format = STATUS_FORMAT_LV};
    wr_fixed(&w, memory, sizeof(memory));
    return yes(r, "6A86", registry_wants_old_form(0x6A86)) &&
           yes(r, "6A80", registry_wants_old_form(0x6A80)) &&
           worked(r, "GET STATUS", command_get_status_any(&a, &w, &g)) && same_number(r, "P2", a.p2, 0x00) &&
           listing(r, "08D0D1D2D3D4D501010702", SW_OK, "", 1);
}

static bool nothing_there(struct run *r)
{
    return listing(r, "", SW_REFERENCED_DATA, "", 0);
}

static bool strange_objects(struct run *r)
{
    return listing(r, "E3194F05A0000000019F700107C50104CF0140CF0141EA03800100", SW_OK, "", 1);
}

/* ---- answers and Le */

static bool store_answer(struct run *r)
{
    struct apdu a, b;
    command_store_data(&a, VIEW_NULL, STORE_TLV, 0, true);
    command_store_data(&b, VIEW_NULL, STORE_TLV | STORE_ANSWER, 0, true);
    return same_number(r, "90", a.p1, 0x90) && same_number(r, "no Le", a.ne, 0) &&
           same_number(r, "91", b.p1, 0x91) && same_number(r, "Le", b.ne, 256);
}

/* Without Le, as the table says; an answer without data is all that is wanted. */
static bool set_status_le(struct run *r)
{
    uint8_t memory[16];
    struct writer w;
    struct apdu a;
    wr_fixed(&w, memory, sizeof(memory));
    return worked(r, "SET STATUS",
                  command_set_status(&a, &w, STATUS_APPLICATIONS, 0x80, vector_hex("A000000001"))) &&
           same_number(r, "Le", a.ne, 0);
}

/* The same certificates, with BF21 around them and without: the card's key is the same. */
static bool certificate_store(struct run *r)
{
    size_t n;
    json_t *row;
    bool good = true;
    json_array_foreach(vectors_load("vectors/scp11.json"), n, row)
    {
        struct view whole = vector_bytes(row, "BF21"), inside;
        struct pk *trust = NULL;
        struct scp11_key with, without;
        if (!vector_has(row, "certificates") || whole.len == 0)
            continue;
        struct view first =
            vector_hex(json_string_value(json_array_get(json_object_get(row, "certificates"), 0)));
        good = good && yes(r, "BF21", tlv_find(whole, 0xBF21, &inside)) &&
               worked(r, "certificate", certificate_key(first, &trust)) &&
               worked(r, "with", scp11_card_key(r->crypto, whole, trust, 0, &with)) &&
               worked(r, "without", scp11_card_key(r->crypto, inside, trust, 0, &without)) &&
               same(r, "key", scp11_point(&without), scp11_point(&with));
        pk_free(&trust);
    }
    return good;
}

/* ---- T=0: a card that answers by a transcript */

static bool relayed(struct run *r, const char *const *lines, const char *want)
{
    struct view view[TRANSCRIPT_MAX];
    uint8_t answer[BYTES_MAX];
    size_t count = 0, len = 0;
    for (; lines[count] != NULL && count < TRANSCRIPT_MAX; count++)
        view[count] = vector_hex(lines[count]);
    return yes(r, "as the transcript", relay_transcript(view, count, answer, sizeof(answer), &len)) &&
           same(r, "answer", view_of(answer, len), vector_hex(want));
}

/* GET RESPONSE in class 00 with exactly SW2; 6Cxx repeats with that Le. */
static bool get_response(struct run *r)
{
    static const char *const more[] = {"80CA006600", "6104", "00C0000004", "AABBCCDD9000", NULL};
    static const char *const le[] = {"80CA006600", "6C02", "80CA006602", "AABB9000", NULL};
    return relayed(r, more, "AABBCCDD9000") && relayed(r, le, "AABB9000");
}

static bool after_cold_start(struct run *r)
{
    static const char *const select[] = {"00A4040000", "6C12", "00A4040012", "6F009000", NULL};
    return relayed(r, select, "6F009000") && select_refused(r);
}

static const struct {
    const char *id;
    quirk *check;
} quirks[] = {
    {"quirk-01", isd_aid},
    {"quirk-02", select_6283},
    {"quirk-03", select_refused},
    {"quirk-04", class_refused},
    {"quirk-05", fci_minimal},
    {"quirk-06", fci_9f65},
    {"quirk-08", duplicated_tag},
    {"quirk-10", cplc_class},
    {"quirk-12", class_80_first},
    {"quirk-13", raw_oid},
    {"quirk-14", card_data_of_the_domain},
    {"quirk-15", kvn_ff},
    {"quirk-16", kvn_20},
    {"quirk-18", unknown_kvn},
    {"quirk-19", real_challenges},
    {"quirk-21", repeated_challenge},
    {"quirk-22", levels_and_words},
    {"quirk-23", always_wraps},
    {"quirk-25", no_le},
    {"quirk-26", class_in_mac},
    {"quirk-27", bare_errors},
    {"quirk-29", counts_empty},
    {"quirk-31", rmac_chain},
    {"quirk-32", fixed_challenge},
    {"quirk-34", s16_chosen},
    {"quirk-36", scp01_apart},
    {"quirk-37", aes_and_des_listed},
    {"quirk-40", get_response},
    {"quirk-41", get_response},
    {"quirk-42", after_cold_start},
    {"quirk-43", block_sizes},
    {"quirk-44", one_block},
    {"quirk-47", descriptor},
    {"quirk-50", free_memory},
    {"quirk-51", imports},
    {"quirk-55", class_refused},
    {"quirk-56", into_domain},
    {"quirk-59", cut_pages},
    {"quirk-60", old_form},
    {"quirk-61", nothing_there},
    {"quirk-62", strange_objects},
    {"quirk-63", type_81},
    {"quirk-65", aes_in_scp02},
    {"quirk-66", check_by_type},
    {"quirk-67", usual_versions},
    {"quirk-69", gp_version},
    {"quirk-70", certificate_store},
    {"quirk-73", store_answer},
    {"quirk-74", set_status_le},
    {"quirk-75", not_fatal},
    {"quirk-76", aes_192},
    {"quirk-77", scp11_oid},
};

static enum verdict check_quirk(struct run *r, const json_t *row)
{
    const char *id = vector_text(row, "id");
    for (size_t n = 0; id != NULL && n < sizeof(quirks) / sizeof(quirks[0]); n++)
        if (strcmp(quirks[n].id, id) == 0)
            return quirks[n].check(r) ? PASS : FAIL;
    return NO_CODE;
}

const struct check checks_quirks[] = {
    {"host", "quirk", NULL, check_quirk},
    {NULL, NULL, NULL, NULL},
};
