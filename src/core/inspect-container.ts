// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Root } from '../base/root.ts';
import {
  type ContainerConfig,
  type ContainerHealth,
  type ContainerMount,
  type ContainerNetwork,
  type ContainerState,
  type DeviceRate,
  type HostOptions,
  type LogOptions,
  readContainerConfig,
  readHealth,
  type Ulimit,
} from '../container/index.ts';
import { servesNames } from '../network/index.ts';
import { containerSizes } from './container-size.ts';
import { describeHealthcheck } from './healthcheck.ts';
import { describeBindings, describePorts } from './list-ports.ts';
import { namesIn } from './network-membership.ts';
import { isRunning, type KnownContainer, openContainer } from './open-container.ts';
import { signalName } from './signal-number.ts';
import { settleUpdate } from './update-container.ts';

const NEVER = '0001-01-01T00:00:00Z';
const NANO = 1e9;

/** The container as `docker container inspect` shows it; what has no meaning for a VM of its own is left out. */
export async function inspectContainer(
  root: Root,
  text: string,
  options: { size?: boolean } = {},
): Promise<object> {
  const known = await openContainer(root, text);
  const { id, directory, state } = known;
  const config = await settledConfig(root, known);
  const health = readHealth(directory, config, state);
  const [size] = options.size ? await containerSizes(root, [config]) : [];
  const [path, ...args] = config.process.args;
  return {
    Id: id,
    Created: config.created,
    Path: path,
    Args: args,
    State: { ...describeState(state), ...(health && { Health: describeHealth(health) }) },
    Image: config.imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: config.host.log.driver === 'json-file' ? join(directory, 'container.log') : '',
    Name: `/${config.name}`,
    RestartCount: state.restartCount ?? 0,
    Driver: 'erofs',
    Platform: 'linux',
    Runtime: 'hrun',
    GraphDriver: { Name: 'erofs', Data: {} },
    ...(size && { SizeRw: size.rw, SizeRootFs: size.rootFs }),
    HostConfig: describeHost(config),
    Mounts: config.mounts.map(describeMount),
    Config: describeConfig(config),
    NetworkSettings: {
      Ports: describePorts(root, config, state),
      ...describeNetworks(config, isRunning(state)),
    },
  };
}

/** An update that was killed half-way is settled first: what is shown is in force. */
async function settledConfig(root: Root, container: KnownContainer): Promise<ContainerConfig> {
  if (!container.config.unfinishedUpdate) return container.config;
  await settleUpdate(root, container);
  return readContainerConfig(container.directory);
}

function describeState(state: ContainerState): object {
  const { status, exitCode, error, startedAt, finishedAt, vmmPid, oomKilled } = state;
  return {
    Status: status === 'starting' ? 'created' : status,
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: oomKilled,
    Dead: false,
    /** of the VM, on the host */
    Pid: vmmPid,
    ExitCode: exitCode,
    Error: error?.message ?? '',
    StartedAt: startedAt || NEVER,
    FinishedAt: finishedAt || NEVER,
  };
}

function describeHealth({ status, failingStreak, log }: ContainerHealth): object {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function describeHost(config: ContainerConfig): object {
  const { host, process, resources, autoRemove } = config;
  const { log, restart } = host;
  return {
    Binds: orNull(host.binds),
    LogConfig: { Type: log.driver, Config: logConfig(log) },
    NetworkMode: host.network,
    PortBindings: describeBindings(config),
    PublishAllPorts: config.host.publishAllPorts,
    RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries },
    AutoRemove: autoRemove,
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    Dns: host.dns?.servers ?? [],
    DnsOptions: host.dns?.options ?? [],
    DnsSearch: host.dns?.search ?? [],
    ExtraHosts: orNull(host.extraHosts),
    VolumesFrom: orNull(host.volumesFrom),
    GroupAdd: orNull(process.groups),
    Privileged: host.privileged,
    ReadonlyRootfs: host.readOnlyRoot,
    SecurityOpt: orNull(host.securityOptions),
    StorageOpt: { size: String(host.diskSize) },
    Tmpfs: host.tmpfs,
    ShmSize: host.shmSize,
    Sysctls: host.sysctls,
    Runtime: 'hrun',
    Isolation: 'vm',
    Memory: host.memory,
    MemorySwap: host.memorySwap,
    CpuShares: host.cpuShares,
    CpuPeriod: host.cpuPeriod,
    CpuQuota: host.cpuQuota,
    CpusetCpus: host.cpusetCpus,
    BlkioDeviceReadBps: describeRates(host.deviceRates.readBps),
    BlkioDeviceWriteBps: describeRates(host.deviceRates.writeBps),
    BlkioDeviceReadIOps: describeRates(host.deviceRates.readIops),
    BlkioDeviceWriteIOps: describeRates(host.deviceRates.writeIops),
    NetworkBps: { In: host.networkRates.in, Out: host.networkRates.out },
    Egress: host.egress ? describeEgress(host.egress) : null,
    NanoCpus: Math.round(host.cpus * NANO),
    PidsLimit: host.pidsLimit || null,
    Ulimits: process.ulimits.map(describeUlimit),
    Init: host.init,
    /** of the VM: every container has one, with or without -m and --cpus */
    VirtualMachine: { MemoryMiB: resources.memoryMiB, CPUs: resources.vcpus },
  };
}

