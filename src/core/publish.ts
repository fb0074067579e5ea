// SPDX-License-Identifier: Apache-2.0
// From what -p, -P and --expose ask for to the ports that a container's keeper takes.
import { isIPv6 } from 'node:net';
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import type { ContainerNetwork, PortBinding } from '../container/index.ts';
import { firewallTable, USER_NETWORK } from '../network/index.ts';
import type { ProcessConfig } from '../oci/index.ts';
import type { VmPorts } from '../vm/index.ts';
import type { ContainerOptions } from './container-options.ts';

/** Ports that a container says it serves, and which of them are to be reached by the host's. */
export interface PortPlan {
  /** "80/tcp" */
  exposed: string[];
  bindings: PortBinding[];
}

/** as kMaxPortMappings of native/net/port_map.h */
const MOST_PORTS = 1024;
const EXPOSED = /^(\d{1,5})\/(tcp|udp)$/;

/** USAGE for more ports than a container can have, or one of IPv6 that its networks cannot lead to it. */
export function planPorts(
  { publish, publishAll, expose }: Pick<ContainerOptions, 'publish' | 'publishAll' | 'expose'>,
  image: Pick<ProcessConfig, 'ExposedPorts'>,
  networks: readonly ContainerNetwork[],
): PortPlan {
  const bound = publish.map(portName);
  const exposed = [
    ...new Set([...Object.keys(image.ExposedPorts ?? {}).map(withProtocol), ...expose, ...bound]),
  ];
  const others = publishAll ? exposed.filter((name) => !bound.includes(name)).flatMap(anyHostPort) : [];
  const bindings = [...publish, ...others];
  checkIPv6(bindings, publishing(networks));
  if (bindings.length <= MOST_PORTS) return { exposed, bindings };
  throw new HrunError('USAGE', `${bindings.length} ports are too many`, {
    hint: `a container can publish ${MOST_PORTS}`,
  });
}

/** The ports' part of vm.json: without a network that leads outside they lead nowhere, as under Docker, until the container has one. */
export function vmPorts(
  root: Root,
  bindings: readonly PortBinding[],
  networks: readonly ContainerNetwork[],
): VmPorts | undefined {
  const network = publishing(networks);
  const wanted = network?.cni ? network.cni.ports : bindings;
  if (wanted.length === 0) return undefined;
  return {
    ...(network?.cni ? { held: true } : network?.network !== USER_NETWORK && { table: firewallTable(root) }),
    publish: wanted.map((binding) => vmPort(binding, network)),
  };
}

/** Without an address of the host, all of them: those of IPv6 too where the container has that. */
function vmPort(
  { protocol, port, hostIp, hostPort }: PortBinding,
  network: ContainerNetwork | undefined,
): VmPorts['publish'][number] {
  const [first, last = first] = hostPort === '' ? [0] : hostPort.split('-').map(Number);
  const six = isIPv6(hostIp) || network?.address === '';
  const address = six ? network?.ipv6?.address : network?.address;
  return {
    ...{
      protocol,
      port,
      host: hostIp || (six ? '::' : '0.0.0.0'),
      firstHostPort: first!,
      lastHostPort: last!,
    },
    ...(address !== undefined && { address }),
    ...(hostIp === '' && !six && network?.ipv6 && { address6: network.ipv6.address }),
  };
}

/** The network that ports are published in: the first that leads outside. */
function publishing(networks: readonly ContainerNetwork[]): ContainerNetwork | undefined {
  return networks.find(({ internal }) => !internal);
}

/** USAGE for an IPv6 address of the host that leads to a container without any. */
export function checkIPv6(bindings: readonly PortBinding[], network: ContainerNetwork | undefined): void {
  const wrong = bindings.find(({ hostIp }) => isIPv6(hostIp));
  if (!wrong || !network || network.ipv6) return;
  throw new HrunError(
    'USAGE',
    `ports cannot be published on the IPv6 address ${wrong.hostIp}: network ${network.network} has no IPv6`,
    { hint: 'make one that has: hrun network create --ipv6' },
  );
}

/** "80/tcp" */
export function portName({ port, protocol }: { port: number; protocol: string }): string {
  return `${port}/${protocol}`;
}

/** An image may name a port without its protocol. */
function withProtocol(name: string): string {
  return name.includes('/') ? name.toLowerCase() : `${name}/tcp`;
}

/** What is no TCP or UDP port cannot be published. */
function anyHostPort(name: string): PortBinding[] {
  const [, port, protocol] = EXPOSED.exec(name) ?? [];
  if (protocol !== 'tcp' && protocol !== 'udp') return [];
  return [{ protocol, port: Number(port), hostIp: '', hostPort: '' }];
}
