// SPDX-License-Identifier: Apache-2.0
import {
  type ContainerConfig,
  type ContainerMount,
  type ContainerNetwork,
  type Healthcheck,
  type HostOptions,
  type StandardStream,
  WRITABLE_DISK_BYTES,
} from '../container/index.ts';
import type { Image } from '../image/index.ts';
import { capabilityMask } from './capabilities.ts';
import { cniSettings } from './cni.ts';
import type { ContainerOptions, VolumesFrom } from './container-options.ts';
import { SHM_BYTES } from './guest-config.ts';
import type { ContainerProcess } from './process-config.ts';
import type { PortPlan } from './publish.ts';
import { toUlimit } from './rlimits.ts';
import { type SharedMachine, sharedNetworkMode } from './shared-machine.ts';

/** What is known of a new container besides its options. */
export interface ContainerFacts {
  id: string;
  name: string;
  hostname: string;
  process: ContainerProcess;
  image: Image;
  vcpus: number;
  memoryMiB: number;
  mounts: readonly ContainerMount[];
  networks: readonly ContainerNetwork[];
  machine: SharedMachine | undefined;
  ports: PortPlan;
  healthcheck: Healthcheck | undefined;
}

/** config.json of a new container. */
export function newContainerConfig(options: ContainerOptions, facts: ContainerFacts): ContainerConfig {
  const { id, name, hostname, image, memoryMiB, vcpus, healthcheck } = facts;
  return {
    version: 1,
    ...{ id, name, hostname },
    created: new Date().toISOString(),
    image: options.image,
    imageDigest: image.descriptor.digest,
    imageId: image.id,
    process: processOf(options, facts.process),
    domainname: facts.machine?.domainname ?? options.domainname,
    labels: { ...image.config.config?.Labels, ...options.labels },
    resources: { memoryMiB, vcpus },
    mounts: facts.mounts.map(asStored),
    networks: [...facts.networks],
    autoRemove: options.autoRemove,
    awaitsStart: options.awaitsStart,
    ...(healthcheck && { healthcheck }),
    host: hostOptions(options, facts),
  };
}

function processOf(options: ContainerOptions, process: ContainerProcess): ContainerConfig['process'] {
  const { tty, stdin, stopTimeout, noNewPrivileges } = options;
  const capabilities = capabilityMask(options.capAdd, options.capDrop, options.privileged).toString(16);
  const ulimits = options.rlimits.map(toUlimit);
  return {
    ...process,
    tty,
    stdin,
    attach: [
      ...(options.attach ?? (stdin ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr'])),
    ] as StandardStream[],
    stopTimeout,
    noNewPrivileges,
    capabilities,
    groups: [...options.groups],
    ulimits,
  };
}

/** Without what making it needed. */
function asStored(mount: ContainerMount): ContainerMount {
  const { type, name, source, target, readOnly, mode, copy, createSource, cached, disk, options } = mount;
  return {
    ...{ type, name, source, target, readOnly, mode, copy, createSource, disk, options },
    ...(cached && { cached }),
  };
}

function volumesFromText({ container, readOnly }: VolumesFrom): string {
  return readOnly === undefined ? container : `${container}:${readOnly ? 'ro' : 'rw'}`;
}

/** Paths of volumes without a name: the image's and those of -v. */
function anonymousTargets({ mounts }: ContainerOptions, image: Image): string[] {
  const given = mounts.filter(({ type, source, spec }) => type === 'volume' && !source && spec !== undefined);
  const ofImage = Object.keys(image.config.config?.Volumes ?? {});
  return [...new Set([...ofImage, ...given.map(({ target }) => target)])];
}

function hostOptions(
  options: ContainerOptions,
  { image, networks, ports, machine }: ContainerFacts,
): HostOptions {
  const { servers, search, options: resolver } = options.dns;
  const cni = cniSettings(options);
  return {
    network: machine ? sharedNetworkMode(machine.id) : (cni?.network ?? networks[0]?.network ?? 'none'),
    ...(cni && { cni }),
    portBindings: ports.bindings,
    publishAllPorts: options.publishAll,
    exposedPorts: ports.exposed,
    dns: { servers: [...servers], search: [...search], options: [...resolver] },
    restart: options.restart,
    log: options.log,
    capAdd: [...options.capAdd],
    capDrop: [...options.capDrop],
    privileged: options.privileged,
    readOnlyRoot: options.readOnly,
    init: options.init,
    tmpfs: Object.fromEntries(options.tmpfs.map(({ target, options: mount }) => [target, mount])),
    binds: options.mounts.flatMap(({ spec, source }) => (spec !== undefined && source ? [spec] : [])),
    volumesFrom: options.volumesFrom.map(volumesFromText),
    volumes: anonymousTargets(options, image),
    shmSize: options.shmSize ?? SHM_BYTES,
    sysctls: Object.fromEntries(options.sysctls),
    memory: options.memory ?? 0,
    memorySwap: options.memorySwap ?? 0,
    cpus: options.cpus ?? 0,
    cpuQuota: options.cpuQuota ?? 0,
    cpuPeriod: options.cpuPeriod ?? 0,
    cpuShares: options.cpuShares ?? 0,
    maxCpus: options.maxCpus ?? 0,
    cpusetCpus: options.cpusetCpus ?? '',
    deviceRates: options.deviceRates,
    networkRates: options.networkRates ?? { in: 0, out: 0 },
    ...(options.egress && {
      egress: { subnets: [...options.egress.subnets], names: [...options.egress.names] },
    }),
    pidsLimit: options.pidsLimit ?? 0,
    extraHosts: [...options.extraHosts],
    securityOptions: [...options.securityOptions],
    diskSize: options.diskSize ?? WRITABLE_DISK_BYTES,
  };
}
