/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines that manage what is on a card already: security domains, privileges, public keys, states. */
#include <plan/build.h>

#include <crypto/pk.h>
#include <gp/put_key.h>

#include <stdlib.h>
#include <string.h>

/* The package and the module of which security domains are made, as cards in the field have them. */
static const uint8_t domain_package[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50};
static const uint8_t domain_module[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50, 0x41};

enum {
    TEXT_LEN = 32,
    KEY_NUMBER_MAX = 0x7F,
    STATE_LOCK = 0x80,
    STATE_UNLOCK = 0x00,
    PRIVILEGE_DOMAIN = 0x80
};

/* AID that may be left out: then what stands for it. */
static enum err word_aid(struct builder *b, const struct step *s, enum word word, struct view otherwise,
                         struct aid *out)
{
    *out = (struct aid){.len = 0};
    if (s->value[word].given)
        return value_aid(&s->value[word], out, b->why);
    return otherwise.len > 0 ? aid_set(out, otherwise) : OK;
}

/* The rest of a line that INSTALL is made of: parameters, control reference and token. */
struct approval {
    struct word_bytes parameters, system, reference, token;
    struct writer field; /* needs wr_free */
};

static enum err read_approval(struct builder *b, const struct step *s, bool has_c9, struct approval *out)
{
    out->field = (struct writer){.data = NULL};
    enum err e = word_bytes(b, s, WORD_PARAMETERS, &out->parameters);
    if (e == OK)
        e = word_bytes(b, s, WORD_SYSTEM, &out->system);
    if (e == OK)
        e = word_bytes(b, s, WORD_REFERENCE, &out->reference);
    if (e == OK)
        e = word_bytes(b, s, WORD_TOKEN, &out->token);
    if (e != OK)
        return e;
    const struct install_parameters values = {.has_c9 = has_c9,
                                              .c9 = word_view(&out->parameters),
                                              .system = word_view(&out->system),
                                              .control_reference = word_view(&out->reference)};
    wr_heap(&out->field, 4 * WORD_BYTES_MAX);
    command_put_parameters(&out->field, &values);
    return wr_ok(&out->field) ? OK : build_refuse_memory(b);
}

static enum err put_install(struct builder *b, const struct step *s, struct install *i, const char *name)
{
    struct approval *a = calloc(1, sizeof(*a));
    struct apdu command;
    if (a == NULL)
        return build_refuse_memory(b);
    enum err e = read_approval(b, s, i->purpose == INSTALL_INSTALL_SELECTABLE, a);
    if (e == OK) {
        i->parameters = wr_view_of(&a->field);
        i->token = word_view(&a->token);
        wr_clear(&b->scratch);
        e = command_install_any(&command, &b->scratch, i);
        e = e == OK ? build_put(b, &command, s->at) : build_refuse(b, e, s->at, name);
    }
    wr_free(&a->field);
    free(a);
    return e;
}

enum err build_make_selectable(struct builder *b, const struct step *s)
{
    struct aid instance;
    struct privileges privileges;
    enum err e = value_aid(&s->value[WORD_INSTANCE], &instance, b->why);
    if (e == OK)
        e = word_privileges(b, s, &privileges);
    if (e != OK)
        return e;
    struct install i = {
        .purpose = INSTALL_SELECTABLE, .application = aid_view(&instance), .privileges = privileges};
    return put_install(b, s, &i, "INSTALL [for make selectable]");
}

enum err build_extradite(struct builder *b, const struct step *s)
{
    struct aid object, domain;
    enum err e = value_aid(&s->value[WORD_AID], &object, b->why);
    if (e == OK)
        e = value_aid(&s->value[WORD_DOMAIN], &domain, b->why);
    if (e != OK)
        return e;
    struct install i = {
        .purpose = INSTALL_EXTRADITION, .application = aid_view(&object), .domain = aid_view(&domain)};
    return put_install(b, s, &i, "INSTALL [for extradition]");
}

