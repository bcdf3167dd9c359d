/* SPDX-License-Identifier: Apache-2.0
 *
 * The synchronous driver of the dialogue. It does what the front does, in the same order: a turn's records
 * and the session are durable before its packet leaves, and each POST begins from what the store has. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/text.h>
#include <plan/plan.h>

enum { ALL_WEAK = (1 << WEAK_COUNT) - 1, POSTS_MAX = 20, FILE_MAX = CAP_FILE_MAX };

/* ---- Setting up -------------------------------------------------------------------------------------- */

struct bench_setup bench_modern(void)
{
    return (struct bench_setup){.card = {.kind = "modern", .i = -1, .serial = 0x11, .key = 0x50},
                                .scp = "03",
                                .i = "70",
                                .kvn = "30",
                                .level = "33",
                                .server_key = 0x50};
}

struct bench_setup bench_classic(void)
{
    return (struct bench_setup){.card = {.kind = "classic", .i = -1, .serial = 0x22, .key = 0x51},
                                .scp = "02",
                                .i = "55",
                                .kvn = "FF",
                                .level = "03",
                                .server_key = 0x51};
}

void bench_submit(struct bench *b, const struct change *changes, size_t count)
{
    struct test_outcome o = {.done = false};
    b->store.ops->submit(b->store.ctx, changes, count, test_take_outcome, &o);
    while (!o.done)
        test_dispatch(&b->store);
    if (o.e != OK)
        fail_msg("change %zu: %s", o.failed, err_name(o.e));
}

static void submit_one(struct bench *b, struct change change)
{
    change.now_ms = b->now_ms;
    bench_submit(b, &change, 1);
}

/* The operator's part and the keeper's. */
void bench_import_key(struct bench *b, struct key_row *row, struct view key)
{
    uint8_t public_key[32], kcv[3][3];
    struct writer wrapped, sealed;
    wr_heap(&wrapped, SEALED_KEY_MAX);
    wr_heap(&sealed, SEALED_KEY_MAX);
    vault_import_key(b->vault, public_key);
    assert_int_equal(
        vault_wrap_for_import(b->crypto, crypto_random(), public_key, &row->attributes, key, &wrapped), OK);
    assert_int_equal(vault_import(b->vault, &row->attributes, wr_view_of(&wrapped), &sealed, kcv), OK);
    memcpy(row->kcv, kcv, sizeof(row->kcv));
    row->sealed = (struct blob){sealed.data, sealed.len};
    submit_one(b, (struct change){.kind = KEY_ADD, .row.key = row});
    wr_free(&wrapped);
    wr_free(&sealed);
}

static void add_key(struct bench *b, const struct bench_setup *setup)
{
    bool des = strcmp(setup->scp, "03") != 0;
    /* GPCS 2.3.1 table E-1: bit 1 of i says that there are three. */
    bool one_base_key = strcmp(setup->scp, "02") == 0 && (strtoul(setup->i, NULL, 16) & 0x01) == 0;
    size_t len = setup->card.key_bits != 0 ? setup->card.key_bits / 8U : 16U;
    struct key_row row = {.attributes = {.name = "master",
                                         .version = 1,
                                         .use = KEY_USE_MASTER,
                                         .type = len == 8 ? KEY_DES
                                                 : des    ? KEY_DES3
                                                          : KEY_AES,
                                         .key_len = (uint16_t)len}};
    struct secret all = {.len = 3 * len};
    for (uint8_t n = 0; n < 3; n++)
        memset(all.data + n * len, setup->server_key + (one_base_key ? 0 : n), len);
    bench_import_key(b, &row, secret_view(&all));
    secret_wipe(&all);
}

void bench_add_derive_key(struct bench *b, const char *name)
{
    struct key_row row = {
        .attributes = {.version = 1, .use = KEY_USE_DERIVE, .type = KEY_AES, .key_len = 16}};
    struct secret key = {.len = 16};
    (void)snprintf(row.attributes.name, sizeof(row.attributes.name), "%s", name);
    memset(key.data, 0x77, 16);
    bench_import_key(b, &row, secret_view(&key));
    secret_wipe(&key);
}

