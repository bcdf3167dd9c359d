/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files the front can still name (landlock(7)). Front and keeper may run as the same user, and then
 * nothing but this keeps a front that was taken over from opening the file with the key-encryption key. */
#ifndef LANDLOCK_H
#define LANDLOCK_H

#include "config.h"

/* *in_force is false where the kernel has no Landlock; that is no error. */
enum err landlock_front(const struct config *config, bool *in_force) MUST_USE;

#endif
