/* SPDX-License-Identifier: Apache-2.0
 *
 * Command and response scripts in the expanded format (ETSI TS 102 226 5.2): AA L {22 L C-APDU}..., answered
 * by AB L 80 n {23 L R-APDU}...; the indefinite forms AE 80 ... 00 00 and AF 80 ... 00 00 too. Lengths are
 * BER with 1 to 4 length bytes; we write minimal ones. docs/protocol.md has samples. */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <apdu/apdu.h>
#include <base/bytes.h>
#include <base/limits.h>

enum script_form { SCRIPT_DEFINITE, SCRIPT_INDEFINITE };

/* Writing commands: begin, put..., end. The writer may already hold other bytes. */
struct script_writer {
    struct writer *out;
    enum script_form form;
    size_t start, count;
};
void script_begin(struct script_writer *s, struct writer *out, enum script_form form);
void script_put_capdu(struct script_writer *s, struct view capdu);
void script_put_apdu(struct script_writer *s, const struct apdu *a);
/* ERR_LIMIT when more than SCRIPT_COMMANDS_MAX commands or SCRIPT_MAX bytes. */
enum err script_end(struct script_writer *s) MUST_USE;

/* Walking over commands: open looks at the outer object, next takes one command at a time. After the last one
 * next gives OK and *capdu empty. *fault says what a malformed script is answered with: 90 01 <value>. */
enum script_fault { SCRIPT_FINE = 0, SCRIPT_UNKNOWN_TAG = 1, SCRIPT_WRONG_LENGTH = 2, SCRIPT_NO_LENGTH = 3 };
struct script_reader {
    struct reader in;
    enum script_form form;
    bool ended;
};
enum err script_open(struct script_reader *s, struct view script, enum script_fault *fault) MUST_USE;
enum err script_next(struct script_reader *s, struct view *capdu, enum script_fault *fault) MUST_USE;
/* Reads the whole to find out that it is well-formed, and how many commands it has. */
enum err script_count(struct view script, size_t *count) MUST_USE;

/* Responses. The same form answers: AA by AB, AE by AF (AF has no 80). */
struct response_writer {
    struct writer *out;
    enum script_form form;
    struct writer body;
    size_t executed;
};
void response_begin(struct response_writer *s, struct writer *out, enum script_form form);
void response_put(struct response_writer *s, struct view rapdu);
/* Adds 90 01 <fault> behind what was executed. */
void response_put_fault(struct response_writer *s, enum script_fault fault);
enum err response_end(struct response_writer *s) MUST_USE;
void response_abandon(struct response_writer *s);

struct response_script {
    size_t executed; /* the value of 80; the number of R-APDUs where there is no 80 */
    enum script_fault fault;
    struct view rapdus[SCRIPT_COMMANDS_MAX];
    size_t count;
};
/* Parses AB or AF strictly. ERR_FORMAT; ERR_LIMIT on more than SCRIPT_COMMANDS_MAX. Views borrow from v. */
enum err response_parse(struct view v, struct response_script *out) MUST_USE;

#endif
