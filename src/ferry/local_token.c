/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens are made over the fields of a command, and receipts verified over what the command said: both are
 * taken from the very bytes that are sent. */
#include "local_token.h"

#include <session/outcome.h>
#include <tlv/tlv.h>

#include "local_plan.h"

enum { MORE_COMMANDS = 0x80, LAST_BLOCK = 0x80, TAG_AID = 0x4F, INSTALL_FIELDS = 3 };

/* ---- keys */

static int read_key(struct local *l, const char *option, bool private, struct pk **out)
{
    const char *path = cli_option(&l->cli, option);
    struct key_problem why = {""};
    if (path == NULL)
        return EXIT_OK;
    if (key_pem_read(path, out, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    if (private && !pk_is_private(*out))
        return local_fail(l, EXIT_USAGE, "%s holds no private key", path);
    if (pk_algorithm(*out) == PK_DSA)
        return local_fail(l, EXIT_USAGE, "--%s must be of RSA or on an elliptic curve", option);
    return local_check_weak(l, weak_of_pk(*out));
}

int local_read_token_keys(struct local *l)
{
    int code = read_key(l, "token-key", true, &l->token_key);
    return code == EXIT_OK ? read_key(l, "receipt-key", false, &l->receipts.key) : code;
}

/* ---- tokens */

static enum err sign(struct builder *b, struct pk *pk, struct view input, struct writer *token)
{
    struct signature_key key = {.pk = pk};
    enum err e = signature_kind_for(pk, &key.kind);
    return e == OK ? signature_make(b->crypto, &key, &input, 1, token) : e;
}

/* C.4: over the command's own fields. */
enum err local_put_install(struct builder *b, struct pk *key, struct install *i)
{
    struct writer input, token;
    struct apdu a;
    enum err e = OK;
    wr_heap(&input, COMMAND_DATA_MAX);
    wr_heap(&token, SIGNATURE_MAX);
    if (key != NULL) {
        e = token_input_install(&input, i);
        if (e == OK)
            e = sign(b, key, wr_view_of(&input), &token);
    }
    i->token = wr_view_of(&token);
    wr_clear(&b->scratch);
    if (e == OK)
        e = command_install_any(&a, &b->scratch, i);
    if (e == OK)
        e = local_put_long(b, &a);
    i->token = VIEW_NULL;
    wr_free(&token);
    wr_free(&input);
    return e;
}

enum err local_put_delete(struct builder *b, struct pk *key, const struct aid *aid, bool related)
{
    struct writer input, token;
    struct apdu a;
    const struct view target = aid_view(aid);
    struct delete_content d = {.aids = &target, .count = 1, .related = related};
    enum err e = OK;
    wr_heap(&input, COMMAND_DATA_MAX);
    wr_heap(&token, SIGNATURE_MAX);
    if (key != NULL) {
        e = token_input_delete(&input, &d);
        if (e == OK)
            e = sign(b, key, wr_view_of(&input), &token);
    }
    d.token = wr_view_of(&token);
    wr_clear(&b->scratch);
    if (e == OK)
        e = command_delete_content(&a, &b->scratch, &d);
    if (e == OK)
        e = local_put_long(b, &a);
    wr_free(&token);
    wr_free(&input);
    return e;
}

/* ---- receipts */

static struct view channel_domain(const struct local *l)
{
    return aid_view(l->o.domain.len > 0 ? &l->o.domain : &l->card.isd);
}

/* Where an application was, as far as it was listed; what was just made belongs to who made it. */
static struct view domain_before(const struct local *l, struct view application)
{
    for (size_t n = 0; n < l->registry.count; n++) {
        const struct registry_entry *e = &l->registry.entries[n];
        if (view_equal(aid_view(&e->aid), application) && e->domain.len > 0)
            return aid_view(&e->domain);
    }
    return channel_domain(l);
}

/* What the receipt for an INSTALL is about; false: there is none for it. That for a load comes with its last
 * block. */
static bool about_install(struct local *l, uint8_t p1, struct view data, struct receipt_about *out)
{
    struct reader r;
    struct view field[INSTALL_FIELDS];
    rd_init(&r, data);
    for (size_t n = 0; n < INSTALL_FIELDS; n++)
        field[n] = rd_view8(&r, 255);
    if (p1 == 0x02 && aid_set(&l->receipts.package, field[0]) == OK &&
        aid_set(&l->receipts.domain, field[1].len > 0 ? field[1] : channel_domain(l)) == OK)
        return false;
    if (p1 == 0x04 || p1 == 0x0C)
        *out = (struct receipt_about){.kind = RECEIPT_INSTALL, .package = field[0], .application = field[2]};
    else if (p1 == 0x10)
        *out = (struct receipt_about){.kind = RECEIPT_EXTRADITION,
                                      .old_domain = domain_before(l, field[2]),
                                      .application = field[2],
                                      .domain = field[0]};
    else
        return false;
    return true;
}

static bool about(struct local *l, const struct apdu *a, struct view data, struct receipt_about *out)
{
    struct view aid;
    if (a->ins == INS_INSTALL)
        return about_install(l, a->p1, data, out);
    if (a->ins == INS_LOAD && (a->p1 & LAST_BLOCK) != 0) {
        *out = (struct receipt_about){.kind = RECEIPT_LOAD,
                                      .package = aid_view(&l->receipts.package),
                                      .domain = aid_view(&l->receipts.domain)};
        return true;
    }
    if (a->ins != INS_DELETE || !tlv_find(data, TAG_AID, &aid)) /* a key has no receipt */
        return false;
    *out = (struct receipt_about){.kind = RECEIPT_DELETE, .application = aid};
    return true;
}

static int verify(struct local *l, const struct receipt_about *what, const char *name, struct view answer)
{
    struct signature_key key = {.pk = l->receipts.key};
    struct receipt r;
    enum err e = receipt_parse(answer, &r);
    if (e == OK)
        e = signature_kind_for(key.pk, &key.kind);
    if (e == OK)
        e = receipt_verify(l->crypto, &key, &r, what);
    if (e == ERR_NOT_FOUND)
        return local_fail(l, EXIT_UNKNOWN, "the card says that it has done %s, and gives no receipt for it",
                          name);
    if (e != OK || (l->receipts.count > 0 && r.counter <= l->receipts.counter))
        return local_fail(l, EXIT_UNKNOWN,
                          "the card says that it has done %s, and its receipt is not the one for it by the "
                          "holder of --receipt-key",
                          name);
    l->receipts.count++;
    l->receipts.counter = r.counter;
    json_object_set_new(l->result, "receipts", json_integer((json_int_t)l->receipts.count));
    json_object_set_new(l->result, "receipt_counter", json_integer(r.counter));
    return EXIT_OK;
}

int local_check_receipt(struct local *l, const struct apdu *a, struct view answer)
{
    struct receipt_about what;
    struct writer *command = &l->receipts.command;
    int code = EXIT_OK;
    if (l->receipts.key == NULL || a->ins == INS_PUT_KEY)
        return EXIT_OK;
    if (command->data == NULL)
        wr_heap(command, COMMAND_DATA_MAX);
    if (a->ins == INS_INSTALL || a->ins == INS_DELETE) {
        wr_view(command, a->data);
        if ((a->p1 & MORE_COMMANDS) != 0)
            return EXIT_OK;
    }
    if (about(l, a, wr_view_of(command), &what))
        code = verify(l, &what, command_name(a->ins), answer);
    wr_clear(command);
    return code;
}
