/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages as bytes: made from web/ when the server is built (cmake/web.cmake). */
#ifndef FRONT_WEB_ASSETS_H
#define FRONT_WEB_ASSETS_H

#include <base/bytes.h>

struct web_asset {
    const char *path;         /* "/index.html", "/console.html", "/assets/index-D2x8.js" */
    const char *content_type; /* with charset where it is text */
    const char *etag;         /* with its quotes */
    struct view plain, gzip;  /* gzip may be empty: then it is not smaller */
    bool immutable;           /* the name changes with the content */
};

extern const struct web_asset web_assets[];
extern const size_t web_asset_count;

#endif
