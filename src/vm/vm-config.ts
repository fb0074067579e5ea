// SPDX-License-Identifier: Apache-2.0
import { writeFileAtomic } from '../base/atomic-file.ts';
import { readRegularFile } from '../base/regular-file.ts';
import { settingsPath } from '../base/settings.ts';
import type { VmAssets } from './assets.ts';
import type { Engine } from './engine.ts';
import { BALLOON_SLOT, FIRST_NIC_SLOT, layerSlots, RNG_SLOT, VSOCK_SLOT, WRITABLE_SLOT } from './slots.ts';

/** A disk; `exclusive` (by default one that can be written) is refused while another VM has it. */
export interface VmDisk {
  slot: number;
  path: string;
  readOnly: boolean;
  exclusive?: boolean;
}

/** In a container's settings. */
export const VM_FILE = 'vm.json';

/** vm.json: docs/monitor.md. */
export type VmConfig = Engine & {
  version: 1;
  id: string;
  kernel: string;
  initrd: string;
  vcpus: number;
  memoryMiB: number;
  disks: VmDisk[];
  share?: SharedDirectories;
  /** the container whose machine it runs in */
  joins?: SharedHost;
  nics?: VmNic[];
  ports?: VmPorts;
  vsock: { slot: number; cid: number };
  rng: { slot: number };
  balloon: { slot: number };
  /** `attributes` stand in every line */
  log: {
    driver: 'json-file' | 'none';
    maxBytes: number;
    maxFiles: number;
    attributes?: Record<string, string>;
  };
  tty: boolean;
  stopSignal: number;
  autoRemove: boolean;
  bootTimeoutMs: number;
  /** what follows the end of the container's process; not with autoRemove */
  restart?: { policy: 'no' | 'on-failure' | 'always' | 'unless-stopped'; maximumRetries: number };
  resources?: VmResources;
  /** with it, probe.bin is a probe's START */
  health?: VmHealth;
};

/** A container, by the directory that its monitor serves; the name is for messages. */
export interface SharedHost {
  directory: string;
  name: string;
}

/** When the container is probed, and how many failures in a row make it unhealthy. */
export interface VmHealth {
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  retries: number;
}

/** Limits of the host's control group around monitor and VM; without one there is none. */
export interface VmResources {
  /** bytes */
  memoryMax?: number;
  /** bytes that the host may swap out */
  swapMax?: number;
  /** microseconds of CPU time in each period */
  cpuMax?: number;
  /** microseconds; 100 ms by default */
  cpuPeriod?: number;
  /** of CPU time when it is short; 1024 is what others have */
  cpuShares?: number;
  /** processes and threads */
  pidsMax?: number;
  /** CPUs of the host, as cpuset(7) lists them */
  cpus?: string;
  devices?: DeviceLimits[];
}

/** Bytes and operations a second; `device` is major:minor. */
export interface DeviceLimits {
  device: string;
  readBps?: number;
  writeBps?: number;
  readIops?: number;
  writeIops?: number;
}

/**
 * A tap interface that the keeper makes, as a port of a bridge that is there or wired to an interface inside of a namespace, or connected to nothing
 * in a machine without a container; or what passt serves.
 */
export interface VmNic {
  slot: number;
  mac: string;
  /** with their prefixes: what the guest's packets may come from */
  addresses: string[];
  bridge?: string;
  tap?: string;
  /** instead of the bridge: path of a network namespace, and what the tap interface is wired to in it */
  inside?: { namespace: string; interface: string };
  /** instead of these: the program, and IPv4 addresses */
  passt?: { program: string; gateway: string; resolver: string };
  /** bytes */
  mtu: number;
  /** bytes a second that go to the machine and come from it; without one there is no limit */
  inBps?: number;
  outBps?: number;
  /** where the network has a name server: the machine's names in it, and the servers that it wants instead of the network's */
  names?: { network: string; names: string[]; servers: string[] };
}

