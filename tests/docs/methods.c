/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints docs/methods.md from the table of methods. */
#include <stdio.h>
#include <string.h>

#include <gp/channel/channel_internal.h>
#include <gp/weak.h>

enum { FILE_LEN = 30 * 1024, HEADER_LEN = 5, TEXT_MAX = 400 };

static const char intro[] =
    "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
    "<!-- Made by build/*/tests/docs/methods_md from the table in lib/gp/channel.c. -->\n"
    "# Methods\n\n"
    "Every method of authentication and signature that the server speaks: the protocol and its parameter "
    "`i`, which a card\n"
    "type names. A session has one method at one security level, and nothing falls back to another.\n\n"
    "- **levels**: P1 of EXTERNAL AUTHENTICATE, or what the session was agreed on. `01` every command is "
    "signed; `03` its data\n"
    "  is encrypted too; `1x` answers carry a MAC (or a signature), so that outcomes are *confirmed*; `33` "
    "answers are encrypted.\n"
    "- **block**: bytes of a load file in one LOAD command of short length, without / with encryption.\n"
    "- **30 KB**: bytes of LOAD commands on the wire for a load file of 30,720 bytes, without / with "
    "encryption.\n"
    "- **weak**: the name under which a policy must allow it. Keys of single DES are `des`, RSA keys below "
    "2,048 bits `rsa1024`,\n"
    "  SHA-1 in signatures and hashes `sha1`.\n";

static const char outro[] =
    "\n## Where the specifications leave a choice\n\n"
    "- **Level `00`**, authentication without protection of what follows, is not offered: whoever sits "
    "between server and card could\n"
    "  say anything.\n"
    "- **Commands without data** are not encrypted (GPCS 2.2.1 D.3.4, Amendment D 6.2.6, and what cards do "
    "in SCP02).\n"
    "- **SCP01** has commands of short length only, as its header has five bytes (D.3.3). With keys of 8 "
    "bytes: [single-des.md](single-des.md).\n"
    "- **SCP02 with one base key** (`i` without bit 1) wants that key as ENC, MAC and DEK: three different "
    "keys are refused\n"
    "  before anything is sent.\n"
    "- **SCP02, implicit initiation**: the opening is GET DATA `C1`, the sequence counter of the card's "
    "default key version. Nothing\n"
    "  proves the card before its first R-MAC. S-MAC is made with the counter as read, S-RMAC and the "
    "session DEK with the next value,\n"
    "  as the card has counted the session when it makes them (GPCS 2.3.1 E.1.2.2). The first initial value "
    "is not encrypted (E.3.4).\n"
    "- **SCP02, sessions of R-MACs** (BEGIN and END R-MAC SESSION, E.5.3, E.5.4): the R-MAC of BEGIN and its "
    "answer counts but\n"
    "  is not sent; a second session in the same channel goes on with the R-MAC at which the first ended; "
    "R-MACs that EXTERNAL\n"
    "  AUTHENTICATE asked for last to the end of the channel, also behind END.\n"
    "- **Pseudo-random card challenges** (`i` bit 7 of SCP02, bit 5 of SCP03) are never required to be what "
    "they should be: cards\n"
    "  that announce them do not always keep to it, and cards that do not announce them may have them.\n";

/* ---- i in words ---- */

static void scp01_words(const struct channel_method *m, char *out)
{
    snprintf(out, TEXT_MAX, "C-MAC on the modified command, %s",
             (m->i & 0x10) != 0 ? "ICV encrypted" : "ICV plain");
}

/* GPCS 2.3.1 table E-1. */
static void scp02_words(const struct channel_method *m, char *out)
{
    snprintf(out, TEXT_MAX, "%s, %s, C-MAC on the %s command, ICV %s%s%s",
             (m->i & 0x01) != 0 ? "three keys" : "one base key",
             (m->i & 0x04) != 0 ? "explicit initiation" : "implicit initiation, first ICV from the AID",
             (m->i & 0x02) != 0 ? "unmodified" : "modified", (m->i & 0x10) != 0 ? "encrypted" : "plain",
             (m->i & 0x20) != 0 ? ", R-MAC" : "", (m->i & 0x40) != 0 ? ", pseudo-random challenge" : "");
}

/* Amendment D table 5-1. */
static void scp03_words(const struct channel_method *m, char *out)
{
    snprintf(out, TEXT_MAX, "%s, %s challenge%s%s", (m->i & 0x01) != 0 ? "S16" : "S8",
             (m->i & 0x10) != 0 ? "pseudo-random" : "random", (m->i & 0x20) != 0 ? ", R-MAC" : "",
             (m->i & 0x40) != 0 ? ", R-ENCRYPTION" : "");
}

