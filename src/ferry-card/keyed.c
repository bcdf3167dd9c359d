/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to keys, certificates and names on a card. */
#include "keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/text.h>

#include "certificate.h"
#include "channel_scp11.h"
#include "channel_signed.h"
#include "keypair.h"
#include "pem.h"

enum { PATH_ROOM = 4096, SERIAL_LEN = 16, FROM = 20200101, UNTIL = 20491231 };
static const char card_authority[] = "FERRY CARD CA", host_authority[] = "FERRY HOST CA",
                  host_name[] = "FERRY HOST";

/* ---- options ---- */

void keyed_init(struct keyed *k)
{
    static const char group[] = "FERRY GROUP";
    memset(k, 0, sizeof *k);
    k->kvn = 0x03;
    k->signed_kvn = 0x40;
    k->group_len = strlen(group);
    memcpy(k->group, group, k->group_len);
}

static bool read_host(struct keyed *k, const char *value)
{
    k->host = value;
    return true;
}

static bool read_variants(struct keyed *k, const char *value)
{
    k->variants = value;
    return value[0] != '\0' && value[strspn(value, "abc")] == '\0';
}

static bool read_curve(struct keyed *k, const char *value)
{
    return pk_curve_by_name(value, &k->curve) == OK;
}

static bool read_version(const char *value, uint8_t *out)
{
    size_t len;
    return hex_read_str(value, out, 1, &len) == OK && len == 1 && *out >= 0x01 && *out <= 0x7F;
}

static bool read_kvn(struct keyed *k, const char *value)
{
    return read_version(value, &k->kvn);
}

static bool read_form(struct keyed *k, const char *value)
{
    k->x509 = strcmp(value, "x509") == 0;
    return k->x509 || strcmp(value, "gp") == 0;
}

static bool read_mac(struct keyed *k, const char *value)
{
    k->s16 = strcmp(value, "16") == 0;
    return k->s16 || strcmp(value, "8") == 0;
}

static bool read_group(struct keyed *k, const char *value)
{
    return hex_read_str(value, k->group, sizeof k->group, &k->group_len) == OK && k->group_len != 0;
}

static bool read_trust_b(struct keyed *k, const char *value)
{
    (void)value;
    k->trust_b = true;
    return true;
}

static bool read_ca(struct keyed *k, const char *value)
{
    k->ca = value;
    return true;
}

static bool read_key(struct keyed *k, const char *value)
{
    k->key = value;
    return true;
}

static bool read_card_ca(struct keyed *k, const char *value)
{
    k->card_ca = value;
    return true;
}

static bool read_certificates(struct keyed *k, const char *value)
{
    k->certificates = value;
    return true;
}

static bool read_signed(struct keyed *k, const char *value)
{
    size_t len;
    return hex_read_str(value, &k->signed_i, 1, &len) == OK && len == 1 &&
           card_signed_row(k->signed_i) != NULL;
}

static bool read_signed_kvn(struct keyed *k, const char *value)
{
    return read_version(value, &k->signed_kvn);
}

static bool read_signed_server(struct keyed *k, const char *value)
{
    k->signed_server = value;
    return true;
}

static bool read_signed_key(struct keyed *k, const char *value)
{
    k->signed_key = value;
    return true;
}

static const struct keyed_option options[] = {
    {"host-keys", true, read_host},
    {"scp11", true, read_variants},
    {"scp11-curve", true, read_curve},
    {"scp11-kvn", true, read_kvn},
    {"scp11-form", true, read_form},
    {"scp11-mac", true, read_mac},
    {"scp11-group", true, read_group},
    {"scp11-trust-b", false, read_trust_b},
    {"scp11-ca", true, read_ca},
    {"scp11-key", true, read_key},
    {"scp11-card-ca", true, read_card_ca},
    {"scp11-certificates", true, read_certificates},
    {"signed", true, read_signed},
    {"signed-kvn", true, read_signed_kvn},
    {"signed-server", true, read_signed_server},
    {"signed-key", true, read_signed_key},
};

