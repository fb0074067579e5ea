// SPDX-License-Identifier: Apache-2.0
// `hrun volume ls --filter`, by Docker's keys.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { listVolumes, type Volume } from '../volume/index.ts';
import { hasLabel } from './container-filters.ts';
import { volumeUsers } from './volumes.ts';

const KEYS = ['dangling', 'driver', 'label', 'name'];
const TRUE = ['1', 'true', 't'];

/** The volumes that all filters let through; one of each key's must hold, but all of `label`. */
export function filteredVolumes(root: Root, texts: readonly string[]): Volume[] {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const [key = '', value] = text.split(/=(.*)/s, 2);
    if (!KEYS.includes(key) || value === undefined)
      throw new HrunError('USAGE', `"${text}" is not a filter`, { hint: `use ${KEYS.join('=, ')}=` });
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  const users = filters.has('dangling') ? volumeUsers(root) : new Map();
  const holds = (volume: Volume, key: string, value: string): boolean => {
    if (key === 'dangling') return TRUE.includes(value) !== users.has(volume.name);
    if (key === 'driver') return value === 'local';
    return key === 'label' ? hasLabel(volume.labels, value) : volume.name.includes(value);
  };
  return listVolumes(root).filter((volume) =>
    [...filters].every(([key, values]) =>
      key === 'label'
        ? values.every((value) => holds(volume, key, value))
        : values.some((value) => holds(volume, key, value)),
    ),
  );
}
