/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for bytes in everything that another process has in its memory, or in a file.
 *
 *     memory_search pid PID HEX...      prints how often the patterns occur in what the process may write to
 *     memory_search file FILE HEX...    the same for a file
 *     memory_search plant HEX           holds the bytes, says so, and waits for a signal: something to be
 * found */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATTERN_MAX = 256, PATTERNS_MAX = 16, LINE_ROOM = 1024 };

struct pattern {
    unsigned char bytes[PATTERN_MAX];
    size_t len;
};

static struct pattern patterns[PATTERNS_MAX];
static size_t pattern_count;
static uint64_t hits;

static void die(const char *what)
{
    fprintf(stderr, "memory_search: %s\n", what);
    exit(2);
}

static void add_pattern(const char *hex)
{
    size_t digits = strlen(hex);
    if (pattern_count == PATTERNS_MAX || digits < 8 || digits % 2 != 0 || digits > 2 * PATTERN_MAX)
        die("give up to 16 patterns of 4 to 256 bytes in hex");
    struct pattern *p = &patterns[pattern_count++];
    for (p->len = 0; p->len < digits / 2; p->len++) {
        unsigned byte;
        if (sscanf(hex + 2 * p->len, "%2x", &byte) != 1)
            die("this is not hex");
        p->bytes[p->len] = (unsigned char)byte;
    }
}

static void look_through(const unsigned char *memory, size_t len)
{
    for (size_t i = 0; i < pattern_count; i++) {
        const unsigned char *at = memory, *end = memory + len;
        while ((at = memmem(at, (size_t)(end - at), patterns[i].bytes, patterns[i].len)) != NULL) {
            hits++;
            at++;
        }
    }
}

/* One mapping, whole, so that nothing hides at the border of two pieces. What cannot be read (reserved by a
 * sanitizer, guard pages) has no bytes. */
static void look_through_mapping(FILE *memory, uint64_t from, uint64_t to)
{
    enum { PAGE = 4096, RESERVED = 1 << 30 };
    if (to - from > RESERVED)
        return;
    unsigned char *copy = malloc(to - from);
    if (copy == NULL)
        die("out of memory");
    if (fseeko(memory, (off_t)from, SEEK_SET) == 0)
        look_through(copy, fread(copy, 1, to - from, memory));
    free(copy);
}

static void search_process(const char *pid)
{
    char path[64], line[LINE_ROOM];
    snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof(path), "/proc/%.20s/mem", pid);
    FILE *memory = fopen(path, "r");
    size_t mappings = 0;
    if (maps == NULL || memory == NULL)
        die("the process cannot be looked into");
    while (fgets(line, sizeof(line), maps) != NULL) {
        uint64_t from, to;
        char rights[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, rights) != 3 || rights[1] != 'w')
            continue;
        look_through_mapping(memory, from, to);
        mappings++;
    }
    if (mappings == 0)
        die("the process has no memory");
    fclose(memory);
    fclose(maps);
}

static void search_file(const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL || fseeko(in, 0, SEEK_END) != 0)
        die("the file cannot be read");
    look_through_mapping(in, 0, (uint64_t)ftello(in));
    fclose(in);
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "plant") == 0) {
        add_pattern(argv[2]);
        puts("planted");
        fflush(stdout);
        pause();
        return 0;
    }
    if (argc < 4)
        die("usage: memory_search pid|file WHICH HEX... | plant HEX");
    for (int i = 3; i < argc; i++)
        add_pattern(argv[i]);
    if (strcmp(argv[1], "pid") == 0)
        search_process(argv[2]);
    else
        search_file(argv[2]);
    printf("%" PRIu64 "\n", hits);
    return 0;
}
