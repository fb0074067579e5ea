// SPDX-License-Identifier: Apache-2.0
// The options of every command that makes a container: how they are declared, and what they mean.
import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import { HrunError } from '../../base/errors.ts';
import type {
  ContainerOptions,
  DeviceRates,
  EngineName,
  LogOptions,
  RestartPolicy,
  TmpfsMount,
} from '../../core/container-options.ts';
import { parsePlatform } from '../../oci/index.ts';
import { choice, collect } from '../option.ts';
import { parseAttach } from './attach.ts';
import { parseEgress } from './egress.ts';
import { engineOption } from './engine.ts';
import { parseEnvironment, readLabelFile } from './environment.ts';
import { declareHealthOptions, type HealthFlags, healthOptions } from './health.ts';
import {
  parseCpuList,
  parseCpuShares,
  parseDeviceRate,
  parseMemorySwap,
  parseMicroseconds,
} from './host-limits.ts';
import { parseLabels, parseSysctls } from './key-value.ts';
import { parseLogOptions } from './log.ts';
import { parseMount } from './mount.ts';
import { declareNamespaceOptions } from './namespaces.ts';
import { networkRequests } from './network.ts';
import { parseNetworkRates } from './network-rates.ts';
import { parseExpose, parsePublish } from './publish.ts';
import { parseBytes, parseCpus, parsePidsLimit, parseTimeout, parseWholeCpus } from './quantity.ts';
import { parseRestartPolicy } from './restart.ts';
import { parseSecurityOptions } from './security.ts';
import { parseStorageOptions } from './storage.ts';
import { parseUlimit } from './ulimit.ts';
import { parseVolume, parseVolumesFrom } from './volume.ts';

/** The options that may be given many times. */
export interface ListFlags {
  addHost: string[];
  attach: string[];
  capAdd: string[];
  capDrop: string[];
  deviceReadBps: string[];
  deviceReadIops: string[];
  deviceWriteBps: string[];
  deviceWriteIops: string[];
  dns: string[];
  dnsOpt: string[];
  dnsOption: string[];
  dnsSearch: string[];
  egress: string[];
  env: string[];
  envFile: string[];
  expose: string[];
  groupAdd: string[];
  label: string[];
  labelFile: string[];
  logOpt: string[];
  mount: string[];
  net: string[];
  network: string[];
  networkAlias: string[];
  publish: string[];
  securityOpt: string[];
  storageOpt: string[];
  sysctl: string[];
  tmpfs: string[];
  ulimit: string[];
  volume: string[];
  volumesFrom: string[];
}

/** The options as commander gives them: a list that was not given is not there. */
export interface ContainerFlags extends Partial<ListFlags>, HealthFlags {
  cpus?: string;
  cpuPeriod?: string;
  cpuQuota?: string;
  maxCpus?: string;
  cpuShares?: string;
  cpusetCpus?: string;
  domainname?: string;
  engine: EngineName;
  entrypoint?: string;
  hostname?: string;
  init?: true;
  logDriver: LogOptions['driver'];
  interactive?: true;
  memory?: string;
  memorySwap?: string;
  name?: string;
  ip?: string;
  ip6?: string;
  macAddress?: string;
  networkBps?: string;
  pidsLimit?: string;
  platform?: string;
  privileged?: true;
  publishAll?: true;
  pull: 'always' | 'missing' | 'never';
  readOnly?: true;
  rm?: true;
  shmSize?: string;
  restart?: string;
  stopSignal?: string;
  stopTimeout?: string;
  tty?: true;
  user?: string;
  workdir?: string;
}

type Flags = ContainerFlags & ListFlags;

const NO_LISTS: ListFlags = {
  addHost: [],
  attach: [],
  capAdd: [],
  capDrop: [],
  deviceReadBps: [],
  deviceReadIops: [],
  deviceWriteBps: [],
  deviceWriteIops: [],
  dns: [],
  dnsOpt: [],
  dnsOption: [],
  dnsSearch: [],
  egress: [],
  env: [],
  envFile: [],
  expose: [],
  groupAdd: [],
  label: [],
  labelFile: [],
  logOpt: [],
  mount: [],
  net: [],
  network: [],
  networkAlias: [],
  publish: [],
  securityOpt: [],
  storageOpt: [],
  sysctl: [],
  tmpfs: [],
  ulimit: [],
  volume: [],
  volumesFrom: [],
};

