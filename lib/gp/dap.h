/* SPDX-License-Identifier: Apache-2.0
 *
 * Load files with proofs of who looked at them: DAP blocks in front of the load file data block (GPCS 2.3.1
 * 11.6.2.3, C.2, C.3).
 *
 *     E2 L { 4F L <security domain> C3 L <signature> } ...   C4 L <load file data block>
 *
 * The signature is over the load file data block's hash, which INSTALL [for load] carries. */
#ifndef GP_DAP_H
#define GP_DAP_H

#include <cap/cap.h>
#include <gp/keys.h>
#include <gp/signature.h>

/* "sha1", "sha256", "sha384", "sha512"; by its length in bytes. ERR_NOT_FOUND. */
const char *dap_digest_name(enum digest d);
enum err dap_digest_by_name(struct view name, enum digest *out) MUST_USE;
enum err dap_digest_by_len(size_t len, enum digest *out) MUST_USE;

/* One DAP block around a signature, appended. ERR_ARGUMENT: the AID has not 5 to 16 bytes, or the signature
 * is empty or longer than SIGNATURE_MAX. */
enum err dap_put(struct writer *w, struct view domain, struct view signature) MUST_USE;
/* Signs the hash (20, 32, 48 or 64 bytes: ERR_ARGUMENT otherwise) for the domain and appends the DAP block.
 */
enum err dap_sign(struct crypto *c, const struct signature_key *key, struct view hash, struct view domain,
                  struct writer *w) MUST_USE;
/* ERR_AUTH when the signature does not fit. */
enum err dap_verify(struct crypto *c, const struct signature_key *key, struct view hash,
                    struct view signature) MUST_USE;

/* What a CAP file's signature is, by its name: dap.rsa.sha1, dap.p256.sha256, ...: whose key, and which hash
 * of the load file data block was signed. ERR_NOT_FOUND for other names. META-INF/ may stand in front. */
struct dap_entry_name {
    enum signature_kind kind;
    enum digest digest;
};
enum err dap_entry_name(struct view name, struct dap_entry_name *out) MUST_USE;
/* The signature of a CAP file over this hash; NULL when it brings none. The first one. */
const struct cap_signature *dap_of_cap(const struct cap *cap, enum digest digest);

struct dap_block {
    struct view domain, signature;
};
/* A whole load file taken apart (table 11-58); views borrow. */
struct load_file {
    struct dap_block daps[DAP_BLOCKS_MAX];
    size_t dap_count;
    bool ciphered;     /* D4: the block is encrypted */
    struct view icv;   /* D3, may be empty */
    struct view block; /* the value of C4 or D4 */
};
/* A load file data block encrypted for a domain that has the privilege (C.6): padded, in CBC mode, D3 with
 * the initial value in front when icv is not empty. ERR_ARGUMENT when icv is not one block of the cipher. */
enum err load_file_put_ciphered(struct writer *w, struct crypto *c, enum key_type type, struct view key,
                                struct view icv, struct view block) MUST_USE;
/* ERR_FORMAT, ERR_LIMIT: more than DAP_BLOCKS_MAX. */
enum err load_file_parse(struct view v, struct load_file *out) MUST_USE;

#endif
