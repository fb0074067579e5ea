// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { installDir, type Root } from '../base/root.ts';
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
