/* SPDX-License-Identifier: Apache-2.0
 *
 * What all secure channels have in common: the table of methods, the way from INITIALIZE UPDATE over
 * EXTERNAL AUTHENTICATE to wrapped commands, and the state as bytes. The cryptography of each method is in
 * its own file under gp/channel/. */
#include "channel/channel_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    STATE_VERSION = 1,
    CLA_GP = 0x80,
    SCP02_COUNTER_MAX = 32767,   /* GPCS 2.3.1 E.1.2 */
    SCP03_COUNTER_MAX = 0xFFFFFF /* Amendment D 6.2.2.1 */
};

#define ROW(name, scp, i, type, rmac, ops, ...)                                                              \
    {                                                                                                        \
        name, scp, i, type, 8, {__VA_ARGS__}, rmac, true, false, ops                                         \
    }
#define SCP02(i, rmac, ...) ROW("SCP02", 2, i, KEY_DES3, rmac, &channel_scp02, __VA_ARGS__)
#define SCP03(i, rmac, ...) ROW("SCP03", 3, i, KEY_AES, rmac, &channel_scp03, __VA_ARGS__)

/* i: GPCS 2.3.1 table E-1, Amendment D table 5-1. */
static const struct channel_method methods[] = {
    SCP02(0x15, false, 0x01, 0x03),
    SCP02(0x35, true, 0x01, 0x03, 0x11, 0x13),
    SCP02(0x55, false, 0x01, 0x03),
    SCP02(0x75, true, 0x01, 0x03, 0x11, 0x13),
    SCP03(0x00, false, 0x01, 0x03),
    SCP03(0x10, false, 0x01, 0x03),
    SCP03(0x20, true, 0x01, 0x03, 0x11, 0x13),
    SCP03(0x30, true, 0x01, 0x03, 0x11, 0x13),
    SCP03(0x60, true, 0x01, 0x03, 0x11, 0x13, 0x33),
    SCP03(0x70, true, 0x01, 0x03, 0x11, 0x13, 0x33),
};

#undef SCP03
#undef SCP02
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

/* Bytes of the data field before the C-MAC. No data is not encrypted (Amendment D 6.2.6, and what cards do in
 * SCP02). */
static size_t field_len(const struct channel_method *m, bool encrypt, size_t data_len)
{
    size_t block = m->ops->cipher_block;
    return encrypt && data_len > 0 ? (data_len & ~(block - 1)) + block : data_len;
}

size_t channel_block_size(const struct channel_method *m, uint8_t level)
{
    size_t len = SHORT_DATA_MAX;
    while (field_len(m, (level & LEVEL_C_DECRYPTION) != 0, len) + MAC_LEN > SHORT_DATA_MAX)
        len--;
    return len;
}

/* key diversification data 10 | key version | protocol | SCP03: i | the rest */
enum err init_update_parse(struct view data, struct init_update *out)
{
    struct reader r;
    struct init_update iu = {.i = -1};
    rd_init(&r, data);
    rd_copy(&r, iu.kdd, sizeof(iu.kdd));
    iu.kvn = rd_u8(&r);
    iu.scp = rd_u8(&r);
    if (!rd_ok(&r))
        return ERR_FORMAT;
    iu.cryptogram_len = 8;
    if (iu.scp == 2) { /* GPCS 2.3.1 E.5.1.6: sequence counter 2 | challenge 6 | cryptogram 8 */
        iu.has_sequence = true;
        iu.sequence = rd_u16(&r);
        iu.challenge_len = 6;
    } else if (iu.scp == 3) { /* Amendment D 7.1.1.1; i bit 1: challenge and cryptogram of 16 bytes */
        iu.i = rd_u8(&r);
        iu.has_sequence = (iu.i & 0x10) != 0;
        iu.challenge_len = (iu.i & 0x01) != 0 ? 16 : 8;
        iu.cryptogram_len = iu.challenge_len;
    } else {
        return ERR_UNSUPPORTED;
    }
    rd_copy(&r, iu.challenge, iu.challenge_len);
    rd_copy(&r, iu.cryptogram, iu.cryptogram_len);
    if (iu.scp == 3 && iu.has_sequence)
        iu.sequence = rd_u24(&r);
    if (!rd_done(&r))
        return ERR_FORMAT;
    *out = iu;
    return OK;
}

uint32_t channel_counter_left(const struct init_update *iu)
{
    uint32_t most = iu->scp == 2 ? SCP02_COUNTER_MAX : SCP03_COUNTER_MAX;
    if (!iu->has_sequence)
        return UINT32_MAX;
    return iu->sequence < most ? most - iu->sequence : 0;
}

void channel_initialize_update(struct apdu *out, uint8_t kvn, uint8_t key_id, struct view host_challenge)
{
    *out =
        (struct apdu){.cla = CLA_GP, .ins = 0x50, .p1 = kvn, .p2 = key_id, .data = host_challenge, .ne = 256};
}

