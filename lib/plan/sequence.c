/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the text of a sequence: a verb and its words per line. Which verb takes which words is a table. */
#include <plan/sequence.h>

#include <string.h>

static const char *const word_names[WORD_COUNT] = {
    [WORD_PARAMETERS] = "parameters",
    [WORD_HASH] = "hash",
    [WORD_MODULE] = "module",
    [WORD_INSTANCE] = "instance",
    [WORD_SYSTEM] = "system",
    [WORD_PRIVILEGES] = "privileges",
    [WORD_AID] = "aid",
    [WORD_DATA] = "data",
    [WORD_FORMAT] = "format",
    [WORD_DOMAIN] = "domain",
    [WORD_TOKEN] = "token",
    [WORD_REFERENCE] = "reference",
    [WORD_SIGNATURE] = "signature",
    [WORD_PACKAGE] = "package",
    [WORD_VERSION] = "version",
    [WORD_ID] = "id",
    [WORD_N] = "n",
    [WORD_E] = "e",
    [WORD_CURVE] = "curve",
    [WORD_POINT] = "point",
    [WORD_STATE] = "state",
    [WORD_ENCRYPTION] = "encryption",
    [WORD_RELATED] = "related",
    [WORD_NOT_SELECTABLE] = "not-selectable",
    [WORD_ANSWER] = "answer",
    [WORD_ALL] = "all",
};

#define W(word)    (1u << (word))
#define W_APPROVED (W(WORD_TOKEN) | W(WORD_REFERENCE))
static const struct {
    const char *name;
    unsigned allowed, needed;
} verbs[VERB_END] = {
    [VERB_DAP] = {"dap", W(WORD_DOMAIN) | W(WORD_SIGNATURE), W(WORD_DOMAIN)},
    [VERB_LOAD] = {"load", W(WORD_PARAMETERS) | W(WORD_HASH) | W(WORD_DOMAIN) | W(WORD_TOKEN), 0},
    [VERB_INSTALL] = {"install",
                      W(WORD_MODULE) | W(WORD_INSTANCE) | W(WORD_PRIVILEGES) | W(WORD_PARAMETERS) |
                          W(WORD_SYSTEM) | W_APPROVED | W(WORD_NOT_SELECTABLE),
                      W(WORD_MODULE)},
    [VERB_MAKE_SELECTABLE] = {"make-selectable",
                              W(WORD_INSTANCE) | W(WORD_PRIVILEGES) | W(WORD_SYSTEM) | W_APPROVED,
                              W(WORD_INSTANCE)},
    [VERB_PERSONALIZE] = {"personalize", W(WORD_INSTANCE), W(WORD_INSTANCE)},
    [VERB_STORE] = {"store", W(WORD_DATA) | W(WORD_FORMAT) | W(WORD_ENCRYPTION) | W(WORD_ANSWER),
                    W(WORD_DATA)},
    [VERB_DELETE] = {"delete", W(WORD_AID) | W(WORD_RELATED) | W_APPROVED, W(WORD_AID)},
    [VERB_EXTRADITE] = {"extradite", W(WORD_AID) | W(WORD_DOMAIN) | W_APPROVED, W(WORD_AID) | W(WORD_DOMAIN)},
    [VERB_REGISTRY_UPDATE] = {"registry-update",
                              W(WORD_AID) | W(WORD_DOMAIN) | W(WORD_PRIVILEGES) | W(WORD_SYSTEM) | W_APPROVED,
                              W(WORD_AID)},
    [VERB_CREATE_DOMAIN] = {"create-domain",
                            W(WORD_INSTANCE) | W(WORD_PACKAGE) | W(WORD_MODULE) | W(WORD_PRIVILEGES) |
                                W(WORD_PARAMETERS) | W(WORD_SYSTEM) | W_APPROVED,
                            W(WORD_INSTANCE)},
    [VERB_PUT_KEY] = {"put-key",
                      W(WORD_VERSION) | W(WORD_ID) | W(WORD_N) | W(WORD_E) | W(WORD_CURVE) | W(WORD_POINT),
                      W(WORD_VERSION) | W(WORD_ID)},
    [VERB_SET_STATUS] = {"set-status", W(WORD_AID) | W(WORD_STATE) | W(WORD_ALL),
                         W(WORD_AID) | W(WORD_STATE)},
    [VERB_APDU] = {"apdu", 0, W(WORD_DATA)},
};

