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

struct dap_block {
    struct view domain, signature;
};
enum { DAP_BLOCKS_MAX = 8 };
/* A whole load file taken apart (table 11-58); views borrow. */
struct load_file {
    struct dap_block daps[DAP_BLOCKS_MAX];
    size_t dap_count;
    bool ciphered;     /* D4: the block is encrypted */
    struct view icv;   /* D3, may be empty */
    struct view block; /* the value of C4 or D4 */
};
/* ERR_FORMAT, ERR_LIMIT: more than DAP_BLOCKS_MAX. */
enum err load_file_parse(struct view v, struct load_file *out) MUST_USE;

#endif