/* The card's answer and the keys go with the method. */
static enum err check_fit(const struct channel_method *m, const struct card_keys *keys,
                          struct view host_challenge, const struct init_update *iu, uint8_t level)
{
    if (!channel_level_ok(m, level))
        return ERR_UNSUPPORTED;
    if (keys->type != m->key_type || host_challenge.len != m->host_challenge_len)
        return ERR_ARGUMENT;
    if (!m->ops->lengths_ok(keys->enc.len, keys->mac.len, keys->dek.len))
        return ERR_ARGUMENT;
    if (iu->scp != m->scp || (iu->i >= 0 && iu->i != m->i) || iu->cryptogram_len != CRYPTOGRAM_LEN)
        return ERR_ARGUMENT;
    return OK;
}

enum err channel_open(struct channel **out, struct crypto *c, const struct channel_method *m,
                      const struct card_keys *keys, struct view host_challenge, const struct init_update *iu,
                      uint8_t level)
{
    struct channel *ch = NULL;
    uint8_t expected[CRYPTOGRAM_LEN];
    enum err e = check_fit(m, keys, host_challenge, iu, level);
    if (e != OK)
        return e;
    ch = calloc(1, sizeof(*ch));
    if (ch == NULL)
        return ERR_MEMORY;
    ch->method = m;
    ch->level = level;
    e = m->ops->derive(ch, c, keys, host_challenge, iu, expected);
    if (e != OK)
        goto out;
    if (!secret_equal(VIEW_OF(expected), view_of(iu->cryptogram, iu->cryptogram_len))) {
        e = ERR_AUTH;
        goto out;
    }
    *out = ch;
    ch = NULL;
out:
    wipe(expected, sizeof(expected));
    channel_free(&ch);
    return e;
}

/* ---- any method, from its first command ---- */

/* Certificates of a chain, cut into commands. */
enum { OPENING_STORAGE_MAX = 16 * 1024 };

enum err channel_begin(struct channel_opening *out, struct crypto *c, struct random_source random,
                       const struct channel_request *request, const struct channel_keys *keys)
{
    struct channel_opening o = {.request = *request};
    const struct channel_method *m = request->method;
    (void)c;
    (void)keys;
    if (!channel_level_ok(m, request->level))
        return ERR_UNSUPPORTED;
    wr_heap(&o.storage, OPENING_STORAGE_MAX);
    o.own.len = m->host_challenge_len;
    enum err e = random.fill(random.ctx, o.own.data, o.own.len);
    wr_view(&o.storage, secret_view(&o.own));
    if (e == OK)
        e = wr_status(&o.storage);
    if (e != OK) {
        channel_opening_finish(&o);
        return e;
    }
    channel_initialize_update(&o.commands[0], request->kvn, request->kid, wr_view_of(&o.storage));
    o.count = 1;
    o.request.aid = view_of(NULL, 0);
    *out = o;
    return OK;
}

void channel_opening_finish(struct channel_opening *o)
{
    wr_free(&o->storage);
    secret_wipe(&o->own);
    *o = (struct channel_opening){0};
}

enum err channel_accept(struct channel **out, struct crypto *c, const struct channel_opening *o,
                        const struct channel_keys *keys, const struct rapdu *answers, size_t count)
{
    struct init_update iu;
    if (count != o->count || count != 1 || answers[0].sw != SW_OK)
        return ERR_STATE;
    if (keys == NULL || keys->card == NULL)
        return ERR_ARGUMENT;
    enum err e = init_update_parse(answers[0].data, &iu);
    if (e != OK)
        return e;
    return channel_open(out, c, o->request.method, keys->card, secret_view(&o->own), &iu, o->request.level);
}

void channel_free(struct channel **ch)
{
    if (*ch == NULL)
        return;
    wipe(*ch, sizeof(**ch));
    free(*ch);
    *ch = NULL;
}

bool channel_encrypts(const struct channel *ch)
{
    return ch->phase != PHASE_NEW && (ch->level & LEVEL_C_DECRYPTION) != 0;
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
    bool extended = apdu_is_extended(plain);
    size_t len = field_len(ch->method, encrypt, plain->data.len);
    if (!is_plain_class(plain->cla))
        return ERR_ARGUMENT;
    if (len + MAC_LEN > (extended ? EXTENDED_DATA_MAX : SHORT_DATA_MAX))
        return ERR_LIMIT;
    out->plain = plain;
    out->extended = extended;
    out->header_len = extended ? 7 : 5;
    out->field_len = len;
    return OK;
}