const struct keyed_option *keyed_options(size_t *count)
{
    *count = sizeof options / sizeof options[0];
    return options;
}

uint8_t keyed_flags(const struct keyed *k)
{
    return (uint8_t)((k->s16 ? CARD_SCP11_S16 : 0) | (k->trust_b ? CARD_TRUSTS_SCP11B : 0));
}

const char *keyed_problem(const struct keyed *k, uint8_t kvn)
{
    if (k->variants != NULL && strpbrk(k->variants, "ac") != NULL && k->ca == NULL && k->host == NULL)
        return "--scp11 a and c need --scp11-ca FILE or --host-keys DIR";
    if (k->variants == NULL && (k->ca != NULL || k->key != NULL || k->card_ca != NULL ||
                                k->certificates != NULL || k->s16 || k->trust_b))
        return "this needs --scp11 LETTERS";
    if (k->signed_i != 0 && k->signed_server == NULL && k->host == NULL)
        return "--signed needs --signed-server FILE or --host-keys DIR";
    if (k->signed_i == 0 && (k->signed_server != NULL || k->signed_key != NULL))
        return "this needs --signed I";
    if (k->signed_i != 0 && (k->signed_kvn == kvn || (k->variants != NULL && k->signed_kvn == k->kvn)))
        return "--signed-kvn must be a version of its own";
    return NULL;
}

/* ---- making ---- */

struct making {
    const struct keyed *k;
    struct crypto *crypto;
    struct card_state *state;
    struct writer records;
    const char *what;
    char path[PATH_ROOM];
};

static const char *in_folder(struct making *m, const char *name)
{
    snprintf(m->path, sizeof m->path, "%s/%s", m->k->host, name);
    m->what = m->path;
    return m->path;
}

static enum err generate(struct making *m, const struct card_signed_row *row, enum pk_curve curve,
                         struct pk **out)
{
    if (row == NULL || row->algorithm == PK_EC)
        return pk_generate_ec(m->crypto, row != NULL ? row->curve : curve, out);
    return pk_generate(m->crypto, row->algorithm, row->bits, out);
}

enum { NAME_ROOM = 64 };

/* Keys of other curves than the default stand beside those of it: oce.key, oce-P-384.key. */
static const char *name_for(const struct making *m, const char *name, bool of_curve, const char *end,
                            char out[NAME_ROOM])
{
    bool plain = !of_curve || m->k->curve == CURVE_P256;
    snprintf(out, NAME_ROOM, "%s%s%s.%s", name, plain ? "" : "-", plain ? "" : pk_curve_name(m->k->curve),
             end);
    return out;
}

/* A key out of the folder; where it is not there, a new one is put there, with its public half beside it. row
 * NULL: of the curve that is asked for. */
static enum err folder_key(struct making *m, const char *name, const struct card_signed_row *row,
                           struct pk **out)
{
    char file[NAME_ROOM];
    if (mkdir(m->k->host, 0700) == 0)
        m->what = m->k->host;
    enum err e = pem_read_key(in_folder(m, name_for(m, name, row == NULL, "key", file)), out);
    if (e != ERR_NOT_FOUND)
        return e;
    e = generate(m, row, m->k->curve, out);
    if (e == OK)
        e = pem_write_private(m->path, *out);
    if (e == OK)
        e = pem_write_public(in_folder(m, name_for(m, name, row == NULL, "pub", file)), *out);
    return e;
}

/* From the file, else from the folder, else (*out NULL) from nowhere. */
static enum err get_key(struct making *m, const char *file, const char *name, struct pk **out)
{
    m->what = file;
    if (file != NULL)
        return pem_read_key(file, out);
    return m->k->host != NULL ? folder_key(m, name, NULL, out) : OK;
}

