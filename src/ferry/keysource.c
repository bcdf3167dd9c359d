/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads keys. What was read is wiped on every path; messages name the place of a mistake, never what stands
 * there. */
#include "keysource.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <base/text.h>

#include "profile.h"

enum { KEY_TEXT_MAX = 4096, PEM_TEXT_MAX = 64 * 1024, KEYS = 3, LINE_MAX_BYTES = 1024 };

static enum err refuse(struct key_problem *why, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err refuse(struct key_problem *why, enum err e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof(why->text), format, args);
    va_end(args);
    return e;
}

bool terminal_ask(const char *prompt, struct writer *out)
{
    struct termios shown, hidden;
    char line[LINE_MAX_BYTES];
    FILE *tty = fopen("/dev/tty", "r+");
    if (tty == NULL || tcgetattr(fileno(tty), &shown) != 0) {
        if (tty != NULL)
            fclose(tty);
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    setvbuf(tty, NULL, _IONBF, 0);
    tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
    fprintf(tty, "%s (not shown): ", prompt);
    fflush(tty);
    char *got = fgets(line, sizeof(line), tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &shown);
    fseek(tty, 0, SEEK_CUR); /* C17 7.21.5.3: between reading and writing */
    fputs("\n", tty);
    fclose(tty);
    if (got != NULL)
        wr_view(out, view_str(line));
    wipe(line, sizeof(line));
    return got != NULL;
}

/* ---- hexadecimal text */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Takes what stands up to the end of the line, or up to the next blank. */
static struct view take(struct view *text, bool line)
{
    struct view out = view_head(*text, 0);
    while (out.len < text->len && (line ? text->data[out.len] != '\n' : !is_blank(text->data[out.len])))
        out.len++;
    *text = view_tail(*text, out.len);
    return out;
}

/* The next word that counts; empty at the end. *line counts lines. */
static struct view next_word(struct view *text, unsigned *line)
{
    while (text->len > 0) {
        if (text->data[0] == '#')
            (void)take(text, true);
        else if (!is_blank(text->data[0]))
            return take(text, false);
        else {
            *line += text->data[0] == '\n';
            *text = view_tail(*text, 1);
        }
    }
    return VIEW_NULL;
}

static bool is_key_length(size_t len)
{
    return len == 8 || len == 16 || len == 24 || len == 32;
}

static enum err take_key(struct view word, unsigned line, struct secret *out, struct key_problem *why)
{
    uint8_t memory[SECRET_MAX];
    struct writer w;
    enum err e = OK;
    wr_fixed(&w, memory, sizeof(memory));
    if (word.len > 2 * sizeof(memory) || word.len % 2 != 0 || !is_key_length(word.len / 2))
        e = refuse(why, ERR_FORMAT,
                   "line %u: a key has 32, 48 or 64 hexadecimal digits (single DES: 16), this has %zu", line,
                   word.len);
    else if (hex_read(word, &w) != OK)
        e = refuse(why, ERR_FORMAT, "line %u: this is not hexadecimal", line);
    else
        e = secret_set(out, wr_view_of(&w));
    wr_clear(&w);
    return e;
}

enum err key_text_parse(struct view text, struct card_keys *out, struct key_problem *why)
{
    struct card_keys keys = {.type = KEY_TYPE_COUNT};
    struct secret *const place[KEYS] = {&keys.enc, &keys.mac, &keys.dek};
    unsigned line = 1;
    size_t count = 0;
    enum err e = OK;
    for (struct view word; e == OK && (word = next_word(&text, &line)).len > 0; count++)
        e = count == KEYS ? refuse(why, ERR_FORMAT, "line %u: there are more than three keys", line)
                          : take_key(word, line, place[count], why);
    if (e == OK && count != 1 && count != KEYS)
        e = refuse(why, ERR_FORMAT,
                   "there are %zu keys, expected one or three (ENC, MAC and DEK), each in hexadecimal",
                   count);
    if (e == OK && count == 1)
        keys.mac = keys.dek = keys.enc;
    if (e == OK && (keys.enc.len != keys.mac.len || keys.enc.len != keys.dek.len))
        e = refuse(why, ERR_FORMAT, "the three keys differ in length");
    if (e == OK)
        *out = keys;
    card_keys_wipe(&keys);
    return e;
}

void card_keys_be(struct card_keys *keys, enum key_type type)
{
    keys->type = type == KEY_DES3 && keys->enc.len == DES_BLOCK ? KEY_DES : type;
}

/* ---- sources */

/* Whoever gives a key in place of a file's name has shown it to all who can list processes. */
static bool looks_like_key(const char *name)
{
    size_t len = strspn(name, "0123456789abcdefABCDEF");
    return name[len] == '\0' && len >= 2 * 8;
}

static enum err read_text_file(const char *path, size_t max, struct writer *text, struct key_problem *why)
{
    enum err e = read_file(path, max, text);
    if (e == ERR_NOT_FOUND && looks_like_key(path))
        return refuse(why, e,
                      "the name of a file is expected: a key on the command line can be seen by others and "
                      "stays in the shell's history");
    if (e == ERR_LIMIT)
        return refuse(why, e, "%s is too long for a key or a certificate", path);
    if (e != OK)
        return refuse(why, e, "%s can't be read: %s", path, err_text(e));
    return OK;
}

static void warn_if_public(const char *path)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0)
        fprintf(stderr, "ferry: warning: everybody on this machine can read %s\n", path);
}

