/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry console: a link that signs its operator in at the server's page. */
#include <stdio.h>

#include "admin.h"
#include "verbs.h"

static int console(const struct cli *cli)
{
    return admin_simple(cli, "POST", "/logins", json_object());
}

const struct verb verb_console = {
    "console", "", "a link to the operators' page, good once and for two minutes", NULL, 0, 0, console,
};
