// SPDX-License-Identifier: Apache-2.0
// Other limits and another restart policy for a container that is there: what can be so now is, all of it from its next start on.
import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import {
  type ContainerConfig,
  type ContainerUpdate,
  changeConfig,
  type HostOptions,
  recordContainer,
  unlessUpdating,
  whileUpdating,
} from '../container/index.ts';
import { type StoredLimits, withLimits } from '../guest/index.ts';
import { findAssets, limitMonitor, memoryMiB, readVmConfig, VM_FILE, type VmConfig } from '../vm/index.ts';
import { askUsage, setGuestLimits } from './ask-agent.ts';
import { bootTimeoutMs, onlineCpus, vcpusFor } from './cpus.ts';
import { vmNics } from './network-membership.ts';
import { isRunning, type KnownContainer, openContainer } from './open-container.ts';
import { checkMemory, sharesMachine } from './shared-machine.ts';
import { vmResources } from './vm-resources.ts';

const NO_UPDATE: ContainerUpdate = {
  memory: undefined,
  memorySwap: undefined,
  cpus: undefined,
  cpuQuota: undefined,
  cpuPeriod: undefined,
  cpuShares: undefined,
  cpusetCpus: undefined,
  pidsLimit: undefined,
  networkRates: undefined,
  restart: undefined,
};
const MIB = 1024 * 1024;

/**
 * Changes a container. CONTAINER_STATE, and nothing is changed, for what a running VM cannot have: more memory or CPUs than it was
 * started with, or less memory than it uses.
 */
export async function updateContainer(root: Root, text: string, update: ContainerUpdate): Promise<void> {
  const { directory } = await openContainer(root, text);
  await whileUpdating(directory, async () => {
    await finishUpdate(root, text);
    const container = await openContainer(root, text);
    await carryOut(root, container, update);
    recordContainer(root, container.config, 'update');
  });
}

/**
 * An update that was killed half-way may be in force or not: it is carried out, or forgotten if it cannot be any more. Whoever shows
 * or starts a container calls it; one that somebody is carrying out is left to them.
 */
export async function settleUpdate(root: Root, { directory, id, config }: KnownContainer): Promise<void> {
  if (!config.unfinishedUpdate) return;
  await unlessUpdating(directory, () => finishUpdate(root, id));
}

/** The lock is held. */
async function finishUpdate(root: Root, text: string): Promise<void> {
  const container = await openContainer(root, text);
  const { unfinishedUpdate } = container.config;
  if (!unfinishedUpdate) return;
  try {
    await carryOut(root, container, { ...NO_UPDATE, ...unfinishedUpdate });
  } catch (error) {
    if (!(error instanceof HrunError)) throw error;
    await forget(root, container);
  }
}

/** What is intended is written down first, so that whoever finds it knows that the container may be the one or the other. */
async function carryOut(root: Root, container: KnownContainer, update: ContainerUpdate): Promise<void> {
  const { directory, config } = container;
  checkRestart(config, update);
  checkNetworks(config, update);
  checkCpuTime(config, update);
  if (sharesMachine(config.host)) checkShared(config, update);
  const wanted = updatedHost(config.host, update);
  const vm = updatedMachine(container, wanted);
  if (hasMachine(container)) await checkFits(container, update, { host: wanted, vm });
  await changeConfig(root, directory, (now) => ({ ...now, unfinishedUpdate: update }));
  try {
    await apply(container, update, { host: wanted, vm });
  } catch (error) {
    await forget(root, container);
    throw error;
  }
  await changeConfig(root, directory, ({ unfinishedUpdate, ...now }) => ({
    ...now,
    host: updatedHost(now.host, update),
  }));
}

async function forget(root: Root, { directory }: KnownContainer): Promise<void> {
  await changeConfig(root, directory, ({ unfinishedUpdate, ...now }) => now);
}

/** True while it has a VM, or will have the same again when its restart policy starts it. */
function hasMachine({ state }: KnownContainer): boolean {
  return isRunning(state) || state.status === 'starting' || state.status === 'restarting';
}

function checkRestart({ autoRemove }: ContainerConfig, { restart }: ContainerUpdate): void {
  if (!autoRemove || restart === undefined || restart.name === 'no') return;
  throw new HrunError('USAGE', 'the container is removed when it ends (--rm): it cannot be started again');
}

/** What belongs to the machine is the other container's; memory is a limit in it. */
function checkShared({ resources, host }: ContainerConfig, update: ContainerUpdate): void {
  const { memory, pidsLimit: _pidsLimit, ...machines } = update;
  if (Object.values(machines).some((value) => value !== undefined)) {
    throw new HrunError('USAGE', `the container shares the machine of another (${host.network})`, {
      hint: 'only --memory and --pids-limit can be changed; update that one',
    });
  }
  checkMemory(memory, { name: 'the other container', memoryMiB: resources.memoryMiB });
}

function checkNetworks({ host }: ContainerConfig, { networkRates }: ContainerUpdate): void {
  if (networkRates === undefined || host.network !== 'none') return;
  throw new HrunError('USAGE', 'the container has no network (--network none)', {
    hint: 'leave out --network-bps',
  });
}

/** As Docker: what was said in the one way stays in it. */
function checkCpuTime({ host }: ContainerConfig, { cpus, cpuQuota, cpuPeriod }: ContainerUpdate): void {
  const refuse = (option: string, value: number, instead: string) => {
    throw new HrunError('USAGE', `the container has ${option} ${value}`, {
      hint: `change that, not ${instead}`,
    });
  };
  if (cpus !== undefined && host.cpuQuota > 0) refuse('--cpu-quota', host.cpuQuota, '--cpus');
  if (cpus !== undefined && host.cpuPeriod > 0) refuse('--cpu-period', host.cpuPeriod, '--cpus');
  if (host.cpus > 0 && (cpuQuota ?? 0) > 0) refuse('--cpus', host.cpus, '--cpu-quota');
  if (host.cpus > 0 && (cpuPeriod ?? 0) > 0) refuse('--cpus', host.cpus, '--cpu-period');
}

