/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded store: every row comes back as it went in, every guard refuses what it must, a change set is
 * all or nothing, listings page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "store/read.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/test_support.h"

struct world {
    struct test_folder folder;
    struct store store;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    test_folder_make(&w->folder);
    assert_int_equal(store_open_sqlite(&w->store, w->folder.file), OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->store.ops != NULL)
        w->store.ops->close(w->store.ctx);
    test_folder_remove(&w->folder);
    free(w);
    return 0;
}

/* ---- rows to begin with ---- */

static struct app_row app = {.name = "hello",
                             .cap = {(uint8_t *)"PK..", 4},
                             .sequence = {(uint8_t *)"load\n", 5},
                             .info = {(uint8_t *)"{}", 2},
                             .sha256 = {1, 2, 3},
                             .package = {{{0xA0, 0, 0, 0, 1, 2}, 6}, 1, 4},
                             .created_ms = 1700000000123,
                             .approved_by = "admin token",
                             .approved_ms = 1700000000124};
static struct type_row type = {.name = "badge", .spec = {(uint8_t *)"{}", 2}, .created_ms = 5};
static struct key_row key = {
    .attributes = {.name = "master", .version = 1, .use = KEY_USE_MASTER, .type = KEY_AES, .key_len = 16},
    .sealed = {(uint8_t *)"sealed", 6},
    .kcv = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}},
    .created_ms = 7};
static struct card_row card = {.number = "4790-01",
                               .type = "badge",
                               .identity = {(uint8_t *)"id", 2},
                               .registry_ms = 9,
                               .registry_proven = true,
                               .pinned_scp = -1,
                               .pinned_i = 0x70,
                               .pinned_kvn = 0x30,
                               .seen_ms = 10};
static struct ledger_row ledger = {.card = "4790-01", .kvn = 0x30};
static struct order_row order = {.id = "00000000000000000000000000000001",
                                 .ticket_digest = {0xAA},
                                 .app = "hello",
                                 .purpose = "install",
                                 .type = "badge",
                                 .level = -1,
                                 .state = "open",
                                 .offer_ticket = "for-everybody",
                                 .cards = 3,
                                 .cards_left = 1,
                                 .openings_left = 2,
                                 .created_ms = 11,
                                 .expires_ms = 1000};
static struct session_row session = {.id = "0000000000000000000000000000000A",
                                     .token_digest = {0xBB},
                                     .order = "00000000000000000000000000000001",
                                     .card = "4790-01",
                                     .state = {(uint8_t *)"\0\1", 2},
                                     .request_digest = {0xCC},
                                     .reply = {(uint8_t *)"reply", 5},
                                     .dialogue = {(uint8_t *)"trace", 5},
                                     .step = "identify",
                                     .posts = 1,
                                     .commands = 2,
                                     .bytes = 3,
                                     .created_ms = 12,
                                     .updated_ms = 13};
static struct audit_row audit = {
    .time_ms = 14, .who = "admin token", .what = "app.add", .object = "hello", .detail = "x"};

#define CHANGE(k, member, r) ((struct change){.kind = (k), .row.member = (r), .limit = 3, .now_ms = 500})

static enum err apply(struct world *w, struct change c)
{
    struct test_outcome o = test_apply(&w->store, &c, 1);
    assert_int_equal(o.failed, 0);
    return o.e;
}

#define APPLY(w, k, member, r)          assert_int_equal(apply((w), CHANGE(k, member, r)), OK)
#define REFUSED(w, error, k, member, r) assert_int_equal(apply((w), CHANGE(k, member, r)), (error))

static void fill(struct world *w)
{
    APPLY(w, APP_ADD, app, &app);
    APPLY(w, TYPE_ADD, type, &type);
    APPLY(w, KEY_ADD, key, &key);
    APPLY(w, CARD_PUT, card, &card);
    APPLY(w, ORDER_ADD, order, &order);
    APPLY(w, SESSION_ADD, session, &session);
    APPLY(w, AUDIT_ADD, audit, &audit);
}

static void assert_blob(const struct blob *got, const struct blob *want)
{
    assert_int_equal(got->len, want->len);
    if (want->len > 0)
        assert_memory_equal(got->data, want->data, want->len);
}

/* ---- what goes in comes back ---- */

static void rows_come_back(void **state)
{
    struct world *w = *state;
    const struct store_ops *ops = w->store.ops;
    void *ctx = w->store.ctx;
    fill(w);

    struct app_row a;
    assert_int_equal(ops->get_app(ctx, "hello", &a), OK);
    assert_blob(&a.cap, &app.cap);
    assert_blob(&a.sequence, &app.sequence);
    assert_blob(&a.info, &app.info);
    assert_memory_equal(a.sha256, app.sha256, DIGEST_LEN);
    assert_memory_equal(&a.package.aid, &app.package.aid, sizeof(app.package.aid));
    assert_int_equal(a.package.minor, 4);
    assert_int_equal(a.created_ms, app.created_ms);
    assert_string_equal(a.approved_by, "admin token");
    assert_int_equal(a.approved_ms, app.approved_ms);
    app_row_free(&a);

    struct key_row k;
    assert_int_equal(ops->get_key(ctx, "master", 1, &k), OK);
    assert_int_equal(k.attributes.type, KEY_AES);
    assert_int_equal(k.attributes.key_len, 16);
    assert_memory_equal(k.kcv, key.kcv, 9);
    assert_blob(&k.sealed, &key.sealed);
    key_row_free(&k);

    struct card_row c;
    assert_int_equal(ops->get_card(ctx, card.number, &c), OK);
    assert_string_equal(c.type, "badge");
    assert_int_equal(c.pinned_scp, -1);
    assert_int_equal(c.pinned_i, 0x70);
    assert_true(c.registry_proven);
    assert_false(c.quarantined);
    assert_int_equal(c.revision, 1);
    assert_int_equal(c.registry.len, 0);
    card_row_free(&c);

    struct order_row o;
    assert_int_equal(ops->get_order_by_ticket(ctx, order.ticket_digest, &o), OK);
    assert_string_equal(o.id, order.id);
    assert_int_equal(o.level, -1);
    assert_int_equal(o.expires_ms, 1000);
    assert_string_equal(o.offer_ticket, "for-everybody");
    assert_int_equal(o.cards, 3);

    struct session_row s;
    assert_int_equal(ops->get_session(ctx, session.id, &s), OK);
    assert_memory_equal(s.token_digest, session.token_digest, DIGEST_LEN);
    assert_string_equal(s.order, order.id);
    assert_blob(&s.state, &session.state);
    assert_blob(&s.reply, &session.reply);
    assert_blob(&s.dialogue, &session.dialogue);
    assert_memory_equal(s.request_digest, session.request_digest, DIGEST_LEN);
    assert_int_equal(s.bytes, 3);
    session_row_free(&s);
}

static void absent_rows_are_not_found(void **state)
{
    struct world *w = *state;
    const struct store_ops *ops = w->store.ops;
    void *ctx = w->store.ctx;
    static const uint8_t digest[DIGEST_LEN];
    struct app_row a;
    struct type_row t;
    struct key_row k;
    struct card_row c;
    struct order_row o;
    struct session_row s;
    struct ledger_row l;
    assert_int_equal(ops->get_app(ctx, "x", &a), ERR_NOT_FOUND);
    assert_int_equal(ops->get_type(ctx, "x", &t), ERR_NOT_FOUND);
    assert_int_equal(ops->get_key(ctx, "x", 0, &k), ERR_NOT_FOUND);
    assert_int_equal(ops->get_card_key(ctx, "", KEY_USE_CARD, &k), ERR_NOT_FOUND);
    assert_int_equal(ops->get_card(ctx, "x", &c), ERR_NOT_FOUND);
    assert_int_equal(ops->get_order(ctx, "x", &o), ERR_NOT_FOUND);
    assert_int_equal(ops->get_order_by_ticket(ctx, digest, &o), ERR_NOT_FOUND);
    assert_int_equal(ops->get_session(ctx, "x", &s), ERR_NOT_FOUND);
    assert_int_equal(ops->get_ledger(ctx, "x", 1, &l), OK);
    assert_string_equal(l.card, "x");
    assert_int_equal(l.openings, 0);
}

