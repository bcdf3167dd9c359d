/* SPDX-License-Identifier: Apache-2.0
 *
 * Titles, from the JSON that the administration stored. */
#include "front/named.h"

#include <stdio.h>
#include <string.h>

#include "front/card_type.h"
#include "front/json.h"

enum {
    INFO_MAX = 64 * 1024 /* as the administration writes it: a package's imports and components, and texts */
};

/* What the store holds was checked before it was stored: NULL when it is damaged. */
static json_t *read_stored(struct view text, size_t max)
{
    json_t *j = NULL;
    return json_open(&j, text, max, NULL, 0) == OK ? j : NULL;
}

static json_t *app_value(const char *name, const json_t *info)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", name, "title", json_text(info, "title"), "description",
                     json_text(info, "description"), "title_de", json_text(info, "title_de"),
                     "description_de", json_text(info, "description_de"));
}

struct wanted {
    const char *name;
    json_t *info; /* NULL: not found */
};

static enum err take_info(void *arg, struct app_row *row)
{
    struct wanted *w = arg;
    if (strcmp(row->name, w->name) == 0)
        w->info = read_stored(blob_view(&row->info), INFO_MAX);
    return OK;
}

/* A listing gives no CAP file; names that begin with this one are sorted behind it. */
json_t *named_app(const struct store *s, const char *name)
{
    struct listing one = {.limit = 1};
    struct wanted w = {.name = name};
    if (name[0] == '\0')
        return json_null();
    (void)snprintf(one.match, sizeof(one.match), "%s", name);
    (void)s->ops->list_apps(s->ctx, &one, take_info, &w);
    json_t *value = app_value(name, w.info);
    json_decref(w.info);
    return value;
}

json_t *named_type(const struct store *s, const char *name)
{
    struct type_row row = {.created_ms = 0};
    if (name[0] == '\0')
        return json_null();
    json_t *spec = s->ops->get_type(s->ctx, name, &row) == OK
                       ? read_stored(blob_view(&row.spec), CARD_TYPE_JSON_MAX)
                       : NULL;
    json_t *value = json_pack("{s:s,s:s,s:s}", "name", name, "title", json_text(spec, "title"), "title_de",
                              json_text(spec, "title_de"));
    json_decref(spec);
    type_row_free(&row);
    return value;
}
