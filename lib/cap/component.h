/* SPDX-License-Identifier: Apache-2.0
 *
 * The components of a CAP file (JCVM 3.0.5 and 3.1, chapter 6), apart from where they came from. */
#ifndef CAP_COMPONENT_H
#define CAP_COMPONENT_H

#include <cap/cap.h>

/* JCVM 6.1, table of component tags. */
enum {
    COMPONENT_HEADER = 1,
    COMPONENT_DIRECTORY = 2,
    COMPONENT_APPLET = 3,
    COMPONENT_IMPORT = 4,
    COMPONENT_CONSTANT_POOL = 5,
    COMPONENT_CLASS = 6,
    COMPONENT_METHOD = 7,
    COMPONENT_STATIC_FIELD = 8,
    COMPONENT_REF_LOCATION = 9,
    COMPONENT_EXPORT = 10,
    COMPONENT_DESCRIPTOR = 11,
    COMPONENT_DEBUG = 12,
    COMPONENT_STATIC_RESOURCES = 13,
    COMPONENT_TAGS = 14
};

/* Flags of the Header component. */
enum { CAP_INT = 0x01, CAP_EXPORT = 0x02, CAP_APPLET = 0x04, CAP_EXTENDED = 0x08 };

struct component_kind {
    const char *name;
    bool required;
    bool loaded; /* goes to the card */
    enum { SIZE_U2, SIZE_U4_EXTENDED, SIZE_U4 } size;
};
/* For tags 1 to 13. */
const struct component_kind *component_kind(unsigned tag);
/* The order in which a card wants them (JCVM 6.2 leaves it to the card's loader; what all take), ended by 0.
 */
const uint8_t *component_load_order(void);
/* A size field of 4 bytes: in the extended format some components have it, StaticResources always. */
bool component_is_wide(unsigned tag, uint8_t flags);

struct components {
    struct view whole[COMPONENT_TAGS];    /* by tag: tag, size and contents; empty when there is none */
    struct view info[COMPONENT_TAGS];     /* contents alone, set by component_frame */
    bool wide[COMPONENT_TAGS];            /* the file had the name for a size field of 4 bytes */
    char folder[CAP_PATH_MAX + 1];        /* of the package, with "/" between; "" when there is none */
    struct writer memory[COMPONENT_TAGS]; /* what an archive's components were unpacked to */
    struct cap_signature signatures[CAP_SIGNATURES_MAX];
    size_t signature_count;
};
void components_finish(struct components *c);

/* Checks tag and size of one component and sets info. */
enum err component_frame(struct components *c, unsigned tag, struct cap_problem *why) MUST_USE;

/* Header, Directory, Import and Applet: what is known of the package goes to *out. Header comes first. */
enum err component_header(struct components *c, struct cap *out, struct cap_problem *why) MUST_USE;
enum err component_directory(struct components *c, const struct cap *cap, struct cap_problem *why) MUST_USE;
enum err component_import(struct components *c, struct cap *out, struct cap_problem *why) MUST_USE;
enum err component_applet(struct components *c, struct cap *out, struct cap_problem *why) MUST_USE;
/* The others, by their form: nothing in them points outside of what is there. */
enum err component_code(struct components *c, const struct cap *cap, struct cap_problem *why) MUST_USE;

#endif
