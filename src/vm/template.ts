// SPDX-License-Identifier: Apache-2.0
// A machine that is booted once and copied for each container: what it is made of, and the making. docs/templates.md.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { HrunError } from '../base/errors.ts';
import { settingsPath } from '../base/settings.ts';
import type { VmAssets } from './assets.ts';
import type { Engine } from './engine.ts';
import { VM_FILE, vmConfig } from './vm-config.ts';

/** What makes one template differ from another. */
export interface TemplateInputs extends VmAssets {
  /** QEMU */
  binary: string;
  vcpus: number;
  memoryMiB: number;
}

/** Of what the files of a template hold, and how. */
const FORMAT = 1;
const BOOT_TIMEOUT_MS = 60_000;
const NO_CONTAINER = '0'.repeat(64);

/** The inputs of a VM's template; undefined for an engine without templates. */
export function templateInputs(
  engine: Engine,
  assets: VmAssets,
  size: { vcpus: number; memoryMiB: number },
): TemplateInputs | undefined {
  if (engine.engine !== 'qemu') return undefined;
  const { kernel, initrd, monitor } = assets;
  const { vcpus, memoryMiB } = size;
  return { kernel, initrd, monitor, binary: engine.qemu.binary, vcpus, memoryMiB };
}

/**
 * The name of the template that these inputs make, 64 hex digits: another once one of the files is another, or the host has
 * booted again (its processor or its clock may be others). Undefined when a file is missing.
 */
export function templateKey({ vcpus, memoryMiB, ...files }: TemplateInputs): string | undefined {
  const { kernel, initrd, monitor, binary } = files;
  const identities = [kernel, initrd, monitor, binary].map(identity);
  if (identities.includes(undefined)) return undefined;
  const inputs = [FORMAT, bootId(), vcpus, memoryMiB, ...identities];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}

/** Boots a machine and leaves its `memory` and `state` in `directory`, which is empty; TEMPLATE_FAILED. */
export async function bootTemplate(inputs: TemplateInputs, directory: string): Promise<void> {
  const vm = vmConfig({
    id: NO_CONTAINER,
    engine: { engine: 'qemu', qemu: { binary: inputs.binary, accel: 'tcg' } },
    assets: inputs,
    ...{
      vcpus: inputs.vcpus,
      memoryMiB: inputs.memoryMiB,
      layers: [],
      volumes: [],
      share: undefined,
      nics: [],
      ports: undefined,
    },
    ...{
      writable: '',
      tty: false,
      stopSignal: 15,
      autoRemove: false,
      resources: {},
      bootTimeoutMs: BOOT_TIMEOUT_MS,
    },
    log: { driver: 'none', maxBytes: 0, maxFiles: 1 },
  });
  mkdirSync(settingsPath(directory), { mode: 0o700 });
  writeFileSync(settingsPath(directory, VM_FILE), JSON.stringify({ ...vm, disks: [] }));
  for (const name of ['configure.bin', 'start.bin']) writeFileSync(settingsPath(directory, name), '');
  try {
    await promisify(execFile)(inputs.monitor, ['--template', directory], { cwd: '/', env: {} });
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '')
      .trim()
      .split('\n')
      .at(-1);
    throw new HrunError(
      'TEMPLATE_FAILED',
      said?.replace(/^hrun-vmm: /, '') || 'the template cannot be made',
      {
        hint: 'containers boot without one; see: hrun doctor',
        cause: cause as Error,
      },
    );
  }
}

function identity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && [path, stat.dev, stat.ino, stat.size, stat.mtimeNs].join(' ');
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