/** Declares the options, by Docker's names. */
export function declareContainerOptions(command: Command): void {
  const list = (flags: string, description: string) =>
    command.option(flags, description, (value: string, before?: string[]) => collect(value, before ?? []));

  command.option('-t, --tty', 'give it a terminal; on a terminal also attach standard input');
  command.option('-i, --interactive', 'keep standard input open');
  list('-a, --attach <stream>', 'attach only stdin, stdout or stderr; again for one more');
  command.option('--rm', 'remove the container when it ends');
  command.option('--name <name>', 'name of the container');
  list('-e, --env <NAME[=VALUE]>', 'set a variable; without a value, the one that it has here');
  list('--env-file <file>', 'read variables from a file');
  command.option('-w, --workdir <path>', 'working directory');
  command.option('-u, --user <user[:group]>', 'user, by name or number');
  list('--group-add <group>', 'an additional group');
  command.option('--entrypoint <command>', "replace the image's entrypoint");
  command.option('-h, --hostname <name>', 'host name');
  command.option('--domainname <name>', 'NIS domain name');
  list('--add-host <host:ip>', 'an additional line of /etc/hosts');
  command.option('--init', 'run a small init as PID 1, which reaps processes and forwards signals');
  command.option('-m, --memory <bytes>', 'memory of the VM, for example 512m (default: 1g)');
  command.option('--memory-swap <bytes>', 'memory and what of it the host may swap out, together; -1: all');
  command.option('--cpus <number>', 'CPUs of the VM, rounded up, and CPU time from the host (default: 1)');
  command.option(
    '--cpu-quota <microseconds>',
    'CPU time from the host in each --cpu-period, instead of --cpus',
  );
  command.option('--cpu-period <microseconds>', 'the period of --cpu-quota (default: 100000)');
  command.option(
    '--max-cpus <number>',
    'CPUs that the VM is started with, so that an update can give it more',
  );
  command.option('-c, --cpu-shares <number>', 'of CPU time when it is short: others have 1024');
  command.option('--cpuset-cpus <list>', "the host's CPUs that it may use, for example 0-2,7");
  list(
    '--device-read-bps <path:rate>',
    "bytes a second that it may read from a device of the host, '/dev/sda:10mb'",
  );
  list('--device-write-bps <path:rate>', 'the same for writing');
  list('--device-read-iops <path:rate>', "reads a second from a device of the host, '/dev/sda:100'");
  list('--device-write-iops <path:rate>', 'the same for writing');
  command.option('--pids-limit <number>', 'most processes; -1 for no limit');
  command.option('--read-only', "make the container's root read-only");
  list(
    '-v, --volume <source:target[:options]>',
    'mount a directory of the host or a volume, for example data:/data',
  );
  list('--mount <type=,source=,target=,…>', 'the same in words; type=bind, volume or tmpfs');
  list('--volumes-from <container[:ro]>', 'mount what another container has');
  list('--tmpfs <path[:options]>', 'mount a tmpfs, for example /run:rw,size=64m');
  command.option('--shm-size <bytes>', 'size of /dev/shm (default: 64m)');
  list('--ulimit <name=soft[:hard]>', 'a resource limit');
  list('--sysctl <key=value>', 'a kernel parameter');
  list('--cap-add <capability>', 'add a capability, or ALL');
  list('--cap-drop <capability>', 'drop a capability, or ALL');
  command.option('--privileged', "all capabilities and the guest's devices");
  list('--security-opt <option>', 'no-new-privileges, systempaths=unconfined');
  command.option('--stop-signal <signal>', 'the signal that asks it to stop');
  command.option('--stop-timeout <seconds>', 'time from that signal to SIGKILL (default: 10)');
  command.option(
    '--restart <policy>',
    'start it again when it ends: no, on-failure[:times], always, unless-stopped',
  );
  declareHealthOptions(command);
  declareNamespaceOptions(command);
  command.addOption(
    choice('--log-driver <driver>', 'where its output is kept', ['json-file', 'none'], 'json-file'),
  );
  list('--log-opt <key=value>', 'max-size=10m, max-file=3');
  list('--storage-opt <key=value>', 'size=20g: size of the writable disk (default: 10g)');
  list('-l, --label <key[=value]>', 'set a label');
  list('--label-file <file>', 'read labels from a file');
  command.addOption(
    choice('--pull <when>', 'when to ask the registry', ['always', 'missing', 'never'], 'missing'),
  );
  command.option('--platform <os/arch>', 'platform of the image');
  command.addOption(engineOption());
  const quietList = (flags: string, description: string) =>
    new Option(flags, description).argParser((value: string, before?: string[]) =>
      collect(value, before ?? []),
    );
  command.addOption(
    quietList(
      '--network <network>',
      'bridge, none, a network, cni:NAME, or container:NAME; again for one more; or name=NAME,alias=…,ip=…,ip6=…,mac-address=… (env: HRUN_NETWORK)',
    ),
  );
  command.addOption(quietList('--net <network>', 'the same as --network').hideHelp());
  list('-p, --publish <[ip:][host:]port[/udp]>', "let a port of the host lead to one of the container's");
  command.option('-P, --publish-all', 'publish every exposed port on a free port of the host');
  list('--expose <port[-last][/udp]>', 'say that the container serves a port');
  command.option('--ip <address>', 'its IPv4 address in the first network');
  command.option('--ip6 <address>', 'its IPv6 address in the first network, if that has IPv6');
  command.option('--mac-address <address>', 'its MAC address in the first network');
  list('--network-alias <name>', 'one more name for the other containers of its first network');
  command.option(
    '--network-bps <rate>',
    'bytes a second of each of its network interfaces, 10mb, or in=10mb,out=5mb',
  );
  list(
    '--egress <allow=target>',
    'all that it may reach beyond its networks: a subnet, an address, a name, *.NAME; or none',
  );
  list('--dns <address>', 'a DNS server');
  list('--dns-search <domain>', 'a domain in which names are looked up; "." for none');
  list('--dns-option <option>', 'an option of resolv.conf');
  command.addOption(quietList('--dns-opt <option>', 'the same as --dns-option').hideHelp());
}

