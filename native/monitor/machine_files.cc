// SPDX-License-Identifier: Apache-2.0
#include "monitor/machine_files.h"

#include <fcntl.h>

#include "monitor/disk_file.h"

namespace hrun::monitor {

namespace {

Result<Fd> open_file(const std::string& path, int flags) {
    Fd file(open(path.c_str(), flags | O_CLOEXEC));
    if (!file.valid())
        return Error::last("open " + path);
    return file;
}

} // namespace

MachineFiles open_machine_files(const Config& config) {
    MachineFiles files;
    files.kernel = open_file(config.kernel, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    files.initrd = open_file(config.initrd, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    if (config.engine == Engine::kKvm)
        files.kvm = open_file("/dev/kvm", O_RDWR);
    for (const DiskConfig& disk : config.disks)
        files.disks.push_back(open_disk(disk));
    return files;
}

} // namespace hrun::monitor
