/* SPDX-License-Identifier: Apache-2.0
 *
 * Content management as the virtual card sees it: load files and what protects them, tokens, receipts. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include <tlv/tlv.h>

#include "authority.h"
#include "channel.h"
#include "keypair.h"
#include "loadfile.h"
#include "signature.h"

enum { ROOM = 1024 * 1024 };

/* ---- keys ---- */

static const json_t *find_key_row(const struct run *r, const char *name)
{
    const json_t *row;
    size_t n;
    json_array_foreach(r->rows, n, row)
    {
        const char *have = vector_text(row, "name");
        if (vector_is(row, "key") && have != NULL && strcmp(have, name) == 0)
            return row;
    }
    return NULL;
}

static const struct {
    const char *curve;
    uint8_t parameter;
} curves[] = {{"secp256r1", CURVE_P256},
              {"secp384r1", CURVE_P384},
              {"secp521r1", CURVE_P521},
              {"brainpoolP256r1", CURVE_BRAINPOOL_P256R1}};

static bool set_data(struct card_key *k, const struct writer *w)
{
    if (!wr_ok(w) || w->len == 0 || w->len > CARD_KEY_MAX)
        return false;
    k->data = malloc(w->len);
    if (k->data == NULL)
        return false;
    memcpy(k->data, w->data, w->len);
    k->len = (uint16_t)w->len;
    return true;
}

static bool put_rsa(const json_t *row, bool private_half, struct card_key *k, struct writer *w)
{
    struct pk_rsa_parts parts = {.n = vector_bytes(row, "n"), .e = vector_bytes(row, "e")};
    struct pk *key = NULL;
    k->type = private_half ? CARD_KEY_RSA_PRIVATE : CARD_KEY_RSA_PUBLIC;
    parts.d = vector_bytes(row, "d");
    parts.p = vector_bytes(row, "p");
    parts.q = vector_bytes(row, "q");
    parts.dp = vector_bytes(row, "dp");
    parts.dq = vector_bytes(row, "dq");
    parts.qinv = vector_bytes(row, "qinv");
    if (!private_half) {
        wr_view16(w, parts.e);
        wr_view16(w, parts.n);
        return true;
    }
    bool good = pk_rsa_private(&parts, &key) == OK && pk_put_pkcs8(key, w) == OK;
    pk_free(&key);
    return good;
}

static bool put_curve(const json_t *row, bool private_half, struct card_key *k, struct writer *w)
{
    const char *name = vector_text(row, "curve");
    k->type = private_half ? CARD_KEY_ECC_PRIVATE : CARD_KEY_ECC_PUBLIC;
    wr_view(w, vector_bytes(row, private_half ? "d" : "q"));
    for (size_t n = 0; n < sizeof(curves) / sizeof(curves[0]); n++) {
        if (name == NULL || strcmp(curves[n].curve, name) != 0)
            continue;
        k->parameter = curves[n].parameter;
        return true;
    }
    return false;
}

/* The key that a row names, as the card keeps it. To be freed. */
static bool key_of(const struct run *r, const json_t *row, bool private_half, struct card_key *k)
{
    const char *name = vector_text(row, "key");
    const json_t *key = name != NULL ? find_key_row(r, name) : NULL;
    const char *kind = key != NULL ? vector_text(key, "kty") : NULL;
    struct writer w;
    bool good = kind != NULL;
    memset(k, 0, sizeof(*k));
    wr_heap(&w, CARD_KEY_MAX);
    if (good && strcmp(kind, "RSA") == 0) {
        good = put_rsa(key, private_half, k, &w);
    } else if (good && strcmp(kind, "EC") == 0) {
        good = put_curve(key, private_half, k, &w);
    } else if (good) {
        k->type = strcmp(kind, "AES") == 0 ? CARD_KEY_AES : CARD_KEY_DES;
        wr_view(&w, vector_bytes(key, "value"));
    }
    good = good && set_data(k, &w);
    wr_free(&w);
    return good;
}

