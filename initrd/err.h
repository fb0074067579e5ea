/* SPDX-License-Identifier: Apache-2.0
 *
 * How failures travel in the agent: a fallible function returns 0 or a negative number and fills its
 * last argument. The text is what the user reads: what was attempted, on what, and why it failed.
 */
#ifndef HRUN_ERR_H
#define HRUN_ERR_H

#include <stdint.h>

#define ERR_TEXT_SIZE 512

struct err {
    uint32_t kind; /* enum hrun_error_kind, or 0: the caller knows */
    int number;    /* errno, or 0 */
    char text[ERR_TEXT_SIZE];
};

/* Fills `err` with the text and ": " and the description of errno. Returns -1. */
int err_system(struct err* err, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* Fills `err` with exactly this. Returns -1. */
int err_set(struct err* err, uint32_t kind, int number, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
