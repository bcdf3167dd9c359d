/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11 as the server sees it: with the ephemeral key of the transcript it must say the same commands, take
 * the card's answers, and give and take every wrapped command byte for byte. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <gp/certificate.h>
#include <gp/channel.h>
#include <tlv/tlv.h>

enum { ANSWERS_MAX = OPENING_COMMANDS_MAX, STORE_MAX = 16 * 1024, LEVEL_ALL = 0x33, KEY_LENS = 3 };

/* "SCP11a" and so on, and the length of MACs: the row of the table. */
static const struct channel_method *method_of(const json_t *row)
{
    const char *protocol = vector_text(row, "protocol");
    bool s16 = vector_int(row, "mac_len") == 16;
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    for (; count > 0; m++, count--) {
        if (strcmp(m->name, protocol) == 0 && (m->tag_len == 16) == s16)
            return m;
    }
    return NULL;
}

static uint8_t session_key_len(const json_t *row)
{
    static const struct {
        const char *name;
        uint8_t len;
    } lens[KEY_LENS] = {{"AES-128", 16}, {"AES-192", 24}, {"AES-256", 32}};
    const char *type = vector_text(row, "session_key_type");
    for (size_t i = 0; type != NULL && i < KEY_LENS; i++) {
        if (strcmp(type, lens[i].name) == 0)
            return lens[i].len;
    }
    return 0;
}

/* Gives the ephemeral scalar of the transcript. */
static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    const struct view *scalar = ctx;
    if (scalar->len != len)
        return ERR_ARGUMENT;
    memcpy(out, scalar->data, len);
    return OK;
}

struct talk {
    const json_t *row, *exchanges;
    size_t next; /* exchange */
    enum pk_curve curve;
    struct view certificate, scalar;
    struct pk *host, *card, *own, *answered;
    struct channel_keys keys;
    struct channel_request request;
    struct channel_opening o;
    struct rapdu answers[ANSWERS_MAX];
    struct writer store; /* the answer to GET DATA, put together */
    struct channel *ch;
};

static uint8_t byte_of(const json_t *row, const char *key)
{
    struct view v = vector_bytes(row, key);
    return v.len == 1 ? v.data[0] : 0;
}

/* The transcripts that begin with GET DATA and the host's certificate, or those that have the agreement
 * alone. */
static bool read_talk(struct run *r, struct talk *t, const json_t *row)
{
    struct view sk = vector_bytes(row, "sk_oce_ecka");
    *t = (struct talk){.row = row, .exchanges = json_object_get(row, "exchanges")};
    wr_heap(&t->store, STORE_MAX);
    t->certificate = vector_bytes(row, "cert_oce");
    t->scalar = vector_bytes(row, "esk_oce");
    static const uint8_t none[] = {0};
    if (t->certificate.len == 0)
        t->certificate = VIEW_OF(none); /* the transcript has the agreement alone */
    t->request = (struct channel_request){.method = method_of(row),
                                          .level = LEVEL_ALL,
                                          .kvn = byte_of(row, "key_version"),
                                          .kid = byte_of(row, "kid"),
                                          .session_key_len = session_key_len(row),
                                          .chained_p1 = true};
    bool good = worked(r, "curve", pk_curve_by_name(vector_text(row, "curve"), &t->curve)) &&
                worked(r, "PK.SD.ECKA", pk_ec_public(t->curve, vector_bytes(row, "pk_sd_ecka"), &t->card)) &&
                worked(r, "ePK.SD.ECKA", pk_ec_public(t->curve, vector_bytes(row, "epk_sd"), &t->answered)) &&
                worked(r, "eSK.OCE.ECKA", pk_ec_private(t->curve, t->scalar, &t->own)) &&
                (sk.len == 0 || worked(r, "SK.OCE.ECKA", pk_ec_private(t->curve, sk, &t->host)));
    t->request.curve = t->curve;
    t->keys = (struct channel_keys){.host = t->host,
                                    .peer = t->card,
                                    .peer_is_card = !vector_has(row, "sd_cert_store_BF21"),
                                    .certificates = &t->certificate,
                                    .certificate_count = 1,
                                    .ca_kvn = 0x03,
                                    .ca_kid = 0x10};
    return good;
}

