/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local install, load: a CAP file onto the card on the desk. */
#include <stdlib.h>

#include <base/text.h>
#include <session/outcome.h>

#include "local_content.h"
#include "local_token.h"
#include "verbs.h"

/* clang-format off */
#define LOAD_OPTIONS                                                                                         \
    LOCAL_CHANGE_OPTIONS,                                                                                    \
    {"to", "AID", "security domain that the package will belong to"},                                        \
    {"load-params", "HEX", "load parameters field of INSTALL [for load]"},                                   \
    {"hash", "NAME", "load file data block hash: sha1, sha256, sha384 or sha512"},                           \
    {"dap", "FILE", "DAP block of 'ferry local dap'; may be repeated"},                                      \
    LOCAL_TOKEN_OPTIONS,                                                                                     \
    {"java-card", "VERSION", "Java Card version of the card, to check what the file imports"},               \
    {"block-size", "N", "bytes of one LOAD; above 255 by extended length"},                                  \
    {"replace", NULL, "remove what is there first, once all is checked"}
/* clang-format on */

static const struct option_spec load_options[] = {LOAD_OPTIONS, {NULL, NULL, NULL}};
static const struct option_spec install_options[] = {
    LOAD_OPTIONS,
    {"params", "HEX", "install parameters of the applet"},
    {"instance", "AID", "install under this AID (default: the applet's own)"},
    {"module", "AID", "which applet (default: all of the file)"},
    {"privileges", "LIST", "1 or 3 bytes in hexadecimal, or names such as card-reset,cvm-management"},
    {"system", "HEX", "system specific parameters (EF)"},
    {"no-load", NULL, "the package is there already: only install"},
    {NULL, NULL, NULL}};

static int change(struct local *l, const struct content *c)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return local_fail(l, EXIT_OTHER, "out of memory");
    int code = content_check(l, c);
    if (code == EXIT_OK)
        code = content_plan(l, c, plan);
    if (code == EXIT_OK)
        code = local_execute(l, plan);
    plan_finish(plan);
    free(plan);
    return code;
}

static void tell(struct local *l, const struct content *c)
{
    char hex[2 * AID_MAX + 1];
    json_t *instances = json_array();
    hex_write(hex, aid_view(&c->cap.package.aid));
    json_object_set_new(l->result, "package", json_string(hex));
    if (c->loads && !l->o.dry_run)
        local_note(l, "%s %u.%u is loaded.", hex, c->cap.package.major, c->cap.package.minor);
    for (size_t n = 0; n < c->install_count; n++) {
        hex_write(hex, aid_view(&c->instances[n]));
        json_array_append_new(instances, json_string(hex));
        if (!l->o.dry_run)
            local_note(l, "%s is installed and selectable.", hex);
    }
    json_object_set_new(l->result, "instances", instances);
}

/* --dry-run without a key shows what an empty card would be sent. */
static int run_content(const struct cli *cli, bool installs)
{
    struct local l;
    struct content c = {.digest = DIGEST_COUNT};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = content_read_cap(&l, &c, cli->args[0]);
    if (code == EXIT_OK)
        code = content_read(&l, &c, installs);
    if (code == EXIT_OK && !local_dry_without_key(&l)) {
        code = local_connect(&l);
        if (code == EXIT_OK)
            code = local_open(&l);
        if (code == EXIT_OK)
            code = local_read_registry(&l);
    }
    if (code == EXIT_OK)
        code = change(&l, &c);
    if (code == EXIT_OK)
        tell(&l, &c);
    content_finish(&c);
    return local_end(&l, code);
}

static int install(const struct cli *cli)
{
    return run_content(cli, true);
}

static int load(const struct cli *cli)
{
    return run_content(cli, false);
}

const struct verb verb_local_install = {
    "local install", "FILE.cap", "load a CAP file and install its applets", install_options, 1, 1, install};
const struct verb verb_local_load = {
    "local load", "FILE.cap", "load a CAP file, install nothing", load_options, 1, 1, load};
