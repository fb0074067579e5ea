// SPDX-License-Identifier: Apache-2.0
import { rootFromEnvironment } from '../../base/root.ts';
import { type HostInfo, hostInfo } from '../../core/host-info.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../output/format.ts';
import { formatBinarySize } from '../output/units.ts';

interface InfoOptions {
  format?: string;
}

export const command = defineCommand<InfoOptions, HostInfo>({
  name: 'info',
  configure: (command) =>
    command
      .description('Show what this host is, what the store holds, and which engine runs VMs here.')
      .option('-f, --format <format>', 'json, or a Go template'),
  run: () => hostInfo(rootFromEnvironment()),
  print(info, output, { format }) {
    output.write(format === undefined ? overview(info) : formatList([info], {}, format));
    return undefined;
  },
});

function overview(info: HostInfo): string {
  const { Engine, KVM, Network, Pool, Templates } = info;
  const lines = [
    ['Containers', String(info.Containers)],
    [' Running', String(info.ContainersRunning)],
    [' Paused', String(info.ContainersPaused)],
    [' Stopped', String(info.ContainersStopped)],
    ['Images', String(info.Images)],
    ['Server Version', info.ServerVersion],
    ['Storage Driver', info.Driver],
    ['Logging Driver', info.LoggingDriver],
    ['Cgroup Driver', info.CgroupDriver],
    ['Cgroup Version', info.CgroupVersion],
    ['Network', Network.Because === '' ? Network.Default : `${Network.Default}: ${Network.Because}`],
    ['Engine', `${Engine.Name}: ${Engine.Because}`],
    ...(Engine.Advice === '' ? [] : [[' To change it', Engine.Advice]]),
    ['Templates', `${Templates.Current}: ${Templates.Because}`],
    ...(Pool.Wanted === 0 ? [] : [['Pool', `${Pool.Waiting} of ${Pool.Wanted} machines wait`]]),
    ['KVM', KVM.State],
    ['Kernel Version', info.KernelVersion],
    ['Operating System', info.OperatingSystem],
    ['OSType', info.OSType],
    ['Architecture', info.Architecture],
    ['CPUs', String(info.NCPU)],
    ['Total Memory', formatBinarySize(info.MemTotal)],
    ['Name', info.Name],
    ['Hrun Root Dir', info.RootDir],
    ...info.Warnings.map((warning) => ['WARNING', warning]),
  ];
  return lines.map(([name, value]) => `${name}: ${value}\n`).join('');
}
