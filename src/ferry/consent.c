/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways to ask are rows. A dialog is a program of its own, started without a shell: its exit code is the
 * answer, and only 0 is yes. */
#include "consent.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit codes; whatever else a dialog ends with, it has not asked. zenity says 1 without a screen, too, so it
 * is told another number for a no. */
enum { DIALOG_YES = 0, KDIALOG_NO = 1, ZENITY_NO = 100, CANNOT_START = 127 };
#define ZENITY_NO_TEXT "100"
enum { ARGUMENTS_BYTES_MAX = 16 * 1024 };

/* ---- What a dialog's arguments are ------------------------------------------------------------------- */

enum part { PART_END, PART_NONE, PART_TEXT, PART_TITLE, PART_YES, PART_NO };

struct argument {
    const char *head;
    enum part part; /* what stands behind it, in the same argument */
};

/* zenity undoes backslashes in a text (g_strcompress), whatever --no-markup says. */
static void put_zenity(struct writer *w, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            wr_u8(w, '\\');
        wr_u8(w, (uint8_t)*text);
    }
}

/* kdialog takes for rich text what looks like it, and undoes backslashes: so it is always rich text, and
 * nothing in it is foreign markup. */
static void put_kdialog(struct writer *w, const char *text)
{
    static const struct {
        char c;
        const char *as;
    } rich[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
                {'"', "&quot;"}, {'\\', "&#92;"}, {'\n', "<br/>"}};
    wr_view(w, view_str("<qt>"));
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < sizeof(rich) / sizeof(rich[0]) && rich[i].c != *text)
            i++;
        if (i < sizeof(rich) / sizeof(rich[0]))
            wr_view(w, view_str(rich[i].as));
        else
            wr_u8(w, (uint8_t)*text);
    }
    wr_view(w, view_str("</qt>"));
}

static const struct argument zenity_question[] = {
    {"--question", PART_NONE},  {"--no-markup", PART_NONE},   {"--default-cancel", PART_NONE},
    {"--width=480", PART_NONE}, {"--title=", PART_TITLE},     {"--text=", PART_TEXT},
    {"--ok-label=", PART_YES},  {"--cancel-label=", PART_NO}, {NULL, PART_END}};
static const struct argument zenity_failure[] = {{"--error", PART_NONE},     {"--no-markup", PART_NONE},
                                                 {"--width=480", PART_NONE}, {"--title=", PART_TITLE},
                                                 {"--text=", PART_TEXT},     {NULL, PART_END}};
static const struct argument kdialog_question[] = {
    {"--title", PART_NONE}, {"", PART_TITLE},          {"--yes-label", PART_NONE},
    {"", PART_YES},         {"--no-label", PART_NONE}, {"", PART_NO},
    {"--yesno", PART_NONE}, {"", PART_TEXT},           {NULL, PART_END}};
static const struct argument kdialog_failure[] = {
    {"--title", PART_NONE}, {"", PART_TITLE}, {"--error", PART_NONE}, {"", PART_TEXT}, {NULL, PART_END}};

static const struct dialog {
    const char *program;
    void (*put)(struct writer *w, const char *text);
    const struct argument *arguments[2]; /* by enum consent_kind */
    int no;                              /* exit code */
} dialogs[] = {
    {"zenity", put_zenity, {zenity_question, zenity_failure}, ZENITY_NO},
    {"kdialog", put_kdialog, {kdialog_question, kdialog_failure}, KDIALOG_NO},
};
enum { DIALOGS = sizeof(dialogs) / sizeof(dialogs[0]) };

static const struct dialog *dialog_find(const char *program)
{
    for (size_t i = 0; i < DIALOGS; i++)
        if (strcmp(dialogs[i].program, program) == 0)
            return &dialogs[i];
    return NULL;
}

static void put_argument(struct writer *w, const struct dialog *d, const struct argument *a, const char *text,
                         enum language l)
{
    wr_view(w, view_str(a->head));
    if (a->part == PART_TEXT)
        d->put(w, text);
    else if (a->part == PART_TITLE)
        wr_view(w, view_str(word_text(WORD_TITLE, l)));
    else if (a->part == PART_YES)
        wr_view(w, view_str(word_text(WORD_YES, l)));
    else if (a->part == PART_NO)
        wr_view(w, view_str(word_text(WORD_NO, l)));
    wr_u8(w, '\0');
}

enum err consent_arguments(struct consent_arguments *out, const char *program, enum consent_kind kind,
                           const char *text, enum language l)
{
    const struct dialog *d = dialog_find(program);
    *out = (struct consent_arguments){0};
    wr_heap(&out->memory, ARGUMENTS_BYTES_MAX);
    if (d == NULL)
        return ERR_NOT_FOUND;
    for (const struct argument *a = d->arguments[kind]; a->part != PART_END; a++, out->count++)
        put_argument(&out->memory, d, a, text, l);
    return wr_status(&out->memory);
}

