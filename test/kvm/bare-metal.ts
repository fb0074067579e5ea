// SPDX-License-Identifier: Apache-2.0
import type { VmConfig } from '../../src/vm/vm-config.ts';
import { guest } from '../native/micro-vm-guest.ts';

/** What makes a container of MonitorRig one of the kvm engine, whose guest is the bare-metal agent (test/guests/agent). */
export function bareMetal(change: Partial<VmConfig> = {}): Partial<VmConfig> {
  const kvm = { engine: 'kvm', qemu: undefined, kernel: guest('agent'), memoryMiB: 64 };
  return { ...kvm, ...change } as Partial<VmConfig>;
}
