/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines dap and load: INSTALL [for load], DAP blocks, and the load file in blocks. */
#include <plan/build.h>

#include <tlv/tlv.h>

#include <string.h>

enum {
    DATA_MAX = 255, /* of a short command */
    TAG_SYSTEM = 0xEF,
    FILE_MAX = LOAD_FILE_MAX + DAP_BLOCKS_MAX * (SIGNATURE_MAX + 64) + 8
};

static enum err compute_hash(struct builder *b, enum digest d, uint8_t out[DIGEST_MAX])
{
    struct crypto *own = NULL;
    enum err e = OK;
    if (b->crypto == NULL)
        e = crypto_new(&own);
    if (e == OK)
        e = cap_hash(b->cap, own != NULL ? own : b->crypto, d, out);
    crypto_free(&own);
    return e;
}

/* digest: DIGEST_COUNT when the line has none. */
static enum err load_hash(struct builder *b, const struct value *v, enum digest *digest,
                          uint8_t out[DIGEST_MAX], size_t *len)
{
    *len = 0;
    *digest = DIGEST_COUNT;
    if (!v->given)
        return OK;
    if (dap_digest_by_name(v->text, digest) != OK)
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "%s is no hash; sha1, sha256, sha384 and sha512 are",
                              plan_shown(v->text).text);
    if (!capability_has_hash(&b->capabilities, *digest))
        return plan_refuse_at(b->why, ERR_UNSUPPORTED, v->at, "the card does not know %s for load files",
                              dap_digest_name(*digest));
    enum err e = compute_hash(b, *digest, out);
    if (e != OK)
        return plan_refuse_at(b->why, e, v->at, "the hash can't be computed: %s", err_text(e));
    *len = crypto_digest_len(*digest);
    return OK;
}

/* GPCS 2.3.1 table 11-48: the field is EF with C6 (code), C7 and C8 (volatile and non-volatile data) in it.
 */
static enum err load_parameters(struct builder *b, const struct value *v, uint8_t out[DATA_MAX], size_t *len)
{
    struct view ignored;
    enum err e = value_bytes(v, out, DATA_MAX, len, b->why);
    if (e != OK)
        return e;
    struct view made_of = view_of(out, *len);
    if (*len > 0 && (!tlv_valid(made_of) || !tlv_find(made_of, TAG_SYSTEM, &ignored)))
        return plan_refuse_at(b->why, ERR_FORMAT, v->at,
                              "load parameters are a TLV object EF, e.g. EF04C6020400");
    return OK;
}

static enum err load_domain(struct builder *b, const struct step *s, struct aid *out)
{
    *out = (struct aid){.len = 0};
    return s->value[WORD_DOMAIN].given ? value_aid(&s->value[WORD_DOMAIN], out, b->why) : OK;
}

static enum err install_for_load(struct builder *b, const struct step *s, enum digest *digest)
{
    uint8_t hash[DIGEST_MAX], parameters[DATA_MAX];
    size_t hash_len = 0, parameters_len = 0;
    struct word_bytes token;
    struct aid domain;
    struct apdu a;
    enum err e = load_hash(b, &s->value[WORD_HASH], digest, hash, &hash_len);
    if (e == OK)
        e = load_parameters(b, &s->value[WORD_PARAMETERS], parameters, &parameters_len);
    if (e == OK)
        e = load_domain(b, s, &domain);
    if (e == OK)
        e = word_bytes(b, s, WORD_TOKEN, &token);
    if (e != OK)
        return e;
    if (hash_len == 0 && (token.len > 0 || b->dap_count > 0)) /* 11.5.2.3.1 */
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "a load with a token or a DAP block needs hash=");
    const struct install i = {.purpose = INSTALL_LOAD,
                              .package = aid_view(&b->cap->package.aid),
                              .domain = aid_view(&domain),
                              .hash = view_of(hash, hash_len),
                              .parameters = view_of(parameters, parameters_len),
                              .token = word_view(&token)};
    wr_clear(&b->scratch);
    e = command_install_any(&a, &b->scratch, &i);
    return e == OK ? build_put(b, &a, s->at) : build_refuse(b, e, s->at, "INSTALL [for load]");
}

/* --- DAP blocks */

enum err build_dap(struct builder *b, const struct step *s)
{
    struct aid domain;
    if (b->loading)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "dap stands before load");
    if (b->dap_count == DAP_BLOCKS_MAX)
        return plan_refuse_at(b->why, ERR_LIMIT, s->at, "more than %d DAP blocks", DAP_BLOCKS_MAX);
    b->daps[b->dap_count++] = *s;
    return value_aid(&s->value[WORD_DOMAIN], &domain, b->why);
}

