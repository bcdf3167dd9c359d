/* links: cf_plan */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a sequence: checked or refused with a reason; of what is right a plan can be made, and its
 * derived places lie in zero bytes of its commands. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <plan/plan.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A package F000000001 with an applet F00000000101; nothing of it is loaded for real. */
static struct cap small_cap(void)
{
    struct cap cap = {
        .package = {.aid = {{0xF0, 0, 0, 0, 1}, 5}, .major = 1},
        .applets = {{{0xF0, 0, 0, 0, 1, 1}, 6}},
        .applet_count = 1,
    };
    wr_heap(&cap.load, 300);
    assert(wr_reserve(&cap.load, 300) != NULL);
    return cap;
}

static struct identity full_identity(void)
{
    struct identity id = {.has_cplc = true, .iin_len = 8, .cin_len = 8};
    memset(id.iin, 0x11, sizeof(id.iin));
    memset(id.cin, 0x22, sizeof(id.cin));
    return id;
}

static void check_places(const struct plan *p)
{
    static const uint8_t zeros[64];
    for (size_t i = 0; i < p->place_count; i++) {
        const struct derive_place *place = &p->places[i];
        struct apdu a;
        assert(place->command < p->count && place->len >= 1 && place->len <= sizeof(zeros));
        assert(apdu_parse(plan_apdu(p, place->command), &a) == OK);
        assert(place->offset + place->len <= a.data.len);
        assert(memcmp(a.data.data + place->offset, zeros, place->len) == 0);
    }
}

static bool has_format(struct view text)
{
    return memmem(text.data, text.len, "format=", 7) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t kdd[KDD_LEN];
    static struct plan plan;
    struct cap cap = small_cap();
    struct identity id = full_identity();
    struct plan_problem why = {.text = ""};
    struct plan_input in = {.purpose = PLAN_INSTALL,
                            .cap = &cap,
                            .sequence = view_of(data, len),
                            .identity = &id,
                            .kdd = VIEW_OF(kdd),
                            .block_size = 247,
                            .extended = PLAN_EXTENDED_YES};
    enum err checked = plan_check(in.sequence, &cap, &why);
    assert((checked == OK) == (why.text[0] == '\0'));
    enum err e = plan_make(&plan, &in, NULL);
    /* A check takes each place as long as it can be; so only the asking for contents can be too much, and
     * lengths inside of the data can be wrong for this card. */
    assert(checked != OK || e == OK || e == ERR_LIMIT || (e == ERR_FORMAT && has_format(in.sequence)));
    if (e == OK) {
        check_places(&plan);
        plan_finish(&plan);
    }
    cap_finish(&cap);
    return 0;
}