/* With the reason behind the name of the file that the key came from. */
static enum err check_issuer(struct making *m, const struct pk *issuer)
{
    static const char why[] = "is no key on an elliptic curve, with which alone certificates are made here";
    size_t len;
    if (pk_ec_curve(issuer) != CURVE_COUNT)
        return OK;
    if (m->what != m->path)
        snprintf(m->path, sizeof m->path, "%s", m->what);
    len = strlen(m->path);
    snprintf(m->path + len, sizeof m->path - len, " %s", why);
    m->what = m->path;
    return ERR_UNSUPPORTED;
}

static enum err make_certificate(struct making *m, struct view authority, struct view subject,
                                 const struct pk *key, struct pk *issuer, struct writer *out)
{
    uint8_t serial[SERIAL_LEN];
    struct random_source random = crypto_random();
    enum err e = random.fill(random.ctx, serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40);
    struct card_certificate_content content = {.x509 = m->k->x509,
                                               .serial = VIEW_OF(serial),
                                               .authority = authority,
                                               .subject = subject,
                                               .from = FROM,
                                               .until = UNTIL};
    return e == OK ? card_certificate_make(m->crypto, &content, key, issuer, out) : e;
}

/* ---- SCP11 ---- */

/* The host's own key and certificate, for the folder alone. */
static enum err make_host(struct making *m, struct pk *ca)
{
    struct pk *host = NULL;
    struct writer cert;
    char file[NAME_ROOM];
    wr_heap(&cert, CERTIFICATE_MAX);
    enum err e = folder_key(m, "oce", NULL, &host);
    bool there = access(in_folder(m, name_for(m, "oce", true, m->k->x509 ? "crt" : "cert", file)), F_OK) == 0;
    if (e == OK && !there)
        e = make_certificate(m, view_str(host_authority), view_str(host_name), host, ca, &cert);
    if (e == OK && !there)
        e = pem_write_bytes(m->path, wr_view_of(&cert));
    wr_free(&cert);
    pk_free(&host);
    return e;
}

static enum err put_authority(struct making *m)
{
    struct pk *ca = NULL;
    enum err e = get_key(m, m->k->ca, "ca", &ca);
    if (e == OK && ca != NULL)
        e = keypair_put(&m->records, VIEW_NULL, m->k->kvn, SCP11_KID_CA, ca, false);
    if (e == OK && m->k->ca == NULL && ca != NULL)
        e = check_issuer(m, ca);
    if (e == OK && m->k->ca == NULL && ca != NULL)
        e = make_host(m, ca);
    pk_free(&ca);
    return e;
}

/* The card's certificates: as they are in a file, or one that the card's authority signs. */
static enum err put_certificates(struct making *m, const struct card_scp11_variant *v, const struct pk *own)
{
    struct pk *issuer = NULL;
    struct writer certs;
    struct view subject =
        v->fresh ? view_of(m->state->profile.kdd, CARD_KDD_LEN) : view_of(m->k->group, m->k->group_len);
    char name[2 * CARD_KDD_LEN + 1];
    hex_write(name, view_of(m->state->profile.kdd, CARD_KDD_LEN));
    if (m->k->x509)
        subject = view_str(name);
    wr_heap(&certs, CARD_OBJECT_MAX);
    m->what = m->k->certificates;
    enum err e = OK;
    if (m->k->certificates != NULL)
        e = pem_read_certificates(m->k->certificates, &certs);
    else
        e = get_key(m, m->k->card_ca, "card-ca", &issuer);
    if (e == OK && issuer != NULL)
        e = check_issuer(m, issuer);
    if (e == OK && issuer != NULL)
        e = make_certificate(m, view_str(card_authority), subject, own, issuer, &certs);
    if (e == OK && certs.len != 0)
        card_put_certificate(&m->records, VIEW_NULL, CARD_TAG_CERTIFICATES, m->k->kvn, v->kid,
                             wr_view_of(&certs));
    wr_free(&certs);
    pk_free(&issuer);
    return e;
}

