// SPDX-License-Identifier: Apache-2.0
import type {
  DeviceRate,
  DeviceRates,
  LogAttributeOption,
  LogOptions,
  NetworkRates,
  PortBinding,
  RestartPolicy,
  StandardStream,
} from '../container/index.ts';
import type { Rlimit, TerminalSize } from '../guest/index.ts';
import type { EgressPolicy } from '../network/index.ts';
import type { Platform } from '../oci/index.ts';
import type { EngineName, HeadStart } from '../vm/index.ts';

export { ENGINE_NAMES } from '../vm/index.ts';
export type {
  DeviceRate,
  DeviceRates,
  EgressPolicy,
  EngineName,
  LogAttributeOption,
  LogOptions,
  NetworkRates,
  PortBinding,
  RestartPolicy,
  Rlimit,
  StandardStream,
  TerminalSize,
};

/** What -v and --mount ask for. */
export interface MountRequest {
  type: 'bind' | 'volume' | 'tmpfs';
  /** absolute path on the host, or name of a volume; empty for an anonymous volume and a tmpfs */
  source: string;
  /** absolute, normal path in the container, never "/" */
  target: string;
  readOnly: boolean;
  /** third part of -v */
  mode: string;
  copy: boolean;
  createSource: boolean;
  /** the container may see a change of the host's up to a second late */
  cached: boolean;
  /** of a tmpfs, as mount(8) writes them */
  options: string;
  /** of a volume that is made */
  labels: Readonly<Record<string, string>>;
  driverOptions: Readonly<Record<string, string>>;
  /** the text of -v; undefined for --mount */
  spec: string | undefined;
}

/** Another container whose mounts are wanted too; `readOnly` undefined leaves each as it is there. */
export interface VolumesFrom {
  container: string;
  readOnly: boolean | undefined;
}

/** A tmpfs to mount: `options` as mount(8) writes them, empty for the defaults. */
export interface TmpfsMount {
  target: string;
  options: string;
}

/** A network that --network asks for. */
export interface NetworkRequest {
  /** name or id; undefined for the default */
  network: string | undefined;
  ip: string | undefined;
  ip6: string | undefined;
  macAddress: string | undefined;
  /** more names in it */
  aliases: readonly string[];
}

/** How a container is to be probed: times in nanoseconds, 0 leaves it to the image. */
export interface ProbeOptions {
  /** as an image has it: CMD-SHELL and a line */
  test: readonly string[] | undefined;
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  retries: number;
}

export type HealthOptions = 'none' | ProbeOptions;

/** What a user asks of a container, whatever the front end; undefined leaves it to the image or the default. */
export interface ContainerOptions {
  /** name, digest or id */
  image: string;
  /** replaces the image's Cmd when not empty */
  command: readonly string[];
  /** replaces the image's Entrypoint; empty for none at all */
  entrypoint: readonly string[] | undefined;
  name: string | undefined;
  platform: Platform | undefined;
  pull: 'always' | 'missing' | 'never';
  engine: EngineName;
  tty: boolean;
  /** standard input stays open for clients */
  stdin: boolean;
  /** which of its streams the user joins; undefined for both outputs, and the input if it stays open */
  attach: readonly StandardStream[] | undefined;
  terminalSize: TerminalSize | undefined;
  autoRemove: boolean;
  /** it is to stay although nobody starts it now */
  awaitsStart: boolean;
  /** a machine that was started for it, which it takes or lets go */
  headStart?: HeadStart | undefined;
  /** NAME=value, or NAME to take it out of the image's */
  env: readonly string[];
  workingDir: string | undefined;
  user: string | undefined;
  groups: readonly string[];
  hostname: string | undefined;
  domainname: string;
  /** HOST:IP */
  extraHosts: readonly string[];
  /** empty for the default; the first one's gateway is the container's */
  networks: readonly NetworkRequest[];
  publish: readonly PortBinding[];
  /** every exposed port that `publish` does not name */
  publishAll: boolean;
  /** "80/tcp" */
  expose: readonly string[];
  dns: { servers: readonly string[]; search: readonly string[]; options: readonly string[] };
  init: boolean;
  /** bytes */
  memory: number | undefined;
  /** bytes of memory and swap together; -1 is any */
  memorySwap: number | undefined;
  cpus: number | undefined;
  /** microseconds of CPU time in each period; -1 is any */
  cpuQuota: number | undefined;
  /** microseconds */
  cpuPeriod: number | undefined;
  /** of CPU time when it is short; 1024 is what others have */
  cpuShares: number | undefined;
  /** CPUs that an update can give the running VM */
  maxCpus: number | undefined;
  /** CPUs of the host, as cpuset(7) lists them */
  cpusetCpus: string | undefined;
  deviceRates: DeviceRates;
  networkRates: NetworkRates | undefined;
  /** all that it may reach beyond its networks; undefined for everything */
  egress: EgressPolicy | undefined;
  pidsLimit: number | undefined;
  readOnly: boolean;
  tmpfs: readonly TmpfsMount[];
  mounts: readonly MountRequest[];
  volumesFrom: readonly VolumesFrom[];
  /** bytes of /dev/shm */
  shmSize: number | undefined;
  rlimits: readonly Rlimit[];
  sysctls: ReadonlyMap<string, string>;
  capAdd: readonly string[];
  capDrop: readonly string[];
  privileged: boolean;
  noNewPrivileges: boolean;
  /** no masked and no read-only paths under /proc and /sys */
  unconfinedPaths: boolean;
  stopSignal: string | undefined;
  /** seconds; -1 is for ever */
  stopTimeout: number | undefined;
  /** as given, for `inspect` */
  securityOptions: readonly string[];
  health: HealthOptions | undefined;
  restart: RestartPolicy;
  log: LogOptions;
  /** bytes of the writable disk */
  diskSize: number | undefined;
  labels: Readonly<Record<string, string>>;
}
