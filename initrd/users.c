/* SPDX-License-Identifier: Apache-2.0 */
#include "users.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "account_lines.h"
#include "protocol.h"

/* The entry of one user; `name` is empty when the passwd file has none. */
struct user_entry {
    struct field name;
    uint32_t uid;
    uint32_t gid;
    struct field home;
};

static struct field field_of(const char* string, size_t length) {
    return (struct field){string, length};
}

static bool same(struct field a, struct field b) {
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* True for a line that is a user: a name and two ids. */
static bool parse_user(const struct account_line* line, struct user_entry* entry) {
    *entry = (struct user_entry){.name = line->fields[0]};
    if (line->count < 4 || entry->name.length == 0)
        return false;
    if (!field_id(line->fields[2], &entry->uid) || !field_id(line->fields[3], &entry->gid))
        return false;
    if (line->count > 5)
        entry->home = line->fields[5];
    return true;
}

/* The first entry whose name is `wanted`, or whose uid is when it is a number. */
static bool find_user(struct user_file file, struct field wanted, struct user_entry* found) {
    struct account_line line;
    uint32_t uid;
    bool numeric = field_id(wanted, &uid);
    while (account_line_next(&file.text, &file.length, &line)) {
        if (!parse_user(&line, found))
            continue;
        if (same(found->name, wanted) || (numeric && found->uid == uid))
            return true;
    }
    return false;
}

static bool parse_group(const struct account_line* line, uint32_t* gid) {
    return line->count >= 3 && line->fields[0].length > 0 && field_id(line->fields[2], gid);
}

/* The first group whose name is `wanted`, or whose gid is; a number that no line has stands for itself. */
static bool find_group(struct user_file file, struct field wanted, uint32_t* gid) {
    struct account_line line;
    uint32_t number = 0, candidate;
    bool numeric = field_id(wanted, &number);
    while (account_line_next(&file.text, &file.length, &line)) {
        if (!parse_group(&line, &candidate))
            continue;
        if (same(line.fields[0], wanted) || (numeric && candidate == number)) {
            *gid = candidate;
            return true;
        }
    }
    *gid = number;
    return numeric;
}

static int add_group(struct identity* identity, uint32_t gid, struct err* err) {
    for (size_t i = 0; i < identity->group_count; i++)
        if (identity->groups[i] == gid)
            return 0;
    if (identity->group_count == USERS_MAX_GROUPS)
        return err_set(err, HRUN_ERROR_USER, EINVAL, "more than %d groups", USERS_MAX_GROUPS);
    size_t count = identity->group_count;
    if ((count & (count - 1)) == 0) {
        size_t capacity = count ? 2 * count : 1;
        gid_t* groups = realloc(identity->groups, capacity * sizeof(*groups));
        if (!groups)
            return err_system(err, "keep %zu groups", capacity);
        identity->groups = groups;
    }
    identity->groups[identity->group_count++] = gid;
    return 0;
}

static bool has_member(struct field members, struct field name) {
    struct field member;
    while (field_next_item(&members, &member))
        if (same(member, name))
            return true;
    return false;
}

/* Every group that lists `name` as a member. */
static int add_memberships(struct user_file file, struct field name, struct identity* identity,
                           struct err* err) {
    struct account_line line;
    uint32_t gid;
    while (account_line_next(&file.text, &file.length, &line)) {
        if (line.count < 4 || !parse_group(&line, &gid) || !has_member(line.fields[3], name))
            continue;
        if (add_group(identity, gid, err) < 0)
            return -1;
    }
    return 0;
}

static int resolve_user(struct user_file passwd, struct field user, struct user_entry* entry,
                        struct err* err) {
    uint32_t uid = 0;
    if (user.length == 0)
        user = field_of("0", 1);
    if (find_user(passwd, user, entry))
        return 0;
    if (!field_id(user, &uid))
        return err_set(err, HRUN_ERROR_USER, 0,
                       "unable to find user %.*s: no matching entries in passwd file", (int)user.length,
                       user.at);
    *entry = (struct user_entry){.name = field_of("", 0), .uid = uid};
    return 0;
}

static int resolve_group(struct user_file file, struct field group, uint32_t* gid, struct err* err) {
    if (find_group(file, group, gid))
        return 0;
    return err_set(err, HRUN_ERROR_USER, 0, "unable to find group %.*s: no matching entries in group file",
                   (int)group.length, group.at);
}

static int fill(const struct user_entry* entry, uint32_t gid, struct identity* identity, struct err* err) {
    identity->uid = entry->uid;
    identity->gid = gid;
    identity->home = entry->home.length > 0 ? strndup(entry->home.at, entry->home.length) : strdup("/");
    if (!identity->home)
        return err_system(err, "keep the user's home");
    return add_group(identity, gid, err);
}

static int add_additional(struct user_file file, const struct string_list* names, struct identity* identity,
                          struct err* err) {
    for (size_t i = 0; i < names->count; i++) {
        uint32_t gid;
        struct field name = field_of(names->items[i], strlen(names->items[i]));
        if (resolve_group(file, name, &gid, err) < 0 || add_group(identity, gid, err) < 0)
            return -1;
    }
    return 0;
}

int users_resolve(struct user_file passwd, struct user_file group, const char* spec,
                  const struct string_list* additional, struct identity* identity, struct err* err) {
    const char* colon = strchr(spec, ':');
    struct field user = field_of(spec, colon ? (size_t)(colon - spec) : strlen(spec));
    struct field wanted = colon ? field_of(colon + 1, strlen(colon + 1)) : field_of("", 0);
    struct user_entry entry;
    *identity = (struct identity){0};
    if (resolve_user(passwd, user, &entry, err) < 0)
        return -1;
    uint32_t gid = entry.gid;
    if (wanted.length > 0 && resolve_group(group, wanted, &gid, err) < 0)
        return -1;
    if (fill(&entry, gid, identity, err) < 0)
        return -1;
    bool implicit = wanted.length == 0 && entry.name.length > 0;
    if (implicit && add_memberships(group, entry.name, identity, err) < 0)
        return -1;
    return add_additional(group, additional, identity, err);
}

void identity_free(struct identity* identity) {
    free(identity->groups);
    free(identity->home);
    *identity = (struct identity){0};
}
