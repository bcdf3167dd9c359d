/* SPDX-License-Identifier: Apache-2.0
 *
 * What all secure channels have in common: the table of methods, and the way from EXTERNAL AUTHENTICATE to
 * wrapped commands and unwrapped answers. What is said before is in gp/channel/opening.c, the state as bytes
 * in state.c, the cryptography of each method in its own file there. */
#include "channel/channel_internal.h"

#include <stdlib.h>

enum { CLA_GP = 0x80 };

/* Challenges, cryptograms and MACs of one row have the same length, and so has the host's challenge. */
#define ROW(name, scp, i, type, tag, rmac, ops, ...)                                                         \
    {                                                                                                        \
        name, scp, i, type, tag, tag, {__VA_ARGS__}, rmac, true, false, ops                                  \
    }
#define ROW_SCP01(i, ...) ROW("SCP01", SCP01, i, KEY_DES3, MAC_LEN, false, &channel_scp01, __VA_ARGS__)
/* With one base key, and with three. */
#define ROWS_SCP02(i, rmac, ...)                                                                             \
    ROW("SCP02", SCP02, i, KEY_DES3, MAC_LEN, rmac, &channel_scp02, __VA_ARGS__),                            \
        ROW("SCP02", SCP02, (i) | 0x01, KEY_DES3, MAC_LEN, rmac, &channel_scp02, __VA_ARGS__)
#define ROW_SCP02_IMPLICIT(i, rmac)                                                                          \
    {                                                                                                        \
        "SCP02", SCP02, i, KEY_DES3, 0, MAC_LEN, {0x01}, rmac, false, false, &channel_scp02_implicit         \
    }
#define ROWS_SCP02_IMPLICIT(i, rmac) ROW_SCP02_IMPLICIT(i, rmac), ROW_SCP02_IMPLICIT((i) | 0x01, rmac)
/* In mode S8, and in mode S16. */
#define ROWS_SCP03(i, rmac, ...)                                                                             \
    ROW("SCP03", SCP03, i, KEY_AES, MAC_LEN, rmac, &channel_scp03, __VA_ARGS__),                             \
        ROW("SCP03", SCP03, (i) | 0x01, KEY_AES, MAC_LEN_S16, rmac, &channel_scp03, __VA_ARGS__)

/* Levels: what the key usage qualifier has words for (GPCS 2.3.1 11.1.9). i is the parameter that the host
 * sends; with bit 8, which it does not send, for cards in mode S16. */
#define ROW_SCP11_MODE(name, i, tag)                                                                         \
    {                                                                                                        \
        name, SCP11, i, KEY_EC, 0, tag, {0x11, 0x33}, true, false, true, &channel_scp11                      \
    }
#define ROW_SCP11(name, i) ROW_SCP11_MODE(name, i, MAC_LEN), ROW_SCP11_MODE(name, (i) | 0x80, MAC_LEN_S16)
/* docs/signed-commands.md, Variants. */
#define ROW_SIGNED(i, type, signature, ops, ...)                                                             \
    {                                                                                                        \
        "F0", SCP_SIGNED, i, type, 16, signature, {__VA_ARGS__}, true, true, false, ops                      \
    }

