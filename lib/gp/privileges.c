/* SPDX-License-Identifier: Apache-2.0
 *
 * What privileges are called, and which go together. */
#include <gp/registry.h>

#include <string.h>

enum { BITS = 24, BYTE_BITS = 8, TOP = 0x80, DOMAIN = 0x80, DAP = 0x40, DELEGATED = 0x20, MANDATED = 0x01 };

/* GPCS 2.3.1 tables 11-7, 11-8, 11-9, from b8 down. */
static const char *const names[BITS] = {"security domain",
                                        "DAP verification",
                                        "delegated management",
                                        "card lock",
                                        "card terminate",
                                        "card reset",
                                        "CVM management",
                                        "mandated DAP verification",
                                        "trusted path",
                                        "authorized management",
                                        "token verification",
                                        "global delete",
                                        "global lock",
                                        "global registry",
                                        "final application",
                                        "global service",
                                        "receipt generation",
                                        "ciphered load file data block",
                                        "contactless activation",
                                        "contactless self-activation"};

const char *privilege_name(unsigned bit)
{
    return bit < BITS ? names[bit] : NULL;
}

bool privilege_has(const struct privileges *p, unsigned bit)
{
    enum { DAP_NUMBER = 1 };
    if (bit >= BITS)
        return false;
    /* Table 11-7: with b1 it is mandated DAP verification, another one. */
    if (bit == DAP_NUMBER && (p->byte[0] & MANDATED) != 0)
        return false;
    return (p->byte[bit / BYTE_BITS] & TOP >> bit % BYTE_BITS) != 0;
}

/* Table 11-7, its notes: what needs security domain, and that mandated DAP is a kind of DAP. */
enum err privileges_read(struct view v, struct privileges *out)
{
    struct privileges p = {{0}};
    if (v.len != 1 && v.len != sizeof(p.byte))
        return ERR_FORMAT;
    memcpy(p.byte, v.data, v.len);
    bool domain = (p.byte[0] & DOMAIN) != 0, dap = (p.byte[0] & DAP) != 0;
    if ((p.byte[0] & (DAP | DELEGATED)) != 0 && !domain)
        return ERR_ARGUMENT;
    if ((p.byte[0] & MANDATED) != 0 && !(domain && dap))
        return ERR_ARGUMENT;
    *out = p;
    return OK;
}
