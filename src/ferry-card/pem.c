/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of keys and certificates. Every buffer that held a private key is wiped. */
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <base/limits.h>
#include <base/text.h>

#include "certificate.h"

enum { LINE = 64 };
static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

/* ---- text ---- */

static void put_mark(struct writer *w, const char *mark, const char *label)
{
    wr_view(w, view_str(mark));
    wr_view(w, view_str(label));
    wr_view(w, view_str(dashes));
    wr_u8(w, '\n');
}

/* Base64 differs from base64url in two digits and in its padding (RFC 4648 4, 5). */
static uint8_t digit(uint8_t c)
{
    return c == '-' ? '+' : c == '_' ? '/' : c;
}

static void put_lines(struct writer *w, struct view text)
{
    size_t padded = (text.len + 3) / 4 * 4;
    for (size_t n = 0; n < padded; n++) {
        wr_u8(w, n < text.len ? digit(text.data[n]) : '=');
        if (n % LINE == LINE - 1 || n + 1 == padded)
            wr_u8(w, '\n');
    }
}

void pem_put(struct writer *w, const char *label, struct view der)
{
    struct writer text;
    wr_heap(&text, 2 * KEY_PEM_MAX);
    base64url_put(&text, der);
    put_mark(w, begin_mark, label);
    put_lines(w, wr_view_of(&text));
    put_mark(w, end_mark, label);
    if (!wr_ok(&text))
        wr_fail(w);
    wr_free(&text);
}

void pem_put_public(struct writer *w, const struct pk *k)
{
    struct writer der;
    wr_heap(&der, PK_PUBLIC_MAX);
    if (pk_put_spki(k, &der) == OK)
        pem_put(w, "PUBLIC KEY", wr_view_of(&der));
    else
        wr_fail(w);
    wr_free(&der);
}

/* ---- reading ---- */

static enum err read_all(const char *path, struct writer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err e = OK;
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    for (ssize_t n = 1; e == OK && n > 0;) {
        uint8_t part[512];
        n = read(fd, part, sizeof part);
        if (n > 0)
            wr_bytes(out, part, (size_t)n);
        wipe(part, sizeof part);
        if (n < 0 && errno != EINTR)
            e = ERR_IO;
    }
    close(fd);
    return e == OK && !wr_ok(out) ? ERR_FORMAT : e;
}

/* Where text stands in v; v.len when it doesn't. */
static size_t find(struct view v, const char *text)
{
    struct view wanted = view_str(text);
    size_t at = 0;
    while (at < v.len && !view_starts(view_tail(v, at), wanted))
        at++;
    return at;
}

static bool is_pem(struct view v)
{
    return find(v, begin_mark) != v.len;
}

static enum err from_certificate(struct view v, struct pk **out)
{
    struct card_certificate cert;
    enum err e = card_certificate_parse(v, &cert);
    if (e != OK)
        return e;
    return cert.x509 ? pk_from_x509(v, out) : pk_ec_public(cert.curve, cert.point, out);
}

enum err pem_read_key(const char *path, struct pk **out)
{
    static enum err (*const forms[])(struct view der, struct pk * *out) = {pk_from_pkcs8, pk_from_spki,
                                                                           from_certificate};
    struct writer file;
    wr_heap(&file, KEY_PEM_MAX);
    enum err e = read_all(path, &file);
    struct view v = wr_view_of(&file);
    if (e == OK && is_pem(v)) {
        e = pk_from_pem(v, out);
    } else if (e == OK) {
        e = ERR_FORMAT;
        for (size_t n = 0; e == ERR_FORMAT && n < sizeof forms / sizeof forms[0]; n++)
            e = forms[n](v, out);
    }
    wr_free(&file);
    return e;
}

static enum err read_pem_certificates(struct view v, struct writer *out)
{
    enum err e = OK;
    while (e == OK && is_pem(v)) {
        v = view_tail(v, find(v, "-----BEGIN CERTIFICATE-----"));
        v = view_tail(v, strlen("-----BEGIN CERTIFICATE-----"));
        size_t len = find(v, end_mark);
        e = len == v.len ? ERR_FORMAT : base64_lines_read(view_head(v, len), out);
        v = view_tail(v, len);
    }
    return e;
}

enum err pem_read_certificates(const char *path, struct writer *out)
{
    struct card_certificate cert;
    struct reader r;
    struct writer file;
    size_t start = out->len;
    wr_heap(&file, KEY_PEM_MAX);
    enum err e = read_all(path, &file);
    if (e == OK && is_pem(wr_view_of(&file)))
        e = read_pem_certificates(wr_view_of(&file), out);
    else if (e == OK)
        wr_view(out, wr_view_of(&file));
    rd_init(&r, view_tail(wr_view_of(out), start));
    do {
        if (e == OK)
            e = card_certificate_next(&r, &cert);
    } while (e == OK && rd_left(&r) != 0);
    wr_free(&file);
    return e == OK ? wr_status(out) : e;
}

/* ---- writing ---- */

static enum err write_new(const char *path, struct view bytes, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_IO;
    enum err e = write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0 ? OK : ERR_IO;
    close(fd);
    if (e != OK)
        unlink(path);
    return e;
}

enum err pem_write_private(const char *path, const struct pk *k)
{
    struct writer der, text;
    wr_heap(&der, PK_PRIVATE_MAX);
    wr_heap(&text, KEY_PEM_MAX);
    enum err e = pk_put_pkcs8(k, &der);
    pem_put(&text, "PRIVATE KEY", wr_view_of(&der));
    if (e == OK)
        e = wr_status(&text);
    if (e == OK)
        e = write_new(path, wr_view_of(&text), 0600);
    wr_free(&text);
    wr_free(&der);
    return e;
}

enum err pem_write_public(const char *path, const struct pk *k)
{
    struct writer text;
    wr_heap(&text, KEY_PEM_MAX);
    pem_put_public(&text, k);
    enum err e = wr_status(&text);
    if (e == OK)
        e = write_new(path, wr_view_of(&text), 0644);
    wr_free(&text);
    return e;
}

enum err pem_write_bytes(const char *path, struct view bytes)
{
    return write_new(path, bytes, 0644);
}
