// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ContainerFlags,
  containerOptions,
  declareContainerOptions,
} from '../../../src/cli/options/container-options.ts';
import { parseEnvironment } from '../../../src/cli/options/environment.ts';
import { parseBytes } from '../../../src/cli/options/quantity.ts';
import { parseUlimit } from '../../../src/cli/options/ulimit.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-options-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Parses a command line as `hrun run` does. */
function parse(...argv: string[]) {
  const command = new Command('run').exitOverride().configureOutput({ writeErr: () => {} });
  command.argument('<image>').argument('[command...]').passThroughOptions();
  declareContainerOptions(command);
  command.parse(argv, { from: 'user' });
  const [image, ...args] = command.args;
  return containerOptions(image!, args, command.opts<ContainerFlags>());
}

function file(content: string | Buffer): string {
  const path = join(dir, 'file');
  writeFileSync(path, content);
  return path;
}

describe('the options of a container', () => {
  test('stop at the image: what follows is the command, dashes and all', () => {
    const options = parse('-it', '--rm', 'debian', 'ls', '-t', '--rm', '--', '-x');
    expect(options).toMatchObject({ image: 'debian', command: ['ls', '-t', '--rm', '--', '-x'] });
    expect(options).toMatchObject({ tty: true, stdin: true, autoRemove: true });
    expect(parse('debian', '-t')).toMatchObject({ tty: false, command: ['-t'] });
    expect(parse('--', 'debian', '--', 'x')).toMatchObject({ image: 'debian', command: ['--', 'x'] });
  });

  test('take values in every way that Docker does', () => {
    expect(parse('-m512m', '--cpus=1.5', '--name', 'n', '-hbox', 'i')).toMatchObject({
      memory: 512 << 20,
      cpus: 1.5,
      name: 'n',
      hostname: 'box',
    });
  });

  test('limits of the host are bytes, lists of CPUs and rates of devices', () => {
    const given = ['-m1g', '--memory-swap=2g', '--cpuset-cpus', '0-2,7', '--device-read-bps', '/dev/a:b:1mb'];
    expect(parse(...given, '--device-write-iops=/dev/sda:100', 'i')).toMatchObject({
      ...{ memory: 1 << 30, memorySwap: 2 * 2 ** 30, cpusetCpus: '0-2,7' },
      deviceRates: {
        ...{ readBps: [{ path: '/dev/a:b', rate: 1 << 20 }], writeBps: [], readIops: [] },
        writeIops: [{ path: '/dev/sda', rate: 100 }],
      },
    });
    expect(parse('-m1g', '--memory-swap=-1', 'i').memorySwap).toBe(-1);
    expect(() => parse('--memory-swap=1g', 'i')).toThrow('--memory-swap needs --memory');
    expect(() => parse('-m1g', '--memory-swap=1m', 'i')).toThrow('--memory-swap 1m is less than --memory');
    for (const list of ['', '1-', 'a', '1,,2', '0x1', '-1'])
      expect(() => parse(`--cpuset-cpus=${list}`, 'i')).toThrow('is not a list of CPUs');
    for (const rate of ['/dev/sda', '/dev/sda:0', 'sda:1mb', '/dev/sda:', ':1'])
      expect(() => parse(`--device-read-bps=${rate}`, 'i')).toThrow('is not a device and a rate');
    expect(() => parse('--device-read-iops=/dev/sda:1mb', 'i')).toThrow('is not a device and a rate');
  });

  test('of a health check are times and a line of shell, or none of them', () => {
    const asked = parse('--health-cmd', 'a b', '--health-interval', '1m30s', '--health-retries=2', 'image');
    expect(asked.health).toEqual({
      ...{ test: ['CMD-SHELL', 'a b'], interval: 90e9, retries: 2 },
      ...{ timeout: 0, startPeriod: 0, startInterval: 0 },
    });
    expect(parse('--health-start-period', '5s', 'image').health).toMatchObject({
      test: undefined,
      startPeriod: 5e9,
    });
    expect(parse('--health-interval', '0s', 'image').health).toBeUndefined();
    expect(parse('--no-healthcheck', 'image').health).toBe('none');
    expect(() => parse('--no-healthcheck', '--health-retries', '1', 'image')).toThrow(
      '--no-healthcheck conflicts with --health-* options',
    );
    expect(() => parse('--health-timeout=-1s', 'image')).toThrow('--health-timeout cannot be negative');
    expect(() => parse('--health-interval', 'soon', 'image')).toThrow('"soon" is no duration');
    expect(() => parse('--health-retries', 'x', 'image')).toThrow('is not a number');
  });

  test('keep what was not given undefined or empty', () => {
    expect(parse('i')).toMatchObject({
      ...{ entrypoint: undefined, memory: undefined, workingDir: undefined, user: undefined },
      ...{ env: [], tmpfs: [], rlimits: [], labels: {}, pull: 'missing', engine: 'auto' },
    });
  });

  test('an empty entrypoint is none at all', () => {
    expect(parse('--entrypoint', '', 'i').entrypoint).toEqual([]);
    expect(parse('--entrypoint', 'sh', 'i').entrypoint).toEqual(['sh']);
  });

  test('tmpfs, sysctls, labels and security options', () => {
    const options = parse(
      ...['--tmpfs', '/run:rw,size=64m', '--tmpfs', '/tmp', '--sysctl', 'a.b=c=d', '-l', 'x', '-l', 'y=1=2'],
      ...['--security-opt', 'no-new-privileges', '--security-opt', 'seccomp=unconfined', 'i'],
    );
    expect(options.tmpfs).toEqual([
      { target: '/run', options: 'rw,size=64m' },
      { target: '/tmp', options: '' },
    ]);
    expect(options.sysctls).toEqual(new Map([['a.b', 'c=d']]));
    expect(options.labels).toEqual({ x: '', y: '1=2' });
    expect(options).toMatchObject({ noNewPrivileges: true, unconfinedPaths: false });
  });

  const wrong: string[][] = [
    ['-m', '5x'],
    ['-m', '-1'],
    ['--cpus', 'two'],
    ['--pids-limit', '1.5'],
    ['--tmpfs', 'run'],
    ['--tmpfs', '/'],
    ['--sysctl', 'a'],
    ['-l', '=x'],
    ['-e', '=x'],
    ['-e', ''],
    ['--ulimit', 'nofile'],
    ['--ulimit', 'files=1'],
    ['--ulimit', 'nofile=2:1'],
    ['--ulimit', 'nofile=-1:1'],
    ['--ulimit', 'toString=1'],
    ['--platform', 'a b'],
    ['--env-file', '/nonexistent'],
  ];
  test.each(wrong)('%s %s is a usage error that names the value', (option, value) => {
    expect(() => parse(option, value, 'i')).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => parse(option, value, 'i')).toThrow(value || 'no variable name');
  });

  test('what is asked of a network is passed on, a server that is no address is refused', () => {
    const asked = ['--net', 'db', '--ip', '10.5.0.2', '--dns', '192.0.2.1', '--dns-search', 'a.example'];
    expect(parse(...asked, 'i')).toMatchObject({
      networks: [{ network: 'db', ip: '10.5.0.2' }],
      dns: { servers: ['192.0.2.1'], search: ['a.example'], options: [] },
    });
    expect(() => parse('--dns', 'localhost', 'i')).toThrow('--dns "localhost" is not an IP address');
  });

  test('options of namespaces ask for what is so anyway, or are refused', () => {
    for (const words of [
      ['--ipc', 'private'],
      ['--cgroupns=private'],
      ['--runtime', 'hrun'],
      ['--isolation=default'],
    ])
      expect(parse(...words, 'i').image).toBe('i');
    for (const words of [['--pid', 'host'], ['--ipc=host'], ['--uts', 'host'], ['--runtime', 'runc']]) {
      const refused = expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('a kernel of its own'),
      });
      expect(() => parse(...words, 'i')).toThrow(refused);
    }
    expect(parse('--dns-opt', 'ndots:1', '--dns-option', 'rotate', 'i').dns.options).toEqual([
      'rotate',
      'ndots:1',
    ]);
  });

  test('unknown security options are not pretended', () => {
    expect(() => parse('--security-opt', 'seccomp=profile.json', 'i')).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['65536', 65536],
    ['1b', 1],
    ['512m', 512 << 20],
    ['512MB', 512 << 20],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['2t', 2 ** 41],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text, '-m')).toBe(bytes);
  });

  test.each(['', 'm', '1q', '1 2', '0x10', '9999999999t', '1e3'])('%j is no size', (text) => {
    expect(() => parseBytes(text, '-m')).toThrow('is not a size');
  });
});

