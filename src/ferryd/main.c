/* SPDX-License-Identifier: Apache-2.0
 *
 * ferryd: what the command line asks for. The server itself is three processes, see supervisor.h. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <crypto/crypto.h>

#include "check.h"
#include "confine.h"
#include "init.h"
#include "journal.h"
#include "supervisor.h"

#define CONFIG_STANDARD "/etc/ferryd/ferryd.conf"

static const char usage[] =
    "usage: ferryd [-c FILE]                 run the server in the foreground\n"
    "       ferryd check [-c FILE]           say what is wrong with a configuration\n"
    "       ferryd init DIR [OPTION...]      make a folder with a working configuration\n"
    "\n"
    "  -c, --config FILE   the configuration (" CONFIG_STANDARD ")\n"
    "  -h, --help          this\n"
    "  -V, --version       the version\n"
    "\n"
    "init:\n"
    "  --name HOST         a name or address of the server, beside localhost; may be repeated,\n"
    "                      the first one goes into the links that people get\n"
    "  --listen ADDR:PORT  where to listen (127.0.0.1:8443)\n"
    "\n"
    "exit: 0 done or stopped as asked, 1 failed, 2 wrong use, 3 the configuration is wrong\n";

struct command_line {
    const char *config, *role;
    struct init_settings init;
};

static int run(const struct command_line *line)
{
    static struct config config;
    char why[CONFIG_WHY_MAX];
    if (config_load(line->config, &config, why) != OK) {
        fprintf(stderr, "ferryd: %s\n", why);
        return EXIT_CONFIG_BAD;
    }
    if (confine_basics() != OK)
        return EXIT_FAILED;
    journal_open(config.log_level);
    return supervisor_run(line->config);
}

static void print_problem(void *arg, const char *sentence)
{
    fprintf(stderr, "%s: %s\n", (const char *)arg, sentence);
}

static int check(const struct command_line *line)
{
    static struct config config;
    char why[CONFIG_WHY_MAX];
    if (config_load(line->config, &config, why) != OK) {
        fprintf(stderr, "%s\n", why);
        return EXIT_CONFIG_BAD;
    }
    if (check_config(&config, print_problem, (void *)(uintptr_t)line->config) > 0)
        return EXIT_CONFIG_BAD;
    printf("%s: good\n", line->config);
    return EXIT_GOOD;
}

static int init(const struct command_line *line)
{
    char why[INIT_WHY_MAX];
    if (init_run(&line->init, why) != OK) {
        fprintf(stderr, "ferryd: %s\n", why);
        return EXIT_FAILED;
    }
    printf("Start the server:      ferryd -c %s/ferryd.conf\n"
           "Speak to it:           ferry --profile %s/admin.conf ...\n"
           "Keep a copy, apart from copies of the database:  %s/keeper/kek\n",
           line->init.folder, line->init.folder, line->init.folder);
    return EXIT_GOOD;
}

static const struct verb {
    const char *name;
    int operands;
    int (*run)(const struct command_line *line);
} verbs[] = {{"check", 0, check}, {"init", 1, init}};
static const struct verb standard = {"run", 0, run};

enum { OPTION_NAME = 256, OPTION_LISTEN, OPTION_ROLE };
static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"name", required_argument, NULL, OPTION_NAME},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"role", required_argument, NULL, OPTION_ROLE}, /* of the processes that the supervisor starts */
    {NULL, 0, NULL, 0},
};

static int wrong_use(const char *what)
{
    fprintf(stderr, "ferryd: %s\n%s", what, usage);
    return EXIT_USAGE;
}

static int print(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_GOOD;
}

/* -1: go on; otherwise the exit code. */
static int take_option(struct command_line *line, int option)
{
    switch (option) {
    case 'c':
        line->config = optarg;
        return -1;
    case 'h':
        return print(usage);
    case 'V':
        return print("ferryd " CF_VERSION "\n");
    case OPTION_NAME:
        if (line->init.name_count == PKI_NAMES_MAX)
            return wrong_use("too many names");
        line->init.names[line->init.name_count++] = optarg;
        return -1;
    case OPTION_LISTEN:
        line->init.listen = optarg;
        return -1;
    case OPTION_ROLE:
        line->role = optarg;
        return -1;
    default:
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct command_line line = {.config = CONFIG_STANDARD};
    const struct verb *verb = &standard;
    int option;
    if (crypto_wipe_all() != OK)
        return wrong_use("the cryptographic library was used too early");
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        int code = take_option(&line, option);
        if (code >= 0)
            return code;
    }
    /* No exit handlers in the roles: what they would do is no longer allowed there. */
    if (line.role != NULL)
        _exit(role_run(line.role, line.config));
    if (optind < argc && (verb = find_verb(argv[optind++])) == NULL)
        return wrong_use("there is no such command");
    if (argc - optind != verb->operands)
        return wrong_use(verb->operands == 0 ? "too many words" : "init needs one folder");
    if (verb->run != init && (line.init.listen != NULL || line.init.name_count > 0))
        return wrong_use("--name and --listen belong to init");
    line.init.folder = argv[optind];
    return verb->run(&line);
}
