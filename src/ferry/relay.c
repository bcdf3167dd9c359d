/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay: reads like the list of what a client does in docs/protocol.md. */
#include "relay.h"

#include <gp/command.h>

enum {
    SW1_MORE = 0x61,     /* xx bytes wait for GET RESPONSE */
    SW1_WRONG_LE = 0x6C, /* ask again with Le xx */
    SW_MORE_ACTIVITY = 0x62F1,
    /* An honest card needs at most 65,536 / 1 pieces; a hostile one would never end. 260 pieces of 256 bytes
       are RAPDU_MAX. */
    GET_RESPONSES_MAX = 260
};

/* The status word at the end of an answer, which reader_transmit has made sure is there. */
static uint16_t last_sw(const struct writer *rapdu)
{
    return (uint16_t)(rapdu->data[rapdu->len - 2] << 8 | rapdu->data[rapdu->len - 1]);
}

static enum err exchange(struct card_reader *reader, const struct apdu *a, struct writer *rapdu,
                         size_t *bytes)
{
    uint8_t memory[CAPDU_MAX + 8];
    struct writer w;
    size_t before = rapdu->len;
    wr_fixed(&w, memory, sizeof(memory));
    apdu_put(&w, a);
    enum err e = wr_status(&w);
    if (e == OK)
        e = reader_transmit(reader, wr_view_of(&w), rapdu);
    if (e == OK)
        *bytes += w.len + (rapdu->len - before);
    wr_clear(&w);
    return e;
}

/* ISO/IEC 7816-3 12.2: under T=0 a command with data carries no Le; the card says 61xx and GET RESPONSE
 * fetches. */
static struct apdu for_protocol(const struct card_reader *reader, const struct apdu *a)
{
    struct apdu sent = *a;
    if (reader->t0 && a->data.len > 0)
        sent.ne = 0;
    return sent;
}

/* Replaces "61xx" at the end of rapdu by what GET RESPONSE brings, until the card has no more. */
static enum err fetch_rest(struct card_reader *reader, uint8_t cla, struct writer *rapdu, size_t start,
                           size_t *bytes)
{
    enum err e = OK;
    for (unsigned n = 0; e == OK && last_sw(rapdu) >> 8 == SW1_MORE; n++) {
        if (n == GET_RESPONSES_MAX || rapdu->len - start > RAPDU_MAX)
            return ERR_LIMIT;
        uint32_t waiting = last_sw(rapdu) & 0xFF;
        /* The logical channel stays, secure messaging does not: GET RESPONSE is never wrapped
         * (GPCS 2.3.1 11.1.4). */
        struct apdu get = {.cla = cla & 0x03, .ins = INS_GET_RESPONSE, .ne = waiting > 0 ? waiting : 256};
        rapdu->len -= 2;
        e = exchange(reader, &get, rapdu, bytes);
    }
    return e;
}

static enum err run_apdu(struct card_reader *reader, const struct apdu *a, struct writer *rapdu,
                         size_t *bytes)
{
    struct apdu sent = for_protocol(reader, a);
    size_t start = rapdu->len;
    enum err e = exchange(reader, &sent, rapdu, bytes);
    if (e != OK)
        return e;
    uint16_t sw = last_sw(rapdu);
    uint32_t wanted = sw & 0xFF;
    /* A LOAD is never sent twice, whatever the card says. */
    if (sw >> 8 == SW1_WRONG_LE && a->ins != INS_LOAD) {
        rapdu->len = start;
        sent.ne = wanted > 0 ? wanted : 256;
        e = exchange(reader, &sent, rapdu, bytes);
    }
    return e == OK ? fetch_rest(reader, a->cla, rapdu, start, bytes) : e;
}

enum err relay_command(struct card_reader *reader, struct view capdu, struct writer *rapdu, size_t *bytes)
{
    struct apdu a;
    size_t start = rapdu->len;
    enum err e = apdu_parse(capdu, &a);
    if (e == OK)
        e = run_apdu(reader, &a, rapdu, bytes);
    if (e != OK)
        rapdu->len = start; /* half an answer is none */
    return e;
}

static bool goes_on(uint8_t ins, uint16_t sw)
{
    if (ins == INS_EXTERNAL_AUTHENTICATE)
        return sw == SW_OK;
    if (sw == SW_MORE_ACTIVITY)
        return false;
    return sw_is_ok_or_warning(sw);
}

/* Takes commands from the script until it ends, is malformed, or the card stops it. */
static enum err run_commands(struct card_reader *reader, struct script_reader *in,
                             const struct relay_watch *watch, struct response_writer *response,
                             enum script_fault *fault, struct relay_result *out)
{
    struct writer rapdu;
    struct view capdu;
    enum err e = OK;
    wr_heap(&rapdu, 2 * RAPDU_MAX);
    while ((e = script_next(in, &capdu, fault)) == OK && capdu.len > 0) {
        struct apdu a;
        if (apdu_parse(capdu, &a) != OK) {
            *fault = SCRIPT_WRONG_LENGTH;
            break;
        }
        wr_clear(&rapdu);
        out->card_error = run_apdu(reader, &a, &rapdu, &out->bytes);
        if (out->card_error != OK)
            break;
        response_put(response, wr_view_of(&rapdu));
        out->executed++;
        out->last_sw = last_sw(&rapdu);
        if (watch != NULL && watch->command != NULL)
            watch->command(watch->arg, out->executed, out->total, a.ins, out->last_sw);
        if (!goes_on(a.ins, out->last_sw))
            break;
    }
    wr_free(&rapdu);
    /* A malformed script is answered, not failed. */
    return e == ERR_FORMAT || e == ERR_LIMIT ? OK : e;
}

enum err relay_run(struct card_reader *reader, struct view script, const struct relay_watch *watch,
                   struct writer *answer, struct relay_result *out)
{
    struct script_reader in;
    struct response_writer response;
    enum script_fault fault = SCRIPT_FINE;
    *out = (struct relay_result){0};
    /* Only for progress: a script that is malformed further back still runs up to there. */
    if (script_count(script, &out->total) != OK)
        out->total = 0;
    enum err e = script_open(&in, script, &fault);
    response_begin(&response, answer, e == OK ? in.form : SCRIPT_DEFINITE);
    if (e == OK)
        e = run_commands(reader, &in, watch, &response, &fault, out);
    else if (fault != SCRIPT_FINE)
        e = OK;
    if (e != OK) {
        response_abandon(&response);
        return e;
    }
    if (fault != SCRIPT_FINE)
        response_put_fault(&response, fault);
    return response_end(&response);
}
