/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeper and front do first, before their own work: learn the configuration and give up rights. */
#include "supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"
#include "front/front.h"
#include "journal.h"
#include "keeper/keeper.h"
#include <base/log.h>

static void tell_supervisor(void *arg)
{
    (void)arg;
    if (write(ROLE_FD_CONTROL, "R", 1) != 1)
        LOG(LOG_ERROR, "role.alone", log_str("why", strerror(errno)));
}

static int run_keeper(const struct config *config)
{
    confine_close_from(ROLE_FD_CONTROL + 1);
    return keeper_main(config, ROLE_FD_PEER, tell_supervisor, NULL);
}

static void listening(void *arg, unsigned port)
{
    LOG(LOG_INFO, "front.listening", log_u64("port", port));
    tell_supervisor(arg);
}

static int run_front(const struct config *config)
{
    bool landlock = false;
    enum err e;
    confine_close_from(ROLE_FD_CONTROL + 1);
    if ((e = confine_become(config->user)) != OK || (e = confine_front(config, &landlock)) != OK) {
        fprintf(stderr, "ferryd: front: rights could not be given up: %s\n", err_text(e));
        return EXIT_CONFIG_BAD;
    }
    if (!landlock)
        LOG(LOG_WARNING, "front.landlock",
            log_str("why", "this kernel has none: the front can open what its user can"));
    if (geteuid() == 0)
        LOG(LOG_WARNING, "front.root", log_str("why", "give it a user of its own: user, keeper_user"));
    const struct front_setup setup = {
        .config = config, .keeper_fd = ROLE_FD_PEER, .control_fd = ROLE_FD_CONTROL, .ready = listening};
    return front_run(&setup);
}

static const struct {
    const char *name;
    int (*run)(const struct config *config);
} roles[] = {{"keeper", run_keeper}, {"front", run_front}};

int role_run(const char *role, const char *config_path)
{
    static struct config config;
    char why[CONFIG_WHY_MAX];
    if (confine_basics() != OK) {
        fprintf(stderr, "ferryd: rights could not be given up: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    if (config_load(config_path, &config, why) != OK) {
        fprintf(stderr, "ferryd: %s\n", why);
        return EXIT_CONFIG_BAD;
    }
    journal_open(config.log_level);
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(role, roles[i].name) != 0)
            continue;
        (void)prctl(PR_SET_NAME, roles[i].name, 0, 0, 0);
        return roles[i].run(&config);
    }
    fprintf(stderr, "ferryd: there is no role '%s'\n", role);
    return EXIT_USAGE;
}