static void put_type(struct bench *b, const struct bench_setup *setup, int kind)
{
    static char text[32 * 1024];
    char match[200], digits[2 * ATR_MAX + 1];
    uint8_t memory[ATR_MAX];
    struct writer atr;
    wr_fixed(&atr, memory, sizeof(memory));
    vcard_put_atr(b->card, &atr);
    hex_write(digits, wr_view_of(&atr));
    (void)snprintf(match, sizeof(match), "{\"atr\":[\"%s\"]}", digits);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"type\",\"match\":%s,\"isd\":\"A000000151000000\",\"scp\":\"%s\",\"i\":\"%s\","
                   "\"kvn\":\"%s\"%s,\"level\":\"%s\"%s}",
                   setup->match != NULL ? setup->match : match, setup->scp, setup->i, setup->kvn,
                   setup->key_fields != NULL ? setup->key_fields : ",\"key\":\"master\",\"kdf\":\"none\"",
                   setup->level, setup->more != NULL ? setup->more : "");
    struct type_row row = {.name = "type", .spec = {(uint8_t *)text, strlen(text)}};
    if (kind == TYPE_ADD)
        submit_one(b, (struct change){.kind = TYPE_ADD, .row.type = &row});
    else
        submit_one(b, (struct change){.kind = TYPE_PUT, .row.type = &row});
}

