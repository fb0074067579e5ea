// SPDX-License-Identifier: Apache-2.0
// What has happened in a store, and what happens now: `hrun events`.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { readEvents, type StoreEvent } from '../journal/index.ts';
import { hasLabel } from './container-filters.ts';

export type { StoreEvent };

/** Values by key: one of each key's must hold, but all of `label`. */
export type EventFilters = ReadonlyMap<string, readonly string[]>;

export interface EventRange {
  /** milliseconds since 1970: events from then on; undefined is from now on */
  since: number | undefined;
  /** the last moment, which may be to come; undefined is for ever */
  until: number | undefined;
}

const KEYS = ['container', 'event', 'image', 'label', 'network', 'scope', 'type', 'volume'];
const NANO_PER_MS = 1_000_000;

/** Parses `key=value` options; USAGE for a key that there is not. */
export function parseEventFilters(texts: readonly string[]): EventFilters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const [key = '', value] = text.split(/=(.*)/s, 2);
    if (!KEYS.includes(key) || value === undefined) {
      throw new HrunError('USAGE', `"${text}" is not a filter`, { hint: `use ${KEYS.join('=, ')}=` });
    }
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return filters;
}

/** The events of a range that all filters let through, as they come. Ends at `until`, or when the signal is aborted. */
export async function* storeEvents(
  root: Root,
  { since, until }: EventRange,
  filters: EventFilters,
  signal: AbortSignal,
): AsyncGenerator<StoreEvent> {
  const from = (since ?? Date.now()) * NANO_PER_MS;
  const end = until === undefined ? Number.POSITIVE_INFINITY : until * NANO_PER_MS;
  const left = until === undefined ? undefined : until - Date.now();
  const follow =
    left === undefined
      ? signal
      : AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.min(left, MAX_TIMER_MS)))]);
  const names = new Map<string, string>();
  for await (const events of readEvents(root, left !== undefined && left <= 0 ? undefined : follow)) {
    for (const told of events) {
      const event = withLastName(told, names);
      if (event.timeNano >= from && event.timeNano <= end && matches(event, filters)) yield event;
    }
  }
}

/** A keeper knows its container by the name that it was started with. */
function withLastName(event: StoreEvent, names: Map<string, string>): StoreEvent {
  const { ID, Attributes } = event.Actor;
  if (event.Type !== 'container') return event;
  if (event.Action === 'rename' && Attributes.name !== undefined) names.set(ID, Attributes.name);
  const name = names.get(ID);
  return name === undefined ? event : { ...event, Actor: { ID, Attributes: { ...Attributes, name } } };
}

const MAX_TIMER_MS = 2 ** 31 - 1;

function matches(event: StoreEvent, filters: EventFilters): boolean {
  return [...filters].every(([key, values]) =>
    key === 'label'
      ? values.every((value) => hasLabel(event.Actor.Attributes, value))
      : values.some((value) => holds(event, key, value)),
  );
}

function holds({ Type, Action, Actor, scope }: StoreEvent, key: string, value: string): boolean {
  const { ID, Attributes } = Actor;
  switch (key) {
    case 'event':
      return Action === value || Action.startsWith(`${value}:`);
    case 'type':
      return Type === value;
    case 'scope':
      return scope === value;
    case 'container':
      return Type === 'container' && (Attributes.name === value || isIdPrefix(ID, value));
    case 'network':
      return Type === 'network' && (Attributes.name === value || isIdPrefix(ID, value));
    case 'volume':
      return Type === 'volume' && ID === value;
    default:
      return isOfImage(Type === 'image' ? [ID, Attributes.name] : [Attributes.image], value);
  }
}

function isIdPrefix(id: string, value: string): boolean {
  return value !== '' && id.startsWith(value);
}

/** As Docker: a name without a tag means every tag. */
function isOfImage(names: readonly (string | undefined)[], value: string): boolean {
  return names.some((name) => name === value || name?.replace(/:[^/:]*$/, '') === value);
}