static void give(const struct outgoing *o, struct apdu *out)
{
    out->cla = wire_class(o->plain->cla);
    out->ins = o->plain->ins;
    out->p1 = o->plain->p1;
    out->p2 = o->plain->p2;
    out->data.data = o->field;
    out->data.len = o->field_len + MAC_LEN;
    out->ne = o->plain->ne;
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
        give(&commands[i], &wrapped[i]);
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
    struct outgoing *commands = calloc(count, sizeof(*commands));
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
    uint8_t memory[128];
    struct writer storage;
    struct apdu wrapped;
    const struct apdu plain = {
        .cla = CLA_GP, .ins = 0x82, .p1 = ch->level, .data = VIEW_OF(ch->host_cryptogram)};
    if (ch->phase != PHASE_NEW)
        return ERR_STATE;
    wr_fixed(&storage, memory, sizeof(memory));
    enum err e = wrap(ch, c, &plain, 1, &wrapped, &storage);
    if (e != OK)
        return e;
    apdu_put(out, &wrapped);
    ch->phase = PHASE_AUTHENTICATING;
    return wr_status(out);
}

enum err channel_wrap(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                      struct apdu *wrapped, struct writer *storage)
{
    if (ch->phase == PHASE_NEW || ch->phase == PHASE_DEAD)
        return ERR_STATE;
    return wrap(ch, c, plain, count, wrapped, storage);
}

/* What a method may need around the data of one command: SCP03 lays out whole MAC messages, 16 bytes of
 * chain, 7 of header, up to 16 of padding for the cipher and 15 for the MAC, and has 16 bytes behind the
 * last. */
size_t channel_wrapped_max(const struct apdu *plain, size_t count)
{
    enum { AROUND = 72 };
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += plain[i].data.len + AROUND;
    return len;
}

/* No protection, or the answer to EXTERNAL AUTHENTICATE, which never has any (Amendment D 6.2.5; GPCS 2.3.1
 * E.4.5). */
static enum err unwrap_plain(const struct rapdu *answer, struct writer *out)
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
        e = unwrap_plain(&answer, out);
    } else if ((ch->level & LEVEL_R_MAC) == 0) {
        e = unwrap_plain(&answer, out);
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

enum err channel_copy(struct channel **out, const struct channel *ch)
{
    struct channel *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return ERR_MEMORY;
    *copy = *ch;
    *out = copy;
    return OK;
}

enum err channel_encode(const struct channel *ch, struct writer *out)
{
    wr_u8(out, STATE_VERSION);
    wr_u8(out, ch->method->scp);
    wr_u8(out, ch->method->i);
    wr_u8(out, ch->level);
    wr_u8(out, (uint8_t)ch->phase);
    wr_view8(out, secret_view(&ch->enc));
    wr_view8(out, secret_view(&ch->mac));
    wr_view8(out, secret_view(&ch->rmac));
    wr_view8(out, secret_view(&ch->dek));
    wr_view(out, VIEW_OF(ch->host_cryptogram));
    wr_view(out, VIEW_OF(ch->chain));
    wr_u32(out, ch->counter);
    wr_view(out, VIEW_OF(ch->response.chain));
    wr_view8(out, view_of(ch->response.tail, ch->response.tail_len));
    return wr_status(out);
}

static void get_secret(struct reader *r, struct secret *out)
{
    if (secret_set(out, rd_view8(r, SECRET_MAX)) != OK)
        rd_fail(r);
}

static bool state_ok(const struct channel *ch)
{
    const struct channel_method *m = ch->method;
    return channel_level_ok(m, ch->level) && m->ops->lengths_ok(ch->enc.len, ch->mac.len, ch->dek.len) &&
           ch->rmac.len == (m->response_mac ? ch->mac.len : 0) && ch->phase < PHASE_COUNT &&
           (ch->phase != PHASE_NEW || ch->counter == 0);
}

enum err channel_decode(struct channel **out, struct view state)
{
    struct reader r;
    struct channel *ch = calloc(1, sizeof(*ch));
    enum err e = ERR_FORMAT;
    if (ch == NULL)
        return ERR_MEMORY;
    rd_init(&r, state);
    if (rd_u8(&r) != STATE_VERSION)
        rd_fail(&r);
    uint8_t scp = rd_u8(&r), i = rd_u8(&r);
    ch->method = channel_method(scp, i);
    ch->level = rd_u8(&r);
    ch->phase = (enum channel_phase)rd_u8(&r);
    get_secret(&r, &ch->enc);
    get_secret(&r, &ch->mac);
    get_secret(&r, &ch->rmac);
    get_secret(&r, &ch->dek);
    rd_copy(&r, ch->host_cryptogram, sizeof(ch->host_cryptogram));
    rd_copy(&r, ch->chain, sizeof(ch->chain));
    ch->counter = rd_u32(&r);
    rd_copy(&r, ch->response.chain, sizeof(ch->response.chain));
    struct view tail = rd_view8(&r, DES_BLOCK - 1);
    if (!rd_done(&r) || ch->method == NULL || !state_ok(ch))
        goto out;
    if (tail.len > 0)
        memcpy(ch->response.tail, tail.data, tail.len);
    ch->response.tail_len = tail.len;
    *out = ch;
    ch = NULL;
    e = OK;
out:
    channel_free(&ch);
    return e;
}
