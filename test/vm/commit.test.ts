// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
let scratch: string;
beforeAll(async () => {
  store = new TestStore();
  scratch = mkdtempSync(join(tmpdir(), 'hrun-commit-'));
  await store.load(FIXTURES);
});
afterAll(async () => {
  await store.clear();
  store.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** Commits and returns the ID, which is all that is printed. */
async function commit(...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await store.hrun(['commit', ...args]);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  return stdout.trim();
}

describe('hrun commit', () => {
  const CHANGES = `echo data > /root/new; rm /etc/issue; rm -r /usr/share/doc; mkdir /usr/share/doc; chmod 700 /srv; ln /root/new /root/hard; ln -s /x /root/l; chown 5:6 /var/tmp`;
  const LOOK = `cat /root/new; ls /etc/issue /usr/share/doc 2>&1; stat -c '%a %u %g' /srv /var/tmp; stat -c %h /root/hard; readlink /root/l; echo $A $B`;

  test('makes an image that runs with everything that was written, changed and deleted', async () => {
    await store.hrun(['run', '--name', 'made', '-e', 'A=1', 'debian:bookworm', 'sh', '-c', CHANGES]);
    const id = await commit(
      '-a',
      'me',
      '-m',
      'why',
      '-c',
      'ENV B=$A$A',
      '-c',
      'CMD ["sh", "-c", "cat /root/new"]',
      'made',
      'own/image:2',
    );
    expect((await store.hrun(['run', '--rm', 'own/image:2'])).stdout).toBe('data\n');
    expect((await store.hrun(['run', '--rm', id, 'sh', '-c', LOOK])).stdout).toBe(
      "data\nls: cannot access '/etc/issue': No such file or directory\n/usr/share/doc:\n700 0 0\n1777 5 6\n2\n/x\n1 11\n",
    );
    const [image] = JSON.parse((await store.hrun(['inspect', 'own/image:2'])).stdout);
    expect(image).toMatchObject({ Id: id, Author: 'me', Comment: 'why', RootFS: { Layers: { length: 2 } } });
    expect(image.Config.Env).not.toContainEqual(expect.stringContaining('HOSTNAME'));
  });

  test("makes an image that other tools read, layer by layer: umoci's tree is the container's", async () => {
    await store.hrun(['save', '--format', 'oci-archive', '-o', join(scratch, 'oci.tar'), 'own/image:2']);
    await store.hrun(['save', '-o', join(scratch, 'docker.tar'), 'own/image:2']);
    await execa('skopeo', [
      'copy',
      '-q',
      `docker-archive:${scratch}/docker.tar`,
      `oci:${scratch}/from-docker:1`,
    ]);
    await execa('skopeo', ['copy', '-q', `oci-archive:${scratch}/oci.tar`, `oci:${scratch}/from-oci:1`]);
    for (const layout of ['from-docker', 'from-oci']) {
      const bundle = join(scratch, `${layout}-bundle`);
      await execa('umoci', ['unpack', '--image', `${join(scratch, layout)}:1`, bundle]);
      const { stdout } = await execa(
        'sh',
        [
          '-c',
          'cat root/new; ls etc/issue usr/share/doc 2>&1; stat -c "%a %u %g" srv var/tmp; stat -c %h root/hard',
        ],
        {
          ...{ cwd: join(bundle, 'rootfs'), reject: false },
        },
      );
      expect(stdout).toBe(
        "data\nls: cannot access 'etc/issue': No such file or directory\nusr/share/doc:\n700 0 0\n1777 5 6\n2",
      );
    }
  });

  test('commits a running container while its processes stand still, and lets them go on', async () => {
    const script = 'i=0; while true; do i=$((i+1)); echo $i >> /a; echo $i >> /b; done';
    await store.hrun(['run', '-d', '--name', 'busy', 'busybox', 'sh', '-c', script]);
    const count = async () => Number((await store.hrun(['exec', 'busy', 'sh', '-c', 'wc -l < /b'])).stdout);
    await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(0);
    await commit('busy', 'frozen');
    const { stdout } = await store.hrun([
      'run',
      '--rm',
      'frozen',
      'sh',
      '-c',
      'echo $(($(wc -l < /a) - $(wc -l < /b)))',
    ]);
    expect(['0\n', '1\n']).toContain(stdout);
    const before = await count();
    await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(before);
    expect(JSON.parse((await store.hrun(['inspect', 'busy'])).stdout)[0].State.Status).toBe('running');
    await commit('--pause=false', 'busy');
  });

  test('of a container that changed nothing adds no layer', async () => {
    await store.hrun(['run', '--name', 'idle', 'busybox', 'true']);
    const id = await commit('-c', 'LABEL a=b', 'idle');
    const [image] = JSON.parse((await store.hrun(['inspect', id])).stdout);
    expect(image.RootFS.Layers).toHaveLength(1);
    expect(image.Config.Labels).toEqual({ a: 'b' });
  });

  test('refuses instructions and names that make no sense before it does anything', async () => {
    expect((await store.hrun(['commit', '-c', 'FROM x', 'idle'])).stderr).toContain(
      'FROM is not a valid change command',
    );
    expect((await store.hrun(['commit', 'idle', 'UPPER'])).exitCode).not.toBe(0);
    expect((await store.hrun(['commit', 'nobody'])).stderr).toContain('no such container: nobody');
  });
});
