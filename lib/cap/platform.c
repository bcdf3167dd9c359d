/* SPDX-License-Identifier: Apache-2.0
 *
 * The packages of the Java Card API by version of the platform, and GlobalPlatform's own by version of its
 * card specification, as the export files of the development kits say. A card may lack the optional ones
 * (javacardx); what it lacks, it refuses when loading. */
#include <cap/cap.h>

#include <string.h>

/* AIDs: the RID of Java Card, or of GlobalPlatform, and what the specification adds. */
#define JC 0xA0, 0x00, 0x00, 0x00, 0x62
#define GP 0xA0, 0x00, 0x00, 0x01, 0x51
#define AID_LANG                                                                                             \
    {                                                                                                        \
        {JC, 0x00, 0x01}, 7                                                                                  \
    }
#define AID_IO                                                                                               \
    {                                                                                                        \
        {JC, 0x00, 0x02}, 7                                                                                  \
    }
#define AID_RMI                                                                                              \
    {                                                                                                        \
        {JC, 0x00, 0x03}, 7                                                                                  \
    }
#define AID_FRAMEWORK                                                                                        \
    {                                                                                                        \
        {JC, 0x01, 0x01}, 7                                                                                  \
    }
#define AID_SERVICE                                                                                          \
    {                                                                                                        \
        {JC, 0x01, 0x01, 0x01}, 8                                                                            \
    }
#define AID_SECURITY                                                                                         \
    {                                                                                                        \
        {JC, 0x01, 0x02}, 7                                                                                  \
    }
#define AID_CRYPTO                                                                                           \
    {                                                                                                        \
        {JC, 0x02, 0x01}, 7                                                                                  \
    }
#define AID_BIOMETRY                                                                                         \
    {                                                                                                        \
        {JC, 0x02, 0x02}, 7                                                                                  \
    }
#define AID_EXTERNAL                                                                                         \
    {                                                                                                        \
        {JC, 0x02, 0x03}, 7                                                                                  \
    }
#define AID_BIOMETRY_1TON                                                                                    \
    {                                                                                                        \
        {JC, 0x02, 0x04}, 7                                                                                  \
    }
#define AID_SECURITYX                                                                                        \
    {                                                                                                        \
        {JC, 0x02, 0x05}, 7                                                                                  \
    }
#define AID_CERT                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x05, 0x01}, 8                                                                            \
    }
#define AID_DERIVATION                                                                                       \
    {                                                                                                        \
        {JC, 0x02, 0x05, 0x02}, 8                                                                            \
    }
#define AID_SECURITY_UTIL                                                                                    \
    {                                                                                                        \
        {JC, 0x02, 0x05, 0x03}, 8                                                                            \
    }
#define AID_UTIL                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x01}, 8                                                                            \
    }
#define AID_INTX                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x01, 0x01}, 9                                                                      \
    }
#define AID_MATH                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x02}, 8                                                                            \
    }
#define AID_TLV                                                                                              \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x03}, 8                                                                            \
    }
#define AID_STRING                                                                                           \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x04}, 8                                                                            \
    }
#define AID_EVENT                                                                                            \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x05}, 8                                                                            \
    }
#define AID_NIO                                                                                              \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x06}, 8                                                                            \
    }
#define AID_TIME                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x08, 0x07}, 8                                                                            \
    }
#define AID_APDU                                                                                             \
    {                                                                                                        \
        {JC, 0x02, 0x09}, 7                                                                                  \
    }
#define AID_APDU_UTIL                                                                                        \
    {                                                                                                        \
        {JC, 0x02, 0x09, 0x01}, 8                                                                            \
    }
#define AID_GLOBALPLATFORM                                                                                   \
    {                                                                                                        \
        {GP, 0x00}, 6                                                                                        \
    }
#define AID_CONTACTLESS                                                                                      \
    {                                                                                                        \
        {GP, 0x02}, 6                                                                                        \
    }
#define AID_SECURECHANNEL                                                                                    \
    {                                                                                                        \
        {GP, 0x03}, 6                                                                                        \
    }
#define AID_PROVIDER                                                                                         \
    {                                                                                                        \
        {GP, 0x04}, 6                                                                                        \
    }
