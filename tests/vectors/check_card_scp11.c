/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11 as the virtual card sees it: from the same request and secrets it must give the same session keys and
 * receipt, recover the plain commands and answer with the same bytes; and it must find the key in each
 * certificate. Where the source tells the card's private keys, the card agrees on the secrets itself. */
#include "run.h"

#include <apdu/apdu.h>
#include <tlv/tlv.h>

#include "certificate.h"
#include "channel_scp11.h"

static const struct card_scp11_variant *variant_of(const json_t *row)
{
    struct view kid = vector_bytes(row, "kid");
    return kid.len == 1 ? card_scp11_variant(kid.data[0]) : NULL;
}

/* The published transcripts call the second secret by different names. */
static struct view second_secret(const json_t *row)
{
    return vector_bytes(row, vector_has(row, "shsss") ? "shsss" : "shsss_or_shses");
}

static bool same_keys(struct run *r, const struct card_channel *ch, const json_t *row)
{
    const json_t *want = json_object_get(row, "session_keys");
    return same(r, "S-ENC", secret_view(&ch->s_enc), vector_bytes(want, "s_enc")) &&
           same(r, "S-MAC", secret_view(&ch->s_mac), vector_bytes(want, "s_mac")) &&
           same(r, "S-RMAC", secret_view(&ch->s_rmac), vector_bytes(want, "s_rmac")) &&
           same(r, "S-DEK", secret_view(&ch->s_dek), vector_bytes(want, "s_dek")) &&
           same(r, "chain", VIEW_OF(ch->chain), vector_bytes(row, "initial_mac_chaining_value"));
}

static bool same_answer(struct run *r, struct view answer, const json_t *row)
{
    struct view point, receipt;
    return worked(r, "answer",
                  tlv_find(answer, 0x5F49, &point) && tlv_find(answer, 0x86, &receipt) ? OK : ERR_FORMAT) &&
           same(r, "point", point, vector_bytes(row, "epk_sd")) &&
           same(r, "receipt", receipt, vector_bytes(row, "receipt"));
}

static enum err derive(struct run *r, const json_t *row, const struct card_scp11_request *q,
                       const struct card_scp11_self *self, struct card_channel *ch, struct writer *answer)
{
    struct secret shared[2];
    enum err e = secret_set(&shared[0], vector_bytes(row, "shsee"));
    if (e == OK)
        e = secret_set(&shared[1], second_secret(row));
    if (e == OK)
        e = card_scp11_derive(r->crypto, q, shared, self, vector_bytes(row, "epk_sd"), ch, answer);
    return e;
}

/* With the card's private keys. */
static enum err open_whole(struct run *r, const json_t *row, const struct card_scp11_variant *v,
                           const struct card_scp11_request *q, const struct card_scp11_self *self,
                           struct card_channel *ch, struct writer *answer)
{
    struct card_scp11_keys keys = {.own = NULL};
    enum err e = pk_ec_private(CURVE_P256, vector_bytes(row, "sk_sd_ecka"), &keys.own);
    if (e == OK && v->fresh)
        e = pk_ec_private(CURVE_P256, vector_bytes(row, "esk_sd"), &keys.fresh);
    if (e == OK && v->certificate)
        e = pk_ec_public(CURVE_P256, vector_bytes(row, "pk_oce_ecka"), &keys.host);
    if (e == OK)
        e = card_scp11_open(r->crypto, q, &keys, self, ch, answer);
    pk_free(&keys.own);
    pk_free(&keys.fresh);
    pk_free(&keys.host);
    return e;
}

static bool check_command(struct run *r, struct card_channel *ch, struct view wire, struct view plain)
{
    struct apdu command, want;
    struct writer data;
    wr_heap(&data, CAPDU_MAX);
    bool good = worked(r, "command", apdu_parse(wire, &command)) &&
                worked(r, "plain command", apdu_parse(plain, &want)) &&
                same_number(r, "status", card_scp11_ops.unwrap(r->crypto, ch, &command, &data), SW_OK) &&
                same(r, "data", wr_view_of(&data), want.data);
    wr_free(&data);
    return good;
}

