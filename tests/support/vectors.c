/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads vector files. Everything is kept in one list and freed together. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/text.h>

struct kept {
    struct kept *next;
    json_t *file;
    uint8_t *bytes;
};

static struct kept *all;

static void die(const char *what, const char *which)
{
    fprintf(stderr, "vectors: %s: %s\n", what, which);
    exit(2);
}

static struct kept *keep(json_t *file, uint8_t *bytes)
{
    struct kept *k = malloc(sizeof(*k));
    if (k == NULL)
        die("out of memory", "");
    *k = (struct kept){all, file, bytes};
    all = k;
    return k;
}

json_t *vectors_load_path(const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (file == NULL || !json_is_array(file))
        die(path, file == NULL ? error.text : "not an array");
    return keep(file, NULL)->file;
}

json_t *vectors_load(const char *path)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", CF_DATA, path);
    return vectors_load_path(full);
}

struct view vectors_file(const char *path)
{
    char full[512];
    struct stat about;
    snprintf(full, sizeof(full), "%s/%s", CF_DATA, path);
    FILE *f = fopen(full, "rb");
    if (f == NULL || fstat(fileno(f), &about) != 0)
        die(full, "can't be opened");
    uint8_t *bytes = malloc((size_t)about.st_size + 1);
    if (bytes == NULL)
        die("out of memory", "");
    keep(NULL, bytes);
    if (fread(bytes, 1, (size_t)about.st_size, f) != (size_t)about.st_size)
        die(full, "can't be read");
    fclose(f);
    return view_of(bytes, (size_t)about.st_size);
}

void vectors_free(void)
{
    while (all != NULL) {
        struct kept *k = all;
        all = k->next;
        json_decref(k->file);
        free(k->bytes);
        free(k);
    }
}

const char *vector_text(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

struct view vector_hex(const char *hex)
{
    size_t len = 0, max = strlen(hex) / 2;
    uint8_t *bytes = malloc(max + 1);
    if (bytes == NULL)
        die("out of memory", "");
    keep(NULL, bytes);
    if (hex_read_str(hex, bytes, max, &len) != OK)
        die("not hexadecimal", hex);
    return view_of(bytes, len);
}

struct view vector_bytes(const json_t *row, const char *key)
{
    const char *text = vector_text(row, key);
    return text != NULL ? vector_hex(text) : VIEW_NULL;
}

int vector_int(const json_t *row, const char *key)
{
    const json_t *member = json_object_get(row, key);
    return json_is_integer(member) ? (int)json_integer_value(member) : -1;
}

bool vector_has(const json_t *row, const char *key)
{
    const json_t *member = json_object_get(row, key);
    return member != NULL && !json_is_null(member);
}

bool vector_is(const json_t *row, const char *type)
{
    const char *text = vector_text(row, "type");
    return text != NULL && strcmp(text, type) == 0;
}
