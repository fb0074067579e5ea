/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes in archives: SCHILY.xattr.NAME records.
 */
#ifndef HRUN_XATTRS_H
#define HRUN_XATTRS_H

#include <stdbool.h>

#include "found_file.h"
#include "pax_records.h"

#define XATTR_RECORD "SCHILY.xattr."
#define XATTR_NAME_MAX_BYTES 255

/* True for an attribute that is part of the file: not the overlay's own, nor a security module's label. */
bool xattr_is_archived(const char* name);

/* Adds a record for each of the file's attributes. Returns -1 with errno when memory is out. */
int xattrs_add(struct pax_records* records, const struct found_file* file);

#endif
