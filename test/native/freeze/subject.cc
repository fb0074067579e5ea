// SPDX-License-Identifier: Apache-2.0
// A process to be frozen: three threads, memory of every kind, open files of every kind. Each byte of its standard input is a question, which it
// answers with a line.
//
//     freeze_subject SHARED [epoll|twice]      the number of an open file that it maps; what it does that cannot be kept
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr size_t kShared = 8192;

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
unsigned rounds;
unsigned answered;
double sums[2] = {1.5, 2.5};
thread_local unsigned own_rounds = 100;
volatile sig_atomic_t signals;

void* add_up(void* argument) {
    const auto number = reinterpret_cast<intptr_t>(argument);
    double sum = sums[number]; // in a register of the processor's vector unit
    pthread_mutex_lock(&mutex);
    for (unsigned seen = 0;;) {
        while (rounds == seen)
            pthread_cond_wait(&changed, &mutex);
        seen = rounds;
        sum = std::sqrt(sum * sum + ++own_rounds);
        sums[number] = sum;
        ++answered;
        pthread_cond_broadcast(&changed);
    }
}

void say(const std::string& line) {
    const std::string whole = line + "\n";
    if (write(1, whole.data(), whole.size()) < 0)
        _exit(4);
}

std::string add_up_once() {
    pthread_mutex_lock(&mutex);
    ++rounds;
    answered = 0;
    pthread_cond_broadcast(&changed);
    while (answered < 2)
        pthread_cond_wait(&changed, &mutex);
    char text[64];
    snprintf(text, sizeof text, "%u %.6f %.6f", rounds, sums[0], sums[1]);
    pthread_mutex_unlock(&mutex);
    return text;
}

std::string random_number() {
    using Fill = int (*)(int, void*, size_t);
    const auto fill = reinterpret_cast<Fill>(dlsym(RTLD_DEFAULT, "gnutls_rnd"));
    uint64_t number = 0;
    if (!fill || fill(0, &number, sizeof number) != 0)
        return "none";
    return std::to_string(number);
}

std::string start_process() {
    const pid_t child = fork();
    if (child < 0)
        return strerrorname_np(errno);
    if (child == 0)
        _exit(0);
    waitpid(child, nullptr, 0);
    return "started";
}

std::string start_thread() {
    pthread_t thread;
    if (pthread_create(
            &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr) != 0)
        return "none";
    pthread_join(thread, nullptr);
    return "started";
}

std::string signal_itself() {
    raise(SIGUSR2);
    return std::to_string(signals);
}

std::string taken_signal(int fd) {
    raise(SIGUSR1); // blocked
    signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? std::to_string(info.ssi_signo) : "none";
}

std::string take(int event) {
    uint64_t value = 0;
    return read(event, &value, sizeof value) == sizeof value ? std::to_string(value) : strerrorname_np(errno);
}

std::string time_passed(const timespec& begun) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); // by the vdso
    return now.tv_sec >= begun.tv_sec ? "passed" : "turned back";
}

std::string grow() { // the heap, and the stack
    std::vector<std::string> many(2000, std::string(1000, 'x'));
    char deep[1 << 20];
    memset(deep, 7, sizeof deep);
    return std::to_string(many.size() + static_cast<size_t>(deep[sizeof deep - 1]));
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2)
        return 2;
    const std::string mistake = argc > 2 ? argv[2] : "";
    const int shared = atoi(argv[1]);
    void* const memory = mmap(nullptr, kShared, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (memory == MAP_FAILED)
        return 3;
    const int event = eventfd(5, EFD_NONBLOCK);
    const int poller = epoll_create1(0);
    if (mistake == "epoll") {
        epoll_event wanted{};
        epoll_ctl(poller, EPOLL_CTL_ADD, event, &wanted);
    }
    if (mistake == "twice")
        mmap(nullptr, kShared, PROT_READ, MAP_SHARED, memfd_create("other", 0), 0);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
    const int taken = signalfd(-1, &blocked, 0);
    signal(SIGUSR2, [](int) { signals = signals + 1; });
    for (intptr_t number = 0; number < 2; ++number) {
        pthread_t thread;
        pthread_create(&thread, nullptr, add_up, reinterpret_cast<void*>(number));
    }
    timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (;;) {
        pollfd input{0, POLLIN, 0};
        char question;
        if (poll(&input, 1, -1) < 0)
            continue;
        if (read(0, &question, 1) != 1)
            return 0;
        switch (question) {
        case 'a':
            say(add_up_once());
            break;
        case 'e':
            say(take(event));
            break;
        case 'f':
            say(start_process());
            break;
        case 'g':
            say(grow());
            break;
        case 'm':
            say(static_cast<char*>(memory));
            break;
        case 'r':
            say(random_number());
            break;
        case 's':
            say(signal_itself());
            break;
        case 'S':
            say(taken_signal(taken));
            break;
        case 't':
            say(start_thread());
            break;
        case 'T':
            say(time_passed(begun));
            break;
        default:
            say("what?");
        }
    }
}