void bench_open(struct bench *b, const struct bench_setup *setup)
{
    *b = (struct bench){.now_ms = 1800000000000};
    assert_int_equal(crypto_new(&b->crypto), OK);
    assert_int_equal(bench_vault(b->crypto, &b->vault), OK);
    /* Thousands of sessions: in memory where there is such a place. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
    test_folder_make(&b->folder);
    assert_int_equal(store_open_sqlite(&b->store, b->folder.file), OK);
    assert_int_equal(vcard_new(&b->card, b->crypto, &setup->card), OK);
    if (!setup->no_key && setup->key_fields == NULL)
        add_key(b, setup);
    if (setup->key_fields != NULL)
        bench_add_host_pairs(b, setup);
    put_type(b, setup, TYPE_ADD);
    bench_add_order(b, "inspect", "inspect", "", "", "");
}

enum err bench_vault(struct crypto *crypto, struct vault **out)
{
    struct secret kek = {.len = KEK_LEN};
    memset(kek.data, 0xA5, KEK_LEN);
    return vault_new(out, crypto, crypto_random(), &kek);
}

void bench_close(struct bench *b)
{
    vcard_free(&b->card);
    world_cache_finish(&b->cache);
    b->store.ops->close(b->store.ctx);
    test_folder_remove(&b->folder);
    vault_free(&b->vault);
    crypto_free(&b->crypto);
}

static void read_data_file(const char *name, struct writer *out)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/caps/%s", CF_DATA, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("%s can't be read", path);
    uint8_t chunk[4096];
    size_t n;
    while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        wr_bytes(out, chunk, n);
    if (f != NULL)
        (void)fclose(f);
}

static void add_app(struct bench *b, const char *name, const char *cap_file, const char *text,
                    const char *more)
{
    struct writer file, sequence;
    struct cap cap;
    struct plan_problem why;
    struct app_row row = {.created_ms = b->now_ms, .approved_by = "bench", .approved_ms = b->now_ms};
    wr_heap(&file, FILE_MAX);
    wr_heap(&sequence, SEQUENCE_TEXT_MAX);
    read_data_file(cap_file, &file);
    assert_int_equal(cap_read(&cap, wr_view_of(&file), NULL), OK);
    if (text != NULL)
        wr_view(&sequence, view_str(text));
    else
        assert_int_equal(plan_generate(&cap, NULL, 0, VIEW_NULL, &sequence, &why), OK);
    wr_view(&sequence, view_str(more != NULL ? more : ""));
    (void)snprintf(row.name, sizeof(row.name), "%s", name);
    row.cap = (struct blob){file.data, file.len};
    row.sequence = (struct blob){sequence.data, sequence.len};
    row.package = cap.package;
    const struct view whole = wr_view_of(&file);
    assert_int_equal(crypto_digest(b->crypto, DIGEST_SHA256, &whole, 1, row.sha256), OK);
    submit_one(b, (struct change){.kind = APP_ADD, .row.app = &row});
    cap_finish(&cap);
    wr_free(&file);
    wr_free(&sequence);
}

void bench_add_app(struct bench *b, const char *name, const char *cap_file, const char *more)
{
    add_app(b, name, cap_file, NULL, more);
}

void bench_add_app_as(struct bench *b, const char *name, const char *cap_file, const char *sequence)
{
    add_app(b, name, cap_file, sequence, NULL);
}

void bench_add_order(struct bench *b, const char *id, const char *purpose, const char *app, const char *card,
                     const char *type)
{
    struct order_row row = {.level = -1,
                            .cards_left = 100000,
                            .openings_left = 100000,
                            .created_ms = b->now_ms,
                            .expires_ms = b->now_ms + 86400000};
    const struct view part = view_str(id);
    (void)snprintf(row.id, sizeof(row.id), "%s", id);
    assert_int_equal(crypto_digest(b->crypto, DIGEST_SHA256, &part, 1, row.ticket_digest), OK);
    (void)snprintf(row.app, sizeof(row.app), "%s", app);
    (void)snprintf(row.purpose, sizeof(row.purpose), "%s", purpose);
    (void)snprintf(row.card, sizeof(row.card), "%s", card);
    (void)snprintf(row.type, sizeof(row.type), "%s", type);
    (void)snprintf(row.state, sizeof(row.state), "open");
    submit_one(b, (struct change){.kind = ORDER_ADD, .row.order = &row});
}

void bench_number(struct bench *b, char out[CARD_NUMBER_TEXT_MAX + 1])
{
    struct bench_result r = bench_run(b, "inspect", NULL);
    if (r.card[0] == '\0')
        fail_msg("the card has no number: %s", r.detail);
    memcpy(out, r.card, CARD_NUMBER_TEXT_MAX + 1);
}

struct ledger_row bench_ledger(struct bench *b, const char *card, uint8_t kvn)
{
    struct ledger_row row;
    assert_int_equal(b->store.ops->get_ledger(b->store.ctx, card, kvn, &row), OK);
    return row;
}

bool bench_card_row(struct bench *b, const char *card, struct card_row *out)
{
    return b->store.ops->get_card(b->store.ctx, card, out) == OK;
}

struct order_row bench_order(struct bench *b, const char *id)
{
    struct order_row row;
    assert_int_equal(b->store.ops->get_order(b->store.ctx, id, &row), OK);
    return row;
}

void bench_release(struct bench *b, const char *card)
{
    struct card_row row = {.revision = 0};
    (void)snprintf(row.number, sizeof(row.number), "%s", card);
    vcard_set_failures(b->card, 0);
    submit_one(b, (struct change){.kind = CARD_RELEASE, .row.card = &row});
}

void bench_set_registry(struct bench *b, const char *card, struct view registry)
{
    struct card_row row;
    assert_true(bench_card_row(b, card, &row));
    blob_free(&row.registry);
    assert_int_equal(blob_copy(&row.registry, registry), OK);
    submit_one(b, (struct change){.kind = CARD_PUT, .row.card = &row});
    card_row_free(&row);
}

void bench_forget_registry(struct bench *b, const char *card)
{
    bench_set_registry(b, card, VIEW_NULL);
}

void bench_put_type(struct bench *b, const struct bench_setup *setup)
{
    put_type(b, setup, TYPE_PUT);
}

void bench_change_card(struct bench *b, const struct vcard_options *o)
{
    vcard_free(&b->card);
    assert_int_equal(vcard_new(&b->card, b->crypto, o), OK);
}

/* ---- The client -------------------------------------------------------------------------------------- */

static bool stops(struct view rapdu, uint8_t ins)
{
    struct rapdu r;
    if (rapdu_parse(rapdu, &r) != OK)
        return true;
    return ins == INS_EXTERNAL_AUTHENTICATE ? r.sw != SW_OK : !sw_is_ok_or_warning(r.sw);
}

/* A long answer to a short command is fetched in parts, as any client does. */
static void ask_card(struct vcard *card, struct view capdu, struct writer *rapdu)
{
    vcard_send(card, capdu, rapdu);
    while (rapdu->len >= 2 && rapdu->data[rapdu->len - 2] == 0x61) {
        const uint8_t get_response[] = {0x00, 0xC0, 0x00, 0x00, rapdu->data[rapdu->len - 1]};
        rapdu->len -= 2;
        vcard_send(card, VIEW_OF(get_response), rapdu);
    }
}

/* Executes the packet and writes the response script. *torn: the card was pulled. */
void bench_execute(struct bench *b, const struct bench_client *c, unsigned post, struct view packet,
                   struct writer *body, bool *torn, struct bench_result *result)
{
    struct script_reader script;
    struct response_writer response;
    enum script_fault fault = SCRIPT_FINE;
    struct view capdu;
    struct writer rapdu;
    wr_heap(&rapdu, RAPDU_MAX);
    enum err e = script_open(&script, packet, &fault);
    response_begin(&response, body, SCRIPT_DEFINITE);
    for (size_t n = 0; e == OK && (e = script_next(&script, &capdu, &fault)) == OK && capdu.len > 0; n++) {
        if (c->command != NULL && !c->command(c->ctx, b, post, n, capdu)) {
            *torn = true;
            break;
        }
        wr_clear(&rapdu);
        if (!c->own_card)
            ask_card(b->card, capdu, &rapdu);
        result->commands++;
        if (c->answer != NULL)
            c->answer(c->ctx, b, post, n, capdu, &rapdu);
        response_put(&response, wr_view_of(&rapdu));
        if (!c->goes_on_after_errors && stops(wr_view_of(&rapdu), capdu.len > 1 ? capdu.data[1] : 0))
            break;
    }
    if (fault != SCRIPT_FINE)
        response_put_fault(&response, fault);
    assert_int_equal(response_end(&response), OK);
    wr_free(&rapdu);
}

/* What leaves the server, counted by instruction. */
static void count_commands(struct view packet, struct bench_result *r)
{
    struct script_reader script;
    enum script_fault fault;
    struct view capdu;
    assert_int_equal(script_open(&script, packet, &fault), OK);
    while (script_next(&script, &capdu, &fault) == OK && capdu.len > 1) {
        /* MUTUAL AUTHENTICATE of SCP11 has the same instruction, without secure messaging. */
        r->external_authentications +=
            capdu.data[1] == INS_EXTERNAL_AUTHENTICATE && (capdu.data[0] & 0x04) != 0;
        r->initialize_updates += capdu.data[1] == INS_INITIALIZE_UPDATE;
        r->loads += capdu.data[1] == INS_LOAD;
    }
}

/* ---- The server -------------------------------------------------------------------------------------- */

struct server {
    struct bench *b;
    struct world world;
    struct session_world table;
    struct session_row row;
    struct session session;
    struct session_turn turn;
    bool bad_answer;
};

static void take(struct server *v, const struct session_event *event);

static uint64_t bench_now_ms(void *ctx)
{
    const struct bench *b = ctx;
    return b->now_ms;
}

static void ask_vault(struct server *v)
{
    struct writer bytes, opening;
    struct vault_settlement *settlement = calloc(1, sizeof(*settlement));
    struct session_event event = {.settlement = settlement};
    assert_non_null(settlement);
    wr_heap(&bytes, SCRIPT_MAX);
    wr_heap(&opening, SEALED_OPENING_MAX);
    if (v->turn.want == SESSION_WANT_BEGIN) {
        event.kind = SESSION_PREPARED;
        event.result = vault_begin(v->b->vault, &v->turn.begin, &bytes, &opening);
        event.opening = wr_view_of(&opening);
    } else if (v->turn.want == SESSION_WANT_OPEN) {
        event.kind = SESSION_OPENED;
        event.result = vault_open(v->b->vault, &v->turn.open, &bytes);
    } else if (v->turn.want == SESSION_WANT_SIGN) {
        event.kind = SESSION_SIGNED;
        event.result = vault_sign(v->b->vault, &v->turn.script, &bytes);
    } else {
        event.kind = SESSION_SETTLED;
        event.result = vault_settle(v->b->vault, &v->turn.script, v->turn.answers, settlement);
    }
    bool settled = event.kind == SESSION_SETTLED && event.result == OK;
    event.bytes = wr_view_of(&bytes);
    take(v, &event);
    if (settled)
        vault_settlement_finish(settlement);
    free(settlement);
    wr_free(&opening);
    wr_free(&bytes);
}

static void commit(struct server *v)
{
    struct turn_changes changes;
    struct test_outcome o = {.done = false};
    struct writer state;
    wr_heap(&state, SESSION_STATE_MAX);
    assert_int_equal(session_encode(&v->session, &state), OK);
    blob_free(&v->row.state);
    assert_int_equal(blob_copy(&v->row.state, wr_view_of(&state)), OK);
    wr_free(&state);
    (void)snprintf(v->row.card, sizeof(v->row.card), "%s", v->session.card);
    if (v->turn.ended) {
        (void)snprintf(v->row.outcome, sizeof(v->row.outcome), "%s", outcome_word(v->session.outcome));
        (void)snprintf(v->row.reason, sizeof(v->row.reason), "%s", reason_word(v->session.reason));
    }
    assert_int_equal(turn_changes_make(&changes, &v->b->store, &v->session, &v->turn, &v->row, v->b->now_ms),
                     OK);
    v->b->store.ops->submit(v->b->store.ctx, changes.list, changes.count, test_take_outcome, &o);
    while (!o.done)
        test_dispatch(&v->b->store);
    if (o.e == OK) {
        v->row.revision++;
    } else {
        if (o.failed >= changes.first_other)
            fail_msg("the session was not written: %s", err_name(o.e));
        const struct session_event refused = {
            .kind = SESSION_REFUSED, .result = o.e, .refused = changes.kinds[o.failed]};
        take(v, &refused);
    }
    turn_changes_finish(&changes);
}

static void take(struct server *v, const struct session_event *event)
{
    enum err e = session_handle(&v->session, &v->table, event, &v->turn);
    v->bad_answer = e == ERR_FORMAT && event->kind == SESSION_ANSWER;
    if (v->bad_answer)
        return; /* 400: nothing has happened */
    if (e != OK)
        fail_msg("%s in state %s: %s", session_event_word(event->kind), session_state_word(v->session.state),
                 err_name(e));
    if (v->turn.want == SESSION_WANT_COMMIT)
        commit(v);
    else
        ask_vault(v);
}

/* As another node of the server would go on: from the stored bytes. */
static void reload(struct server *v)
{
    session_finish(&v->session);
    assert_int_equal(session_decode(&v->session, blob_view(&v->row.state)), OK);
}

static void begin(struct server *v, const char *order, const char *card)
{
    static unsigned number;
    uint8_t memory[ATR_MAX];
    struct writer atr;
    struct session_order wanted;
    struct order_row row = bench_order(v->b, order);
    assert_int_equal(order_for_session(&row, &wanted), OK);
    wr_fixed(&atr, memory, sizeof(memory));
    vcard_put_atr(v->b->card, &atr);
    world_init(&v->world, &v->b->store, &v->b->cache, (struct clock_source){bench_now_ms, v->b},
               v->b->forbid_weak ? 0 : ALL_WEAK);
    v->table = world_table(&v->world, crypto_random());
    (void)snprintf(v->row.id, sizeof(v->row.id), "%032x", ++number);
    (void)snprintf(v->row.order, sizeof(v->row.order), "%s", order);
    session_init(&v->session, v->row.id, &wanted, wr_view_of(&atr));
    const struct session_event event = {.kind = SESSION_BEGIN, .card = card};
    take(v, &event);
}

struct bench_result bench_run(struct bench *b, const char *order, const struct bench_client *client)
{
    static const struct bench_client honest = {0};
    const struct bench_client *c = client != NULL ? client : &honest;
    struct bench_result r = {.posts = 1};
    struct server *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    v->b = b;
    begin(v, order, c->card);
    while (!v->turn.ended && !v->bad_answer && r.posts < POSTS_MAX) {
        struct writer packet, body;
        bool torn = false;
        unsigned post = r.posts++ - 1;
        wr_heap(&packet, 2 * SCRIPT_MAX);
        wr_heap(&body, 2 * SCRIPT_MAX);
        wr_view(&packet, v->turn.packet);
        count_commands(wr_view_of(&packet), &r);
        r.packet_commands = v->turn.commands;
        if (c->packet != NULL)
            c->packet(c->ctx, b, post, &packet);
        bench_execute(b, c, post, wr_view_of(&packet), &body, &torn, &r);
        if (c->body != NULL)
            c->body(c->ctx, b, post, &body);
        reload(v);
        struct session_event event = {.kind = SESSION_ANSWER,
                                      .body = wr_view_of(&body),
                                      .script_status = torn ? "temporarily-unavailable-application" : "ok"};
        if (c->resume != NULL && c->resume(c->ctx, b, post)) {
            vcard_reset(b->card);
            event = (struct session_event){.kind = SESSION_RESUME};
        }
        take(v, &event);
        wr_free(&packet);
        wr_free(&body);
    }
    assert_true(v->turn.ended || v->bad_answer);
    vcard_reset(b->card);
    r.outcome = v->bad_answer ? OUTCOME_UNKNOWN : v->session.outcome;
    r.reason = v->bad_answer ? REASON_BAD_ANSWER : v->session.reason;
    memcpy(r.detail, v->session.detail, sizeof(r.detail));
    memcpy(r.card, v->session.card, sizeof(r.card));
    session_finish(&v->session);
    session_row_free(&v->row);
    world_finish(&v->world);
    free(v);
    return r;
}

void bench_expect(const char *row, const struct bench_result *r, enum outcome o, enum reason reason)
{
    if (r->outcome != o || r->reason != reason)
        fail_msg("%s: %s, %s (%s) instead of %s, %s", row, outcome_word(r->outcome), reason_word(r->reason),
                 r->detail, outcome_word(o), reason_word(reason));
}
