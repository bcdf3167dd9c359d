/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target without a fuzzer, as a plain test: every file of a corpus folder, and of each file the
 * truncations and the single-byte changes, bounded and always the same. Each file runs in a process of its
 * own, so that a crash names the file and the mutation and the next file still runs. An empty folder fails.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* So many of each kind per file: enough for every place in a small seed, and a second or less per file. */
enum { TRUNCATIONS = 256, CHANGES = 512, FILE_MAX = 8 * 1024 * 1024, FILES_MAX = 1024 };

/* What the child is about to try; shared, so that the parent knows it when the child is dead. */
struct progress {
    const char *what;
    size_t at;
};

/* Gives the target just these bytes on the heap, so that the sanitizer sees any read beyond them. */
static void try(struct progress *p, const char *what, size_t at, const uint8_t *data, size_t len)
{
    p->what = what;
    p->at = at;
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static size_t step_for(size_t len, size_t most)
{
    return len > most ? (len + most - 1) / most : 1;
}

static void try_all(struct progress *p, uint8_t *data, size_t len)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xFF};
    try(p, "the file itself", 0, data, len);
    for (size_t at = 0; at < len; at += step_for(len, TRUNCATIONS))
        try(p, "cut to a length of", at, data, at);
    size_t step = step_for(len, CHANGES / sizeof(masks));
    for (size_t at = 0; at < len; at += step) {
        for (size_t m = 0; m < sizeof(masks); m++) {
            data[at] ^= masks[m];
            try(p, "a changed byte at", at, data, len);
            data[at] ^= masks[m];
        }
    }
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);
    if (!f || !data) {
        perror(path);
        exit(1);
    }
    *len = fread(data, 1, FILE_MAX, f);
    fclose(f);
    return data;
}

/* In the child: 0 when the target survived everything. */
static int run_file(struct progress *p, const char *path)
{
    size_t len;
    uint8_t *data = read_file(path, &len);
    try_all(p, data, len);
    free(data);
    return 0;
}

static int check_file(struct progress *p, const char *path, size_t number)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        exit(run_file(p, path));
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    int bad = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    const char *name = strrchr(path, '/');
    printf("%s %zu %s\n", bad ? "not ok" : "ok", number, name ? name + 1 : path);
    if (bad)
        printf("#   status %#x at: %s %zu\n", (unsigned)status, p->what, p->at);
    return bad;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    struct progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct dirent **entries = NULL;
    int count = scandir(argv[1], &entries, visible, alphasort);
    if (p == MAP_FAILED || count <= 0 || count > FILES_MAX) {
        printf("not ok 1 %s has files to run\n1..1\n", argv[1]);
        return 1;
    }
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    int bad = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        bad += check_file(p, path, (size_t)i + 1);
        free(entries[i]);
    }
    free(entries);
    printf("1..%d\n", count);
    return bad ? 1 : 0;
}
