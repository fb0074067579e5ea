// SPDX-License-Identifier: Apache-2.0
// `hrun ps --filter`, by Docker's keys.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import type { ContainerConfig } from '../container/index.ts';
import { publishedPorts } from '../network/index.ts';
import { type PortRange, parsePortRange } from '../oci/index.ts';
import type { ListedContainer } from './list-containers.ts';
import { isRunning, openContainer } from './open-container.ts';

/** Values by key: one of each key's must hold, but all of `label`. */
export type ContainerFilters = ReadonlyMap<string, readonly string[]>;

const KEYS = [
  ...['ancestor', 'before', 'exited', 'expose', 'health', 'id', 'label', 'name', 'network', 'publish'],
  ...['since', 'status', 'volume'],
];
/** values of those that are words */
const HEALTHS = ['starting', 'healthy', 'unhealthy', 'none'];
const STATUSES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/** Parses `key=value` options; USAGE for a key that there is not. */
export function parseContainerFilters(texts: readonly string[]): ContainerFilters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const [key = '', value] = text.split(/=(.*)/s, 2);
    if (!KEYS.includes(key) || value === undefined) {
      throw new HrunError('USAGE', `"${text}" is not a filter`, { hint: `use ${KEYS.join('=, ')}=` });
    }
    if (key === 'status' && !STATUSES.includes(value)) {
      throw new HrunError('USAGE', `"${value}" is not a status`, { hint: `use ${STATUSES.join(', ')}` });
    }
    if (key === 'health' && !HEALTHS.includes(value)) {
      throw new HrunError('USAGE', `"${value}" is not a health`, { hint: `use ${HEALTHS.join(', ')}` });
    }
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return filters;
}

/** True when -a is implied: the filter names containers that do not run. */
export function wantsStopped(filters: ContainerFilters): boolean {
  return filters.has('status') || filters.has('exited') || filters.has('before') || filters.has('since');
}

/** The containers that all filters let through. Rejects with NO_SUCH_CONTAINER or NO_SUCH_IMAGE for a value that names nothing. */
export async function filterContainers(
  root: Root,
  containers: readonly ListedContainer[],
  filters: ContainerFilters,
): Promise<ListedContainer[]> {
  const tests = await Promise.all([...filters].map(([key, values]) => testFor(root, key, values)));
  return containers.filter((container) => tests.every((test) => test(container)));
}

type Test = (container: ListedContainer) => boolean;

async function testFor(root: Root, key: string, values: readonly string[]): Promise<Test> {
  const any = (holds: (container: ListedContainer, value: string) => boolean): Test => {
    return (container) => values.some((value) => holds(container, value));
  };
  switch (key) {
    case 'ancestor':
      return await ancestorTest(root, values);
    case 'before':
    case 'since':
      return await ageTest(root, key, values[0]!);
    case 'label':
      return ({ config }) => values.every((value) => hasLabel(config.labels, value));
    case 'name':
      return any(({ config }, value) => matchesName(config.name, value));
    case 'id':
      return any(({ config }, value) => config.id.startsWith(value));
    case 'exited':
      return any(({ state }, value) => state.status === 'exited' && state.exitCode === Number(value));
    case 'volume':
      return any(({ config }, value) =>
        config.mounts.some(({ name, target }) => name === value || target === value),
      );
    case 'health':
      return any(({ health }, value) => (health ?? 'none') === value);
    case 'expose':
      return portTest(values, ({ config, state }) => (isRunning(state) ? config.host.exposedPorts : []));
    case 'publish':
      return portTest(values, ({ config, state }) => {
        const published = isRunning(state) ? publishedPorts(root, config.id) : [];
        return published.map(({ hostPort, protocol }) => `${hostPort}/${protocol}`);
      });
    case 'network':
      return any(({ config }, value) => isIn(config, value));
    default:
      return any(({ state }, value) => state.status === value);
  }
}

/** By name or ID of a network, or "none". */
function isIn({ networks, host }: ContainerConfig, value: string): boolean {
  if (networks.length === 0) return host.network === value;
  return networks.some(
    ({ network, networkId }) => network === value || (value !== '' && networkId.startsWith(value)),
  );
}

/** A regular expression, as with Docker; text that is none is looked for as it stands. */
function matchesName(name: string, value: string): boolean {
  try {
    return new RegExp(value).test(name);
  } catch {
    return name.includes(value);
  }
}

export function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const [key = '', value] = text.split(/=(.*)/s, 2);
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
}

/** Made of this image, by name or id. What knows images is loaded only for this filter. */
async function ancestorTest(root: Root, values: readonly string[]): Promise<Test> {
  const { findImage, openImageStore } = await import('../image/index.ts');
  using store = await openImageStore(root);
  const ids = new Set(
    await Promise.all(values.map(async (value) => (await findImage(store, value)).image.id)),
  );
  return ({ config }) => ids.has(config.imageId as never);
}

/** Values are "80", "80/udp" or "8000-8080/tcp". As under Docker `publish` is of the host's ports, `expose` of the container's. USAGE. */
function portTest(
  values: readonly string[],
  portsOf: (container: ListedContainer) => readonly string[],
): Test {
  const ranges = values.map(portRange);
  return (container) =>
    portsOf(container).some((name) => {
      const [port, protocol] = name.split('/');
      return ranges.some((range) => {
        return protocol === range.protocol && Number(port) >= range.first && Number(port) <= range.last;
      });
    });
}

function portRange(text: string): PortRange {
  const range = parsePortRange(text);
  if (range) return range;
  throw new HrunError('USAGE', `"${text}" is not a port`, { hint: 'use PORT[-LAST][/PROTOCOL]' });
}

async function ageTest(root: Root, key: string, text: string): Promise<Test> {
  const created = (await openContainer(root, text)).config.created;
  return key === 'before'
    ? ({ config }) => config.created < created
    : ({ config }) => config.created > created;
}
