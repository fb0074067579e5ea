// SPDX-License-Identifier: Apache-2.0
// Other limits and another restart policy for a container that is there: what can be so now is, all of it from its next start on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type ContainerConfig, changeConfig, type HostOptions, recordContainer } from '../container/index.ts';
import { withPidsLimit } from '../guest/index.ts';
import { findAssets, limitMonitor, memoryMiB, type VmConfig } from '../vm/index.ts';
import { askUsage, setGuestLimits } from './ask-agent.ts';
import type { RestartPolicy } from './container-options.ts';
import { isRunning, type KnownContainer, openContainer } from './open-container.ts';
import { bootTimeoutMs, vcpusFor, vmResources } from './vm-resources.ts';

/** What is to be different; undefined stays. */
export interface ContainerUpdate {
  /** bytes */
  memory: number | undefined;
  /** bytes of memory and swap together; -1 is any */
  memorySwap: number | undefined;
  cpus: number | undefined;
  /** CPUs of the host, as cpuset(7) lists them */
  cpusetCpus: string | undefined;
  /** 0 is no limit */
  pidsLimit: number | undefined;
  restart: RestartPolicy | undefined;
}

const MIB = 1024 * 1024;

/**
 * Changes a container. CONTAINER_STATE, and nothing is changed, for what a running VM cannot have: more memory or CPUs than it was
 * started with, or less memory than it uses.
 */
export async function updateContainer(root: Root, text: string, update: ContainerUpdate): Promise<void> {
  const container = await openContainer(root, text);
  checkRestart(container.config, update);
  const host = updatedHost(container.config.host, update);
  const vm = updatedMachine(container, host);
  const running = isRunning(container.state);
  if (running) await checkFits(container, update, vm);
  await writeMachine(container.directory, vm, update);
  await changeConfig(root, container.directory, (config) => ({
    ...config,
    host: updatedHost(config.host, update),
  }));
  if (running) await applyNow(container, update);
  recordContainer(root, container.config, 'update');
}

function checkRestart({ autoRemove }: ContainerConfig, { restart }: ContainerUpdate): void {
  if (!autoRemove || restart === undefined || restart.name === 'no') return;
  throw new HrunError('USAGE', 'the container is removed when it ends (--rm): it cannot be started again');
}

function updatedHost(host: HostOptions, update: ContainerUpdate): HostOptions {
  const { memory, memorySwap, cpus, cpusetCpus, pidsLimit, restart } = update;
  const after: HostOptions = {
    ...host,
    memory: memory ?? host.memory,
    memorySwap: memorySwap ?? host.memorySwap,
    cpus: cpus ?? host.cpus,
    cpusetCpus: cpusetCpus ?? host.cpusetCpus,
    pidsLimit: pidsLimit ?? host.pidsLimit,
    restart: restart ?? host.restart,
  };
  if (after.memorySwap > 0 && after.memorySwap < after.memory) {
    throw new HrunError('USAGE', 'the limit of memory is above that of memory and swap together', {
      hint: 'give --memory-swap too',
    });
  }
  return after;
}

/** vm.json for the next start. */
function updatedMachine({ directory, config }: KnownContainer, host: HostOptions): VmConfig {
  const vm = JSON.parse(readFileSync(join(directory, 'vm.json'), 'utf8')) as VmConfig;
  const resources = {
    memoryMiB: memoryMiB(host.memory || undefined),
    vcpus: vcpusFor(host.cpus || undefined, host.cpusetCpus || undefined),
  };
  const { name, maximumRetries } = host.restart;
  return {
    ...vm,
    ...resources,
    resources: vmResources({ resources, host }, { engine: vm.engine, disks: vm.disks.length }),
    bootTimeoutMs: bootTimeoutMs(host.cpus),
    ...(!config.autoRemove && { restart: { policy: name, maximumRetries } }),
  };
}

/** config.json has the size of the VM as it was started. */
async function checkFits(
  container: KnownContainer,
  update: ContainerUpdate,
  wanted: VmConfig,
): Promise<void> {
  const { memoryMiB: most, vcpus } = container.config.resources;
  if (wanted.memoryMiB > most && update.memory !== undefined)
    throw tooMuch(container, `${most} MiB of memory`);
  if (wanted.vcpus > vcpus) throw tooMuch(container, vcpus === 1 ? '1 CPU' : `${vcpus} CPUs`);
  if (update.memory === undefined) return;
  const { memoryBytes, cacheBytes } = await askUsage(container.directory);
  const used = memoryBytes - cacheBytes;
  if (used < update.memory) return;
  throw new HrunError('CONTAINER_STATE', `the container uses ${Math.ceil(used / MIB)} MiB of memory`, {
    hint: 'give it more than that, or stop it first',
  });
}

function tooMuch({ name }: KnownContainer, size: string): HrunError {
  return new HrunError('CONTAINER_STATE', `the VM of ${name} was started with ${size}: it cannot have more`, {
    hint: `try: hrun stop ${name}, then update, then start`,
  });
}

async function writeMachine(directory: string, vm: VmConfig, { pidsLimit }: ContainerUpdate): Promise<void> {
  if (pidsLimit !== undefined) {
    const path = join(directory, 'configure.bin');
    await writeFileAtomic(path, withPidsLimit(readFileSync(path), pidsLimit || undefined), { mode: 0o600 });
  }
  await writeFileAtomic(join(directory, 'vm.json'), JSON.stringify(vm), { mode: 0o600 });
}

async function applyNow({ directory, state }: KnownContainer, update: ContainerUpdate): Promise<void> {
  const { memory, pidsLimit, cpus, cpusetCpus } = update;
  if (memory !== undefined || pidsLimit !== undefined) {
    const pids = pidsLimit === 0 ? Number.POSITIVE_INFINITY : pidsLimit;
    await setGuestLimits(directory, { memoryBytes: memory, pids });
  }
  if (cpus !== undefined || cpusetCpus !== undefined) {
    limitMonitor(findAssets().monitor, directory, state.vmmPid);
  }
}
