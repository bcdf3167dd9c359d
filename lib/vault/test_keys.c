/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys on their way in: attributes, import, sealing; and everything that must not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>
#include <vault/seal.h>

enum { WRAPPED_MAX = 256 };

static const struct key_attributes aes_master = {
    .name = "badge-master", .version = 3, .use = KEY_USE_MASTER, .type = KEY_AES, .key_len = 16};

struct world {
    struct crypto *crypto;
    struct vault *vault, *other;
};

static struct vault *new_vault(struct crypto *c, uint8_t first)
{
    struct secret kek = {.len = KEK_LEN, .data = {first, 1, 2, 3}};
    struct vault *v = NULL;
    assert_int_equal(vault_new(&v, c, crypto_random(), &kek), OK);
    return v;
}

static int setup(void **state)
{
    static struct world w;
    if (crypto_new(&w.crypto) != OK)
        return -1;
    w.vault = new_vault(w.crypto, 0xA0);
    w.other = new_vault(w.crypto, 0xA1);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    vault_free(&w->vault);
    vault_free(&w->other);
    crypto_free(&w->crypto);
    vectors_free();
    return 0;
}

static struct secret secret_of(struct view v)
{
    struct secret s;
    assert_int_equal(secret_set(&s, v), OK);
    return s;
}

/* Wraps for the vault and imports. */
static enum err import(struct world *w, const struct key_attributes *a, struct view keys,
                       struct writer *sealed, uint8_t kcv[3][3])
{
    uint8_t public_key[32], memory[WRAPPED_MAX];
    struct writer wrapped;
    wr_fixed(&wrapped, memory, sizeof(memory));
    vault_import_key(w->vault, public_key);
    enum err e = vault_wrap_for_import(w->crypto, crypto_random(), public_key, a, keys, &wrapped);
    return e == OK ? vault_import(w->vault, a, wr_view_of(&wrapped), sealed, kcv) : e;
}

