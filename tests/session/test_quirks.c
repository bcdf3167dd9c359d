/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards that do something otherwise than the specification, or than most: each quirk that the virtual card
 * can have, on a new card and on an old one, with a whole delivery. docs/quirks.md says what is done about
 * each. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <support/vectors.h>

static const uint8_t hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

/* What can't be served, and how that ends: before anything is sent that could change the card. */
static const struct {
    const char *quirk;
    enum reason reason;
} unserved[] = {
    {"no-get-data", REASON_UNKNOWN_CARD}, /* nothing tells which card it is */
};

static enum reason reason_for(const char *quirk)
{
    for (size_t n = 0; n < sizeof(unserved) / sizeof(unserved[0]); n++) {
        if (strcmp(unserved[n].quirk, quirk) == 0)
            return unserved[n].reason;
    }
    return REASON_NONE;
}

/* As ferry does, which has looked at the card before it asks the server: the server's SELECT is never the
 * first one. */
static bool look_first(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu)
{
    struct writer rapdu;
    (void)ctx, (void)capdu;
    wr_heap(&rapdu, RAPDU_MAX);
    if (post == 0 && n == 0)
        vcard_send(b->card, vector_hex("00A4040000"), &rapdu);
    wr_free(&rapdu);
    return true;
}

static void deliver_to(const char *quirk, bool classic)
{
    struct bench b;
    struct bench_setup setup = classic ? bench_classic() : bench_modern();
    const struct bench_client client = {.command = look_first};
    const enum reason reason = reason_for(quirk);
    setup.card.quirk = quirk;
    bench_open(&b, &setup);
    bench_add_app(&b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&b, "install", "install", "hello", "", "");
    struct bench_result r = bench_run(&b, "install", &client);
    bench_expect(quirk, &r,
                 reason != REASON_NONE ? OUTCOME_FAILED
                 : classic             ? OUTCOME_REPORTED
                                       : OUTCOME_CONFIRMED,
                 reason);
    if (reason != REASON_NONE && r.external_authentications != 0)
        fail_msg("%s: refused too late", quirk);
    if (vcard_has_application(b.card, VIEW_OF(hello_app)) != (reason == REASON_NONE))
        fail_msg("%s: it is not as it is told", quirk);
    bench_close(&b);
}

static void every_quirk_is_served_or_refused_in_time(void **state)
{
    const char *name;
    size_t n = 0;
    (void)state;
    for (; (name = vcard_quirk(n)) != NULL; n++) {
        deliver_to(name, false);
        deliver_to(name, true);
    }
    assert_true(n >= 20);
}

/* INSTALL, LOAD and DELETE are answered by 00 (GPCS 2.3.1 11.5.3.1), by nothing, or by 00 and what memory is
 * left. */
static void add_memory(void *ctx, struct bench *b, unsigned post, size_t n, struct view capdu,
                       struct writer *rapdu)
{
    unsigned *changed = ctx;
    (void)b, (void)n;
    bool content = capdu.data[1] == INS_INSTALL || capdu.data[1] == INS_LOAD;
    if (post == 0 || !content || !view_equal(wr_view_of(rapdu), vector_hex("009000")))
        return;
    wr_clear(rapdu);
    wr_view(rapdu, vector_hex("00000012349000"));
    *changed += 1;
}

static void data_behind_the_confirmation_is_no_error(void **state)
{
    struct bench b;
    unsigned changed = 0;
    const struct bench_setup setup = bench_classic();
    const struct bench_client client = {.ctx = &changed, .answer = add_memory};
    (void)state;
    bench_open(&b, &setup);
    bench_add_app(&b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&b, "install", "install", "hello", "", "");
    struct bench_result r = bench_run(&b, "install", &client);
    bench_expect("memory", &r, OUTCOME_REPORTED, REASON_NONE);
    assert_int_equal(changed, 4); /* for load, two LOADs, for install */
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quirk_is_served_or_refused_in_time),
        cmocka_unit_test(data_behind_the_confirmation_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