enum err sequence_open(struct sequence *s, struct view text, struct plan_problem *why)
{
    if (text.len > SEQUENCE_TEXT_MAX)
        return plan_refuse(why, ERR_LIMIT, "The sequence has %zu bytes, at most %d are read.", text.len,
                           SEQUENCE_TEXT_MAX);
    *s = (struct sequence){.line = 0};
    rd_init(&s->text, text);
    return OK;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Up to "\n", which is taken but not part of it. */
static struct view take_line(struct reader *r)
{
    struct reader look = *r;
    size_t len = 0;
    while (rd_left(&look) > 0 && rd_u8(&look) != '\n')
        len++;
    struct view line = rd_view(r, len);
    if (rd_left(r) > 0)
        rd_u8(r);
    return line;
}

/* The next run of characters that are not blank; empty at the end of the line. */
static struct view take_token(struct reader *line, unsigned *column)
{
    while (is_blank(rd_peek(line))) {
        rd_u8(line);
        ++*column;
    }
    struct reader look = *line;
    size_t len = 0;
    while (rd_left(&look) > 0 && !is_blank(rd_peek(&look))) {
        rd_u8(&look);
        len++;
    }
    return rd_view(line, len);
}

static enum err find_verb(struct view token, struct step *out, struct plan_problem *why)
{
    for (unsigned v = 0; v < VERB_END; v++) {
        if (!view_equal(token, view_str(verbs[v].name)))
            continue;
        out->verb = (enum step_verb)v;
        return OK;
    }
    return plan_refuse_at(
        why, ERR_FORMAT, out->at,
        "%s is no command; load, install, personalize, store, delete, apdu, dap, extradite, "
        "create-domain and others are (docs/sequences.md)",
        plan_shown(token).text);
}

static bool split_word(struct view token, struct view *name, struct view *text)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] != '=')
            continue;
        *name = view_head(token, i);
        *text = view_tail(token, i + 1);
        return true;
    }
    *name = token;
    *text = VIEW_NULL;
    return false;
}

static unsigned find_word(struct view name)
{
    unsigned w = 0;
    while (w < WORD_COUNT && !view_equal(name, view_str(word_names[w])))
        w++;
    return w;
}

static enum err take_word(struct step *out, struct view token, struct position at, struct plan_problem *why)
{
    struct view name, text;
    bool has_text = split_word(token, &name, &text);
    unsigned w = find_word(name);
    if ((verbs[out->verb].allowed & W(w)) == 0)
        return plan_refuse_at(why, ERR_FORMAT, at, "%s does not belong to %s", plan_shown(name).text,
                              verbs[out->verb].name);
    if (has_text == (w >= WORD_RELATED))
        return plan_refuse_at(why, ERR_FORMAT, at,
                              has_text ? "%s stands alone, without =" : "%s needs = and a value",
                              word_names[w]);
    if (out->value[w].given)
        return plan_refuse_at(why, ERR_FORMAT, at, "%s is there twice", word_names[w]);
    at.column += has_text ? (unsigned)name.len + 1 : 0;
    out->value[w] = (struct value){.given = true, .text = text, .at = at};
    return OK;
}

/* apdu takes its bytes without a name. */
static enum err take_bytes(struct step *out, struct view token, struct position at, struct plan_problem *why)
{
    if (out->value[WORD_DATA].given)
        return plan_refuse_at(why, ERR_FORMAT, at, "apdu takes its bytes in one piece, without blanks");
    out->value[WORD_DATA] = (struct value){.given = true, .text = token, .at = at};
    return OK;
}

static enum err parse_line(struct view line, struct step *out, struct plan_problem *why)
{
    struct reader r;
    struct position at = {.line = out->at.line, .column = 1};
    rd_init(&r, line);
    struct view token = take_token(&r, &at.column);
    out->at = at;
    enum err e = find_verb(token, out, why);
    while (e == OK) {
        at.column += (unsigned)token.len;
        token = take_token(&r, &at.column);
        if (token.len == 0)
            break;
        e = out->verb == VERB_APDU ? take_bytes(out, token, at, why) : take_word(out, token, at, why);
    }
    for (unsigned w = 0; w < WORD_COUNT && e == OK; w++)
        if ((verbs[out->verb].needed & W(w)) != 0 && !out->value[w].given)
            e = plan_refuse_at(why, ERR_FORMAT, out->at, "%s needs %s", verbs[out->verb].name,
                               out->verb == VERB_APDU ? "its bytes" : word_names[w]);
    return e;
}

static bool says_something(struct view line)
{
    struct reader r;
    unsigned column = 0;
    rd_init(&r, line);
    struct view token = take_token(&r, &column);
    return token.len > 0 && token.data[0] != '#';
}

enum err sequence_next(struct sequence *s, struct step *out, struct plan_problem *why)
{
    while (rd_left(&s->text) > 0) {
        struct view line = take_line(&s->text);
        s->line++;
        if (!says_something(line))
            continue;
        *out = (struct step){.at = {.line = s->line}};
        return parse_line(line, out, why);
    }
    *out = (struct step){.verb = VERB_END};
    return OK;
}
