/* SPDX-License-Identifier: Apache-2.0
 *
 * What the container of a rehearsal runs (docs/pool.md): what programs do as they begin and end, so that the guest's kernel has done it before.
 * It is the interpreter of a program that has nothing else, for most programs have one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELF "/loader"
#define PAGE 4096
#define HEAP 300000

static int map_and_write(int fd) {
    char* pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (pages == MAP_FAILED)
        return -1;
    for (int i = 0; i < 3; i++)
        pages[i * PAGE] = 1;
    return mprotect(pages, PAGE, PROT_READ) < 0 || munmap(pages, 3 * PAGE) < 0 ? -1 : 0;
}

static int read_itself(void) {
    char bytes[PAGE];
    struct stat st;
    int fd = open(SELF, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || read(fd, bytes, sizeof(bytes)) < 0 || map_and_write(fd) < 0)
        return -1;
    return close(fd);
}

static int grow(void) {
    char* heap = malloc(HEAP);
    if (!heap)
        return -1;
    memset(heap, 1, HEAP);
    free(heap);
    return 0;
}

/* A child that becomes a program, and says something through a pipe. */
static int run_another(char* const* environment) {
    static char* const words[] = {SELF, "child", NULL};
    char byte;
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execve(SELF, words, environment);
        _exit(127);
    }
    close(ends[1]);
    int read_size = (int)read(ends[0], &byte, 1);
    close(ends[0]);
    return child < 0 || read_size != 1 || waitpid(child, &status, 0) < 0 || status != 0 ? -1 : 0;
}

int main(int argc, char** argv, char** environment) {
    static const char said[] = "rehearsed\n";
    struct stat st;
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return write(STDOUT_FILENO, said, 1) == 1 ? 0 : 1;
    if (stat("/nowhere", &st) == 0 || read_itself() < 0 || grow() < 0 || run_another(environment) < 0)
        return 2;
    for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++)
        if (write(stream, said, sizeof(said) - 1) < 0)
            return 3;
    return 0;
}
