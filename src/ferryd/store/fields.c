/* SPDX-License-Identifier: Apache-2.0
 *
 * The columns of each row type. */
#include "store/fields.h"

#include <string.h>

#define AT(row, member) offsetof(struct row, member), sizeof(((struct row *)0)->member)
#define TABLE(name, key, list, row)                                                                          \
    {                                                                                                        \
        name, key, list, sizeof(list) / sizeof((list)[0]), sizeof(struct row)                                \
    }

static const struct field app_fields[] = {
    {"name", FIELD_TEXT, AT(app_row, name)},
    {"cap", FIELD_BLOB, AT(app_row, cap)},
    {"sequence", FIELD_BLOB, AT(app_row, sequence)},
    {"info", FIELD_BLOB, AT(app_row, info)},
    {"sha256", FIELD_BYTES, AT(app_row, sha256)},
    {"package", FIELD_AID, AT(app_row, package.aid)},
    {"major", FIELD_NUMBER, AT(app_row, package.major)},
    {"minor", FIELD_NUMBER, AT(app_row, package.minor)},
    {"created_ms", FIELD_NUMBER, AT(app_row, created_ms)},
    {"approved_by", FIELD_TEXT, AT(app_row, approved_by)},
    {"approved_ms", FIELD_NUMBER, AT(app_row, approved_ms)},
};

static const struct field type_fields[] = {
    {"name", FIELD_TEXT, AT(type_row, name)},
    {"spec", FIELD_BLOB, AT(type_row, spec)},
    {"created_ms", FIELD_NUMBER, AT(type_row, created_ms)},
};

static const struct field key_fields[] = {
    {"name", FIELD_TEXT, AT(key_row, attributes.name)},
    {"version", FIELD_NUMBER, AT(key_row, attributes.version)},
    {"key_use", FIELD_NUMBER, AT(key_row, attributes.use)},
    {"key_type", FIELD_NUMBER, AT(key_row, attributes.type)},
    {"key_len", FIELD_NUMBER, AT(key_row, attributes.key_len)},
    {"card", FIELD_TEXT, AT(key_row, attributes.card)},
    {"sealed", FIELD_BLOB, AT(key_row, sealed)},
    {"kcv", FIELD_BYTES, AT(key_row, kcv)},
    {"retired", FIELD_FLAG, AT(key_row, retired)},
    {"created_ms", FIELD_NUMBER, AT(key_row, created_ms)},
};

static const struct field card_fields[] = {
    {"number", FIELD_TEXT, AT(card_row, number)},
    {"type", FIELD_LINK, AT(card_row, type)},
    {"identity", FIELD_BLOB, AT(card_row, identity)},
    {"registry", FIELD_BLOB, AT(card_row, registry)},
    {"registry_ms", FIELD_NUMBER, AT(card_row, registry_ms)},
    {"registry_proven", FIELD_FLAG, AT(card_row, registry_proven)},
    {"pinned_scp", FIELD_SIGNED, AT(card_row, pinned_scp)},
    {"pinned_i", FIELD_SIGNED, AT(card_row, pinned_i)},
    {"pinned_kvn", FIELD_SIGNED, AT(card_row, pinned_kvn)},
    {"quarantined", FIELD_FLAG, AT(card_row, quarantined)},
    {"reason", FIELD_TEXT, AT(card_row, reason)},
    {"seen_ms", FIELD_NUMBER, AT(card_row, seen_ms)},
    {"revision", FIELD_REVISION, AT(card_row, revision)},
};

static const struct field ledger_fields[] = {
    {"card", FIELD_TEXT, AT(ledger_row, card)},
    {"kvn", FIELD_NUMBER, AT(ledger_row, kvn)},
    {"openings", FIELD_NUMBER, AT(ledger_row, openings)},
    {"wrong_cryptograms", FIELD_NUMBER, AT(ledger_row, wrong_cryptograms)},
    {"failed_loads", FIELD_NUMBER, AT(ledger_row, failed_loads)},
    {"last_ms", FIELD_NUMBER, AT(ledger_row, last_ms)},
};

static const struct field order_fields[] = {
    {"id", FIELD_TEXT, AT(order_row, id)},
    {"ticket_digest", FIELD_BYTES, AT(order_row, ticket_digest)},
    {"app", FIELD_TEXT, AT(order_row, app)},
    {"purpose", FIELD_TEXT, AT(order_row, purpose)},
    {"card", FIELD_TEXT, AT(order_row, card)},
    {"type", FIELD_TEXT, AT(order_row, type)},
    {"level", FIELD_SIGNED, AT(order_row, level)},
    {"state", FIELD_TEXT, AT(order_row, state)},
    {"offer_ticket", FIELD_TEXT, AT(order_row, offer_ticket)},
    {"cards", FIELD_NUMBER, AT(order_row, cards)},
    {"cards_left", FIELD_NUMBER, AT(order_row, cards_left)},
    {"openings_left", FIELD_NUMBER, AT(order_row, openings_left)},
    {"created_ms", FIELD_NUMBER, AT(order_row, created_ms)},
    {"expires_ms", FIELD_NUMBER, AT(order_row, expires_ms)},
};

