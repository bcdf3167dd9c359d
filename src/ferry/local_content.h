/* SPDX-License-Identifier: Apache-2.0
 *
 * What "ferry local install" and "load" put onto a card: read and checked as a whole before the card is
 * touched, checked against the card before anything on it is changed. */
#ifndef FERRY_LOCAL_CONTENT_H
#define FERRY_LOCAL_CONTENT_H

#include <gp/dap.h>
#include <plan/build.h>

#include "local.h"

enum { PARAMETERS_MAX = 255, DAPS_TEXT_MAX = 8 * 1024 };

struct content {
    struct writer file;
    struct cap cap;
    bool has_cap;
    bool loads, installs, replaces;
    struct aid modules[CAP_APPLETS_MAX], instances[CAP_APPLETS_MAX];
    size_t install_count;
    struct aid to; /* security domain; len 0: that of the channel */
    struct privileges privileges;
    uint8_t parameters[PARAMETERS_MAX], system[PARAMETERS_MAX], load_parameters[PARAMETERS_MAX];
    size_t parameters_len, system_len, load_parameters_len;
    enum digest digest; /* DIGEST_COUNT: no hash */
    struct writer daps; /* DAP blocks, one behind the other */
    size_t block_size;  /* 0: of the channel */
    const struct cap_package *platform;
    size_t platform_count;
};

/* Reads a CAP file; content_finish in any case. */
int content_read_cap(struct local *l, struct content *c, const char *path);
/* Everything that stands on the command line, and a trial plan: what can be wrong without a card is. */
int content_read(struct local *l, struct content *c, bool installs);
void content_finish(struct content *c);

/* Against what the card holds, and its free memory: imports, domain, what is there already. */
int content_check(struct local *l, const struct content *c);
/* All commands. */
int content_plan(struct local *l, const struct content *c, struct plan *out);

/* DELETE of a package with its instances, those that the registry knows by name first; token_key may be NULL.
 */
enum err plan_removal_of(struct builder *b, struct pk *token_key, const struct registry *holds,
                         const struct aid *package) MUST_USE;

#endif
