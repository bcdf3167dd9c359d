/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of the library that is wiped when it is given back. OpenSSL wipes what it knows to be a key, but its
 * decoders leave the private numbers of key pairs in buffers that it frees as they are. */
#include "crypto_internal.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void *take(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(len);
}

static void give_back(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (p == NULL)
        return;
    explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

/* realloc() would leave the old bytes where they were. */
static void *resize(void *p, size_t len, const char *file, int line)
{
    size_t old = p != NULL ? malloc_usable_size(p) : 0;
    void *wider = len > 0 ? malloc(len) : NULL;
    if (len > 0 && wider == NULL)
        return NULL;
    if (wider != NULL && old > 0)
        memcpy(wider, p, old < len ? old : len);
    give_back(p, file, line);
    return wider;
}

enum err crypto_wipe_all(void)
{
    return CRYPTO_set_mem_functions(take, resize, give_back) == 1 ? OK : ERR_STATE;
}
