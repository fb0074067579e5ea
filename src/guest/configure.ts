// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { type GuestNic, writeNics } from './nic.ts';
import { ConfigureFlags, ConfigureTag, MAX_PAYLOAD } from './protocol.ts';
import { TlvWriter } from './tlv.ts';

/** A mount that the agent makes after the OCI default mounts, as mount(8) names its parts. */
export interface GuestMount {
  type: string;
  source: string;
  target: string;
  options: string;
}

/** What the agent sets up once per VM. The monitor adds the time and entropy when it sends it. */
export interface Configure {
  /** virtio-mmio slots of the EROFS layers, lowest layer first */
  layerSlots: readonly number[];
  /** slot of the writable ext4 disk */
  writableSlot: number;
  /** slot of the virtiofs device, for mounts of type "share" */
  shareSlot: number | undefined;
  nics: readonly GuestNic[];
  /** undefined in the machine of another container */
  hostname: string | undefined;
  domainname: string;
  readOnlyRoot: boolean;
  privileged: boolean;
  mounts: readonly GuestMount[];
  sysctls: ReadonlyMap<string, string>;
  /** generated files, bound over their target */
  files: ReadonlyMap<string, string>;
  maskedPaths: readonly string[];
  readOnlyPaths: readonly string[];
  /** bytes */
  shmSize: number;
  /** pids.max of the container's cgroup; undefined is no limit */
  pidsLimit: number | undefined;
  /** of the machine's CPUs that are online; undefined is all */
  cpus: number | undefined;
}

/** Bytes of HRUN_MAX_PAYLOAD that are the monitor's to add to. */
const MONITORS_SHARE = 1024;

/** The payload of a CONFIGURE frame, as far as it is known before the VM boots. */
export function encodeConfigure(configure: Configure): Buffer {
  const tlv = new TlvWriter();
  for (const slot of configure.layerSlots) tlv.u32(ConfigureTag.LAYER, slot);
  tlv.u32(ConfigureTag.WRITABLE, configure.writableSlot);
  if (configure.shareSlot !== undefined) tlv.u32(ConfigureTag.SHARE, configure.shareSlot);
  writeNics(tlv, configure.nics);
  if (configure.hostname !== undefined) tlv.string(ConfigureTag.HOSTNAME, configure.hostname);
  if (configure.domainname) tlv.string(ConfigureTag.DOMAINNAME, configure.domainname);
  tlv.u32(ConfigureTag.FLAGS, flagsOf(configure));
  writeRoot(tlv, configure);
  tlv.u64(ConfigureTag.SHM_SIZE, BigInt(configure.shmSize));
  if (configure.pidsLimit !== undefined) tlv.u64(ConfigureTag.PIDS_MAX, BigInt(configure.pidsLimit));
  if (configure.cpus !== undefined) tlv.u32(ConfigureTag.CPUS, configure.cpus);
  return tlv.finish("the container's mounts, files and sysctls", MAX_PAYLOAD - MONITORS_SHARE);
}

/** Networks that come and go while the container runs, and generated files that change with them. */
export interface NetworkChange {
  nics: readonly GuestNic[];
  /** slots of interfaces that go */
  gone: readonly number[];
  /** new contents by target, of those that were generated before */
  files: ReadonlyMap<string, string>;
}

/** The payload of a NETWORK frame. */
export function encodeNetworkChange({ nics, gone, files }: NetworkChange): Buffer {
  const tlv = new TlvWriter();
  writeNics(tlv, nics);
  for (const slot of gone) tlv.u32(ConfigureTag.NIC_GONE, slot);
  for (const [target, content] of files) tlv.strings(ConfigureTag.FILE, [target, content], true);
  return tlv.finish('the networks');
}

const TLV_HEADER = 8;

/** Limits of the container's control group; undefined is none. */
export interface StoredLimits {
  pidsLimit: number | undefined;
  /** below the size of the VM, which is a limit by itself */
  memoryBytes: number | undefined;
  /** fewer than the machine has */
  cpus: number | undefined;
}

const LIMIT_TAGS: readonly number[] = [ConfigureTag.PIDS_MAX, ConfigureTag.MEMORY_MAX, ConfigureTag.CPUS];