/* ---- guards ---- */

static void apps_are_guarded(void **state)
{
    struct world *w = *state;
    REFUSED(w, ERR_NOT_FOUND, APP_PUT_SEQUENCE, app, &app);
    REFUSED(w, ERR_NOT_FOUND, APP_REMOVE, app, &app);
    REFUSED(w, ERR_NOT_FOUND, APP_PUT_TEXTS, app, &app);
    REFUSED(w, ERR_NOT_FOUND, APP_APPROVE, app, &app);
    fill(w);
    REFUSED(w, ERR_EXISTS, APP_ADD, app, &app);

    struct app_row changed = app, got;
    changed.sequence = (struct blob){(uint8_t *)"load hash=sha256\n", 17};
    APPLY(w, APP_PUT_SEQUENCE, app, &changed);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), OK);
    assert_blob(&got.sequence, &changed.sequence);
    assert_blob(&got.cap, &app.cap);
    app_row_free(&got);

    changed.info = (struct blob){(uint8_t *)"{\"title\":\"x\"}", 13};
    changed.sha256[0] ^= 1; /* another file has the name now */
    REFUSED(w, ERR_NOT_FOUND, APP_PUT_SEQUENCE, app, &changed);
    REFUSED(w, ERR_NOT_FOUND, APP_PUT_TEXTS, app, &changed);
    changed.sha256[0] ^= 1;
    APPLY(w, APP_PUT_TEXTS, app, &changed);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), OK);
    assert_blob(&got.info, &changed.info);
    app_row_free(&got);

    REFUSED(w, ERR_CONFLICT, APP_REMOVE, app, &app);
    APPLY(w, ORDER_CANCEL, order, &order);
    APPLY(w, APP_REMOVE, app, &app);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), ERR_NOT_FOUND);
}

static void an_app_is_approved_before_it_is_ordered(void **state)
{
    struct world *w = *state;
    struct app_row waiting = app, got;
    struct store_counts counts;
    waiting.approved_by[0] = '\0';
    waiting.approved_ms = 0;
    APPLY(w, TYPE_ADD, type, &type);
    APPLY(w, APP_ADD, app, &waiting);
    REFUSED(w, ERR_POLICY, ORDER_ADD, order, &order);
    assert_int_equal(w->store.ops->get_counts(w->store.ctx, 0, &counts), OK);
    assert_int_equal(counts.apps_waiting, 1);
    APPLY(w, APP_APPROVE, app, &app);
    REFUSED(w, ERR_STATE, APP_APPROVE, app, &app);
    APPLY(w, ORDER_ADD, order, &order);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), OK);
    assert_string_equal(got.approved_by, app.approved_by);
    assert_int_equal(got.approved_ms, app.approved_ms);
    app_row_free(&got);

    /* Another sequence is another thing to look at. */
    APPLY(w, APP_PUT_SEQUENCE, app, &waiting);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), OK);
    assert_string_equal(got.approved_by, "");
    assert_int_equal(got.approved_ms, 0);
    app_row_free(&got);
}

static void a_new_ticket_takes_the_place_of_the_old(void **state)
{
    struct world *w = *state;
    struct order_row fresh = order, got;
    fresh.ticket_digest[0] = 0xAB;
    snprintf(fresh.offer_ticket, sizeof(fresh.offer_ticket), "another");
    REFUSED(w, ERR_NOT_FOUND, ORDER_TICKET, order, &fresh);
    fill(w);
    struct change late = CHANGE(ORDER_TICKET, order, &fresh);
    late.now_ms = order.expires_ms;
    assert_int_equal(apply(w, late), ERR_STATE);
    APPLY(w, ORDER_TICKET, order, &fresh);
    assert_int_equal(w->store.ops->get_order_by_ticket(w->store.ctx, order.ticket_digest, &got),
                     ERR_NOT_FOUND);
    assert_int_equal(w->store.ops->get_order_by_ticket(w->store.ctx, fresh.ticket_digest, &got), OK);
    assert_string_equal(got.offer_ticket, "another");
    assert_int_equal(got.cards_left, order.cards_left);
    APPLY(w, ORDER_CANCEL, order, &order);
    REFUSED(w, ERR_STATE, ORDER_TICKET, order, &fresh);
}

static void types_are_guarded(void **state)
{
    struct world *w = *state;
    struct type_row other = {.name = "other", .spec = {(uint8_t *)"{1}", 3}}, got;
    REFUSED(w, ERR_NOT_FOUND, TYPE_REMOVE, type, &type);
    fill(w);
    REFUSED(w, ERR_EXISTS, TYPE_ADD, type, &type);
    APPLY(w, TYPE_PUT, type, &other);
    other.spec = (struct blob){(uint8_t *)"{2}", 3};
    APPLY(w, TYPE_PUT, type, &other);
    assert_int_equal(w->store.ops->get_type(w->store.ctx, "other", &got), OK);
    assert_blob(&got.spec, &other.spec);
    type_row_free(&got);

    /* A type that cards have can be put again, but not removed. */
    APPLY(w, TYPE_PUT, type, &type);
    APPLY(w, ORDER_CANCEL, order, &order);
    REFUSED(w, ERR_CONFLICT, TYPE_REMOVE, type, &type);

    /* Nor one that an open order names. */
    struct order_row of_other = order;
    snprintf(of_other.type, sizeof(of_other.type), "other");
    of_other.id[0] = '2';
    of_other.ticket_digest[0] = 2;
    APPLY(w, ORDER_ADD, order, &of_other);
    REFUSED(w, ERR_CONFLICT, TYPE_REMOVE, type, &other);
    APPLY(w, ORDER_CANCEL, order, &of_other);
    APPLY(w, TYPE_REMOVE, type, &other);
    assert_int_equal(w->store.ops->get_type(w->store.ctx, "other", &got), ERR_NOT_FOUND);
}

static void keys_are_guarded(void **state)
{
    struct world *w = *state;
    struct key_row got, second = key;
    REFUSED(w, ERR_NOT_FOUND, KEY_RETIRE, key, &key);
    fill(w);
    REFUSED(w, ERR_EXISTS, KEY_ADD, key, &key);
    second.attributes.version = 2;
    APPLY(w, KEY_ADD, key, &second);
    assert_int_equal(w->store.ops->get_key(w->store.ctx, "master", 0, &got), OK);
    assert_int_equal(got.attributes.version, 2);
    key_row_free(&got);
    APPLY(w, KEY_RETIRE, key, &second);
    assert_int_equal(w->store.ops->get_key(w->store.ctx, "master", 0, &got), OK);
    assert_int_equal(got.attributes.version, 1);
    key_row_free(&got);
    assert_int_equal(w->store.ops->get_key(w->store.ctx, "master", 2, &got), OK);
    assert_true(got.retired);
    key_row_free(&got);
    /* 0 is "the newest" and never a version. */
    second.attributes.version = 0;
    REFUSED(w, ERR_ARGUMENT, KEY_ADD, key, &second);
}