#define AID_PRIVACY                                                                                          \
    {                                                                                                        \
        {GP, 0x05}, 6                                                                                        \
    }
#define AID_FILESYSTEM                                                                                       \
    {                                                                                                        \
        {GP, 0x06}, 6                                                                                        \
    }
#define AID_UPGRADE                                                                                          \
    {                                                                                                        \
        {GP, 0x07}, 6                                                                                        \
    }

/* Version 1.x: all of them have the major version 1. */
static const struct cap_package jc21[] = {
    {AID_LANG, 1, 0}, {AID_FRAMEWORK, 1, 0}, {AID_SECURITY, 1, 1}, {AID_CRYPTO, 1, 1}};

static const struct cap_package jc221[] = {{AID_LANG, 1, 0},      {AID_IO, 1, 0},      {AID_RMI, 1, 0},
                                           {AID_FRAMEWORK, 1, 2}, {AID_SERVICE, 1, 0}, {AID_SECURITY, 1, 2},
                                           {AID_CRYPTO, 1, 2}};

/* From here on the optional packages are the same until 3.0.3. */
#define EXTENSIONS_222                                                                                       \
    {AID_BIOMETRY, 1, 2}, {AID_EXTERNAL, 1, 0}, {AID_UTIL, 1, 0}, {AID_INTX, 1, 0}, {AID_MATH, 1, 0},        \
        {AID_TLV, 1, 0},                                                                                     \
    {                                                                                                        \
        AID_APDU, 1, 0                                                                                       \
    }
#define JAVA                                                                                                 \
    {AID_LANG, 1, 0}, {AID_IO, 1, 0}, {AID_RMI, 1, 0},                                                       \
    {                                                                                                        \
        AID_SERVICE, 1, 0                                                                                    \
    }

static const struct cap_package jc222[] = {
    JAVA, {AID_FRAMEWORK, 1, 3}, {AID_SECURITY, 1, 3}, {AID_CRYPTO, 1, 3}, EXTENSIONS_222};

static const struct cap_package jc301[] = {
    JAVA, {AID_FRAMEWORK, 1, 4}, {AID_SECURITY, 1, 4}, {AID_CRYPTO, 1, 4}, EXTENSIONS_222};

static const struct cap_package jc304[] = {
    JAVA,           {AID_FRAMEWORK, 1, 5}, {AID_SECURITY, 1, 5}, {AID_CRYPTO, 1, 5},
    EXTENSIONS_222, {AID_STRING, 1, 0}};

#define EXTENSIONS_305                                                                                       \
    {AID_BIOMETRY, 1, 3}, {AID_BIOMETRY_1TON, 1, 0}, {AID_EXTERNAL, 1, 0}, {AID_SECURITYX, 1, 0},            \
        {AID_UTIL, 1, 1}, {AID_MATH, 1, 0}, {AID_TLV, 1, 0}, {AID_STRING, 1, 0}, {AID_APDU, 1, 0},           \
    {                                                                                                        \
        AID_APDU_UTIL, 1, 0                                                                                  \
    }

static const struct cap_package jc305[] = {
    JAVA, {AID_FRAMEWORK, 1, 6}, {AID_SECURITY, 1, 6}, {AID_CRYPTO, 1, 6}, EXTENSIONS_305, {AID_INTX, 1, 0}};

#define EXTENSIONS_310                                                                                       \
    EXTENSIONS_305, {AID_INTX, 1, 1}, {AID_CERT, 1, 0}, {AID_DERIVATION, 1, 0}, {AID_SECURITY_UTIL, 1, 0},   \
        {AID_EVENT, 1, 0}, {AID_NIO, 1, 0},                                                                  \
    {                                                                                                        \
        AID_TIME, 1, 0                                                                                       \
    }

static const struct cap_package jc310[] = {
    JAVA, {AID_FRAMEWORK, 1, 8}, {AID_SECURITY, 1, 7}, {AID_CRYPTO, 1, 7}, EXTENSIONS_310};

/* Only framework is known for sure to be newer than in 3.1. */
static const struct cap_package jc320[] = {
    JAVA, {AID_FRAMEWORK, 1, 9}, {AID_SECURITY, 1, 7}, {AID_CRYPTO, 1, 7}, EXTENSIONS_310};

