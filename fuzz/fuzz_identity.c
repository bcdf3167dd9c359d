/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a card says of itself, and whatever stands in the store: what is read keeps its limits, and
 * survives as bytes. The first byte says which: 0 the store's bytes, else answers, each with a length of two
 * bytes in front. */
#include <assert.h>
#include <string.h>

#include <gp/identity.h>

enum { STATE_MAX = 8192, STATE_VERSION = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Encodes, decodes, and encodes again. */
static void survives(const struct identity *id, struct view same_as)
{
    uint8_t first[STATE_MAX], second[STATE_MAX];
    struct writer a, b;
    struct identity back;
    wr_fixed(&a, first, sizeof(first));
    wr_fixed(&b, second, sizeof(second));
    assert(identity_encode(id, &a) == OK);
    assert(identity_decode(&back, wr_view_of(&a)) == OK);
    assert(identity_encode(&back, &b) == OK);
    assert(view_equal(wr_view_of(&a), wr_view_of(&b)));
    assert(same_as.len == 0 || view_equal(wr_view_of(&a), same_as));
}

static void look(const struct identity *id)
{
    char number[2 * CARD_NUMBER_MAX + 2];
    assert(id->scp_count <= SCP_INFO_MAX && id->key_count <= KEY_INFO_MAX);
    assert(id->isd.len == 0 || (id->isd.len >= AID_MIN && id->isd.len <= AID_MAX));
    if (identity_card_number(id, number) == OK)
        assert(strlen(number) >= 3 && strlen(number) < sizeof(number));
    assert(identity_serial(id).len == (id->has_cplc ? 4U : 0U));
}

static void answers(struct view v)
{
    struct rapdu rows[IDENTITY_COMMANDS] = {{.sw = 0}};
    struct identity id;
    struct reader r;
    size_t count = 0;
    rd_init(&r, v);
    for (; count < IDENTITY_COMMANDS && rd_left(&r) > 0; count++)
        rows[count] = (struct rapdu){rd_view16(&r, STATE_MAX), SW_OK};
    if (identity_parse(&id, VIEW_NULL, rows, count) != OK)
        return;
    look(&id);
    survives(&id, VIEW_NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_tail(view_of(data, len), 1);
    struct identity id;
    if (len == 0)
        return 0;
    if (data[0] != 0) {
        answers(v);
    } else if (identity_decode(&id, v) == OK) {
        look(&id);
        survives(&id, v.data[0] == STATE_VERSION ? v : VIEW_NULL); /* an older one is written anew */
    }
    return 0;
}
