/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's configuration: lines "key = value", with # comments. One table in config.c says what there is,
 * what it defaults to and what it may be; man/ferryd.8 has the words. */
#ifndef CONFIG_H
#define CONFIG_H

#include <base/bytes.h>
#include <base/log.h>
#include <gp/weak.h>

enum {
    CONFIG_TEXT_MAX = 64 * 1024, /* a file of this size is no configuration of ours */
    CONFIG_VALUE_MAX = 255,      /* paths, addresses: what the system takes in one name is 255 bytes */
    CONFIG_USER_MAX = 32         /* useradd(8) */
};

/* Texts that may be left out are "" then. Paths are absolute. */
struct config {
    char listen[CONFIG_VALUE_MAX + 1]; /* "127.0.0.1:8443", "[::1]:0" */
    char public_url[CONFIG_VALUE_MAX +
                    1]; /* what ticket links begin with: "https://host:port", no slash at its end */
    char certificate[CONFIG_VALUE_MAX + 1], private_key[CONFIG_VALUE_MAX + 1]; /* PEM files */
    char client_ca[CONFIG_VALUE_MAX + 1];      /* PEM file; "": no client certificates */
    char store[CONFIG_VALUE_MAX + 1];          /* the database file; its folder is the front's to write in */
    char kek_file[CONFIG_VALUE_MAX + 1];       /* exactly one of the two is given */
    char kek_credential[CONFIG_VALUE_MAX + 1]; /* name in $CREDENTIALS_DIRECTORY, see systemd.exec(5) */
    char admin_token_file[CONFIG_VALUE_MAX +
                          1];       /* holds the token's SHA-256 in hex, never the token; "": no token */
    char user[CONFIG_USER_MAX + 1]; /* whom front and supervisor become when started by root; "" */
    char keeper_user[CONFIG_USER_MAX + 1]; /* whom the keeper becomes; "": as user */
    char issuer[CONFIG_VALUE_MAX + 1];     /* who offers the applications, as card holders know them */
    char help_phone[CONFIG_VALUE_MAX + 1], help_url[CONFIG_VALUE_MAX + 1]; /* whom card holders ask */
    char client_package[CONFIG_VALUE_MAX + 1]; /* file that pages offer as the client; "" */
    unsigned agent_port;                       /* where pages look for a loopback agent; 0: nowhere */
    unsigned connections_max, connections_per_peer_max;
    unsigned session_timeout_s; /* a session that hears nothing for so long is over */
    unsigned order_expiry_s;    /* of an order that does not say it */
    weak_set allow_weak;        /* the policy: weak choices that card types may make */
    enum log_level log_level;
};

struct config_problem {
    unsigned line;  /* from 1; 0: the file as a whole */
    char text[200]; /* a sentence */
};

/* ERR_FORMAT, with *why filled, on a line that is none, an unknown or doubled key, a value that its key does
 * not take, or a missing key; ERR_LIMIT (also with *why) above CONFIG_TEXT_MAX. *out is written only on OK.
 */
enum err config_parse(struct view text, struct config *out, struct config_problem *why) MUST_USE;

enum { CONFIG_WHY_MAX = 600 };
/* Reads and parses the file. ERR_IO when it cannot be read. why gets "file:line: sentence". */
enum err config_load(const char *path, struct config *out, char why[CONFIG_WHY_MAX]) MUST_USE;

/* Reads a small file whole (at most max bytes; ERR_LIMIT) and appends it to out. ERR_IO. */
enum err config_read_file(const char *path, size_t max, struct writer *out) MUST_USE;

#endif
