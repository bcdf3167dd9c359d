/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions as the server sees them: it must take the card's answer, verify its cryptogram, and give EXTERNAL
 * AUTHENTICATE and every wrapped command byte for byte, wrapped one by one and all at once; and it must
 * recover the plain responses. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <gp/channel.h>

enum { COMMANDS_MAX = 160, WIRE_MAX = 1024 };

/* Le of EXTERNAL AUTHENTICATE and of INITIALIZE UPDATE is a matter of taste: everything else must be the
 * same. */
bool same_but_le(struct run *r, const char *what, struct view got, struct view want)
{
    struct apdu a, b;
    return worked(r, what, apdu_parse(got, &a)) && worked(r, what, apdu_parse(want, &b)) &&
           same(r, what, view_head(got, 4), view_head(want, 4)) && same(r, what, a.data, b.data);
}

static bool check_init_update(struct run *r, const struct session_vector *s, struct init_update *iu)
{
    const json_t *parsed = json_object_get(s->row, "parsed");
    struct view kvn = vector_bytes(parsed, "key_version");
    return worked(r, "INITIALIZE UPDATE response", init_update_parse(s->init_response, iu)) &&
           same(r, "key diversification data", VIEW_OF(iu->kdd),
                vector_bytes(parsed, "key_diversification_data")) &&
           same(r, "key version", view_of(&iu->kvn, 1), kvn) && same_number(r, "scp", iu->scp, s->scp) &&
           same(r, "card challenge", view_of(iu->challenge, iu->challenge_len), s->card_challenge) &&
           same(r, "card cryptogram", view_of(iu->cryptogram, iu->cryptogram_len), s->card_cryptogram) &&
           (!s->has_sequence || same_number(r, "sequence counter", iu->sequence, s->sequence));
}

static bool check_init_command(struct run *r, const struct session_vector *s)
{
    struct view want = vector_bytes(s->row, "init_update_command");
    struct apdu seen, command;
    uint8_t wire[64];
    struct writer w;
    if (want.len == 0)
        return true;
    if (!worked(r, "INITIALIZE UPDATE", apdu_parse(want, &seen)))
        return false;
    channel_initialize_update(&command, seen.p1, seen.p2, s->host_challenge);
    wr_fixed(&w, wire, sizeof(wire));
    apdu_put(&w, &command);
    return same_but_le(r, "INITIALIZE UPDATE", wr_view_of(&w), want);
}

static bool keys_of(const struct session_vector *s, const struct channel_method *m, struct card_keys *keys)
{
    keys->type = m->key_type;
    return secret_set(&keys->enc, s->enc) == OK && secret_set(&keys->mac, s->mac) == OK &&
           secret_set(&keys->dek, s->dek) == OK;
}

static bool check_external(struct run *r, struct channel *ch, struct view want)
{
    uint8_t wire[64];
    struct writer w;
    wr_fixed(&w, wire, sizeof(wire));
    return worked(r, "EXTERNAL AUTHENTICATE", channel_external_authenticate(ch, r->crypto, &w)) &&
           same_but_le(r, "EXTERNAL AUTHENTICATE", wr_view_of(&w), want);
}

/* The first half of EXTERNAL AUTHENTICATE does not depend on the level. */
static bool check_host_cryptogram(struct run *r, const struct session_vector *s, struct channel *ch)
{
    uint8_t wire[64];
    struct writer w;
    struct apdu command;
    wr_fixed(&w, wire, sizeof(wire));
    return worked(r, "EXTERNAL AUTHENTICATE", channel_external_authenticate(ch, r->crypto, &w)) &&
           worked(r, "EXTERNAL AUTHENTICATE", apdu_parse(wr_view_of(&w), &command)) &&
           (s->host_cryptogram.len == 0 ||
            same(r, "host cryptogram", view_head(command.data, s->host_cryptogram.len), s->host_cryptogram));
}

