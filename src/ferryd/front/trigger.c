/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the triggering message. */
#include "front/trigger.h"

#include <string.h>

#include <base/text.h>
#include <tlv/tlv.h>

/* Amendment B, table 3-2 and following: administration session triggering parameters, of an HTTP session,
 * with the HTTP POST parameters' host and URI. */
enum {
    TAG_TRIGGER = 0x81,
    TAG_SESSION = 0x83,
    TAG_HTTP_POST = 0x89,
    TAG_HOST = 0x8A,
    TAG_URI = 0x8C,
    /* Ours. Private class, so that a client which does not know them passes over them. */
    TAG_PURPOSE = 0xDF50,
    TAG_APP = 0xDF51,
    TAG_TITLE = 0xDF52,
    TRIGGER_MAX = TRIGGER_HOST_MAX + TRIGGER_URI_MAX + TRIGGER_APP_MAX + TRIGGER_TITLE_MAX + 48
};

/* Puts tag and length in front of what was written from start on. The tags of this message are those of
 * primitive objects although objects stand in them, so tlv_open would not have them. */
static void enclose(struct writer *w, size_t start, uint32_t tag)
{
    uint8_t memory[8];
    struct writer header;
    wr_fixed(&header, memory, sizeof(memory));
    tlv_put_tag(&header, tag);
    tlv_put_length(&header, w->len - start);
    if (!wr_ok(&header))
        wr_fail(w);
    wr_insert(w, start, wr_view_of(&header));
}

static const struct {
    const char *word;
    uint8_t code;
} purposes[] = {{"install", 1}, {"remove", 2}, {"inspect", 3}};

static enum err put_purpose(struct writer *w, struct view purpose)
{
    for (size_t n = 0; n < sizeof(purposes) / sizeof(purposes[0]); n++) {
        if (view_equal(view_str(purposes[n].word), purpose)) {
            tlv_put(w, TAG_PURPOSE, view_of(&purposes[n].code, 1));
            return OK;
        }
    }
    return purpose.len == 0 ? OK : ERR_ARGUMENT;
}

static enum err put_order(struct writer *w, const struct trigger_order *order)
{
    if (order->app.len > TRIGGER_APP_MAX || order->title.len > TRIGGER_TITLE_MAX)
        return ERR_ARGUMENT;
    enum err e = put_purpose(w, order->purpose);
    if (order->app.len > 0)
        tlv_put(w, TAG_APP, order->app);
    if (order->title.len > 0)
        tlv_put(w, TAG_TITLE, order->title);
    return e;
}

enum err trigger_put(struct writer *w, struct view host, struct view uri, const struct trigger_order *order)
{
    size_t start = w->len;
    if (host.len == 0 || host.len > TRIGGER_HOST_MAX || uri.len == 0 || uri.len > TRIGGER_URI_MAX)
        return ERR_ARGUMENT;
    tlv_put(w, TAG_HOST, host);
    tlv_put(w, TAG_URI, uri);
    enclose(w, start, TAG_HTTP_POST);
    enclose(w, start, TAG_SESSION);
    enum err e = order != NULL ? put_order(w, order) : OK;
    enclose(w, start, TAG_TRIGGER);
    return e != OK ? e : wr_status(w);
}

enum err trigger_link(const char *url, const struct trigger_order *order, char out[TRIGGER_LINK_MAX])
{
    static const char scheme[] = "https://";
    uint8_t memory[TRIGGER_MAX];
    struct writer message, link;
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return ERR_ARGUMENT;
    const char *host = url + sizeof(scheme) - 1;
    size_t host_len = strcspn(host, "/");

    wr_fixed(&message, memory, sizeof(memory));
    enum err e = trigger_put(&message, view_of(host, host_len), view_str(host + host_len), order);
    if (e != OK)
        return e;
    wr_fixed(&link, out, TRIGGER_LINK_MAX);
    wr_view(&link, view_str("cardferry:"));
    base64url_put(&link, wr_view_of(&message));
    wr_u8(&link, 0);
    return wr_status(&link);
}