/** What the options ask for; USAGE or UNSUPPORTED for a value that cannot be. */
export function containerOptions(
  image: string,
  command: readonly string[],
  given: ContainerFlags,
): ContainerOptions {
  const flags: Flags = { ...NO_LISTS, ...given };
  return {
    ...{ image, command, ...processOptions(flags), ...resourceOptions(flags), ...guestOptions(flags) },
    name: flags.name,
    platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
    pull: flags.pull,
    engine: flags.engine,
    autoRemove: flags.rm === true,
    awaitsStart: false,
    restart: restartPolicy(flags),
    health: healthOptions(flags),
    log: parseLogOptions(flags.logDriver, flags.logOpt),
    diskSize: parseStorageOptions(flags.storageOpt),
    labels: parseLabels([...flags.labelFile.flatMap(readLabelFile), ...flags.label]),
  };
}

function processOptions(flags: Flags) {
  const { entrypoint } = flags;
  return {
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [entrypoint],
    tty: flags.tty === true,
    stdin: flags.interactive === true,
    attach: parseAttach(flags.attach),
    terminalSize: undefined,
    env: parseEnvironment(flags.env, flags.envFile),
    workingDir: flags.workdir,
    user: flags.user,
    groups: flags.groupAdd,
    capAdd: flags.capAdd,
    capDrop: flags.capDrop,
    privileged: flags.privileged === true,
    ...parseSecurityOptions(flags.securityOpt),
    networks: networkRequests(flags),
    egress: parseEgress(flags.egress),
    publish: flags.publish.flatMap(parsePublish),
    publishAll: flags.publishAll === true,
    expose: flags.expose.flatMap(parseExpose),
    dns: {
      servers: flags.dns.map(checkServer),
      search: flags.dnsSearch,
      options: [...flags.dnsOption, ...flags.dnsOpt],
    },
    init: flags.init === true,
    stopSignal: flags.stopSignal,
    stopTimeout:
      flags.stopTimeout === undefined ? undefined : parseTimeout(flags.stopTimeout, '--stop-timeout'),
    securityOptions: flags.securityOpt,
  };
}