/* The answer to EXTERNAL AUTHENTICATE is 9000 without more. */
static bool check_external_answer(struct run *r, struct channel *ch)
{
    static const uint8_t done[] = {0x90, 0x00};
    uint8_t none[4];
    struct writer w;
    uint16_t sw = 0;
    bool proven = true;
    wr_fixed(&w, none, sizeof(none));
    return worked(r, "answer to EXTERNAL AUTHENTICATE",
                  channel_unwrap(ch, r->crypto, VIEW_OF(done), &w, &sw, &proven)) &&
           same_number(r, "answer to EXTERNAL AUTHENTICATE", sw, SW_OK) &&
           same_number(r, "proven", proven, false);
}

/* What channel_wrap views into must not move: room for all is made at once. */
static void make_storage(struct writer *w, const struct apdu *plain, size_t count)
{
    size_t most = channel_wrapped_max(plain, count);
    wr_heap(w, most);
    wr_reserve(w, most);
    wr_clear(w);
}

bool host_command(struct run *r, const char *what, struct channel *ch, const struct apdu *plain,
                  struct view want)
{
    struct apdu wrapped;
    struct writer storage, wire;
    make_storage(&storage, plain, 1);
    wr_heap(&wire, CAPDU_MAX);
    bool good = worked(r, what, channel_wrap(ch, r->crypto, plain, 1, &wrapped, &storage));
    if (good) {
        apdu_put(&wire, &wrapped);
        good = same(r, what, wr_view_of(&wire), want);
    }
    wr_free(&wire);
    wr_free(&storage);
    return good;
}

bool host_response(struct run *r, const char *what, struct channel *ch, struct view wire, struct view plain,
                   uint8_t level)
{
    struct rapdu want;
    struct writer data;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&data, RAPDU_MAX);
    bool good = worked(r, what, rapdu_parse(plain, &want)) &&
                worked(r, what, channel_unwrap(ch, r->crypto, wire, &data, &sw, &proven)) &&
                same(r, what, wr_view_of(&data), want.data) && same_number(r, what, sw, want.sw);
    /* What is said to be proven must have carried a response MAC. */
    bool due = (level & LEVEL_R_MAC) != 0 && sw_is_ok_or_warning(want.sw);
    if (good && due)
        good = same_number(r, "proven", proven, true);
    wr_free(&data);
    return good;
}

static enum verdict check_exchange(struct run *r, const struct session_vector *s, size_t n, const json_t *x,
                                   struct channel *ch)
{
    char what[48];
    struct apdu plain, sent;
    struct view wire = vector_bytes(x, "c"), command = vector_bytes(x, "plain");
    struct view response = vector_bytes(x, "r"), plain_response = vector_bytes(x, "r_plain");
    if (command.len == 0)
        command = wire; /* level 00: nothing was wrapped */
    snprintf(what, sizeof(what), "exchange %zu command", n + 1);
    if (!worked(r, what, apdu_parse(command, &plain)))
        return FAIL;
    if (plain.data.len == 0 && apdu_parse(wire, &sent) == OK &&
        sent.data.len > channel_method_of(ch)->tag_len)
        return verdict(r, PARTLY, "%s: encrypts an empty data field, against Amendment D 6.2.6", what);
    if (!host_command(r, what, ch, &plain, wire))
        return FAIL;
    snprintf(what, sizeof(what), "exchange %zu response", n + 1);
    bool protected = (s->level & LEVEL_R_MAC) != 0;
    if (protected && plain_response.len == 0 && s->scp == 0x02)
        return verdict(r, PARTLY, "%s is not known, and the R-MAC chain goes through it", what);
    if (response.len < 2 || (protected && plain_response.len == 0))
        return PASS; /* the source has none; in SCP03 nothing that follows depends on it */
    if (plain_response.len == 0)
        plain_response = response;
    return host_response(r, what, ch, response, plain_response, s->level) ? PASS : FAIL;
}