describe('ulimits', () => {
  test('one value is both limits; -1 is unlimited', () => {
    expect(parseUlimit('nofile=1024')).toEqual({ resource: 7, soft: 1024n, hard: 1024n });
    expect(parseUlimit('core=0:-1')).toEqual({ resource: 4, soft: 0n, hard: undefined });
    expect(parseUlimit('nproc=unlimited')).toEqual({ resource: 6, soft: undefined, hard: undefined });
  });
});

describe('the environment', () => {
  test('a name alone takes the value it has here, or takes the variable away', () => {
    expect(parseEnvironment(['A', 'B', 'C=x=y', 'D='], [], { A: 'here' })).toEqual([
      'A=here',
      'B',
      'C=x=y',
      'D=',
    ]);
  });

  test('a file has comments, names alone, and values to the letter', () => {
    const path = file('\ufeff# c\n\n  A=1 \nB="q"\r\nHERE\nABSENT\n');
    expect(parseEnvironment(['A=2'], [path], { HERE: 'h' })).toEqual(['A=1 ', 'B="q"', 'HERE=h', 'A=2']);
  });

  test.each([
    ['=x\n', 'no variable name'],
    ['A B=1\n', 'white space'],
  ])('%j in a file is refused', (text, why) => {
    expect(() => parseEnvironment([], [file(text)])).toThrow(why);
  });

  test('a file that is not UTF-8 is refused', () => {
    expect(() => parseEnvironment([], [file(Buffer.from([0x41, 0x3d, 0xff]))])).toThrow('is not UTF-8');
  });
});
