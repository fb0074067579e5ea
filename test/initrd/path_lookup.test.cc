// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

extern "C" {
#include "path_lookup.h"
#include "protocol.h"
}

namespace {

struct Tree {
    std::string path;
    Tree() {
        char name[] = "/tmp/hrun-lookup-XXXXXX";
        path = mkdtemp(name);
        std::filesystem::create_directories(path + "/one/dir");
        std::filesystem::create_directories(path + "/two");
        file("/one/plain", 0644);
        file("/two/plain", 0755);
        file("/two/tool", 0755);
        file("/one/refused", 0644);
    }
    ~Tree() { std::filesystem::remove_all(path); }
    void file(const std::string& name, mode_t mode) const {
        std::ofstream(path + name) << "x";
        chmod((path + name).c_str(), mode);
    }
    std::string search() const { return path + "/none:" + path + "/one:" + path + "/two"; }
};

uint32_t failure_kind(const std::string& command, const std::string& search) {
    char found[PATH_MAX];
    err err{};
    return path_lookup(command.c_str(), search.c_str(), found, sizeof(found), &err) < 0 ? err.kind : 0;
}

} // namespace

TEST_CASE("the first executable of the search path is found, past what is not executable") {
    Tree tree;
    char found[PATH_MAX];
    err err{};
    CHECK(path_lookup("tool", tree.search().c_str(), found, sizeof(found), &err) == 0);
    CHECK(found == tree.path + "/two/tool");
    CHECK(path_lookup("plain", tree.search().c_str(), found, sizeof(found), &err) == 0);
    CHECK(found == tree.path + "/two/plain");
}

TEST_CASE("what is not found and what is refused are told apart") {
    Tree tree;
    CHECK(failure_kind("missing", tree.search()) == HRUN_ERROR_NOT_FOUND);
    CHECK(failure_kind("refused", tree.search()) == HRUN_ERROR_NOT_EXECUTABLE);
    CHECK(failure_kind("dir", tree.search()) == HRUN_ERROR_NOT_FOUND);
    CHECK(failure_kind(tree.path + "/one", tree.search()) == HRUN_ERROR_NOT_EXECUTABLE);
    CHECK(failure_kind(tree.path + "/one/plain/x", tree.search()) == HRUN_ERROR_NOT_FOUND);
    CHECK(failure_kind(std::string(5000, 'a'), tree.search()) == HRUN_ERROR_NOT_FOUND);
    CHECK(failure_kind("/" + std::string(5000, 'a'), tree.search()) == HRUN_ERROR_NOT_EXECUTABLE);
    char found[PATH_MAX];
    err err{};
    CHECK(path_lookup("tool", nullptr, found, sizeof(found), &err) == -1);
    CHECK(std::string(err.text) == "exec: \"tool\": executable file not found in $PATH");
}
