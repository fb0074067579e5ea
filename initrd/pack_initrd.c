/* SPDX-License-Identifier: Apache-2.0
 *
 * Packs the agent into an initramfs: `pack_initrd AGENT OUTPUT`. The archive is cpio "newc"
 * (Documentation/driver-api/early-userspace/buffer-format.rst), uncompressed, for unpacking costs an emulated
 * guest more than reading. Same agent, same bytes: every owner, time and inode number is fixed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The directories the agent mounts and works on, and the console the kernel opens for it. */
static const char* const directories[] = {"container", "dev", "files", "layers", "proc", "sys", "writable"};

struct entry {
    const char* name;
    unsigned mode;
    unsigned links;
    unsigned major, minor;
    const void* data;
    size_t size;
};

static void pad(FILE* out, size_t written) {
    static const char zeros[4] = {0};
    fwrite(zeros, 1, -written & 3, out);
}

static void put(FILE* out, const struct entry* entry) {
    static unsigned inode = 0;
    size_t name_size = strlen(entry->name) + 1;
    int header =
        fprintf(out, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", ++inode, entry->mode, 0,
                0, entry->links, 0, entry->size, 0, 0, entry->major, entry->minor, name_size, 0);
    fwrite(entry->name, 1, name_size, out);
    pad(out, (size_t)header + name_size);
    fwrite(entry->data ? entry->data : "", 1, entry->size, out);
    pad(out, entry->size);
}

static void* read_file(const char* path, size_t* size) {
    FILE* file = fopen(path, "rb");
    struct stat status;
    void* data = NULL;
    if (file && fstat(fileno(file), &status) == 0 && (data = malloc((size_t)status.st_size + 1)))
        *size = fread(data, 1, (size_t)status.st_size, file);
    if (file)
        fclose(file);
    return data;
}

static void put_all(FILE* out, const void* agent, size_t size) {
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
        put(out, &(struct entry){.name = directories[i], .mode = S_IFDIR | 0755, .links = 2});
    put(out,
        &(struct entry){.name = "dev/console", .mode = S_IFCHR | 0600, .links = 1, .major = 5, .minor = 1});
    put(out,
        &(struct entry){.name = "init", .mode = S_IFREG | 0755, .links = 1, .data = agent, .size = size});
    put(out, &(struct entry){.name = "TRAILER!!!", .links = 1});
}

int main(int argc, char** argv) {
    size_t size = 0;
    void* agent = argc == 3 ? read_file(argv[1], &size) : NULL;
    FILE* out = agent ? fopen(argv[2], "wb") : NULL;
    if (!out) {
        fprintf(stderr, "usage: pack_initrd AGENT OUTPUT (both must be accessible)\n");
        return 1;
    }
    put_all(out, agent, size);
    free(agent);
    if (fclose(out) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