static const struct {
    const char *name;
    struct key_attributes a;
    enum err e;
} attributes[] = {
    {"master", {"badge-master", 1, KEY_USE_MASTER, KEY_AES, 32, ""}, OK},
    {"card", {"a", 1, KEY_USE_CARD, KEY_DES3, 16, "479044204700-0123ABCD"}, OK},
    {"derive", {"Data.1_x", UINT32_MAX, KEY_USE_DERIVE, KEY_AES, 24, ""}, OK},
    {"no name", {"", 1, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"name with a colon", {"a:b", 1, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"name with a slash", {"a/b", 1, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"hidden name", {".a", 1, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"name like an option", {"-a", 1, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"version 0", {"a", 0, KEY_USE_MASTER, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"use", {"a", 1, KEY_USE_COUNT, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"type", {"a", 1, KEY_USE_MASTER, KEY_TYPE_COUNT, 16, ""}, ERR_ARGUMENT},
    {"length", {"a", 1, KEY_USE_MASTER, KEY_AES, 17, ""}, ERR_ARGUMENT},
    {"DES length", {"a", 1, KEY_USE_MASTER, KEY_DES3, 32, ""}, ERR_ARGUMENT},
    {"master with a card", {"a", 1, KEY_USE_MASTER, KEY_AES, 16, "01"}, ERR_ARGUMENT},
    {"card without a card", {"a", 1, KEY_USE_CARD, KEY_AES, 16, ""}, ERR_ARGUMENT},
    {"card with letters", {"a", 1, KEY_USE_CARD, KEY_AES, 16, "01x"}, ERR_ARGUMENT},
    {"derive from DES", {"a", 1, KEY_USE_DERIVE, KEY_DES3, 16, ""}, ERR_ARGUMENT},
};

static void attributes_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (key_attributes_check(&attributes[i].a) != attributes[i].e)
            fail_msg("%s", attributes[i].name);
    }
    struct key_attributes endless = aes_master, card = attributes[1].a;
    memset(endless.name, 'a', sizeof(endless.name));
    assert_int_equal(key_attributes_check(&endless), ERR_ARGUMENT);
    memset(card.card, '1', sizeof(card.card));
    assert_int_equal(key_attributes_check(&card), ERR_ARGUMENT);
}

static void attributes_go_and_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        uint8_t memory[SEAL_CONTEXT_MAX];
        struct key_attributes got;
        struct writer w;
        struct reader r;
        wr_fixed(&w, memory, sizeof(memory));
        key_attributes_put(&w, &attributes[i].a);
        for (size_t cut = 0; cut < w.len; cut++) {
            rd_init(&r, view_head(wr_view_of(&w), cut));
            assert_int_equal(key_attributes_get(&r, &got), ERR_FORMAT);
        }
        rd_init(&r, wr_view_of(&w));
        enum err e = key_attributes_get(&r, &got);
        if (e != (attributes[i].e == OK ? OK : ERR_FORMAT))
            fail_msg("%s: %s", attributes[i].name, err_name(e));
        if (e == OK)
            assert_memory_equal(&got, &attributes[i].a, sizeof(got));
    }
}

static void uses_have_names(void **state)
{
    (void)state;
    enum key_use use = KEY_USE_COUNT;
    for (unsigned i = 0; i < KEY_USE_COUNT; i++) {
        assert_int_equal(key_use_by_name(key_use_name((enum key_use)i), &use), OK);
        assert_int_equal(use, i);
    }
    assert_int_equal(key_use_by_name("Master", &use), ERR_NOT_FOUND);
    assert_string_equal(key_use_name(KEY_USE_COUNT), "unknown");
}

static void check_kcv(const json_t *row, const char *name, const uint8_t got[3])
{
    struct view want = vector_bytes(json_object_get(row, "kcv"), name);
    if (!view_equal(view_of(got, 3), want))
        fail_msg("%s: check value of %s", vector_text(row, "id"), name);
}

/* Published keys, three different ones: their check values come out, and what was sealed is what was sent. */
static void check_values_of_published_keys(void **state)
{
    struct world *w = *state;
    size_t index, done = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/kdf.json"), index, row)
    {
        uint8_t kcv[3][3], keys[3 * 32], memory[SEALED_KEY_MAX];
        if (!vector_is(row, "diversification") || !vector_has(row, "enc") || !vector_has(row, "mac") ||
            !vector_has(row, "dek") || !json_is_object(json_object_get(row, "kcv")))
            continue;
        struct key_attributes a = aes_master;
        struct writer all, sealed;
        struct secret opened;
        a.type = strcmp(vector_text(row, "method"), "kdf3") == 0 ? KEY_AES : KEY_DES3;
        a.key_len = (uint8_t)vector_bytes(row, "enc").len;
        wr_fixed(&all, keys, sizeof(keys));
        wr_view(&all, vector_bytes(row, "enc"));
        wr_view(&all, vector_bytes(row, "mac"));
        wr_view(&all, vector_bytes(row, "dek"));
        wr_fixed(&sealed, memory, sizeof(memory));
        if (import(w, &a, wr_view_of(&all), &sealed, kcv) != OK)
            fail_msg("%s", vector_text(row, "id"));
        check_kcv(row, "enc", kcv[0]);
        check_kcv(row, "mac", kcv[1]);
        check_kcv(row, "dek", kcv[2]);
        assert_int_equal(unseal_secret(w->vault, &a, wr_view_of(&sealed), &opened), OK);
        assert_true(view_equal(secret_view(&opened), wr_view_of(&all)));
        done++;
    }
    assert_true(done >= 4);
}

static const uint8_t key_bytes[96] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48};

static void one_key_stands_for_three(void **state)
{
    struct world *w = *state;
    uint8_t kcv[3][3], memory[SEALED_KEY_MAX];
    struct secret opened;
    struct writer sealed;
    struct view one = view_of(key_bytes, 16);
    wr_fixed(&sealed, memory, sizeof(memory));
    assert_int_equal(import(w, &aes_master, one, &sealed, kcv), OK);
    assert_memory_equal(kcv[0], kcv[1], 3);
    assert_memory_equal(kcv[0], kcv[2], 3);
    assert_int_equal(unseal_secret(w->vault, &aes_master, wr_view_of(&sealed), &opened), OK);
    assert_int_equal(opened.len, 48);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(opened.data + 16 * i, key_bytes, 16);

    struct key_attributes derive = aes_master;
    derive.use = KEY_USE_DERIVE;
    wr_clear(&sealed);
    assert_int_equal(import(w, &derive, one, &sealed, kcv), OK);
    static const uint8_t zero[3];
    assert_memory_equal(kcv[1], zero, 3);
    assert_memory_equal(kcv[2], zero, 3);
    assert_int_equal(unseal_secret(w->vault, &derive, wr_view_of(&sealed), &opened), OK);
    assert_int_equal(opened.len, 16);
}

static const struct {
    const char *name;
    enum key_use use;
    uint8_t key_len;
    size_t len;
} lengths[] = {
    {"nothing", KEY_USE_MASTER, 16, 0},       {"short", KEY_USE_MASTER, 16, 15},
    {"long", KEY_USE_MASTER, 16, 17},         {"two keys", KEY_USE_MASTER, 16, 32},
    {"another size", KEY_USE_MASTER, 32, 16}, {"three to derive from", KEY_USE_DERIVE, 16, 48},
    {"four keys", KEY_USE_MASTER, 16, 64},
};

/* Both ends refuse: the terminal, and the vault what a terminal of somebody else made. */
static void wrong_key_lengths(void **state)
{
    struct world *w = *state;
    uint8_t kcv[3][3], memory[WRAPPED_MAX], sealed_memory[SEALED_KEY_MAX], aad[SEAL_CONTEXT_MAX];
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct key_attributes a = aes_master;
        struct writer wrapped, sealed, attribute_bytes;
        struct view keys = view_of(key_bytes, lengths[i].len);
        a.use = lengths[i].use;
        a.key_len = lengths[i].key_len;
        wr_fixed(&sealed, sealed_memory, sizeof(sealed_memory));
        if (import(w, &a, keys, &sealed, kcv) != ERR_ARGUMENT)
            fail_msg("%s: wrapped", lengths[i].name);
        wr_fixed(&wrapped, memory, sizeof(memory));
        wr_fixed(&attribute_bytes, aad, sizeof(aad));
        key_attributes_put(&attribute_bytes, &a);
        assert_int_equal(hpke_seal(w->crypto, crypto_random(), w->vault->import_public,
                                   view_str("cardferry import 1"), wr_view_of(&attribute_bytes), keys,
                                   &wrapped),
                         OK);
        if (vault_import(w->vault, &a, wr_view_of(&wrapped), &sealed, kcv) != ERR_ARGUMENT)
            fail_msg("%s: imported", lengths[i].name);
        assert_int_equal(sealed.len, 0);
    }
}

static void more_than_any_keys(void **state)
{
    struct world *w = *state;
    static const uint8_t much[SECRET_MAX + 1];
    uint8_t kcv[3][3], memory[WRAPPED_MAX], sealed_memory[SEALED_KEY_MAX], aad[SEAL_CONTEXT_MAX];
    struct writer wrapped, sealed, attribute_bytes;
    wr_fixed(&sealed, sealed_memory, sizeof(sealed_memory));
    wr_fixed(&wrapped, memory, sizeof(memory));
    wr_fixed(&attribute_bytes, aad, sizeof(aad));
    key_attributes_put(&attribute_bytes, &aes_master);
    assert_int_equal(hpke_seal(w->crypto, crypto_random(), w->vault->import_public,
                               view_str("cardferry import 1"), wr_view_of(&attribute_bytes), VIEW_OF(much),
                               &wrapped),
                     OK);
    assert_int_equal(vault_import(w->vault, &aes_master, wr_view_of(&wrapped), &sealed, kcv), ERR_ARGUMENT);
}

static void imports_are_for_one_vault_and_one_purpose(void **state)
{
    struct world *w = *state;
    uint8_t public_key[32], other_key[32], kcv[3][3] = {{0}}, memory[WRAPPED_MAX],
                                           sealed_memory[SEALED_KEY_MAX];
    struct secret keys = secret_of(view_of(key_bytes, 48));
    struct key_attributes other = aes_master;
    struct writer wrapped, sealed;
    vault_import_key(w->vault, public_key);
    vault_import_key(w->other, other_key);
    assert_memory_not_equal(public_key, other_key, sizeof(other_key));
    wr_fixed(&wrapped, memory, sizeof(memory));
    wr_fixed(&sealed, sealed_memory, sizeof(sealed_memory));
    assert_int_equal(vault_wrap_for_import(w->crypto, crypto_random(), public_key, &aes_master,
                                           secret_view(&keys), &wrapped),
                     OK);
    struct view good = wr_view_of(&wrapped);

    assert_int_equal(vault_import(w->other, &aes_master, good, &sealed, kcv), ERR_AUTH);
    other.version = 4;
    assert_int_equal(vault_import(w->vault, &other, good, &sealed, kcv), ERR_AUTH);
    other = aes_master;
    other.name[0] = 'c';
    assert_int_equal(vault_import(w->vault, &other, good, &sealed, kcv), ERR_AUTH);
    other.name[0] = ':';
    assert_int_equal(vault_import(w->vault, &other, good, &sealed, kcv), ERR_ARGUMENT);
    for (size_t i = 0; i < good.len; i++) {
        memory[i] ^= 0x01;
        if (vault_import(w->vault, &aes_master, good, &sealed, kcv) != ERR_AUTH)
            fail_msg("byte %zu", i);
        memory[i] ^= 0x01;
        if (vault_import(w->vault, &aes_master, view_head(good, i), &sealed, kcv) != ERR_AUTH)
            fail_msg("cut at %zu", i);
    }
    assert_int_equal(sealed.len, 0);
    assert_int_equal(kcv[0][0], 0);
    assert_int_equal(vault_import(w->vault, &aes_master, good, &sealed, kcv), OK);
}

static void sealed_keys_do_not_open_otherwise(void **state)
{
    struct world *w = *state;
    uint8_t memory[SEALED_KEY_MAX], older_memory[SEALED_KEY_MAX], kcv[3][3];
    struct key_attributes older = aes_master;
    struct writer sealed, sealed_older;
    struct secret keys = {0};
    older.version = 2;
    wr_fixed(&sealed, memory, sizeof(memory));
    wr_fixed(&sealed_older, older_memory, sizeof(older_memory));
    assert_int_equal(import(w, &aes_master, view_of(key_bytes, 48), &sealed, kcv), OK);
    assert_int_equal(import(w, &older, view_of(key_bytes, 48), &sealed_older, kcv), OK);
    struct view good = wr_view_of(&sealed);

    assert_int_equal(unseal_secret(w->vault, &aes_master, wr_view_of(&sealed_older), &keys), ERR_CONFLICT);
    assert_int_equal(keys.len, 0); /* wiped */
    assert_int_equal(unseal_secret(w->other, &aes_master, good, &keys), ERR_CONFLICT);
    for (size_t i = 0; i < good.len; i++) {
        memory[i] ^= 0x80;
        if (unseal_secret(w->vault, &aes_master, good, &keys) != ERR_CONFLICT)
            fail_msg("byte %zu", i);
        memory[i] ^= 0x80;
        if (unseal_secret(w->vault, &aes_master, view_head(good, i), &keys) != ERR_CONFLICT)
            fail_msg("cut at %zu", i);
    }
    assert_int_equal(unseal_secret(w->vault, &aes_master, good, &keys), OK);
    secret_wipe(&keys);
}

/* A blob has a purpose, a context and a key of its own. */
static void blobs_are_not_alike(void **state)
{
    struct world *w = *state;
    uint8_t a[128], b[128], out[128];
    static const uint8_t long_context[SEAL_CONTEXT_MAX + 1];
    struct writer first, second, plain;
    wr_fixed(&first, a, sizeof(a));
    wr_fixed(&second, b, sizeof(b));
    wr_fixed(&plain, out, sizeof(out));
    struct view text = view_str("the same text"), context = view_str("session");
    assert_int_equal(seal(w->vault, SEAL_CHANNEL, context, text, &first), OK);
    assert_int_equal(seal(w->vault, SEAL_CHANNEL, context, text, &second), OK);
    assert_int_equal(first.len, text.len + SEAL_OVERHEAD);
    assert_memory_not_equal(a + 1, b + 1, 32);
    assert_memory_not_equal(a + 33, b + 33, text.len);
    assert_int_equal(unseal(w->vault, SEAL_KEY, context, wr_view_of(&first), &plain), ERR_AUTH);
    assert_int_equal(unseal(w->vault, SEAL_CHANNEL, view_str("sessioN"), wr_view_of(&first), &plain),
                     ERR_AUTH);
    assert_int_equal(plain.len, 0);
    assert_int_equal(unseal(w->vault, SEAL_CHANNEL, context, wr_view_of(&first), &plain), OK);
    assert_true(view_equal(wr_view_of(&plain), text));
    assert_int_equal(seal(w->vault, SEAL_CHANNEL, VIEW_OF(long_context), text, &second), ERR_LIMIT);
}

static enum err no_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return ERR_CRYPTO;
}

