/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector files: JSON arrays of objects whose fields are mostly hexadecimal text. Strings are turned into
 * bytes that live until vectors_free, so that a test may hold views without owning anything. */
#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H

#include <base/bytes.h>
#include <jansson.h>

/* The array in tests/data/<path>, e.g. "vectors/kdf.json"; or at any path with vectors_load_path. Ends the
 * program with a message when it cannot be read. Lives until vectors_free. */
json_t *vectors_load(const char *path);
json_t *vectors_load_path(const char *path);
/* The bytes of tests/data/<path>, in the same way. */
struct view vectors_file(const char *path);
/* Frees every file and every byte string. */
void vectors_free(void);

/* A member of an object; NULL when it is absent, null or not a string. */
const char *vector_text(const json_t *row, const char *key);
/* The bytes of a hexadecimal member; an empty view without address when it is absent, ends the program when
 * it is not hexadecimal. */
struct view vector_bytes(const json_t *row, const char *key);
/* Bytes of a hexadecimal text of the test itself. */
struct view vector_hex(const char *hex);
/* The member, or -1. */
int vector_int(const json_t *row, const char *key);
bool vector_has(const json_t *row, const char *key);
/* row["type"] equals type. */
bool vector_is(const json_t *row, const char *type);

#endif
