/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLVs inside CONFIGURE and START (protocol.h, struct hrun_tlv), read strictly.
 */
#ifndef HRUN_TLV_H
#define HRUN_TLV_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "protocol.h"

struct tlv_reader {
    const uint8_t* at;
    size_t left;
    uint64_t seen; /* bit per tag below 64, for tlv_once */
};

struct tlv {
    uint16_t tag;
    uint32_t length;
    const uint8_t* value; /* into the reader's bytes; not aligned, not terminated */
};

/* Takes the next TLV. Returns 1, 0 at the end, or -1 for bytes that are not TLVs. */
int tlv_next(struct tlv_reader* reader, struct tlv* tlv, struct err* err);

/* Fails when a tag that must not repeat was given to this function before. */
int tlv_once(struct tlv_reader* reader, const struct tlv* tlv, struct err* err);

/* The value as an integer; fails unless its length is exactly the integer's. */
int tlv_u32(const struct tlv* tlv, uint32_t* value, struct err* err);
int tlv_u64(const struct tlv* tlv, uint64_t* value, struct err* err);

/* The value as a new NUL-terminated string; fails when it holds a NUL. */
int tlv_string(const struct tlv* tlv, char** value, struct err* err);

/* The value as `count` strings separated by count - 1 NULs, each new. On failure none is left. */
int tlv_strings(const struct tlv* tlv, char** values, size_t count, struct err* err);

/* The error for a tag that this request does not have. Returns -1. */
int tlv_unknown(const struct tlv* tlv, struct err* err);

#endif