static void finish_talk(struct talk *t)
{
    channel_free(&t->ch);
    channel_opening_finish(&t->o);
    pk_free(&t->host);
    pk_free(&t->card);
    pk_free(&t->own);
    pk_free(&t->answered);
    wr_free(&t->store);
}

static bool check_points(struct run *r, struct talk *t)
{
    struct secret first = {0}, second = {0};
    const char *other = vector_has(t->row, "shsss") ? "shsss" : "shsss_or_shses";
    bool good = worked(r, "ShSee", pk_ecdh(r->crypto, t->own, t->answered, &first)) &&
                same(r, "ShSee", secret_view(&first), vector_bytes(t->row, "shsee")) &&
                worked(r, other, pk_ecdh(r->crypto, t->host != NULL ? t->host : t->own, t->card, &second)) &&
                same(r, other, secret_view(&second), vector_bytes(t->row, other));
    secret_wipe(&first);
    secret_wipe(&second);
    return good;
}

static const json_t *next_exchange(struct talk *t)
{
    return json_array_get(t->exchanges, t->next++);
}

/* The relay fetches what a card has left over with GET RESPONSE, and gives the whole with the last status. */
static bool collect(struct run *r, struct talk *t, struct rapdu *answer)
{
    static const uint8_t get_response[] = {0x00, 0xC0, 0x00, 0x00};
    wr_view(&t->store, answer->data);
    for (;;) {
        const json_t *x = json_array_get(t->exchanges, t->next);
        if (x == NULL || !view_starts(vector_bytes(x, "c"), VIEW_OF(get_response)))
            break;
        if (!worked(r, "GET RESPONSE", rapdu_parse(vector_bytes(x, "r"), answer)))
            return false;
        wr_view(&t->store, answer->data);
        t->next++;
    }
    answer->data = wr_view_of(&t->store);
    return same(r, "BF21", answer->data, vector_bytes(t->row, "sd_cert_store_BF21"));
}

/* 902A..., 802A...: what goes before the agreement is in the transcript or not. */
static bool is_before_agreement(const struct talk *t, size_t n)
{
    return n + 1 < t->o.count;
}

static bool check_opening_command(struct run *r, struct talk *t, size_t n)
{
    char what[40];
    uint8_t memory[300];
    struct writer wire;
    bool agreed = !is_before_agreement(t, n), recorded = vector_has(t->row, "cert_oce");
    if (!agreed && !recorded) {
        t->answers[n] = (struct rapdu){.sw = SW_OK};
        return true;
    }
    const json_t *x = recorded ? next_exchange(t) : t->row;
    struct view want = vector_bytes(x, recorded ? "c" : "auth_command");
    struct view answer = vector_bytes(x, recorded ? "r" : "auth_response");
    snprintf(what, sizeof(what), "opening command %zu", n + 1);
    wr_fixed(&wire, memory, sizeof(memory));
    apdu_put(&wire, &t->o.commands[n]);
    if (!same_but_le(r, what, wr_view_of(&wire), want))
        return false;
    return worked(r, what, rapdu_parse(answer, &t->answers[n])) &&
           (n > 0 || t->keys.peer_is_card || collect(r, t, &t->answers[0]));
}

static bool check_opening(struct run *r, struct talk *t)
{
    const struct random_source random = {fill, &t->scalar};
    if (!worked(r, "begin", channel_begin(&t->o, r->crypto, random, &t->request, &t->keys)))
        return false;
    if (!same(r, "data of the agreement", t->o.commands[t->o.count - 1].data,
              vector_bytes(t->row, "mutual_auth_data")))
        return false;
    for (size_t n = 0; n < t->o.count; n++) {
        if (!check_opening_command(r, t, n))
            return false;
    }
    return worked(r, "accept", channel_accept(&t->ch, r->crypto, &t->o, &t->keys, t->answers, t->o.count));
}

