/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local dap: signs a load file for a security domain that verifies what is loaded. The block goes with
 * 'ferry local install --dap'. */
#include <stdio.h>
#include <string.h>

#include <gp/weak.h>
#include <base/text.h>
#include <gp/dap.h>
#include <session/outcome.h>

#include "local_content.h"
#include "local_data.h"
#include "verbs.h"

static const struct option_spec dap_options[] = {
    {"sign", "FILE", "the signing key: private key in PEM, or a DES or AES key in hexadecimal"},
    {"kind", "KIND", "rsa-sha1, rsa-pss or ecdsa (default: by the key), des or aes"},
    {"for", "AID", "the security domain that will verify it"},
    {"hash", "NAME", "sha1, sha256 (default), sha384 or sha512: the same as for install"},
    {"out", "FILE", "where the DAP block goes; a file that is there is not replaced"},
    {"options", "FILE", "more of these options, one \"name = value\" a line"},
    {"allow-weak", "LIST", "weak choices to allow: des, rsa1024, sha1"},
    {NULL, NULL, NULL}};

struct dap {
    struct signature_key key;
    struct pk *pair;
    struct card_keys secret;
    struct aid domain;
    enum digest digest;
    struct writer block;
};

/* A pair says what it signs with; a secret does not. */
static int read_pair(struct local *l, struct dap *d, const char *path, const char *kind)
{
    struct key_problem why = {""};
    if (key_pem_read(path, &d->pair, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    if (!pk_is_private(d->pair))
        return local_fail(l, EXIT_USAGE, "%s holds no private key", path);
    if (kind == NULL && signature_kind_for(d->pair, &d->key.kind) != OK)
        return local_fail(l, EXIT_USAGE, "DAP blocks are not signed with a key of this kind");
    d->key.pk = d->pair;
    return EXIT_OK;
}

static int read_secret(struct local *l, struct dap *d, const char *path)
{
    struct key_problem why = {""};
    const struct key_source source = {KEY_FROM_FILE, path};
    if (key_source_read(&source, "signing key", &d->secret, &why) != OK)
        return local_fail(l, EXIT_USAGE, "%s", why.text);
    d->key.secret = secret_view(&d->secret.enc);
    return EXIT_OK;
}

static int read_key(struct local *l, struct dap *d)
{
    const char *path = cli_option(&l->cli, "sign"), *kind = cli_option(&l->cli, "kind");
    if (path == NULL)
        return local_fail(l, EXIT_USAGE, "which key signs? --sign FILE");
    if (kind != NULL && signature_kind_by_name(kind, &d->key.kind) != OK)
        return local_fail(l, EXIT_USAGE, "--kind must be rsa-sha1, rsa-pss, ecdsa, des or aes");
    bool symmetric = kind != NULL && (d->key.kind == SIGNATURE_DES || d->key.kind == SIGNATURE_AES);
    return symmetric ? read_secret(l, d, path) : read_pair(l, d, path, kind);
}

static int check_weak(struct local *l, const struct dap *d)
{
    weak_set weak = weak_of_digest(d->digest);
    if (d->key.kind == SIGNATURE_RSA_SHA1)
        weak |= weak_of_digest(DIGEST_SHA1);
    if (d->pair != NULL)
        weak |= weak_of_pk(d->pair);
    else if (d->key.kind == SIGNATURE_DES)
        weak |= weak_of_key(KEY_DES3, d->secret.enc.len);
    return local_check_weak(l, weak);
}

static int read_request(struct local *l, struct dap *d)
{
    const char *hash = cli_option(&l->cli, "hash");
    d->digest = DIGEST_SHA256;
    if (!option_aid(&l->cli, "for", &d->domain))
        return EXIT_USAGE;
    if (d->domain.len == 0)
        return local_fail(l, EXIT_USAGE, "which security domain verifies it? --for AID");
    if (cli_option(&l->cli, "out") == NULL)
        return local_fail(l, EXIT_USAGE, "where does the DAP block go? --out FILE");
    if (hash != NULL && dap_digest_by_name(view_str(hash), &d->digest) != OK)
        return local_fail(l, EXIT_USAGE, "--hash must be sha1, sha256, sha384 or sha512");
    int code = read_key(l, d);
    return code == EXIT_OK ? check_weak(l, d) : code;
}

static int sign(struct local *l, struct dap *d, const struct cap *cap)
{
    uint8_t hash[DIGEST_MAX];
    wr_heap(&d->block, DAPS_TEXT_MAX);
    enum err e = cap_hash(cap, l->crypto, d->digest, hash);
    if (e == OK)
        e = dap_sign(l->crypto, &d->key, view_of(hash, crypto_digest_len(d->digest)), aid_view(&d->domain),
                     &d->block);
    if (e != OK)
        return local_fail(l, EXIT_USAGE, "it can't be signed with this key: %s", err_text(e));
    return local_write_new(l, cli_option(&l->cli, "out"), wr_view_of(&d->block));
}

static int dap(const struct cli *cli)
{
    struct local l;
    struct content c = {.digest = DIGEST_COUNT};
    struct dap d = {.digest = DIGEST_SHA256};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = read_request(&l, &d);
    if (code == EXIT_OK)
        code = content_read_cap(&l, &c, cli->args[0]);
    if (code == EXIT_OK)
        code = sign(&l, &d, &c.cap);
    content_finish(&c);
    card_keys_wipe(&d.secret);
    pk_free(&d.pair);
    wr_free(&d.block);
    return local_end(&l, code);
}

const struct verb verb_local_dap = {
    "local dap", "FILE.cap", "sign a CAP file for a security domain", dap_options, 1, 1, dap};