static void a_card_has_its_key(void **state)
{
    struct world *w = *state;
    struct key_row of_card = key, got;
    snprintf(of_card.attributes.name, sizeof(of_card.attributes.name), "card-key");
    snprintf(of_card.attributes.card, sizeof(of_card.attributes.card), "4790-01");
    of_card.attributes.use = KEY_USE_DERIVE;
    APPLY(w, KEY_ADD, key, &of_card);
    assert_int_equal(w->store.ops->get_card_key(w->store.ctx, "4790-01", KEY_USE_CARD, &got), ERR_NOT_FOUND);
    of_card.attributes.use = KEY_USE_CARD;
    of_card.attributes.version = 2;
    APPLY(w, KEY_ADD, key, &of_card);
    assert_int_equal(w->store.ops->get_card_key(w->store.ctx, "4790-01", KEY_USE_CARD, &got), OK);
    assert_int_equal(got.attributes.version, 2);
    key_row_free(&got);
    assert_int_equal(w->store.ops->get_card_key(w->store.ctx, "4790-02", KEY_USE_CARD, &got), ERR_NOT_FOUND);
    APPLY(w, KEY_RETIRE, key, &of_card);
    assert_int_equal(w->store.ops->get_card_key(w->store.ctx, "4790-01", KEY_USE_CARD, &got), ERR_NOT_FOUND);
}

static void a_card_changes_only_as_it_was_read(void **state)
{
    struct world *w = *state;
    struct card_row changed = card, got;
    fill(w);                                         /* revision 1 */
    REFUSED(w, ERR_CONFLICT, CARD_PUT, card, &card); /* 0: would have to be new */
    changed.revision = 2;
    REFUSED(w, ERR_CONFLICT, CARD_PUT, card, &changed);
    changed.revision = 1;
    changed.quarantined = true;
    snprintf(changed.reason, sizeof(changed.reason), "6983");
    APPLY(w, CARD_PUT, card, &changed);
    REFUSED(w, ERR_CONFLICT, CARD_PUT, card, &changed); /* the same again comes too late */
    assert_int_equal(w->store.ops->get_card(w->store.ctx, card.number, &got), OK);
    assert_int_equal(got.revision, 2);
    assert_true(got.quarantined);
    card_row_free(&got);

    struct card_row stranger = card;
    snprintf(stranger.number, sizeof(stranger.number), "1");
    stranger.revision = 1;
    REFUSED(w, ERR_CONFLICT, CARD_PUT, card, &stranger); /* no such row to change */
    stranger.revision = 0;
    snprintf(stranger.type, sizeof(stranger.type), "unknown");
    REFUSED(w, ERR_CONFLICT, CARD_PUT, card, &stranger); /* no such type */
    stranger.type[0] = '\0';
    APPLY(w, CARD_PUT, card, &stranger);
}

static void ledger_is(struct world *w, uint32_t openings, uint32_t wrong, uint32_t loads)
{
    struct ledger_row got;
    assert_int_equal(w->store.ops->get_ledger(w->store.ctx, "4790-01", 0x30, &got), OK);
    assert_int_equal(got.openings, openings);
    assert_int_equal(got.wrong_cryptograms, wrong);
    assert_int_equal(got.failed_loads, loads);
}

static void openings_stop_at_the_limit(void **state)
{
    struct world *w = *state;
    struct ledger_row other = ledger;
    other.kvn = 0x31;
    for (int i = 0; i < 3; i++)
        APPLY(w, LEDGER_OPENING, ledger, &ledger);
    REFUSED(w, ERR_BLOCKED, LEDGER_OPENING, ledger, &ledger);
    ledger_is(w, 3, 0, 0);
    APPLY(w, LEDGER_OPENING, ledger, &other); /* another key version counts for itself */
    APPLY(w, LEDGER_CLEAR, ledger, &ledger);
    ledger_is(w, 0, 0, 0);
    APPLY(w, LEDGER_OPENING, ledger, &ledger);

    struct change none = CHANGE(LEDGER_OPENING, ledger, &ledger);
    none.limit = 0;
    assert_int_equal(apply(w, none), ERR_BLOCKED);
}

static void a_wrong_cryptogram_stops_openings(void **state)
{
    struct world *w = *state;
    APPLY(w, LEDGER_WRONG, ledger, &ledger);
    REFUSED(w, ERR_BLOCKED, LEDGER_OPENING, ledger, &ledger);
    APPLY(w, LEDGER_RELEASE, ledger, &ledger);
    REFUSED(w, ERR_BLOCKED, LEDGER_OPENING, ledger, &ledger);
    APPLY(w, LEDGER_CLEAR, ledger, &ledger);
    APPLY(w, LEDGER_OPENING, ledger, &ledger);
}

static void openings_are_released_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct change one = CHANGE(LEDGER_RELEASE, ledger, &ledger);
    one.limit = 1;
    APPLY(w, LEDGER_LOAD_FAILED, ledger, &ledger); /* the first thing that is known of this key version */
    ledger_is(w, 0, 0, 1);
    APPLY(w, LEDGER_CLEAR, ledger, &ledger);
    APPLY(w, LEDGER_OPENING, ledger, &ledger);
    APPLY(w, LEDGER_OPENING, ledger, &ledger);
    APPLY(w, LEDGER_LOAD_FAILED, ledger, &ledger);
    APPLY(w, LEDGER_WRONG, ledger, &ledger);
    assert_int_equal(apply(w, one), OK);
    ledger_is(w, 1, 1, 1);
    APPLY(w, LEDGER_RELEASE, ledger, &ledger); /* 3, and there is 1 */
    ledger_is(w, 0, 1, 1);
    APPLY(w, LEDGER_CLEAR, ledger, &ledger);
    ledger_is(w, 0, 0, 0);
}

static void a_card_in_quarantine_opens_nothing_until_released(void **state)
{
    struct world *w = *state;
    struct card_row caught = card, got;
    REFUSED(w, ERR_NOT_FOUND, CARD_RELEASE, card, &caught);
    APPLY(w, TYPE_ADD, type, &type);
    caught.quarantined = true;
    snprintf(caught.reason, sizeof(caught.reason), "6983");
    APPLY(w, CARD_PUT, card, &caught);
    REFUSED(w, ERR_BLOCKED, LEDGER_OPENING, ledger, &ledger);
    APPLY(w, LEDGER_WRONG, ledger, &ledger);

    APPLY(w, CARD_RELEASE, card, &caught);
    assert_int_equal(w->store.ops->get_card(w->store.ctx, card.number, &got), OK);
    assert_false(got.quarantined);
    assert_string_equal(got.reason, "");
    assert_int_equal(got.revision, 2); /* who has read it before cannot put it back */
    card_row_free(&got);
    ledger_is(w, 0, 0, 0);
    APPLY(w, LEDGER_OPENING, ledger, &ledger);
}

static void orders_are_guarded(void **state)
{
    struct world *w = *state;
    struct order_row got, bad = order;
    REFUSED(w, ERR_NOT_FOUND, ORDER_ADD, order, &order); /* neither app nor type */
    APPLY(w, APP_ADD, app, &app);
    REFUSED(w, ERR_NOT_FOUND, ORDER_ADD, order, &order); /* no type */
    APPLY(w, TYPE_ADD, type, &type);
    snprintf(bad.app, sizeof(bad.app), "unknown");
    REFUSED(w, ERR_NOT_FOUND, ORDER_ADD, order, &bad);
    REFUSED(w, ERR_NOT_FOUND, ORDER_OPENING, order, &order);
    REFUSED(w, ERR_NOT_FOUND, ORDER_CANCEL, order, &order);
    REFUSED(w, ERR_NOT_FOUND, ORDER_SERVED, order, &order);
    APPLY(w, ORDER_ADD, order, &order);
    REFUSED(w, ERR_EXISTS, ORDER_ADD, order, &order);

    struct change late = CHANGE(ORDER_OPENING, order, &order);
    late.now_ms = order.expires_ms;
    assert_int_equal(apply(w, late), ERR_EXPIRED);
    APPLY(w, ORDER_OPENING, order, &order);
    APPLY(w, ORDER_OPENING, order, &order);
    REFUSED(w, ERR_BLOCKED, ORDER_OPENING, order, &order); /* two were allowed */

    APPLY(w, ORDER_SERVED, order, &order);
    assert_int_equal(w->store.ops->get_order(w->store.ctx, order.id, &got), OK);
    assert_string_equal(got.state, "done");
    assert_int_equal(got.cards_left, 0);
    APPLY(w, ORDER_SERVED, order, &order); /* what happened is recorded, below 0 it does not go */
    REFUSED(w, ERR_STATE, ORDER_CANCEL, order, &order);
    REFUSED(w, ERR_STATE, ORDER_OPENING, order, &order);
}

