// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import { createPool, machineSize, poolStates, removePool } from '../core/pools.ts';
import { createTemplate } from '../core/templates.ts';
import { findImage, openImageStore } from '../image/index.ts';
import { assessKvm, type EngineName, explain } from '../vm/index.ts';
import type { Subject, Subjects } from './subject.ts';

/** hrun itself, in each way in which this host can start a machine. The template is made. NO_SUCH_IMAGE: nothing is pulled. */
export async function hrunSubjects(root: Root, image: string, command: readonly string[]): Promise<Subjects> {
  await checkImage(root, image);
  const verdict = await assessKvm(root);
  const engines = verdict.state === 'hardware' ? (['qemu', 'kvm'] as const) : (['qemu'] as const);
  for (const engine of engines) await makeTemplate(root, engine);
  const subjects = engines.flatMap((engine) => [
    subject(root, { name: `hrun, booted (${engine})`, engine, templates: 'off' }, image, command),
    copiedSubject(root, engine, image, command),
  ]);
  const absent = verdict.state === 'hardware' ? [] : [`hrun (kvm): ${explain(verdict).because}`];
  return { subjects, absent };
}

/** The template, and what a run from it leaves for the next, which those of other subjects take away (docs/head-start.md). */
async function makeTemplate(root: Root, engine: EngineName): Promise<void> {
  await createTemplate(root, { engine, nic: false }, { wait: true });
}

function copiedSubject(root: Root, engine: EngineName, image: string, command: readonly string[]): Subject {
  return {
    ...subject(root, { name: `hrun, template (${engine})`, engine, templates: 'use' }, image, command),
    around: { before: () => makeTemplate(root, engine), after: async () => {} },
  };
}

/**
 * hrun with a machine that waits for it, and only for this one run: the other subjects find none. USAGE when there is a pool of this size, which
 * they would all use.
 */
export function pooledSubject(root: Root, image: string, command: readonly string[]): Subject {
  const size = machineSize({ memory: undefined, cpus: undefined });
  if (poolStates(root).some(({ vcpus, memoryMiB }) => vcpus === size.vcpus && memoryMiB === size.memoryMiB)) {
    throw new HrunError('USAGE', 'machines of this size wait in a pool, which all runs would use', {
      hint: 'run: hrun pool rm',
    });
  }
  return {
    ...subject(root, { name: 'hrun, pool (qemu)', engine: 'qemu', templates: 'use' }, image, command),
    around: {
      before: async () => void (await createPool(root, size, { engine: 'qemu', wanted: 1 })),
      after: () => removePool(root, size),
    },
  };
}

async function checkImage(root: Root, image: string): Promise<void> {
  using store = await openImageStore(root);
  await findImage(store, image);
}

function subject(
  root: Root,
  { name, engine, templates }: { name: string; engine: EngineName; templates: string },
  image: string,
  command: readonly string[],
): Subject {
  const words = ['run', '--rm', '--network', 'none', image, ...command];
  const env = { ...process.env, HRUN_ROOT: root.dir, HRUN_TEMPLATES: templates, HRUN_ENGINE: engine };
  return { name, argv: [join(installDir(), 'bin/hrun'), ...words], env, traced: true };
}
