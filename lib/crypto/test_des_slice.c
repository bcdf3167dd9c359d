/* SPDX-License-Identifier: Apache-2.0
 *
 * Many chains of Triple-DES at once: the answers of the openssl command line in every lane, and the same
 * bytes as the library one chain at a time, for any keys, numbers and lengths of chains, with each of the
 * slicers that run here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "des_slice.h"
#include <support/vectors.h>

enum { JOBS_MAX = 600, BLOCKS_MAX = 40, CHAIN_MAX = BLOCKS_MAX * DES_BLOCK };

static uint8_t plain[JOBS_MAX][CHAIN_MAX], sliced[JOBS_MAX][CHAIN_MAX], single[CHAIN_MAX];

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    vectors_free();
    return 0;
}

/* The portable slicer, and what this machine has beside it; index runs from the end. */
static const struct des_slicer *slicer(size_t n)
{
    const struct des_slicer *s = n < DES_SLICERS ? des_slicers[DES_SLICERS - 1 - n] : NULL;
    return s != NULL && s->runs_here() ? s : NULL;
}

static void the_portable_slicer_runs_everywhere(void **state)
{
    (void)state;
    assert_ptr_equal(slicer(0), &des_slicer_64);
    assert_true(slicer(0)->lanes == 64 && des_slicer_256.lanes == 256);
    assert_true(des_slicer_256.lanes <= DES_LANES_MAX);
}

/* ---- known answers ---- */

/* The same chain in so many lanes that all go through the circuit. */
static void check_row(struct crypto *c, const struct des_slicer *s, const json_t *row)
{
    struct cipher_job jobs[64];
    struct view key = vector_bytes(row, "key"), iv = vector_bytes(row, "iv");
    struct view in = vector_bytes(row, "plain"), want = vector_bytes(row, "cipher");
    for (size_t i = 0; i < 64; i++)
        jobs[i] = (struct cipher_job){in, sliced[i]};
    memset(sliced, 0, sizeof(sliced));
    assert_int_equal(des_encrypt_many_with(s, c, key, iv.data, jobs, 64), OK);
    for (size_t i = 0; i < 64; i++)
        if (!view_equal(view_of(sliced[i], in.len), want))
            fail_msg("%s, %s, lane %zu", s->name, vector_text(row, "id"), i);
}

static void gives_the_known_answers(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/des3.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        for (size_t i = 0; slicer(i) != NULL; i++)
            check_row(*state, slicer(i), row);
        checked++;
    }
    assert_int_equal(checked, 93);
}

/* ---- as the library does it ---- */

static void fill(uint8_t *out, size_t len)
{
    struct random_source random = crypto_random();
    assert_int_equal(random.fill(random.ctx, out, len), OK);
}

enum lengths { ALL_LONG, ANY, ONE_LONG, NONE };

static size_t pick_length(enum lengths kind, size_t job)
{
    uint8_t any;
    fill(&any, 1);
    const size_t lengths[] = {
        [ALL_LONG] = BLOCKS_MAX,
        [ANY] = any % (BLOCKS_MAX + 1U),
        [ONE_LONG] = job == 3 ? BLOCKS_MAX : 2,
        [NONE] = 0,
    };
    return lengths[kind] * DES_BLOCK;
}

static void check_against_library(struct crypto *c, const struct des_slicer *s, size_t count,
                                  enum lengths kind, size_t key_len, bool in_place)
{
    static struct cipher_job jobs[JOBS_MAX];
    uint8_t key[24], iv[DES_BLOCK];
    fill(key, sizeof(key));
    fill(iv, sizeof(iv));
    fill(plain[0], sizeof(plain));
    memset(sliced, 0xA5, sizeof(sliced));
    if (in_place)
        memcpy(sliced, plain, sizeof(plain));
    for (size_t i = 0; i < count; i++)
        jobs[i] =
            (struct cipher_job){view_of(in_place ? sliced[i] : plain[i], pick_length(kind, i)), sliced[i]};
    assert_int_equal(des_encrypt_many_with(s, c, view_of(key, key_len), iv, jobs, count), OK);
    for (size_t i = 0; i < count; i++) {
        size_t len = jobs[i].in.len;
        assert_int_equal(
            crypto_des3_cbc_encrypt(c, view_of(key, key_len), iv, view_of(plain[i], len), single), OK);
        if (memcmp(sliced[i], single, len) != 0)
            fail_msg("%s: %zu chains, lengths %d, key %zu: chain %zu", s->name, count, (int)kind, key_len, i);
        /* nothing is written behind the end of a chain */
        for (size_t at = len; at < CHAIN_MAX; at++)
            assert_int_equal(sliced[i][at], in_place ? plain[i][at] : 0xA5);
    }
}

static void gives_the_bytes_of_the_library(void **state)
{
    static const size_t counts[] = {0, 1, 11, 12, 15, 16, 17, 63, 64, 65, 130, 255, 256, 257, JOBS_MAX};
    for (size_t i = 0; slicer(i) != NULL; i++)
        for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++)
            for (unsigned kind = ALL_LONG; kind <= NONE; kind++) {
                size_t key_len = (n + kind) % 2 == 0 ? 16 : 24;
                check_against_library(*state, slicer(i), counts[n], (enum lengths)kind, key_len, n % 3 == 0);
            }
}

/* By the door that others use: whatever this machine has. */
static void the_choice_for_this_machine_gives_them_too(void **state)
{
    struct cipher_job jobs[100];
    uint8_t key[16], iv[DES_BLOCK];
    fill(key, sizeof(key));
    fill(iv, sizeof(iv));
    fill(plain[0], sizeof(plain));
    for (size_t i = 0; i < 100; i++)
        jobs[i] = (struct cipher_job){view_of(plain[i], CHAIN_MAX), sliced[i]};
    assert_int_equal(crypto_des3_cbc_encrypt_many(*state, VIEW_OF(key), iv, jobs, 100), OK);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(crypto_des3_cbc_encrypt(*state, VIEW_OF(key), iv, VIEW_OF(plain[i]), single), OK);
        assert_memory_equal(sliced[i], single, CHAIN_MAX);
    }
}

/* Before anything is written. */
static void refuses_other_keys_and_lengths(void **state)
{
    static const size_t keys[] = {0, 7, 8, 15, 17, 23, 25, 32};
    uint8_t key[32] = {1}, iv[DES_BLOCK] = {0};
    struct cipher_job jobs[40];
    for (size_t i = 0; i < 40; i++)
        jobs[i] = (struct cipher_job){view_of(plain[i], CHAIN_MAX), sliced[i]};
    memset(sliced, 0xA5, sizeof(sliced));
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(crypto_des3_cbc_encrypt_many(*state, view_of(key, keys[i]), iv, jobs, 40),
                         ERR_ARGUMENT);
    jobs[39].in.len = CHAIN_MAX - 1;
    assert_int_equal(crypto_des3_cbc_encrypt_many(*state, view_of(key, 16), iv, jobs, 40), ERR_ARGUMENT);
    for (size_t i = 0; i < 40; i++)
        for (size_t at = 0; at < CHAIN_MAX; at++)
            assert_int_equal(sliced[i][at], 0xA5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_portable_slicer_runs_everywhere),
        cmocka_unit_test(gives_the_known_answers),
        cmocka_unit_test(gives_the_bytes_of_the_library),
        cmocka_unit_test(the_choice_for_this_machine_gives_them_too),
        cmocka_unit_test(refuses_other_keys_and_lengths),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