static bool check_response(struct run *r, struct card_channel *ch, struct view plain, struct view wire)
{
    static const struct apdu command = {.cla = 0x80};
    struct rapdu response;
    struct writer out;
    wr_heap(&out, RAPDU_MAX);
    bool good = worked(r, "response", rapdu_parse(plain, &response)) &&
                worked(r, "response", card_scp11_ops.wrap_response(r->crypto, ch, &command, &response, &out));
    wr_u16(&out, SW_OK);
    good = good && same(r, "response", wr_view_of(&out), wire);
    wr_free(&out);
    return good;
}

/* One wrapped command in the published sessions, a row of them in the computed ones. */
static bool check_messaging(struct run *r, struct card_channel *ch, const json_t *row)
{
    const json_t *one = json_object_get(row, "wrapped_plain"), *x;
    size_t n;
    if (one != NULL)
        return check_command(r, ch, vector_bytes(one, "command_wrapped"),
                             vector_bytes(one, "command_plain")) &&
               check_response(r, ch, vector_bytes(one, "response_plain"),
                              vector_bytes(one, "response_wrapped"));
    json_array_foreach(json_object_get(row, "exchanges"), n, x)
    {
        if (!check_command(r, ch, vector_bytes(x, "c"), vector_bytes(x, "plain")) ||
            !check_response(r, ch, vector_bytes(x, "r_plain"), vector_bytes(x, "r")))
            return false;
    }
    return true;
}

/* The key in a certificate, or in the last one of a row of them. */
static bool check_certificates(struct run *r, struct view bytes, struct view want)
{
    struct card_certificate cert = {.x509 = false};
    struct reader rd;
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    struct pk *k = NULL;
    enum err e = OK;
    rd_init(&rd, bytes);
    while (e == OK && rd_left(&rd) != 0)
        e = card_certificate_next(&rd, &cert);
    wr_fixed(&point, memory, sizeof(memory));
    if (e == OK)
        e = cert.x509 ? pk_from_x509(cert.whole, &k) : pk_ec_public(cert.curve, cert.point, &k);
    if (e == OK)
        e = pk_put_point(k, &point);
    pk_free(&k);
    return worked(r, "certificate", e) && same(r, "key in the certificate", wr_view_of(&point), want);
}

static bool check_stores(struct run *r, const json_t *row)
{
    struct view store = vector_bytes(row, "sd_cert_store_BF21"), host = vector_bytes(row, "cert_oce"), value;
    if (host.len != 0 && !check_certificates(r, host, vector_bytes(row, "pk_oce_ecka")))
        return false;
    return store.len == 0 || (worked(r, "store", tlv_find(store, 0xBF21, &value) ? OK : ERR_FORMAT) &&
                              check_certificates(r, value, vector_bytes(row, "pk_sd_ecka")));
}

static enum verdict scp11_session(struct run *r, const json_t *row)
{
    const struct card_scp11_variant *v = variant_of(row);
    struct card_scp11_self self = {.mac_len = (uint8_t)vector_int(row, "mac_len")};
    struct card_scp11_request q;
    struct card_channel ch = {0};
    struct writer answer;
    wr_heap(&answer, RAPDU_MAX);
    bool whole = vector_has(row, "sk_sd_ecka");
    bool good = v != NULL &&
                same_number(r, "request",
                            card_scp11_read_request(vector_bytes(row, "mutual_auth_data"), v, &q), SW_OK);
    good = good && worked(r, "session",
                          whole ? open_whole(r, row, v, &q, &self, &ch, &answer)
                                : derive(r, row, &q, &self, &ch, &answer));
    good = good && same_keys(r, &ch, row) && same_answer(r, wr_view_of(&answer), row) &&
           check_messaging(r, &ch, row) && check_stores(r, row);
    wr_free(&answer);
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

static enum verdict scp11_store(struct run *r, const json_t *row)
{
    const json_t *want = json_object_get(row, "public_keys_in_order");
    struct view value, key = vector_hex(json_string_value(json_array_get(want, json_array_size(want) - 1)));
    return worked(r, "store", tlv_find(vector_bytes(row, "BF21"), 0xBF21, &value) ? OK : ERR_FORMAT) &&
                   check_certificates(r, value, key)
               ? PASS
               : FAIL;
}

const struct check checks_card_scp11[] = {
    {"card", "SCP11a", NULL, scp11_session},
    {"card", "SCP11b", NULL, scp11_session},
    {"card", "SCP11c", NULL, scp11_session},
    {"card", "SCP11", NULL, scp11_store},
    {NULL, NULL, NULL, NULL},
};
