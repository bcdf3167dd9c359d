/* SPDX-License-Identifier: Apache-2.0
 *
 * Every sample CAP file, as the other side's reader makes a load file of it, goes onto the cards that it was
 * made for and is refused by those that lack what it imports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cap/cap.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

#include "testing/host.h"

static struct crypto *crypto;

static int setup(void **state)
{
    (void)state;
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

/* Sample, and the first Java Card version of ours that takes it; needs: other samples that must be there. */
static const struct sample {
    const char *name, *version, *needs;
} samples[] = {{"app-jc222", "2.2.2", "lib-1.0-jc222"},
               {"app2-jc222", "2.2.2", "lib-1.1-jc222"},
               {"bulk120-jc222", "2.2.2", NULL},
               {"bulk24-jc222", "2.2.2", NULL},
               {"bulk60-jc222", "2.2.2", NULL},
               {"counter-jc222", "2.2.2", NULL},
               {"counter-jc305", "3.0.5", NULL},
               {"extended-jc310", "3.1", NULL},
               {"extlen-jc222", "2.2.2", NULL},
               {"extlen-jc305", "3.0.5", NULL},
               {"hello-debug-jc222", "2.2.2", NULL},
               {"hello-debug-jc305", "3.0.5", NULL},
               {"hello-jc211", "2.2.2", NULL},
               {"hello-jc222", "2.2.2", NULL},
               {"hello-jc305", "3.0.5", NULL},
               {"hello-jc310", "3.1", NULL},
               {"hello-jc320", "3.2", NULL},
               {"hello-resource-jc310", "3.1", NULL},
               {"int-jc222", "2.2.2", NULL},
               {"int-jc305", "3.0.5", NULL},
               {"lib-1.0-jc222", "2.2.2", NULL},
               {"lib-1.1-jc222", "2.2.2", NULL},
               {"multi-jc222", "2.2.2", NULL},
               {"multi-jc305", "3.0.5", NULL},
               {"purse-jc222", "2.2.2", NULL},
               {"till-jc222", "2.2.2", "purse-jc222"},
               {"vault-gp16-jc305", "3.0.5", NULL},
               {"vault-jc222", "2.2.2", NULL},
               {"vault-jc305", "3.0.5", NULL}};
enum { SAMPLE_COUNT = sizeof samples / sizeof samples[0] };

static void read_cap(const char *name, struct cap *cap)
{
    struct cap_problem why;
    char path[512];
    snprintf(path, sizeof path, "caps/%s.cap", name);
    if (cap_read(cap, vectors_file(path), &why) != OK)
        fail_msg("%s: %s", name, why.text);
}

static uint16_t send_load(struct host *h, struct view file, size_t block)
{
    uint8_t header[] = {0x80, 0xE8, 0x00, 0x00};
    for (uint8_t n = 0; file.len != 0; n++) {
        struct view part = view_head(file, block);
        file = view_tail(file, part.len);
        header[2] = file.len == 0 ? 0x80 : 0x00;
        header[3] = n;
        uint16_t sw = host_secure(h, VIEW_OF(header), part);
        if (sw != SW_OK)
            return sw;
    }
    return SW_OK;
}

/* The command that brings it; SHA-256 of the load file data block goes along. */
static uint16_t load_cap(struct host *h, const struct cap *cap)
{
    static const uint8_t header[] = {0x80, 0xE6, 0x02, 0x00};
    struct writer install, file;
    uint8_t hash[DIGEST_MAX];
    assert_int_equal(cap_hash(cap, crypto, DIGEST_SHA256, hash), OK);
    wr_heap(&install, 256);
    wr_heap(&file, LOAD_FILE_MAX + 8);
    wr_view8(&install, aid_view(&cap->package.aid));
    wr_u8(&install, 0);
    wr_view8(&install, view_of(hash, 32));
    wr_u16(&install, 0);
    tlv_put(&file, 0xC4, wr_view_of(&cap->load));
    uint16_t sw = host_secure(h, VIEW_OF(header), wr_view_of(&install));
    if (sw == SW_OK)
        sw = send_load(h, wr_view_of(&file), file.len > 60000 ? 2000 : 247);
    wr_free(&install);
    wr_free(&file);
    return sw;
}

