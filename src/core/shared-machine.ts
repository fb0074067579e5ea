// SPDX-License-Identifier: Apache-2.0
// --network container:NAME: the container runs in the machine of another one, with its network and host name.
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type EngineChoice, memoryMiB, readVmConfig } from '../vm/index.ts';
import type { ContainerOptions } from './container-options.ts';
import type { GuestMounts } from './guest-mounts.ts';
import { MIXED_MODES } from './join-networks.ts';
import { openContainer } from './open-container.ts';

/** The container whose machine is shared. */
export interface SharedMachine {
  id: string;
  name: string;
  directory: string;
  hostname: string;
  domainname: string;
  memoryMiB: number;
  vcpus: number;
  choice: EngineChoice;
  /** bytes; undefined: as much as the machine has */
  memoryBytes: number | undefined;
}

const PREFIX = 'container:';
const MIB = 1024 * 1024;
/** Of the slots that the machine's own disks and networks leave: a container with more layers gets its lowest merged. */
const MOST_LAYERS = 6;

/** NetworkMode of a container that shares the machine of the one with this id. */
export function sharedNetworkMode(id: string): string {
  return `${PREFIX}${id}`;
}

export function sharesMachine({ network }: { network: string }): boolean {
  return network.startsWith(PREFIX);
}

/**
 * The container whose machine the options ask for; undefined when they ask for one of its own. USAGE for what only a container with a
 * machine of its own can have, UNSUPPORTED, NO_SUCH_CONTAINER.
 */
export async function sharedMachine(
  root: Root,
  options: ContainerOptions,
): Promise<SharedMachine | undefined> {
  const asked = options.networks.find(({ network }) => network?.startsWith(PREFIX));
  if (!asked) return undefined;
  const text = asked.network!.slice(PREFIX.length);
  if (text === '') throw new HrunError('USAGE', 'invalid container format container:<name|id>');
  if (options.networks.length > 1) throw new HrunError('USAGE', MIXED_MODES, { hint: 'name it alone' });
  checkOptions(options);
  const { id, name, directory, config } = await openContainer(root, text);
  if (sharesMachine(config.host)) {
    throw new HrunError('USAGE', `${name} shares the network of another container itself`, {
      hint: `use --network ${config.host.network}`,
    });
  }
  const vm = readVmConfig(directory);
  if (vm.engine !== 'qemu' || options.engine === 'kvm') {
    throw new HrunError(
      'UNSUPPORTED',
      `the machine of ${name} cannot be shared: the kvm engine takes no disks while it runs`,
      {
        hint: 'run both with --engine qemu',
      },
    );
  }
  const { hostname, domainname, resources } = config;
  return {
    ...{ id, name, directory, hostname, domainname },
    memoryMiB: resources.memoryMiB,
    vcpus: resources.vcpus,
    choice: { engine: { engine: vm.engine, qemu: vm.qemu }, remark: undefined },
    memoryBytes: checkMemory(options.memory, { name, memoryMiB: resources.memoryMiB }),
  };
}

/** Most layers of a container in the machine of another. */
export function layersIn(machine: SharedMachine | undefined, { layers }: GuestMounts): number {
  return machine ? Math.min(layers, MOST_LAYERS) : layers;
}

/** UNSUPPORTED for directories of the host: the machine has its virtiofs device, or none, when it starts. */
export function checkMounts({ share }: GuestMounts): void {
  if (!share) return;
  throw new HrunError(
    'UNSUPPORTED',
    `${share.paths[0]!.path} cannot be mounted: a container in the machine of another has no directories of the host`,
    { hint: 'use a volume that is a disk: hrun volume create -o size=10g' },
  );
}

/** The limit of the container's control group in the guest. USAGE for more than the machine has. */
export function checkMemory(
  memory: number | undefined,
  machine: { name: string; memoryMiB: number },
): number | undefined {
  if (memory === undefined) return undefined;
  const wanted = memoryMiB(memory);
  if (wanted > machine.memoryMiB) {
    throw new HrunError('USAGE', `--memory: the machine of ${machine.name} has ${machine.memoryMiB} MiB`, {
      hint: `give it less than that, or start ${machine.name} with more`,
    });
  }
  return wanted < machine.memoryMiB ? wanted * MIB : undefined;
}

const CPU_OPTIONS = ['cpus', 'cpuQuota', 'cpuPeriod', 'cpuShares', 'maxCpus', 'cpusetCpus'] as const;

/** Docker refuses the first ones in these words; the others belong to the machine. */
function checkOptions(options: ContainerOptions): void {
  const [first] = options.networks;
  const { dns } = options;
  const rates = Object.values(options.deviceRates).flat();
  const conflicts = Object.entries({
    'hostname and the network mode': options.hostname !== undefined,
    'domainname and the network mode': options.domainname !== '',
    'dns and the network mode': [dns.servers, dns.search, dns.options].some((list) => list.length > 0),
    'custom host-to-IP mapping and the network mode': options.extraHosts.length > 0,
    'mac-address and the network mode': first!.macAddress !== undefined,
    'port publishing and the container type network mode': options.publish.length > 0 || options.publishAll,
    'port exposing and the container type network mode': options.expose.length > 0,
    'ip and the network mode': (first!.ip ?? first!.ip6) !== undefined,
    'network-alias and the network mode': first!.aliases.length > 0,
    'network-bps and the network mode': options.networkRates !== undefined,
    'egress and the network mode': options.egress !== undefined,
    'cpus and the network mode': CPU_OPTIONS.some((each) => options[each] !== undefined),
    'memory-swap and the network mode': options.memorySwap !== undefined,
    'device rates and the network mode': rates.length > 0,
    'restart and the network mode': options.restart.name !== 'no',
  });
  const [conflict] = conflicts.find(([, given]) => given) ?? [];
  if (conflict === undefined) return;
  throw new HrunError('USAGE', `conflicting options: ${conflict}`, {
    hint: 'give it to the container whose network is shared',
  });
}
