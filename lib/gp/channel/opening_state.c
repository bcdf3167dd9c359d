/* SPDX-License-Identifier: Apache-2.0
 *
 * An opening as bytes: what is kept between the commands that went out and the answers that come back with
 * the client's next request.
 *
 *     01 | scp | i | level | kvn | kid | u8 session key length | u8 curve | u64 now | u8 len, aid |
 *     u8 len, own secret | u8 count | count times: u16 len, command */
#include <gp/channel.h>

enum { OPENING_VERSION = 1 };

enum err channel_opening_encode(const struct channel_opening *o, struct writer *out)
{
    const struct channel_request *request = &o->request;
    wr_u8(out, OPENING_VERSION);
    wr_u8(out, request->method->scp);
    wr_u8(out, request->method->i);
    wr_u8(out, request->level);
    wr_u8(out, request->kvn);
    wr_u8(out, request->kid);
    wr_u8(out, request->session_key_len);
    wr_u8(out, (uint8_t)request->curve);
    wr_u64(out, request->now_ms);
    wr_view8(out, request->aid);
    wr_view8(out, secret_view(&o->own));
    wr_u8(out, (uint8_t)o->count);
    for (size_t n = 0; n < o->count; n++) {
        wr_u16(out, (uint16_t)apdu_len(&o->commands[n]));
        apdu_put(out, &o->commands[n]);
    }
    return wr_status(out);
}

static void get_commands(struct reader *r, struct channel_opening *o)
{
    o->count = rd_u8(r);
    if (o->count > OPENING_COMMANDS_MAX)
        rd_fail(r);
    for (size_t n = 0; rd_ok(r) && n < o->count; n++) {
        if (apdu_parse(rd_view16(r, OPENING_BYTES_MAX), &o->commands[n]) != OK)
            rd_fail(r);
    }
}

/* The views of commands and AID go into storage, a copy of the bytes. */
static enum err get(struct channel_opening *o)
{
    struct reader r;
    rd_init(&r, wr_view_of(&o->storage));
    uint8_t version = rd_u8(&r), scp = rd_u8(&r), i = rd_u8(&r);
    o->request.level = rd_u8(&r);
    o->request.kvn = rd_u8(&r);
    o->request.kid = rd_u8(&r);
    o->request.session_key_len = rd_u8(&r);
    o->request.curve = (enum pk_curve)rd_u8(&r);
    o->request.now_ms = rd_u64(&r);
    o->request.aid = rd_view8(&r, AID_MAX);
    enum err e = secret_set(&o->own, rd_view8(&r, SECRET_MAX));
    get_commands(&r, o);
    o->request.method = channel_method(scp, i);
    if (e != OK || !rd_done(&r) || version != OPENING_VERSION || o->request.method == NULL)
        return ERR_FORMAT;
    return channel_level_ok(o->request.method, o->request.level) ? OK : ERR_FORMAT;
}

enum err channel_opening_decode(struct channel_opening *out, struct view bytes)
{
    struct channel_opening o = {0};
    if (bytes.len > OPENING_BYTES_MAX)
        return ERR_FORMAT;
    wr_heap(&o.storage, OPENING_BYTES_MAX);
    wr_view(&o.storage, bytes);
    enum err e = wr_status(&o.storage) == OK ? get(&o) : ERR_MEMORY;
    if (e == OK)
        *out = o;
    else
        channel_opening_finish(&o);
    return e;
}
