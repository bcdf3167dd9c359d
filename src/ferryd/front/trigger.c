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
    TRIGGER_MAX = TRIGGER_HOST_MAX + TRIGGER_URI_MAX + 32
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

enum err trigger_put(struct writer *w, struct view host, struct view uri)
{
    static const uint32_t outwards[] = {TAG_HTTP_POST, TAG_SESSION, TAG_TRIGGER};
    size_t start = w->len;
    if (host.len == 0 || host.len > TRIGGER_HOST_MAX || uri.len == 0 || uri.len > TRIGGER_URI_MAX)
        return ERR_ARGUMENT;
    tlv_put(w, TAG_HOST, host);
    tlv_put(w, TAG_URI, uri);
    for (size_t i = 0; i < sizeof(outwards) / sizeof(outwards[0]) && wr_ok(w); i++)
        enclose(w, start, outwards[i]);
    return wr_status(w);
}

enum err trigger_link(const char *url, char out[TRIGGER_LINK_MAX])
{
    static const char scheme[] = "https://";
    uint8_t memory[TRIGGER_MAX];
    struct writer message, link;
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return ERR_ARGUMENT;
    const char *host = url + sizeof(scheme) - 1;
    size_t host_len = strcspn(host, "/");

    wr_fixed(&message, memory, sizeof(memory));
    enum err e = trigger_put(&message, view_of(host, host_len), view_str(host + host_len));
    if (e != OK)
        return e;
    wr_fixed(&link, out, TRIGGER_LINK_MAX);
    wr_view(&link, view_str("cardferry:"));
    base64url_put(&link, wr_view_of(&message));
    wr_u8(&link, 0);
    return wr_status(&link);
}
