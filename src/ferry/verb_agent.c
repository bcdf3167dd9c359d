/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry agent: the client as a service of this machine, for the pages of a few servers. Nothing else in
 * Cardferry listens on a card holder's machine, and this only when it is started. */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "profile.h"
#include "verbs.h"

static const struct option_spec agent_options[] = {
    {"origin", "URL", "serve the pages of this server; may be repeated (default: the profile's server)"},
    {"port", "N", "listen on this port (default 28573; 0 picks one)"},
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {"confirm", NULL, "ask the user at each operation as well"},
    {NULL, NULL, NULL},
};

enum { DEFAULT_PORT = 28573, PORT_MAX = 65535 };

static bool add_origin(struct agent_settings *s, const char *url)
{
    enum err e = agent_place_add(&s->place, url);
    if (e == ERR_LIMIT)
        cli_error("'%.80s' is one origin too many, or too long", url);
    else if (e != OK)
        cli_error("'%.80s' is no origin: write https://host or https://host:port, and nothing behind it",
                  url);
    return e == OK;
}

static bool read_origins(struct agent_settings *s, const struct cli *cli, const struct profile *p)
{
    const char *url;
    for (int n = 0; (url = cli_option_nth(cli, "origin", n)) != NULL; n++)
        if (!add_origin(s, url))
            return false;
    if (s->place.origin_count > 0)
        return true;
    if (p->server[0] == '\0') {
        cli_error("whom to serve? Use --origin, or a profile that names a server");
        return false;
    }
    return add_origin(s, p->server);
}

static int agent(const struct cli *cli)
{
    static struct agent_settings s;
    struct profile p;
    long port;
    if (!cli_number(cli, "port", 0, PORT_MAX, DEFAULT_PORT, &port) || !profile_load(&p, cli) ||
        !read_origins(&s, cli, &p))
        return EXIT_USAGE;
    s.place.port = (unsigned)port;
    s.reader = cli_option(cli, "reader");
    s.profile = cli_option(cli, "profile");
    s.ca = cli_option(cli, "ca");
    s.confirm = cli_flag(cli, "confirm");
    s.json = cli_flag(cli, "json");
    s.quiet = cli_flag(cli, "quiet");
    return agent_serve(&s) == OK ? EXIT_OK : EXIT_OTHER;
}

const struct verb verb_agent = {
    "agent", "", "serve pages on this machine that have a ticket", agent_options, 0, 0, agent,
};