static void key_end(struct card_key *k)
{
    if (k->data != NULL)
        wipe(k->data, k->len);
    free(k->data);
}

/* Right as it is, and wrong with any one bit turned at either end. */
static bool check_signature(struct run *r, const struct card_key *k, struct view data, struct view signature)
{
    uint8_t turned[DAP_SIGNATURE_MAX];
    if (!worked(r, "signature", card_signature_check(r->crypto, k, data, signature)))
        return false;
    r->compared++;
    memcpy(turned, signature.data, signature.len);
    turned[signature.len - 1] ^= 1;
    return same_number(r, "turned signature",
                       card_signature_check(r->crypto, k, data, view_of(turned, signature.len)), ERR_AUTH);
}

/* Made again: the same bytes where the scheme has no random numbers; else what is made is right. */
static bool check_made(struct run *r, const json_t *row, const struct card_key *private_key,
                       const struct card_key *public_key, struct view data, struct view want)
{
    struct writer w;
    wr_heap(&w, RAPDU_MAX);
    bool good = worked(r, "signing", card_signature_make(r->crypto, private_key, data, &w));
    if (good && json_is_true(json_object_get(row, "deterministic")))
        good = same(r, "signature", wr_view_of(&w), want);
    else if (good)
        good = worked(r, "own signature", card_signature_check(r->crypto, public_key, data, wr_view_of(&w)));
    wr_free(&w);
    return good;
}

/* ---- load files ---- */

static bool check_digests(struct run *r, const json_t *row, struct view block)
{
    static const char *const names[DIGEST_COUNT] = {"sha1", "sha256", "sha384", "sha512"};
    for (int d = 0; d < DIGEST_COUNT; d++) {
        uint8_t hash[DIGEST_MAX];
        if (!worked(r, names[d], crypto_digest(r->crypto, (enum digest)d, &block, 1, hash)) ||
            !same(r, names[d], view_of(hash, crypto_digest_len((enum digest)d)), vector_bytes(row, names[d])))
            return false;
    }
    return true;
}

static enum verdict load_file_hash(struct run *r, const json_t *row)
{
    struct loadfile lf;
    struct view block = vector_bytes(row, "lfdb");
    loadfile_init(&lf, ROOM);
    bool good = same_number(r, "header", loadfile_feed(&lf, vector_bytes(row, "c4_header")), 0x9000) &&
                same_number(r, "block", loadfile_feed(&lf, block), 0x9000) &&
                same_number(r, "complete", loadfile_complete(&lf), 1) &&
                same(r, "load file data block", wr_view_of(&lf.data), block) &&
                check_digests(r, row, wr_view_of(&lf.data));
    loadfile_finish(&lf);
    return good ? PASS : FAIL;
}

static enum verdict dap(struct run *r, const json_t *row)
{
    struct loadfile lf;
    struct card_key k;
    struct view hash = vector_bytes(row, "lfdbh"), signature = vector_bytes(row, "signature");
    loadfile_init(&lf, ROOM);
    bool good = key_of(r, row, false, &k) &&
                same_number(r, "load file", loadfile_feed(&lf, vector_bytes(row, "load_file")), 0x9000) &&
                same_number(r, "complete", loadfile_complete(&lf), 1) &&
                same_number(r, "DAP blocks", lf.dap_count, 1) &&
                same(r, "security domain", card_aid_view(&lf.daps[0].domain), vector_bytes(row, "sd_aid")) &&
                same(r, "signature", view_of(lf.daps[0].signature, lf.daps[0].signature_len), signature) &&
                check_signature(r, &k, hash, view_of(lf.daps[0].signature, lf.daps[0].signature_len));
    loadfile_finish(&lf);
    key_end(&k);
    return good ? PASS : FAIL;
}

