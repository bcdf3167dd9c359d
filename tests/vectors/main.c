/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors_run [--verbose] DIR: runs every vector file in DIR through the checkers of all sides and prints,
 * per file and side, what was checked, what failed and what there is no code for. Exit status 1 when anything
 * failed, or when nothing at all was checked. */
#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES_MAX = 4, FILES_MAX = 64, PATH_BYTES = 4096, NAME_BYTES = 64 };

static const char *const side_names[] = {"crypto", "host", "card"};
enum { SIDES = sizeof(side_names) / sizeof(side_names[0]) };

static const struct check *const tables[] = {
    checks_crypto,       checks_host, checks_host_scp11, checks_kdf,      checks_card,   checks_card_scp11,
    checks_card_content, checks_both, checks_gp,         checks_commands, checks_tokens, checks_quirks};

struct tally {
    size_t by[VERDICT_COUNT];
    size_t compared;
};

struct options {
    bool verbose;
    const char *dir;
};

static const char *const verdict_names[VERDICT_COUNT] = {"ok", "partly", "FAILED", "no code"};

static bool fits(const struct check *c, const json_t *row)
{
    if (c->type != NULL)
        return vector_is(row, c->type);
    if (vector_has(row, "type"))
        return false;
    if (vector_has(row, "topic")) /* what is told of cards, instead of bytes */
        return c->prefix != NULL && strcmp(c->prefix, "quirk") == 0;
    const char *protocol = vector_text(row, "protocol");
    return protocol != NULL && c->prefix != NULL && strcmp(protocol, c->prefix) == 0;
}

static const struct check *find_check(const char *side, const json_t *row)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct check *c = tables[t]; c->check != NULL; c++)
            if (strcmp(c->side, side) == 0 && fits(c, row))
                return c;
    return NULL;
}

static enum verdict run_one(struct run *r, const struct check *c, const json_t *row)
{
    r->compared = 0;
    r->why[0] = '\0';
    enum verdict v = c->check(r, row);
    if ((v == PASS || v == PARTLY) && r->compared == 0)
        return verdict(r, NO_CODE, "nothing was compared");
    return v;
}

static void tell(const struct options *o, const char *file, const char *side, const json_t *row,
                 enum verdict v, const char *why)
{
    const char *id = vector_text(row, "id");
    if (o->verbose || v == FAIL)
        printf("%-8s %s/%s %s%s%s\n", verdict_names[v], file, side, id != NULL ? id : "?", why[0] ? ": " : "",
               why);
}

/* Whether any side has a checker for it: what no side knows is shown once, not per side. */
static void run_row(struct run *r, const struct options *o, const char *file, const json_t *row,
                    struct tally sides[SIDES], size_t *without)
{
    size_t known = 0;
    for (size_t s = 0; s < SIDES; s++) {
        const struct check *c = find_check(side_names[s], row);
        if (c == NULL)
            continue;
        known++;
        enum verdict v = run_one(r, c, row);
        sides[s].by[v]++;
        sides[s].compared += r->compared;
        tell(o, file, side_names[s], row, v, r->why);
    }
    if (known == 0) {
        (*without)++;
        tell(o, file, "-", row, NO_CODE, "");
    }
}

static void print_line(const char *file, const char *side, const struct tally *t)
{
    printf("%-12s %-7s %8zu %7zu %7zu %8zu %9zu\n", file, side, t->by[PASS], t->by[PARTLY], t->by[FAIL],
           t->by[NO_CODE], t->compared);
}

static bool has_any(const struct tally *t)
{
    for (size_t v = 0; v < VERDICT_COUNT; v++)
        if (t->by[v] > 0)
            return true;
    return false;
}

static void add(struct tally *sum, const struct tally *t)
{
    for (size_t v = 0; v < VERDICT_COUNT; v++)
        sum->by[v] += t->by[v];
    sum->compared += t->compared;
}

struct result {
    char file[NAME_BYTES];
    struct tally sides[SIDES];
    size_t without;
};

static void run_file(struct run *r, const struct options *o, const char name[NAME_BYTES], struct result *out)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/%s.json", o->dir, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        exit(2);
    memcpy(out->file, name, NAME_BYTES);
    json_t *rows = vectors_load_path(path), *row;
    size_t n;
    r->rows = rows;
    json_array_foreach(rows, n, row) run_row(r, o, name, row, out->sides, &out->without);
}

static int print_results(const struct result *results, size_t count)
{
    struct tally sum = {0};
    size_t without = 0;
    printf("%-12s %-7s %8s %7s %7s %8s %9s\n", "file", "side", "checked", "partly", "failed", "no code",
           "compared");
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < SIDES; s++) {
            if (!has_any(&results[i].sides[s]))
                continue;
            print_line(results[i].file, side_names[s], &results[i].sides[s]);
            add(&sum, &results[i].sides[s]);
        }
        if (results[i].without > 0)
            printf("%-12s %-7s %8s %7s %7s %8zu\n", results[i].file, "none", "", "", "", results[i].without);
        without += results[i].without;
    }
    sum.by[NO_CODE] += without;
    print_line("sum", "", &sum);
    if (sum.by[PARTLY] + sum.by[NO_CODE] > 0)
        puts("partly: right as far as it was compared; no code: of what Cardferry does not do (vectors_run "
             "--verbose names each, and why)");
    if (sum.by[FAIL] + sum.by[PASS] == 0)
        puts("nothing was checked");
    return sum.by[FAIL] == 0 && sum.by[PASS] > 0 ? 0 : 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Names of the vector files, without ".json"; index.json explains the others. */
static size_t list_files(const char *dir, char names[FILES_MAX][NAME_BYTES])
{
    size_t count = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        fprintf(stderr, "vectors_run: %s cannot be opened\n", dir);
        exit(2);
    }
    for (struct dirent *entry; (entry = readdir(d)) != NULL && count < FILES_MAX;) {
        char *dot = strstr(entry->d_name, ".json");
        if (dot == NULL || dot[5] != '\0' || strcmp(entry->d_name, "index.json") == 0)
            continue;
        *dot = '\0';
        snprintf(names[count++], NAME_BYTES, "%.63s", entry->d_name);
    }
    closedir(d);
    qsort(names, count, NAME_BYTES, by_name);
    return count;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            o->verbose = true;
        else if (argv[i][0] == '-' || o->dir != NULL)
            return false;
        else
            o->dir = argv[i];
    }
    return o->dir != NULL;
}

int main(int argc, char **argv)
{
    static char names[FILES_MAX][NAME_BYTES];
    static struct result results[FILES_MAX];
    struct options o = {0};
    struct run r = {0};
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "usage: vectors_run [--verbose] DIR\n");
        return 2;
    }
    size_t count = list_files(o.dir, names);
    if (crypto_new(&r.crypto) != OK) {
        fprintf(stderr, "vectors_run: the cryptographic library failed\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        run_file(&r, &o, names[i], &results[i]);
    int status = print_results(results, count);
    crypto_free(&r.crypto);
    vectors_free();
    return status;
}
