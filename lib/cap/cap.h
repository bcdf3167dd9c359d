/* SPDX-License-Identifier: Apache-2.0
 *
 * CAP files (Java Card VM specification chapter 6): from a ZIP archive, or a row of components (.ijc), to the
 * load file that goes to a card and to what must be known before it goes. Everything foreign is bounded;
 * whatever is refused is refused with the reason in words. All components that go to a card are walked
 * through by their form; may be left to the card: the bytecode, which is not verified beyond its first
 * instruction, and in the extended format of 3.1 the insides of Method, RefLocation and Export. Custom
 * components are refused. */
#ifndef CAP_CAP_H
#define CAP_CAP_H

#include <base/bytes.h>
#include <base/limits.h>
#include <crypto/crypto.h>

struct aid {
    uint8_t data[AID_MAX];
    uint8_t len; /* 5 to 16; 0: none */
};

struct view aid_view(const struct aid *a);
/* ERR_FORMAT when the length is not 5 to 16. */
enum err aid_set(struct aid *a, struct view v) MUST_USE;
bool aid_equal(const struct aid *a, const struct aid *b);

struct cap_package {
    struct aid aid;
    uint8_t major, minor;
};

/* A load file data block signature that comes with the file: META-INF/dap.<key>.<hash>, as signing tools of
 * the field leave it. The name is what stands behind META-INF/. */
struct cap_signature {
    char name[CAP_SIGNATURE_NAME_MAX + 1];
    uint8_t data[CAP_SIGNATURE_MAX];
    size_t len;
};

struct cap {
    uint8_t format_major, format_minor; /* of the CAP file: 2.1, 2.2, 2.3 */
    uint8_t flags;                      /* Header: 01 int, 02 exports, 04 applets, 08 extended */
    struct cap_package package;
    char name[NAME_MAX_BYTES + 1]; /* package name when the file has it, else "" */
    struct cap_package imports[CAP_IMPORTS_MAX];
    size_t import_count;
    struct aid applets[CAP_APPLETS_MAX]; /* module AIDs */
    size_t applet_count;
    struct cap_signature signatures[CAP_SIGNATURES_MAX];
    size_t signature_count;
    struct writer
        load; /* the load file's components in load order, without the C4 header; no Descriptor, no Debug */
};

/* Why a file was refused: a sentence that names the component or the entry. */
struct cap_problem {
    char text[160];
};

/* Reads a whole file. ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED or ERR_MEMORY with *why filled (why may be
 * NULL). On success *out must go to cap_finish. Bounded in time and memory, whatever the file says. */
enum err cap_read(struct cap *out, struct view file, struct cap_problem *why) MUST_USE;
void cap_finish(struct cap *c);

/* Load file data block hash: over the load file data block, i.e. without the C4 tag and length (GPCS 2.3.1
 * C.2). */
enum err cap_hash(const struct cap *c, struct crypto *crypto, enum digest d, uint8_t *out) MUST_USE;

/* The packages that come with a Java Card version, by AID and highest version, for checking imports before
 * anything is sent. version is "2.1.1", "2.2.2", "3.0.5", "3.1.0", ...; ERR_NOT_FOUND when there is no such
 * row. */
enum err cap_platform(const char *version, const struct cap_package **out, size_t *count) MUST_USE;
/* The newest org.globalplatform that a card can have, by the version of its card specification (as in struct
 * identity); NULL when it is not known. */
const struct cap_package *cap_gp_package(const uint8_t gp_version[3]);
/* True when have satisfies need: same AID, same major, minor not lower (JCVM 4.5). */
bool cap_satisfies(const struct cap_package *have, const struct cap_package *need);
/* A name for a well-known package AID ("javacard.framework"), or NULL. */
const char *cap_package_name(const struct aid *aid);

#endif
