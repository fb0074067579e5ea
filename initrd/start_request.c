/* SPDX-License-Identifier: Apache-2.0 */
#include "start_request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "tlv.h"

#define KNOWN_FLAGS                                                                                          \
    (HRUN_START_INIT_SESSION | HRUN_START_TTY | HRUN_START_STDIN | HRUN_START_NO_NEW_PRIVS |                 \
     HRUN_START_REAPER | HRUN_START_DETACHED | HRUN_START_PROCESSES | HRUN_START_FROZEN)
#define DEFAULT_UMASK 022

static int malformed(struct err* err, const char* what) {
    return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "START: %s", what);
}

static int parse_item(const struct tlv* tlv, struct string_list* list, struct err* err) {
    char* item;
    if (tlv_string(tlv, &item, err) < 0)
        return -1;
    return string_list_push(list, item, err);
}

static int parse_rlimit(const struct tlv* tlv, struct start_request* request, struct err* err) {
    struct {
        uint32_t resource;
        uint32_t zero;
        uint64_t soft;
        uint64_t hard;
    } wire;
    if (tlv->length != sizeof(wire) || request->rlimit_count == START_MAX_RLIMITS)
        return malformed(err, "a resource limit of the wrong size, or too many");
    memcpy(&wire, tlv->value, sizeof(wire));
    if (wire.zero != 0)
        return malformed(err, "a resource limit with a non-zero reserved field");
    request->rlimits[request->rlimit_count++] = (struct rlimit_request){wire.resource, wire.soft, wire.hard};
    return 0;
}

static int parse_flags(const struct tlv* tlv, struct start_request* request, struct err* err) {
    if (tlv_u32(tlv, &request->flags, err) < 0)
        return -1;
    if (request->flags & ~(uint32_t)KNOWN_FLAGS)
        return malformed(err, "unknown flags");
    return 0;
}

static int parse_size(const struct tlv* tlv, struct start_request* request, struct err* err) {
    uint16_t size[2];
    if (tlv->length != sizeof(size))
        return malformed(err, "a terminal size that is not two 16-bit integers");
    memcpy(size, tlv->value, sizeof(size));
    request->rows = size[0];
    request->columns = size[1];
    return 0;
}

static int parse_umask(const struct tlv* tlv, struct start_request* request, struct err* err) {
    if (tlv_u32(tlv, &request->umask, err) < 0)
        return -1;
    return request->umask > 0777 ? malformed(err, "a umask over 0777") : 0;
}

static int parse_oom_score(const struct tlv* tlv, struct start_request* request, struct err* err) {
    uint32_t shifted;
    if (tlv_u32(tlv, &shifted, err) < 0)
        return -1;
    if (shifted > 2000)
        return malformed(err, "an OOM score adjustment outside -1000 to 1000");
    request->has_oom_score = true;
    request->oom_score = (int)shifted - 1000;
    return 0;
}

static int parse_archive(const struct tlv* tlv, struct start_request* request, struct err* err) {
    if (tlv_u32(tlv, &request->archive, err) < 0)
        return -1;
    if (request->archive < HRUN_ARCHIVE_STAT || request->archive > HRUN_ARCHIVE_EXPORT)
        return malformed(err, "an unknown archive operation");
    return 0;
}

/* A tag that may repeat; returns 0, -1, or 1 when the tag is none of these. */
static int parse_repeated(const struct tlv* tlv, struct start_request* request, struct err* err) {
    switch (tlv->tag) {
    case HRUN_START_ARG:
        return parse_item(tlv, &request->arguments, err);
    case HRUN_START_ENV:
        return parse_item(tlv, &request->environment, err);
    case HRUN_START_GROUP:
        return parse_item(tlv, &request->groups, err);
    case HRUN_START_RLIMIT:
        return parse_rlimit(tlv, request, err);
    default:
        return 1;
    }
}

static int parse_single(const struct tlv* tlv, struct start_request* request, struct err* err) {
    switch (tlv->tag) {
    case HRUN_START_CWD:
        return tlv_string(tlv, &request->cwd, err);
    case HRUN_START_USER:
        return tlv_string(tlv, &request->user, err);
    case HRUN_START_CAPS:
        return tlv_u64(tlv, &request->capabilities, err);
    case HRUN_START_FLAGS:
        return parse_flags(tlv, request, err);
    case HRUN_START_SIZE:
        return parse_size(tlv, request, err);
    case HRUN_START_UMASK:
        return parse_umask(tlv, request, err);
    case HRUN_START_OOM_SCORE:
        return parse_oom_score(tlv, request, err);
    case HRUN_START_ARCHIVE:
        return parse_archive(tlv, request, err);
    default:
        return tlv_unknown(tlv, err);
    }
}

/* How many ARGs each operation has. */
static int check_archive(const struct start_request* request, struct err* err) {
    static const size_t arguments[] = {
        [HRUN_ARCHIVE_STAT] = 1, [HRUN_ARCHIVE_GET] = 2, [HRUN_ARCHIVE_PUT] = 1, [HRUN_ARCHIVE_EXPORT] = 0};
    if (request->arguments.count != arguments[request->archive])
        return malformed(err, "an archive operation with the wrong number of arguments");
    if (request->arguments.count > 0 && request->arguments.items[0][0] != '/')
        return malformed(err, "an archive of a path that is not absolute");
    bool input = request->flags & HRUN_START_STDIN;
    if (input != (request->archive == HRUN_ARCHIVE_PUT) ||
        (request->flags & ~(uint32_t)(HRUN_START_STDIN | HRUN_START_FROZEN)))
        return malformed(err, "an archive operation with flags that it does not have");
    return 0;
}

/* What the tags do not say each for itself. */
static int complete(struct start_request* request, struct err* err) {
    bool command = !(request->flags & HRUN_START_PROCESSES) && request->archive == 0;
    if (request->archive && check_archive(request, err) < 0)
        return -1;
    if (command && (request->arguments.count == 0 || request->arguments.items[0][0] == '\0'))
        return err_set(err, HRUN_ERROR_NOT_FOUND, ENOENT, "no command given: the image has none either");
    if (!request->archive && (request->flags & HRUN_START_FROZEN))
        return malformed(err, "a command that would stand still");
    if (!request->cwd)
        request->cwd = strdup("/");
    if (!request->user)
        request->user = strdup("");
    if (!request->cwd || !request->user)
        return err_system(err, "keep the request");
    if (request->cwd[0] != '/')
        return err_set(err, HRUN_ERROR_CWD, EINVAL, "working directory \"%s\" is not an absolute path",
                       request->cwd);
    return 0;
}

int start_request_parse(const uint8_t* payload, size_t length, struct start_request* request,
                        struct err* err) {
    struct tlv_reader reader = {.at = payload, .left = length};
    struct tlv tlv;
    int more;
    request->umask = DEFAULT_UMASK;
    while ((more = tlv_next(&reader, &tlv, err)) > 0) {
        int done = parse_repeated(&tlv, request, err);
        if (done < 0)
            return -1;
        if (done > 0 && (tlv_once(&reader, &tlv, err) < 0 || parse_single(&tlv, request, err) < 0))
            return -1;
    }
    return more < 0 ? -1 : complete(request, err);
}

void start_request_free(struct start_request* request) {
    string_list_free(&request->arguments);
    string_list_free(&request->environment);
    string_list_free(&request->groups);
    free(request->cwd);
    free(request->user);
    *request = (struct start_request){0};
}
