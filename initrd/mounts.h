/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts by descriptor: a mount is made detached and then attached to a place that is a descriptor too, so
 * no path of the image is ever followed by accident.
 */
#ifndef HRUN_MOUNTS_H
#define HRUN_MOUNTS_H

#include <stdbool.h>

#include "err.h"

/* For disks that hrun has made: nothing is left to be initialized in them, so the kernel need not start a thread that looks for it and reads all
 * bitmaps in advance. */
#define MOUNT_EXT4_OPTIONS "noinit_itable,no_prefetch_block_bitmaps"

/* Makes a detached mount of a file system, with options as in mount(8). A source that is a path (a disk) is
 * opened read-only too with "ro". Returns a descriptor, or -1 with what the kernel's log of the mount says. */
int mount_make(const char* type, const char* source, const char* options, struct err* err);

/* Attaches a detached mount at the place that the O_PATH descriptor `place` is; `name` is for the error. */
int mount_attach(int mount, int place, const char* name, struct err* err);

/* mount_make, then attached at a path of the agent's own. */
int mount_at(const char* type, const char* source, const char* options, const char* path, struct err* err);

/* An overlay under construction, detached once made. */
int overlay_open(struct err* err);
int overlay_set(int overlay, const char* key, const char* value, struct err* err);
int overlay_make(int overlay, struct err* err);

/* Gives the mount at a descriptor, and everything below it, the attributes that options of mount(8) name; the option
 * `other` is somebody else's. */
int mount_set_attributes(int mount, const char* options, const char* other, struct err* err);

/* A detached copy of the mount at a descriptor, with everything mounted below it: a bind mount to be. */
int mount_copy(int place, struct err* err);

/* Makes the mount at a descriptor, and with `recursive` everything below it, read-only. */
int mount_set_readonly(int mount, bool recursive, struct err* err);

#endif
