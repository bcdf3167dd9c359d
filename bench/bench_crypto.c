/* links: cf_measure cf_gp cf_crypto */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing a whole download, from the card's keys to the last wrapped LOAD, beside the library's bare CBC over
 * the same bytes: what is left for everything that is not the cipher. Every row of the table of methods whose
 * keys are symmetric; those with key pairs are in bench_keyed.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gp/channel/channel_internal.h>
#include <gp/command.h>

#include "measure.h"

/* OpenSSL has a type by the name of one of our outcomes. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#include <openssl/provider.h>
#undef ERR_STATE

enum { COMMANDS_MAX = 3 * LOAD_BLOCKS_MAX, FILE_MAX = 160 * 1024, NAME_BYTES = 64, ROUNDS = 9 };

static const uint8_t challenge[HOST_CHALLENGE_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};
static uint8_t file[FILE_MAX], scratch[2 * FILE_MAX];

struct bare_cbc {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
    size_t bytes;
};

/* What is signed: LOAD commands of one load file, as large as the level allows. */
struct job {
    struct crypto *crypto;
    const struct channel_method *method;
    struct card_keys keys;
    struct init_update iu;          /* where the method has INITIALIZE UPDATE */
    struct channel_opening opening; /* where it has not */
    uint8_t level;
    struct apdu plain[COMMANDS_MAX], wrapped[COMMANDS_MAX];
    size_t count;
    struct writer storage;

    struct bare_cbc mac, enc; /* what the same bytes go through on the other side */
};

static void die(const char *what)
{
    fprintf(stderr, "bench_crypto: %s\n", what);
    exit(1);
}

static enum err open_channel(struct job *j, struct channel **ch)
{
    static const uint8_t counter[] = {0xC1, 0x02, 0x00, 0x07};
    const struct rapdu answer = {VIEW_OF(counter), SW_OK};
    const struct channel_keys keys = {.card = &j->keys};
    uint8_t external[64];
    struct writer w;
    if (!j->method->authenticates)
        return channel_accept(ch, j->crypto, &j->opening, &keys, &answer, 1);
    wr_fixed(&w, external, sizeof(external));
    enum err e = channel_open(ch, j->crypto, j->method, &j->keys,
                              view_of(challenge, j->method->host_challenge_len), &j->iu, j->level);
    return e == OK ? channel_external_authenticate(*ch, j->crypto, &w) : e;
}

/* From keys and challenges to the wrapped commands, as a session does it once per card. */
static int build(void *ctx)
{
    struct job *j = ctx;
    struct channel *ch = NULL;
    j->storage.len = 0; /* of what goes out, nothing needs wiping */
    bool good = open_channel(j, &ch) == OK &&
                channel_wrap(ch, j->crypto, j->plain, j->count, j->wrapped, &j->storage) == OK;
    channel_free(&ch);
    return good;
}

static int cbc(const struct job *j, const struct bare_cbc *b)
{
    static const uint8_t iv[16];
    int len = 0;
    return EVP_CipherInit_ex2(b->ctx, NULL, j->keys.enc.data, iv, 1, NULL) == 1 &&
           EVP_CipherUpdate(b->ctx, scratch, &len, file, (int)b->bytes) == 1;
}

/* The bytes that are MACed, and those that are encrypted, in one call each. */
static int bare(void *ctx)
{
    struct job *j = ctx;
    return cbc(j, &j->mac) && (j->enc.bytes == 0 || cbc(j, &j->enc));
}

static size_t blocks_of(size_t len, size_t block)
{
    return (len + block - 1) / block * block;
}

static void count_bytes(struct job *j)
{
    size_t block = j->method->key_type == KEY_AES ? AES_BLOCK : DES_BLOCK;
    for (size_t i = 0; i < j->count; i++) {
        size_t len = j->plain[i].data.len, field = len;
        bool encrypted = (j->level & LEVEL_C_DECRYPTION) != 0;
        if (encrypted)
            j->enc.bytes += field = channel_field_len(j->method, true, len);
        /* SCP03 MACs what is encrypted behind the chaining value, SCP01 and SCP02 the plain data: header 5,
         * padding. */
        size_t message = block == AES_BLOCK ? AES_BLOCK + 5 + field : 5 + len + 1;
        j->mac.bytes += blocks_of(message, block);
    }
}

/* More than 256 LOAD commands are more than one load file, in the same channel. */
static void make_plain(struct job *j, size_t file_len)
{
    size_t block = channel_block_size(j->method, j->level);
    for (size_t at = 0; at < file_len; at += block) {
        j->plain[j->count] = (struct apdu){.cla = 0x80,
                                           .ins = INS_LOAD,
                                           .p1 = at + block >= file_len ? 0x80 : 0x00,
                                           .p2 = (uint8_t)(j->count % LOAD_BLOCKS_MAX),
                                           .data = view_head(view_of(file + at, file_len - at), block)};
        j->count++;
    }
}