/** The payload of encodeConfigure with other limits. */
export function withLimits(payload: Buffer, { pidsLimit, memoryBytes, cpus }: StoredLimits): Buffer {
  const kept = itemsOf(payload).filter((item) => !LIMIT_TAGS.includes(tagOf(item)));
  const tlv = new TlvWriter();
  if (pidsLimit !== undefined) tlv.u64(ConfigureTag.PIDS_MAX, BigInt(pidsLimit));
  if (memoryBytes !== undefined) tlv.u64(ConfigureTag.MEMORY_MAX, BigInt(memoryBytes));
  if (cpus !== undefined) tlv.u32(ConfigureTag.CPUS, cpus);
  return Buffer.concat([...kept, tlv.finish('the limits', MAX_PAYLOAD)]);
}

const NETWORK_TAGS: readonly number[] = [
  ConfigureTag.NIC,
  ConfigureTag.ADDRESS,
  ConfigureTag.GATEWAY,
  ConfigureTag.ROUTE,
];

/** The payload of encodeConfigure with other networks, and other contents of generated files that it has. */
export function withNetworks(
  payload: Buffer,
  nics: readonly GuestNic[],
  files: ReadonlyMap<string, string>,
): Buffer {
  const kept = itemsOf(payload).filter((item) => !NETWORK_TAGS.includes(tagOf(item)));
  const tlv = new TlvWriter();
  writeNics(tlv, nics);
  const items = [...kept.map((item) => renewedFile(item, files)), tlv.finish('the networks')];
  const renewed = Buffer.concat(items);
  if (renewed.length <= MAX_PAYLOAD - MONITORS_SHARE) return renewed;
  throw new HrunError('LIMIT_EXCEEDED', `the container's networks and files take ${renewed.length} bytes`);
}

/** The same with another host name, and other contents of generated files that it has. */
export function withHostname(payload: Buffer, hostname: string, files: ReadonlyMap<string, string>): Buffer {
  const name = new TlvWriter().string(ConfigureTag.HOSTNAME, hostname).finish('the host name');
  const items = itemsOf(payload).map((item) =>
    tagOf(item) === ConfigureTag.HOSTNAME ? name : renewedFile(item, files),
  );
  return Buffer.concat(items);
}

/** True when these are the networks of a payload of encodeConfigure. */
export function hasNetworks(payload: Buffer, nics: readonly GuestNic[]): boolean {
  const tlv = new TlvWriter();
  writeNics(tlv, nics);
  const present = itemsOf(payload).filter((item) => NETWORK_TAGS.includes(tagOf(item)));
  return Buffer.concat(present).equals(tlv.finish('the networks'));
}

function renewedFile(item: Buffer, files: ReadonlyMap<string, string>): Buffer {
  if (tagOf(item) !== ConfigureTag.FILE) return item;
  const value = item.subarray(TLV_HEADER);
  const target = value.toString('utf8', 0, value.indexOf(0));
  const content = files.get(target);
  if (content === undefined) return item;
  return new TlvWriter().strings(ConfigureTag.FILE, [target, content], true).finish(target);
}

function itemsOf(payload: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const end = at + TLV_HEADER + payload.readUInt32LE(at + 4);
    items.push(payload.subarray(at, end));
    at = end;
  }
  return items;
}

function tagOf(item: Buffer): number {
  return item.readUInt16LE(0);
}

function flagsOf(configure: Configure): number {
  return (
    (configure.readOnlyRoot ? ConfigureFlags.READONLY_ROOT : 0) |
    (configure.privileged ? ConfigureFlags.PRIVILEGED : 0)
  );
}

function writeRoot(tlv: TlvWriter, configure: Configure): void {
  for (const { type, source, target, options } of configure.mounts) {
    tlv.strings(ConfigureTag.MOUNT, [type, source, target, options]);
  }
  for (const [key, value] of configure.sysctls) tlv.strings(ConfigureTag.SYSCTL, [key, value]);
  for (const [target, content] of configure.files) {
    tlv.strings(ConfigureTag.FILE, [target, content], true);
  }
  for (const path of configure.maskedPaths) tlv.string(ConfigureTag.MASKED, path);
  for (const path of configure.readOnlyPaths) tlv.string(ConfigureTag.READONLY, path);
}
