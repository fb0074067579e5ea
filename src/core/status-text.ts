// SPDX-License-Identifier: Apache-2.0
import type { ListedContainer } from './list-containers.ts';

type Shown = Pick<ListedContainer, 'state' | 'health'>;

/** A container's state in a few words, as Docker has them; `inWords` words a span of milliseconds. */
export function statusText({ state, health }: Shown, inWords: (ms: number) => string): string {
  const since = (time: string) => inWords(Date.now() - Date.parse(time));
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(health)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'starting':
      return 'Starting';
    default:
      return 'Created';
  }
}

function healthText(health: Shown['health']): string {
  if (!health) return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}
