/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text: what is taken has every text ended and in its limits, what is refused has a sentence. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct config config;
    struct config_problem why;
    enum err e = config_parse(view_of(data, len), &config, &why);
    assert((e == OK) == (why.text[0] == 0));
    if (e == OK) {
        assert(config.store[0] == '/' && strlen(config.store) <= CONFIG_VALUE_MAX);
        assert(strncmp(config.public_url, "https://", 8) == 0);
        assert(config.connections_max > 0 && config.session_timeout_s > 0);
    }
    return 0;
}
