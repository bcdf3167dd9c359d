/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL [for load] and LOAD (GPCS 2.3.1 11.5.2.3.1, 11.6, 9.3.5). Nothing of a package is remembered before
 * its last LOAD, so that a failed or broken load leaves nothing behind. */
#include <string.h>

#include <tlv/tlv.h>

#include "content.h"
#include "signature.h"

enum { LAST_BLOCK = 0x80, KVN_DAP = 0x73, KVN_CIPHERED_LOAD = 0x75, KID_FIRST = 1 };

/* ---- INSTALL [for load] ---- */

static bool hash_len_is_known(size_t len)
{
    for (int d = 0; d < DIGEST_COUNT; d++) {
        if (crypto_digest_len((enum digest)d) == len)
            return true;
    }
    return len == 0;
}

/* Table 11-42. */
struct load_fields {
    struct view aid, domain, hash, parameters;
    struct token_command token;
};

static bool read_load(struct view data, struct load_fields *f)
{
    struct reader r;
    memset(f, 0, sizeof *f);
    rd_init(&r, data);
    f->aid = rd_view8(&r, AID_MAX);
    f->domain = rd_view8(&r, AID_MAX);
    f->hash = rd_view8(&r, 0x7F);
    f->parameters = card_read_long_field(&r);
    f->token.parameters = f->parameters;
    return content_read_token(data, &r, &f->token) && content_is_aid(f->aid) && tlv_valid(f->parameters) &&
           hash_len_is_known(f->hash.len);
}

/* The security domain that the load file will belong to: the one that loads unless another is named, which
 * must be ready to take it over (9.3.5). */
static uint16_t find_domain(const struct card *card, struct view named, struct card_aid *out)
{
    struct card_aid domain = card->now->selected;
    if (named.len != 0 && !card_domain_named(&card->state, named, &domain))
        return SW_REFERENCED_DATA;
    if (!card_domain_is_personalized(&card->state, card_aid_view(&domain)))
        return SW_CONDITIONS;
    *out = domain;
    return SW_OK;
}

static uint16_t begin_load(struct card *card, const struct load_fields *f, const struct authority *auth)
{
    struct loading *l = &card->loading;
    struct card_aid domain;
    uint16_t sw = find_domain(card, f->domain, &domain);
    if (sw != SW_OK)
        return sw;
    if (content_aid_is_taken(card, f->aid))
        return SW_CONDITIONS;
    uint64_t least =
        (uint64_t)content_quota(f->parameters, 0xC6) + content_quota(f->parameters, 0xC8) + CARD_PACKAGE_COST;
    if (!content_fits(card, least) || card->state.package_count == CARD_PACKAGES_MAX)
        return SW_NOT_ENOUGH_MEMORY;
    l->active = card_aid_set(&l->aid, f->aid);
    l->on = card->now;
    l->domain = domain;
    l->authority = *auth;
    if (f->hash.len != 0)
        memcpy(l->hash, f->hash.data, f->hash.len);
    l->hash_len = f->hash.len;
    loadfile_init(&l->file, card_memory_free(&card->state) - CARD_PACKAGE_COST);
    return SW_OK;
}

uint16_t install_form_load(struct card *card, const struct apdu *a, struct writer *out)
{
    struct load_fields f;
    struct authority auth;
    card_loading_end(card);
    if (!read_load(a->data, &f))
        return SW_WRONG_DATA;
    f.token.p1 = a->p1;
    uint16_t sw = card_authority_check(card, &f.token, &auth);
    /* The hash ties the token to the load file. */
    if (sw == SW_OK && auth.delegated && f.hash.len == 0)
        sw = SW_WRONG_DATA;
    if (sw == SW_OK)
        sw = begin_load(card, &f, &auth);
    wr_u8(out, NO_DATA);
    return sw;
}

/* The token comes with the INSTALL that ends the process (table C-10). */
uint16_t install_form_combined_begins(struct card *card, const struct apdu *a, struct writer *out)
{
    struct load_fields f;
    const struct authority none = {.delegated = false};
    card_loading_end(card);
    if (!read_load(a->data, &f) || f.token.token.len != 0)
        return SW_WRONG_DATA;
    uint16_t sw = card_authority_may(card);
    if (sw == SW_OK && card_may(card, MAY_DELEGATED) && f.hash.len == 0)
        sw = SW_WRONG_DATA;
    if (sw == SW_OK)
        sw = begin_load(card, &f, &none);
    if (sw != SW_OK)
        return sw;
    card->loading.combined = true;
    wr_heap(&card->loading.first, CAPDU_MAX + 8);
    card_token_put_command(&card->loading.first, a->p1, a->p2, f.token.fields);
    if (!wr_ok(&card->loading.first)) {
        card_loading_end(card);
        return SW_MEMORY;
    }
    wr_u8(out, NO_DATA);
    return SW_OK;
}

