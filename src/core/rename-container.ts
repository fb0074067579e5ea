// SPDX-License-Identifier: Apache-2.0

import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import {
  changeName,
  readContainerConfig,
  recordContainer,
  writeContainerConfig,
} from '../container/index.ts';
import { openContainer } from './open-container.ts';

/** Gives a container another name. The old one is free only when the new one is written down. */
export async function renameContainer(root: Root, text: string, name: string): Promise<void> {
  const { id, directory, config, name: before } = await openContainer(root, text);
  if (name === before) {
    throw new HrunError('USAGE', `container ${text} is already called ${name}`);
  }
  await changeName(root, id, { before, after: name }, async () => {
    const now = readContainerConfig(directory);
    if (now.name !== before) throw renamedMeanwhile(text, now.name);
    await writeContainerConfig(directory, { ...now, name });
  });
  recordContainer(root, { ...config, name }, 'rename', { oldName: `/${before}` });
}

/** Of two who rename it at the same time the second is told so: both would think that it has the name they gave. */
function renamedMeanwhile(text: string, name: string): HrunError {
  return new HrunError('CONTAINER_STATE', `container ${text} has just been renamed ${name}`, {
    hint: 'see: hrun ps -a',
  });
}