function describeConfig(config: ContainerConfig): object {
  const { hostname, domainname, process, image, labels, host, healthcheck } = config;
  const { attach = process.stdin ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr'] } = process;
  return {
    Hostname: hostname,
    Domainname: domainname,
    User: process.user,
    AttachStdin: attach.includes('stdin'),
    AttachStdout: attach.includes('stdout'),
    AttachStderr: attach.includes('stderr'),
    ...(host.exposedPorts.length > 0 && {
      ExposedPorts: Object.fromEntries(host.exposedPorts.map((name) => [name, {}])),
    }),
    Tty: process.tty,
    OpenStdin: process.stdin,
    StdinOnce: process.stdin && attach.includes('stdin'),
    Env: process.env,
    Cmd: process.cmd,
    Image: image,
    Volumes: host.volumes.length ? Object.fromEntries(host.volumes.map((path) => [path, {}])) : null,
    WorkingDir: process.cwd,
    Entrypoint: process.entrypoint.length > 0 ? process.entrypoint : null,
    Labels: labels,
    ...(healthcheck && { Healthcheck: describeHealthcheck(healthcheck) }),
    StopSignal: signalName(process.stopSignal),
    ...(process.stopTimeout !== undefined && { StopTimeout: process.stopTimeout }),
  };
}

function describeMount({ type, name, source, target, mode, readOnly }: ContainerMount): object {
  return {
    Type: type,
    ...(type === 'volume' && { Name: name }),
    Source: source,
    Destination: target,
    ...(type === 'volume' && { Driver: 'local' }),
    Mode: mode,
    RW: !readOnly,
    Propagation: type === 'bind' ? 'rprivate' : '',
  };
}

/** CNI plug-ins give a container something while it runs. */
function describeNetworks(config: ContainerConfig, running: boolean): object {
  const { cni } = config.host;
  const networks = cni && !running ? [] : config.networks;
  const without = cni?.network ?? 'none';
  const [first] = networks;
  return {
    IPAddress: first?.address ?? '',
    IPPrefixLen: first?.prefix ?? 0,
    Gateway: first?.gateway ?? '',
    ...describeIPv6(first ?? {}),
    MacAddress: first?.mac ?? '',
    Networks:
      networks.length === 0 && config.host.network === without
        ? { [without]: NO_NETWORK }
        : Object.fromEntries(networks.map((each) => [each.network, describeNetwork(config, each)])),
  };
}

/** Docker has a network of this name that leads nowhere. */
const NO_NETWORK = {
  ...{ Aliases: null, DNSNames: null, NetworkID: '', Gateway: '', IPAddress: '', IPPrefixLen: 0 },
  ...{ IPv6Gateway: '', GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0, MacAddress: '' },
};

function describeNetwork(config: ContainerConfig, network: ContainerNetwork): object {
  const { networkId, gateway, address, prefix, mac, aliases = [] } = network;
  return {
    Aliases: orNull(aliases),
    DNSNames: servesNames({ name: network.network }) ? namesIn(config, network) : null,
    NetworkID: networkId,
    Gateway: gateway,
    IPAddress: address,
    IPPrefixLen: prefix,
    ...describeIPv6(network),
    MacAddress: mac,
  };
}

function describeIPv6({ ipv6 }: Partial<ContainerNetwork>): object {
  return {
    IPv6Gateway: ipv6?.gateway ?? '',
    GlobalIPv6Address: ipv6?.address ?? '',
    GlobalIPv6PrefixLen: ipv6?.prefix ?? 0,
  };
}

function logConfig({ maxBytes, maxFiles, attributes }: LogOptions): Record<string, string> {
  const sizes = maxBytes === 0 ? {} : { 'max-size': String(maxBytes), 'max-file': String(maxFiles) };
  return { ...sizes, ...attributes };
}

function describeRates(rates: readonly DeviceRate[]): object[] {
  return rates.map(({ path, rate }) => ({ Path: path, Rate: rate }));
}

function describeUlimit({ name, soft, hard }: Ulimit): object {
  return { Name: name, Soft: soft, Hard: hard };
}

/** As --egress has it. */
function describeEgress({ subnets, names }: NonNullable<HostOptions['egress']>): string[] {
  const allowed = [...subnets, ...names].map((target) => `allow=${target}`);
  return allowed.length > 0 ? allowed : ['none'];
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length > 0 ? list : null;
}
