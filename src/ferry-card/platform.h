/* SPDX-License-Identifier: Apache-2.0
 *
 * Which packages a card has from its maker, by Java Card version: what a load file may import. */
#ifndef FERRY_CARD_PLATFORM_H
#define FERRY_CARD_PLATFORM_H

#include <base/bytes.h>

struct platform {
    const char *name;     /* "2.2.2" */
    uint8_t format_minor; /* newest CAP format 2.x that it takes */
    uint8_t framework;    /* minor version of javacard.framework, security and crypto */
    uint8_t globalplatform;
    uint8_t oid_arc; /* last arc of the Java Card OID in card recognition data: 2 or 3 */
};

/* NULL when there is no such row. */
const struct platform *platform_by_name(const char *name, uint8_t *row);
const struct platform *platform_by_row(uint8_t row);

/* Is the package part of the platform, in whatever version? */
bool platform_has(const struct platform *p, struct view aid);
/* Does the platform satisfy this import: same major version, minor not lower (JCVM 4.5)? */
bool platform_satisfies(const struct platform *p, struct view aid, uint8_t major, uint8_t minor);

#endif
