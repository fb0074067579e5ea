// SPDX-License-Identifier: Apache-2.0
// What becomes of containers when the host goes down and comes up again.
import type { Root } from '../base/root.ts';
import { type ListedContainer, listContainers } from './list-containers.ts';

/** Names of the containers that are to be started after a boot of the host, oldest first. */
export async function containersToStart(root: Root): Promise<string[]> {
  const all = await listContainers(root, { all: true });
  return names(all.filter(runsAfterBoot));
}

/**
 * As Docker at its daemon's start: `always` is started although its user has stopped it, `unless-stopped` is not, and neither
 * is one that was never started.
 */
function runsAfterBoot({ config, state }: ListedContainer): boolean {
  const { name } = config.host.restart;
  if (state.status !== 'exited') return false;
  return name === 'always' || (name === 'unless-stopped' && state.stopped !== true);
}

/** Names of the containers that have a monitor, newest first. */
export async function containersToStop(root: Root): Promise<string[]> {
  const all = await listContainers(root, { all: true });
  return names(all.filter(({ state }) => state.status !== 'created' && state.status !== 'exited')).reverse();
}

/** What was made first may be needed by what was made later. */
function names(newestFirst: readonly ListedContainer[]): string[] {
  return newestFirst.map(({ config }) => config.name).reverse();
}
