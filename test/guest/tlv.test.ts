// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { type Configure, encodeConfigure } from '../../src/guest/configure.ts';
import { ConfigureTag, MAX_PAYLOAD, StartTag } from '../../src/guest/protocol.ts';
import { encodeStart, type Start } from '../../src/guest/start.ts';

/** Reads TLVs back, independently of the writer. */
function items(payload: Buffer): [number, Buffer][] {
  const found: [number, Buffer][] = [];
  for (let at = 0; at < payload.length; ) {
    const length = payload.readUInt32LE(at + 4);
    expect(payload.readUInt16LE(at + 2)).toBe(0);
    found.push([payload.readUInt16LE(at), payload.subarray(at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return found;
}

function valuesOf(payload: Buffer, tag: number): string[] {
  return items(payload)
    .filter(([found]) => found === tag)
    .map(([, value]) => value.toString());
}

const START: Start = {
  args: ['sh', '-c', 'écho "$1"', ''],
  env: ['A=1', 'B='],
  cwd: '/w',
  user: 'app:staff',
  supplementaryGroups: ['audio', '100'],
  capabilities: 0x1_0000_0001n,
  rlimits: [{ resource: 7, soft: 1024n, hard: undefined }],
  initSession: true,
  tty: true,
  stdin: false,
  noNewPrivileges: true,
  reaper: true,
  terminalSize: { rows: 24, columns: 80 },
};

const CONFIGURE: Configure = {
  layerSlots: [3, 4],
  writableSlot: 2,
  shareSlot: undefined,
  nics: [],
  hostname: 'box',
  domainname: '',
  readOnlyRoot: true,
  privileged: false,
  mounts: [{ type: 'tmpfs', source: 'tmpfs', target: '/run', options: 'rw,size=64m' }],
  sysctls: new Map([['net.ipv4.ip_forward', '1']]),
  files: new Map([['/etc/hosts', 'a\0b']]),
  maskedPaths: ['/proc/kcore'],
  readOnlyPaths: ['/proc/sys'],
  shmSize: 64 << 20,
  pidsLimit: undefined,
  cpus: undefined,
};

describe('START', () => {
  test('keeps arguments, environment and groups in their order', () => {
    const payload = encodeStart(START);
    expect(valuesOf(payload, StartTag.ARG)).toEqual(START.args);
    expect(valuesOf(payload, StartTag.ENV)).toEqual(START.env);
    expect(valuesOf(payload, StartTag.GROUP)).toEqual(['audio', '100']);
    expect(valuesOf(payload, StartTag.USER)).toEqual(['app:staff']);
  });

  test('writes numbers little-endian and unlimited as all ones', () => {
    const found = new Map(items(encodeStart(START)));
    expect(found.get(StartTag.CAPS)).toEqual(Buffer.from([1, 0, 0, 0, 1, 0, 0, 0]));
    expect(found.get(StartTag.FLAGS)).toEqual(Buffer.from([1 + 2 + 8 + 16, 0, 0, 0]));
    expect(found.get(StartTag.SIZE)).toEqual(Buffer.from([24, 0, 80, 0]));
    const rlimit = found.get(StartTag.RLIMIT)!;
    expect([rlimit.readUInt32LE(0), rlimit.readBigUInt64LE(8), rlimit.readBigUInt64LE(16)]).toEqual([
      7,
      1024n,
      2n ** 64n - 1n,
    ]);
  });

  test('refuses a NUL byte and an environment over the limit', () => {
    expect(() => encodeStart({ ...START, args: ['a\0b'] })).toThrow('NUL');
    expect(() => encodeStart({ ...START, env: [`A=${'x'.repeat(MAX_PAYLOAD)}`] })).toThrow('the most is');
  });
});

describe('CONFIGURE', () => {
  test('separates fields by NUL and lets file content hold any byte', () => {
    const payload = encodeConfigure(CONFIGURE);
    expect(valuesOf(payload, ConfigureTag.MOUNT)).toEqual(['tmpfs\0tmpfs\0/run\0rw,size=64m']);
    expect(valuesOf(payload, ConfigureTag.FILE)).toEqual(['/etc/hosts\0a\0b']);
    expect(valuesOf(payload, ConfigureTag.SYSCTL)).toEqual(['net.ipv4.ip_forward\x001']);
  });

  test('lists layers lowest first and leaves out what is not limited', () => {
    const payload = encodeConfigure(CONFIGURE);
    expect(items(payload).slice(0, 2)).toEqual([
      [ConfigureTag.LAYER, Buffer.from([3, 0, 0, 0])],
      [ConfigureTag.LAYER, Buffer.from([4, 0, 0, 0])],
    ]);
    expect(valuesOf(payload, ConfigureTag.PIDS_MAX)).toEqual([]);
    expect(valuesOf(payload, ConfigureTag.DOMAINNAME)).toEqual([]);
  });

  test('refuses a NUL byte that would make up a field', () => {
    const mounts = [{ type: 'tmpfs', source: 'tmpfs', target: '/a\0b', options: '' }];
    expect(() => encodeConfigure({ ...CONFIGURE, mounts })).toThrow('NUL');
  });
});
