// SPDX-License-Identifier: Apache-2.0
// A shell in a root of its own looks around.
#include "jail/program_root.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "jail/filter.h"
#include "jail/namespaces.h"
#include "jail/privileges.h"
#include "jail/root.h"

namespace hrun::jail {
namespace {

[[noreturn]] void run(const std::string& script, int output, uid_t user, gid_t group) {
    dup2(output, 1);
    dup2(output, 2);
    auto done = user == 0 ? Result<void>() : map_own_ids(user, group);
    if (done)
        done = make_mounts_private();
    if (done)
        done =
            enter_program_root(".", "/bin/sh", {{"table", {}, "of bytes"}, {"shown", "/etc/passwd", {}}}, {});
    if (done)
        done = drop_privileges();
    if (done)
        done = Filter::of_program().install();
    if (!done)
        dprintf(1, "%s\n", done.error().message().c_str());
    else
        execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    _exit(127);
}

std::string output_of(const std::string& script) {
    std::string directory = "/tmp/hrun-root-XXXXXX";
    REQUIRE(mkdtemp(directory.data()));
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const uid_t user = geteuid();
    const gid_t group = getegid();
    auto child = fork_into_namespaces();
    REQUIRE(child);
    if (*child == 0)
        run("cd /; " + script, chdir(directory.c_str()) == 0 ? ends[1] : -1, user, group);
    close(ends[1]);
    std::string all;
    char bytes[4096];
    for (ssize_t count; (count = read(ends[0], bytes, sizeof bytes)) > 0;)
        all.append(bytes, static_cast<size_t>(count));
    close(ends[0]);
    waitpid(*child, nullptr, 0);
    CHECK(std::filesystem::is_empty(directory)); // what was mounted there was its own
    std::filesystem::remove_all(directory);
    return all;
}

bool host_has_namespaces() {
    auto child = fork_into_namespaces();
    if (!child)
        return false;
    if (*child == 0)
        _exit(0);
    return waitpid(*child, nullptr, 0) == *child;
}

TEST_CASE("a program's root has the system's files, what it is given, and nothing else" *
          doctest::skip(!host_has_namespaces())) {
    CHECK(output_of("cat table; test -s shown && echo ' and a file'") == "of bytes and a file\n");
    CHECK(output_of("for f in /etc/passwd /proc /dev /home /root /tmp /var /sys ../etc/passwd; do "
                    "test -e $f && echo $f; done; echo looked") == "looked\n");
    CHECK(output_of("ls -d /usr/bin/env") == "/usr/bin/env\n");
}

TEST_CASE("nothing in it can be written, and it has no powers" * doctest::skip(!host_has_namespaces())) {
    CHECK(output_of("echo x >new").find("Read-only file system") != std::string::npos);
    CHECK(output_of("echo x >usr/new").find("Read-only file system") != std::string::npos);
    CHECK(output_of("mount -t tmpfs none /usr 2>&1 >/dev/null; umount /usr; echo $?").ends_with("32\n"));
    CHECK(output_of("flock -n shown true || echo refused").find("refused") != std::string::npos);
}

} // namespace
} // namespace hrun::jail
