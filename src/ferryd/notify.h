/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells systemd how far we are (sd_notify(3)), without its library: one datagram. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* "READY=1", "STOPPING=1". Does nothing where nobody listens ($NOTIFY_SOCKET). */
void notify_send(const char *state);

#endif
