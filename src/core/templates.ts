// SPDX-License-Identifier: Apache-2.0
// Containers start from a machine that was booted in advance, if there is one of their size: docs/templates.md.
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { basename, join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import {
  assessKvm,
  chooseEngine,
  type Engine,
  type EngineName,
  findAssets,
  findTemplate,
  hasPreparedNic,
  isToBeMadeAgain,
  listTemplates,
  makeTemplate,
  memoryMiB,
  readTemplate,
  readVmConfig,
  removeTemplate,
  type Template,
  templateInputs,
  type VmAssets,
  type VmConfig,
} from '../vm/index.ts';
import { vcpusFor } from './cpus.ts';
import { prepareNext } from './head-start.ts';
import { rehearseIn } from './rehearsal.ts';

/** $HRUN_TEMPLATES: `auto` makes what is missing in the background, `use` takes what is there, `off` boots every machine. */
export const TEMPLATE_POLICIES = ['auto', 'use', 'off'] as const;
export type TemplatePolicy = (typeof TEMPLATE_POLICIES)[number];

export function templatePolicy(env: NodeJS.ProcessEnv = process.env): TemplatePolicy {
  const word = env.HRUN_TEMPLATES || 'auto';
  const policy = TEMPLATE_POLICIES.find((each) => each === word);
  if (policy) return policy;
  throw new HrunError('USAGE', `HRUN_TEMPLATES=${word} is not known`, { hint: TEMPLATE_POLICIES.join(', ') });
}

/** What a container starts from. */
export interface Origin {
  /** the template's directory; undefined: the machine is booted */
  directory: string | undefined;
  /** Has the template made for next time, in a process of its own, if it is wanted and not there; if it is there, prepares the next machine. */
  makeForNextTime(): void;
}

/** Looks for the template of the VM in a container's directory. */
export function findOrigin(root: Root, containerDirectory: string, assets: VmAssets): Origin {
  const policy = templatePolicy();
  if (policy === 'off') return { directory: undefined, makeForNextTime: () => {} };
  const vm = readVmConfig(containerDirectory);
  if (vm.joins) return { directory: undefined, makeForNextTime: () => {} };
  const inputs = templateInputs(vm, assets, { ...vm, nic: hasPreparedNic(vm) });
  const directory = findTemplate(root, inputs);
  const makeForNextTime = () => {
    if (directory !== undefined) prepareNext(root, inputs, basename(directory));
    const template = directory === undefined ? undefined : readTemplate(root, basename(directory));
    if (policy === 'auto' && (!template || isToBeMadeAgain(template))) makeInBackground(vm);
  };
  return { directory, makeForNextTime };
}

/** Outlives this process; what it has to say is for whoever runs `hrun template create`. */
function makeInBackground(vm: VmConfig): void {
  const { engine, memoryMiB, vcpus } = vm;
  const size = ['--memory', `${memoryMiB}m`, '--cpus', String(vcpus)];
  const kind = hasPreparedNic(vm) ? '--nic' : '--no-nic';
  const words = ['template', 'create', '--engine', engine, ...size, kind, '--no-wait'];
  const child = spawn(join(installDir(), 'bin/hrun'), words, { cwd: '/', detached: true, stdio: 'ignore' });
  child.on('error', () => {}); // then there is none next time either
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  child.unref();
}

/** What a template is asked to be. */
export interface TemplateRequest {
  engine: EngineName;
  memory?: number | undefined;
  cpus?: number | undefined;
  nic: boolean;
}

/** Makes a template, and returns its id; undefined when somebody else is at it and is not waited for. */
export async function createTemplate(
  root: Root,
  { memory, cpus, nic, ...request }: TemplateRequest,
  options: { wait: boolean },
): Promise<string | undefined> {
  const { engine } = await chooseEngine(root, request.engine);
  if (!options.wait && (await isSlow(root, engine))) return undefined;
  const machine = { vcpus: vcpusFor({ cpus }), memoryMiB: memoryMiB(memory), nic };
  const inputs = templateInputs(engine, findAssets(), machine);
  const key = await makeTemplate(root, inputs, { ...options, rehearse: rehearseIn(root) });
  if (key !== undefined && templatePolicy() !== 'off') prepareNext(root, inputs, key);
  return key;
}

/** A KVM that emulates would be at it for minutes, each time that a container starts. */
async function isSlow(root: Root, { engine }: Engine): Promise<boolean> {
  return engine === 'kvm' && (await assessKvm(root)).state !== 'hardware';
}

/** The template that an id or its unique beginning means; NO_SUCH_TEMPLATE, AMBIGUOUS_ID. */
export function openTemplate(root: Root, text: string): Template {
  const found = listTemplates(root).filter(({ id }) => text !== '' && id.startsWith(text));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new HrunError('AMBIGUOUS_ID', `${found.length} templates have an ID that begins with ${text}`, {
      hint: 'give more digits',
    });
  }
  throw new HrunError('NO_SUCH_TEMPLATE', `no such template: ${text}`, { hint: 'see: hrun template ls' });
}

export async function removeTemplateCalled(root: Root, text: string): Promise<string> {
  const { id } = openTemplate(root, text);
  await removeTemplate(root, id);
  return id;
}
