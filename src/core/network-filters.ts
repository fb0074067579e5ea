// SPDX-License-Identifier: Apache-2.0
// `hrun network ls --filter`, by Docker's keys.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { DEFAULT_NETWORK, listLeases, type Network } from '../network/index.ts';
import { hasLabel } from './container-filters.ts';

const TRUE = ['1', 'true', 't'];

type Test = (root: Root, network: Network, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  dangling: (root, network, value) =>
    TRUE.includes(value) === (isCustom(network) && listLeases(root, network).length === 0),
  driver: (_root, _network, value) => value === 'bridge',
  id: (_root, { id }, value) => id.startsWith(value),
  label: (_root, { labels }, value) => hasLabel(labels, value),
  name: (_root, { name }, value) => name.includes(value),
  scope: (_root, _network, value) => value === 'local',
  type: (_root, network, value) => value === (isCustom(network) ? 'custom' : 'builtin'),
};

/** The networks that all filters, `key=value`, let through; one of each key's must hold, but all of `label`. USAGE for another key. */
export function filteredNetworks(
  root: Root,
  networks: readonly Network[],
  texts: readonly string[],
): Network[] {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const [key = '', value] = text.split(/=(.*)/s, 2);
    if (!Object.hasOwn(TESTS, key) || value === undefined) {
      throw new HrunError('USAGE', `"${text}" is not a filter`, {
        hint: `use ${Object.keys(TESTS).join('=, ')}=`,
      });
    }
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return networks.filter((network) =>
    [...filters].every(([key, values]) => {
      const holds = (value: string) => TESTS[key]!(root, network, value);
      return key === 'label' ? values.every(holds) : values.some(holds);
    }),
  );
}

function isCustom({ name }: Network): boolean {
  return name !== DEFAULT_NETWORK;
}