function updatedHost(host: HostOptions, update: ContainerUpdate): HostOptions {
  const given = Object.entries(update).filter(([, value]) => value !== undefined);
  const after: HostOptions = { ...host, ...Object.fromEntries(given) };
  if (after.memorySwap > 0 && after.memorySwap < after.memory) {
    throw new HrunError('USAGE', 'the limit of memory is above that of memory and swap together', {
      hint: 'give --memory-swap too',
    });
  }
  return after;
}

/** vm.json for the next start. */
function updatedMachine({ directory, config }: KnownContainer, host: HostOptions): VmConfig {
  const vm = readVmConfig(directory);
  const resources = sharesMachine(host)
    ? config.resources
    : { memoryMiB: memoryMiB(host.memory || undefined), vcpus: Math.max(cpusOf(host), host.maxCpus) };
  const { name, maximumRetries } = host.restart;
  const nics = vmNics({ ...config, host });
  return {
    ...vm,
    ...(nics.length > 0 && { nics }),
    ...resources,
    resources: vmResources({ resources, host }, { engine: vm.engine, disks: vm.disks.length }),
    bootTimeoutMs: bootTimeoutMs(host),
    ...(!config.autoRemove && { restart: { policy: name, maximumRetries } }),
  };
}

/** Of the VM's CPUs, those that the container may use. */
function cpusOf(host: HostOptions): number {
  return vcpusFor({ ...host, cpus: host.cpus || undefined });
}

/** config.json has the size of the VM as it was started. */
async function checkFits(
  container: KnownContainer,
  update: ContainerUpdate,
  { host, vm }: Wanted,
): Promise<void> {
  const { memoryMiB: most, vcpus } = container.config.resources;
  if (vm.memoryMiB > most && update.memory !== undefined) throw tooMuch(container, `${most} MiB of memory`);
  if (cpusOf(host) > vcpus) {
    throw tooMuch(container, vcpus === 1 ? '1 CPU' : `${vcpus} CPUs`, 'run --max-cpus leaves room for more');
  }
  if (update.memory === undefined || !isRunning(container.state)) return;
  const { memoryBytes, cacheBytes } = await askUsage(container.directory);
  const used = memoryBytes - cacheBytes;
  if (used < update.memory) return;
  throw new HrunError('CONTAINER_STATE', `the container uses ${Math.ceil(used / MIB)} MiB of memory`, {
    hint: 'give it more than that, or stop it first',
  });
}

function tooMuch({ name }: KnownContainer, size: string, advice?: string): HrunError {
  return new HrunError('CONTAINER_STATE', `the VM of ${name} was started with ${size}: it cannot have more`, {
    hint: `try: hrun stop ${name}, then update, then start${advice === undefined ? '' : `; ${advice}`}`,
  });
}

interface Wanted {
  host: HostOptions;
  vm: VmConfig;
}

/** Files for the next start, then what runs. What fails leaves the files as they were. */
async function apply(container: KnownContainer, update: ContainerUpdate, wanted: Wanted): Promise<void> {
  const { directory } = container;
  const before = FILES.map((file) => readFileSync(settingsPath(directory, file)));
  const [configure] = before as [Buffer, Buffer];
  await writeFiles(directory, [
    withLimits(configure, storedLimits(container, wanted)),
    JSON.stringify(wanted.vm),
  ]);
  try {
    if (isRunning(container.state)) await applyNow(container, update, wanted.host);
  } catch (error) {
    await writeFiles(directory, before);
    throw error;
  }
}

const FILES = ['configure.bin', VM_FILE];

async function writeFiles(directory: string, contents: readonly (Buffer | string)[]): Promise<void> {
  for (const [index, file] of FILES.entries())
    await writeFileAtomic(settingsPath(directory, file), contents[index]!, { mode: 0o600 });
}

/** A restart by policy has the VM of the size that it was started with: less memory than that is the guest's to see to. */
function storedLimits(container: KnownContainer, { host, vm }: Wanted): StoredLimits {
  const fixed = hasMachine(container) || sharesMachine(host);
  const machine = fixed ? container.config.resources : vm;
  const less = fixed && host.memory > 0 && host.memory < machine.memoryMiB * MIB;
  return {
    pidsLimit: host.pidsLimit || undefined,
    memoryBytes: less ? host.memory : undefined,
    cpus: sharesMachine(host) ? undefined : onlineCpus(cpusOf(host), machine.vcpus),
  };
}

async function applyNow(
  { directory, state }: KnownContainer,
  update: ContainerUpdate,
  host: HostOptions,
): Promise<void> {
  const { memory, pidsLimit, cpus, cpuQuota, cpuPeriod, cpuShares, cpusetCpus, networkRates } = update;
  const changesCpus = [cpus, cpuQuota, cpuPeriod, cpusetCpus].some((value) => value !== undefined);
  if (changesCpus || cpuShares !== undefined || networkRates !== undefined) {
    limitMonitor(findAssets().monitor, directory, state.vmmPid);
  }
  const online = changesCpus ? cpusOf(host) : undefined;
  if (memory !== undefined || pidsLimit !== undefined || online !== undefined) {
    const pids = pidsLimit === 0 ? Number.POSITIVE_INFINITY : pidsLimit;
    await setGuestLimits(directory, { memoryBytes: memory, pids, cpus: online });
  }
}
