/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the question, and what is said of an end. */
#include "question.h"

#include <base/text.h>

#include <stdio.h>
#include <string.h>

static void put(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

/* One line; each %s of the words takes the next text. */
static void put_line(struct writer *w, const char *words, const char *first, const char *second)
{
    const char *texts[] = {first, second};
    for (size_t n = 0; *words != '\0';) {
        size_t len = strcspn(words, "%");
        wr_bytes(w, words, len);
        words += len;
        if (strncmp(words, "%s", 2) != 0)
            continue;
        words += 2;
        if (n < sizeof(texts) / sizeof(texts[0]))
            put(w, texts[n++]);
    }
    put(w, "\n");
}

/* What a reader calls itself is foreign, too. */
static const char *one_line(const char *text)
{
    return text_is_line(view_str(text)) ? text : "?";
}

static void put_card(struct writer *w, const struct question_card *card, enum language l)
{
    if (card->reader == NULL)
        put_line(w, word_text(WORD_NO_CARD, l), "", "");
    else if (card->number[0] == '\0')
        put_line(w, word_text(WORD_CARD_UNNUMBERED, l), one_line(card->reader), "");
    else
        put_line(w, word_text(WORD_CARD, l), card->number, one_line(card->reader));
}

static void put_operation(struct writer *w, const struct ticket *t, enum language l)
{
    static const struct {
        const char *purpose;
        enum word word;
    } operations[] = {{"install", WORD_INSTALL}, {"remove", WORD_REMOVE}, {"inspect", WORD_INSPECT}};
    char what[NAME_MAX_BYTES + TICKET_TITLE_MAX + 8];
    enum word word = WORD_NOT_SAID;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (t->purpose != NULL && strcmp(t->purpose, operations[i].purpose) == 0)
            word = operations[i].word;
    /* The name is the server's, of plain letters; the title is what people call it. */
    snprintf(what, sizeof(what), t->title[0] != '\0' ? "%s (%s)" : "%s%s", t->app, t->title);
    put_line(w, word_text(word, l), what, "");
}

static void end(struct writer *w, char out[QUESTION_MAX], enum language l)
{
    put(w, "\n");
    put(w, word_text(WORD_GO_ON, l));
    wr_u8(w, '\0');
    if (!wr_ok(w))
        out[0] = '\0'; /* nothing that was cut off is asked */
}

void question_of_order(char out[QUESTION_MAX], const struct ticket *t, const struct question_card *card,
                       enum language l)
{
    struct writer w;
    char host[URL_MAX];
    struct view v = ticket_host(t);
    wr_fixed(&w, out, QUESTION_MAX);
    snprintf(host, sizeof(host), "%.*s", (int)v.len, (const char *)v.data);
    put_line(&w, word_text(WORD_ASK_OPEN, l), "", "");
    put(&w, "\n");
    put_line(&w, word_text(WORD_SERVER, l), host, "");
    put_card(&w, card, l);
    put_operation(&w, t, l);
    end(&w, out, l);
}

void question_of_pairing(char out[QUESTION_MAX], const char *origin, enum language l)
{
    struct writer w;
    wr_fixed(&w, out, QUESTION_MAX);
    put_line(&w, word_text(WORD_ASK_PAIR, l), "", "");
    put(&w, "\n");
    put_line(&w, word_text(WORD_PAGE, l), origin, "");
    end(&w, out, l);
}

void failure_of_end(char out[QUESTION_MAX], const struct run_end *end, enum language l)
{
    const char *failed = word_text(WORD_FAILED, l), *meaning = word_of_end(end->exit_code, l);
    if (meaning[0] == '\0')
        snprintf(out, QUESTION_MAX, "%s\n\n%s\n%s", failed, end->detail, end->advice);
    else
        snprintf(out, QUESTION_MAX, "%s\n\n%s\n\n%s %s", failed, meaning, word_text(WORD_EXACTLY, l),
                 end->detail);
}
