// SPDX-License-Identifier: Apache-2.0
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os';
import type { Root } from '../base/root.ts';
import { listImages, openImageStore } from '../image/index.ts';
import { DEFAULT_NETWORK, networkObstacle, USER_NETWORK, userNetworkObstacle } from '../network/index.ts';
import { assessKvm, explain, type KvmVerdict, listTemplates } from '../vm/index.ts';
import { type DockerInfo, dockerInfo } from './docker-info.ts';
import { listContainers } from './list-containers.ts';
import { poolStates } from './pools.ts';
import { type TemplatePolicy, templatePolicy } from './templates.ts';

/** What `hrun info` tells; field names are Docker's where Docker has them. */
export interface HostInfo extends DockerInfo {
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Name: string;
  KernelVersion: string;
  Architecture: string;
  NCPU: number;
  MemTotal: number;
  DockerRootDir: string;
  RootDir: string;
  /** what containers get without `--network`, and why it is none */
  Network: { Default: string; Because: string };
  /** what `--engine auto` takes here, and why */
  Engine: { Name: 'kvm' | 'qemu'; Because: string; Advice: string };
  /** what containers start from: `Because` says why some or all machines are booted */
  Templates: { Current: number; Because: string };
  /** machines that are to wait for a container, and that do: `hrun pool` */
  Pool: { Wanted: number; Waiting: number };
  /** `InstructionsPerSecond` in guest kernel mode; 0 when it was not measured */
  KVM: { State: KvmVerdict['state']; InstructionsPerSecond: number };
}

/** Describes this host and the store `root`. */
export async function hostInfo(root: Root): Promise<HostInfo> {
  const verdict = await assessKvm(root);
  const { because, advice } = explain(verdict);
  const containers = await listContainers(root, { all: true });
  const count = (...wanted: string[]) =>
    containers.filter(({ state }) => wanted.includes(state.status)).length;
  const [running, paused] = [count('running', 'restarting'), count('paused')];
  using store = await openImageStore(root);
  return {
    ...dockerInfo(),
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
    Images: (await listImages(store)).length,
    Name: hostname(),
    KernelVersion: release(),
    Architecture: arch() === 'x64' ? 'x86_64' : arch(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    DockerRootDir: root.dir,
    RootDir: root.dir,
    Network: defaultNetworkInfo(),
    Engine: {
      Name: verdict.state === 'hardware' ? 'kvm' : 'qemu',
      Because: because,
      Advice: advice ?? '',
    },
    Templates: templatesInfo(root),
    Pool: poolInfo(root),
    KVM: { State: verdict.state, InstructionsPerSecond: verdict.probe?.instructionsPerSecond ?? 0 },
  };
}

function defaultNetworkInfo(): HostInfo['Network'] {
  const obstacle = networkObstacle();
  if (obstacle === undefined) return { Default: DEFAULT_NETWORK, Because: '' };
  const other = userNetworkObstacle();
  if (other === undefined) return { Default: USER_NETWORK, Because: obstacle };
  return { Default: 'none', Because: `${obstacle}, and ${other}` };
}

function poolInfo(root: Root): HostInfo['Pool'] {
  const pools = poolStates(root);
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);
  return {
    Wanted: sum(pools.map(({ wanted }) => wanted)),
    Waiting: sum(pools.map(({ waiting }) => waiting)),
  };
}

function templatesInfo(root: Root): HostInfo['Templates'] {
  const Current = listTemplates(root).filter(({ current }) => current).length;
  const becauses: Record<TemplatePolicy, string> = {
    off: 'HRUN_TEMPLATES=off: every machine is booted',
    use: 'HRUN_TEMPLATES=use: a machine of a size that has none is booted',
    auto: 'the first machine of a size is booted',
  };
  return { Current, Because: becauses[templatePolicy()] };
}
