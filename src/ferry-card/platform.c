/* SPDX-License-Identifier: Apache-2.0
 *
 * Java Card and GlobalPlatform packages of the platforms that the virtual card can be. */
#include "platform.h"

#include <string.h>

static const struct platform platforms[] = {
    {.name = "2.2.2", .format_minor = 2, .framework = 3, .globalplatform = 0, .oid_arc = 2},
    {.name = "3.0.5", .format_minor = 2, .framework = 6, .globalplatform = 6, .oid_arc = 3},
    {.name = "3.1", .format_minor = 3, .framework = 8, .globalplatform = 7, .oid_arc = 3},
    {.name = "3.2", .format_minor = 3, .framework = 9, .globalplatform = 7, .oid_arc = 3},
};
enum { PLATFORM_COUNT = sizeof platforms / sizeof platforms[0] };

/* Where the minor version of a package comes from; the major version is 1 throughout. */
enum source { FIXED_0, FRAMEWORK, GLOBALPLATFORM };

static const struct {
    uint8_t aid[9];
    uint8_t len;
    enum source source;
} packages[] = {
    {{0xA0, 0, 0, 0, 0x62, 0x00, 0x01}, 7, FIXED_0},       /* java.lang */
    {{0xA0, 0, 0, 0, 0x62, 0x00, 0x02}, 7, FIXED_0},       /* java.io */
    {{0xA0, 0, 0, 0, 0x62, 0x00, 0x03}, 7, FIXED_0},       /* java.rmi */
    {{0xA0, 0, 0, 0, 0x62, 0x01, 0x01}, 7, FRAMEWORK},     /* javacard.framework */
    {{0xA0, 0, 0, 0, 0x62, 0x01, 0x01, 0x01}, 8, FIXED_0}, /* javacard.framework.service */
    {{0xA0, 0, 0, 0, 0x62, 0x01, 0x02}, 7, FRAMEWORK},     /* javacard.security */
    {{0xA0, 0, 0, 0, 0x62, 0x02, 0x01}, 7, FRAMEWORK},     /* javacardx.crypto */
    {{0xA0, 0, 0, 0, 0x62, 0x02, 0x09}, 7, FIXED_0},       /* javacardx.apdu */
    {{0xA0, 0, 0, 0x01, 0x51, 0x00}, 6, GLOBALPLATFORM},   /* org.globalplatform */
};

const struct platform *platform_by_name(const char *name, uint8_t *row)
{
    for (size_t i = 0; i < PLATFORM_COUNT; i++) {
        if (strcmp(platforms[i].name, name) == 0) {
            *row = (uint8_t)i;
            return &platforms[i];
        }
    }
    return NULL;
}

const struct platform *platform_by_row(uint8_t row)
{
    return row < PLATFORM_COUNT ? &platforms[row] : NULL;
}

static uint8_t minor_of(const struct platform *p, enum source source)
{
    switch (source) {
    case FRAMEWORK:
        return p->framework;
    case GLOBALPLATFORM:
        return p->globalplatform;
    case FIXED_0:
        break;
    }
    return 0;
}

static int find(struct view aid)
{
    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        if (view_equal(view_of(packages[i].aid, packages[i].len), aid))
            return (int)i;
    }
    return -1;
}

bool platform_has(const struct platform *p, struct view aid)
{
    return p != NULL && find(aid) >= 0;
}

bool platform_satisfies(const struct platform *p, struct view aid, uint8_t major, uint8_t minor)
{
    int i = find(aid);
    return p != NULL && i >= 0 && major == 1 && minor <= minor_of(p, packages[i].source);
}
