// SPDX-License-Identifier: Apache-2.0
import { writeFileAtomic } from '../base/atomic-file.ts';
import { HrunError } from '../base/errors.ts';
import { readRegularFile } from '../base/regular-file.ts';
import { settingsPath } from '../base/settings.ts';

/** config.json of a container's directory: the container as its user asked for it. */
export interface ContainerConfig {
  version: 1;
  id: string;
  name: string;
  /** RFC 3339, UTC */
  created: string;
  /** the image as the user wrote it */
  image: string;
  /** digest of the image's manifest: the store keeps that image while the container is there */
  imageDigest: string;
  /** digest of the image's config */
  imageId: string;
  process: {
    /** the image's or the user's; `args` is both together */
    entrypoint: string[];
    cmd: string[];
    args: string[];
    env: string[];
    cwd: string;
    user: string;
    tty: boolean;
    stdin: boolean;
    /** streams that its user had attached when it was made, for `inspect`; undefined for containers that are older than this */
    attach?: StandardStream[];
    stopSignal: number;
    /** seconds from the stop signal to SIGKILL; undefined is the default */
    stopTimeout: number | undefined;
    /** mask of Linux capability numbers, hexadecimal */
    capabilities: string;
    noNewPrivileges: boolean;
    /** supplementary groups, names or numbers */
    groups: string[];
    ulimits: Ulimit[];
  };
  hostname: string;
  domainname: string;
  labels: Record<string, string>;
  resources: { memoryMiB: number; vcpus: number };
  /** what is mounted besides the image and --tmpfs, in no order */
  mounts: ContainerMount[];
  /** its network interfaces, in the order in which they were connected */
  networks: ContainerNetwork[];
  /** --rm */
  autoRemove: boolean;
  /** made by `hrun create`: it stays although it was never started */
  awaitsStart: boolean;
  /** how it is probed; undefined when neither image nor user says anything */
  healthcheck?: Healthcheck;
  /** what somebody was about to change: it may be in force or not */
  unfinishedUpdate?: Partial<ContainerUpdate>;
  host: HostOptions;
}

export type StandardStream = 'stdin' | 'stdout' | 'stderr';

/** What is to be different; undefined stays. */
export interface ContainerUpdate {
  /** bytes */
  memory: number | undefined;
  /** bytes of memory and swap together; -1 is any */
  memorySwap: number | undefined;
  cpus: number | undefined;
  /** microseconds, as of CpuTime */
  cpuQuota: number | undefined;
  cpuPeriod: number | undefined;
  /** of CPU time when it is short; 0 is the default */
  cpuShares: number | undefined;
  /** CPUs of the host, as cpuset(7) lists them */
  cpusetCpus: string | undefined;
  /** 0 is no limit */
  pidsLimit: number | undefined;
  networkRates: NetworkRates | undefined;
  restart: RestartPolicy | undefined;
}

/** Docker's HEALTHCHECK: times in nanoseconds, 0 for the default. */
export interface Healthcheck {
  /** `CMD` and a command, `CMD-SHELL` and a line for the shell, or `NONE`; empty is none too */
  test: string[];
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  /** failures in a row that make it unhealthy; 0 for the default */
  retries: number;
}

/** True when there is something to probe with. */
export function isProbed(healthcheck: Healthcheck | undefined): boolean {
  const [kind, command] = healthcheck?.test ?? [];
  return (kind === 'CMD' || kind === 'CMD-SHELL') && command !== undefined;
}

/** A container's interface in a network. */
export interface ContainerNetwork {
  /** name and id of the network */
  network: string;
  networkId: string;
  /** in the container */
  interface: string;
  /** virtio-mmio slot */
  slot: number;
  /** of its default route: the lowest has the packets */
  metric: number;
  mac: string;
  /** IPv4; it is the container's until it is removed */
  address: string;
  prefix: number;
  /** the host's address in the network */
  gateway: string;
  /** its IPv6, in a network that has it: as long the container's */
  ipv6?: { address: string; prefix: number; gateway: string };
  /** the gateway leads nowhere else */
  internal: boolean;
  /** bytes */
  mtu: number;
  /** more names of the container in it */
  aliases?: string[];
  /** of a network that CNI plug-ins make, in the last run of the container */
  cni?: CniNetwork;
  /** interfaces of the host */
  bridge: string;
  tap: string;
}

/** Its addresses in a network, of both families. */
export function addressesOf({ address, ipv6, cni }: ContainerNetwork): string[] {
  if (cni) return cni.addresses.map((held) => held.address);
  return ipv6 ? [address, ipv6.address] : [address];
}

/** What a container asks of a CNI network. */
export interface CniSettings {
  /** "cni:" and the name of a list */
  network: string;
  ip?: string;
  ip6?: string;
  mac?: string;
}

/** What CNI plug-ins gave a container beyond what any interface has. */
export interface CniNetwork {
  /** path of the network namespace that they made the interface in */
  namespace: string;
  /** of both families; `apart`: no route to its network comes with it */
  addresses: { address: string; prefix: number; apart?: boolean }[];
  /** besides those; `gateway` undefined: reached directly */
  routes: { address: string; prefix: number; gateway?: string; onLink?: boolean; metric: number }[];
  dns: { servers: string[]; search: string[]; options: string[] };
  /** with the host's ports that were chosen */
  ports: PortBinding[];
}

/** A resource limit by its name in setrlimit(2), lower case, without RLIMIT_; -1 is unlimited. */
export interface Ulimit {
  name: string;
  soft: number;
  hard: number;
}