static enum err read_environment(const char *name, struct writer *text, struct key_problem *why)
{
    const char *value = getenv(name);
    if (looks_like_key(name))
        return refuse(why, ERR_ARGUMENT,
                      "the name of an environment variable is expected: a key on the command line can be "
                      "seen by others and stays in the shell's history");
    if (value == NULL || *value == '\0')
        return refuse(why, ERR_NOT_FOUND, "the environment variable %s is not set", name);
    wr_view(text, view_str(value));
    return wr_ok(text) ? OK : refuse(why, ERR_LIMIT, "the value of %s is too long for keys", name);
}

static enum err read_source(const struct key_source *s, const char *what, struct writer *text,
                            struct key_problem *why)
{
    char prompt[96];
    switch (s->origin) {
    case KEY_FROM_FILE:
        warn_if_public(s->name);
        return read_text_file(s->name, KEY_TEXT_MAX, text, why);
    case KEY_FROM_ENVIRONMENT:
        return read_environment(s->name, text, why);
    case KEY_FROM_PROMPT:
        snprintf(prompt, sizeof(prompt), "%s, hexadecimal", what);
        return terminal_ask(prompt, text)
                   ? OK
                   : refuse(why, ERR_NOT_FOUND, "there is no terminal to ask for the %s at", what);
    case KEY_DEFAULT:
        wr_view(text, view_str("404142434445464748494A4B4C4D4E4F"));
        return OK;
    case KEY_FROM_NOWHERE:
        break;
    }
    return refuse(why, ERR_NOT_FOUND, "there is no %s", what);
}

enum err key_source_read(const struct key_source *s, const char *what, struct card_keys *out,
                         struct key_problem *why)
{
    struct writer text;
    struct key_problem inner = {""};
    wr_heap(&text, KEY_TEXT_MAX);
    enum err e = read_source(s, what, &text, why);
    if (e == OK) {
        e = key_text_parse(wr_view_of(&text), out, &inner);
        if (e != OK)
            refuse(why, e, "the %s%s%s can't be used: %.160s", what, s->name != NULL ? " in " : "",
                   s->name != NULL ? s->name : "", inner.text);
    }
    wr_free(&text);
    return e;
}

enum err key_pem_read(const char *path, struct pk **out, struct key_problem *why)
{
    struct writer text;
    wr_heap(&text, PEM_TEXT_MAX);
    enum err e = read_text_file(path, PEM_TEXT_MAX, &text, why);
    if (e == OK) {
        e = pk_from_pem(wr_view_of(&text), out);
        if (e == OK && pk_is_private(*out))
            warn_if_public(path);
        if (e != OK)
            refuse(why, e, "%s is not a key in PEM that can be used here: %s", path, err_text(e));
    }
    wr_free(&text);
    return e;
}

/* ---- certificates */

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----", pem_end[] = "-----END CERTIFICATE-----";

static enum err read_pem_certificate(struct view text, struct writer *out)
{
    const uint8_t *begin = memmem(text.data, text.len, pem_begin, strlen(pem_begin));
    if (begin == NULL)
        return ERR_FORMAT;
    struct view body = view_tail(text, (size_t)(begin - text.data) + strlen(pem_begin));
    const uint8_t *end = body.len == 0 ? NULL : memmem(body.data, body.len, pem_end, strlen(pem_end));
    return end != NULL ? base64_lines_read(view_head(body, (size_t)(end - body.data)), out) : ERR_FORMAT;
}

enum err key_certificate_read(const char *path, struct writer *out, struct key_problem *why)
{
    struct writer text;
    enum { TAG_CV_CERTIFICATE = 0x7F, TAG_SEQUENCE = 0x30 };
    wr_heap(&text, PEM_TEXT_MAX);
    enum err e = read_text_file(path, PEM_TEXT_MAX, &text, why);
    if (e == OK) {
        struct view v = wr_view_of(&text), word = v;
        unsigned line = 1;
        /* As text these begin with the digits 7 and 3. */
        if (v.len > 0 && (v.data[0] == TAG_CV_CERTIFICATE || v.data[0] == TAG_SEQUENCE))
            wr_view(out, v);
        else if (v.len > 0 && memmem(v.data, v.len, "-----BEGIN", strlen("-----BEGIN")) != NULL)
            e = read_pem_certificate(v, out);
        else
            e = hex_read(next_word(&word, &line), out);
        if (e == OK && out->len == 0)
            e = ERR_FORMAT;
        if (e == OK)
            e = wr_status(out);
        if (e != OK)
            refuse(why, e, "%s is not a certificate: %s", path, err_text(e));
    }
    wr_free(&text);
    return e;
}
