/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the dialogue, which does no I/O, and the store. */
#include "front/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/card_type.h"

/* ---- Looking up -------------------------------------------------------------------------------------- */

void world_init(struct world *w, const struct store *store, struct world_cache *cache,
                struct clock_source clock, weak_set allow_weak)
{
    *w = (struct world){.store = store, .cache = cache, .clock = clock, .allow_weak = allow_weak};
}

static void free_cap(struct cap **cap)
{
    if (*cap != NULL)
        cap_finish(*cap);
    free(*cap);
    *cap = NULL;
}

void world_cache_finish(struct world_cache *c)
{
    for (size_t n = 0; n < CACHED_APPS; n++)
        free_cap(&c->apps[n].cap);
    for (size_t n = 0; n < CACHED_TYPES; n++) {
        blob_free(&c->types[n].spec);
        free(c->types[n].type);
    }
    *c = (struct world_cache){.next_app = 0};
}

void world_finish(struct world *w)
{
    card_row_free(&w->card);
    *w = (struct world){0};
}

static void type_for_session(const struct card_type *t, struct session_type *out)
{
    *out = (struct session_type){.isd = t->isd,
                                 .scp = t->scp,
                                 .i = t->i,
                                 .kvn = t->kvn,
                                 .level = t->level,
                                 .kdf = t->kdf,
                                 .quirks = t->quirks,
                                 .block_size = t->block_size,
                                 .kid = t->kid,
                                 .session_key_len = t->session_key_len,
                                 .ca_kvn = t->ca_kvn,
                                 .ca_kid = t->ca_kid,
                                 .certificates_len = t->certificates_len,
                                 .identify_first = t->identify_first,
                                 .max_openings = t->max_openings};
    (void)snprintf(out->name, sizeof(out->name), "%s", t->name);
    (void)snprintf(out->key, sizeof(out->key), "%s", t->key);
    (void)snprintf(out->trust, sizeof(out->trust), "%s", t->trust);
    memcpy(out->certificates, t->certificates, t->certificates_len);
    (void)snprintf(out->java_card, sizeof(out->java_card), "%s", t->java_card);
}

/* What the store holds was checked before it was stored: anything else is a damaged store. The type belongs
 * to the cache, until the next call. */
static enum err read_type(const struct world *w, const struct type_row *row, const struct card_type **out)
{
    struct world_cache *c = w->cache;
    struct view spec = blob_view(&row->spec);
    for (size_t n = 0; n < CACHED_TYPES; n++) {
        *out = c->types[n].type;
        if (*out != NULL && view_equal(blob_view(&c->types[n].spec), spec))
            return OK;
    }
    struct cached_type *slot = &c->types[c->next_type];
    struct card_type *t = malloc(sizeof(*t));
    if (t == NULL)
        return ERR_MEMORY;
    enum err e = card_type_parse(spec, t, NULL, 0) == OK ? OK : ERR_INTERNAL;
    if (e == OK) {
        blob_free(&slot->spec);
        free(slot->type);
        slot->type = NULL;
        e = blob_copy(&slot->spec, spec);
    }
    if (e != OK) {
        free(t);
        return e;
    }
    slot->type = t;
    c->next_type = (c->next_type + 1) % CACHED_TYPES;
    *out = t;
    return OK;
}

static enum err find_type(const struct world *w, const char *name, const struct card_type **out)
{
    struct type_row row = {0};
    enum err e = w->store->ops->get_type(w->store->ctx, name, &row);
    if (e == OK)
        e = read_type(w, &row, out);
    type_row_free(&row);
    return e;
}

static enum err world_type(void *ctx, const char *name, struct session_type *out)
{
    const struct card_type *t = NULL;
    enum err e = find_type(ctx, name, &t);
    if (e == OK)
        type_for_session(t, out);
    return e;
}

struct matching {
    struct view atr;
    const struct identity *id;
    const struct world *world;
    struct session_type *out;
    bool found, open;
    size_t rows;
    char last[NAME_MAX_BYTES + 1];
};

