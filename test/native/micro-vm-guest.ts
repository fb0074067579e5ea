// SPDX-License-Identifier: Apache-2.0
// The bare-metal guests of test/guests in MicroVms, for tests.
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installDir } from '../../src/base/root.ts';
import { type MicroVm, type MicroVmConfig, native, type RestoreConfig } from '../../src/native/index.ts';

export function kvmUsable(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The name of tests that are skipped where KVM cannot be used, with the reason. */
export function onKvm(name: string): string {
  return kvmUsable() ? name : `${name} (this host cannot: no usable /dev/kvm)`;
}

/** The path of the guest that test/guests/NAME/guest.c became. */
export function guest(name: string): string {
  return join(installDir(), 'build', 'native', 'guests', `${name}.elf`);
}

export interface Running {
  vm: MicroVm;
  /** resolves when the guest's console has shown `text` */
  said(text: string): Promise<void>;
  text(): string;
}

/** A machine with that guest, not started yet. */
export function createGuest(name: string, config: Partial<MicroVmConfig> = {}): Promise<Running> {
  return listen((onConsole) =>
    native().createMicroVm({ kernel: guest(name), memoryMiB: 16, onConsole, ...config }),
  );
}

/** A machine that goes on from that snapshot, not started yet. */
export function restoreGuest(snapshot: string, config: Partial<RestoreConfig> = {}): Promise<Running> {
  return listen((onConsole) => native().restoreMicroVm({ snapshot, onConsole, ...config }));
}

async function listen(make: (onConsole: (bytes: Buffer) => void) => Promise<MicroVm>): Promise<Running> {
  let text = '';
  const waiting: Array<() => void> = [];
  const onConsole = (bytes: Buffer) => {
    text += bytes.toString('latin1');
    for (const look of waiting) look();
  };
  const vm = await make(onConsole);
  const said = (expected: string) =>
    new Promise<void>((resolve) => {
      const look = () => text.includes(expected) && resolve();
      waiting.push(look);
      look();
    });
  return { vm, said, text: () => text };
}

/** What this process holds that a machine could leave behind. */
export function resources() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]);
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: field('Threads'),
    mappings: readFileSync('/proc/self/maps', 'utf8').split('hrun-guest').length - 1,
    rssKiB: field('VmRSS'),
  };
}

/** Creates, starts and stops a machine whose guest never ends by itself. */
export async function createAndStop(): Promise<void> {
  const { vm } = await createGuest('faults', { commandLine: 's' });
  await vm.start();
  await vm.stop();
}
