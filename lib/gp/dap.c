/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes, verifies and takes apart DAP blocks and load files. */
#include <gp/dap.h>

#include <tlv/tlv.h>

enum {
    TAG_DAP_BLOCK = 0xE2,
    TAG_AID = 0x4F,
    TAG_SIGNATURE = 0xC3,
    TAG_LOAD_FILE = 0xC4,
    TAG_ICV = 0xD3,
    TAG_CIPHERED = 0xD4
};

static const char *const digest_names[DIGEST_COUNT] = {[DIGEST_SHA1] = "sha1",
                                                       [DIGEST_SHA256] = "sha256",
                                                       [DIGEST_SHA384] = "sha384",
                                                       [DIGEST_SHA512] = "sha512"};

const char *dap_digest_name(enum digest d)
{
    return d < DIGEST_COUNT ? digest_names[d] : "?";
}

enum err dap_digest_by_name(struct view name, enum digest *out)
{
    for (enum digest d = DIGEST_SHA1; d < DIGEST_COUNT; d++) {
        if (!view_equal(name, view_str(digest_names[d])))
            continue;
        *out = d;
        return OK;
    }
    return ERR_NOT_FOUND;
}

enum err dap_digest_by_len(size_t len, enum digest *out)
{
    for (enum digest d = DIGEST_SHA1; d < DIGEST_COUNT; d++) {
        if (crypto_digest_len(d) != len)
            continue;
        *out = d;
        return OK;
    }
    return ERR_NOT_FOUND;
}

static bool is_aid(struct view v)
{
    return v.len >= AID_MIN && v.len <= AID_MAX;
}

enum err dap_put(struct writer *w, struct view domain, struct view signature)
{
    size_t mark;
    if (!is_aid(domain) || signature.len == 0 || signature.len > SIGNATURE_MAX)
        return ERR_ARGUMENT;
    tlv_open(w, TAG_DAP_BLOCK, &mark);
    tlv_put(w, TAG_AID, domain);
    tlv_put(w, TAG_SIGNATURE, signature);
    tlv_close(w, mark);
    return wr_status(w);
}

enum err dap_sign(struct crypto *c, const struct signature_key *key, struct view hash, struct view domain,
                  struct writer *w)
{
    uint8_t memory[SIGNATURE_MAX];
    struct writer signature;
    enum digest d;
    wr_fixed(&signature, memory, sizeof(memory));
    if (dap_digest_by_len(hash.len, &d) != OK)
        return ERR_ARGUMENT;
    enum err e = signature_make(c, key, &hash, 1, &signature);
    return e == OK ? dap_put(w, domain, wr_view_of(&signature)) : e;
}

enum err dap_verify(struct crypto *c, const struct signature_key *key, struct view hash,
                    struct view signature)
{
    enum digest d;
    if (dap_digest_by_len(hash.len, &d) != OK)
        return ERR_ARGUMENT;
    return signature_check(c, key, &hash, 1, signature);
}

/* The names that the field's signing tools give: dap.<key>.<hash>. */
static const struct {
    const char *name;
    enum signature_kind kind;
} entry_keys[] = {
    {"rsa", SIGNATURE_RSA_SHA1}, {"rsapss", SIGNATURE_RSA_PSS}, {"p256", SIGNATURE_ECDSA},
    {"p384", SIGNATURE_ECDSA},   {"p521", SIGNATURE_ECDSA},     {"aes", SIGNATURE_AES},
    {"des", SIGNATURE_DES},
};

/* Up to the next ".", which is taken too; or to the end. */
static struct view take_part(struct reader *r)
{
    struct reader look = *r;
    size_t len = 0;
    while (rd_left(&look) > 0 && rd_peek(&look) != '.') {
        rd_u8(&look);
        len++;
    }
    struct view part = rd_view(r, len);
    if (rd_left(r) > 0)
        rd_u8(r);
    return part;
}

enum err dap_entry_name(struct view name, struct dap_entry_name *out)
{
    static const char folder[] = "META-INF/";
    struct reader r;
    struct dap_entry_name made = {.kind = SIGNATURE_KIND_COUNT};
    rd_init(&r, view_starts(name, view_str(folder)) ? view_tail(name, sizeof(folder) - 1) : name);
    if (!view_equal(take_part(&r), view_str("dap")))
        return ERR_NOT_FOUND;
    struct view key = take_part(&r), hash = take_part(&r);
    for (size_t n = 0; n < sizeof(entry_keys) / sizeof(entry_keys[0]); n++)
        if (view_equal(key, view_str(entry_keys[n].name)))
            made.kind = entry_keys[n].kind;
    if (made.kind == SIGNATURE_KIND_COUNT || rd_left(&r) > 0 || dap_digest_by_name(hash, &made.digest) != OK)
        return ERR_NOT_FOUND;
    *out = made;
    return OK;
}

