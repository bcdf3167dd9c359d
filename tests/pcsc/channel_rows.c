/* SPDX-License-Identifier: Apache-2.0
 *
 * What the table of methods has, for scripts: a line for every method, size of keys and security level of
 * which a download is wanted, so that a new row is tested without a new line of script.
 *
 *     PROTOCOL I KEYS LEVEL CONFIRMED
 *
 * KEYS are a type of key as in `ferry key add`, or a curve. Methods are at all of their levels with the first
 * size, and at the strongest with every other. */
#include <stdio.h>
#include <string.h>

#include <gp/channel.h>

static const struct size {
    const char *name;
    enum key_type type;
    size_t len;
} sizes[] = {{"des3", KEY_DES3, 16},  {"des", KEY_DES, 8},     {"aes128", KEY_AES, 16},
             {"aes192", KEY_AES, 24}, {"aes256", KEY_AES, 32}, {"P-256", KEY_EC, 32},
             {"P-384", KEY_EC, 48},   {"P-521", KEY_EC, 66},   {"brainpoolP256r1", KEY_EC, 32},
             {"rsa2048", KEY_RSA, 0}, {"rsa3072", KEY_RSA, 0}, {"dsa2048", KEY_DSA, 0},
             {"ec256", KEY_EC, 0},    {"ec384", KEY_EC, 0}};

/* The keys of signed commands, by i: docs/signed-commands.md. */
static const char *const signed_keys[] = {NULL, "rsa2048", "rsa3072", "dsa2048", "ec256", "ec384"};

static bool has(const struct channel_method *m, const struct size *s)
{
    if (m->scp == SCP_SIGNED)
        return m->i < sizeof(signed_keys) / sizeof(signed_keys[0]) && signed_keys[m->i] != NULL &&
               strcmp(signed_keys[m->i], s->name) == 0;
    if (s->len == 0)
        return false;
    if (m->scp == SCP11)
        return s->type == KEY_EC;
    return s->type != KEY_EC && channel_keys_fit(m, s->type, s->len);
}

static void print_levels(const struct channel_method *m, const struct size *s, bool all)
{
    for (size_t n = 0; n < sizeof(m->levels) && m->levels[n] != 0; n++) {
        bool strongest = n + 1 == sizeof(m->levels) || m->levels[n + 1] == 0;
        if (all || strongest)
            printf("%s %02X %s %02X %s\n", m->name, m->i, s->name, m->levels[n],
                   (m->levels[n] & LEVEL_R_MAC) != 0 ? "confirmed" : "reported");
    }
}

int main(void)
{
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    for (; count > 0; m++, count--) {
        bool first = true;
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
            if (!has(m, &sizes[n]))
                continue;
            print_levels(m, &sizes[n], first);
            first = false;
        }
        if (first)
            return 1; /* a row whose keys this program does not know */
    }
    return 0;
}
