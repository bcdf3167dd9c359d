/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses by the tables. Options may stand before or after the arguments; an unknown one is an error that
 * points to --help. */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec server_options[] = {
    {"profile", "FILE", "server, authority and token, as 'ferryd init' writes them (or $FERRY_PROFILE)"},
    {"server", "URL", "the server's address"},
    {"ca", "FILE", "certificates of the authorities to trust, PEM"},
    {"token-file", "FILE", "file with the administration token"},
    {NULL, NULL, NULL},
};
static const struct option_spec common[] = {
    {"json", NULL, "answer in JSON"},
    {"quiet", NULL, "say nothing but errors"},
    {"help", NULL, "show this help"},
    {NULL, NULL, NULL},
};

void cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("ferry: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

const char *cli_option_nth(const struct cli *cli, const char *name, int n)
{
    for (int i = 0; i < cli->option_count; i++)
        if (strcmp(cli->names[i], name) == 0 && n-- == 0)
            return cli->values[i];
    return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    return cli_option_nth(cli, name, 0);
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}

bool cli_number(const struct cli *cli, const char *name, long min, long max, long fallback, long *out)
{
    const char *text = cli_option(cli, name);
    char *end = NULL;
    *out = fallback;
    if (text == NULL)
        return true;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0 || value < min || value > max) {
        cli_error("--%s wants a number from %ld to %ld, not '%s'", name, min, max, text);
        return false;
    }
    *out = value;
    return true;
}

static void print_options(const struct option_spec *options)
{
    for (const struct option_spec *o = options; o != NULL && o->name != NULL; o++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg != NULL ? " " : "",
                 o->arg != NULL ? o->arg : "");
        printf("  %-24s %s\n", left, o->help);
    }
}

/* Work with a card and its key at hand knows no server. */
static const struct option_spec *server_options_of(const struct verb *v)
{
    return strncmp(v->name, "local ", strlen("local ")) == 0 ? NULL : server_options;
}

static void print_verb_help(const struct verb *v)
{
    printf("usage: ferry %s%s%s [options]\n\n%s\n\n", v->name, *v->args != '\0' ? " " : "", v->args,
           v->summary);
    if (v->options != NULL) {
        printf("options:\n");
        print_options(v->options);
        printf("\n");
    }
    printf("common options:\n");
    print_options(server_options_of(v));
    print_options(common);
}

/* Whether the verb's name is this word and another one. */
static bool is_of_group(const struct verb *v, const char *word)
{
    size_t len = strlen(word);
    return strncmp(v->name, word, len) == 0 && v->name[len] == ' ';
}

/* group NULL: all of them. */
static void print_verbs(const struct verb *const *verbs, const char *group)
{
    for (; *verbs != NULL; verbs++) {
        char left[64];
        if (group != NULL && !is_of_group(*verbs, group))
            continue;
        snprintf(left, sizeof(left), "%s %s", (*verbs)->name, (*verbs)->args);
        printf("  %-34s %s\n", left, (*verbs)->summary);
    }
}

static void print_help(const struct verb *const *verbs)
{
    printf("usage: ferry VERB [arguments] [options]\n\nPuts applications onto the card in the reader, as a "
           "server orders it.\n\n");
    print_verbs(verbs, NULL);
    printf("\n  --version                          show the version\n");
    printf("\n'ferry VERB --help' shows a verb's options; 'man ferry' has it all, with the exit codes.\n");
}

/* "ferry local": the first word of verbs of two. */
static bool print_group_help(const struct verb *const *verbs, const char *group)
{
    const struct verb *const *v = verbs;
    while (*v != NULL && !is_of_group(*v, group))
        v++;
    if (*v == NULL)
        return false;
    printf("usage: ferry %s VERB [arguments] [options]\n\n", group);
    print_verbs(verbs, group);
    printf("\n'ferry %s VERB --help' shows a verb's options.\n", group);
    return true;
}

/* How many words of argv the verb's name takes: 0 when it does not fit. */
static int name_words(const struct verb *v, int argc, char **argv)
{
    char text[64] = "";
    for (int words = 1; words <= 2 && words < argc; words++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s%s", words > 1 ? " " : "", argv[words]);
        if (strcmp(text, v->name) == 0)
            return words;
    }
    return 0;
}

static int fill_long_options(struct option *out, const struct option_spec *specs, int count)
{
    for (; specs != NULL && specs->name != NULL && count < OPTIONS_MAX; specs++)
        out[count++] =
            (struct option){specs->name, specs->arg != NULL ? required_argument : no_argument, NULL, 0};
    return count;
}

static bool parse(struct cli *cli, int argc, char **argv)
{
    struct option options[OPTIONS_MAX + 1] = {0};
    int index = 0, c;
    int count = fill_long_options(options, cli->verb->options, 0);
    count = fill_long_options(options, server_options_of(cli->verb), count);
    fill_long_options(options, common, count);
    opterr = 0;
    optind = 0;
    while ((c = getopt_long(argc, argv, ":", options, &index)) != -1) {
        if (c != 0) {
            cli_error(c == ':' ? "%s wants a value"
                               : "%s is not an option of 'ferry %s': see 'ferry %s --help'",
                      argv[optind - 1], cli->verb->name, cli->verb->name);
            return false;
        }
        if (cli->option_count == OPTIONS_MAX) {
            cli_error("too many options");
            return false;
        }
        assert(options[index].name != NULL);
        cli->names[cli->option_count] = options[index].name;
        cli->values[cli->option_count++] = optarg != NULL ? optarg : "";
    }
    while (optind < argc && cli->arg_count < POSITIONALS_MAX)
        cli->args[cli->arg_count++] = argv[optind++];
    return optind == argc;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    struct cli cli = {.verb = v};
    if (!parse(&cli, argc, argv))
        return EXIT_USAGE;
    if (cli_flag(&cli, "help")) {
        print_verb_help(v);
        return EXIT_OK;
    }
    if (cli.arg_count < v->min_args || cli.arg_count > v->max_args) {
        cli_error("usage: ferry %s%s%s: see 'ferry %s --help'", v->name, *v->args != '\0' ? " " : "", v->args,
                  v->name);
        return EXIT_USAGE;
    }
    return v->run(&cli);
}

int cli_main(int argc, char **argv, const struct verb *const *verbs)
{
    if (argc < 2) {
        print_help(verbs);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(verbs);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("ferry " CF_VERSION);
        return EXIT_OK;
    }
    /* "card show" before "card": the name of two words wins. */
    for (int words = 2; words >= 1; words--)
        for (const struct verb *const *v = verbs; *v != NULL; v++)
            if (name_words(*v, argc, argv) == words)
                return run_verb(*v, argc - words, argv + words);
    bool asked = argc == 3 && strcmp(argv[2], "--help") == 0;
    if ((asked || argc == 2) && print_group_help(verbs, argv[1]))
        return asked ? EXIT_OK : EXIT_USAGE;
    cli_error("'%s%s%s' is not a verb: see 'ferry --help'", argv[1], argc > 2 ? " " : "",
              argc > 2 ? argv[2] : "");
    return EXIT_USAGE;
}