/* All commands in one call: the way that a data packet is made. */
static bool check_batch(struct run *r, const struct session_vector *s, struct channel *ch, size_t count)
{
    static struct apdu plain[COMMANDS_MAX], wrapped[COMMANDS_MAX];
    struct writer storage, wire;
    bool good = true;
    for (size_t n = 0; n < count; n++) {
        const json_t *x = json_array_get(s->exchanges, n);
        struct view command = vector_bytes(x, vector_has(x, "plain") ? "plain" : "c");
        good = good && worked(r, "batch", apdu_parse(command, &plain[n]));
    }
    make_storage(&storage, plain, count);
    wr_heap(&wire, CAPDU_MAX);
    good = good && worked(r, "batch", channel_wrap(ch, r->crypto, plain, count, wrapped, &storage));
    for (size_t n = 0; n < count && good; n++) {
        wr_clear(&wire);
        apdu_put(&wire, &wrapped[n]);
        good = same(r, "batch", wr_view_of(&wire), vector_bytes(json_array_get(s->exchanges, n), "c"));
    }
    wr_free(&wire);
    wr_free(&storage);
    return good;
}

static enum verdict check_exchanges(struct run *r, const struct session_vector *s, struct channel *ch)
{
    struct channel *again = NULL;
    const json_t *x;
    size_t n, done = 0;
    enum verdict v = PASS;
    if (!worked(r, "copy", channel_copy(&again, ch)))
        return FAIL;
    json_array_foreach(s->exchanges, n, x)
    {
        v = check_exchange(r, s, n, x, ch);
        if (v != PASS)
            break;
        done++;
    }
    if (v != FAIL && done > 0 && done <= COMMANDS_MAX && !check_batch(r, s, again, done))
        v = FAIL;
    channel_free(&again);
    return v;
}

static enum verdict check_session_i(struct run *r, const struct session_vector *s, uint8_t i)
{
    const struct channel_method *m = channel_method(s->scp, i);
    struct init_update iu;
    struct card_keys keys = {0};
    struct channel *ch = NULL;
    enum verdict v = FAIL;
    if (m == NULL)
        return verdict(r, NO_CODE, "no method for SCP%02X i=%02X", s->scp, i);
    if (!check_init_update(r, s, &iu) || !check_init_command(r, s) || !keys_of(s, m, &keys))
        goto out;
    bool level_ok = channel_level_ok(m, s->level);
    uint8_t level = level_ok ? s->level : LEVEL_C_MAC;
    if (!worked(r, "open", channel_open(&ch, r->crypto, m, &keys, s->host_challenge, &iu, level)))
        goto out;
    if (s->external.len == 0 || !level_ok) {
        if (!check_host_cryptogram(r, s, ch))
            goto out;
        v = s->external.len == 0
                ? verdict(r, PASS, "without EXTERNAL AUTHENTICATE")
                : verdict(r, PARTLY, "SCP%02X i=%02X does not do level %02X", s->scp, i, s->level);
        goto out;
    }
    if (!check_external(r, ch, s->external))
        goto out;
    v = PASS;
    if (s->external_sw == -1 || s->external_sw == SW_OK)
        v = check_external_answer(r, ch) ? check_exchanges(r, s, ch) : FAIL;
out:
    channel_free(&ch);
    card_keys_wipe(&keys);
    return v;
}

/* Implicit initiation: the card says its counter, the host the first command. The keys of R-MACs and of
 * sensitive data are not in these commands. */
