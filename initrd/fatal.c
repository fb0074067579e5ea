/* SPDX-License-Identifier: Apache-2.0 */
#include "fatal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print(const char* line, size_t length) {
    /* The machine stops next: there is nobody to tell that the console is gone. */
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}

_Noreturn void fatal(const struct err* err) {
    char line[sizeof("hrun-agent: \n") + ERR_TEXT_SIZE];
    int length = snprintf(line, sizeof(line), "hrun-agent: %s\n", err->text);
    print(line, (size_t)length);
    _exit(1);
}

/* Async-signal-safe: the number is put in place by hand. */
static void crashed(int signal) {
    char line[] = "hrun-agent: crashed by signal 00\n";
    line[sizeof(line) - 4] = (char)('0' + signal / 10);
    line[sizeof(line) - 3] = (char)('0' + signal % 10);
    print(line, sizeof(line) - 1);
    _exit(1);
}

void fatal_catch_crashes(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}