/* The first type that fits, in the order of names; one before it that may fit leaves it open. */
static enum err match_one(void *arg, struct type_row *row)
{
    struct matching *m = arg;
    m->rows++;
    (void)snprintf(m->last, sizeof(m->last), "%s", row->name);
    if (m->found || m->open)
        return OK;
    const struct card_type *type = NULL;
    enum err e = read_type(m->world, row, &type);
    if (e != OK)
        return e;
    enum card_match match = card_type_matches(type, m->atr, m->id);
    m->open = match == CARD_MATCH_UNKNOWN;
    m->found = match == CARD_MATCH_YES;
    if (m->found)
        type_for_session(type, m->out);
    return OK;
}

static enum err world_match(void *ctx, struct view atr, const struct identity *id, struct session_type *out)
{
    const struct world *w = ctx;
    struct listing page = {.limit = PAGE_MAX};
    struct matching m = {.atr = atr, .id = id, .world = w, .out = out};
    enum err e = OK;
    while (e == OK) {
        m.rows = 0;
        e = w->store->ops->list_types(w->store->ctx, &page, match_one, &m);
        if (m.found || m.open || m.rows < page.limit)
            break;
        (void)snprintf(page.after, sizeof(page.after), "%s", m.last);
    }
    if (e == OK && !m.found)
        e = m.open ? ERR_STATE : ERR_NOT_FOUND;
    return e;
}

static bool world_fits(void *ctx, const char *type, struct view atr, const struct identity *id)
{
    const struct card_type *t = NULL;
    if (find_type(ctx, type, &t) != OK)
        return false;
    bool has_patterns = t->atr.count + t->cplc.count + t->iin.count > 0;
    return !has_patterns || card_type_matches(t, atr, id) != CARD_MATCH_NO;
}

static enum err world_card(void *ctx, const char *number, struct session_card *out)
{
    struct world *w = ctx;
    card_row_free(&w->card);
    w->card = (struct card_row){0};
    enum err e = w->store->ops->get_card(w->store->ctx, number, &w->card);
    if (e != OK)
        return e;
    *out = (struct session_card){.pinned_scp = w->card.pinned_scp,
                                 .pinned_i = w->card.pinned_i,
                                 .pinned_kvn = w->card.pinned_kvn,
                                 .quarantined = w->card.quarantined,
                                 .registry = blob_view(&w->card.registry)};
    (void)snprintf(out->type, sizeof(out->type), "%s", w->card.type);
    return OK;
}

static enum err world_ledger(void *ctx, const char *number, uint8_t kvn, struct session_ledger *out)
{
    const struct world *w = ctx;
    struct ledger_row row = {.kvn = kvn};
    enum err e = w->store->ops->get_ledger(w->store->ctx, number, kvn, &row);
    if (e == OK)
        *out = (struct session_ledger){row.openings, row.wrong_cryptograms, row.failed_loads};
    return e;
}

static enum err take_key(struct key_row *row, enum err e, struct session_key *out)
{
    struct view sealed = blob_view(&row->sealed);
    if (e == OK && (sealed.len == 0 || sealed.len > sizeof(out->sealed)))
        e = ERR_INTERNAL;
    if (e == OK) {
        out->attributes = row->attributes;
        memcpy(out->sealed, sealed.data, sealed.len);
        out->sealed_len = sealed.len;
    }
    key_row_free(row);
    return e;
}

static enum err world_key(void *ctx, const char *name, uint32_t version, struct session_key *out)
{
    const struct world *w = ctx;
    struct key_row row = {0};
    enum err e = w->store->ops->get_key(w->store->ctx, name, version, &row);
    return take_key(&row, e, out);
}

static uint64_t world_now_ms(void *ctx)
{
    const struct world *w = ctx;
    return w->clock.now_ms(w->clock.ctx);
}