static uint16_t load_sample(struct host *h, const char *name)
{
    struct cap *cap = calloc(1, sizeof *cap);
    assert_non_null(cap);
    read_cap(name, cap);
    uint16_t sw = load_cap(h, cap);
    if (sw == SW_OK) {
        const struct card_package *p = card_find_package(&h->card.state, aid_view(&cap->package.aid));
        assert_non_null(p);
        assert_int_equal(p->module_count, cap->applet_count);
        assert_int_equal(p->import_count, cap->import_count);
    }
    cap_finish(cap);
    free(cap);
    return sw;
}

static struct host *card_of(const char *version)
{
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(host_init(h, crypto, "modern", 0xFF), OK);
    assert_non_null(platform_by_name(version, &h->card.state.profile.java_card));
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    return h;
}

static void end_card(struct host *h)
{
    host_finish(h);
    free(h);
}

static void each_sample_loads_where_it_may(void **state)
{
    static const char *const versions[] = {"2.2.2", "3.0.5", "3.1", "3.2"};
    (void)state;
    for (size_t n = 0; n < SAMPLE_COUNT; n++) {
        bool may = false;
        for (size_t v = 0; v < 4; v++) {
            may |= strcmp(samples[n].version, versions[v]) == 0;
            struct host *h = card_of(versions[v]);
            if (samples[n].needs != NULL) {
                assert_int_equal(load_sample(h, samples[n].name), SW_CONDITIONS);
                assert_int_equal(load_sample(h, samples[n].needs), SW_OK);
            }
            uint16_t sw = load_sample(h, samples[n].name);
            if ((sw == SW_OK) != may)
                fail_msg("%s on %s: %04X", samples[n].name, versions[v], sw);
            end_card(h);
        }
    }
}

static void versions_of_a_library_count(void **state)
{
    static const struct {
        const char *library, *user;
        uint16_t sw;
    } rows[] = {{"lib-1.0-jc222", "app-jc222", SW_OK},
                {"lib-1.0-jc222", "app2-jc222", SW_CONDITIONS},
                {"lib-1.1-jc222", "app-jc222", SW_OK},
                {"lib-1.1-jc222", "app2-jc222", SW_OK}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct host *h = card_of("3.0.5");
        assert_int_equal(load_sample(h, rows[n].library), SW_OK);
        uint16_t sw = load_sample(h, rows[n].user);
        if (sw != rows[n].sw)
            fail_msg("%s with %s: %04X", rows[n].user, rows[n].library, sw);
        /* The library stays while somebody imports it, also when its related objects may go. */
        static const uint8_t header[] = {0x80, 0xE4, 0x00, 0x80};
        struct view library = vector_hex("4F05F00000000A");
        assert_int_equal(host_secure(h, VIEW_OF(header), library), sw == SW_OK ? SW_CONDITIONS : SW_OK);
        end_card(h);
    }
}

/* A format that the card does not know is no load file for it, whatever it imports. */
static void formats_are_told_apart(void **state)
{
    (void)state;
    struct host *h = card_of("3.0.5");
    assert_int_equal(load_sample(h, "hello-jc310"), SW_WRONG_DATA);
    assert_int_equal(load_sample(h, "extended-jc310"), SW_WRONG_DATA);
    end_card(h);
    h = card_of("3.1");
    assert_int_equal(load_sample(h, "hello-jc320"), SW_CONDITIONS);
    end_card(h);
}

static void memory_is_what_the_card_has(void **state)
{
    (void)state;
    struct host *h = card_of("2.2.2");
    h->card.state.profile.memory = 2000;
    assert_int_equal(load_sample(h, "bulk24-jc222"), SW_NOT_ENOUGH_MEMORY);
    assert_int_equal(load_sample(h, "vault-jc222"), SW_NOT_ENOUGH_MEMORY);
    assert_int_equal(load_sample(h, "hello-jc222"), SW_OK);
    end_card(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sample_loads_where_it_may),
        cmocka_unit_test(versions_of_a_library_count),
        cmocka_unit_test(formats_are_told_apart),
        cmocka_unit_test(memory_is_what_the_card_has),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