/* Cards of a group have one key for SCP11c; all others make their own. */
static enum err put_variant(struct making *m, const struct card_scp11_variant *v)
{
    struct pk *own = NULL;
    enum err e = OK;
    m->what = m->k->key;
    if (m->k->key != NULL)
        e = pem_read_key(m->k->key, &own);
    else if (!v->fresh && m->k->host != NULL)
        e = folder_key(m, "group", NULL, &own);
    else
        e = pk_generate_ec(m->crypto, m->k->curve, &own);
    if (e == OK && (pk_ec_curve(own) == CURVE_COUNT || !pk_is_private(own)))
        e = ERR_UNSUPPORTED;
    if (e == OK)
        e = keypair_put(&m->records, VIEW_NULL, m->k->kvn, v->kid, own, true);
    if (e == OK)
        e = put_certificates(m, v, own);
    pk_free(&own);
    return e;
}

static enum err put_scp11(struct making *m)
{
    static const struct {
        char letter;
        uint8_t kid;
    } letters[] = {{'a', SCP11_KID_A}, {'b', SCP11_KID_B}, {'c', SCP11_KID_C}};
    enum err e = put_authority(m);
    for (size_t n = 0; e == OK && n < sizeof letters / sizeof letters[0]; n++) {
        if (strchr(m->k->variants, letters[n].letter) != NULL)
            e = put_variant(m, card_scp11_variant(letters[n].kid));
    }
    card_put_object(&m->records, VIEW_NULL, CARD_TAG_GROUP, view_of(m->k->group, m->k->group_len));
    return e;
}

/* ---- signed commands ---- */

static enum err check_row(const struct card_signed_row *row, const struct pk *k)
{
    return card_signed_row_of(k) == row ? OK : ERR_UNSUPPORTED;
}

static enum err put_signed(struct making *m)
{
    const struct keyed *k = m->k;
    const struct card_signed_row *row = card_signed_row(k->signed_i);
    struct pk *server = NULL, *own = NULL;
    char name[16];
    snprintf(name, sizeof name, "server-%02X", row->i);
    m->what = k->signed_server;
    enum err e = k->signed_server != NULL ? pem_read_key(k->signed_server, &server)
                                          : folder_key(m, name, row, &server);
    if (e == OK)
        e = check_row(row, server);
    if (e == OK) {
        m->what = k->signed_key;
        e = k->signed_key != NULL ? pem_read_key(k->signed_key, &own) : generate(m, row, CURVE_COUNT, &own);
    }
    if (e == OK)
        e = pk_is_private(own) ? check_row(row, own) : ERR_UNSUPPORTED;
    if (e == OK)
        e = keypair_put(&m->records, VIEW_NULL, k->signed_kvn, SIGNED_KID_SERVER, server, false);
    if (e == OK)
        e = keypair_put(&m->records, VIEW_NULL, k->signed_kvn, SIGNED_KID_OWN, own, true);
    if (e == OK)
        e = keypair_put(&m->records, VIEW_NULL, k->signed_kvn, SIGNED_KID_PUBLIC, own, false);
    pk_free(&server);
    pk_free(&own);
    return e;
}

enum err keyed_personalise(const struct keyed *k, struct card_state *state, char what[KEYED_WHAT_MAX])
{
    struct making m = {.k = k, .state = state, .what = NULL};
    wr_heap(&m.records, CARD_FRAME_MAX);
    enum err e = crypto_new(&m.crypto);
    if (e == OK && k->variants != NULL)
        e = put_scp11(&m);
    if (e == OK && k->signed_i != 0)
        e = put_signed(&m);
    if (e == OK)
        e = wr_status(&m.records);
    if (e == OK && m.records.len != 0)
        e = card_state_apply(state, wr_view_of(&m.records));
    snprintf(what, KEYED_WHAT_MAX, "%s", m.what != NULL ? m.what : "keys");
    wr_free(&m.records);
    crypto_free(&m.crypto);
    return e;
}