/* ---- LOAD: what protects the load file ---- */

/* C.6: CBC under the key for this of the security domain that the file is for; ISO padding. */
static uint16_t decrypt(struct card *card, struct loadfile *file)
{
    const struct card_key *k =
        card_find_key(&card->state, card_aid_view(&card->loading.domain), KVN_CIPHERED_LOAD, KID_FIRST);
    bool des = k != NULL && k->type == CARD_KEY_DES;
    size_t block = des ? DES_BLOCK : AES_BLOCK;
    if (k == NULL || (!des && k->type != CARD_KEY_AES))
        return SW_CONDITIONS;
    if (file->data.len % block != 0 || (file->icv_len != 0 && file->icv_len != block))
        return SW_WRONG_DATA;
    struct view key = view_of(k->data, k->len), in = wr_view_of(&file->data);
    enum err e = des ? crypto_des3_cbc_decrypt(card->crypto, key, file->icv, in, file->data.data)
                     : crypto_aes_cbc_decrypt(card->crypto, key, file->icv, in, file->data.data);
    long len = e == OK ? card_unpad(wr_view_of(&file->data), block) : -1;
    if (len <= 0)
        return SW_WRONG_DATA;
    file->data.len = (size_t)len;
    return SW_OK;
}

static uint16_t check_hash(struct card *card, struct view block)
{
    const struct loading *l = &card->loading;
    uint8_t hash[DIGEST_MAX];
    for (int d = 0; d < DIGEST_COUNT; d++) {
        if (crypto_digest_len((enum digest)d) != l->hash_len)
            continue;
        if (crypto_digest(card->crypto, (enum digest)d, &block, 1, hash) != OK)
            return SW_NO_DIAGNOSIS;
        return view_equal(view_of(hash, l->hash_len), view_of(l->hash, l->hash_len)) ? SW_OK : SW_WRONG_DATA;
    }
    return SW_OK;
}

/* C.3: the security domain's signature over the hash, which table C-3 wants as strong as the signature. */
static uint16_t check_dap(struct card *card, const struct dap *dap)
{
    struct card_aid domain;
    uint8_t have[CARD_PRIVILEGES];
    if (!card_domain_named(&card->state, card_aid_view(&dap->domain), &domain))
        return SW_REFERENCED_DATA;
    card_privileges_of(&card->state, card_aid_view(&domain), have);
    const struct card_key *key = card_find_key(&card->state, card_aid_view(&domain), KVN_DAP, KID_FIRST);
    if (!card_privilege_set(have, MAY_VERIFY_DAP) || key == NULL)
        return SW_CONDITIONS;
    if (card->loading.hash_len < card_signature_digest_len(key))
        return SW_WRONG_DATA;
    enum err e = card_signature_check(card->crypto, key, view_of(card->loading.hash, card->loading.hash_len),
                                      view_of(dap->signature, dap->signature_len));
    return e == OK ? SW_OK : e == ERR_AUTH ? SW_SECURITY_STATUS : SW_NO_DIAGNOSIS;
}

static bool has_dap(const struct loadfile *file, struct view domain)
{
    for (size_t n = 0; n < file->dap_count; n++) {
        if (card_aid_is(&file->daps[n].domain, domain))
            return true;
    }
    return false;
}

/* 9.3.5: of the domain that the file is for, when it verifies DAPs, and of each that verifies all. */
static bool daps_are_there(const struct card *card, const struct loadfile *file)
{
    const struct card_state *s = &card->state;
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        bool own = card_aid_is(&a->aid, card_aid_view(&card->loading.domain)) &&
                   card_privilege_set(a->privileges, MAY_VERIFY_DAP);
        bool mandated = card_privilege_set(a->privileges, MAY_MANDATED_DAP) && a->life == STATE_PERSONALIZED;
        if ((own || mandated) && !has_dap(file, card_aid_view(&a->aid)))
            return false;
    }
    return true;
}

/* Ciphered where the security domain wants it so, and nowhere else (11.6.2.3). */
static uint16_t check_ciphered(const struct card *card, const struct loadfile *file)
{
    uint8_t have[CARD_PRIVILEGES];
    card_privileges_of(&card->state, card_aid_view(&card->loading.domain), have);
    return file->begun && card_privilege_set(have, MAY_CIPHERED_LOAD) != file->ciphered ? SW_CONDITIONS
                                                                                        : SW_OK;
}