/* The line's own signature, or the one that came with the CAP file over the same hash. */
static enum err dap_signature(struct builder *b, const struct step *s, enum digest digest,
                              struct word_bytes *out)
{
    if (s->value[WORD_SIGNATURE].given)
        return word_bytes(b, s, WORD_SIGNATURE, out);
    const struct cap_signature *found = dap_of_cap(b->cap, digest);
    if (found == NULL)
        return plan_refuse_at(
            b->why, ERR_NOT_FOUND, s->at,
            "the CAP file brings no signature over its %s: give signature=", dap_digest_name(digest));
    memcpy(out->data, found->data, found->len);
    out->len = found->len;
    return OK;
}

/* In front of the load file data block (11.6.2.3). */
static enum err put_daps(struct builder *b, enum digest digest, struct writer *file)
{
    enum err e = OK;
    for (size_t n = 0; n < b->dap_count && e == OK; n++) {
        struct word_bytes signature;
        struct aid domain;
        e = value_aid(&b->daps[n].value[WORD_DOMAIN], &domain, b->why);
        if (e == OK)
            e = dap_signature(b, &b->daps[n], digest, &signature);
        if (e == OK && dap_put(file, aid_view(&domain), word_view(&signature)) != OK)
            e = plan_refuse_at(b->why, ERR_FORMAT, b->daps[n].at, "a signature has 1 to %d bytes",
                               SIGNATURE_MAX);
    }
    b->dap_count = 0;
    return e;
}

/* --- Blocks */

/* The smallest size with which 256 blocks are enough, in steps of a kilobyte: readers and cards are slower
 * with long commands, and some have short buffers. 0: more than the card says, or than is possible. */
static size_t extended_block(const struct builder *b, size_t len)
{
    enum { STEP = 1024, OVERHEAD = 32 /* MAC and padding, S16 too */, MOST = 32 * STEP };
    size_t size = STEP, most = MOST;
    if (b->command_data_max > DATA_MAX)
        most = b->command_data_max > OVERHEAD ? b->command_data_max - OVERHEAD : 0;
    while (size <= most && command_file_blocks(len, size) == 0)
        size += STEP;
    if (size > most && command_file_blocks(len, most) != 0)
        size = most;
    return size <= most ? size : 0;
}

/* Short blocks where they are enough: every card takes them. */
static size_t choose_block(const struct builder *b, size_t len)
{
    if (command_file_blocks(len, b->block_size) != 0)
        return b->block_size;
    return b->extended ? extended_block(b, len) : 0;
}

/* The last block says so also when it is full (GPCS 2.3.1 table 11-57). */
static enum err put_blocks(struct builder *b, struct view file, size_t block_size, struct position at)
{
    enum err e = OK;
    for (unsigned number = 0; file.len > 0 && e == OK; number++) {
        struct apdu a;
        struct view block = view_head(file, block_size);
        file = view_tail(file, block.len);
        command_load(&a, block, number, file.len == 0);
        a.extended = block_size > b->block_size;
        e = build_put(b, &a, at);
    }
    return e;
}

enum err build_load_file(struct builder *b, struct view file, struct position at)
{
    size_t size = choose_block(b, file.len);
    if (size == 0)
        return plan_refuse_at(
            b->why, ERR_LIMIT, at,
            "%zu bytes to load are more than %d blocks of %zu: blocks of extended length would be "
            "needed%s, or a smaller package",
            file.len, LOAD_BLOCKS_MAX, b->block_size, b->extended ? "" : ", which this card does not have");
    return put_blocks(b, file, size, at);
}

enum err build_load(struct builder *b, const struct step *s)
{
    struct writer file = {0};
    struct view load = wr_view_of(&b->cap->load);
    enum digest digest;
    if (b->loading)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "load is there twice");
    b->loading = true;
    enum err e = install_for_load(b, s, &digest);
    if (e != OK)
        return e;
    wr_heap(&file, FILE_MAX);
    e = put_daps(b, digest, &file);
    command_load_header(&file, load.len);
    wr_view(&file, load);
    if (e == OK)
        e = wr_ok(&file) ? build_load_file(b, wr_view_of(&file), s->at) : build_refuse_memory(b);
    wr_free(&file);
    return e;
}
