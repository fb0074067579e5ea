// SPDX-License-Identifier: Apache-2.0
// What a container's -m, --memory-swap, --device-* and CPU limits are for the host around its VM.
import { type Stats, statSync } from 'node:fs';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { ContainerConfig, DeviceRate, DeviceRates, HostOptions } from '../container/index.ts';
import { type DeviceLimits, hostMemoryMax, type VmResources } from '../vm/index.ts';
import { cpuBandwidth } from './cpus.ts';

/** Threads of monitor and machine besides the vCPUs: docs/monitor.md. */
const KVM_THREADS = 8;
const KVM_THREADS_PER_DISK = 4;
const QEMU_THREADS = 96;

/** Limits of the control group around a container's VM; USAGE for a path that is no block device. */
export function vmResources(
  { resources, host }: Pick<ContainerConfig, 'resources' | 'host'>,
  machine: { engine: 'kvm' | 'qemu'; disks: number },
): VmResources {
  const { memoryMiB, vcpus } = resources;
  const devices = deviceLimits(host.deviceRates);
  const bandwidth = cpuBandwidth(host);
  return {
    ...sizeLimits({ memoryMiB, vcpus }, machine),
    ...(host.memorySwap > 0 && { swapMax: host.memorySwap - host.memory }),
    ...(bandwidth && { cpuMax: bandwidth.quota, cpuPeriod: bandwidth.period }),
    ...(host.cpuShares > 0 && { cpuShares: host.cpuShares }),
    ...(host.cpusetCpus !== '' && { cpus: host.cpusetCpus }),
    ...(devices.length > 0 && { devices }),
  };
}

/** What the size of a VM alone gives. */
export function sizeLimits(
  { memoryMiB, vcpus }: { memoryMiB: number; vcpus: number },
  machine: { engine: 'kvm' | 'qemu'; disks: number },
): VmResources {
  return { memoryMax: hostMemoryMax(machine.engine, memoryMiB), pidsMax: threads(machine, vcpus) };
}

/** True when the user wants a limit that the size of the VM alone does not give. */
export function wantsHostLimits(host: HostOptions): boolean {
  const rates = Object.values(host.deviceRates).flat();
  return (
    host.memorySwap > 0 ||
    cpuBandwidth(host) !== undefined ||
    host.cpuShares > 0 ||
    host.cpusetCpus !== '' ||
    rates.length > 0
  );
}

function threads({ engine, disks }: { engine: 'kvm' | 'qemu'; disks: number }, vcpus: number): number {
  return vcpus + (engine === 'kvm' ? KVM_THREADS + KVM_THREADS_PER_DISK * disks : QEMU_THREADS);
}

/** All rates of one device together. */
function deviceLimits(rates: DeviceRates): DeviceLimits[] {
  const limits = new Map<string, DeviceLimits>();
  for (const [kind, list] of Object.entries(rates) as [keyof DeviceRates, DeviceRate[]][]) {
    for (const { path, rate } of list) {
      const device = deviceNumber(path);
      limits.set(device, { ...limits.get(device), device, [kind]: rate });
    }
  }
  return [...limits.values()];
}

/** "major:minor", from the kernel's encoding of both in one number (include/linux/kdev_t.h, new_encode_dev). */
function deviceNumber(path: string): string {
  const { rdev } = blockDevice(path);
  const major = (rdev >> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
  return `${major}:${minor}`;
}

function blockDevice(path: string): Stats {
  try {
    const found = statSync(path);
    if (found.isBlockDevice()) return found;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  throw new HrunError('USAGE', `${path} is not a block device of this host`, { hint: 'see: lsblk' });
}
