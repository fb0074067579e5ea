// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { capabilityMask } from '../../src/core/capabilities.ts';
import { guestFiles } from '../../src/core/guest-files.ts';
import { containerProcess } from '../../src/core/process-config.ts';
import { signalNumber } from '../../src/core/signal-number.ts';

const ASKED = {
  command: [] as string[],
  entrypoint: undefined,
  env: [] as string[],
  workingDir: undefined,
  user: undefined,
  tty: false,
  stopSignal: undefined,
};

describe("a container's process", () => {
  test.each([
    ['entrypoint and cmd of the image', { Entrypoint: ['/e'], Cmd: ['c'] }, {}, ['/e', 'c']],
    ['a command replaces cmd', { Entrypoint: ['/e'], Cmd: ['c'] }, { command: ['x'] }, ['/e', 'x']],
    ['an entrypoint drops cmd', { Entrypoint: ['/e'], Cmd: ['c'] }, { entrypoint: ['/f'] }, ['/f']],
    ['no entrypoint, a command', { Entrypoint: ['/e'] }, { entrypoint: [], command: ['x'] }, ['x']],
    ['null means none', { Entrypoint: null, Cmd: ['c'] }, {}, ['c']],
  ])('%s', (_title, image, asked, args) => {
    expect(containerProcess(image, { ...ASKED, ...asked }, 'h').args).toEqual(args);
  });

  test('no command at all is a usage error', () => {
    expect(() => containerProcess({}, ASKED, 'h')).toThrow('no command given');
    expect(() => containerProcess({ Cmd: ['c'] }, { ...ASKED, entrypoint: [] }, 'h')).toThrow('no command');
  });

  test("defaults, then the image's variables, then the user's; a bare name takes one away", () => {
    const image = { Env: ['PATH=/bin', 'A=1', 'B=2'] };
    const env = ['B=3', 'A', 'C=x=y'];
    expect(containerProcess({ ...image, Cmd: ['c'] }, { ...ASKED, env, tty: true }, 'box').env).toEqual([
      'PATH=/bin',
      'HOSTNAME=box',
      'TERM=xterm',
      'B=3',
      'C=x=y',
    ]);
  });

  test('user, directory and stop signal of the image unless asked otherwise', () => {
    const image = { Cmd: ['c'], User: 'app:1', WorkingDir: '/srv//a/', StopSignal: 'SIGRTMIN+3' };
    expect(containerProcess(image, ASKED, 'h')).toMatchObject({
      user: 'app:1',
      cwd: '/srv/a',
      stopSignal: 37,
    });
    const asked = { ...ASKED, user: '0', workingDir: '/', stopSignal: 'int' };
    expect(containerProcess(image, asked, 'h')).toMatchObject({ user: '0', cwd: '/', stopSignal: 2 });
    expect(() => containerProcess(image, { ...ASKED, workingDir: 'a' }, 'h')).toThrow('not an absolute path');
  });
});

describe('signals', () => {
  test.each([
    ['SIGTERM', 15],
    ['kill', 9],
    ['15', 15],
    ['RTMIN', 34],
    ['SIGRTMAX-1', 63],
  ])('%s is %d', (text, n) => {
    expect(signalNumber(text)).toBe(n);
  });
  test.each(['SIGNOPE', '0', '65', '', 'RTMIN+99', 'constructor'])('%j is none', (text) => {
    expect(() => signalNumber(text)).toThrow('unknown signal');
  });
});

describe('capabilities', () => {
  test("the default is Docker's fourteen", () => {
    expect(capabilityMask([], [], false)).toBe(0xa80425fbn);
  });
  test('names in any case, with or without CAP_; ALL both ways', () => {
    expect(capabilityMask(['cap_net_admin'], ['CHOWN'], false)).toBe((0xa80425fbn | (1n << 12n)) & ~1n);
    expect(capabilityMask(['chown'], ['all'], false)).toBe(1n);
    expect(capabilityMask(['ALL'], ['SYS_ADMIN'], false)).toBe(((1n << 41n) - 1n) & ~(1n << 21n));
    expect(capabilityMask([], [], true)).toBe((1n << 41n) - 1n);
    expect(() => capabilityMask(['NOPE'], [], false)).toThrow('unknown capability: NOPE');
  });
});

describe('/etc/hosts', () => {
  test('names the container and the hosts that were added', () => {
    const files = guestFiles({
      hostname: 'box',
      domainname: 'lan',
      extraHosts: ['db:10.0.0.1', 'six:[fd00::1]'],
      network: undefined,
    });
    expect(files.get('/etc/hosts')).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
    expect(files.get('/etc/hosts')).toContain('127.0.1.1\tbox.lan box\n10.0.0.1\tdb\nfd00::1\tsix\n');
    expect(files.get('/etc/hostname')).toBe('box\n');
  });
  test.each(['db', 'db:', 'db:host', ':1.2.3.4', 'a b:1.2.3.4', 'x:1.2.3.4\n5.6.7.8 y'])(
    '%j is refused',
    (text) => {
      expect(() =>
        guestFiles({ hostname: 'b', domainname: '', extraHosts: [text], network: undefined }),
      ).toThrow('--add-host');
    },
  );
});
