/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages as a browser gets them: which path is which file, packed or not, and what the headers allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/test_api_world.h"

static void get(struct test_world *w, long want, const char *path)
{
    w->token = NULL;
    if (test_ask(w, "GET", path, NULL) != want)
        fail_msg("%s: %ld %s", path, w->status, w->text);
}

static struct test_world *open_pages(unsigned agent_port, const char *package)
{
    const struct pages_setup setup = {web_assets, web_asset_count, agent_port, package};
    return test_world_open(&setup);
}

static const struct web_asset *asset(const char *path)
{
    for (size_t i = 0; i < web_asset_count; i++)
        if (strcmp(web_assets[i].path, path) == 0)
            return &web_assets[i];
    fail_msg("there is no %s", path);
    return NULL;
}

static void is_asset(struct test_world *w, const char *path)
{
    const struct web_asset *a = asset(path);
    assert_true(view_equal(a->plain, view_of(w->text, w->text_len)));
    assert_string_equal(test_header(w, "Content-Type"), a->content_type);
    assert_string_equal(test_header(w, "ETag"), a->etag);
    assert_string_equal(test_header(w, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(test_header(w, "Cross-Origin-Resource-Policy"), "same-origin");
}

static void every_path_is_its_page(void **state)
{
    static const struct {
        const char *path, *file;
    } rows[] = {
        {"/", "/index.html"},
        {"/i", "/index.html"},
        {"/console", "/console.html"},
        {"/console/", "/console.html"},
        {"/console/cards/4203-77", "/console.html"},
        {"/console/%2e%2e/%2e%2e", "/console.html"},
    };
    (void)state;
    struct test_world *w = open_pages(0, "");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        get(w, 200, rows[i].path);
        is_asset(w, rows[i].file);
    }
    static const char *const nothing[] = {"/index",     "/I",
                                          "/i/",        "/consoles",
                                          "/assets/",   "/assets/%2e%2e/index.html",
                                          "/download/", "/download/ferry.deb",
                                          "/etc/passwd"};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        get(w, 404, nothing[i]);
    test_world_close(w);
}

/* Where people find a file. */
static const char *path_of(const struct web_asset *a)
{
    return strcmp(a->path, "/index.html") == 0     ? "/"
           : strcmp(a->path, "/console.html") == 0 ? "/console"
                                                   : a->path;
}

static void every_file_comes_packed_and_unpacked(void **state)
{
    (void)state;
    struct test_world *w = open_pages(0, "");
    for (size_t i = 0; i < web_asset_count; i++) {
        const struct web_asset *a = &web_assets[i];
        w->coding = NULL;
        get(w, 200, path_of(a));
        is_asset(w, a->path);
        assert_string_equal(test_header(w, "Content-Encoding"), "");
        w->coding = "gzip"; /* the client unpacks */
        get(w, 200, path_of(a));
        is_asset(w, a->path);
        assert_string_equal(test_header(w, "Content-Encoding"), a->gzip.len > 0 ? "gzip" : "");
        assert_string_equal(test_header(w, "Vary"), "Accept-Encoding");
        assert_string_equal(test_header(w, "Cache-Control"),
                            a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    }
    assert_true(asset("/index.html")->gzip.len > 0);
    assert_false(asset("/index.html")->immutable);
    test_world_close(w);
}

static void gzip_is_taken_where_it_is_wanted(void **state)
{
    static const struct {
        const char *accepted;
        bool packed;
    } rows[] = {
        {"Accept-Encoding: gzip", true},
        {"Accept-Encoding: br, gzip", true},
        {"Accept-Encoding: gzip;q=0.5, br", true},
        {"Accept-Encoding: deflate,gzip ; q=1", true},
        {"Accept-Encoding: gzip;q=0", false},
        {"Accept-Encoding: gzip;q=0.0", false},
        {"Accept-Encoding: x-gzip", false},
        {"Accept-Encoding: gzipped", false},
        {"Accept-Encoding: br", false},
    };
    (void)state;
    struct test_world *w = open_pages(0, "");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->headers[0] = rows[i].accepted;
        get(w, 200, "/");
        if ((strcmp(test_header(w, "Content-Encoding"), "gzip") == 0) != rows[i].packed)
            fail_msg("row %zu", i);
    }
    test_world_close(w);
}

static void a_page_that_is_known_is_not_sent_again(void **state)
{
    char known[100];
    (void)state;
    struct test_world *w = open_pages(0, "");
    snprintf(known, sizeof(known), "If-None-Match: \"x\", %s", asset("/index.html")->etag);
    w->headers[0] = known;
    get(w, 304, "/");
    assert_int_equal(w->text_len, 0);
    assert_string_equal(test_header(w, "ETag"), asset("/index.html")->etag);
    w->headers[0] = "If-None-Match: \"another\"";
    get(w, 200, "/");
    test_world_close(w);
}

/* What goes to browsers goes with its licence. */
static void the_licences_of_others_are_told(void **state)
{
    static const char *const packages[] = {"preact ", "@picocss/pico ", "uplot ", "qrcode-generator ",
                                           "Copyright"};
    (void)state;
    struct test_world *w = open_pages(0, "");
    get(w, 200, "/licenses.txt");
    is_asset(w, "/licenses.txt");
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
        if (strstr(w->text, packages[i]) == NULL)
            fail_msg("%s", packages[i]);
    test_world_close(w);
}

/* Mail programs look at a link before they show it. */
static void head_is_get_without_the_body(void **state)
{
    (void)state;
    struct test_world *w = open_pages(0, "");
    w->token = NULL;
    assert_int_equal(test_ask(w, "HEAD", "/i", NULL), 200);
    assert_int_equal(w->text_len, 0);
    assert_string_equal(test_header(w, "ETag"), asset("/index.html")->etag);
    assert_int_equal(test_ask(w, "HEAD", "/nothing", NULL), 404);
    w->token = TEST_TOKEN;
    assert_int_equal(test_ask(w, "HEAD", "/api/v1/apps", NULL), 405);
    get(w, 200, "/"); /* the connection is as it was */
    is_asset(w, "/index.html");
    test_world_close(w);
}

static bool allows(struct test_world *w, const char *part)
{
    return strstr(test_header(w, "Content-Security-Policy"), part) != NULL;
}

static void a_page_may_do_little(void **state)
{
    static const char *const parts[] = {"default-src 'none';",
                                        "script-src 'self';",
                                        "style-src 'self';",
                                        "frame-ancestors 'none';",
                                        "form-action 'none';",
                                        "base-uri 'none';",
                                        "require-trusted-types-for 'script'",
                                        "connect-src 'self'"};
    static const char *const paths[] = {"/", "/i", "/console", "/console/x"};
    (void)state;
    struct test_world *w = open_pages(0, "");
    for (size_t n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
        get(w, 200, paths[n]);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            if (!allows(w, parts[i]))
                fail_msg("%s: %s", paths[n], parts[i]);
        assert_false(allows(w, "127.0.0.1") || allows(w, "unsafe") || allows(w, "http:"));
        assert_string_equal(test_header(w, "X-Frame-Options"), "DENY");
        assert_string_equal(test_header(w, "Referrer-Policy"), "no-referrer");
        assert_string_equal(test_header(w, "Cross-Origin-Opener-Policy"), "same-origin");
    }
    test_world_close(w);
}

static void only_the_holders_page_may_ask_an_agent(void **state)
{
    (void)state;
    struct test_world *w = open_pages(28573, "");
    get(w, 200, "/i");
    assert_true(allows(w, "connect-src 'self' http://127.0.0.1:28573"));
    get(w, 200, "/console");
    assert_false(allows(w, "28573"));
    test_world_close(w);
}

static void the_clients_package_is_offered(void **state)
{
    (void)state;
    char path[300];
    struct test_folder folder;
    static const char content[] = "!<arch>\n not really one";
    test_folder_make(&folder);
    snprintf(path, sizeof(path), "%s/ferry_1.deb", folder.path);
    test_write_file(path, view_str(content));
    struct test_world *w = open_pages(0, path);
    assert_string_equal(pages_package_path(w->pages), "/download/ferry_1.deb");
    get(w, 200, "/download/ferry_1.deb");
    assert_true(view_equal(view_str(content), view_of(w->text, w->text_len)));
    assert_string_equal(test_header(w, "Content-Disposition"), "attachment");
    get(w, 404, "/download/ferry_2.deb");
    get(w, 404, "/download/%2e%2e/ferry_1.deb");
    test_world_close(w);
    unlink(path);
    const struct pages_setup setup = {web_assets, web_asset_count, 0, path};
    struct pages *nothing = NULL;
    assert_int_equal(pages_new(&nothing, &setup), ERR_IO);
    assert_null(nothing);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_is_its_page),
        cmocka_unit_test(every_file_comes_packed_and_unpacked),
        cmocka_unit_test(gzip_is_taken_where_it_is_wanted),
        cmocka_unit_test(a_page_that_is_known_is_not_sent_again),
        cmocka_unit_test(the_licences_of_others_are_told),
        cmocka_unit_test(head_is_get_without_the_body),
        cmocka_unit_test(a_page_may_do_little),
        cmocka_unit_test(only_the_holders_page_may_ask_an_agent),
        cmocka_unit_test(the_clients_package_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
