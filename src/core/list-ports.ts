// SPDX-License-Identifier: Apache-2.0
// What of a container's ports can be reached by the host's: for `port`, `inspect` and `ps`.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import type { ContainerConfig, ContainerState, PortBinding } from '../container/index.ts';
import { hostPortText, type PublishedPort, publishedPorts } from '../network/index.ts';
import { isRunning, openContainer } from './open-container.ts';
import { portName } from './publish.ts';

/** The published ports of a container, those of one of its ports if `name` ("80", "80/tcp") is given. USAGE when it has none there. */
export async function containerPorts(root: Root, text: string, name?: string): Promise<PublishedPort[]> {
  const { id, state } = await openContainer(root, text);
  const ports = isRunning(state) ? publishedPorts(root, id).sort(byPort) : [];
  if (name === undefined) return ports;
  const wanted = name.includes('/') ? name : `${name}/tcp`;
  if (!/^\d{1,5}\/[a-z]+$/.test(wanted))
    throw new HrunError('USAGE', `Invalid port: ${name}`, { hint: 'use PORT[/PROTOCOL]' });
  const found = ports.filter((port) => portName(port) === wanted);
  if (found.length > 0) return found;
  throw new HrunError('NO_SUCH_PORT', `no public port '${name}' published for ${text}`, {
    hint: `see: hrun port ${text}`,
  });
}

/** NetworkSettings.Ports: null for a port that is only exposed. */
export function describePorts(root: Root, config: ContainerConfig, state: ContainerState): object {
  if (!isRunning(state) || config.networks.length === 0) return {};
  const published = publishedPorts(root, config.id);
  const exposed = config.host.exposedPorts.map((name): [string, null] => [name, null]);
  return { ...Object.fromEntries(exposed), ...byName(published) };
}

/** HostConfig.PortBindings: as asked for. */
export function describeBindings({ host }: ContainerConfig): object {
  return byName(host.portBindings);
}

function byName(ports: readonly (PortBinding | PublishedPort)[]): object {
  const names = [...new Set(ports.map(portName))].sort();
  return Object.fromEntries(
    names.map((name) => [name, ports.filter((port) => portName(port) === name).map(describeHostPort)]),
  );
}

function describeHostPort({ hostIp, hostPort }: PortBinding | PublishedPort): object {
  return { HostIp: hostIp, HostPort: String(hostPort) };
}

/** The PORTS column of `ps`: "0.0.0.0:8080->80/tcp, 443/tcp", neighbours together. */
export function portsText(root: Root, config: ContainerConfig, state: ContainerState): string {
  if (!isRunning(state) || config.networks.length === 0) return '';
  const published = config.host.portBindings.length > 0 ? publishedPorts(root, config.id) : [];
  const names = new Set(published.map(portName));
  const exposed = config.host.exposedPorts.filter((name) => !names.has(name)).map(exposedPort);
  return grouped([...published, ...exposed].sort(byPort)).join(', ');
}

/** A port as it is listed; one that is only exposed has no host's. */
type ListedPort = Pick<PublishedPort, 'port' | 'protocol'> & Partial<PublishedPort>;

function exposedPort(name: string): ListedPort {
  const [port, protocol] = name.split('/');
  return { port: Number(port), protocol: protocol as PublishedPort['protocol'] };
}

function byPort(a: ListedPort, b: ListedPort): number {
  return (
    a.port - b.port ||
    compare(a.protocol, b.protocol) ||
    compare(a.hostIp ?? '', b.hostIp ?? '') ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Ports of one protocol and address that follow each other on both sides become one range. */
function grouped(ports: readonly ListedPort[]): string[] {
  const runs: { first: ListedPort; count: number }[] = [];
  for (const port of ports) {
    const run = runs.find(({ first, count }) => continues(first, count, port));
    if (run) run.count++;
    else runs.push({ first: port, count: 1 });
  }
  return runs.map(({ first, count }) => rangeText(first, count));
}

function continues(first: ListedPort, count: number, next: ListedPort): boolean {
  return (
    next.protocol === first.protocol &&
    next.hostIp === first.hostIp &&
    next.port === first.port + count &&
    (first.hostPort === undefined || next.hostPort === first.hostPort + count)
  );
}

function rangeText({ port, protocol, hostIp, hostPort }: ListedPort, count: number): string {
  const span = (first: number) => (count > 1 ? `${first}-${first + count - 1}` : String(first));
  const own = `${span(port)}/${protocol}`;
  return hostPort === undefined ? own : `${hostPortText(hostIp!, span(hostPort))}->${own}`;
}