/* The answer of a card with these keys, whose cryptogram is what the host expects. */
static void make_answer(struct job *j)
{
    const struct channel_method *m = j->method;
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    const struct channel_request request = {.method = m, .level = j->level, .aid = VIEW_OF(aid)};
    struct channel *ch = channel_alloc(m, j->level);
    j->iu = (struct init_update){.scp = m->scp,
                                 .i = m->scp == SCP03 ? m->i : -1,
                                 .has_sequence = m->scp == SCP02,
                                 .sequence = 7,
                                 .cryptogram_len = m->tag_len};
    j->iu.challenge_len = m->scp == SCP02 ? 6 : m->tag_len;
    enum err e = ch == NULL ? ERR_MEMORY
                 : m->authenticates
                     ? m->ops->derive(ch, j->crypto, &j->keys, view_of(challenge, m->host_challenge_len),
                                      &j->iu, j->iu.cryptogram)
                     : channel_begin(&j->opening, j->crypto, crypto_random(), &request, NULL);
    channel_free(&ch);
    if (e != OK)
        die("no opening");
}

static void make_keys(struct job *j)
{
    uint8_t key[16];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(0x40 + i);
    j->keys.type = j->method->key_type;
    if (secret_set(&j->keys.enc, VIEW_OF(key)) != OK || secret_set(&j->keys.mac, VIEW_OF(key)) != OK ||
        secret_set(&j->keys.dek, VIEW_OF(key)) != OK)
        die("no keys");
}

static void make_bare(const struct job *j, struct bare_cbc *b, const char *name)
{
    static const uint8_t iv[16];
    b->cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    b->ctx = EVP_CIPHER_CTX_new();
    if (b->cipher == NULL || b->ctx == NULL ||
        EVP_CipherInit_ex2(b->ctx, b->cipher, j->keys.enc.data, iv, 1, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(b->ctx, 0) != 1)
        die("no cipher");
}

static void free_bare(struct bare_cbc *b)
{
    EVP_CIPHER_CTX_free(b->ctx);
    EVP_CIPHER_free(b->cipher);
}

static void make_storage(struct job *j)
{
    size_t most = channel_wrapped_max(j->plain, j->count);
    wr_heap(&j->storage, most);
    if (wr_reserve(&j->storage, most) == NULL)
        die("out of memory");
}

static void free_job(struct job *j)
{
    free_bare(&j->mac);
    free_bare(&j->enc);
    wr_free(&j->storage);
    channel_opening_finish(&j->opening);
    card_keys_wipe(&j->keys);
}

/* Only those whose names begin so. */
static const char *only = "";

static void run_job(struct crypto *c, const struct channel_method *m, uint8_t level, size_t file_len)
{
    static struct job j;
    char name[NAME_BYTES];
    snprintf(name, sizeof(name), "scp%02x_i%02x_%zuk_cmac%s", m->scp, m->i, file_len / 1024,
             (level & LEVEL_C_DECRYPTION) != 0 ? "_cenc" : "");
    if (strncmp(name, only, strlen(only)) != 0)
        return;
    j = (struct job){.crypto = c, .method = m, .level = level};
    make_keys(&j);
    make_answer(&j);
    make_plain(&j, file_len);
    count_bytes(&j);
    make_storage(&j);
    make_bare(&j, &j.mac,
              m->key_type == KEY_AES ? "AES-128-CBC"
              : m->scp == SCP02      ? "DES-CBC"
                                     : "DES-EDE-CBC");
    make_bare(&j, &j.enc, m->key_type == KEY_AES ? "AES-128-CBC" : "DES-EDE-CBC");
    struct measured measured = measure(build, &j, bare, &j, ROUNDS);
    print_measured(name, &measured);
    free_job(&j);
}

/* The levels differ in what is signed only by the encryption. */
static void run_method(struct crypto *c, const struct channel_method *m)
{
    static const size_t sizes[] = {30 * 1024, 120 * 1024};
    static const uint8_t levels[] = {LEVEL_C_MAC, LEVEL_C_MAC | LEVEL_C_DECRYPTION};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (size_t l = 0; l < sizeof(levels); l++) {
            if (channel_level_ok(m, levels[l]))
                run_job(c, m, levels[l], sizes[s]);
        }
    }
}

int main(int argc, char **argv)
{
    struct crypto *c = NULL;
    size_t count;
    if (argc > 1)
        only = argv[1];
    const struct channel_method *m = channel_methods(&count);
    if (OSSL_PROVIDER_load(NULL, "default") == NULL || OSSL_PROVIDER_load(NULL, "legacy") == NULL)
        die("OpenSSL has no single DES");
    if (crypto_new(&c) != OK)
        die("the cryptographic library failed");
    printf("# name ratio: CPU time of bare CBC over the same bytes / CPU time from card keys to the last "
           "wrapped\n"
           "# command, measured in turn, for a load file of 30 and of 120 KB; the bare side of SCP02 is\n"
           "# single DES in CBC over all bytes that are MACed, and Triple-DES over those that are encrypted; "
           "that of\n"
           "# SCP01, whose MAC is of Triple-DES, Triple-DES over both\n");
    for (; count > 0; m++, count--) {
        if (m->ops->lengths_ok != NULL)
            run_method(c, m);
    }
    crypto_free(&c);
    return 0;
}
