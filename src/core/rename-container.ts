// SPDX-License-Identifier: Apache-2.0

import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { changeName, recordContainer, writeContainerConfig } from '../container/index.ts';
import { openContainer } from './open-container.ts';

/** Gives a container another name. The old one is free only when the new one is written down. */
export async function renameContainer(root: Root, text: string, name: string): Promise<void> {
  const { id, directory, config, name: before } = await openContainer(root, text);
  if (name === before) {
    throw new HrunError('USAGE', `container ${text} is already called ${name}`);
  }
  await changeName(root, id, { before, after: name }, () =>
    writeContainerConfig(directory, { ...config, name }),
  );
  recordContainer(root, { ...config, name }, 'rename', { oldName: `/${before}` });
}
