/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry-card keys: the public halves of a card's key pairs, and its certificates, for whoever is to talk to
 * it. Private halves never leave the card's memory. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/limits.h>
#include <base/text.h>

#include "certificate.h"
#include "cmd_scp11.h"
#include "keypair.h"
#include "nvm.h"
#include "pem.h"
#include "verbs.h"

struct wanted {
    bool kvn_given, kid_given, certificates;
    uint8_t kvn, kid;
};

static bool is_wanted(const struct wanted *w, uint8_t kvn, uint8_t kid)
{
    return (!w->kvn_given || w->kvn == kvn) && (!w->kid_given || w->kid == kid);
}

static void print_domain(const struct card_aid *domain)
{
    char text[2 * AID_MAX + 1];
    hex_write(text, card_aid_view(domain));
    if (domain->len != 0)
        printf(" of %s", text);
}

static enum err print_key(const struct card_key *k)
{
    static const char *const names[] = {[PK_RSA] = "RSA", [PK_DSA] = "DSA", [PK_EC] = "EC"};
    struct pk *key = NULL;
    enum err e = keypair_load(k, &key);
    if (e == ERR_UNSUPPORTED)
        return OK; /* no key of a pair */
    if (e != OK)
        return e;
    struct writer text;
    wr_heap(&text, KEY_PEM_MAX);
    printf("version %02X identifier %02X", k->kvn, k->kid);
    print_domain(&k->domain);
    printf(": %s %u bits%s%s, %s\n", names[pk_algorithm(key)], pk_bits(key),
           pk_ec_curve(key) != CURVE_COUNT ? " " : "",
           pk_ec_curve(key) != CURVE_COUNT ? pk_curve_name(pk_ec_curve(key)) : "",
           keypair_is_private(k) ? "the card's own" : "of the other side");
    pem_put_public(&text, key);
    fwrite(text.data, 1, text.len, stdout);
    e = wr_status(&text);
    wr_free(&text);
    pk_free(&key);
    return e;
}

/* X.509 as PEM; GlobalPlatform's form has none and is printed in hexadecimal digits. */
static enum err print_certificates(const struct card_object *o)
{
    struct card_certificate cert;
    struct reader r;
    struct writer text;
    enum err e = OK;
    wr_heap(&text, 4 * CARD_OBJECT_MAX);
    printf("version %02X identifier %02X", o->kvn, o->kid);
    print_domain(&o->domain);
    puts(": certificates");
    rd_init(&r, view_of(o->data, o->len));
    while (e == OK && rd_left(&r) != 0) {
        e = card_certificate_next(&r, &cert);
        if (e == OK && cert.x509)
            pem_put(&text, "CERTIFICATE", cert.whole);
        else if (e == OK) {
            hex_put(&text, cert.whole);
            wr_u8(&text, '\n');
        }
    }
    if (e == OK)
        e = wr_status(&text);
    if (e == OK)
        fwrite(text.data, 1, text.len, stdout);
    wr_free(&text);
    return e;
}

static enum err print_all(const struct card_state *s, const struct wanted *w)
{
    enum err e = OK;
    for (size_t n = 0; e == OK && !w->certificates && n < s->key_count; n++) {
        if (is_wanted(w, s->keys[n].kvn, s->keys[n].kid))
            e = print_key(&s->keys[n]);
    }
    for (size_t n = 0; e == OK && w->certificates && n < s->object_count; n++) {
        const struct card_object *o = &s->objects[n];
        if (o->tag == CARD_TAG_CERTIFICATES && is_wanted(w, o->kvn, o->kid))
            e = print_certificates(o);
    }
    return e;
}

static int print_file(const char *file, const struct wanted *w)
{
    struct card_state *state = calloc(1, sizeof *state);
    const char *why = err_text(ERR_MEMORY);
    enum err e = state == NULL ? ERR_MEMORY : nvm_read(file, state, &why);
    if (e == OK) {
        e = print_all(state, w);
        why = err_text(e);
    }
    if (state != NULL)
        card_state_finish(state);
    free(state);
    return e == OK ? EXIT_DONE : verb_fail(file, why);
}

static bool read_number(const char *value, bool *given, uint8_t *out)
{
    size_t len;
    *given = true;
    return hex_read_str(value, out, 1, &len) == OK && len == 1;
}

int verb_keys(int argc, char **argv)
{
    static const struct option longs[] = {{"kvn", required_argument, NULL, 'v'},
                                          {"kid", required_argument, NULL, 'i'},
                                          {"certificates", no_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    struct wanted w = {.kvn = 0};
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o == 'v' && !read_number(optarg, &w.kvn_given, &w.kvn))
            return verb_usage("kvn", "this value is not possible");
        if (o == 'i' && !read_number(optarg, &w.kid_given, &w.kid))
            return verb_usage("kid", "this value is not possible");
        if (o == '?')
            return EXIT_USAGE;
        w.certificates |= o == 'c';
    }
    if (optind + 1 != argc)
        return verb_usage("keys", "one FILE is needed");
    return print_file(argv[optind], &w);
}