static const struct field session_fields[] = {
    {"id", FIELD_TEXT, AT(session_row, id)},
    {"token_digest", FIELD_BYTES, AT(session_row, token_digest)},
    {"order_id", FIELD_LINK, AT(session_row, order)},
    {"card", FIELD_TEXT, AT(session_row, card)},
    {"state", FIELD_BLOB, AT(session_row, state)},
    {"request_digest", FIELD_BYTES, AT(session_row, request_digest)},
    {"reply", FIELD_BLOB, AT(session_row, reply)},
    {"dialogue", FIELD_BLOB, AT(session_row, dialogue)},
    {"step", FIELD_TEXT, AT(session_row, step)},
    {"outcome", FIELD_TEXT, AT(session_row, outcome)},
    {"reason", FIELD_TEXT, AT(session_row, reason)},
    {"detail", FIELD_TEXT, AT(session_row, detail)},
    {"posts", FIELD_NUMBER, AT(session_row, posts)},
    {"commands", FIELD_NUMBER, AT(session_row, commands)},
    {"bytes", FIELD_NUMBER, AT(session_row, bytes)},
    {"created_ms", FIELD_NUMBER, AT(session_row, created_ms)},
    {"updated_ms", FIELD_NUMBER, AT(session_row, updated_ms)},
    {"revision", FIELD_REVISION, AT(session_row, revision)},
};

static const struct field audit_fields[] = {
    {"number", FIELD_NUMBER, AT(audit_row, number)}, {"time_ms", FIELD_NUMBER, AT(audit_row, time_ms)},
    {"who", FIELD_TEXT, AT(audit_row, who)},         {"what", FIELD_TEXT, AT(audit_row, what)},
    {"object", FIELD_TEXT, AT(audit_row, object)},   {"detail", FIELD_TEXT, AT(audit_row, detail)},
};

static const struct field tally_fields[] = {
    {"day", FIELD_NUMBER, AT(tally_row, day)},
    {"outcome", FIELD_TEXT, AT(tally_row, outcome)},
    {"reason", FIELD_TEXT, AT(tally_row, reason)},
    {"count", FIELD_NUMBER, AT(tally_row, count)},
};

/* Not a table, but one row of numbers that are counted when they are asked for. */
static const struct field counts_fields[] = {
    {"(SELECT count(*) FROM sessions WHERE outcome = '')", FIELD_NUMBER, AT(store_counts, sessions_running)},
    {"(SELECT count(*) FROM cards)", FIELD_NUMBER, AT(store_counts, cards)},
    {"(SELECT count(*) FROM cards WHERE quarantined = 1)", FIELD_NUMBER, AT(store_counts, cards_set_aside)},
    {"(SELECT count(*) FROM orders WHERE state = 'open' AND expires_ms > :now)", FIELD_NUMBER,
     AT(store_counts, orders_open)},
    {"(SELECT count(*) FROM apps WHERE approved_by = '')", FIELD_NUMBER, AT(store_counts, apps_waiting)},
};

const struct table store_tables[TABLE_COUNT] = {
    [TABLE_APP] = TABLE("apps", "name", app_fields, app_row),
    [TABLE_TYPE] = TABLE("types", "name", type_fields, type_row),
    [TABLE_KEY] = TABLE("keys", "name, version", key_fields, key_row),
    [TABLE_CARD] = TABLE("cards", "number", card_fields, card_row),
    [TABLE_LEDGER] = TABLE("ledger", "card, kvn", ledger_fields, ledger_row),
    [TABLE_ORDER] = TABLE("orders", "id", order_fields, order_row),
    [TABLE_SESSION] = TABLE("sessions", "id", session_fields, session_row),
    [TABLE_AUDIT] = TABLE("audit", "number", audit_fields, audit_row),
    [TABLE_TALLY] = TABLE("tallies", "day, outcome, reason", tally_fields, tally_row),
    [TABLE_COUNTS] = TABLE("(SELECT 1)", "", counts_fields, store_counts),
};

const struct field *field_find(const struct table *t, const char *column)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->fields[i].column, column) == 0)
            return &t->fields[i];
    return NULL;
}

void *field_at(const struct field *f, void *row)
{
    return (uint8_t *)row + f->offset;
}

const void *field_in(const struct field *f, const void *row)
{
    return (const uint8_t *)row + f->offset;
}

void fields_free(const struct table *t, void *row)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->fields[i].kind == FIELD_BLOB)
            blob_free(field_at(&t->fields[i], row));
}