static void an_order_of_many_cards_stays_open(void **state)
{
    struct world *w = *state;
    struct order_row many = order, got;
    many.cards_left = 2;
    APPLY(w, APP_ADD, app, &app);
    APPLY(w, TYPE_ADD, type, &type);
    APPLY(w, ORDER_ADD, order, &many);
    APPLY(w, ORDER_SERVED, order, &many);
    assert_int_equal(w->store.ops->get_order(w->store.ctx, many.id, &got), OK);
    assert_string_equal(got.state, "open");
    APPLY(w, ORDER_CANCEL, order, &many);
    APPLY(w, ORDER_SERVED, order,
          &many); /* a delivery under way is recorded, and the order stays cancelled */
    assert_int_equal(w->store.ops->get_order(w->store.ctx, many.id, &got), OK);
    assert_string_equal(got.state, "cancelled");
}

static void sessions_change_only_as_they_were_read(void **state)
{
    struct world *w = *state;
    struct session_row next = session, got;
    REFUSED(w, ERR_CONFLICT, SESSION_ADD, session, &session); /* no such order */
    fill(w);
    REFUSED(w, ERR_EXISTS, SESSION_ADD, session, &session);
    REFUSED(w, ERR_CONFLICT, SESSION_PUT, session, &next);
    next.revision = 1;
    next.token_digest[0] = 0xDD;
    next.state = (struct blob){0};
    next.dialogue = (struct blob){(uint8_t *)"longer", 6};
    (void)snprintf(next.card, sizeof(next.card), "%s", "42-01");
    (void)snprintf(next.step, sizeof(next.step), "%s", "done");
    (void)snprintf(next.outcome, sizeof(next.outcome), "%s", "failed");
    (void)snprintf(next.reason, sizeof(next.reason), "%s", "no-answer");
    (void)snprintf(next.detail, sizeof(next.detail), "%s", "nothing came");
    memset(next.request_digest, 0xEE, sizeof(next.request_digest));
    next.posts += 1;
    next.commands += 2;
    next.bytes += 3;
    next.updated_ms += 4;
    APPLY(w, SESSION_PUT, session, &next);
    REFUSED(w, ERR_CONFLICT, SESSION_PUT, session, &next);
    assert_int_equal(w->store.ops->get_session(w->store.ctx, session.id, &got), OK);
    assert_memory_equal(got.token_digest, next.token_digest, DIGEST_LEN);
    assert_int_equal(got.revision, 2);
    assert_int_equal(got.state.len, 0);
    assert_blob(&got.dialogue, &next.dialogue);
    assert_string_equal(got.id, next.id);
    assert_string_equal(got.order, next.order);
    assert_string_equal(got.card, next.card);
    assert_string_equal(got.step, next.step);
    assert_string_equal(got.outcome, next.outcome);
    assert_string_equal(got.reason, next.reason);
    assert_string_equal(got.detail, next.detail);
    assert_memory_equal(got.request_digest, next.request_digest, sizeof(got.request_digest));
    assert_true(view_equal(blob_view(&got.reply), blob_view(&next.reply)));
    assert_int_equal(got.posts, next.posts);
    assert_int_equal(got.commands, next.commands);
    assert_int_equal(got.bytes, next.bytes);
    assert_int_equal(got.created_ms, next.created_ms);
    assert_int_equal(got.updated_ms, next.updated_ms);
    session_row_free(&got);
    /* One that was never added is not put. */
    memset(next.id, 'f', ID_TEXT);
    next.revision = 0;
    REFUSED(w, ERR_CONFLICT, SESSION_PUT, session, &next);
}

/* ---- change sets ---- */

static void a_set_is_all_or_nothing(void **state)
{
    struct world *w = *state;
    struct app_row got;
    struct change set[] = {CHANGE(APP_ADD, app, &app), CHANGE(AUDIT_ADD, audit, &audit),
                           CHANGE(ORDER_CANCEL, order, &order)};
    struct test_outcome o = test_apply(&w->store, set, 3);
    assert_int_equal(o.e, ERR_NOT_FOUND);
    assert_int_equal(o.failed, 2);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), ERR_NOT_FOUND);
    assert_int_equal(test_apply(&w->store, set, 2).e, OK);
    assert_int_equal(w->store.ops->get_app(w->store.ctx, "hello", &got), OK);
    app_row_free(&got);
}

static void malformed_sets_are_refused(void **state)
{
    struct world *w = *state;
    struct change none = CHANGE(CHANGE_COUNT, app, &app), no_row = CHANGE(APP_ADD, app, NULL);
    assert_int_equal(apply(w, none), ERR_ARGUMENT);
    assert_int_equal(apply(w, no_row), ERR_ARGUMENT);
    assert_int_equal(test_apply(&w->store, NULL, 0).e, OK);
}

enum { MANY = 300 };

/* Many sets in few transactions; every third is refused, alone. */
static void refused_sets_do_not_harm_their_neighbours(void **state)
{
    struct world *w = *state;
    static struct test_outcome outcomes[MANY];
    memset(outcomes, 0, sizeof(outcomes));
    for (size_t i = 0; i < MANY; i++) {
        struct type_row row = {.name = "", .spec = type.spec};
        snprintf(row.name, sizeof(row.name), "t%03zu", i);
        struct change set[] = {CHANGE(TYPE_ADD, type, &row), CHANGE(ORDER_CANCEL, order, &order)};
        w->store.ops->submit(w->store.ctx, set, i % 3 == 0 ? 2 : 1, test_take_outcome, &outcomes[i]);
    }
    while (!outcomes[MANY - 1].done)
        test_dispatch(&w->store);
    for (size_t i = 0; i < MANY; i++) {
        char name[8];
        struct type_row got;
        snprintf(name, sizeof(name), "t%03zu", i);
        enum err e = w->store.ops->get_type(w->store.ctx, name, &got);
        assert_true(outcomes[i].done);
        assert_int_equal(outcomes[i].e, i % 3 == 0 ? ERR_NOT_FOUND : OK);
        assert_int_equal(outcomes[i].failed, i % 3 == 0 ? 1 : 0);
        assert_int_equal(e, i % 3 == 0 ? ERR_NOT_FOUND : OK);
        if (e == OK)
            type_row_free(&got);
    }
    struct store_stats stats;
    w->store.ops->stats(w->store.ctx, &stats);
    assert_int_equal(stats.sets, MANY);
    assert_int_equal(stats.sets_refused, MANY / 3);
    assert_true(stats.commits < MANY);
    assert_true(stats.batch_max > 1);
}

static void what_was_submitted_is_written_before_closing(void **state)
{
    struct world *w = *state;
    struct test_outcome o = {0};
    struct type_row got;
    struct change c = CHANGE(TYPE_ADD, type, &type);
    w->store.ops->submit(w->store.ctx, &c, 1, test_take_outcome, &o);
    w->store.ops->close(w->store.ctx);
    w->store.ops = NULL;
    assert_true(o.done);
    assert_int_equal(o.e, OK);
    assert_int_equal(store_open_sqlite(&w->store, w->folder.file), OK);
    assert_int_equal(w->store.ops->get_type(w->store.ctx, "badge", &got), OK);
    type_row_free(&got);
}

