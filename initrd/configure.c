/* SPDX-License-Identifier: Apache-2.0 */
#include "configure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"
#include "tlv.h"

#define DEFAULT_SHM_SIZE (64u << 20)
#define KNOWN_FLAGS (HRUN_CONF_FLAG_READONLY_ROOT | HRUN_CONF_FLAG_PRIVILEGED)

/* Makes room for one more item in an array of `count` items; the array never passes CONFIGURE_MAX_ITEMS. */
static void* one_more(void* items, size_t count, size_t size, struct err* err) {
    if (count >= CONFIGURE_MAX_ITEMS) {
        err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d mounts, sysctls or files", CONFIGURE_MAX_ITEMS);
        return NULL;
    }
    void* grown = realloc(items, (count + 1) * size);
    if (!grown)
        err_system(err, "keep the configuration");
    return grown;
}

static int parse_slot(const struct tlv* tlv, uint32_t* slot, struct err* err) {
    if (tlv_u32(tlv, slot, err) < 0)
        return -1;
    if (*slot > CONFIGURE_MAX_SLOT)
        return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "slot %u: the last one is %d", *slot,
                       CONFIGURE_MAX_SLOT);
    return 0;
}

static int parse_layer(const struct tlv* tlv, struct configure* configure, struct err* err) {
    if (configure->layer_count == CONFIGURE_MAX_LAYERS)
        return err_set(err, HRUN_ERROR_CONFIG, E2BIG, "more than %d layers", CONFIGURE_MAX_LAYERS);
    return parse_slot(tlv, &configure->layers[configure->layer_count++], err);
}

static int parse_writable(const struct tlv* tlv, struct configure* configure, struct err* err) {
    configure->has_writable = true;
    return parse_slot(tlv, &configure->writable, err);
}

static int parse_share(const struct tlv* tlv, struct configure* configure, struct err* err) {
    configure->has_share = true;
    return parse_slot(tlv, &configure->share, err);
}

static int parse_flags(const struct tlv* tlv, struct configure* configure, struct err* err) {
    if (tlv_u32(tlv, &configure->flags, err) < 0)
        return -1;
    if (configure->flags & ~(uint32_t)KNOWN_FLAGS)
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "unknown flags 0x%x in CONFIGURE", configure->flags);
    return 0;
}

/* What is shared has a number for a name. */
static int check_numbered(const struct mount_request* mount, struct err* err) {
    bool numbered = strcmp(mount->type, "share") == 0 || strcmp(mount->type, "disk") == 0;
    size_t digits = strspn(mount->source, "0123456789");
    if (numbered && (digits == 0 || digits > 4 || mount->source[digits]))
        return err_set(err, HRUN_ERROR_CONFIG, EINVAL, "mount %s: \"%s\" is not a number", mount->type,
                       mount->source);
    return 0;
}

static int parse_mount(const struct tlv* tlv, struct configure* configure, struct err* err) {
    struct mount_request* grown =
        one_more(configure->mounts, configure->mount_count, sizeof(*configure->mounts), err);
    if (!grown)
        return -1;
    configure->mounts = grown;
    char* fields[4];
    if (tlv_strings(tlv, fields, 4, err) < 0)
        return -1;
    grown[configure->mount_count++] = (struct mount_request){fields[0], fields[1], fields[2], fields[3]};
    return check_numbered(&grown[configure->mount_count - 1], err);
}

static int parse_sysctl(const struct tlv* tlv, struct configure* configure, struct err* err) {
    struct sysctl_request* grown =
        one_more(configure->sysctls, configure->sysctl_count, sizeof(*configure->sysctls), err);
    if (!grown)
        return -1;
    configure->sysctls = grown;
    char* fields[2];
    if (tlv_strings(tlv, fields, 2, err) < 0)
        return -1;
    grown[configure->sysctl_count++] = (struct sysctl_request){fields[0], fields[1]};
    return 0;
}

static int parse_path(const struct tlv* tlv, struct string_list* list, struct err* err) {
    char* path;
    if (tlv_string(tlv, &path, err) < 0)
        return -1;
    return string_list_push(list, path, err);
}

