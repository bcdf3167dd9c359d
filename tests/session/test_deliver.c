/* SPDX-License-Identifier: Apache-2.0
 *
 * Deliveries as they should go, and what the card, the registry and the ledger look like afterwards. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void an_application_is_installed_and_confirmed(void **state)
{
    struct bench b;
    struct bench_setup setup = bench_modern();
    (void)state;
    bench_open(&b, &setup);
    bench_add_app(&b, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&b, "order", "install", "hello", "", "");
    struct bench_result r = bench_run(&b, "order", NULL);
    bench_expect("first", &r, OUTCOME_CONFIRMED, REASON_NONE);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_is_installed_and_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