enum err build_registry_update(struct builder *b, const struct step *s)
{
    struct aid object, domain;
    struct install i = {.purpose = INSTALL_REGISTRY_UPDATE};
    enum err e = value_aid(&s->value[WORD_AID], &object, b->why);
    if (e == OK)
        e = word_aid(b, s, WORD_DOMAIN, VIEW_NULL, &domain);
    if (e == OK)
        e = word_privileges(b, s, &i.privileges);
    if (e != OK)
        return e;
    i.has_privileges = s->value[WORD_PRIVILEGES].given;
    if (!i.has_privileges && domain.len == 0 && !s->value[WORD_SYSTEM].given)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at,
                              "registry-update needs domain, privileges or system");
    i.application = aid_view(&object);
    i.domain = aid_view(&domain);
    return put_install(b, s, &i, "INSTALL [for registry update]");
}

static bool known_present(const struct builder *b, const struct aid *aid)
{
    return b->holds != NULL && registry_find(b->holds, aid) != NULL;
}

/* A domain that the card is known to have is left alone. */
enum err build_create_domain(struct builder *b, const struct step *s)
{
    struct aid package, module, instance;
    struct install i = {.purpose = INSTALL_INSTALL_SELECTABLE};
    enum err e = value_aid(&s->value[WORD_INSTANCE], &instance, b->why);
    if (e == OK)
        e = word_aid(b, s, WORD_PACKAGE, VIEW_OF(domain_package), &package);
    if (e == OK)
        e = word_aid(b, s, WORD_MODULE, VIEW_OF(domain_module), &module);
    if (e == OK)
        e = word_privileges(b, s, &i.privileges);
    if (e != OK || known_present(b, &instance))
        return e;
    if (!s->value[WORD_PRIVILEGES].given)
        i.privileges.byte[0] = PRIVILEGE_DOMAIN;
    if ((i.privileges.byte[0] & PRIVILEGE_DOMAIN) == 0)
        return plan_refuse_at(b->why, ERR_FORMAT, s->value[WORD_PRIVILEGES].at,
                              "a security domain has the privilege 80");
    i.package = aid_view(&package);
    i.module = aid_view(&module);
    i.application = aid_view(&instance);
    return put_install(b, s, &i, "INSTALL");
}

/* --- put-key */

static enum err word_number(struct builder *b, const struct step *s, enum word word, uint8_t *out)
{
    size_t len = 0;
    enum err e = value_bytes(&s->value[word], out, 1, &len, b->why);
    if (e == OK && (len != 1 || *out > KEY_NUMBER_MAX))
        e = plan_refuse_at(b->why, ERR_FORMAT, s->value[word].at, "one byte, up to 7F");
    return e;
}

/* A curve's reference is its place in the list (GPCS 2.3.1 table B-2). */
static enum err word_curve(struct builder *b, const struct step *s, uint8_t *reference)
{
    char name[TEXT_LEN];
    enum pk_curve curve;
    const struct value *v = &s->value[WORD_CURVE];
    size_t len = v->text.len < sizeof(name) - 1 ? v->text.len : sizeof(name) - 1;
    memcpy(name, v->text.data, len);
    name[len] = '\0';
    if (len != v->text.len || pk_curve_by_name(name, &curve) != OK)
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "%s is no curve; P-256, P-384, P-521 are",
                              plan_shown(v->text).text);
    *reference = (uint8_t)curve;
    return OK;
}

/* Of the point, only what can be said without arithmetic: the card checks the rest. */
static enum err ec_key(struct builder *b, const struct step *s, struct word_bytes *point, uint8_t *reference,
                       struct new_key *out)
{
    enum err e = word_curve(b, s, reference);
    if (e == OK)
        e = word_bytes(b, s, WORD_POINT, point);
    if (e != OK)
        return e;
    if (point->len != 1 + 2 * pk_curve_len((enum pk_curve) * reference) ||
        new_key_ec_public(out, word_view(point), reference) != OK)
        return plan_refuse_at(b->why, ERR_FORMAT, s->value[WORD_POINT].at,
                              "a point of this curve is 04 and %zu bytes",
                              2 * pk_curve_len((enum pk_curve) * reference));
    return OK;
}

static enum err rsa_key(struct builder *b, const struct step *s, struct word_bytes *n,
                        struct word_bytes *exponent, struct new_key *out)
{
    enum err e = word_bytes(b, s, WORD_N, n);
    if (e == OK)
        e = word_bytes(b, s, WORD_E, exponent);
    if (e == OK && new_key_rsa_public(out, word_view(n), word_view(exponent)) != OK)
        e = plan_refuse_at(b->why, ERR_FORMAT, s->at, "put-key needs n and e, or curve and point");
    return e;
}

