/* SPDX-License-Identifier: Apache-2.0
 *
 * A tar archive's block: POSIX.1-2017 pax (ustar), with GNU's sparse map where it is read.
 */
#ifndef HRUN_TAR_FORMAT_H
#define HRUN_TAR_FORMAT_H

#include <assert.h>
#include <stdint.h>

#define TAR_BLOCK 512
#define TAR_NAME_SIZE 100

struct tar_block {
    char name[TAR_NAME_SIZE];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[TAR_NAME_SIZE];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char padding[12];
};

static_assert(sizeof(struct tar_block) == TAR_BLOCK, "a tar header is one block");

enum tar_type {
    TAR_FILE = '0',
    TAR_HARD_LINK = '1',
    TAR_SYMBOLIC_LINK = '2',
    TAR_CHARACTER_DEVICE = '3',
    TAR_BLOCK_DEVICE = '4',
    TAR_DIRECTORY = '5',
    TAR_FIFO = '6',
    TAR_CONTIGUOUS = '7',
    TAR_PAX = 'x',
    TAR_PAX_GLOBAL = 'g',
    TAR_GNU_LONG_NAME = 'L',
    TAR_GNU_LONG_LINK = 'K',
    TAR_GNU_SPARSE = 'S',
};

/* The sum of the block's bytes, its checksum field taken as spaces. */
static inline uint32_t tar_checksum(const struct tar_block* block) {
    const uint8_t* bytes = (const uint8_t*)block;
    uint32_t sum = 0;
    for (unsigned i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : bytes[i];
    return sum;
}

#endif
