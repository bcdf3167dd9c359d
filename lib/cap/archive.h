/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ZIP archive, or a row of components, to components. */
#ifndef CAP_ARCHIVE_H
#define CAP_ARCHIVE_H

#include <cap/component.h>

enum { ENTRY_STORED = 0, ENTRY_DEFLATED = 8 };

/* One file of an archive, as both of its headers tell it. */
struct archive_entry {
    struct view name;
    uint16_t flags, method;
    uint32_t crc, packed, size;
    uint32_t start; /* of the local header */
    size_t end;     /* behind its data */
};
struct archive {
    size_t count;
    struct archive_entry entries[CAP_ENTRIES_MAX];
};

/* Checks the structure of a ZIP archive, before anything is inflated: one end record, all entries where it
 * says, both headers of each alike, nothing shared by two, names that stay inside. */
enum err archive_check(struct archive *out, struct view file, struct cap_problem *why) MUST_USE;
/* Unpacks the components, with libzip, each to no more than its declared size. On success *out must go to
 * components_finish. */
enum err archive_read(struct components *out, struct view file, struct cap_problem *why) MUST_USE;

/* A row of components in load order (.ijc); the views of *out borrow from file. */
bool row_looks_like(struct view file);
enum err row_read(struct components *out, struct view file, struct cap_problem *why) MUST_USE;

#endif