static enum err world_card_key(void *ctx, const char *number, enum key_use use, struct session_key *out)
{
    const struct world *w = ctx;
    struct key_row row = {0};
    enum err e = w->store->ops->get_card_key(w->store->ctx, number, use, &row);
    return take_key(&row, e, out);
}

/* An application in use: its sequence, and its CAP file in the cache. */
struct used_app {
    struct blob sequence;
    struct cached_app *cached;
};

static void world_app_done(void *ctx, struct session_app *app)
{
    struct used_app *used = app->owner;
    (void)ctx;
    if (used == NULL)
        return;
    if (used->cached != NULL)
        used->cached->uses--;
    blob_free(&used->sequence);
    free(used);
    *app = (struct session_app){0};
}

static struct cached_app *find_cached(struct world_cache *c, const uint8_t sha256[DIGEST_LEN])
{
    for (size_t n = 0; n < CACHED_APPS; n++) {
        if (c->apps[n].cap != NULL && view_equal(VIEW_OF(c->apps[n].sha256), view_of(sha256, DIGEST_LEN)))
            return &c->apps[n];
    }
    return NULL;
}

/* Reads and takes apart the whole file, and keeps it. */
static enum err cache_app(const struct world *w, const char *name, struct cached_app **out)
{
    struct world_cache *c = w->cache;
    struct app_row row = {.created_ms = 0};
    struct cached_app *slot = &c->apps[c->next_app];
    enum err e = w->store->ops->get_app(w->store->ctx, name, &row);
    struct cap *cap = e == OK ? calloc(1, sizeof(*cap)) : NULL;
    if (e == OK && (cap == NULL || slot->uses > 0))
        e = ERR_MEMORY;
    if (e == OK && (e = cap_read(cap, blob_view(&row.cap), NULL)) != OK && e != ERR_MEMORY)
        e = ERR_INTERNAL; /* it was read before it was stored */
    if (e == OK) {
        free_cap(&slot->cap);
        *slot = (struct cached_app){.cap = cap};
        memcpy(slot->sha256, row.sha256, sizeof(slot->sha256));
        c->next_app = (c->next_app + 1) % CACHED_APPS;
        *out = slot;
        cap = NULL;
    }
    free(cap);
    app_row_free(&row);
    return e;
}

struct app_head {
    const char *name;
    uint8_t sha256[DIGEST_LEN];
    struct blob sequence;
    bool found, approved;
};

static enum err take_head(void *arg, struct app_row *row)
{
    struct app_head *h = arg;
    if (strcmp(row->name, h->name) != 0)
        return OK;
    memcpy(h->sha256, row->sha256, sizeof(h->sha256));
    h->sequence = row->sequence;
    row->sequence = (struct blob){NULL, 0};
    h->found = true;
    h->approved = row->approved_by[0] != '\0';
    return OK;
}

/* The row without its file: names that begin with this one are sorted behind it. */
static enum err read_head(const struct world *w, const char *name, struct app_head *out)
{
    struct listing one = {.limit = 1};
    *out = (struct app_head){.name = name};
    (void)snprintf(one.match, sizeof(one.match), "%s", name);
    enum err e = w->store->ops->list_apps(w->store->ctx, &one, take_head, out);
    return e == OK && !out->found ? ERR_NOT_FOUND : e;
}

static enum err world_approved(void *ctx, const char *name, bool *out)
{
    struct app_head head;
    enum err e = read_head(ctx, name, &head);
    if (e == OK)
        *out = head.approved;
    blob_free(&head.sequence);
    return e;
}

static enum err world_app(void *ctx, const char *name, struct session_app *out)
{
    const struct world *w = ctx;
    struct app_head head;
    struct used_app *used = calloc(1, sizeof(*used));
    if (used == NULL)
        return ERR_MEMORY;
    enum err e = read_head(w, name, &head);
    used->sequence = head.sequence;
    struct cached_app *cached = e == OK ? find_cached(w->cache, head.sha256) : NULL;
    if (e == OK && cached == NULL)
        e = cache_app(w, name, &cached);
    if (e == OK) {
        cached->uses++;
        used->cached = cached;
        *out =
            (struct session_app){.cap = cached->cap, .sequence = blob_view(&used->sequence), .owner = used};
        return OK;
    }
    struct session_app none = {.owner = used};
    world_app_done(ctx, &none);
    return e;
}