static enum verdict implicit_session(struct run *r, const json_t *row)
{
    const struct channel_method *m = channel_method(SCP02, vector_bytes(row, "i").data[0]);
    const json_t *fixed = json_object_get(row, "static_keys");
    struct session_vector s = {.row = row,
                               .scp = SCP02,
                               .level = LEVEL_C_MAC,
                               .enc = vector_bytes(fixed, "enc"),
                               .mac = vector_bytes(fixed, "mac"),
                               .dek = vector_bytes(fixed, "dek"),
                               .exchanges = json_object_get(row, "exchanges")};
    struct card_keys card = {0};
    const struct channel_keys keys = {.card = &card};
    struct channel_request request = {
        .method = m, .level = LEVEL_C_MAC, .aid = vector_bytes(row, "selected_aid")};
    struct channel_opening opening = {0};
    struct channel *ch = NULL;
    uint8_t counter[4] = {0xC1, 0x02};
    enum verdict v = FAIL;
    memcpy(counter + 2, vector_bytes(row, "sequence_counter").data, 2);
    const struct rapdu answer = {VIEW_OF(counter), SW_OK};
    if (m == NULL)
        return verdict(r, NO_CODE, "no method");
    if (keys_of(&s, m, &card) &&
        worked(r, "begin", channel_begin(&opening, r->crypto, crypto_random(), &request, &keys)) &&
        worked(r, "accept", channel_accept(&ch, r->crypto, &opening, &keys, &answer, 1)))
        v = check_exchanges(r, &s, ch);
    channel_free(&ch);
    channel_opening_finish(&opening);
    card_keys_wipe(&card);
    return v;
}

/* Every i that gives the same bytes must do so; where the source names none, all of the protocol. The
 * cryptogram is counted by channel_open. */
static enum verdict host_session(struct run *r, const json_t *row)
{
    struct session_vector s;
    enum verdict worst = NO_CODE;
    if (vector_has(row, "initiation"))
        return implicit_session(r, row);
    if (!session_read(&s, row))
        return verdict(r, NO_CODE, "no session");
    if (s.i_count == 0 && s.scp == SCP01) {
        s.is[s.i_count++] = 0x05;
        s.is[s.i_count++] = 0x15;
    }
    for (size_t n = 0; n < s.i_count; n++) {
        enum verdict v = check_session_i(r, &s, s.is[n]);
        if (v == FAIL)
            return FAIL;
        if (v != NO_CODE)
            worst = worst == PARTLY ? PARTLY : v;
    }
    return worst;
}

static enum verdict key_check(struct run *r, const json_t *row)
{
    const char *alg = vector_text(row, "alg");
    struct secret key;
    uint8_t kcv[3];
    if (alg == NULL || secret_set(&key, vector_bytes(row, "key")) != OK)
        return FAIL;
    enum key_type type = strcmp(alg, "DES3") == 0 ? KEY_DES3 : KEY_AES;
    enum err e = key_check_value(r->crypto, type, &key, kcv);
    secret_wipe(&key);
    return worked(r, "kcv", e) && same(r, "kcv", VIEW_OF(kcv), vector_bytes(row, "kcv")) ? PASS : FAIL;
}

static bool same_key(struct run *r, const char *what, const struct secret *got, const json_t *row,
                     const char *key)
{
    struct view want = vector_bytes(row, key);
    return want.len == 0 || same(r, what, secret_view(got), want);
}

