// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { type ContainerConfig, readContainerConfig, writeContainerConfig } from './container-config.ts';
import { lockNames } from './names.ts';

/** Replaces config.json of a container's directory by what `change` makes of it; no other change, as that of its name, comes in between. */
export async function changeConfig(
  root: Root,
  directory: string,
  change: (config: ContainerConfig) => ContainerConfig,
): Promise<void> {
  const lock = await lockNames(root);
  try {
    await writeContainerConfig(directory, change(readContainerConfig(directory)));
  } finally {
    lock.release();
  }
}
