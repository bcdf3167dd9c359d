/* SPDX-License-Identifier: Apache-2.0
 *
 * DAP blocks, tokens, receipts and the keys that they are made with, as the host makes and verifies them.
 * What is not deterministic is verified, and a signature of our own is verified in turn. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <gp/command.h>
#include <gp/dap.h>
#include <gp/keys.h>
#include <gp/token.h>
#include <tlv/tlv.h>

enum { LONG_MAX = 4096, SEGMENT = 255, PARTS_MAX = 8 };

/* ---- keys */

struct key {
    struct signature_key signature;
    struct pk *pk;
};

static const json_t *key_row(const struct run *r, const char *name)
{
    size_t n;
    const json_t *row;
    json_array_foreach(r->rows, n, row)
    {
        const char *found = vector_is(row, "key") ? vector_text(row, "name") : NULL;
        if (found != NULL && name != NULL && strcmp(found, name) == 0)
            return row;
    }
    return NULL;
}

static enum err read_rsa(const json_t *row, struct pk **out)
{
    const struct pk_rsa_parts parts = {.n = vector_bytes(row, "n"),
                                       .e = vector_bytes(row, "e"),
                                       .d = vector_bytes(row, "d"),
                                       .p = vector_bytes(row, "p"),
                                       .q = vector_bytes(row, "q"),
                                       .dp = vector_bytes(row, "dp"),
                                       .dq = vector_bytes(row, "dq"),
                                       .qinv = vector_bytes(row, "qinv")};
    return pk_rsa_private(&parts, out);
}

static enum err read_ec(const json_t *row, struct pk **out)
{
    static const struct {
        const char *name;
        enum pk_curve curve;
    } curves[] = {{"secp256r1", CURVE_P256},
                  {"secp384r1", CURVE_P384},
                  {"secp521r1", CURVE_P521},
                  {"brainpoolP256r1", CURVE_BRAINPOOL_P256R1}};
    for (size_t n = 0; n < sizeof(curves) / sizeof(curves[0]); n++)
        if (strcmp(curves[n].name, vector_text(row, "curve")) == 0)
            return pk_ec_private(curves[n].curve, vector_bytes(row, "d"), out);
    return ERR_UNSUPPORTED;
}

static enum err read_key(const json_t *row, struct key *out)
{
    const char *kty = row != NULL ? vector_text(row, "kty") : NULL;
    *out = (struct key){.pk = NULL};
    if (kty == NULL)
        return ERR_NOT_FOUND;
    if (strcmp(kty, "DES3") == 0 || strcmp(kty, "AES") == 0) {
        out->signature.kind = kty[0] == 'D' ? SIGNATURE_DES : SIGNATURE_AES;
        out->signature.secret = vector_bytes(row, "value");
        return OK;
    }
    enum err e = strcmp(kty, "RSA") == 0 ? read_rsa(row, &out->pk) : read_ec(row, &out->pk);
    if (e == OK)
        e = signature_kind_for(out->pk, &out->signature.kind);
    out->signature.pk = out->pk;
    return e;
}

static enum verdict key_row_itself(struct run *r, const json_t *row)
{
    uint8_t memory[LONG_MAX], other[LONG_MAX], kcv[3];
    struct writer a, b;
    struct key key;
    struct secret secret = {.len = 0};
    const char *kty = vector_text(row, "kty");
    enum verdict v = FAIL;
    wr_fixed(&a, memory, sizeof(memory));
    wr_fixed(&b, other, sizeof(other));
    if (!worked(r, "key", read_key(row, &key)))
        return FAIL;
    if (strcmp(kty, "RSA") == 0) {
        v = worked(r, "n and e", pk_put_rsa(key.pk, &a, &b)) &&
                    same(r, "n", wr_view_of(&a), vector_bytes(row, "n")) &&
                    same_number(r, "bits", pk_bits(key.pk), (unsigned long)vector_int(row, "bits"))
                ? PASS
                : FAIL;
    } else if (strcmp(kty, "EC") == 0) {
        v = worked(r, "point", pk_put_point(key.pk, &a)) &&
                    same(r, "q", wr_view_of(&a), vector_bytes(row, "q"))
                ? PASS
                : FAIL;
    } else {
        enum key_type type = kty[0] == 'D' ? KEY_DES3 : KEY_AES;
        v = worked(r, "secret", secret_set(&secret, key.signature.secret)) &&
                    worked(r, "check value", key_check_value(r->crypto, type, &secret, kcv)) &&
                    same(r, "check value", VIEW_OF(kcv), vector_bytes(row, "kcv"))
                ? PASS
                : FAIL;
    }
    pk_free(&key.pk);
    return v;
}