static enum verdict diversification(struct run *r, const json_t *row)
{
    const char *method = vector_text(row, "method"), *scp = vector_text(row, "scp");
    struct card_keys master = {0}, keys = {0};
    struct view key = vector_bytes(row, "master");
    enum kdf kdf;
    if (method == NULL || kdf_by_name(method, &kdf) != OK)
        return verdict(r, NO_CODE, "no derivation named %s", method != NULL ? method : "?");
    master.type = scp != NULL && strcmp(scp, "SCP03") == 0 ? KEY_AES : KEY_DES3;
    if (secret_set(&master.enc, key) != OK || secret_set(&master.mac, key) != OK ||
        secret_set(&master.dek, key) != OK)
        return FAIL;
    enum err e = kdf_derive(r->crypto, kdf, &master, vector_bytes(row, "kdd"), &keys);
    bool good = worked(r, "derivation", e) && same_key(r, "ENC", &keys.enc, row, "enc") &&
                same_key(r, "MAC", &keys.mac, row, "mac") && same_key(r, "DEK", &keys.dek, row, "dek");
    card_keys_wipe(&master);
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

/* A session with published challenges and cryptograms but no commands. */
static enum verdict session_keys_scp03(struct run *r, const json_t *row)
{
    const json_t *fixed = json_object_get(row, "static");
    struct view card = vector_bytes(row, "card_cryptogram"), challenge = vector_bytes(row, "card_challenge");
    struct view host = vector_bytes(row, "host_cryptogram");
    const struct channel_method *m = channel_method(0x03, card.len == 16 ? 0x61 : 0x60);
    struct init_update iu = {
        .scp = 0x03, .i = 0x60, .challenge_len = challenge.len, .cryptogram_len = card.len};
    struct card_keys keys = {.type = KEY_AES};
    struct channel *ch = NULL;
    uint8_t wire[64];
    struct writer w;
    if (m == NULL || challenge.len > sizeof(iu.challenge) || card.len > sizeof(iu.cryptogram))
        return verdict(r, NO_CODE, "no method");
    memcpy(iu.challenge, challenge.data, challenge.len);
    memcpy(iu.cryptogram, card.data, card.len);
    wr_fixed(&w, wire, sizeof(wire));
    bool good = secret_set(&keys.enc, vector_bytes(fixed, "enc")) == OK &&
                secret_set(&keys.mac, vector_bytes(fixed, "mac")) == OK &&
                secret_set(&keys.dek, vector_bytes(fixed, "dek")) == OK &&
                worked(r, "card cryptogram",
                       channel_open(&ch, r->crypto, m, &keys, vector_bytes(row, "host_challenge"), &iu,
                                    LEVEL_C_MAC)) &&
                worked(r, "EXTERNAL AUTHENTICATE", channel_external_authenticate(ch, r->crypto, &w)) &&
                same(r, "host cryptogram", view_head(view_tail(wr_view_of(&w), 5), host.len), host);
    channel_free(&ch);
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

/* A real card's answer under one key for all three. */
static enum verdict cryptograms_scp02(struct run *r, const json_t *row)
{
    const struct channel_method *m = channel_method(0x02, 0x15);
    struct view key = vector_bytes(row, "static"), response = vector_bytes(row, "init_update_response");
    struct view host = vector_bytes(row, "host_cryptogram");
    struct init_update iu;
    struct card_keys keys = {.type = KEY_DES3};
    struct channel *ch = NULL;
    uint8_t wire[64];
    struct writer w;
    wr_fixed(&w, wire, sizeof(wire));
    bool good = secret_set(&keys.enc, key) == OK && secret_set(&keys.mac, key) == OK &&
                secret_set(&keys.dek, key) == OK &&
                worked(r, "response", init_update_parse(view_head(response, response.len - 2), &iu)) &&
                same(r, "card cryptogram", view_of(iu.cryptogram, iu.cryptogram_len),
                     vector_bytes(row, "card_cryptogram")) &&
                worked(r, "open",
                       channel_open(&ch, r->crypto, m, &keys, vector_bytes(row, "host_challenge"), &iu,
                                    LEVEL_C_MAC)) &&
                worked(r, "EXTERNAL AUTHENTICATE", channel_external_authenticate(ch, r->crypto, &w)) &&
                same(r, "host cryptogram", view_head(view_tail(wr_view_of(&w), 5), host.len), host);
    channel_free(&ch);
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

const struct check checks_host[] = {
    {"host", "SCP01", NULL, host_session},
    {"host", "SCP02", NULL, host_session},
    {"host", "SCP03", NULL, host_session},
    {"host", NULL, "kcv", key_check},
    {"host", NULL, "diversification", diversification},
    {"host", NULL, "session-scp03", session_keys_scp03},
    {"host", NULL, "scp02-card-cryptogram", cryptograms_scp02},
    {NULL, NULL, NULL, NULL},
};
