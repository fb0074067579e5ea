// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import { createPool, machineSize, poolStates, removePool } from '../core/pools.ts';
import { createTemplate } from '../core/templates.ts';
import { findImage, openImageStore } from '../image/index.ts';
import { assessKvm, explain } from '../vm/index.ts';
import type { Subject, Subjects } from './subject.ts';

/** hrun itself, in each way in which this host can start a machine. The template is made. NO_SUCH_IMAGE: nothing is pulled. */
export async function hrunSubjects(root: Root, image: string, command: readonly string[]): Promise<Subjects> {
  await checkImage(root, image);
  const verdict = await assessKvm(root);
  const engines = verdict.state === 'hardware' ? (['qemu', 'kvm'] as const) : (['qemu'] as const);
  for (const engine of engines)
    await createTemplate(root, { engine, memory: undefined, cpus: undefined }, { wait: true });
  const subjects = [
    subject(root, { name: 'hrun, booted (qemu)', engine: 'qemu', templates: 'off' }, image, command),
    subject(root, { name: 'hrun, template (qemu)', engine: 'qemu', templates: 'use' }, image, command),
  ];
  if (verdict.state !== 'hardware') return { subjects, absent: [`hrun (kvm): ${explain(verdict).because}`] };
  return {
    subjects: [
      ...subjects,
      subject(root, { name: 'hrun, booted (kvm)', engine: 'kvm', templates: 'off' }, image, command),
      subject(root, { name: 'hrun, template (kvm)', engine: 'kvm', templates: 'use' }, image, command),
    ],
    absent: [],
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
  { name, engine, templates }: { name: string; engine: string; templates: string },
  image: string,
  command: readonly string[],
): Subject {
  const words = ['run', '--rm', '--network', 'none', '--engine', engine, image, ...command];
  const env = { ...process.env, HRUN_ROOT: root.dir, HRUN_TEMPLATES: templates };
  return { name, argv: [join(installDir(), 'bin/hrun'), ...words], env, traced: true };
}