/* i: GPCS 2.2.1 D.1.1; GPCS 2.3.1 table E-1; Amendment D table 5-1. */
static const struct channel_method methods[] = {
    ROW_SCP01(0x05, 0x01, 0x03),
    ROW_SCP01(0x15, 0x01, 0x03),

    ROWS_SCP02(0x04, false, 0x01, 0x03),
    ROWS_SCP02(0x14, false, 0x01, 0x03),
    ROWS_SCP02(0x24, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP02(0x34, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP02(0x44, false, 0x01, 0x03),
    ROWS_SCP02(0x54, false, 0x01, 0x03),
    ROWS_SCP02(0x64, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP02(0x74, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP02_IMPLICIT(0x0A, false),
    ROWS_SCP02_IMPLICIT(0x1A, false),
    ROWS_SCP02_IMPLICIT(0x2A, true),
    ROWS_SCP02_IMPLICIT(0x3A, true),

    ROWS_SCP03(0x00, false, 0x01, 0x03),
    ROWS_SCP03(0x10, false, 0x01, 0x03),
    ROWS_SCP03(0x20, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP03(0x30, true, 0x01, 0x03, 0x11, 0x13),
    ROWS_SCP03(0x60, true, 0x01, 0x03, 0x11, 0x13, 0x33),
    ROWS_SCP03(0x70, true, 0x01, 0x03, 0x11, 0x13, 0x33),

    ROW_SCP11("SCP11a", 0x01),
    ROW_SCP11("SCP11b", 0x00),
    ROW_SCP11("SCP11c", 0x03),
    ROW_SIGNED(0x01, KEY_RSA, 256, &channel_signed_256, 0x01, 0x11, 0x03, 0x13, 0x33),
    ROW_SIGNED(0x02, KEY_RSA, 384, &channel_signed_256, 0x01, 0x11, 0x03, 0x13, 0x33),
    ROW_SIGNED(0x03, KEY_DSA, 64, &channel_signed_256, 0x01, 0x11),
    ROW_SIGNED(0x04, KEY_EC, 64, &channel_signed_256, 0x01, 0x11, 0x03, 0x13, 0x33),
    ROW_SIGNED(0x05, KEY_EC, 96, &channel_signed_384, 0x01, 0x11, 0x03, 0x13, 0x33),
};

#undef ROW_SIGNED
#undef ROW_SCP11
#undef ROW_SCP11_MODE
#undef ROWS_SCP03
#undef ROWS_SCP02_IMPLICIT
#undef ROW_SCP02_IMPLICIT
#undef ROWS_SCP02
#undef ROW_SCP01
#undef ROW

const struct channel_method *channel_methods(size_t *count)
{
    *count = sizeof(methods) / sizeof(methods[0]);
    return methods;
}

const struct channel_method *channel_method(uint8_t scp, uint8_t i)
{
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    for (; count > 0; m++, count--) {
        if (m->scp == scp && m->i == i)
            return m;
    }
    return NULL;
}

bool channel_level_ok(const struct channel_method *m, uint8_t level)
{
    for (const uint8_t *l = m->levels; *l != 0; l++) {
        if (*l == level)
            return true;
    }
    return false;
}

bool channel_keys_fit(const struct channel_method *m, enum key_type type, size_t len)
{
    bool right = type == m->key_type || (type == KEY_DES && m->key_type == KEY_DES3);
    return right && key_length_check(type, len) == OK && m->ops->lengths_ok != NULL &&
           m->ops->lengths_ok(len, len, len);
}

/* No data is not encrypted (GPCS 2.2.1 D.3.4; Amendment D 6.2.6; and what cards do in SCP02). */
size_t channel_field_len(const struct channel_method *m, bool encrypt, size_t data_len)
{
    size_t block = m->ops->cipher_block;
    if (!encrypt || data_len == 0)
        return data_len;
    if (m->ops->length_byte) /* the length in front, and padding only where the block is not whole */
        return (1 + data_len + block - 1) & ~(block - 1);
    return (data_len & ~(block - 1)) + block;
}

size_t channel_block_size(const struct channel_method *m, uint8_t level)
{
    bool encrypt = (level & LEVEL_C_DECRYPTION) != 0;
    size_t len = SHORT_DATA_MAX;
    while (len > 0 && channel_field_len(m, encrypt, len) + m->tag_len > SHORT_DATA_MAX)
        len--;
    return len;
}

const char *channel_extended_reason(const struct channel_method *m)
{
    return m->tag_len > SHORT_DATA_MAX
               ? "the signature of each command is longer than a short command: card, "
                 "reader and client need extended length"
               : NULL;
}

bool channel_encrypts(const struct channel *ch)
{
    return ch->phase != PHASE_NEW && (ch->level & LEVEL_C_DECRYPTION) != 0;
}

size_t channel_wrapped_len(const struct channel *ch, const struct apdu *plain)
{
    return channel_field_len(ch->method, channel_encrypts(ch), plain->data.len) + ch->tag_len;
}

/* GPCS 2.3.1 11.1.4: class bytes with bit 7 carry the logical channel in bits 1 to 4 and secure messaging in
 * bit 6, others in bits 1 to 2 and 3 to 4. Bit 5, command chaining of ISO 7816-4, stays. */
static bool is_further_class(uint8_t cla)
{
    return (cla & 0x40) != 0;
}

static bool is_plain_class(uint8_t cla)
{
    return (cla & (is_further_class(cla) ? 0x20 : 0x0C)) == 0;
}

static uint8_t wire_class(uint8_t cla)
{
    return (uint8_t)(cla | (is_further_class(cla) ? 0x20 : 0x04));
}

uint8_t channel_bare_class(uint8_t cla)
{
    return (uint8_t)(cla & (is_further_class(cla) ? 0x90 : 0xF0));
}

uint8_t channel_mac_class(uint8_t cla)
{
    return channel_bare_class(cla) | 0x04;
}

void channel_put_header(uint8_t *out, const struct outgoing *o, size_t lc)
{
    *out++ = channel_mac_class(o->plain->cla);
    *out++ = o->plain->ins;
    *out++ = o->plain->p1;
    *out++ = o->plain->p2;
    if (o->extended) {
        *out++ = 0;
        *out++ = (uint8_t)(lc >> 8);
    }
    *out = (uint8_t)lc;
}

void channel_pad(struct writer *w, size_t block)
{
    wr_u8(w, 0x80);
    while (wr_ok(w) && w->len % block != 0)
        wr_u8(w, 0);
}

bool channel_is_success(uint16_t sw)
{
    return sw == SW_OK || sw >> 8 == 0x62 || sw >> 8 == 0x63;
}

/* ERR_ARGUMENT, ERR_LIMIT when the command can't be wrapped. */
static enum err prepare(const struct channel *ch, const struct apdu *plain, bool encrypt,
                        struct outgoing *out)
{
    bool extended = apdu_is_extended(plain) || ch->method->tag_len > SHORT_DATA_MAX;
    size_t len = channel_field_len(ch->method, encrypt, plain->data.len);
    if (!is_plain_class(plain->cla))
        return ERR_ARGUMENT;
    if (extended && ch->method->ops->short_only)
        return ERR_LIMIT;
    if (len + ch->tag_len > (extended ? EXTENDED_DATA_MAX : SHORT_DATA_MAX))
        return ERR_LIMIT;
    out->plain = plain;
    out->extended = extended;
    out->ne = plain->ne;
    out->header_len = extended ? 7 : 5;
    out->field_len = len;
    return OK;
}

static void give(const struct channel *ch, const struct outgoing *o, struct apdu *out)
{
    out->cla = wire_class(o->plain->cla);
    out->ins = o->plain->ins;
    out->p1 = o->plain->p1;
    out->p2 = o->plain->p2;
    out->data.data = o->field;
    out->data.len = o->field_len + ch->tag_len;
    out->ne = o->ne;
    out->extended = o->extended;
}

static enum err wrap_prepared(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                              struct apdu *wrapped, struct writer *storage)
{
    size_t before = storage->len;
    enum err e = ch->method->ops->wrap(ch, c, commands, count, storage);
    if (e != OK) {
        if (storage->data != NULL)
            wipe(storage->data + before, storage->len - before);
        storage->len = before;
        return e;
    }
    for (size_t i = 0; i < count; i++)
        give(ch, &commands[i], &wrapped[i]);
    if (ch->phase != PHASE_NEW) /* Amendment D 6.2.6: 1 for the first behind EXTERNAL AUTHENTICATE */
        ch->counter += (uint32_t)count;
    return OK;
}

static enum err wrap(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                     struct apdu *wrapped, struct writer *storage)
{
    bool encrypt = channel_encrypts(ch);
    enum err e = OK;
    if (count == 0)
        return OK;
    if (count > UINT32_MAX - ch->counter)
        return ERR_LIMIT;
    struct outgoing *commands = reallocarray(NULL, count, sizeof(*commands));
    if (commands == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count && e == OK; i++)
        e = prepare(ch, &plain[i], encrypt, &commands[i]);
    if (e == OK)
        e = wrap_prepared(ch, c, commands, count, wrapped, storage);
    free(commands);
    return e;
}

enum err channel_external_authenticate(struct channel *ch, struct crypto *c, struct writer *out)
{
    struct writer storage;
    struct apdu wrapped;
    const struct apdu plain = {.cla = CLA_GP,
                               .ins = 0x82,
                               .p1 = ch->level,
                               .data = view_of(ch->host_cryptogram, ch->host_cryptogram_len),
                               .extended = ch->host_cryptogram_len + ch->tag_len > SHORT_DATA_MAX};
    if (ch->phase != PHASE_NEW)
        return ERR_STATE;
    wr_heap(&storage, channel_wrapped_max(&plain, 1));
    enum err e = wrap(ch, c, &plain, 1, &wrapped, &storage);
    if (e == OK) {
        apdu_put(out, &wrapped);
        ch->phase = PHASE_AUTHENTICATING;
        e = wr_status(out);
    }
    wr_free(&storage);
    return e;
}

enum err channel_wrap(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                      struct apdu *wrapped, struct writer *storage)
{
    if (ch->phase == PHASE_NEW || ch->phase == PHASE_DEAD)
        return ERR_STATE;
    return wrap(ch, c, plain, count, wrapped, storage);
}

enum err channel_follow(struct channel *ch, struct crypto *c, const struct apdu *plain,
                        struct writer *storage)
{
    struct apdu wrapped;
    ch->following = true;
    enum err e = channel_wrap(ch, c, plain, 1, &wrapped, storage);
    ch->following = false;
    return e;
}

/* What a method may need around the data of one command: SCP03 lays out whole MAC messages, 16 bytes of
 * chain, 7 of header, up to 16 of padding for the cipher and 15 for the MAC, and has 16 bytes behind the
 * last; the largest signature is less than the largest of all. */
size_t channel_wrapped_max(const struct apdu *plain, size_t count)
{
    enum { AROUND = 72 + PK_SIGNATURE_MAX };
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += plain[i].data.len + AROUND;
    return len;
}

/* No protection, or the answer to EXTERNAL AUTHENTICATE, which never has any (Amendment D 6.2.5; GPCS 2.3.1
 * E.4.5). */
enum err channel_unwrap_bare(const struct rapdu *answer, struct writer *out)
{
    wr_view(out, answer->data);
    return wr_status(out);
}

enum err channel_unwrap(struct channel *ch, struct crypto *c, struct view rapdu, struct writer *out,
                        uint16_t *sw, bool *proven)
{
    struct rapdu answer;
    bool is_proven = false;
    if (ch->phase == PHASE_NEW || ch->phase == PHASE_DEAD)
        return ERR_STATE;
    enum err e = rapdu_parse(rapdu, &answer);
    if (e != OK)
        return e;
    if (ch->phase == PHASE_AUTHENTICATING) {
        ch->phase = answer.sw == SW_OK ? PHASE_OPEN : PHASE_DEAD;
        e = channel_unwrap_bare(&answer, out);
    } else {
        e = ch->method->ops->unwrap(ch, c, &answer, out, &is_proven);
        if (e == ERR_AUTH)
            ch->phase = PHASE_DEAD;
    }
    if (e != OK)
        return e;
    *sw = answer.sw;
    *proven = is_proven;
    return OK;
}

enum err channel_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, struct writer *out)
{
    if (in.len % ch->method->ops->cipher_block != 0)
        return ERR_ARGUMENT;
    uint8_t *place = wr_reserve(out, in.len);
    return place != NULL ? ch->method->ops->dek_encrypt(ch, c, in, place) : wr_status(out);
}

uint8_t channel_level(const struct channel *ch)
{
    return ch->level;
}

const struct channel_method *channel_method_of(const struct channel *ch)
{
    return ch->method;
}
