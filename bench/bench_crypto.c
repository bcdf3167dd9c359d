/* links: cf_measure cf_gp cf_crypto ferry_card_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing a whole download, from the card's keys to the last wrapped LOAD, beside the library's bare CBC over
 * the same bytes: what is left for everything that is not the cipher. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gp/channel.h>
#include <gp/command.h>

#include "channel.h"

#include "measure.h"

/* OpenSSL has a type by the name of one of our outcomes. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#undef ERR_STATE

enum { COMMANDS_MAX = 3 * LOAD_BLOCKS_MAX, FILE_MAX = 160 * 1024, CHALLENGE = 8 };

static const uint8_t host_challenge[CHALLENGE] = {1, 2, 3, 4, 5, 6, 7, 8};
static uint8_t file[FILE_MAX], scratch[2 * FILE_MAX];

/* What is signed: LOAD commands of one load file, as large as the level allows. */
struct job {
    struct crypto *crypto;
    const struct channel_method *method;
    struct card_keys keys;
    struct init_update iu;
    uint8_t level;
    struct apdu plain[COMMANDS_MAX], wrapped[COMMANDS_MAX];
    size_t count;
    struct writer storage;

    EVP_CIPHER *cipher; /* the same bytes through this one */
    EVP_CIPHER_CTX *ctx;
    size_t mac_bytes, enc_bytes;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_crypto: %s\n", what);
    exit(1);
}

/* From keys and challenges to the wrapped commands, as a session does it once per card. */
static int build(void *ctx)
{
    struct job *j = ctx;
    struct channel *ch = NULL;
    uint8_t external[64];
    struct writer w;
    wr_fixed(&w, external, sizeof(external));
    j->storage.len = 0; /* of what goes out, nothing needs wiping */
    bool good =
        channel_open(&ch, j->crypto, j->method, &j->keys, VIEW_OF(host_challenge), &j->iu, j->level) == OK &&
        channel_external_authenticate(ch, j->crypto, &w) == OK &&
        channel_wrap(ch, j->crypto, j->plain, j->count, j->wrapped, &j->storage) == OK;
    channel_free(&ch);
    return good;
}

static int cbc(struct job *j, size_t bytes)
{
    static const uint8_t iv[16];
    int len = 0;
    return EVP_CipherInit_ex2(j->ctx, NULL, j->keys.enc.data, iv, 1, NULL) == 1 &&
           EVP_CipherUpdate(j->ctx, scratch, &len, file, (int)bytes) == 1;
}

/* The bytes that are MACed, and those that are encrypted, in one call each. */
static int bare(void *ctx)
{
    struct job *j = ctx;
    return cbc(j, j->mac_bytes) && (j->enc_bytes == 0 || cbc(j, j->enc_bytes));
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
            j->enc_bytes += field = blocks_of(len + 1, block);
        /* SCP03 MACs what is encrypted behind the chaining value, SCP02 the plain data: header 5, padding. */
        size_t message = block == AES_BLOCK ? AES_BLOCK + 5 + field : 5 + len + 1;
        j->mac_bytes += blocks_of(message, block);
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

/* The answer of a card with these keys: the virtual card makes it. */
static void make_answer(struct job *j)
{
    uint8_t scp = j->method->scp;
    struct card_static_keys fixed = {j->keys.enc, j->keys.mac, j->keys.dek};
    struct card_channel card = {0};
    j->iu = (struct init_update){
        .scp = scp, .i = j->method->i, .has_sequence = scp == 0x02, .sequence = 7, .cryptogram_len = 8};
    j->iu.challenge_len = scp == 0x02 ? 6 : 8;
    if (card_channel_ops(scp)->open(j->crypto, &fixed, j->method->i, 7, VIEW_OF(host_challenge),
                                    view_of(j->iu.challenge, j->iu.challenge_len), &card,
                                    j->iu.cryptogram) != OK)
        die("the card does not open");
    card_channel_finish(&card);
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

static void make_bare(struct job *j)
{
    static const uint8_t iv[16];
    j->cipher = EVP_CIPHER_fetch(NULL, j->method->key_type == KEY_AES ? "AES-128-CBC" : "DES-EDE-CBC", NULL);
    j->ctx = EVP_CIPHER_CTX_new();
    if (j->cipher == NULL || j->ctx == NULL ||
        EVP_CipherInit_ex2(j->ctx, j->cipher, j->keys.enc.data, iv, 1, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(j->ctx, 0) != 1)
        die("no cipher");
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
    EVP_CIPHER_CTX_free(j->ctx);
    EVP_CIPHER_free(j->cipher);
    wr_free(&j->storage);
    card_keys_wipe(&j->keys);
}

static const struct {
    const char *name;
    uint8_t scp, i, level;
    size_t file_len;
} rows[] = {
    {"scp03_30k_cmac", 0x03, 0x00, LEVEL_C_MAC, 30 * 1024},
    {"scp03_30k_cmac_cenc", 0x03, 0x00, LEVEL_C_MAC | LEVEL_C_DECRYPTION, 30 * 1024},
    {"scp03_120k_cmac", 0x03, 0x00, LEVEL_C_MAC, 120 * 1024},
    {"scp03_120k_cmac_cenc", 0x03, 0x00, LEVEL_C_MAC | LEVEL_C_DECRYPTION, 120 * 1024},
    {"scp02_30k_cmac", 0x02, 0x15, LEVEL_C_MAC, 30 * 1024},
    {"scp02_30k_cmac_cenc", 0x02, 0x15, LEVEL_C_MAC | LEVEL_C_DECRYPTION, 30 * 1024},
};

static void run_row(struct crypto *c, size_t n)
{
    static struct job j;
    j = (struct job){.crypto = c, .method = channel_method(rows[n].scp, rows[n].i), .level = rows[n].level};
    if (j.method == NULL)
        die("no such method");
    make_keys(&j);
    make_answer(&j);
    make_plain(&j, rows[n].file_len);
    count_bytes(&j);
    make_storage(&j);
    make_bare(&j);
    struct measured m = measure(build, &j, bare, &j, ROUNDS_DEFAULT);
    print_measured(rows[n].name, &m);
    free_job(&j);
}

int main(void)
{
    struct crypto *c = NULL;
    if (crypto_new(&c) != OK)
        die("the cryptographic library failed");
    printf("# name ratio: CPU time of bare CBC over the same bytes / CPU time from card keys to the last "
           "wrapped\n"
           "# command, measured in turn; SCP02's bare side is Triple-DES in CBC over all bytes that are "
           "MACed\n");
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        run_row(c, n);
    crypto_free(&c);
    return 0;
}