/** Ports of the machine that its keeper publishes: docs/monitor.md. */
export interface VmPorts {
  /** the firewall's, of the family inet; none where passt or CNI plug-ins serve the ports */
  table?: string;
  /** without it: the keeper holds them all the same, so that nobody else takes them */
  held?: boolean;
  publish: {
    protocol: 'tcp' | 'udp';
    /** 0.0.0.0 or :: for every address of the host in the family */
    host: string;
    /** one of a range is taken; 0 to 0 for any */
    firstHostPort: number;
    lastHostPort: number;
    /** the machine's; none as long as no network of it leads outside */
    address?: string;
    port: number;
    /** with host 0.0.0.0, the machine's IPv6 address: the same port of :: leads to it */
    address6?: string;
  }[];
}

/** What the guest's virtiofs device shows: entry N of `paths` under the name N. */
export interface SharedDirectories {
  slot: number;
  /** virtiofsd */
  daemon: string;
  paths: { path: string; readOnly: boolean }[];
  /** the guest keeps names and attributes for a second */
  cached?: boolean;
}

/** What makes one VM differ from another. */
export interface VmRequest {
  id: string;
  engine: Engine;
  assets: VmAssets;
  vcpus: number;
  memoryMiB: number;
  /** EROFS images, lowest layer first */
  layers: readonly string[];
  writable: string;
  /** disks of volumes */
  volumes: readonly VmDisk[];
  share: SharedDirectories | undefined;
  joins?: SharedHost | undefined;
  nics: readonly VmNic[];
  ports: VmPorts | undefined;
  tty: boolean;
  stopSignal: number;
  autoRemove: boolean;
  restart?: VmConfig['restart'];
  health?: VmHealth | undefined;
  resources: VmResources;
  bootTimeoutMs: number;
  log: VmConfig['log'];
}

const GUEST_CID = 3;

/** vm.json of a container's directory. */
export function readVmConfig(directory: string): VmConfig {
  return JSON.parse(readRegularFile(settingsPath(directory, VM_FILE))) as VmConfig;
}

/** Replaces vm.json of a container's directory. */
export async function writeVmConfig(directory: string, vm: VmConfig): Promise<void> {
  await writeFileAtomic(settingsPath(directory, VM_FILE), JSON.stringify(vm), { mode: 0o600 });
}

/** Whether a machine can be the copy of a template that has an interface. */
export function hasPreparedNic({ nics }: Pick<VmConfig, 'nics'>): boolean {
  return nics?.some(({ slot, passt }) => slot === FIRST_NIC_SLOT && !passt) ?? false;
}

/** The interface of a machine that has no container, connected to nothing. Each copy gives it a MAC address of its own. */
export function unconnectedNic(tap: string): VmNic {
  return { slot: FIRST_NIC_SLOT, mac: '02:00:00:00:00:00', addresses: [], tap, mtu: 1500 };
}

/** The virtio-mmio slots of a machine's disks and shared directories. */
export function deviceSlots({ disks, share }: Pick<VmConfig, 'disks' | 'share'>): number[] {
  return [...disks, ...(share ? [share] : [])].map(({ slot }) => slot);
}

/** The content of vm.json for a request. */
export function vmConfig(request: VmRequest): VmConfig {
  const slots = layerSlots(request.layers.length);
  const layers = request.layers.map((path, index) => ({ slot: slots[index]!, path, readOnly: true }));
  return {
    version: 1,
    id: request.id,
    ...request.engine,
    kernel: request.assets.kernel,
    initrd: request.assets.initrd,
    vcpus: request.vcpus,
    memoryMiB: request.memoryMiB,
    disks: [{ slot: WRITABLE_SLOT, path: request.writable, readOnly: false }, ...layers, ...request.volumes],
    ...(request.share && { share: request.share }),
    ...(request.joins && { joins: request.joins }),
    ...(request.nics.length > 0 && { nics: [...request.nics] }),
    ...(request.ports && { ports: request.ports }),
    vsock: { slot: VSOCK_SLOT, cid: GUEST_CID },
    rng: { slot: RNG_SLOT },
    balloon: { slot: BALLOON_SLOT },
    log: request.log,
    tty: request.tty,
    stopSignal: request.stopSignal,
    autoRemove: request.autoRemove,
    ...(request.restart && { restart: request.restart }),
    ...(request.health && { health: request.health }),
    resources: request.resources,
    bootTimeoutMs: request.bootTimeoutMs,
  };
}
