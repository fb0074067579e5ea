// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore, unmount } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

/** Whatever went wrong, the store is as before. */
afterEach(async () => {
  expect(store.containers()).toEqual([]);
  await eventually(() => store.processes().length === 0);
});

describe('a run that fails says so in one line', () => {
  test.each([0, 1, 42, 255])("exit code %d is the command's", async (code) => {
    const result = await store.hrun(['run', '--rm', 'busybox', 'sh', '-c', `exit ${code}`]);
    expect(result).toEqual({ exitCode: code, stdout: '', stderr: '' });
  });

  test('a command ended by signal n gives 128+n', async () => {
    const result = await store.hrun(['run', '--rm', '--init', 'busybox', 'sh', '-c', 'kill -9 $$']);
    expect(result).toEqual({ exitCode: 137, stdout: '', stderr: '' });
  });

  const failures: [string, string[], number, RegExp][] = [
    [
      'a command that is not there',
      ['busybox', 'nosuch'],
      127,
      /"nosuch": executable file not found in \$PATH/,
    ],
    ['a path that is not there', ['busybox', '/no/such'], 127, /"\/no\/such".*no such file/i],
    ['a command that is no program', ['busybox', '/etc/passwd'], 126, /"\/etc\/passwd": permission denied/i],
    ['a directory as command', ['busybox', '/bin'], 126, /"\/bin"/],
    ['an unknown user', ['-u', 'nobodyhere', 'busybox', 'true'], 125, /unable to find user nobodyhere/],
    ['an unknown group', ['-u', '0:nosuchgroup', 'busybox', 'true'], 125, /unable to find group nosuchgroup/],
    ['a file as working directory', ['-w', '/bin/busybox', 'busybox', 'true'], 126, /\/bin\/busybox/],
    [
      'too little memory',
      ['-m', '4m', 'busybox', 'true'],
      125,
      /too little to boot a micro-VM; give at least -m \d+m/,
    ],
    ['an image that is not there', ['--pull', 'never', 'nosuch', 'true'], 125, /no such image: nosuch/],
    ['a bad name of an image', ['No/Such', 'true'], 125, /"No\/Such" is not an image name/],
    ['a bad name', ['--name', 'a/b', 'busybox', 'true'], 125, /invalid container name "a\/b"/],
    ['a bad hostname', ['-h', 'a_b', 'busybox', 'true'], 125, /invalid hostname: a_b/],
    ['an unknown sysctl', ['--sysctl', 'no.such=1', 'busybox', 'true'], 125, /no[./]such/],
    ['a tmpfs option that is none', ['--tmpfs', '/run:nosuch', 'busybox', 'true'], 125, /nosuch/],
    [
      'an engine that there is not',
      ['--engine', 'xen', 'busybox', 'true'],
      125,
      /choices are auto, qemu, kvm/,
    ],
    ['an option that is none', ['--nosuch', 'busybox'], 125, /unknown option '--nosuch'/],
    ['no image', ['-t'], 125, /missing required argument 'image'/],
    ['-it without a terminal', ['-it', 'busybox', 'sh'], 125, /the input device is not a terminal/],
    ['too many CPUs', ['--cpus', '1000', 'busybox', 'true'], 125, /--cpus 1000 is out of range/],
  ];
  test.each(failures)('%s', async (_what, args, exitCode, message) => {
    const result = await store.hrun(['run', '--rm', ...args]);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^hrun: [^\n]+\n$/);
    expect(result.stdout).toBe('');
  });

  test('QEMU missing', async () => {
    const result = await store.start(['run', '--rm', 'busybox', 'true'], {
      env: { ...store.env, HRUN_TEMPLATES: 'off', PATH: '/nonexistent' },
      extendEnv: false,
    });
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toMatch(/^hrun: qemu-system-x86_64 is not installed, or not in PATH; [^\n]+\n$/);
  });

  test('the least memory that is allowed is enough', async () => {
    const { stderr } = await store.hrun(['run', '--rm', '-m', '4m', 'busybox', 'true']);
    const least = /-m (\d+m)/.exec(stderr)![1]!;
    expect(await store.script(['-m', least], 'echo fits')).toBe('fits\n');
  });

  test('a cache that was removed is made again', async () => {
    rmSync(`${store.dir}/cache`, { recursive: true, force: true });
    expect((await store.hrun(['run', '--rm', 'busybox', 'true'])).exitCode).toBe(0);
  });
});

describe('a disk of the host that is full', () => {
  const small = new TestStore();
  beforeAll(async () => {
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', small.dir]);
    const archive = `${store.dir}/busybox.tar`;
    await store.hrun(['save', '-o', archive, 'busybox']);
    await small.load(archive);
  });
  afterAll(async () => {
    await unmount(small.dir);
    small.remove();
  });

  test('ends the container that fills it, truthfully, and what is left can be removed', async () => {
    const fill = 'dd if=/dev/urandom of=/big bs=1M count=200; sync';
    const result = await small.hrun(['run', '--name', 'full', 'busybox', 'sh', '-c', fill]);
    expect(result).toMatchObject({ exitCode: 137, stdout: '' });
    expect(result.stderr).toMatch(/^hrun: no space left on the host for [^\n]*writable\.ext4; [^\n]+\n$/);
    const [id] = small.containers();
    expect(small.state(id!)).toMatchObject({ status: 'exited', exitCode: 137 });
    expect((await small.hrun(['ps', '-a'])).stdout).toContain('Exited (137)');
    const next = await small.hrun(['run', '--rm', 'busybox', 'true']);
    expect(next).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^hrun: no space left[^\n]*\n$/),
    });
    expect((await small.hrun(['rm', 'full'])).exitCode).toBe(0);
    expect(await small.script([], 'echo again')).toBe('again\n');
  });
});
