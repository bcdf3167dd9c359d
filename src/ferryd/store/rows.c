/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows own their blobs: copying and freeing. Blobs hold sealed keys and session state, so freeing wipes. */
#include <stdlib.h>
#include <string.h>

#include <base/secret.h>

#include "store/fields.h"

void blob_free(struct blob *b)
{
    if (b->data != NULL)
        wipe(b->data, b->len);
    free(b->data);
    *b = (struct blob){0};
}

enum err blob_copy(struct blob *out, struct view v)
{
    struct blob b = {0};
    if (v.len > 0) {
        b.data = malloc(v.len);
        if (b.data == NULL)
            return ERR_MEMORY;
        memcpy(b.data, v.data, v.len);
        b.len = v.len;
    }
    *out = b;
    return OK;
}

struct view blob_view(const struct blob *b)
{
    return view_of(b->data, b->len);
}

void app_row_free(struct app_row *r)
{
    fields_free(&store_tables[TABLE_APP], r);
}

void type_row_free(struct type_row *r)
{
    fields_free(&store_tables[TABLE_TYPE], r);
}

void key_row_free(struct key_row *r)
{
    fields_free(&store_tables[TABLE_KEY], r);
}

void card_row_free(struct card_row *r)
{
    fields_free(&store_tables[TABLE_CARD], r);
}

void session_row_free(struct session_row *r)
{
    fields_free(&store_tables[TABLE_SESSION], r);
}
