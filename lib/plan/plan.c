/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes plans: for installing, what is in the way goes first and the sequence follows; for removing, what
 * came from the package; for inspecting, what the card tells. */
#include <plan/decide.h>

#include <base/text.h>

#include <stdlib.h>
#include <string.h>

enum { SHORT_BLOCK = 247 /* what fits at C-MAC with a MAC of 8 bytes */ };

static enum err ask_contents(struct builder *b)
{
    enum err e = build_get_status(b, STATUS_PACKAGES);
    return e == OK ? build_get_status(b, STATUS_APPLICATIONS) : e;
}

static enum err put_removal(struct builder *b, const struct removal *r)
{
    enum err e = OK;
    for (size_t i = 0; i < r->count && e == OK; i++)
        e = build_delete(b, &r->instances[i], false);
    if (e == OK && r->package)
        e = build_delete(b, &b->cap->package.aid, true);
    return e;
}

static enum err make_install(struct builder *b, const struct plan_input *in)
{
    struct removal r = {.package = false};
    enum err e = decide_imports(in, b->why);
    if (e == OK)
        e = decide_memory(in, b->why);
    if (e == OK && in->holds != NULL)
        e = decide_removal(&r, in, b->why);
    if (e == OK)
        e = in->holds != NULL ? put_removal(b, &r) : ask_contents(b);
    return e == OK ? build_sequence(b, in->sequence) : e;
}

/* Instances first, by name: not every card can delete what came from a package with it. */
static enum err make_remove(struct builder *b, const struct plan_input *in)
{
    enum err e = OK;
    size_t found = 0;
    if (in->holds == NULL) {
        e = ask_contents(b);
        return e == OK ? build_delete(b, &in->cap->package.aid, true) : e;
    }
    for (size_t i = 0; i < in->holds->count && e == OK; i++) {
        if (!holds_instance_of(&in->holds->entries[i], in->cap))
            continue;
        found++;
        e = build_delete(b, &in->holds->entries[i].aid, false);
    }
    bool there = holds_package(in->holds, &in->cap->package.aid) != NULL;
    if (e == OK && found == 0 && !there && !in->holds->more)
        return plan_refuse(b->why, ERR_EXISTS, "The card does not hold %s.",
                           package_text(&in->cap->package).text);
    if (e == OK && (there || in->holds->more))
        e = build_delete(b, &in->cap->package.aid, true);
    return e;
}

/* The next page of a listing is asked for only when the card says that there is one: asking beyond the last
 * is an error that ends the script. */
static enum err make_inspect(struct builder *b, const struct plan_input *in)
{
    (void)in;
    enum err e = build_get_status(b, STATUS_ISD);
    return e == OK ? ask_contents(b) : e;
}

static bool takes_extended(const struct plan_input *in)
{
    if (in->extended == PLAN_EXTENDED_AS_CARD_SAYS)
        return in->identity != NULL && identity_extended_length(in->identity);
    return in->extended == PLAN_EXTENDED_YES;
}

enum err plan_make(struct plan *out, const struct plan_input *in, struct plan_problem *why)
{
    static enum err (*const make[])(struct builder * b, const struct plan_input *in) = {
        [PLAN_INSTALL] = make_install, [PLAN_REMOVE] = make_remove, [PLAN_INSPECT] = make_inspect};
    struct builder b;
    if (in->purpose != PLAN_INSPECT && in->cap == NULL)
        return plan_refuse(why, ERR_ARGUMENT, "There is no CAP file.");
    if (in->block_size == 0)
        return plan_refuse(why, ERR_ARGUMENT, "There is no block size.");
    static const struct identity nobody;
    memset(out, 0, sizeof(*out));
    builder_init(&b, out, in->cap, why);
    b.card = (struct card_data){.identity = in->identity != NULL ? in->identity : &nobody, .kdd = in->kdd};
    b.crypto = in->crypto;
    b.holds = in->holds;
    b.block_size = in->block_size;
    b.extended = takes_extended(in);
    b.whole_commands = in->whole_commands;
    b.command_data_max = b.card.identity->command_data_max;
    b.capabilities = b.card.identity->capabilities;
    enum err e = make[in->purpose](&b, in);
    builder_finish(&b);
    if (e != OK)
        plan_finish(out);
    return e;
}

void plan_finish(struct plan *p)
{
    wr_free(&p->bytes);
    p->count = p->place_count = 0;
}