/* ---- listings ---- */

struct names {
    char text[10][CARD_NUMBER_TEXT_MAX + 1];
    size_t count, stop_after;
};

static enum err take_name(struct names *n, const char *name)
{
    if (n->stop_after > 0 && n->count == n->stop_after)
        return ERR_LIMIT;
    assert_true(n->count < 10);
    snprintf(n->text[n->count++], sizeof(n->text[0]), "%s", name);
    return OK;
}

static enum err each_type(void *arg, struct type_row *row)
{
    return take_name(arg, row->name);
}

static enum err each_key(void *arg, struct key_row *row)
{
    char text[CARD_NUMBER_TEXT_MAX + 1];
    snprintf(text, sizeof(text), "%s/%u", row->attributes.name, row->attributes.version);
    return take_name(arg, text);
}

static enum err each_order(void *arg, struct order_row *row)
{
    return take_name(arg, row->id);
}

static enum err each_session(void *arg, struct session_row *row)
{
    assert_int_equal(row->state.len, 0);
    assert_int_equal(row->reply.len, 0);
    assert_int_equal(row->dialogue.len, 0);
    return take_name(arg, row->id);
}

static enum err each_card(void *arg, struct card_row *row)
{
    return take_name(arg, row->number);
}

static enum err each_tally(void *arg, struct tally_row *row)
{
    char text[CARD_NUMBER_TEXT_MAX + 1];
    snprintf(text, sizeof(text), "%u/%s/%s=%u", row->day, row->outcome, row->reason, (unsigned)row->count);
    return take_name(arg, text);
}

static enum err each_audit(void *arg, struct audit_row *row)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->number);
    return take_name(arg, text);
}

static void expect_names(const struct names *n, const char *list)
{
    char got[500] = "";
    for (size_t i = 0; i < n->count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "", n->text[i]);
    assert_string_equal(got, list);
}

static void listings_page_by_name(void **state)
{
    struct world *w = *state;
    static const char *const type_names[] = {"b", "a", "ab", "abc", "\xC3\xA4"};
    for (size_t i = 0; i < 5; i++) {
        struct type_row row = type;
        snprintf(row.name, sizeof(row.name), "%s", type_names[i]);
        APPLY(w, TYPE_ADD, type, &row);
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 50}, "a ab abc b \xC3\xA4"},
        {{.limit = 2}, "a ab"},
        {{.limit = 2, .after = "ab"}, "abc b"},
        {{.limit = 9, .match = "ab"}, "ab abc"},
        {{.limit = 9, .match = "ab", .after = "ab"}, "abc"},
        {{.limit = 9, .match = "x"}, ""},
        {{.limit = 9, .after = "\xC3\xA4"}, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_types(w->store.ctx, &rows[i].l, each_type, &n), OK);
        expect_names(&n, rows[i].want);
    }
    struct listing none = {.limit = 0}, much = {.limit = PAGE_MAX + 1}, all = {.limit = PAGE_MAX};
    struct names n = {.stop_after = 2};
    assert_int_equal(w->store.ops->list_types(w->store.ctx, &none, each_type, &n), ERR_ARGUMENT);
    assert_int_equal(w->store.ops->list_types(w->store.ctx, &much, each_type, &n), ERR_ARGUMENT);
    assert_int_equal(w->store.ops->list_types(w->store.ctx, &all, each_type, &n), ERR_LIMIT);
    assert_int_equal(n.count, 2);
}

static void keys_page_by_name_and_version(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i < 4; i++) {
        struct key_row row = key;
        snprintf(row.attributes.name, sizeof(row.attributes.name), i < 3 ? "k" : "k2");
        row.attributes.version = i < 3 ? 9 + i : 1; /* 9, 10, 11: in order as numbers */
        APPLY(w, KEY_ADD, key, &row);
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 50}, "k/9 k/10 k/11 k2/1"},
        {{.limit = 50, .after = "k/10"}, "k/11 k2/1"},
        {{.limit = 50, .match = "k2"}, "k2/1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_keys(w->store.ctx, &rows[i].l, each_key, &n), OK);
        expect_names(&n, rows[i].want);
    }
}

static void orders_sessions_and_audit_come_newest_first(void **state)
{
    struct world *w = *state;
    APPLY(w, APP_ADD, app, &app);
    APPLY(w, TYPE_ADD, type, &type);
    for (uint8_t i = 1; i <= 3; i++) {
        struct order_row o = order;
        struct session_row s = session;
        struct audit_row a = audit;
        snprintf(o.id, sizeof(o.id), "o%u", i);
        o.ticket_digest[0] = i;
        snprintf(s.id, sizeof(s.id), "s%u", i);
        snprintf(s.order, sizeof(s.order), i < 3 ? "o1" : "o3");
        snprintf(s.card, sizeof(s.card), i < 2 ? "c1" : "c2");
        snprintf(a.object, sizeof(a.object), i < 2 ? "c1" : "c2");
        snprintf(a.what, sizeof(a.what), i < 3 ? "app.add" : "key.add");
        APPLY(w, ORDER_ADD, order, &o);
        if (i == 3)
            APPLY(w, ORDER_CANCEL, order, &o); /* does not move it */
        struct order_row first = o;
        snprintf(first.id, sizeof(first.id), "o1");
        APPLY(w, SESSION_ADD, session, &s);
        APPLY(w, AUDIT_ADD, audit, &a);
    }
    struct {
        int what;
        struct listing l;
        const char *want;
    } rows[] = {
        {0, {.limit = 9}, "o3 o2 o1"},
        {0, {.limit = 9, .after = "o2"}, "o1"},
        {0, {.limit = 9, .after = "o9"}, ""},
        {1, {.limit = 2}, "s3 s2"},
        {1, {.limit = 9, .order = "o1"}, "s2 s1"},
        {1, {.limit = 9, .order = "o1", .card = "c1"}, "s1"},
        {1, {.limit = 9, .card = "c2"}, "s3 s2"},
        {1, {.limit = 9, .card = "c2", .after = "s3"}, "s2"},
        {2, {.limit = 9}, "3 2 1"},
        {2, {.limit = 9, .after = "3"}, "2 1"},
        {2, {.limit = 9, .match = "key."}, "3"},
        {2, {.limit = 9, .card = "c2"}, "3 2"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        const struct store *s = &w->store;
        enum err e = rows[i].what == 0   ? s->ops->list_orders(s->ctx, &rows[i].l, each_order, &n)
                     : rows[i].what == 1 ? s->ops->list_sessions(s->ctx, &rows[i].l, each_session, &n)
                                         : s->ops->list_audit(s->ctx, &rows[i].l, each_audit, &n);
        assert_int_equal(e, OK);
        expect_names(&n, rows[i].want);
    }
}

static void cards_are_filtered(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *number, *type;
        bool set_aside;
    } cards[] = {{"3", "badge", true}, {"1", "badge", false}, {"12", "other", true},
                 {"2", "badge", true}, {"11", "badge", true}, {"4", "", true}};
    struct type_row other = {.name = "other", .spec = type.spec};
    APPLY(w, TYPE_ADD, type, &type);
    APPLY(w, TYPE_ADD, type, &other);
    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        struct card_row row = card;
        snprintf(row.number, sizeof(row.number), "%s", cards[i].number);
        snprintf(row.type, sizeof(row.type), "%s", cards[i].type);
        row.quarantined = cards[i].set_aside;
        APPLY(w, CARD_PUT, card, &row);
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 9}, "1 11 12 2 3 4"},
        {{.limit = 9, .type = "badge"}, "1 11 2 3"},
        {{.limit = 2, .type = "badge", .after = "1"}, "11 2"},
        {{.limit = 9, .type = "badge", .match = "1"}, "1 11"},
        {{.limit = 9, .type = "none"}, ""},
        {{.limit = 9, .set_aside = true}, "11 12 2 3 4"},
        {{.limit = 9, .set_aside = true, .after = "12"}, "2 3 4"},
        {{.limit = 9, .set_aside = true, .type = "badge"}, "11 2 3"},
        {{.limit = 9, .set_aside = true, .match = "1"}, "11 12"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_cards(w->store.ctx, &rows[i].l, each_card, &n), OK);
        expect_names(&n, rows[i].want);
    }
    struct store_counts counts;
    assert_int_equal(w->store.ops->get_counts(w->store.ctx, 0, &counts), OK);
    assert_int_equal(counts.cards, 6);
    assert_int_equal(counts.cards_set_aside, 5);
}

