/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a card: kinds, defaults, and the records of its first state. */
#include "personalise.h"

#include <string.h>

#include "channel.h"
#include "platform.h"

static const struct card_kind kinds[] = {
    {.name = "modern",
     .about = "SCP03 with AES-128, Java Card 3.0.5, 160 KB",
     .java_card = "3.0.5",
     .isd = "A000000151000000",
     .scp = 3,
     .i = 0x70,
     .kvn = 0x30,
     .key_bits = 128,
     .max_failures = 10,
     .memory = 163840},
    {.name = "classic",
     .about = "SCP02 with Triple-DES, Java Card 2.2.2, 72 KB, no extended length",
     .java_card = "2.2.2",
     .isd = "A000000003000000",
     .scp = 2,
     .i = 0x55,
     .kvn = 0xFF,
     .key_bits = 128,
     .flags = CARD_SHORT_ONLY,
     .max_failures = 10,
     .memory = 73728},
    {.name = "token",
     .about = "SCP03 with random challenges, where every opening without success costs a try",
     .java_card = "3.0.5",
     .isd = "A000000151000000",
     .scp = 3,
     .i = 0x60,
     .kvn = 0xFF,
     .key_bits = 128,
     .flags = CARD_COUNTS_OPENINGS,
     .max_failures = 65,
     .memory = 81920},
    {.name = "museum",
     .about = "SCP01 with single DES (docs/single-des.md), Java Card 2.2.2, 32 KB, no extended length",
     .java_card = "2.2.2",
     .isd = "A000000003000000",
     .scp = 1,
     .i = 0x05,
     .kvn = 0xFF,
     .key_bits = 64,
     .flags = CARD_SHORT_ONLY,
     .max_failures = 10,
     .memory = 32768},
};

const struct card_kind *card_kinds(size_t *count)
{
    *count = sizeof kinds / sizeof kinds[0];
    return kinds;
}

const struct card_kind *card_kind_by_name(const char *name)
{
    for (size_t n = 0; n < sizeof kinds / sizeof kinds[0]; n++) {
        if (strcmp(kinds[n].name, name) == 0)
            return &kinds[n];
    }
    return NULL;
}

/* CPLC (EMV card personalisation, 42 bytes): fabricator, type and system of this virtual chip, then the
 * fabrication date 2, serial number 4 and batch 2 that make the card one of its kind. */
enum { CPLC_CHIP = 10 };
static const uint8_t cplc_head[] = {0x46, 0x43, 0x00, 0x01, 0x46, 0x43, 0x60, 0x01, 0x01, 0x00, 0x60, 0x01};
static const uint8_t cplc_batch[] = {0x00, 0x01};

static void fill_cplc(struct personal *p)
{
    struct writer w;
    memset(p->cplc, 0, sizeof p->cplc);
    wr_fixed(&w, p->cplc, sizeof p->cplc);
    wr_view(&w, VIEW_OF(cplc_head));
    wr_view(&w, VIEW_OF(p->serial));
    wr_view(&w, VIEW_OF(cplc_batch));
    p->cplc_len = CPLC_LEN;
}

/* Two zeros, then fabrication date, serial number and batch out of the CPLC, as cards in the field have it.
 */
static void fill_kdd(struct personal *p)
{
    struct writer w;
    struct view chip = view_head(view_tail(VIEW_OF(p->cplc), CPLC_CHIP), 8);
    wr_fixed(&w, p->kdd, sizeof p->kdd);
    wr_u16(&w, 0);
    wr_view(&w, chip);
    p->kdd_len = CARD_KDD_LEN;
}

/* ISO/IEC 7816-4 12.1.1: category 80; card capabilities 73 (their third byte: command chaining; extended
 * length; logical channels, numbered by either side, 3 beside the basic one); issuer's data. */
enum { CAN_CHAIN = 0x80, CAN_EXTEND = 0x40, CHANNELS = 0x1B };

static void fill_historical(struct personal *p)
{
    struct writer w;
    wr_fixed(&w, p->historical, sizeof p->historical);
    wr_u32(&w, 0x8073C820);
    wr_u8(&w, p->kind.flags & CARD_SHORT_ONLY ? CAN_CHAIN | CHANNELS : CAN_CHAIN | CHANNELS | CAN_EXTEND);
    wr_u8(&w, 0x53);
    wr_bytes(&w, "FC1", 3);
    p->historical_len = w.len;
}

