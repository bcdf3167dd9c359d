/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the body of an administration request, the first byte, a digit, says which: refused with a
 * sentence, or read whole and within its limits. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <base/text.h>

#include "front/api_bodies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum err app(struct view body, char *why, size_t why_len)
{
    struct app_body b = {0};
    enum err e = app_body_parse(body, &b, why, why_len);
    if (e != OK)
        return e;
    assert(b.name[0] != '\0' && b.cap.len <= CAP_FILE_MAX && b.install_count <= CAP_APPLETS_MAX);
    for (size_t i = 0; i < b.install_count; i++)
        assert((b.installs[i].module.len == 0 || b.installs[i].module.len >= AID_MIN) &&
               b.installs[i].parameters.len <= PARAMETERS_TEXT_MAX);
    app_body_finish(&b);
    return OK;
}

static enum err key(struct view body, char *why, size_t why_len)
{
    struct key_body b = {0};
    enum err e = key_body_parse(body, &b, why, why_len);
    if (e == OK)
        assert(key_attributes_check(&b.attributes) == OK && b.wrapped_len > 0 &&
               key_type_word(b.attributes.type, b.attributes.key_len) != NULL);
    return e;
}

static enum err order(struct view body, char *why, size_t why_len)
{
    struct order_body b = {0};
    enum err e = order_body_parse(body, &b, why, why_len);
    if (e == OK)
        assert(b.cards >= 1 && b.openings >= b.cards && b.level >= -1 && b.level <= 0xFF &&
               b.expires_s <= EXPIRES_MAX_S && (b.app[0] == '\0') == (strcmp(b.purpose, "inspect") == 0));
    return e;
}

static enum err release(struct view body, char *why, size_t why_len)
{
    struct release_body b = {0};
    enum err e = release_body_parse(body, &b, why, why_len);
    if (e == OK)
        assert(b.reason[0] != '\0');
    return e;
}

static enum err texts(struct view body, char *why, size_t why_len)
{
    static const size_t most[APP_TEXTS] = {APP_TITLE_MAX, APP_DESCRIPTION_MAX, APP_TITLE_MAX,
                                           APP_DESCRIPTION_MAX};
    struct texts_body b = {0};
    enum err e = texts_body_parse(body, &b, why, why_len);
    if (e != OK)
        return e;
    for (size_t i = 0; i < APP_TEXTS; i++)
        assert(b.texts.text[i] == NULL ||
               (strlen(b.texts.text[i]) <= most[i] && text_is_line(view_str(b.texts.text[i]))));
    texts_body_finish(&b);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static enum err (*const parsers[])(struct view, char *, size_t) = {app, key, order, release, texts};
    char why[100] = "";
    if (len == 0)
        return 0;
    struct view body = view_tail(view_of(data, len), 1);
    enum err e =
        parsers[(uint8_t)(data[0] - '0') % (sizeof(parsers) / sizeof(parsers[0]))](body, why, sizeof(why));
    assert(e == OK || why[0] != '\0');
    return 0;
}
