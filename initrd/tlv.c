/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int wrong(const struct tlv* tlv, const char* what, struct err* err) {
    return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "tag %u: %s", tlv->tag, what);
}

int tlv_next(struct tlv_reader* reader, struct tlv* tlv, struct err* err) {
    struct hrun_tlv header;
    if (reader->left == 0)
        return 0;
    if (reader->left < sizeof(header))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "%zu stray bytes after the last tag", reader->left);
    memcpy(&header, reader->at, sizeof(header));
    *tlv = (struct tlv){header.tag, header.length, reader->at + sizeof(header)};
    if (header.reserved != 0 || header.length > reader->left - sizeof(header))
        return wrong(tlv, "longer than the request that holds it", err);
    reader->at += sizeof(header) + header.length;
    reader->left -= sizeof(header) + header.length;
    return 1;
}

int tlv_once(struct tlv_reader* reader, const struct tlv* tlv, struct err* err) {
    uint64_t bit = UINT64_C(1) << (tlv->tag & 63);
    if (reader->seen & bit)
        return wrong(tlv, "given twice", err);
    reader->seen |= bit;
    return 0;
}

int tlv_u32(const struct tlv* tlv, uint32_t* value, struct err* err) {
    if (tlv->length != sizeof(*value))
        return wrong(tlv, "not a 32-bit integer", err);
    memcpy(value, tlv->value, sizeof(*value));
    return 0;
}

int tlv_u64(const struct tlv* tlv, uint64_t* value, struct err* err) {
    if (tlv->length != sizeof(*value))
        return wrong(tlv, "not a 64-bit integer", err);
    memcpy(value, tlv->value, sizeof(*value));
    return 0;
}

static char* copy_string(const uint8_t* from, size_t length) {
    char* copy = malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, from, length);
    copy[length] = '\0';
    return copy;
}

int tlv_string(const struct tlv* tlv, char** value, struct err* err) {
    return tlv_strings(tlv, value, 1, err);
}

int tlv_strings(const struct tlv* tlv, char** values, size_t count, struct err* err) {
    const uint8_t* at = tlv->value;
    size_t left = tlv->length;
    size_t done = 0;
    for (; done < count; done++) {
        const uint8_t* end = left > 0 ? memchr(at, '\0', left) : NULL;
        bool last = done + 1 == count;
        if (last ? end != NULL : end == NULL)
            break;
        size_t length = last ? left : (size_t)(end - at);
        values[done] = copy_string(at, length);
        if (!values[done])
            break;
        at += last ? length : length + 1;
        left -= last ? length : length + 1;
    }
    if (done == count)
        return 0;
    while (done > 0)
        free(values[--done]);
    return wrong(tlv, "a NUL in the wrong place", err);
}

int tlv_unknown(const struct tlv* tlv, struct err* err) {
    return wrong(tlv, "not known to this agent", err);
}
