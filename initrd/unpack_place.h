/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an entry of an archive goes: a directory, held by a descriptor, and a name in it.
 */
#ifndef HRUN_UNPACK_PLACE_H
#define HRUN_UNPACK_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "err.h"

struct unpack_place {
    int parent;
    char name[NAME_MAX + 1];
};

/* Cleans an entry's name of "." and "..", in place: "" for the directory that is unpacked into. Fails when it leads out of
 * that. */
int unpack_name_clean(char* name, struct err* err);

/* Finds the place of a cleaned name below `directory`; with `make`, directories on the way that are missing are made
 * (mode 0755). The parent is the caller's to close. */
int unpack_place_find(int directory, const char* name, bool make, struct unpack_place* place,
                      struct err* err);

#endif