/* The plain block is that of the row with the hash of the same CAP. */
static struct view plain_block(const struct run *r, const json_t *wanted)
{
    const char *cap = vector_text(wanted, "cap");
    const json_t *row;
    size_t n;
    json_array_foreach(r->rows, n, row)
    {
        const char *have = vector_text(row, "cap");
        if (vector_is(row, "lfdbh") && have != NULL && cap != NULL && strcmp(have, cap) == 0 &&
            !json_is_true(json_object_get(row, "descriptor_included")))
            return vector_bytes(row, "lfdb");
    }
    return VIEW_NULL;
}

static bool check_plain(struct run *r, const struct card_key *k, struct loadfile *lf, struct view want)
{
    struct view key = view_of(k->data, k->len), in = wr_view_of(&lf->data);
    bool des = k->type == CARD_KEY_DES;
    enum err e = des ? crypto_des3_cbc_decrypt(r->crypto, key, lf->icv, in, lf->data.data)
                     : crypto_aes_cbc_decrypt(r->crypto, key, lf->icv, in, lf->data.data);
    long len = e == OK ? card_unpad(wr_view_of(&lf->data), des ? DES_BLOCK : AES_BLOCK) : -1;
    return worked(r, "decryption", e) && same_number(r, "length", (unsigned long)len, want.len) &&
           same(r, "load file data block", view_head(wr_view_of(&lf->data), want.len), want);
}

static enum verdict ciphered(struct run *r, const json_t *row)
{
    struct loadfile lf;
    struct card_key k;
    struct view icv = vector_bytes(row, "d3"), cipher = vector_bytes(row, "ciphertext");
    loadfile_init(&lf, ROOM);
    bool good = key_of(r, row, false, &k) &&
                same_number(r, "ICV", icv.len == 0 ? 0x9000 : loadfile_feed(&lf, icv), 0x9000) &&
                same_number(r, "header", loadfile_feed(&lf, vector_bytes(row, "d4_header")), 0x9000) &&
                same_number(r, "cipher text", loadfile_feed(&lf, cipher), 0x9000) &&
                same_number(r, "complete", loadfile_complete(&lf) && lf.ciphered, 1) &&
                check_plain(r, &k, &lf, plain_block(r, row));
    loadfile_finish(&lf);
    key_end(&k);
    return good ? PASS : FAIL;
}

/* ---- tokens ---- */

/* One command of a chain after the other is joined (GPCS 2.3.1 11.1.5.1). *last: P1 and P2 of the last. */
static size_t join_command(const json_t *commands, size_t from, struct writer *data, uint8_t last[2])
{
    size_t n = from;
    for (bool more = true; more && n < json_array_size(commands); n++) {
        struct apdu a;
        if (apdu_parse(vector_hex(json_string_value(json_array_get(commands, n))), &a) != OK)
            return 0;
        wr_view(data, a.data);
        more = (a.p1 & 0x80) != 0;
        last[0] = a.p1 & 0x7F;
        last[1] = a.p2;
    }
    return n;
}

/* Taken apart and put together again, where the source has what is signed alone. */
static bool put_again(struct view input, struct writer *out)
{
    struct reader r;
    rd_init(&r, input);
    while (rd_left(&r) != 0) {
        uint8_t p1 = rd_u8(&r), p2 = rd_u8(&r);
        size_t len = rd_u8(&r);
        if (len == 0)
            len = rd_u16(&r);
        card_token_put_command(out, p1, p2, rd_view(&r, len));
    }
    return rd_done(&r);
}

static enum verdict token_input(struct run *r, const json_t *row)
{
    struct writer w;
    struct view want = vector_bytes(row, "token_input");
    wr_heap(&w, 2 * CAPDU_MAX);
    bool good = put_again(want, &w) && same(r, "what is signed", wr_view_of(&w), want);
    wr_free(&w);
    return good ? PASS : FAIL;
}

