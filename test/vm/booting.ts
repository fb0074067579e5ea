// SPDX-License-Identifier: Apache-2.0
// A machine that is caught while it boots.
import type { TestStore } from './hrun.ts';

/** The only container, whose machine stands still before the container's process runs: what is done then comes first. */
export async function heldBoot(store: TestStore) {
  const container = await store.reached('starting');
  if (container.vmmPid <= 0) throw new Error('there is no machine that boots');
  process.kill(container.vmmPid, 'SIGSTOP');
  if (store.state(container.id).status === 'starting') return container;
  process.kill(container.vmmPid, 'SIGCONT');
  throw new Error('the container runs already');
}