static uint16_t check_protection(struct card *card, struct loadfile *file)
{
    uint16_t sw = SW_OK;
    if (!daps_are_there(card, file))
        return SW_SECURITY_STATUS;
    /* C.2: the hash must be there for either. */
    if ((file->ciphered || file->dap_count != 0) && card->loading.hash_len == 0)
        return SW_WRONG_DATA;
    if (file->ciphered)
        sw = decrypt(card, file);
    for (size_t n = 0; sw == SW_OK && n < file->dap_count; n++)
        sw = check_dap(card, &file->daps[n]);
    return sw == SW_OK ? check_hash(card, wr_view_of(&file->data)) : sw;
}

/* ---- LOAD: the package ---- */

static bool import_is_satisfied(struct card *card, const struct card_import *import)
{
    struct view aid = card_aid_view(&import->aid);
    const struct card_package *have = card_find_package(&card->state, aid);
    if (have != NULL)
        return have->major == import->major && have->minor >= import->minor;
    return platform_satisfies(platform_by_row(card->state.profile.java_card), aid, import->major,
                              import->minor);
}

/* Can this package live on this card? (GPCS 2.3.1 9.3.5; JCVM 4.5) */
static uint16_t link_package(struct card *card, const struct loadfile_info *info)
{
    const struct platform *platform = platform_by_row(card->state.profile.java_card);
    if (!card_aid_is(&card->loading.aid, card_aid_view(&info->package.aid)))
        return SW_WRONG_DATA;
    if (platform == NULL || info->format_minor > platform->format_minor)
        return SW_WRONG_DATA;
    for (size_t i = 0; i < info->package.import_count; i++) {
        if (!import_is_satisfied(card, &info->package.imports[i]))
            return SW_CONDITIONS;
    }
    return SW_OK;
}

uint16_t load_take_package(struct card *card, struct card_package *out)
{
    struct loadfile *file = &card->loading.file;
    struct loadfile_info info;
    const char *why;
    struct view block = wr_view_of(&file->data);
    if (loadfile_parse(block, &info, &why) != OK)
        return SW_WRONG_DATA;
    uint16_t sw = link_package(card, &info);
    if (sw != SW_OK)
        return sw;
    if (crypto_digest(card->crypto, DIGEST_SHA256, &block, 1, info.package.hash) != OK)
        return SW_NO_DIAGNOSIS;
    info.package.domain = card->loading.domain;
    info.package.code = file->data.data; /* lent for the record */
    info.package.code_len = (uint32_t)block.len;
    *out = info.package;
    return SW_OK;
}

/* Table C-11. */
static uint16_t keep_package(struct card *card, const struct card_package *package, struct writer *out)
{
    uint8_t memory[2 * (AID_MAX + 1)];
    struct writer fields, w;
    wr_fixed(&fields, memory, sizeof memory);
    wr_view8(&fields, card_aid_view(&package->aid));
    wr_view8(&fields, card_domain_aid(&card->state, card_aid_view(&package->domain)));
    wr_heap(&w, CARD_FRAME_MAX);
    card_put_package(&w, package);
    uint16_t sw = card_authority_confirm(card, &card->loading.authority, wr_view_of(&fields), &w, out);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

static uint16_t finish_load(struct card *card, struct writer *out)
{
    struct loading *l = &card->loading;
    if (!loadfile_complete(&l->file))
        return SW_WRONG_DATA;
    uint16_t sw = check_protection(card, &l->file);
    if (sw == SW_OK)
        sw = load_take_package(card, &l->package);
    if (sw != SW_OK)
        return sw;
    if (!l->combined)
        return keep_package(card, &l->package, out);
    l->complete = true;
    wr_u8(out, NO_DATA);
    return SW_OK;
}

static uint16_t take_block(struct card *card, const struct apdu *a, struct writer *out)
{
    struct loading *l = &card->loading;
    if (!l->active || l->on != card->now || l->complete)
        return SW_CONDITIONS;
    /* 11.6.2.2: strictly in order from 00 on, and never beyond FF. */
    if (a->p2 != l->next_block)
        return SW_INCORRECT_P1P2;
    if (a->data.len == 0)
        return SW_WRONG_LENGTH;
    l->next_block++;
    uint16_t sw = loadfile_feed(&l->file, a->data);
    if (sw == SW_OK)
        sw = check_ciphered(card, &l->file);
    if (sw == SW_OK && (a->p1 & LAST_BLOCK))
        return finish_load(card, out);
    wr_u8(out, NO_DATA);
    return sw;
}

uint16_t cmd_load(struct card *card, const struct apdu *a, struct writer *out)
{
    card_listings_end(card);
    uint16_t sw = take_block(card, a, out);
    bool over = sw != SW_OK || ((a->p1 & LAST_BLOCK) && !card->loading.complete);
    if (card->loading.on == card->now && over)
        card_loading_end(card);
    return sw;
}