struct session_world world_table(struct world *w, struct random_source random)
{
    return (struct session_world){.ctx = w,
                                  .random = random,
                                  .now_ms = world_now_ms,
                                  .allow_weak = w->allow_weak,
                                  .type = world_type,
                                  .match = world_match,
                                  .fits = world_fits,
                                  .card = world_card,
                                  .ledger = world_ledger,
                                  .key = world_key,
                                  .card_key = world_card_key,
                                  .approved = world_approved,
                                  .app = world_app,
                                  .app_done = world_app_done};
}

enum err order_for_session(const struct order_row *row, struct session_order *out)
{
    static const struct {
        const char *word;
        enum plan_purpose purpose;
    } purposes[] = {{"install", PLAN_INSTALL}, {"remove", PLAN_REMOVE}, {"inspect", PLAN_INSPECT}};
    for (size_t n = 0; n < sizeof(purposes) / sizeof(purposes[0]); n++) {
        if (strcmp(purposes[n].word, row->purpose) != 0)
            continue;
        *out = (struct session_order){.purpose = purposes[n].purpose, .level = row->level};
        (void)snprintf(out->app, sizeof(out->app), "%s", row->app);
        (void)snprintf(out->card, sizeof(out->card), "%s", row->card);
        (void)snprintf(out->type, sizeof(out->type), "%s", row->type);
        return OK;
    }
    return ERR_FORMAT;
}

/* ---- Writing down ------------------------------------------------------------------------------------ */

static enum err registry_bytes(const struct session *s, struct blob *out)
{
    struct writer w;
    wr_heap(&w, SESSION_STATE_MAX);
    enum err e = registry_encode(&s->registry, &w);
    if (e == OK)
        e = wr_status(&w);
    blob_free(out);
    if (e == OK)
        e = blob_copy(out, wr_view_of(&w));
    wr_free(&w);
    return e;
}

static enum err identity_bytes(const struct session *s, struct blob *out)
{
    struct writer w;
    wr_heap(&w, UINT16_MAX);
    enum err e = identity_encode(&s->identity, &w);
    if (e == OK)
        e = wr_status(&w);
    blob_free(out);
    if (e == OK)
        e = blob_copy(out, wr_view_of(&w));
    wr_free(&w);
    return e;
}

/* The card's row as it stands, with what became known. */
static enum err card_facts(struct card_row *row, const struct store *store, const struct session *s,
                           uint64_t now_ms)
{
    const struct session_facts *f = &s->facts;
    enum err e = store->ops->get_card(store->ctx, s->card, row);
    if (e == ERR_NOT_FOUND) {
        *row = (struct card_row){.pinned_scp = -1, .pinned_i = -1, .pinned_kvn = -1};
        (void)snprintf(row->number, sizeof(row->number), "%s", s->card);
        e = OK;
    }
    if (e == OK && f->identity)
        e = identity_bytes(s, &row->identity);
    if (e != OK)
        return e;
    row->seen_ms = now_ms;
    if (s->type.name[0] != '\0')
        (void)snprintf(row->type, sizeof(row->type), "%s", s->type.name);
    if (f->pins) {
        row->pinned_scp = s->type.scp;
        row->pinned_i = s->type.i;
        row->pinned_kvn = s->type.kvn;
    }
    if (f->quarantine) {
        row->quarantined = true;
        (void)snprintf(row->reason, sizeof(row->reason), "%s", s->detail);
    }
    if (f->registry == REGISTRY_KEEP)
        return OK;
    row->registry_ms = now_ms;
    row->registry_proven = f->registry == REGISTRY_PROVEN;
    if (f->registry != REGISTRY_FORGET)
        return registry_bytes(s, &row->registry);
    blob_free(&row->registry);
    return OK;
}

