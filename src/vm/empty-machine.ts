// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { settingsPath } from '../base/settings.ts';
import type { TemplateInputs } from './template.ts';
import { unconnectedNic, VM_FILE, type VmDisk, type VmResources, vmConfig } from './vm-config.ts';

const BOOT_TIMEOUT_MS = 60_000;

/** What a machine rehearses: disks, CONFIGURE and START. */
export interface Rehearsal {
  disks: VmDisk[];
  configure: Uint8Array;
  start: Uint8Array;
}

const NOTHING: Rehearsal = { disks: [], configure: Buffer.alloc(0), start: Buffer.alloc(0) };

/** A machine without a container. */
export interface EmptyMachine {
  id: string;
  inputs: TemplateInputs;
  resources: VmResources;
  /** the name on the host of its interface, if it has one */
  tap?: string | undefined;
}

/** Writes its settings: nothing but what it rehearses. */
export function writeEmptyMachine(
  directory: string,
  { id, inputs, resources, tap }: EmptyMachine,
  { disks, configure, start }: Rehearsal = NOTHING,
): void {
  const { engine, vcpus, memoryMiB } = inputs;
  const vm = vmConfig({
    ...{ id, engine, assets: inputs, vcpus, memoryMiB, resources, bootTimeoutMs: BOOT_TIMEOUT_MS },
    ...{ layers: [], volumes: [], writable: '', share: undefined, ports: undefined },
    nics: tap === undefined ? [] : [unconnectedNic(tap)],
    ...{ tty: false, stopSignal: 15, autoRemove: false },
    log: { driver: 'none', maxBytes: 0, maxFiles: 1 },
  });
  const write = (name: string, data: Uint8Array | string) =>
    writeFileSync(settingsPath(directory, name), data, { mode: 0o600 });
  write(VM_FILE, JSON.stringify({ ...vm, disks }));
  write('configure.bin', configure);
  write('start.bin', start);
}