static void without_randomness_nothing_is_sealed(void **state)
{
    struct world *w = *state;
    struct secret kek = {.len = KEK_LEN, .data = {0xA0, 1, 2, 3}};
    struct vault *v = NULL;
    uint8_t memory[128];
    struct writer out;
    wr_fixed(&out, memory, sizeof(memory));
    assert_int_equal(vault_new(&v, w->crypto, (struct random_source){no_random, NULL}, &kek), OK);
    assert_int_equal(seal(v, SEAL_KEY, VIEW_NULL, view_str("x"), &out), ERR_CRYPTO);
    assert_int_equal(out.len, 0);
    vault_free(&v);
    vault_free(&v);
}

static void the_key_encryption_key_has_32_bytes(void **state)
{
    struct world *w = *state;
    struct vault *v = NULL;
    for (size_t len = 0; len <= SECRET_MAX; len++) {
        struct secret kek = {.len = len};
        enum err e = vault_new(&v, w->crypto, crypto_random(), &kek);
        if (e != (len == KEK_LEN ? OK : ERR_ARGUMENT))
            fail_msg("%zu", len);
        vault_free(&v);
    }
    /* The same on each node. */
    uint8_t here[32], there[32];
    v = new_vault(w->crypto, 0xA0);
    vault_import_key(v, here);
    vault_import_key(w->vault, there);
    assert_memory_equal(here, there, sizeof(here));
    assert_int_equal(vault_memory(v).len, sizeof(*v));
    vault_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_checked),
        cmocka_unit_test(attributes_go_and_come),
        cmocka_unit_test(uses_have_names),
        cmocka_unit_test(check_values_of_published_keys),
        cmocka_unit_test(one_key_stands_for_three),
        cmocka_unit_test(wrong_key_lengths),
        cmocka_unit_test(more_than_any_keys),
        cmocka_unit_test(imports_are_for_one_vault_and_one_purpose),
        cmocka_unit_test(sealed_keys_do_not_open_otherwise),
        cmocka_unit_test(blobs_are_not_alike),
        cmocka_unit_test(without_randomness_nothing_is_sealed),
        cmocka_unit_test(the_key_encryption_key_has_32_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
