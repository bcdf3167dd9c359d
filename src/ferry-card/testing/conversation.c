/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations with the card in memory. */
#include "testing/conversation.h"

struct crypto *crypto;
struct host *h;

int conversation_setup(void **state)
{
    (void)state;
    return crypto_new(&crypto) == OK ? 0 : -1;
}

int conversation_teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

void new_card(const char *kind, uint8_t i)
{
    h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(host_init(h, crypto, kind, i), OK);
}

void end_card(void)
{
    host_finish(h);
    free(h);
    h = NULL;
}

uint16_t say(const char *command)
{
    if (command[0] == '!') {
        card_reset(&h->card);
        return SW_OK;
    }
    if (command[0] == '-')
        return host_send(h, vector_hex(command + 1));
    struct view v = vector_hex(command);
    return host_secure(h, view_head(v, 4), view_tail(v, 5));
}

void talk(const char *name, const struct line *lines, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        uint16_t sw = say(lines[n].command);
        if (sw != lines[n].sw)
            fail_msg("%s, line %zu: %s answered %04X, not %04X", name, n, lines[n].command, sw, lines[n].sw);
        if (lines[n].data != NULL && !view_equal(host_data(h), vector_hex(lines[n].data)))
            fail_msg("%s, line %zu: %s has other data", name, n, lines[n].command);
    }
}

/* ---- loading ---- */

struct view read_file(const char *name)
{
    static uint8_t bytes[256 * 1024];
    char path[512];
    snprintf(path, sizeof path, CF_DATA "/caps/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return view_of(bytes, len);
}

uint16_t install_for_load(struct view aid, struct view hash)
{
    static const uint8_t header[] = {0x80, 0xE6, 0x02, 0x00};
    uint8_t memory[128];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    wr_view8(&w, aid);
    wr_u8(&w, 0);
    wr_view8(&w, hash);
    wr_u16(&w, 0);
    return host_secure(h, VIEW_OF(header), wr_view_of(&w));
}

uint16_t load_blocks(struct view file, size_t block)
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
    return h->sw;
}

struct view with_c4(struct view components)
{
    static uint8_t memory[256 * 1024];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    tlv_put(&w, 0xC4, components);
    assert_true(wr_ok(&w));
    return wr_view_of(&w);
}

uint16_t load_hello(void)
{
    uint16_t sw = install_for_load(vector_hex("F000000001"), VIEW_NULL);
    return sw != SW_OK ? sw : load_blocks(with_c4(read_file("odd/hello.ijc")), 200);
}

const char install_hello[] = "80E60C001A05F00000000106F0000000010106F00000000101010002C90000";
const char wrong_authenticate[] = "-8482010010000102030405060708090A0B0C0D0E0F";
const char initialize[] = "-8050000008010203040506070800";
