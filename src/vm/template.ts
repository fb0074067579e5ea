// SPDX-License-Identifier: Apache-2.0
// A machine that is booted once and copied for each container: what it is made of, and the making. docs/templates.md.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HrunError } from '../base/errors.ts';
import { settingsPath } from '../base/settings.ts';
import type { VmAssets } from './assets.ts';
import { type EmptyMachine, writeEmptyMachine } from './empty-machine.ts';
import type { Engine } from './engine.ts';

/** What makes one template differ from another. */
export interface TemplateInputs extends VmAssets {
  engine: Engine;
  vcpus: number;
  memoryMiB: number;
  /** with a network interface, as its copies */
  nic: boolean;
}

/** Of what the files of a template hold, and how. */
const FORMAT = 5;
/** Beside the monitor: docs/frozen.md. */
const THAWING = ['hrun-thaw', 'libhrun-freeze.so'];
/** Of the two that tell of a failure, the maker's line says more than its keeper's. */
const NOT_MADE = /^hrun-vmm: no (template was made|machine was frozen): /;
const NO_CONTAINER = '0'.repeat(64);

/** The inputs of a VM's template. The kvm engine's have no interfaces: to take one is quick there. */
export function templateInputs(vm: Engine, assets: VmAssets, shape: TemplateShape): TemplateInputs {
  const { kernel, initrd, monitor } = assets;
  const { vcpus, memoryMiB } = shape;
  const nic = vm.engine === 'qemu' && shape.nic;
  const engine: Engine = vm.engine === 'qemu' ? { engine: vm.engine, qemu: vm.qemu } : { engine: vm.engine };
  return { kernel, initrd, monitor, engine, vcpus, memoryMiB, nic };
}

/** Of a machine. */
export interface TemplateSize {
  vcpus: number;
  memoryMiB: number;
}

/** The same, and whether it has a network interface that is not passt's. */
export interface TemplateShape extends TemplateSize {
  nic: boolean;
}

/**
 * The name of the template that these inputs make, 64 hex digits: another once one of the files is another, or the host has
 * booted again (its processor or its clock may be others). Undefined when a file is missing.
 */
export function templateKey({ engine, vcpus, memoryMiB, nic, ...files }: TemplateInputs): string | undefined {
  const { kernel, initrd, monitor } = files;
  const program = engine.engine === 'qemu' ? [engine.qemu.binary] : [];
  const identities = [kernel, initrd, monitor, ...program].map(identity);
  if (identities.includes(undefined)) return undefined;
  const thaws = THAWING.map((name) => identity(join(dirname(monitor), name)) ?? '');
  const inputs = [FORMAT, bootId(), engine, vcpus, memoryMiB, nic, ...identities, ...thaws];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}

/** The files that a whole template has: native/monitor/template_files.h. */
export function templateFiles({ engine, nic }: Pick<TemplateInputs, 'engine' | 'nic'>): string[] {
  if (engine.engine !== 'qemu') return ['state'];
  return nic ? ['memory', 'state', 'nic'] : ['memory', 'state'];
}

/** What it has besides where machines can be thawed: docs/frozen.md. */
export const FROZEN_FILES = ['process', 'process.memory'] as const;

/** Boots a machine and leaves its files in `directory`, which is empty; TEMPLATE_FAILED. */
export async function bootTemplate(inputs: TemplateInputs, directory: string): Promise<void> {
  mkdirSync(settingsPath(directory), { mode: 0o700 });
  writeEmptyMachine(directory, machineOf(inputs));
  await runMaker(inputs, ['--template', directory]);
}

/** Writes what a machine rehearses into its settings, which are in `directory`. */
export type Rehearse = (directory: string, machine: EmptyMachine) => Promise<void>;

/** Has a copy of the template in `directory` rehearse, and leaves FROZEN_FILES there; TEMPLATE_FAILED. */
export async function freezeTemplate(
  inputs: TemplateInputs,
  directory: string,
  rehearse: Rehearse,
): Promise<void> {
  const place = join(directory, 'frozen');
  mkdirSync(settingsPath(place), { recursive: true, mode: 0o700 });
  await rehearse(place, machineOf(inputs));
  await runMaker(inputs, ['--freeze', '--from', directory, place]);
  for (const name of FROZEN_FILES) renameSync(join(place, name), join(directory, name));
}

function machineOf(inputs: TemplateInputs): EmptyMachine {
  const tap = inputs.nic ? `hrun-${randomBytes(5).toString('hex')}` : undefined;
  return { id: NO_CONTAINER, inputs, resources: {}, tap };
}

async function runMaker({ monitor }: TemplateInputs, words: string[]): Promise<void> {
  try {
    await promisify(execFile)(monitor, words, { cwd: '/', env: {} });
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '').split('\n');
    const why = said.find((line) => NOT_MADE.test(line)) ?? said.findLast((line) => line !== '');
    throw new HrunError('TEMPLATE_FAILED', why?.replace(/^hrun-vmm: /, '') ?? 'the template cannot be made', {
      hint: 'containers boot without one; see: hrun doctor',
      cause: cause as Error,
    });
  }
}

function identity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && [path, stat.dev, stat.ino, stat.size, stat.mtimeNs].join(' ');
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