static void scp11_words(const struct channel_method *m, char *out)
{
    const char *who = (m->i & 0x03) == 0x01 ? "both sides authenticated, for one session"
                      : (m->i & 0x03) == 0x03
                          ? "both sides authenticated, the same script for a group of cards"
                          : "the card authenticated, the host not";
    snprintf(out, TEXT_MAX, "%s; then as SCP03 %s", who, m->tag_len == MAC_LEN ? "S8" : "S16");
}

static void signed_words(const struct channel_method *m, char *out)
{
    static const char *const words[] = {"RSA-2048 PSS", "RSA-3072 PSS", "DSA 2048/256", "ECDSA P-256",
                                        "ECDSA P-384"};
    size_t n = m->i - 1u;
    snprintf(out, TEXT_MAX, "%s: a signature over each command",
             n < sizeof(words) / sizeof(words[0]) ? words[n] : "another signature");
}

static const struct {
    uint8_t scp;
    const char *title;
    void (*words)(const struct channel_method *m, char *out);
} protocols[] = {
    {SCP01, "SCP01 (GPCS 2.2.1 appendix D)", scp01_words},
    {SCP02, "SCP02 (GPCS 2.3.1 appendix E)", scp02_words},
    {SCP03, "SCP03 (GPCS Amendment D)", scp03_words},
    {SCP11, "SCP11 (GPCS Amendment F)", scp11_words},
    {SCP_SIGNED, "F0, signed commands ([signed-commands.md](signed-commands.md))", signed_words},
};

/* ---- keys ---- */

static void card_keys_words(const struct channel_method *m, char *out)
{
    static const struct {
        enum key_type type;
        size_t len;
        const char *name;
    } keys[] = {{KEY_DES3, 16, "Triple-DES 16"}, {KEY_DES3, 24, "Triple-DES 24"}, {KEY_DES, 8, "DES 8"},
                {KEY_AES, 16, "AES-128"},        {KEY_AES, 24, "AES-192"},        {KEY_AES, 32, "AES-256"}};
    size_t at = 0;
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        if (channel_keys_fit(m, keys[n].type, keys[n].len))
            at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s%s", at > 0 ? ", " : "", keys[n].name);
    }
}

static void keys_words(const struct channel_method *m, char *out)
{
    out[0] = '\0';
    card_keys_words(m, out);
    if (out[0] == '\0')
        snprintf(out, TEXT_MAX, "%s", m->scp == SCP11 ? "key pairs on one curve" : "key pairs of both sides");
}

/* ---- rows ---- */

static bool encrypts(uint8_t level)
{
    return (level & LEVEL_C_DECRYPTION) != 0;
}

static size_t wire_bytes(const struct channel_method *m, uint8_t level)
{
    size_t block = channel_block_size(m, level), bytes = 0;
    for (size_t left = FILE_LEN; left > 0;) {
        size_t now = left < block ? left : block;
        bytes += HEADER_LEN + channel_field_len(m, encrypts(level), now) + m->tag_len;
        left -= now;
    }
    return bytes;
}

/* Without encryption, and with it where the row has that. */
static void print_levels(const struct channel_method *m,
                         size_t (*value)(const struct channel_method *, uint8_t))
{
    const uint8_t *level = m->levels;
    while (*level != 0 && !encrypts(*level))
        level++;
    printf("%zu", value(m, m->levels[0]));
    if (*level != 0)
        printf(" / %zu", value(m, *level));
}

static void print_row(const struct channel_method *m,
                      void (*words)(const struct channel_method *m, char *out))
{
    char text[TEXT_MAX], keys[TEXT_MAX];
    words(m, text);
    keys_words(m, keys);
    printf("| %s | `%02X` | %s | %s |", m->name, m->i, text, keys);
    for (const uint8_t *level = m->levels; *level != 0; level++)
        printf(" `%02X`", *level);
    if (channel_block_size(m, m->levels[0]) == 0) {
        printf(" | extended length | |");
    } else {
        printf(" | ");
        print_levels(m, channel_block_size);
        printf(" | ");
        print_levels(m, wire_bytes);
        printf(" |");
    }
    weak_set weak = weak_of_method(m);
    uint8_t memory[64];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    weak_put(&w, weak);
    printf(" %s | %.*s |\n", m->response_mac ? "yes" : "no", weak == 0 ? 0 : (int)w.len,
           (const char *)memory);
}

int main(void)
{
    size_t count;
    const struct channel_method *methods = channel_methods(&count);
    fputs(intro, stdout);
    for (size_t p = 0; p < sizeof(protocols) / sizeof(protocols[0]); p++) {
        printf("\n## %s\n\n"
               "| name | i | in words | keys | levels | block | 30 KB | answers proven | weak |\n"
               "|---|---|---|---|---|---|---|---|---|\n",
               protocols[p].title);
        for (const struct channel_method *m = methods; m < methods + count; m++) {
            if (m->scp == protocols[p].scp)
                print_row(m, protocols[p].words);
        }
    }
    fputs(outro, stdout);
    return 0;
}
