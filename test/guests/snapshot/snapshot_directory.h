// SPDX-License-Identifier: Apache-2.0
// A directory for a test's snapshots, gone with the test.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/fd.h"

namespace hrun::test {

class SnapshotDirectory {
  public:
    SnapshotDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "hrun-snapshot-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
        descriptor_ = Fd(open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    ~SnapshotDirectory() { std::filesystem::remove_all(path_); }
    SnapshotDirectory(const SnapshotDirectory&) = delete;
    SnapshotDirectory& operator=(const SnapshotDirectory&) = delete;

    std::string file(const std::string& name) const { return (path_ / name).string(); }
    int descriptor() const { return descriptor_.get(); }
    std::string contents(const std::string& name) const {
        std::ostringstream out;
        out << std::ifstream(path_ / name, std::ios::binary).rdbuf();
        return out.str();
    }
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            names.push_back(entry.path().filename());
        return names;
    }

  private:
    std::filesystem::path path_;
    Fd descriptor_;
};

} // namespace hrun::test