/* The vector's signature holds; where there is only one it is ours too, and ours holds; a changed one and a
 * signature over something else do not. */
static bool same_signature(struct run *r, const json_t *row, const struct signature_key *key,
                           struct view input, struct view want)
{
    uint8_t memory[SIGNATURE_MAX], changed[SIGNATURE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    if (!same_number(r, "length", signature_len(key), want.len) ||
        !worked(r, "verify", signature_check(r->crypto, key, &input, 1, want)) ||
        !worked(r, "sign", signature_make(r->crypto, key, &input, 1, &w)) ||
        !worked(r, "verify ours", signature_check(r->crypto, key, &input, 1, wr_view_of(&w))))
        return false;
    if (json_is_true(json_object_get(row, "deterministic")) && !same(r, "signature", wr_view_of(&w), want))
        return false;
    memcpy(changed, want.data, want.len);
    changed[want.len - 1] ^= 1;
    const struct view parts[] = {input, VIEW_OF(changed)};
    return same_number(r, "changed",
                       signature_check(r->crypto, key, &input, 1, view_of(changed, want.len)) == ERR_AUTH,
                       true) &&
           same_number(r, "of something longer", signature_check(r->crypto, key, parts, 2, want) == ERR_AUTH,
                       true);
}

/* ---- DAP */

static bool same_load_file(struct run *r, const json_t *row, struct view block)
{
    struct load_file file;
    struct view want = vector_bytes(row, "load_file"), hash = vector_bytes(row, "lfdbh");
    uint8_t computed[DIGEST_MAX];
    enum digest d;
    if (want.len == 0)
        return true;
    return worked(r, "load file", load_file_parse(want, &file)) &&
           same_number(r, "DAP blocks", file.dap_count, 1) &&
           same(r, "domain", file.daps[0].domain, vector_bytes(row, "sd_aid")) &&
           same(r, "signature", file.daps[0].signature, vector_bytes(row, "signature")) &&
           same(r, "DAP block in front", view_head(want, block.len), block) &&
           worked(r, "hash", dap_digest_by_len(hash.len, &d)) &&
           worked(r, "hash", crypto_digest(r->crypto, d, &file.block, 1, computed)) &&
           same(r, "hash", view_of(computed, hash.len), hash);
}

static enum verdict dap(struct run *r, const json_t *row)
{
    struct key key;
    uint8_t memory[SIGNATURE_MAX + 64];
    struct writer w;
    struct view hash = vector_bytes(row, "lfdbh"), signature = vector_bytes(row, "signature");
    wr_fixed(&w, memory, sizeof(memory));
    if (!worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    bool good = same_signature(r, row, &key.signature, hash, signature) &&
                worked(r, "DAP block", dap_put(&w, vector_bytes(row, "sd_aid"), signature)) &&
                same(r, "DAP block", wr_view_of(&w), vector_bytes(row, "dap_block")) &&
                same_load_file(r, row, wr_view_of(&w));
    pk_free(&key.pk);
    return good ? PASS : FAIL;
}

static enum verdict dap_negative(struct run *r, const json_t *row)
{
    struct key key;
    if (!worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    enum err e =
        dap_verify(r->crypto, &key.signature, vector_bytes(row, "lfdbh"), vector_bytes(row, "signature"));
    pk_free(&key.pk);
    return same_number(r, "outcome", (unsigned long)e, ERR_AUTH) ? PASS : FAIL;
}

static enum verdict dap_entry(struct run *r, const json_t *row)
{
    struct key key;
    struct dap_entry_name name;
    if (!worked(r, "name", dap_entry_name(view_str(vector_text(row, "zip_entry")), &name)) ||
        !worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    bool good =
        same_number(r, "kind", name.kind, key.signature.kind) &&
        same_number(r, "digest", crypto_digest_len(name.digest), vector_bytes(row, "lfdbh").len) &&
        worked(r, "verify",
               dap_verify(r->crypto, &key.signature, vector_bytes(row, "lfdbh"), vector_bytes(row, "value")));
    pk_free(&key.pk);
    return good ? PASS : FAIL;
}

/* The plain load file data block is that of lfdbh-1, by the name of its CAP file. */
static struct view plain_block(const struct run *r, const char *cap)
{
    size_t n;
    const json_t *row;
    json_array_foreach(
        r->rows, n,
        row) if (vector_is(row, "lfdbh") && strcmp(vector_text(row, "cap"), cap) == 0 &&
                 json_is_false(json_object_get(row, "descriptor_included"))) return vector_bytes(row, "lfdb");
    return VIEW_NULL;
}

static enum verdict ciphered(struct run *r, const json_t *row)
{
    struct key key;
    struct writer w;
    struct load_file file;
    struct view icv = vector_bytes(row, "d3").len > 0 ? vector_bytes(row, "icv") : VIEW_NULL;
    struct view block = plain_block(r, vector_text(row, "cap"));
    if (!worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    enum key_type type = key.signature.kind == SIGNATURE_AES ? KEY_AES : KEY_DES3;
    wr_heap(&w, LONG_MAX);
    bool good =
        worked(r, "encrypt", load_file_put_ciphered(&w, r->crypto, type, key.signature.secret, icv, block)) &&
        worked(r, "load file", load_file_parse(wr_view_of(&w), &file)) &&
        same_number(r, "ciphered", file.ciphered, true) && same(r, "initial value", file.icv, icv) &&
        same(r, "ciphertext", file.block, vector_bytes(row, "ciphertext"));
    wr_free(&w);
    return good ? PASS : FAIL;
}

/* ---- tokens */

/* The fields that stand in a token's input, in the order of INSTALL. */
static bool take_install(struct reader *r, struct install *i)
{
    static const uint8_t p1[INSTALL_PURPOSE_COUNT] = {0x02, 0x04, 0x08, 0x0C, 0x10, 0x20, 0x40, 0x0E, 0x0E};
    struct view field[4];
    *i = (struct install){.purpose = INSTALL_LOAD};
    uint8_t first = rd_u8(r), second = rd_u8(r);
    while (i->purpose < INSTALL_PURPOSE_COUNT && p1[i->purpose] != first)
        i->purpose++;
    if (first == 0x0E)
        i->purpose = second == 0x01 ? INSTALL_ALL_BEGIN : INSTALL_ALL_END;
    size_t len = rd_u8(r);
    struct reader data;
    rd_init(&data, rd_view(r, len == 0 ? rd_u16(r) : len));
    bool load = i->purpose == INSTALL_LOAD || i->purpose == INSTALL_ALL_BEGIN;
    for (size_t n = 0; n < (load ? 3U : 4U); n++)
        field[n] = rd_view8(&data, UINT8_MAX);
    i->parameters = rd_view(&data, tlv_length(&data));
    if (!rd_done(&data) || i->purpose >= INSTALL_PURPOSE_COUNT)
        return false;
    bool domain = i->purpose == INSTALL_EXTRADITION || i->purpose == INSTALL_REGISTRY_UPDATE;
    i->package = domain ? VIEW_NULL : field[0];
    i->domain = load ? field[1] : domain ? field[0] : VIEW_NULL;
    i->hash = load ? field[2] : VIEW_NULL;
    i->module = load ? VIEW_NULL : field[1];
    i->application = load ? VIEW_NULL : field[2];
    i->has_privileges = !load && field[3].len > 0;
    i->three_privileges = !load && field[3].len == sizeof(i->privileges.byte);
    if (i->has_privileges)
        memcpy(i->privileges.byte, field[3].data, field[3].len);
    return true;
}

static bool take_delete(struct view input, struct delete_content *d, struct view aids[PARTS_MAX])
{
    struct reader r;
    struct tlv object;
    rd_init(&r, input);
    rd_u8(&r);
    *d = (struct delete_content){.aids = aids, .related = rd_u8(&r) == 0x80};
    rd_u8(&r);
    while (tlv_next(&r, &object)) {
        if (object.tag == 0x4F && d->count < PARTS_MAX)
            aids[d->count++] = object.value;
        else
            d->control_reference = object.value;
    }
    return rd_done(&r);
}

/* The commands as the vector has them: short ones, in a chain where one is not enough. */
static bool same_chain(struct run *r, const struct apdu *whole, const json_t *want)
{
    size_t count = command_segments(whole, SEGMENT);
    if (!json_is_array(want))
        return true;
    if (!same_number(r, "commands", count, json_array_size(want)))
        return false;
    for (size_t n = 0; n < count; n++) {
        uint8_t memory[SEGMENT + 8];
        struct writer w;
        struct apdu part;
        wr_fixed(&w, memory, sizeof(memory));
        command_segment(&part, whole, SEGMENT, n);
        apdu_put(&w, &part);
        if (!same(r, "command", wr_view_of(&w), vector_hex(json_string_value(json_array_get(want, n)))))
            return false;
    }
    return true;
}

static bool is_delete(const json_t *row)
{
    return strncmp(vector_text(row, "kind"), "delete", 6) == 0;
}

static bool same_input(struct run *r, const json_t *row, struct apdu *command, struct writer *w)
{
    struct view want = vector_bytes(row, "token_input"), aids[PARTS_MAX];
    uint8_t memory[LONG_MAX];
    struct writer input;
    struct install first, second;
    struct delete_content d;
    struct reader in;
    enum err e = ERR_FORMAT;
    wr_fixed(&input, memory, sizeof(memory));
    rd_init(&in, want);
    if (is_delete(row) && take_delete(want, &d, aids)) {
        e = token_input_delete(&input, &d);
        d.token = vector_bytes(row, "token");
        if (e == OK)
            e = command_delete_content(command, w, &d);
    } else if (!is_delete(row) && take_install(&in, &first)) {
        bool two = first.purpose == INSTALL_ALL_BEGIN && take_install(&in, &second);
        e = two ? token_input_all(&input, &first, &second) : token_input_install(&input, &first);
        struct install *last = two ? &second : &first;
        last->token = vector_bytes(row, "token");
        if (e == OK)
            e = command_install_any(command, w, last);
    }
    return worked(r, "input", e) && same(r, "input", wr_view_of(&input), want);
}

static enum verdict token(struct run *r, const json_t *row)
{
    struct key key;
    struct apdu command;
    uint8_t memory[LONG_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    if (!worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    bool good =
        same_input(r, row, &command, &w) &&
        same_chain(r, &command, json_object_get(row, "plain_commands_with_token")) &&
        same_signature(r, row, &key.signature, vector_bytes(row, "token_input"), vector_bytes(row, "token"));
    pk_free(&key.pk);
    return good ? PASS : FAIL;
}

static enum verdict token_input(struct run *r, const json_t *row)
{
    struct apdu command;
    uint8_t memory[LONG_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    return same_input(r, row, &command, &w) ? PASS : FAIL;
}

/* A token of 128 bytes: 9E 81 80 and the token. (The vector's command is that of a test: data of one byte.)
 */
static enum verdict token_layout(struct run *r, const json_t *row)
{
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x00, 0x01}, signature[128],
                         header[] = {0x9E, 0x81, 0x80};
    uint8_t memory[LONG_MAX];
    struct writer w;
    struct apdu made;
    struct view aids = VIEW_OF(aid);
    const struct delete_content d = {.aids = &aids, .count = 1, .token = VIEW_OF(signature)};
    wr_fixed(&w, memory, sizeof(memory));
    if (strstr(vector_text(row, "facts"), "132 bytes") == NULL ||
        !worked(r, "DELETE", command_delete_content(&made, &w, &d)))
        return FAIL;
    struct view object = view_tail(made.data, 2 + sizeof(aid));
    return same_number(r, "length", 1 + object.len, 132) &&
                   same(r, "9E", view_head(object, 3), VIEW_OF(header))
               ? PASS
               : FAIL;
}

/* ---- receipts */

static bool about_of(const json_t *row, struct view rest, struct receipt_about *out)
{
    static const struct {
        const char *name;
        enum receipt_kind kind;
        size_t parts;
    } kinds[] = {{"load", RECEIPT_LOAD, 2},
                 {"install", RECEIPT_INSTALL, 2},
                 {"extradition", RECEIPT_EXTRADITION, 3},
                 {"registry_update", RECEIPT_REGISTRY_UPDATE, 5},
                 {"delete", RECEIPT_DELETE, 1},
                 {"combined", RECEIPT_ALL, 3}};
    struct view part[PARTS_MAX] = {{NULL, 0}};
    struct reader r;
    size_t n = 0;
    while (n < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[n].name, vector_text(row, "kind")) != 0)
        n++;
    if (n == sizeof(kinds) / sizeof(kinds[0]))
        return false;
    rd_init(&r, rest);
    for (size_t k = 0; k < kinds[n].parts; k++)
        part[k] = rd_view(&r, tlv_length(&r));
    *out = (struct receipt_about){.kind = kinds[n].kind};
    switch (out->kind) {
    case RECEIPT_LOAD:
        out->package = part[0], out->domain = part[1];
        break;
    case RECEIPT_INSTALL:
        out->package = part[0], out->application = part[1];
        break;
    case RECEIPT_DELETE:
        out->application = part[0];
        break;
    case RECEIPT_ALL:
        out->package = part[0], out->application = part[1], out->domain = part[2];
        break;
    default:
        out->old_domain = part[0], out->application = part[1], out->domain = part[2];
        out->privileges = part[3], out->parameters = part[4];
    }
    return rd_done(&r);
}

static bool same_receipt(struct run *r, const json_t *row, const struct receipt *receipt)
{
    return same(r, "receipt", receipt->signature, vector_bytes(row, "receipt")) &&
           same(r, "confirmation data", receipt->confirmation, vector_bytes(row, "confirmation_data")) &&
           same_number(r, "counter", receipt->counter, (unsigned long)vector_int(row, "counter")) &&
           same(r, "domain", receipt->domain_data, vector_bytes(row, "sd_unique_data")) &&
           same(r, "token identifier", receipt->token_identifier, vector_bytes(row, "token_identifier"));
}

static enum verdict receipt(struct run *r, const json_t *row)
{
    struct key key;
    struct receipt parsed;
    struct receipt_about about;
    uint8_t memory[LONG_MAX];
    struct writer input;
    struct rapdu answer;
    struct view want = vector_bytes(row, "receipt_input");
    wr_fixed(&input, memory, sizeof(memory));
    if (!worked(r, "key", read_key(key_row(r, vector_text(row, "key")), &key)))
        return FAIL;
    bool good = worked(r, "answer", rapdu_parse(vector_bytes(row, "response_with_receipt"), &answer)) &&
                worked(r, "receipt", receipt_parse(answer.data, &parsed)) && same_receipt(r, row, &parsed) &&
                about_of(row, view_tail(want, parsed.confirmation.len), &about) &&
                worked(r, "input", receipt_input(&input, &parsed, &about)) &&
                same(r, "input", wr_view_of(&input), want) &&
                worked(r, "verify", receipt_verify(r->crypto, &key.signature, &parsed, &about)) &&
                same_signature(r, row, &key.signature, want, vector_bytes(row, "receipt"));
    pk_free(&key.pk);
    return good ? PASS : FAIL;
}

const struct check checks_tokens[] = {
    {"host", NULL, "key", key_row_itself},        {"host", NULL, "dap", dap},
    {"host", NULL, "dap_negative", dap_negative}, {"host", NULL, "capfile_dap_entry", dap_entry},
    {"host", NULL, "ciphered_load", ciphered},    {"host", NULL, "token", token},
    {"host", NULL, "token_input", token_input},   {"host", NULL, "token_layout", token_layout},
    {"host", NULL, "receipt", receipt},           {NULL, NULL, NULL, NULL},
};