/* What the commands sign: every command without its token, which the last one has. */
static bool put_signed(struct run *r, const json_t *row, struct view token, struct writer *out)
{
    const json_t *commands = json_object_get(row, "plain_commands_with_token");
    size_t count = json_array_size(commands);
    bool good = true;
    if (count == 0)
        return put_again(vector_bytes(row, "token_input"), out);
    for (size_t n = 0; good && n < count;) {
        struct writer data;
        uint8_t last[2] = {0, 0};
        wr_heap(&data, CAPDU_MAX);
        n = join_command(commands, n, &data, last);
        /* A token has its length in front, in DELETE its tag, too; without one a length of 00 stands. */
        struct view all = wr_view_of(&data);
        bool has = n == count;
        size_t behind = has ? tlv_header_len(0x04, token.len) - 1 + token.len : 1;
        struct view at = view_tail(all, all.len - (has ? token.len : 0));
        if (has && all.len > behind && all.data[all.len - behind - 1] == 0x9E &&
            vector_text(row, "kind") != NULL && strncmp(vector_text(row, "kind"), "delete", 6) == 0)
            behind++;
        good = n != 0 && all.len > behind && (!has || same(r, "token in the command", at, token));
        if (good)
            card_token_put_command(out, last[0], last[1], view_head(all, all.len - behind));
        wr_free(&data);
    }
    return good;
}

static enum verdict token(struct run *r, const json_t *row)
{
    struct card_key k, private_key;
    struct writer w;
    struct view want = vector_bytes(row, "token");
    wr_heap(&w, 2 * CAPDU_MAX);
    bool keys = key_of(r, row, false, &k);
    keys = key_of(r, row, true, &private_key) && keys;
    bool good = keys && put_signed(r, row, want, &w) &&
                same(r, "what is signed", wr_view_of(&w), vector_bytes(row, "token_input")) &&
                check_signature(r, &k, wr_view_of(&w), want) &&
                check_made(r, row, &private_key, &k, wr_view_of(&w), want);
    wr_free(&w);
    key_end(&k);
    key_end(&private_key);
    return good ? PASS : FAIL;
}

/* ---- receipts ---- */

static enum verdict receipt(struct run *r, const json_t *row)
{
    struct card_key k, private_key;
    struct writer data, answer;
    struct view input = vector_bytes(row, "receipt_input"), want = vector_bytes(row, "receipt");
    struct view response = vector_bytes(row, "response_with_receipt");
    wr_heap(&data, CAPDU_MAX);
    wr_heap(&answer, CAPDU_MAX);
    bool keys = key_of(r, row, false, &k);
    keys = key_of(r, row, true, &private_key) && keys;
    card_confirmation_put_data(&data, (uint16_t)vector_int(row, "counter"),
                               vector_bytes(row, "sd_unique_data"), vector_bytes(row, "token_identifier"));
    card_confirmation_put(&answer, want, wr_view_of(&data));
    wr_u16(&answer, 0x9000);
    bool good = keys &&
                same(r, "confirmation data", wr_view_of(&data), vector_bytes(row, "confirmation_data")) &&
                same(r, "receipt input", view_head(input, data.len), wr_view_of(&data)) &&
                (response.len == 0 || same(r, "response", wr_view_of(&answer), response)) &&
                check_signature(r, &k, input, want) && check_made(r, row, &private_key, &k, input, want);
    wr_free(&data);
    wr_free(&answer);
    key_end(&k);
    key_end(&private_key);
    return good ? PASS : FAIL;
}

const struct check checks_card_content[] = {
    {"card", NULL, "lfdbh", load_file_hash},
    {"card", NULL, "dap", dap},
    {"card", NULL, "ciphered_load", ciphered},
    {"card", NULL, "token", token},
    {"card", NULL, "token_input", token_input},
    {"card", NULL, "receipt", receipt},
    {NULL, NULL, NULL, NULL},
};
