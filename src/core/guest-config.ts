// SPDX-License-Identifier: Apache-2.0
import type { ContainerNetwork } from '../container/index.ts';
import { encodeConfigure, encodeStart, withLimits } from '../guest/index.ts';
import { isCniNetwork } from '../network/index.ts';
import { layerSlots, REHEARSAL_SLOTS, WRITABLE_SLOT } from '../vm/index.ts';
import { capabilityMask } from './capabilities.ts';
import type { ContainerOptions } from './container-options.ts';
import { onlineCpus, vcpusFor } from './cpus.ts';
import { guestFiles, HOST_GATEWAY } from './guest-files.ts';
import type { GuestMounts } from './guest-mounts.ts';
import { guestNetwork, guestNics } from './network-membership.ts';
import type { ContainerProcess } from './process-config.ts';
import { withDefaultRlimits } from './rlimits.ts';

/** runtime-spec config-linux.md, maskedPaths: Docker's list. */
const MASKED_PATHS = [
  ...['/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'],
  ...['/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats'],
  ...['/sys/devices/virtual/powercap', '/sys/firmware'],
];

/** runtime-spec config-linux.md, readonlyPaths: Docker's list. */
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** bytes of /dev/shm */
export const SHM_BYTES = 64 * 1024 * 1024;

/** The payload of CONFIGURE: the container's root, mounts and names. */
export function configurePayload(
  options: ContainerOptions,
  hostname: string,
  layers: number,
  { share, mounts }: GuestMounts,
  networks: readonly ContainerNetwork[],
): Buffer {
  const identity = {
    hostname,
    domainname: options.domainname,
    extraHosts: isCniNetwork(options.networks[0]?.network)
      ? options.extraHosts.filter((text) => !HOST_GATEWAY.test(text)) // known when it is started
      : options.extraHosts,
    network: guestNetwork(networks, options.dns),
  };
  return encodeConfigure({
    ...ownRoot(options, layers, mounts),
    shareSlot: share?.slot,
    nics: guestNics(networks),
    hostname,
    domainname: options.domainname,
    files: withoutTargets(guestFiles(identity), mounts),
    cpus: onlineCpus(vcpusFor(options), options.maxCpus ?? 0),
  });
}

/** The same of a container in the machine of another, which has network, names and CPUs already; `memory` in bytes. */
export function sharedConfigurePayload(
  options: ContainerOptions,
  layers: number,
  { mounts }: GuestMounts,
  memory: number | undefined,
): Buffer {
  const configure = encodeConfigure({
    ...ownRoot(options, layers, mounts),
    ...{
      shareSlot: undefined,
      nics: [],
      hostname: undefined,
      domainname: '',
      files: new Map(),
      cpus: undefined,
    },
  });
  return withLimits(configure, { pidsLimit: options.pidsLimit, memoryBytes: memory, cpus: undefined });
}

/** What a container has to itself in whichever machine. */
function ownRoot(options: ContainerOptions, layers: number, mounts: GuestMounts['mounts']) {
  const open = options.privileged || options.unconfinedPaths;
  return {
    layerSlots: layerSlots(layers),
    writableSlot: WRITABLE_SLOT,
    readOnlyRoot: options.readOnly,
    privileged: options.privileged,
    mounts,
    sysctls: options.sysctls,
    maskedPaths: open ? [] : MASKED_PATHS,
    readOnlyPaths: open ? [] : READONLY_PATHS,
    shmSize: options.shmSize ?? SHM_BYTES,
    pidsLimit: options.pidsLimit,
  };
}

/** The payload of START: the container's own process. */
export function startPayload(options: ContainerOptions, process: ContainerProcess): Buffer {
  return encodeStart({
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    user: process.user,
    supplementaryGroups: options.groups,
    capabilities: capabilityMask(options.capAdd, options.capDrop, options.privileged),
    rlimits: withDefaultRlimits(options.rlimits),
    initSession: true,
    tty: options.tty,
    stdin: options.stdin,
    noNewPrivileges: options.noNewPrivileges,
    reaper: options.init,
    terminalSize: options.terminalSize,
  });
}

/** CONFIGURE and START of the container that a machine rehearses: one of an image that has nothing but `program`. */
export function rehearsalPayloads(program: string): { configure: Buffer; start: Buffer } {
  const configure = encodeConfigure({
    ...{ layerSlots: [REHEARSAL_SLOTS.layer], writableSlot: REHEARSAL_SLOTS.writable },
    ...{ shareSlot: undefined, nics: [] },
    ...{ hostname: undefined, domainname: '', files: new Map(), mounts: [], sysctls: new Map() },
    ...{ readOnlyRoot: false, privileged: false, maskedPaths: MASKED_PATHS, readOnlyPaths: READONLY_PATHS },
    ...{ shmSize: SHM_BYTES, pidsLimit: undefined, cpus: undefined },
  });
  const start = encodeStart({
    ...{ args: [program], env: [], cwd: '/', user: '', supplementaryGroups: [] },
    ...{ capabilities: capabilityMask([], [], false), rlimits: withDefaultRlimits([]) },
    ...{ initSession: true, tty: false, stdin: false, noNewPrivileges: false, reaper: false },
    terminalSize: undefined,
  });
  return { configure, start };
}

/** A file that the user mounts is not made. */
function withoutTargets(files: Map<string, string>, mounts: GuestMounts['mounts']): Map<string, string> {
  const taken = new Set(mounts.map(({ target }) => target));
  return new Map([...files].filter(([target]) => !taken.has(target)));
}