/* S-DEK shows in what it encrypts. */
static bool check_dek(struct run *r, const struct talk *t)
{
    static const uint8_t zero[AES_BLOCK], in[AES_BLOCK] = {1, 2, 3};
    struct view dek = vector_bytes(json_object_get(t->row, "session_keys"), "s_dek");
    uint8_t memory[AES_BLOCK], want[AES_BLOCK];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    return worked(r, "S-DEK", channel_dek_encrypt(t->ch, r->crypto, VIEW_OF(in), &w)) &&
           worked(r, "S-DEK", crypto_aes_cbc_encrypt(r->crypto, dek, zero, VIEW_OF(in), want)) &&
           same(r, "S-DEK", wr_view_of(&w), VIEW_OF(want));
}

static bool check_wrapped(struct run *r, const struct talk *t, struct view plain, struct view wire,
                          struct view response, struct view plain_response)
{
    struct apdu command;
    return worked(r, "command", apdu_parse(plain, &command)) &&
           host_command(r, "command", t->ch, &command, wire) &&
           host_response(r, "response", t->ch, response, plain_response, LEVEL_ALL);
}

static bool check_commands(struct run *r, struct talk *t)
{
    const json_t *one = json_object_get(t->row, "wrapped_plain"), *x;
    size_t n;
    if (one != NULL)
        return check_wrapped(r, t, vector_bytes(one, "command_plain"), vector_bytes(one, "command_wrapped"),
                             vector_bytes(one, "response_wrapped"), vector_bytes(one, "response_plain"));
    json_array_foreach(t->exchanges, n, x)
    {
        if (!check_wrapped(r, t, vector_bytes(x, "plain"), vector_bytes(x, "c"), vector_bytes(x, "r"),
                           vector_bytes(x, "r_plain")))
            return false;
    }
    return n > 0;
}

/* SCP11c: the same without having heard the card. */
static bool check_group(struct run *r, struct talk *t)
{
    bool is_card = t->keys.peer_is_card;
    if (strcmp(t->request.method->name, "SCP11c") != 0)
        return true;
    channel_free(&t->ch);
    t->keys.peer_is_card = true;
    bool good =
        worked(r, "group", channel_group_open(&t->ch, r->crypto, &t->o, &t->keys)) && check_commands(r, t);
    t->keys.peer_is_card = is_card;
    return good;
}

static enum verdict scp11_session(struct run *r, const json_t *row)
{
    struct talk t;
    if (method_of(row) == NULL)
        return verdict(r, NO_CODE, "no method");
    bool good = read_talk(r, &t, row) && check_points(r, &t) && check_opening(r, &t) && check_dek(r, &t) &&
                check_commands(r, &t) && check_group(r, &t);
    finish_talk(&t);
    return good ? PASS : FAIL;
}

/* ---- what cards have in their certificate stores ---- */

static bool check_certificates(struct run *r, const json_t *row, const struct view *got, size_t count)
{
    const json_t *want = json_object_get(row, "certificates"),
                 *keys = json_object_get(row, "public_keys_in_order");
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    struct pk *k = NULL;
    if (!same_number(r, "certificates", count, json_array_size(want)))
        return false;
    for (size_t n = 0; n < count; n++) {
        wr_fixed(&point, memory, sizeof(memory));
        bool good =
            same(r, "certificate", got[n], vector_hex(json_string_value(json_array_get(want, n)))) &&
            worked(r, "public key", certificate_key(got[n], &k)) &&
            worked(r, "public key", pk_put_point(k, &point)) &&
            same(r, "public key", wr_view_of(&point), vector_hex(json_string_value(json_array_get(keys, n))));
        pk_free(&k);
        if (!good)
            return false;
    }
    return true;
}

static enum verdict certificate_store(struct run *r, const json_t *row)
{
    struct view certificates[CERTIFICATE_CHAIN_MAX], store;
    size_t count = 0;
    if (!tlv_find(vector_bytes(row, "BF21"), 0xBF21, &store))
        return verdict(r, FAIL, "no BF21");
    return worked(r, "BF21", certificates_split(store, certificates, CERTIFICATE_CHAIN_MAX, &count)) &&
                   check_certificates(r, row, certificates, count)
               ? PASS
               : FAIL;
}

const struct check checks_host_scp11[] = {
    {"host", "SCP11a", NULL, scp11_session},
    {"host", "SCP11b", NULL, scp11_session},
    {"host", "SCP11c", NULL, scp11_session},
    {"host", "SCP11", NULL, certificate_store},
    {NULL, NULL, NULL, NULL},
};