static bool len_ok(size_t len, size_t wanted)
{
    return len == 0 || len == wanted;
}

enum err personal_complete(struct personal *p, struct random_source random)
{
    if (!len_ok(p->cplc_len, CPLC_LEN) || !len_ok(p->serial_len, sizeof p->serial) ||
        !len_ok(p->kdd_len, CARD_KDD_LEN))
        return ERR_ARGUMENT;
    if (p->serial_len == 0) {
        enum err e = random.fill(random.ctx, p->serial, sizeof p->serial);
        if (e != OK)
            return e;
        p->serial_len = sizeof p->serial;
    }
    if (p->cplc_len == 0)
        fill_cplc(p);
    if (p->kdd_len == 0)
        fill_kdd(p);
    if (p->iin_len == 0) {
        static const uint8_t iin[] = {0x99, 0x99, 0x99};
        memcpy(p->iin, iin, sizeof iin);
        p->iin_len = sizeof iin;
    }
    if (p->cin_len == 0) {
        memcpy(p->cin, p->kdd, sizeof p->kdd);
        p->cin_len = sizeof p->kdd;
    }
    if (p->historical_len == 0)
        fill_historical(p);
    return OK;
}

/* 64: the single DES of the oldest cards. */
static bool bits_are_sound(const struct card_kind *k)
{
    static const struct {
        uint8_t scp;
        uint16_t bits;
    } rows[] = {{0x01, 64}, {0x01, 128}, {0x02, 128}, {0x03, 128}, {0x03, 192}, {0x03, 256}};
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n].scp == k->scp && rows[n].bits == k->key_bits)
            return true;
    }
    return false;
}

static bool kind_is_sound(const struct card_kind *k)
{
    const struct card_channel_ops *ops = card_channel_ops(k->scp);
    return ops != NULL && ops->knows_i(k->i) && bits_are_sound(k) && k->kvn != 0;
}

bool card_kind_keys_fit(const struct card_kind *k, const struct secret keys[3])
{
    bool fit = true;
    for (int n = 0; n < 3; n++) {
        fit &= keys[n].len == k->key_bits / 8u;
        /* GPCS 2.3.1 E.2: one base key stands for all three. */
        fit &= card_channel_key_count(k->scp, k->i) == 3 ||
               secret_equal(secret_view(&keys[0]), secret_view(&keys[n]));
    }
    return fit;
}

enum err personalise(const struct personal *p, const struct secret keys[3], struct card_state *out)
{
    const struct card_kind *k = &p->kind;
    struct card_profile profile = {.flags = k->flags, .max_failures = k->max_failures, .memory = k->memory};
    struct card_keyset set = {.kvn = k->kvn, .scp = k->scp, .i = k->i};
    struct writer w;
    card_state_init(out);
    if (!kind_is_sound(k) || platform_by_name(k->java_card, &profile.java_card) == NULL ||
        !card_aid_set(&profile.isd, view_of(p->isd, p->isd_len)) || strlen(k->name) > CARD_NAME_MAX)
        return ERR_ARGUMENT;
    if (!card_kind_keys_fit(k, keys))
        return ERR_ARGUMENT;
    memcpy(profile.name, k->name, strlen(k->name));
    memcpy(profile.kdd, p->kdd, sizeof profile.kdd);
    memcpy(profile.historical, p->historical, p->historical_len);
    profile.historical_len = (uint8_t)p->historical_len;
    set.enc = keys[0];
    set.mac = keys[1];
    set.dek = keys[2];
    wr_heap(&w, 4096);
    card_put_profile(&w, &profile);
    card_put_quirks(&w, k->quirks);
    card_put_life(&w, LIFE_OP_READY);
    card_put_keyset(&w, &set);
    card_put_object(&w, VIEW_NULL, 0x9F7F, view_of(p->cplc, p->cplc_len));
    card_put_object(&w, VIEW_NULL, 0x42, view_of(p->iin, p->iin_len));
    card_put_object(&w, VIEW_NULL, 0x45, view_of(p->cin, p->cin_len));
    enum err e = wr_status(&w);
    if (e == OK)
        e = card_state_apply(out, wr_view_of(&w));
    wr_free(&w);
    wipe(&set, sizeof set);
    return e == ERR_FORMAT ? ERR_ARGUMENT : e;
}