static const struct {
    const char *version;
    const struct cap_package *packages;
    size_t count;
} platforms[] = {
#define PLATFORM(version, packages)                                                                          \
    {                                                                                                        \
        version, packages, sizeof(packages) / sizeof((packages)[0])                                          \
    }
    PLATFORM("2.1.1", jc21),  PLATFORM("2.1.2", jc21),  PLATFORM("2.2.1", jc221), PLATFORM("2.2.2", jc222),
    PLATFORM("3.0.1", jc301), PLATFORM("3.0.3", jc301), PLATFORM("3.0.4", jc304), PLATFORM("3.0.5", jc305),
    PLATFORM("3.1.0", jc310), PLATFORM("3.2.0", jc320),
};

enum err cap_platform(const char *version, const struct cap_package **out, size_t *count)
{
    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        if (strcmp(platforms[i].version, version) != 0)
            continue;
        *out = platforms[i].packages;
        *count = platforms[i].count;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* The newest that a card of that version can have: what is too new for it, it refuses itself. */
static const struct {
    uint8_t version[3];
    struct cap_package package;
} gp_rows[] = {
    {{2, 1, 0}, {AID_GLOBALPLATFORM, 1, 0}}, {{2, 1, 1}, {AID_GLOBALPLATFORM, 1, 0}},
    {{2, 2, 0}, {AID_GLOBALPLATFORM, 1, 4}}, {{2, 2, 1}, {AID_GLOBALPLATFORM, 1, 5}},
    {{2, 3, 0}, {AID_GLOBALPLATFORM, 1, 6}}, {{2, 3, 1}, {AID_GLOBALPLATFORM, 1, 7}},
};

const struct cap_package *cap_gp_package(const uint8_t gp_version[3])
{
    for (size_t i = 0; i < sizeof(gp_rows) / sizeof(gp_rows[0]); i++)
        if (view_equal(VIEW_OF(gp_rows[i].version), view_of(gp_version, 3)))
            return &gp_rows[i].package;
    return NULL;
}

static const struct {
    struct aid aid;
    const char *name;
} names[] = {
    {AID_LANG, "java.lang"},
    {AID_IO, "java.io"},
    {AID_RMI, "java.rmi"},
    {AID_FRAMEWORK, "javacard.framework"},
    {AID_SERVICE, "javacard.framework.service"},
    {AID_SECURITY, "javacard.security"},
    {AID_CRYPTO, "javacardx.crypto"},
    {AID_BIOMETRY, "javacardx.biometry"},
    {AID_EXTERNAL, "javacardx.external"},
    {AID_BIOMETRY_1TON, "javacardx.biometry1toN"},
    {AID_SECURITYX, "javacardx.security"},
    {AID_CERT, "javacardx.security.cert"},
    {AID_DERIVATION, "javacardx.security.derivation"},
    {AID_SECURITY_UTIL, "javacardx.security.util"},
    {AID_UTIL, "javacardx.framework.util"},
    {AID_INTX, "javacardx.framework.util.intx"},
    {AID_MATH, "javacardx.framework.math"},
    {AID_TLV, "javacardx.framework.tlv"},
    {AID_STRING, "javacardx.framework.string"},
    {AID_EVENT, "javacardx.framework.event"},
    {AID_NIO, "javacardx.framework.nio"},
    {AID_TIME, "javacardx.framework.time"},
    {AID_APDU, "javacardx.apdu"},
    {AID_APDU_UTIL, "javacardx.apdu.util"},
    {AID_GLOBALPLATFORM, "org.globalplatform"},
    {AID_CONTACTLESS, "org.globalplatform.contactless"},
    {AID_SECURECHANNEL, "org.globalplatform.securechannel"},
    {AID_PROVIDER, "org.globalplatform.securechannel.provider"},
    {AID_PRIVACY, "org.globalplatform.privacy"},
    {AID_FILESYSTEM, "org.globalplatform.filesystem"},
    {AID_UPGRADE, "org.globalplatform.upgrade"},
};

const char *cap_package_name(const struct aid *aid)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (aid_equal(&names[i].aid, aid))
            return names[i].name;
    return NULL;
}
