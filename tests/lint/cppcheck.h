/* SPDX-License-Identifier: Apache-2.0
 *
 * For cppcheck alone, which does not read system headers: macros of theirs that look like statements. */
#ifndef LINT_CPPCHECK_H
#define LINT_CPPCHECK_H

#define json_array_foreach(array, index, value)                                                              \
    for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index)); index++)

#endif
