/* SPDX-License-Identifier: Apache-2.0
 *
 * What end-to-end tests ask the PC/SC daemon, or the virtual card at its socket, with nothing of Cardferry in
 * between: is the reader there, is a card in it, what does the card answer. One question per run, the answer
 * as the exit status. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <winscard.h>

enum { NAMES_MAX = 4096, APDU_MAX = 261, ANSWER_MAX = 65538, WAIT_MS = 60000 };

static const char usage[] =
    "usage: pcsc_probe readers            lists them\n"
    "       pcsc_probe reader NAME        there is one whose name begins so\n"
    "       pcsc_probe present|absent     waits for it\n"
    "       pcsc_probe apdu HEX...        sends each, prints the answers\n"
    "       pcsc_probe slot N ...         the same in the N-th reader behind the first\n"
    "       pcsc_probe sim SOCKET HEX...  sends each, without PC/SC\n";

static SCARDCONTEXT context;
static char readers[NAMES_MAX];

static int failed(const char *what, LONG status)
{
    fprintf(stderr, "%s: %s\n", what, pcsc_stringify_error(status));
    return 1;
}

static const char *reader = readers; /* the one that is asked about */

/* 0 when the readers' names are there. */
static int find_readers(void)
{
    DWORD len = sizeof(readers);
    LONG status = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    if (status != SCARD_S_SUCCESS)
        return failed("SCardEstablishContext", status);
    status = SCardListReaders(context, NULL, readers, &len);
    return status == SCARD_S_SUCCESS ? 0 : failed("SCardListReaders", status);
}

/* From the first reader to the n-th behind it. */
static bool go_to_reader(const char *n)
{
    for (unsigned long left = strtoul(n, NULL, 10); left > 0 && *reader != '\0'; left--)
        reader += strlen(reader) + 1;
    return *reader != '\0';
}

static int list_readers(void)
{
    for (const char *name = readers; *name; name += strlen(name) + 1)
        puts(name);
    return 0;
}

static int has_reader(const char *wanted)
{
    for (const char *name = readers; *name; name += strlen(name) + 1)
        if (strncmp(name, wanted, strlen(wanted)) == 0)
            return 0;
    return 1;
}

/* Waits until the state has the bit wanted (SCARD_STATE_PRESENT or SCARD_STATE_EMPTY). */
static int wait_for(DWORD wanted)
{
    SCARD_READERSTATE state = {.szReader = reader, .dwCurrentState = SCARD_STATE_UNAWARE};
    for (;;) {
        LONG status = SCardGetStatusChange(context, WAIT_MS, &state, 1);
        if (status != SCARD_S_SUCCESS)
            return failed("SCardGetStatusChange", status);
        if ((state.dwEventState & wanted) != 0)
            return 0;
        state.dwCurrentState = state.dwEventState;
    }
}

static bool hex_bytes(const char *hex, BYTE *out, DWORD *len)
{
    size_t n = strlen(hex) / 2;
    if (strlen(hex) % 2 != 0 || n > APDU_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        out[i] = (BYTE)byte;
    }
    *len = (DWORD)n;
    return true;
}

static void print_hex(const BYTE *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02X", bytes[i]);
    putchar('\n');
}

static int send_one(SCARDHANDLE card, const SCARD_IO_REQUEST *pci, const char *hex)
{
    static BYTE command[APDU_MAX], answer[ANSWER_MAX];
    DWORD command_len, answer_len = sizeof(answer);
    if (!hex_bytes(hex, command, &command_len)) {
        fputs(usage, stderr);
        return 2;
    }
    LONG status = SCardTransmit(card, pci, command, command_len, NULL, answer, &answer_len);
    if (status != SCARD_S_SUCCESS)
        return failed("SCardTransmit", status);
    print_hex(answer, answer_len);
    return 0;
}

static int send_apdus(char **hex)
{
    SCARDHANDLE card;
    DWORD protocol;
    LONG status = SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                               &card, &protocol);
    if (status != SCARD_S_SUCCESS)
        return failed("SCardConnect", status);
    int result = 0;
    for (; *hex && result == 0; hex++)
        result = send_one(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, *hex);
    SCardDisconnect(card, SCARD_LEAVE_CARD);
    return result;
}

/* vpcd's frames: two bytes of length, then a command, or one byte of control (01: power on). */
static bool sim_send(int fd, const BYTE *bytes, size_t len)
{
    BYTE head[2] = {(BYTE)(len >> 8), (BYTE)len};
    return send(fd, head, 2, MSG_NOSIGNAL) == 2 && send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static int sim_apdus(const char *path, char **hex)
{
    static BYTE command[APDU_MAX], answer[ANSWER_MAX];
    static const BYTE power_on = 1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    BYTE head[2];
    DWORD len;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        !sim_send(fd, &power_on, 1)) {
        perror(path);
        return 1;
    }
    int result = 0;
    for (; *hex && result == 0; hex++) {
        result = 1;
        if (!hex_bytes(*hex, command, &len) || !sim_send(fd, command, len) ||
            recv(fd, head, 2, MSG_WAITALL) != 2)
            break;
        size_t answer_len = (size_t)head[0] << 8 | head[1];
        if (recv(fd, answer, answer_len, MSG_WAITALL) != (ssize_t)answer_len)
            break;
        print_hex(answer, answer_len);
        result = 0;
    }
    close(fd);
    return result;
}

static int ask(int argc, char **argv)
{
    const char *question = argv[1];
    if (strcmp(question, "readers") == 0)
        return list_readers();
    if (strcmp(question, "reader") == 0 && argc == 3)
        return has_reader(argv[2]);
    if (strcmp(question, "present") == 0)
        return wait_for(SCARD_STATE_PRESENT);
    if (strcmp(question, "absent") == 0)
        return wait_for(SCARD_STATE_EMPTY);
    return strcmp(question, "apdu") == 0 ? send_apdus(argv + 2) : 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    if (strcmp(argv[1], "sim") == 0 && argc > 3)
        return sim_apdus(argv[2], argv + 3);
    int result = find_readers();
    if (result != 0)
        return result;
    if (strcmp(argv[1], "slot") != 0)
        result = ask(argc, argv);
    else if (argc > 3 && go_to_reader(argv[2]))
        result = ask(argc - 2, argv + 2);
    else
        result = 2;
    SCardReleaseContext(context);
    return result;
}