struct view plan_apdu(const struct plan *p, size_t n)
{
    if (n >= p->count)
        return VIEW_NULL;
    return view_head(view_tail(wr_view_of(&p->bytes), p->apdus[n].at), p->apdus[n].len);
}

/* A sequence is right when a plan can be made of it for any card. */
enum err plan_check(struct view sequence, const struct cap *cap, struct plan_problem *why)
{
    struct builder b;
    struct plan *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return plan_refuse(why, ERR_MEMORY, "Out of memory.");
    builder_init(&b, made, cap, why);
    b.block_size = SHORT_BLOCK;
    b.extended = true; /* some card may */
    enum err e = build_sequence(&b, sequence);
    builder_finish(&b);
    plan_finish(made);
    free(made);
    return e;
}

enum err plan_weak(struct view sequence, weak_set *out)
{
    enum { RSA_1024_DIGITS = 256 };
    struct sequence text;
    struct step s = {.verb = VERB_END};
    weak_set found = 0;
    enum err e = sequence_open(&text, sequence, NULL);
    while (e == OK && (e = sequence_next(&text, &s, NULL)) == OK && s.verb != VERB_END) {
        const struct value *hash = &s.value[WORD_HASH], *n = &s.value[WORD_N];
        if (s.verb == VERB_LOAD && hash->given && view_equal(hash->text, view_str("sha1")))
            found |= weak_of_digest(DIGEST_SHA1);
        if (s.verb == VERB_PUT_KEY && n->given && n->text.len <= RSA_1024_DIGITS)
            found |= weak_of_key(KEY_RSA, n->text.len / 2);
    }
    if (e == OK)
        *out = found;
    return e;
}

/* --- Generated sequences */

static void put_text(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

static void put_word(struct writer *w, const char *name, struct view text)
{
    if (text.len == 0)
        return;
    put_text(w, name);
    wr_view(w, text);
}

/* A value must not bring words or lines of its own. */
static bool one_word(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ')
            return false;
    return true;
}

static enum err check_values(const struct cap *cap, const struct install_choice *choices, size_t count,
                             struct view load_parameters, struct plan_problem *why)
{
    bool good = one_word(load_parameters);
    for (size_t i = 0; i < count; i++) {
        good = good && one_word(choices[i].parameters) && one_word(choices[i].system);
        if (choices[i].module.len == 0 && cap->applet_count != 1)
            return plan_refuse(why, ERR_FORMAT, "Which applet? The CAP file has %zu: name the module.",
                               cap->applet_count);
    }
    return good ? OK : plan_refuse(why, ERR_FORMAT, "Parameters must not have blanks in them.");
}

static void put_install_line(struct writer *w, const struct cap *cap, const struct install_choice *c)
{
    const struct aid *module = c->module.len > 0 ? &c->module : &cap->applets[0];
    const struct aid *instance = c->instance.len > 0 ? &c->instance : module;
    const uint8_t *p = c->privileges.byte;
    put_text(w, "install module=");
    hex_put(w, aid_view(module));
    put_text(w, " instance=");
    hex_put(w, aid_view(instance));
    if (p[0] != 0 || p[1] != 0 || p[2] != 0) {
        put_text(w, " privileges=");
        hex_put(w, view_of(p, p[1] != 0 || p[2] != 0 ? 3 : 1));
    }
    put_word(w, " parameters=", c->parameters);
    put_word(w, " system=", c->system);
    put_text(w, "\n");
}

enum err plan_generate(const struct cap *cap, const struct install_choice *choices, size_t count,
                       struct view load_parameters, struct writer *text, struct plan_problem *why)
{
    struct writer made;
    enum err e = check_values(cap, choices, count, load_parameters, why);
    if (e != OK)
        return e;
    wr_heap(&made, SEQUENCE_TEXT_MAX);
    put_text(&made, "load");
    put_word(&made, " parameters=", load_parameters);
    put_text(&made, "\n");
    for (size_t i = 0; i < count; i++)
        put_install_line(&made, cap, &choices[i]);
    for (size_t i = 0; i < cap->applet_count && count == 0; i++)
        put_install_line(&made, cap, &(struct install_choice){.module = cap->applets[i]});
    e = wr_ok(&made) ? plan_check(wr_view_of(&made), cap, why)
                     : plan_refuse(why, ERR_LIMIT, "The sequence would be too long.");
    if (e == OK) {
        wr_view(text, wr_view_of(&made));
        e = wr_ok(text) ? OK : plan_refuse(why, ERR_LIMIT, "The sequence would be too long.");
    }
    wr_free(&made);
    return e;
}