function restartPolicy({ restart, rm }: Flags): RestartPolicy {
  const policy = parseRestartPolicy(restart ?? 'no');
  if (rm && policy.name !== 'no') {
    throw new HrunError('USAGE', '--rm and --restart contradict each other', { hint: 'leave one out' });
  }
  return policy;
}

function resourceOptions(flags: Flags) {
  const { cpus, cpuQuota, cpuPeriod, cpuShares, maxCpus, cpusetCpus } = flags;
  const { networkBps, pidsLimit, shmSize } = flags;
  return {
    ...memoryOptions(flags),
    cpusetCpus: cpusetCpus === undefined ? undefined : parseCpuList(cpusetCpus),
    deviceRates: deviceRates(flags),
    networkRates: networkBps === undefined ? undefined : parseNetworkRates(networkBps),
    cpus: cpus === undefined ? undefined : parseCpus(cpus),
    cpuQuota: cpuQuota === undefined ? undefined : parseMicroseconds(cpuQuota, '--cpu-quota'),
    cpuPeriod: cpuPeriod === undefined ? undefined : parseMicroseconds(cpuPeriod, '--cpu-period'),
    cpuShares: cpuShares === undefined ? undefined : parseCpuShares(cpuShares),
    maxCpus: maxCpus === undefined ? undefined : parseWholeCpus(maxCpus),
    pidsLimit: pidsLimit === undefined ? undefined : parsePidsLimit(pidsLimit),
    shmSize: shmSize === undefined ? undefined : parseBytes(shmSize, '--shm-size'),
    rlimits: flags.ulimit.map(parseUlimit),
  };
}

function memoryOptions({ memory, memorySwap }: Flags) {
  const bytes = memory === undefined ? undefined : parseBytes(memory, '--memory');
  return {
    memory: bytes,
    memorySwap: memorySwap === undefined ? undefined : parseMemorySwap(memorySwap, bytes),
  };
}

function deviceRates(flags: Flags): DeviceRates {
  const { deviceReadBps, deviceWriteBps, deviceReadIops, deviceWriteIops } = flags;
  return {
    readBps: deviceReadBps.map((text) => parseDeviceRate(text, '--device-read-bps')),
    writeBps: deviceWriteBps.map((text) => parseDeviceRate(text, '--device-write-bps')),
    readIops: deviceReadIops.map((text) => parseDeviceRate(text, '--device-read-iops')),
    writeIops: deviceWriteIops.map((text) => parseDeviceRate(text, '--device-write-iops')),
  };
}

function guestOptions(flags: Flags) {
  return {
    hostname: flags.hostname,
    domainname: flags.domainname ?? '',
    extraHosts: flags.addHost,
    readOnly: flags.readOnly === true,
    tmpfs: flags.tmpfs.map(parseTmpfs),
    mounts: [...flags.volume.map(parseVolume), ...flags.mount.map(parseMount)],
    volumesFrom: flags.volumesFrom.map(parseVolumesFrom),
    sysctls: parseSysctls(flags.sysctl),
  };
}

function checkServer(address: string): string {
  if (isIP(address)) return address;
  throw new HrunError('USAGE', `--dns ${JSON.stringify(address)} is not an IP address`);
}

function parseTmpfs(text: string): TmpfsMount {
  const colon = text.indexOf(':');
  const target = colon < 0 ? text : text.slice(0, colon);
  if (target.startsWith('/') && target !== '/') {
    return { target, options: colon < 0 ? '' : text.slice(colon + 1) };
  }
  throw new HrunError('USAGE', `--tmpfs ${JSON.stringify(text)} is not an absolute path in the container`);
}