/** A directory or file of the host, a volume or a tmpfs, in the container. */
export interface ContainerMount {
  type: 'bind' | 'volume' | 'tmpfs';
  /** of a volume; else empty */
  name: string;
  /** path on the host; empty for a tmpfs */
  source: string;
  /** path in the container */
  target: string;
  readOnly: boolean;
  /** as given to -v, for `inspect` */
  mode: string;
  /** the volume is filled from the image while it is empty */
  copy: boolean;
  /** a missing source becomes a directory */
  createSource: boolean;
  /** what changes on the host may be seen up to a second late */
  cached?: boolean;
  /** the volume is an ext4 disk, for one VM at a time; else a directory of the host */
  disk: boolean;
  /** of a tmpfs, as mount(8) writes them */
  options: string;
}

/** A port of the container that is to be reached by one of the host's. */
export interface PortBinding {
  protocol: 'tcp' | 'udp';
  port: number;
  /** empty for every address of the host */
  hostIp: string;
  /** "8080", "8000-8010" for one of these, empty for any */
  hostPort: string;
}

/** What the user asked for around the process, as far as it is not in the image: for `inspect`. */
export interface HostOptions extends CpuTime {
  /** "none", the name of a network, "cni:" and the name of a list, or "container:" and the id of the one whose machine it shares */
  network: string;
  /** of a network that CNI plug-ins make */
  cni?: CniSettings;
  portBindings: PortBinding[];
  publishAllPorts: boolean;
  /** "80/tcp": the image's and the user's */
  exposedPorts: string[];
  dns?: { servers: string[]; search: string[]; options: string[] };
  restart: RestartPolicy;
  log: LogOptions;
  capAdd: string[];
  capDrop: string[];
  privileged: boolean;
  readOnlyRoot: boolean;
  init: boolean;
  /** options of mount(8) by path in the container */
  tmpfs: Record<string, string>;
  /** -v of a named volume or a path of the host, as given */
  binds: string[];
  /** --volumes-from */
  volumesFrom: string[];
  /** paths of the image's and the user's anonymous volumes */
  volumes: string[];
  /** bytes */
  shmSize: number;
  sysctls: Record<string, string>;
  /** bytes; 0 is the default */
  memory: number;
  /** bytes of memory and swap together; 0 is the default, -1 any */
  memorySwap: number;
  /** what an update can give the running VM; 0 is no more than it is started with */
  maxCpus: number;
  /** of CPU time when it is short, where others have 1024; 0 is the default */
  cpuShares: number;
  /** CPUs of the host, as cpuset(7) lists them; empty for all */
  cpusetCpus: string;
  deviceRates: DeviceRates;
  networkRates: NetworkRates;
  /** all that it may reach beyond its networks; undefined for everything */
  egress?: { subnets: string[]; names: string[] };
  /** 0 is no limit */
  pidsLimit: number;
  /** HOST:IP */
  extraHosts: string[];
  securityOptions: string[];
  /** bytes of the writable disk */
  diskSize: number;
}

/** How much CPU time of the host a container gets: `cpus`, or a quota; 0 is the default. */
export interface CpuTime {
  cpus: number;
  /** microseconds in each period; -1 is any */
  cpuQuota: number;
  /** microseconds */
  cpuPeriod: number;
}

/** A block device of the host, and bytes or operations a second. */
export interface DeviceRate {
  path: string;
  rate: number;
}

export type DeviceRates = Record<'readBps' | 'writeBps' | 'readIops' | 'writeIops', DeviceRate[]>;

/** Bytes a second of each of its network interfaces, as the container sees it; 0 is no limit. */
export interface NetworkRates {
  in: number;
  out: number;
}

export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** of on-failure; 0 is as often as it takes */
  maximumRetries: number;
}

/** The container's log; `maxBytes` 0 is unlimited. */
export interface LogOptions {
  driver: 'json-file' | 'none';
  maxBytes: number;
  maxFiles: number;
  /** what of the container stands in every line: names of labels and variables, with commas between them, and patterns for names */
  attributes?: Partial<Record<LogAttributeOption, string>>;
}

export type LogAttributeOption = 'labels' | 'labels-regex' | 'env' | 'env-regex';

const CONFIG_FILE = 'config.json';

/** Of options that are younger than a container may be. */
const HOST_DEFAULTS = {
  portBindings: [],
  publishAllPorts: false,
  exposedPorts: [],
  cpuQuota: 0,
  cpuPeriod: 0,
  cpuShares: 0,
  maxCpus: 0,
  binds: [],
  volumesFrom: [],
  volumes: [],
  memorySwap: 0,
  cpusetCpus: '',
  deviceRates: { readBps: [], writeBps: [], readIops: [], writeIops: [] },
  networkRates: { in: 0, out: 0 },
} satisfies Partial<HostOptions>;

/** Reads config.json; STORE_CORRUPT when it is not one, NO_SUCH_CONTAINER when there is none. */
export function readContainerConfig(directory: string): ContainerConfig {
  const path = settingsPath(directory, CONFIG_FILE);
  try {
    const config = JSON.parse(readRegularFile(path)) as ContainerConfig;
    if (config.version === 1 && typeof config.id === 'string' && typeof config.name === 'string')
      return {
        ...config,
        mounts: config.mounts ?? [],
        networks: (config.networks ?? []).map((network, index) => ({
          ...network,
          metric: network.metric ?? index,
        })),
        host: { ...HOST_DEFAULTS, ...config.host },
      };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HrunError('STORE_CORRUPT', `${path} is damaged`, { hint: 'remove the container' });
}

/** Replaces config.json. */
export async function writeContainerConfig(directory: string, config: ContainerConfig): Promise<void> {
  await writeFileAtomic(settingsPath(directory, CONFIG_FILE), JSON.stringify(config), { mode: 0o600 });
}
