// SPDX-License-Identifier: Apache-2.0
// From what -p, -P and --expose ask for to the ports that a container's keeper takes.
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

/** USAGE for more ports than a container can have. */
export function planPorts(
  { publish, publishAll, expose }: Pick<ContainerOptions, 'publish' | 'publishAll' | 'expose'>,
  image: Pick<ProcessConfig, 'ExposedPorts'>,
): PortPlan {
  const bound = publish.map(portName);
  const exposed = [
    ...new Set([...Object.keys(image.ExposedPorts ?? {}).map(withProtocol), ...expose, ...bound]),
  ];
  const others = publishAll ? exposed.filter((name) => !bound.includes(name)).flatMap(anyHostPort) : [];
  const bindings = [...publish, ...others];
  if (bindings.length <= MOST_PORTS) return { exposed, bindings };
  throw new HrunError('USAGE', `${bindings.length} ports are too many`, {
    hint: `a container can publish ${MOST_PORTS}`,
  });
}

/** The ports' part of vm.json: none without a network that leads outside, as under Docker. */
export function vmPorts(
  root: Root,
  bindings: readonly PortBinding[],
  networks: readonly ContainerNetwork[],
): VmPorts | undefined {
  const network = networks.find(({ internal }) => !internal);
  if (!network || bindings.length === 0) return undefined;
  return {
    ...(network.network !== USER_NETWORK && { table: firewallTable(root) }),
    publish: bindings.map(({ protocol, port, hostIp, hostPort }) => {
      const [first, last = first] = hostPort === '' ? [0] : hostPort.split('-').map(Number);
      const { address } = network;
      return {
        protocol,
        port,
        host: hostIp || '0.0.0.0',
        firstHostPort: first!,
        lastHostPort: last!,
        address,
      };
    }),
  };
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
