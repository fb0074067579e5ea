// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { settingsPath } from '../base/settings.ts';
import type { TemplateInputs } from './template.ts';
import { VM_FILE, type VmResources, vmConfig } from './vm-config.ts';

const BOOT_TIMEOUT_MS = 60_000;

/** Writes the settings of a machine without a container: no disks, no networks, nothing to be run. */
export function writeEmptyMachine(
  directory: string,
  { id, inputs, resources }: { id: string; inputs: TemplateInputs; resources: VmResources },
): void {
  const { engine, vcpus, memoryMiB } = inputs;
  const vm = vmConfig({
    ...{ id, engine, assets: inputs, vcpus, memoryMiB, resources, bootTimeoutMs: BOOT_TIMEOUT_MS },
    ...{ layers: [], volumes: [], writable: '', share: undefined, nics: [], ports: undefined },
    ...{ tty: false, stopSignal: 15, autoRemove: false },
    log: { driver: 'none', maxBytes: 0, maxFiles: 1 },
  });
  writeFileSync(settingsPath(directory, VM_FILE), JSON.stringify({ ...vm, disks: [] }), { mode: 0o600 });
  for (const name of ['configure.bin', 'start.bin'])
    writeFileSync(settingsPath(directory, name), '', { mode: 0o600 });
}
