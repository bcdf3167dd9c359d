/* SPDX-License-Identifier: Apache-2.0
 *
 * A ticket as a link that starts the client: an administration session triggering message (GlobalPlatform
 * Card Specification Amendment B, 3.2.2 and 3.7), which any client of that standard understands. */
#ifndef FRONT_TRIGGER_H
#define FRONT_TRIGGER_H

#include <base/bytes.h>

enum { TRIGGER_HOST_MAX = 255, TRIGGER_URI_MAX = 255, TRIGGER_LINK_MAX = 1024 };

/* Appends 81 { 83 { 89 { 8A host, 8C uri } } }. ERR_ARGUMENT when a part is empty or too long. */
enum err trigger_put(struct writer *w, struct view host, struct view uri) MUST_USE;
/* From "https://host:port/path" to "cardferry:" and the message in base64url; out with an end. ERR_ARGUMENT
 * when it is no such address. */
enum err trigger_link(const char *url, char out[TRIGGER_LINK_MAX]) MUST_USE;

#endif
