/* SPDX-License-Identifier: Apache-2.0
 *
 * The things that an order names, as card holders are told of them (docs/web.md): with titles, in JSON. */
#ifndef FRONT_NAMED_H
#define FRONT_NAMED_H

#include <jansson.h>

#include "store/store.h"

/* {"name","title","description","title_de","description_de"} and {"name","title","title_de"}; texts that were
 * not given, or of things that are there no longer, are "". null for the name "". NULL: no memory. */
json_t *named_app(const struct store *s, const char *name);
json_t *named_type(const struct store *s, const char *name);

#endif