static void add(struct turn_changes *c, struct change change, enum session_record_kind kind)
{
    c->kinds[c->count] = kind;
    c->list[c->count++] = change;
}

static enum err add_record(struct turn_changes *c, const struct store *store, const struct session *s,
                           const struct session_record *r, size_t n, uint64_t now_ms)
{
    static const int kinds[] = {[RECORD_ORDER_OPENING] = ORDER_OPENING,
                                [RECORD_ORDER_SERVED] = ORDER_SERVED,
                                [RECORD_LEDGER_OPENING] = LEDGER_OPENING,
                                [RECORD_LEDGER_WRONG] = LEDGER_WRONG,
                                [RECORD_LEDGER_LOAD_FAILED] = LEDGER_LOAD_FAILED,
                                [RECORD_LEDGER_RELEASE] = LEDGER_RELEASE,
                                [RECORD_LEDGER_CLEAR] = LEDGER_CLEAR,
                                [RECORD_CARD] = CARD_PUT};
    struct change change = {.limit = r->limit, .now_ms = now_ms};
    memcpy(&change.kind, &kinds[r->kind], sizeof(change.kind));
    if (r->kind == RECORD_ORDER_OPENING || r->kind == RECORD_ORDER_SERVED) {
        change.row.order = &c->order;
    } else if (r->kind == RECORD_CARD) {
        enum err e = card_facts(&c->card, store, s, now_ms);
        if (e != OK)
            return e;
        change.row.card = &c->card;
    } else {
        (void)snprintf(c->ledgers[n].card, sizeof(c->ledgers[n].card), "%s", s->card);
        c->ledgers[n].kvn = r->kvn;
        change.row.ledger = &c->ledgers[n];
    }
    add(c, change, r->kind);
    return OK;
}

static void add_audit(struct turn_changes *c, const struct session *s, uint64_t now_ms)
{
    struct audit_row *a = &c->audit;
    a->time_ms = now_ms;
    (void)snprintf(a->who, sizeof(a->who), "session %s", s->id);
    (void)snprintf(a->what, sizeof(a->what), s->facts.quarantine ? "card.quarantined" : "session.%s",
                   outcome_word(s->outcome));
    (void)snprintf(a->object, sizeof(a->object), "%s", s->card);
    struct writer detail; /* shortened when it must be: the session's row has it whole */
    wr_fixed(&detail, a->detail, sizeof(a->detail) - 1);
    wr_view(&detail, view_str(reason_word(s->reason)));
    wr_view(&detail, view_str(": "));
    wr_view(&detail, view_head(view_str(s->detail), sizeof(a->detail) - WORD_MAX));
    add(c, (struct change){.kind = AUDIT_ADD, .row.audit = a, .now_ms = now_ms}, RECORD_CARD);
}

enum err turn_changes_make(struct turn_changes *out, const struct store *store, const struct session *s,
                           const struct session_turn *turn, const struct session_row *row, uint64_t now_ms)
{
    *out = (struct turn_changes){0};
    (void)snprintf(out->order.id, sizeof(out->order.id), "%s", row->order);
    for (size_t n = 0; n < turn->record_count; n++) {
        enum err e = add_record(out, store, s, &turn->records[n], n, now_ms);
        if (e != OK)
            return e;
    }
    out->first_other = out->count;
    add(out,
        (struct change){
            .kind = row->revision == 0 ? SESSION_ADD : SESSION_PUT, .row.session = row, .now_ms = now_ms},
        RECORD_CARD);
    if (turn->ended)
        add_audit(out, s, now_ms);
    return OK;
}

void turn_changes_finish(struct turn_changes *c)
{
    card_row_free(&c->card);
    *c = (struct turn_changes){0};
}