/* Ids of two families, so that those that begin alike are not neighbours in time. */
static void orders_are_filtered(void **state)
{
    struct world *w = *state;
    struct app_row second = app;
    snprintf(second.name, sizeof(second.name), "other");
    static const struct {
        const char *id, *app, *card;
        uint64_t expires_ms;
        bool offer, cancelled;
        uint32_t cards_left, openings_left;
    } orders[] = {
        {"a1", "hello", "", 1000, true, false, 1, 1},   {"b1", "hello", "", 400, true, false, 1, 1},
        {"a2", "other", "1", 1000, false, false, 1, 1}, {"b2", "other", "", 1000, true, true, 1, 1},
        {"a3", "hello", "1", 1000, false, true, 1, 1},  {"b3", "hello", "", 1000, true, false, 0, 1},
        {"a4", "", "1", 1000, false, false, 1, 1},      {"b4", "hello", "", 1000, true, false, 1, 0},
        {"a5", "hello", "", 501, true, false, 1, 1},
    };
    APPLY(w, APP_ADD, app, &app);
    APPLY(w, APP_ADD, app, &second);
    APPLY(w, TYPE_ADD, type, &type);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct order_row o = order;
        snprintf(o.id, sizeof(o.id), "%s", orders[i].id);
        snprintf(o.app, sizeof(o.app), "%s", orders[i].app);
        snprintf(o.card, sizeof(o.card), "%s", orders[i].card);
        snprintf(o.offer_ticket, sizeof(o.offer_ticket), "%s", orders[i].offer ? "x" : "");
        o.ticket_digest[0] = (uint8_t)i;
        o.expires_ms = orders[i].expires_ms;
        o.cards_left = orders[i].cards_left;
        o.openings_left = orders[i].openings_left;
        APPLY(w, ORDER_ADD, order, &o);
        if (orders[i].cancelled)
            APPLY(w, ORDER_CANCEL, order, &o);
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 9}, "a5 b4 a4 b3 a3 b2 a2 b1 a1"},
        {{.limit = 9, .open = true, .now_ms = 500}, "a5 b4 a4 b3 a2 a1"},
        {{.limit = 9, .open = true, .now_ms = 501}, "b4 a4 b3 a2 a1"},
        {{.limit = 2, .open = true, .now_ms = 501, .after = "a4"}, "b3 a2"},
        {{.limit = 9, .app = "hello"}, "a5 b4 b3 a3 b1 a1"},
        {{.limit = 9, .app = "hello", .after = "a3"}, "b1 a1"},
        {{.limit = 9, .app = "hello", .open = true, .now_ms = 500}, "a5 b4 b3 a1"},
        {{.limit = 9, .card = "1"}, "a4 a3 a2"},
        {{.limit = 9, .card = "1", .after = "a4"}, "a3 a2"},
        {{.limit = 9, .card = "1", .app = "other"}, "a2"},
        {{.limit = 9, .card = "1", .open = true, .now_ms = 500}, "a4 a2"},
        {{.limit = 9, .match = "a"}, "a5 a4 a3 a2 a1"},
        {{.limit = 2, .match = "a", .after = "a4"}, "a3 a2"},
        {{.limit = 9, .match = "b", .app = "hello"}, "b4 b3 b1"},
        {{.limit = 9, .match = "a", .card = "1"}, "a4 a3 a2"},
        {{.limit = 9, .match = "b", .open = true, .now_ms = 500}, "b4 b3"},
        {{.limit = 9, .match = "b4", .after = "none"}, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_orders(w->store.ctx, &rows[i].l, each_order, &n), OK);
        expect_names(&n, rows[i].want);
    }
    const struct listing offers = {.limit = 9, .now_ms = 500}, newest = {.limit = 1, .now_ms = 500};
    struct names n = {0}, first = {0};
    assert_int_equal(w->store.ops->list_offers(w->store.ctx, &offers, each_order, &n), OK);
    expect_names(&n, "a5 a1");
    assert_int_equal(w->store.ops->list_offers(w->store.ctx, &newest, each_order, &first), OK);
    expect_names(&first, "a5");
    struct store_counts counts;
    assert_int_equal(w->store.ops->get_counts(w->store.ctx, 500, &counts), OK);
    assert_int_equal(counts.orders_open, 6);
}

enum { DAY_MS = 86400000 };

static void sessions_are_filtered_and_tallied(void **state)
{
    struct world *w = *state;
    struct store_counts counts;
    fill(w);
    /* One that has ended where it began, and three that run; two of these end, one of them a day later. */
    for (uint8_t i = 1; i <= 4; i++) {
        struct session_row s = session;
        snprintf(s.id, sizeof(s.id), i % 2 == 0 ? "a%u" : "b%u", i);
        snprintf(s.card, sizeof(s.card), i < 3 ? "c1" : "c2");
        snprintf(s.outcome, sizeof(s.outcome), i == 1 ? "failed" : "");
        snprintf(s.reason, sizeof(s.reason), i == 1 ? "wrong-card" : "");
        s.updated_ms = DAY_MS - 1;
        APPLY(w, SESSION_ADD, session, &s);
        if (i < 3)
            continue;
        s.revision = 1;
        APPLY(w, SESSION_PUT, session, &s); /* goes on: nothing is counted */
        s.revision = 2;
        s.updated_ms = i == 3 ? DAY_MS - 1 : DAY_MS;
        snprintf(s.outcome, sizeof(s.outcome), "failed");
        snprintf(s.reason, sizeof(s.reason), "wrong-card");
        APPLY(w, SESSION_PUT, session, &s);
        s.revision = 3;
        APPLY(w, SESSION_PUT, session, &s); /* it had ended: not once more */
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 9, .running = true}, "a2 0000000000000000000000000000000A"},
        {{.limit = 9, .running = true, .after = "a2"}, "0000000000000000000000000000000A"},
        {{.limit = 9, .running = true, .card = "c1"}, "a2"},
        {{.limit = 9, .running = true, .order = "x"}, ""},
        {{.limit = 9, .match = "a"}, "a4 a2"},
        {{.limit = 9, .match = "b", .after = "b3"}, "b1"},
        {{.limit = 9, .match = "a", .running = true}, "a2"},
        {{.limit = 9, .match = "a", .card = "c2"}, "a4"},
        {{.limit = 9, .match = "a", .order = "x"}, ""},
        {{.limit = 9, .card = "c1", .order = "x"}, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_sessions(w->store.ctx, &rows[i].l, each_session, &n), OK);
        expect_names(&n, rows[i].want);
    }
    struct names all = {0}, later = {0};
    assert_int_equal(w->store.ops->list_tallies(w->store.ctx, 0, each_tally, &all), OK);
    expect_names(&all, "0/failed/wrong-card=2 1/failed/wrong-card=1");
    assert_int_equal(w->store.ops->list_tallies(w->store.ctx, 1, each_tally, &later), OK);
    expect_names(&later, "1/failed/wrong-card=1");
    assert_int_equal(w->store.ops->get_counts(w->store.ctx, 0, &counts), OK);
    assert_int_equal(counts.sessions_running, 2);
}

