// SPDX-License-Identifier: Apache-2.0
#include "monitor/priority.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hrun::monitor {

namespace {

void set_policy(pid_t thread, int policy) {
    const sched_param none{};
    sched_setscheduler(thread, policy, &none);
}

} // namespace

void lower_priority() {
    if (geteuid() == 0)
        set_policy(0, SCHED_IDLE);
}

// proc_pid_task(5), proc_tid_children(5). What ends meanwhile needs nothing.
void restore_priority(pid_t child) {
    if (sched_getscheduler(0) == SCHED_IDLE)
        set_policy(0, SCHED_OTHER);
    std::error_code gone;
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task", gone)) {
        const pid_t id = atoi(thread.path().filename().c_str());
        if (sched_getscheduler(id) == SCHED_IDLE)
            set_policy(id, SCHED_OTHER);
        std::ifstream children(thread.path() / "children");
        for (pid_t each; children >> each;)
            restore_priority(each);
    }
}

} // namespace hrun::monitor