const struct cap_signature *dap_of_cap(const struct cap *cap, enum digest digest)
{
    struct dap_entry_name name;
    for (size_t n = 0; n < cap->signature_count; n++)
        if (dap_entry_name(view_str(cap->signatures[n].name), &name) == OK && name.digest == digest)
            return &cap->signatures[n];
    return NULL;
}

static enum err put_encrypted(struct writer *w, struct crypto *c, enum key_type type, struct view key,
                              struct view icv, struct view padded)
{
    uint8_t iv[AES_BLOCK] = {0};
    struct writer to;
    wr_fixed(&to, iv, sizeof(iv));
    wr_view(&to, icv);
    tlv_put_tag(w, TAG_CIPHERED);
    tlv_put_length(w, padded.len);
    uint8_t *made = wr_reserve(w, padded.len);
    if (made == NULL)
        return ERR_LIMIT;
    return type == KEY_AES ? crypto_aes_cbc_encrypt(c, key, iv, padded, made)
                           : crypto_des3_cbc_encrypt(c, key, iv, padded, made);
}

enum err load_file_put_ciphered(struct writer *w, struct crypto *c, enum key_type type, struct view key,
                                struct view icv, struct view block)
{
    enum { PADDING = 0x80 };
    struct writer padded;
    size_t unit = type == KEY_AES ? AES_BLOCK : DES_BLOCK;
    if ((icv.len != 0 && icv.len != unit) || (type != KEY_AES && type != KEY_DES3))
        return ERR_ARGUMENT;
    wr_heap(&padded, LOAD_FILE_MAX + AES_BLOCK);
    wr_view(&padded, block);
    wr_u8(&padded, PADDING); /* B.1.3, B.2.3 */
    while (wr_ok(&padded) && padded.len % unit != 0)
        wr_u8(&padded, 0);
    if (icv.len > 0)
        tlv_put(w, TAG_ICV, icv);
    enum err e = wr_status(&padded);
    if (e == OK)
        e = put_encrypted(w, c, type, key, icv, wr_view_of(&padded));
    wr_free(&padded);
    return e;
}

/* 4F and C3, in this order and nothing else. */
static enum err take_dap(struct load_file *f, struct view v)
{
    struct reader r;
    struct tlv aid = {.tag = 0}, signature = {.tag = 0};
    rd_init(&r, v);
    if (!tlv_next(&r, &aid) || !tlv_next(&r, &signature) || !rd_done(&r))
        return ERR_FORMAT;
    if (aid.tag != TAG_AID || !is_aid(aid.value) || signature.tag != TAG_SIGNATURE ||
        signature.value.len == 0 || signature.value.len > SIGNATURE_MAX)
        return ERR_FORMAT;
    if (f->dap_count == DAP_BLOCKS_MAX)
        return ERR_LIMIT;
    f->daps[f->dap_count++] = (struct dap_block){.domain = aid.value, .signature = signature.value};
    return OK;
}

/* Table 11-58: any number of E2, then C4; or D3 (may be left out) and D4. */
enum err load_file_parse(struct view v, struct load_file *out)
{
    struct reader r;
    struct tlv object = {.tag = 0};
    struct load_file f = {.dap_count = 0};
    rd_init(&r, v);
    bool there = tlv_next(&r, &object);
    while (there && object.tag == TAG_DAP_BLOCK) {
        enum err e = take_dap(&f, object.value);
        if (e != OK)
            return e;
        there = tlv_next(&r, &object);
    }
    if (there && object.tag == TAG_ICV) {
        f.icv = object.value;
        there = tlv_next(&r, &object);
        if (object.tag != TAG_CIPHERED)
            return ERR_FORMAT;
    }
    f.ciphered = object.tag == TAG_CIPHERED;
    f.block = object.value;
    if (!there || !rd_done(&r) || (!f.ciphered && object.tag != TAG_LOAD_FILE))
        return ERR_FORMAT;
    *out = f;
    return OK;
}