static void the_audit_trail_is_filtered(void **state)
{
    struct world *w = *state;
    static const char *const whats[] = {"app.add", "session.failed", "app.remove", "session.failed",
                                        "app.add"};
    for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
        struct audit_row a = audit;
        snprintf(a.what, sizeof(a.what), "%s", whats[i]);
        APPLY(w, AUDIT_ADD, audit, &a);
    }
    static const struct {
        struct listing l;
        const char *want;
    } rows[] = {
        {{.limit = 9, .match = "app."}, "5 3 1"},
        {{.limit = 9, .match = "app.add"}, "5 1"},
        {{.limit = 1, .match = "app.", .after = "5"}, "3"},
        {{.limit = 9, .match = "session.failed"}, "4 2"},
        {{.limit = 9, .match = "se"}, "4 2"},
        {{.limit = 9, .match = "session.x"}, ""},
        {{.limit = 9, .match = "x"}, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct names n = {0};
        assert_int_equal(w->store.ops->list_audit(w->store.ctx, &rows[i].l, each_audit, &n), OK);
        expect_names(&n, rows[i].want);
    }
}

/* ---- how queries are answered ---- */

/* A query that looks at every row, or sorts, takes longer with every card. These may: */
static const struct {
    enum read_id query;
    const char *step, *reason;
} allowed_steps[] = {
    {READ_COUNTS, "SCAN CONSTANT ROW", "it has no table"},
    {READ_COUNTS, "SCAN (subquery-6)", "one row: what the numbers are selected from"},
    {READ_COUNTS, "SCAN cards USING COVERING INDEX sqlite_autoindex_cards_1", "reads the index, and no row"},
    {READ_CARD_KEY, "USE TEMP B-TREE FOR ORDER BY", "the keys of one card"},
    {LIST_ORDERS_MATCH, "USE TEMP B-TREE FOR ORDER BY", "keeps no more than a page, of the index alone"},
    {LIST_SESSIONS_MATCH, "USE TEMP B-TREE FOR ORDER BY", "as with orders"},
    {LIST_AUDIT_ACTIONS, "USE TEMP B-TREE FOR ORDER BY", "as with orders; what people did is little"},
};

/* These could search by something that leaves most of the work to be done row by row. */
static const struct {
    enum read_id query;
    const char *step;
} wanted_steps[] = {
    {LIST_CARDS_TYPE, "cards_type (type=? AND number>? AND number<?)"},
    {LIST_CARDS_SET_ASIDE, "cards_set_aside (quarantined=? AND number>? AND number<?)"},
    {LIST_ORDERS_MATCH, "sqlite_autoindex_orders_1 (id>? AND id<?)"},
    {LIST_ORDERS_OPEN, "orders_open (state=? AND sequel<?)"},
    {LIST_ORDERS_APP, "orders_app (app=? AND rowid<?)"},
    {LIST_ORDERS_APP_OPEN, "orders_app_open (app=? AND state=? AND sequel<?)"},
    {LIST_ORDERS_CARD, "orders_card (card=? AND rowid<?)"},
    {LIST_OFFERS, "orders_offers"},
    {LIST_SESSIONS_MATCH, "sqlite_autoindex_sessions_1 (id>? AND id<?)"},
    {LIST_SESSIONS_RUNNING, "sessions_running (outcome=? AND rowid<?)"},
    {LIST_SESSIONS_ORDER, "sessions_order (order_id=? AND rowid<?)"},
    {LIST_SESSIONS_CARD, "sessions_card (card=? AND rowid<?)"},
    {LIST_AUDIT_ACTIONS, "audit_what (what>? AND what<?)"},
    {LIST_AUDIT_OBJECT, "audit_object (object=? AND rowid<?)"},
};

static const char *wanted_step(size_t query)
{
    for (size_t i = 0; i < sizeof(wanted_steps) / sizeof(wanted_steps[0]); i++)
        if (wanted_steps[i].query == query)
            return wanted_steps[i].step;
    return NULL;
}

static bool step_allowed(size_t query, const char *step)
{
    if (strstr(step, "SCAN") == NULL && strstr(step, "TEMP B-TREE") == NULL)
        return true;
    for (size_t i = 0; i < sizeof(allowed_steps) / sizeof(allowed_steps[0]); i++)
        if (allowed_steps[i].query == query && strcmp(allowed_steps[i].step, step) == 0)
            return true;
    return false;
}

static void queries_search_by_index(void **state)
{
    struct world *w = *state;
    static struct read_statements reads;
    sqlite3 *db = NULL;
    size_t refused = 0;
    assert_int_equal(sqlite3_open(w->folder.file, &db), SQLITE_OK);
    assert_int_equal(read_prepare(&reads, db), OK);
    for (size_t i = 0; i < READ_COUNT; i++) {
        char text[8192];
        bool found = false;
        sqlite3_stmt *plan = NULL;
        snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sqlite3_sql(reads.statements[i].stmt));
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            found |= wanted_step(i) != NULL && strstr(step, wanted_step(i)) != NULL;
            if (step_allowed(i, step))
                continue;
            print_error("%s\n  %s\n", sqlite3_sql(reads.statements[i].stmt), step);
            refused++;
        }
        sqlite3_finalize(plan);
        if (wanted_step(i) != NULL && !found) {
            print_error("%s\n  does not search by %s\n", sqlite3_sql(reads.statements[i].stmt),
                        wanted_step(i));
            refused++;
        }
    }
    read_finish(&reads);
    sqlite3_close(db);
    assert_int_equal(refused, 0);
}

static enum err steal_cap(void *arg, struct app_row *row)
{
    assert_int_equal(row->cap.len, 0);
    *(struct blob *)arg = row->info;
    row->info = (struct blob){0};
    return OK;
}

static void a_listing_may_give_its_blobs_away(void **state)
{
    struct world *w = *state;
    struct listing l = {.limit = 1};
    struct blob info = {0};
    fill(w);
    assert_int_equal(w->store.ops->list_apps(w->store.ctx, &l, steal_cap, &info), OK);
    assert_blob(&info, &app.info);
    blob_free(&info);
}

static enum err list_within(void *arg, struct type_row *row)
{
    const struct store *s = arg;
    struct listing l = {.limit = 1};
    (void)row;
    return s->ops->list_types(s->ctx, &l, list_within, arg);
}

static void a_listing_within_itself_is_refused(void **state)
{
    struct world *w = *state;
    struct listing l = {.limit = 1};
    APPLY(w, TYPE_ADD, type, &type);
    assert_int_equal(w->store.ops->list_types(w->store.ctx, &l, list_within, &w->store), ERR_STATE);
}

/* ---- the file ---- */

