// SPDX-License-Identifier: Apache-2.0
// A private directory that is removed with what is in it.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/fd.h"

namespace hrun::test {

struct TemporaryDirectory {
    TemporaryDirectory() {
        REQUIRE(mkdtemp(path.data()));
        fd.reset(::open(path.c_str(), O_DIRECTORY | O_CLOEXEC));
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }

    std::string read(const std::string& name) const {
        std::ifstream file(path + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    bool has(const std::string& name) const { return std::filesystem::exists(path + "/" + name); }

    std::string path = "/tmp/hrun-test-XXXXXX";
    Fd fd;
};

} // namespace hrun::test