/* A key that the card says it has is never replaced by a sequence (rule 7). */
static bool key_is_there(const struct builder *b, uint8_t version, uint8_t id)
{
    for (size_t n = 0; b->card.identity != NULL && n < b->card.identity->key_count; n++)
        if (b->card.identity->keys[n].version == version && b->card.identity->keys[n].id == id)
            return true;
    return false;
}

static enum err put_public(struct builder *b, const struct step *s, const struct new_key *key,
                           uint8_t version, uint8_t id)
{
    struct apdu a;
    const struct put_key p = {.kvn = version, .kid = id, .keys = key, .count = 1};
    if (key_is_there(b, version, id))
        return plan_refuse_at(b->why, ERR_UNSUPPORTED, s->at,
                              "the card has a key %02X of version %02X already", id, version);
    wr_clear(&b->scratch);
    enum err e = command_put_key(&a, &b->scratch, b->crypto, &p, NULL);
    return e == OK ? build_put(b, &a, s->at) : build_refuse(b, e, s->at, "PUT KEY");
}

/* Public keys only: secret ones would have to be encrypted where they are known, by the keeper. */
enum err build_put_key(struct builder *b, const struct step *s)
{
    uint8_t version = 0, id = 0, reference = 0;
    struct word_bytes first, second;
    struct new_key key;
    bool ec = s->value[WORD_CURVE].given || s->value[WORD_POINT].given;
    bool rsa = s->value[WORD_N].given || s->value[WORD_E].given;
    if (ec == rsa || s->value[WORD_CURVE].given != s->value[WORD_POINT].given)
        return plan_refuse_at(b->why, ERR_FORMAT, s->at, "put-key needs n and e, or curve and point");
    enum err e = word_number(b, s, WORD_VERSION, &version);
    if (e == OK)
        e = word_number(b, s, WORD_ID, &id);
    if (e == OK)
        e = ec ? ec_key(b, s, &first, &reference, &key) : rsa_key(b, s, &first, &second, &key);
    return e == OK ? put_public(b, s, &key, version, id) : e;
}

/* --- set-status */

static enum err word_state(struct builder *b, const struct step *s, uint8_t *out)
{
    const struct value *v = &s->value[WORD_STATE];
    size_t len = 0;
    if (view_equal(v->text, view_str("lock")))
        *out = STATE_LOCK;
    else if (view_equal(v->text, view_str("unlock")))
        *out = STATE_UNLOCK;
    else if (value_bytes(v, out, 1, &len, NULL) != OK || len != 1)
        return plan_refuse_at(b->why, ERR_FORMAT, v->at, "state is lock, unlock or one byte");
    return OK;
}

/* The card's own state is not a sequence's business (rule 15). */
static bool is_card_manager(const struct builder *b, const struct aid *aid)
{
    if (b->card.identity != NULL && b->card.identity->isd.len > 0 && aid_equal(&b->card.identity->isd, aid))
        return true;
    const struct registry_entry *e = b->holds != NULL ? registry_find(b->holds, aid) : NULL;
    return e != NULL && e->subset == STATUS_ISD;
}

enum err build_set_status(struct builder *b, const struct step *s)
{
    struct aid aid;
    struct apdu a;
    uint8_t state = 0;
    enum err e = value_aid(&s->value[WORD_AID], &aid, b->why);
    if (e == OK)
        e = word_state(b, s, &state);
    if (e != OK)
        return e;
    if (is_card_manager(b, &aid))
        return plan_refuse_at(b->why, ERR_POLICY, s->value[WORD_AID].at,
                              "this is the card manager: the card's own state is not changed by a sequence");
    wr_clear(&b->scratch);
    e = command_set_status(&a, &b->scratch,
                           s->value[WORD_ALL].given ? STATUS_DOMAIN_AND_ALL : STATUS_APPLICATIONS, state,
                           aid_view(&aid));
    return e == OK ? build_put(b, &a, s->at) : build_refuse(b, e, s->at, "SET STATUS");
}