static void the_file_is_for_its_owner_alone(void **state)
{
    struct world *w = *state;
    static const char *const ends[] = {"", "-wal", "-shm"};
    fill(w);
    for (size_t i = 0; i < 3; i++) {
        char name[300];
        struct stat st;
        snprintf(name, sizeof(name), "%s%s", w->folder.file, ends[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void sql(const char *file, const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void overwrite(const char *file, long at, const char *bytes, size_t len)
{
    FILE *f = fopen(file, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void strange_files_are_refused(void **state)
{
    struct world *w = *state;
    fill(w);
    w->store.ops->close(w->store.ctx);
    w->store.ops = NULL;
    struct store again;

    sql(w->folder.file, "PRAGMA user_version = 1000");
    assert_int_equal(store_open_sqlite(&again, w->folder.file), ERR_UNSUPPORTED);
    sql(w->folder.file, "PRAGMA user_version = 1; PRAGMA application_id = 7");
    assert_int_equal(store_open_sqlite(&again, w->folder.file), ERR_FORMAT);
    char text[64];
    snprintf(text, sizeof(text), "PRAGMA user_version = %d; PRAGMA application_id = %d", schema_version(),
             SCHEMA_APPLICATION_ID);
    sql(w->folder.file, text);
    assert_int_equal(store_open_sqlite(&again, w->folder.file), OK);
    again.ops->close(again.ctx);

    /* A page of a table that says nonsense: found by the check at opening. */
    overwrite(w->folder.file, 4096, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    assert_int_equal(store_open_sqlite(&again, w->folder.file), ERR_FORMAT);
    overwrite(w->folder.file, 0, "no database at all", 18);
    assert_int_equal(store_open_sqlite(&again, w->folder.file), ERR_FORMAT);
    assert_int_equal(store_open_sqlite(&again, "/nowhere/at/all"), ERR_IO);
    assert_int_equal(store_open_sqlite(&again, w->folder.path), ERR_IO);
}

/* A store of that version; *statements* fill it as the program of then did. */
static void make_old_store(const struct world *w, int version, const char *statements)
{
    sqlite3 *db = NULL;
    test_folder_remove_file(&w->folder);
    assert_int_equal(sqlite3_open(w->folder.file, &db), SQLITE_OK);
    assert_int_equal(schema_migrate_to(db, version), OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static const char rows_of_version_2[] =
    "INSERT INTO apps (name, package, major, minor, sha256, created_ms, info, sequence, cap)"
    " VALUES ('hello', x'A00000000102', 1, 4, zeroblob(32), 77, x'7B7D', x'6C6F6164', x'504B');"
    "INSERT INTO types VALUES ('badge', x'7B7D', 5);"
    "INSERT INTO cards VALUES ('1', 'badge', 3, 112, 48, 1, 'why', 9, 1, 0, 0, x'', x'');"
    "INSERT INTO orders (id, ticket_digest, app, purpose, card, type, level, state, cards_left, "
    "openings_left,"
    " created_ms, expires_ms) VALUES"
    " ('o1', randomblob(32), 'hello', 'install', '', 'badge', -1, 'done', 0, 1, 5, 999),"
    " ('o2', randomblob(32), 'hello', 'install', '1', '', 51, 'open', 7, 9, 6, 999);"
    "INSERT INTO sessions (id, token_digest, order_id, card, step, outcome, reason, detail, posts, commands,"
    " bytes, created_ms, updated_ms, revision, request_digest, state, reply) VALUES"
    " ('s1', zeroblob(32), 'o1', '1', 'done', 'failed', 'no-answer', '', 1, 0, 0, 1, 2, 1, zeroblob(32), "
    "x'', x''),"
    " ('s2', zeroblob(32), 'o1', '1', 'done', 'confirmed', 'none', '', 1, 0, 0, 1, 2, 1, zeroblob(32), x'', "
    "x''),"
    " ('s3', zeroblob(32), 'o1', '1', 'done', 'reported', 'none', '', 1, 0, 0, 1, 2, 1, zeroblob(32), x'', "
    "x''),"
    " ('s4', zeroblob(32), 'o2', '1', 'deliver', '', '', '', 1, 0, 0, 1, 2, 1, zeroblob(32), x'0102', "
    "x'03');";

static void check_version_2_rows(const struct store *s)
{
    struct app_row a;
    struct order_row o;
    struct session_row running;
    struct store_counts counts;
    struct names tallies = {0};
    assert_int_equal(s->ops->get_app(s->ctx, "hello", &a), OK);
    assert_string_equal(a.approved_by, "before");
    assert_int_equal(a.approved_ms, 77);
    assert_int_equal(a.created_ms, 77);
    assert_int_equal(a.package.minor, 4);
    assert_true(view_equal(blob_view(&a.cap), view_str("PK")));
    assert_true(view_equal(blob_view(&a.sequence), view_str("load")));
    app_row_free(&a);
    /* Three sessions, of which one failed. */
    assert_int_equal(s->ops->get_order(s->ctx, "o1", &o), OK);
    assert_int_equal(o.cards, 2);
    assert_string_equal(o.offer_ticket, "");
    assert_int_equal(s->ops->get_order(s->ctx, "o2", &o), OK);
    assert_int_equal(o.cards, 7);
    assert_int_equal(o.level, 51);
    assert_int_equal(s->ops->get_session(s->ctx, "s4", &running), OK);
    assert_int_equal(running.dialogue.len, 0);
    assert_int_equal(running.state.len, 2);
    session_row_free(&running);
    assert_int_equal(s->ops->get_counts(s->ctx, 0, &counts), OK);
    assert_int_equal(counts.sessions_running, 1);
    assert_int_equal(counts.cards, 1);
    assert_int_equal(counts.cards_set_aside, 1);
    assert_int_equal(counts.orders_open, 1);
    assert_int_equal(counts.apps_waiting, 0);
    assert_int_equal(s->ops->list_tallies(s->ctx, 0, each_tally, &tallies), OK);
    expect_names(&tallies, "0/confirmed/none=1 0/failed/no-answer=1 0/reported/none=1");
}

static void a_store_of_version_2_keeps_its_rows(void **state)
{
    struct world *w = *state;
    w->store.ops->close(w->store.ctx);
    w->store.ops = NULL;
    make_old_store(w, 2, rows_of_version_2);
    for (int i = 0; i < 2; i++) { /* brought up, and then as any other */
        assert_int_equal(store_open_sqlite(&w->store, w->folder.file), OK);
        check_version_2_rows(&w->store);
        w->store.ops->close(w->store.ctx);
        w->store.ops = NULL;
    }
}

/* What a store of the first version has: opening brings it to ours. */
static void a_store_of_before_is_brought_up(void **state)
{
    struct world *w = *state;
    struct store again;
    struct session_row got;
    w->store.ops->close(w->store.ctx);
    w->store.ops = NULL;
    make_old_store(w, 1, rows_of_version_2);
    assert_int_equal(store_open_sqlite(&again, w->folder.file), OK);
    assert_int_equal(again.ops->get_session(again.ctx, "s4", &got), OK);
    session_row_free(&got);
    again.ops->close(again.ctx);
    sql(w->folder.file, "CREATE INDEX sessions_token ON sessions (token_digest)"); /* it is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        ROW(rows_come_back),
        ROW(absent_rows_are_not_found),
        ROW(apps_are_guarded),
        ROW(an_app_is_approved_before_it_is_ordered),
        ROW(a_new_ticket_takes_the_place_of_the_old),
        ROW(types_are_guarded),
        ROW(keys_are_guarded),
        ROW(a_card_has_its_key),
        ROW(a_card_changes_only_as_it_was_read),
        ROW(openings_stop_at_the_limit),
        ROW(a_wrong_cryptogram_stops_openings),
        ROW(openings_are_released_and_nothing_else),
        ROW(a_card_in_quarantine_opens_nothing_until_released),
        ROW(orders_are_guarded),
        ROW(an_order_of_many_cards_stays_open),
        ROW(sessions_change_only_as_they_were_read),
        ROW(a_set_is_all_or_nothing),
        ROW(malformed_sets_are_refused),
        ROW(refused_sets_do_not_harm_their_neighbours),
        ROW(what_was_submitted_is_written_before_closing),
        ROW(listings_page_by_name),
        ROW(keys_page_by_name_and_version),
        ROW(orders_sessions_and_audit_come_newest_first),
        ROW(cards_are_filtered),
        ROW(orders_are_filtered),
        ROW(sessions_are_filtered_and_tallied),
        ROW(the_audit_trail_is_filtered),
        ROW(queries_search_by_index),
        ROW(a_listing_may_give_its_blobs_away),
        ROW(a_listing_within_itself_is_refused),
        ROW(the_file_is_for_its_owner_alone),
        ROW(strange_files_are_refused),
        ROW(a_store_of_version_2_keeps_its_rows),
        ROW(a_store_of_before_is_brought_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
