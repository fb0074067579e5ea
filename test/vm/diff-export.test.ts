// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
let scratch: string;
beforeAll(async () => {
  store = new TestStore();
  scratch = mkdtempSync(join(tmpdir(), 'hrun-export-'));
  await store.load(FIXTURES);
});
afterAll(async () => {
  await store.clear();
  store.remove();
  rmSync(scratch, { recursive: true, force: true });
});

describe('hrun diff', () => {
  test('lists what was added, changed and deleted, as Docker does', async () => {
    const script =
      'mkdir /new; echo 1 > /new/f; echo 1 >> /etc/passwd; rm /bin/vi; touch /root; echo 1 > /mnt/no';
    const run = ['run', '--name', 'differs', '--tmpfs', '/mnt', 'busybox', 'sh', '-c', script];
    expect(await store.hrun(run)).toMatchObject({ exitCode: 0, stderr: '' });
    const { stdout, stderr } = await store.hrun(['diff', 'differs']);
    expect({ stdout: stdout.replace(/^A \/mnt\n/m, ''), stderr }).toEqual({
      stdout: 'C /bin\nD /bin/vi\nC /etc\nC /etc/passwd\nA /new\nA /new/f\n',
      stderr: '',
    });
  });

  test('of a container that changed nothing is empty', async () => {
    await store.hrun(['create', '--name', 'fresh', 'debian:bookworm']);
    expect(await store.hrun(['diff', 'fresh'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});

/** What GNU tar says of each entry. */
async function listing(tar: string): Promise<string[]> {
  const { stdout } = await execa('tar', ['--numeric-owner', '--utc', '--full-time', '-tvf', tar]);
  return stdout.split('\n').sort();
}

/** podman on a store of its own. */
async function podman(...args: string[]): Promise<string> {
  const store = ['--root', join(scratch, 'podman'), '--runroot', join(scratch, 'podman-run')];
  return (await execa('podman', [...store, '--storage-driver', 'vfs', ...args])).stdout.split('\n').at(-1)!;
}

describe('hrun export', () => {
  test('is, entry by entry, what podman exports of the same image', async () => {
    await store.hrun(['create', '--name', 'exported', 'busybox']);
    const [ours, theirs] = [join(scratch, 'hrun.tar'), join(scratch, 'podman.tar')];
    expect(await store.hrun(['export', '-o', ours, 'exported'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    const image = await podman('pull', '-q', `oci:${FIXTURES}:busybox`);
    await podman('export', '-o', theirs, await podman('create', image, 'true'));
    expect(await listing(ours)).toEqual(await listing(theirs));
  });

  test('to standard output goes into `import`, and the image of it runs', async () => {
    const script = `$HRUN run --name flat busybox sh -c 'echo kept > /kept; rm /bin/vi' && $HRUN export flat | $HRUN import -c 'CMD cat /kept' -m flat - flat:1`;
    const { stdout, stderr, exitCode } = await store.shell(script);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await store.hrun(['run', '--rm', 'flat:1'])).toMatchObject({ stdout: 'kept\n', exitCode: 0 });
    expect((await store.hrun(['run', '--rm', 'flat:1', 'ls', '/bin/vi'])).exitCode).toBe(1);
    const [image] = JSON.parse((await store.hrun(['inspect', 'flat:1'])).stdout);
    expect(image).toMatchObject({
      Comment: 'flat',
      Os: 'linux',
      Architecture: 'amd64',
      RootFS: { Layers: { length: 1 } },
    });
  });

  test('that fails leaves no file behind', async () => {
    const before = readdirSync(scratch);
    expect((await store.hrun(['export', '-o', join(scratch, 'no.tar'), 'nobody'])).stderr).toContain(
      'no such container',
    );
    expect(readdirSync(scratch)).toEqual(before);
  });
});

describe('hrun import', () => {
  test('takes a packed file and refuses what is no archive', async () => {
    await execa(
      'sh',
      ['-c', 'mkdir root && echo hi > root/f && tar -C root -czf packed.tgz . && echo no > text'],
      { cwd: scratch },
    );
    const { stdout } = await store.hrun(['import', '--platform', 'linux/arm64', join(scratch, 'packed.tgz')]);
    const [image] = JSON.parse((await store.hrun(['inspect', stdout.trim()])).stdout);
    expect(image).toMatchObject({
      Architecture: 'arm64',
      Comment: `Imported from ${join(scratch, 'packed.tgz')}`,
    });
    expect((await store.hrun(['import', join(scratch, 'text')])).exitCode).not.toBe(0);
    expect((await store.hrun(['import', join(scratch, 'none')])).stderr).toContain(
      'no such file or directory',
    );
  });
});