static int parse_entropy(const struct tlv* tlv, struct configure* configure, struct err* err) {
    if (tlv->length < 32 || tlv->length > sizeof(configure->entropy))
        return err_set(err, HRUN_ERROR_PROTOCOL, EPROTO, "%u bytes of entropy: 32 to %d are taken",
                       tlv->length, CONFIGURE_MAX_ENTROPY);
    memcpy(configure->entropy, tlv->value, tlv->length);
    configure->entropy_length = tlv->length;
    return 0;
}

/* A tag that may repeat; returns 0, -1, or 1 when the tag is none of these. */
static int parse_repeated(const struct tlv* tlv, struct configure* configure, struct err* err) {
    switch (tlv->tag) {
    case HRUN_CONF_LAYER:
        return parse_layer(tlv, configure, err);
    case HRUN_CONF_MOUNT:
        return parse_mount(tlv, configure, err);
    case HRUN_CONF_SYSCTL:
        return parse_sysctl(tlv, configure, err);
    case HRUN_CONF_FILE:
        return file_requests_parse(tlv, &configure->files, err);
    case HRUN_CONF_MASKED:
        return parse_path(tlv, &configure->masked, err);
    case HRUN_CONF_READONLY:
        return parse_path(tlv, &configure->readonly, err);
    case HRUN_CONF_NIC:
    case HRUN_CONF_ADDRESS:
    case HRUN_CONF_GATEWAY:
    case HRUN_CONF_ROUTE:
        return nic_requests_parse(tlv, &configure->nics, err);
    default:
        return 1;
    }
}

static int parse_single(const struct tlv* tlv, struct configure* configure, struct err* err) {
    switch (tlv->tag) {
    case HRUN_CONF_WRITABLE:
        return parse_writable(tlv, configure, err);
    case HRUN_CONF_SHARE:
        return parse_share(tlv, configure, err);
    case HRUN_CONF_HOSTNAME:
        return tlv_string(tlv, &configure->hostname, err);
    case HRUN_CONF_DOMAINNAME:
        return tlv_string(tlv, &configure->domainname, err);
    case HRUN_CONF_FLAGS:
        return parse_flags(tlv, configure, err);
    case HRUN_CONF_TIME:
        return tlv_u64(tlv, &configure->time_ns, err);
    case HRUN_CONF_ENTROPY:
        return parse_entropy(tlv, configure, err);
    case HRUN_CONF_SHM_SIZE:
        return tlv_u64(tlv, &configure->shm_size, err);
    case HRUN_CONF_PIDS_MAX:
        return tlv_u64(tlv, &configure->pids_max, err);
    case HRUN_CONF_MEMORY_MAX:
        return tlv_u64(tlv, &configure->memory_max, err);
    case HRUN_CONF_CPUS:
        return tlv_u32(tlv, &configure->cpus, err);
    default:
        return tlv_unknown(tlv, err);
    }
}

int configure_parse(const uint8_t* payload, size_t length, struct configure* configure, struct err* err) {
    struct tlv_reader reader = {.at = payload, .left = length};
    struct tlv tlv;
    int more;
    configure->shm_size = DEFAULT_SHM_SIZE;
    while ((more = tlv_next(&reader, &tlv, err)) > 0) {
        int done = parse_repeated(&tlv, configure, err);
        if (done < 0)
            return -1;
        if (done > 0 && (tlv_once(&reader, &tlv, err) < 0 || parse_single(&tlv, configure, err) < 0))
            return -1;
    }
    return more < 0 ? -1 : nic_requests_check(&configure->nics, err);
}

void configure_free(struct configure* configure) {
    for (size_t i = 0; i < configure->mount_count; i++) {
        struct mount_request* mount = &configure->mounts[i];
        free(mount->type);
        free(mount->source);
        free(mount->target);
        free(mount->options);
    }
    for (size_t i = 0; i < configure->sysctl_count; i++) {
        free(configure->sysctls[i].key);
        free(configure->sysctls[i].value);
    }
    file_requests_free(&configure->files);
    free(configure->mounts);
    free(configure->sysctls);
    free(configure->hostname);
    free(configure->domainname);
    string_list_free(&configure->masked);
    string_list_free(&configure->readonly);
    *configure = (struct configure){0};
}
