// SPDX-License-Identifier: Apache-2.0
// Saving a machine that runs, and what has to be the same where it goes on: docs/checkpoint.md.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { promisify } from 'node:util';
import { HrunError } from '../base/errors.ts';
import type { VmAssets } from './assets.ts';
import { WRITABLE_SLOT } from './slots.ts';
import type { VmConfig } from './vm-config.ts';

/** Of a machine and its host: a checkpoint of it goes on only where all are the same. */
export function machineFacts(vm: VmConfig, { initrd }: VmAssets): Record<string, string> {
  const layers = vm.disks.filter(({ slot }) => slot !== WRITABLE_SLOT);
  // docs/networks.md, "Several queues"
  const queues = vm.vcpus > 1 ? 'several' : undefined;
  const nics = (vm.nics ?? []).map(({ slot, mac, addresses, mtu }) => ({
    slot,
    mac,
    addresses,
    mtu,
    queues,
  }));
  return {
    engine: vm.engine === 'qemu' ? `qemu ${vm.qemu.accel}` : vm.engine,
    QEMU: vm.engine === 'qemu' ? fileIdentity(vm.qemu.binary) : '',
    processor: cpus()[0]?.model ?? '',
    "hrun's agent": createHash('sha256').update(readFileSync(initrd)).digest('hex'),
    'number of CPUs': String(vm.vcpus),
    memory: `${vm.memoryMiB} MiB`,
    image: JSON.stringify(layers.map(({ slot, path }) => [slot, path])),
    networks: JSON.stringify(nics),
    devices: JSON.stringify([vm.vsock, vm.rng, vm.balloon]),
  };
}

/**
 * Has a container's monitor save its machine, and writes memory, state and disk into `checkpoint`, an empty directory. It goes on
 * afterwards, or ends; CHECKPOINT_FAILED with the reason, and then it goes on.
 */
export async function saveMachine(
  program: string,
  directory: string,
  { checkpoint, leaveRunning }: { checkpoint: string; leaveRunning: boolean },
): Promise<void> {
  const why = await complaint(program, [
    '--checkpoint',
    directory,
    checkpoint,
    leaveRunning ? 'go-on' : 'end',
  ]);
  if (why !== undefined) throw new HrunError('CHECKPOINT_FAILED', `no checkpoint was made: ${why}`);
}

/** Reads memory, state and disk of a checkpoint; resolves with what is damaged, if anything is. */
export async function verifyMachine(program: string, checkpoint: string): Promise<string | undefined> {
  return await complaint(program, ['--verify', checkpoint]);
}

/** Why the program failed, in its own words. */
async function complaint(program: string, words: readonly string[]): Promise<string | undefined> {
  try {
    await promisify(execFile)(program, words, { cwd: '/', env: {} });
    return undefined;
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '').trim();
    return said.replace(/^hrun-vmm: /, '') || `${program} was ended, or cannot be started`;
  }
}

/** Path, size and time of change. */
function fileIdentity(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return [path, size, mtimeMs].join(' ');
}
