/* links: cf_measure ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's time per command in a real reader service with the virtual card, beside a bare loop of
 * SCardTransmit over the same commands: what reading a script, handling 61xx and 6Cxx and writing the answer
 * cost. Wall time, as the time is spent in three processes. Without arguments it starts a reader service of
 * its own (world/vpcd.sh). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winscard.h>

#include <tlv/tlv.h>

#include "measure.h"
#include "reader.h"
#include "relay.h"

enum { COMMANDS = 140, ROUNDS = 9 };

static const uint8_t command[] = {0x80, 0xCA, 0x9F, 0x7F, 0x00}; /* GET DATA [CPLC]: 47 bytes come back */

static void die(const char *what)
{
    fprintf(stderr, "bench_vpcd: %s\n", what);
    exit(1);
}

static void make_script(struct writer *script)
{
    struct writer inner;
    size_t mark;
    wr_heap(&inner, SCRIPT_MAX);
    tlv_open(&inner, 0xAA, &mark);
    for (int i = 0; i < COMMANDS; i++)
        tlv_put(&inner, 0x22, VIEW_OF(command));
    tlv_close(&inner, mark);
    wr_heap(script, SCRIPT_MAX);
    wr_view(script, wr_view_of(&inner));
    if (!wr_ok(script))
        die("out of memory");
    wr_free(&inner);
}

/* Microseconds per command through the client. */
static double through_client(struct view script)
{
    struct card_reader reader = {0};
    struct reader_problem why = {{0}};
    struct relay_result result = {0};
    struct writer answer;
    wr_heap(&answer, SCRIPT_MAX);
    if (reader_open(&reader, "pcsc:", 5000, &why) != OK)
        die(why.text);
    double start = wall_us();
    enum err e = relay_run(&reader, script, NULL, &answer, &result);
    double took = wall_us() - start;
    if (e != OK || result.executed != COMMANDS || result.last_sw != 0x9000)
        die("the script did not run to its end");
    reader_close(&reader);
    wr_free(&answer);
    return took / COMMANDS;
}

static double bare_loop(SCARDCONTEXT context, const char *name)
{
    SCARDHANDLE card;
    DWORD protocol;
    if (SCardConnect(context, name, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T1, &card, &protocol) !=
        SCARD_S_SUCCESS)
        die("no card");
    double start = wall_us();
    for (int i = 0; i < COMMANDS; i++) {
        uint8_t answer[300];
        DWORD len = sizeof(answer);
        if (SCardTransmit(card, SCARD_PCI_T1, command, sizeof(command), NULL, answer, &len) !=
                SCARD_S_SUCCESS ||
            len != 47)
            die("transmit failed");
    }
    double took = wall_us() - start;
    SCardDisconnect(card, SCARD_RESET_CARD);
    return took / COMMANDS;
}

static void compare(void)
{
    SCARDCONTEXT context;
    char names[1024];
    DWORD len = sizeof(names);
    double ours[ROUNDS], bare[ROUNDS], ratios[ROUNDS];
    struct writer script;
    if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS ||
        SCardListReaders(context, NULL, names, &len) != SCARD_S_SUCCESS)
        die("no reader");
    make_script(&script);
    through_client(wr_view_of(&script)); /* warm */
    bare_loop(context, names);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = through_client(wr_view_of(&script));
        bare[i] = bare_loop(context, names);
        ratios[i] = ours[i] / bare[i];
    }
    wr_free(&script);
    SCardReleaseContext(context);
    printf("# name ratio: wall time per command through the client / through a bare loop of SCardTransmit, "
           "in turn;\n"
           "# %d commands a round, lower is better\n",
           COMMANDS);
    printf("vpcd_command %.2f (median of %d)   ours %.1f us, bare %.1f us\n", median(ratios, ROUNDS), ROUNDS,
           median(ours, ROUNDS), median(bare, ROUNDS));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--here") == 0) {
        compare();
        return 0;
    }
    execl(CF_BENCH "/world/vpcd.sh", CF_BENCH "/world/vpcd.sh", CF_BUILD, (char *)NULL);
    die("vpcd.sh cannot be started");
}
