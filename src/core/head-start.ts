// SPDX-License-Identifier: Apache-2.0
// The next `hrun run` has its machine started before it knows of it: docs/head-start.md.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Findings } from '../base/finding.ts';
import type { Root } from '../base/root.ts';
import { newContainerId } from '../container/index.ts';
import { tapName } from '../network/index.ts';
import {
  leftHeadStarts,
  memoryMiB,
  poolDirectory,
  prepareHeadStart,
  type TemplateInputs,
  wantsHeadStart,
} from '../vm/index.ts';
import { vcpusFor } from './cpus.ts';
import { sizeLimits } from './vm-resources.ts';

export { takeGiven } from '../vm/index.ts';

/** Of the next container, which has a layer or two. */
const DISKS = 2;

/** Prepares the next machine of the size that nobody asks for, a copy of the template of these inputs; nothing that fails here is missed. */
export function prepareNext(root: Root, inputs: TemplateInputs, key: string): void {
  const isDefault = inputs.vcpus === vcpusFor({}) && inputs.memoryMiB === memoryMiB(undefined);
  if (inputs.engine.engine !== 'qemu' || !isDefault || !wantsHeadStart()) return;
  if (existsSync(poolDirectory(root, inputs))) return; // these wait already
  const resources = sizeLimits(inputs, { engine: 'qemu', disks: DISKS });
  try {
    const id = newContainerId();
    const tap = inputs.nic ? tapName(root, id, 0) : undefined;
    prepareHeadStart(root, key, { id, inputs, resources, tap });
  } catch {} // then there is none
}

/** What was killed is harmless, and of no use. */
export async function checkHeadStarts(root: Root, findings: Findings): Promise<void> {
  for (const directory of leftHeadStarts(root)) {
    const finding = {
      kind: 'note',
      where: directory,
      what: 'is of a machine that was killed before it had its container',
      remedy: 'remove it',
    } as const;
    await findings.mendable(finding, () => rm(directory, { recursive: true, force: true }));
  }
}