/* ---- Dialogs ----------------------------------------------------------------------------------------- */

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

static bool has_display(void)
{
    return is_set("WAYLAND_DISPLAY") || is_set("DISPLAY");
}

static bool has_program(const char *name)
{
    const char *path = getenv("PATH");
    char file[1024];
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        int n = snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, name);
        if (len > 0 && n > 0 && (size_t)n < sizeof(file) && access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':' ? 1 : 0);
    }
    return false;
}

/* Dialogs read their arguments in the locale's encoding, and ours are UTF-8; their words are ours, so another
 * locale takes nothing away. */
static void speak_utf8(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setenv("LC_ALL", "C.UTF-8", 1);
}

/* In the child: what a dialog's toolkit says belongs to nobody. */
static void become(const char *program, char *const *argv)
{
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a question that nobody waits for any more goes away */
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    speak_utf8();
    setenv("ZENITY_CANCEL", ZENITY_NO_TEXT, 1);
    setenv("ZENITY_ESC", ZENITY_NO_TEXT, 1);
    execvp(program, argv);
    _exit(CANNOT_START);
}

/* Exit code of the program, or CANNOT_START. */
static int start_and_wait(const char *program, const struct consent_arguments *a)
{
    char *argv[CONSENT_ARGUMENTS_MAX + 2] = {NULL};
    char *at = (char *)a->memory.data;
    int status = 0;
    argv[0] = (char *)(uintptr_t)program;
    for (size_t i = 0; i < a->count && i < CONSENT_ARGUMENTS_MAX; i++, at += strlen(at) + 1)
        argv[i + 1] = at;
    pid_t pid = fork();
    if (pid == 0)
        become(program, argv);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return CANNOT_START;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT_START;
}

static bool dialog_is_there(const char *program)
{
    return has_display() && has_program(program);
}

static enum err dialog_show(const char *program, enum consent_kind kind, const char *text, enum language l)
{
    struct consent_arguments a;
    enum err e = consent_arguments(&a, program, kind, text, l);
    int code = e == OK ? start_and_wait(program, &a) : CANNOT_START;
    wr_free(&a.memory);
    if (code == DIALOG_YES)
        return OK;
    const struct dialog *d = dialog_find(program);
    return d != NULL && code == d->no ? ERR_POLICY : ERR_UNSUPPORTED;
}

/* ---- The terminal ------------------------------------------------------------------------------------ */

static bool terminal_is_there(const char *unused)
{
    (void)unused;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static bool is_yes(const char *line)
{
    static const char *const words[] = {"y", "yes", "j", "ja"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(line, words[i]) == 0)
            return true;
    return false;
}

static enum err terminal_show(const char *unused, enum consent_kind kind, const char *text, enum language l)
{
    char line[16] = "";
    (void)unused;
    if (kind != CONSENT_QUESTION)
        return OK; /* the run's own last line has said it */
    FILE *tty = fopen("/dev/tty", "r+e");
    if (tty == NULL)
        return ERR_UNSUPPORTED;
    fprintf(tty, "%s %s ", text, l == GERMAN ? "[j/N]" : "[y/N]");
    fflush(tty);
    if (fgets(line, sizeof(line), tty) == NULL)
        line[0] = '\0';
    fclose(tty);
    line[strcspn(line, "\r\n")] = '\0';
    return is_yes(line) ? OK : ERR_POLICY;
}

/* ---- All ways, the best first ------------------------------------------------------------------------ */

static const struct way {
    const char *program;
    bool (*is_there)(const char *program);
    enum err (*show)(const char *program, enum consent_kind kind, const char *text, enum language l);
} ways[] = {
    /* A terminal that a browser was once started from is nothing that its user looks at. */
    {"zenity", dialog_is_there, dialog_show},
    {"kdialog", dialog_is_there, dialog_show},
    {"", terminal_is_there, terminal_show},
};

static enum err show(enum consent_kind kind, const char *text, enum language l)
{
    enum err e = ERR_UNSUPPORTED;
    for (size_t i = 0; e == ERR_UNSUPPORTED && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (ways[i].is_there(ways[i].program))
            e = ways[i].show(ways[i].program, kind, text, l);
    return e;
}

enum err consent_ask(const char *text, enum language l)
{
    return text[0] != '\0' ? show(CONSENT_QUESTION, text, l) : ERR_ARGUMENT;
}

void consent_tell_failure(const char *text, enum language l)
{
    if (show(CONSENT_FAILURE, text, l) != OK)
        return; /* nobody to tell, or the dialog was closed in another way than by its button */
}
