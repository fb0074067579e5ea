// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

/** Resident memory of a process; 0 once it is gone. */
function residentKib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

describe('standard streams of hrun run', () => {
  test('standard output and error are apart, and both exact', async () => {
    const script = 'printf "a\\0\\377b"; printf "err\\n" >&2; printf c';
    const result = await store.start(['run', '--rm', 'busybox', 'sh', '-c', script], { encoding: 'buffer' });
    expect(Buffer.from(result.stdout!)).toEqual(Buffer.from('a\0\xffbc', 'latin1'));
    expect(Buffer.from(result.stderr!).toString()).toBe('err\n');
    expect(result.exitCode).toBe(0);
  });

  test('standard input reaches the process with -i, and so does its end', async () => {
    const result = await store.hrun(['run', '--rm', '-i', 'busybox', 'wc', '-c'], 'x'.repeat(100_000));
    expect(result).toEqual({ exitCode: 0, stdout: '100000\n', stderr: '' });
  });

  test('without -i standard input is empty, and what was there is left for the next command', async () => {
    const { stdout } = await store.shell('{ $HRUN run --rm busybox cat; cat; }', { input: 'kept' });
    expect(stdout).toBe('kept');
  });

  test('a file as standard input and closed descriptors work', async () => {
    const file = join(FIXTURES, 'oci-layout');
    expect((await store.shell(`$HRUN run --rm -i busybox cat < ${file}`)).stdout).toContain(
      'imageLayoutVersion',
    );
    const closed = await store.shell("$HRUN run --rm -i busybox sh -c 'cat; echo done' <&-");
    expect(closed.stdout).toBe('done\n');
  });

  test('256 MiB through cat arrive intact, in bounded memory of the CLI', async () => {
    const block = Buffer.alloc(1 << 20);
    for (let i = 0; i < block.length; i += 4) block.writeUInt32LE((i * 2654435761) >>> 0, i);
    const blocks = 256;
    const sent = createHash('sha256');
    for (let i = 0; i < blocks; i++) sent.update(block);
    const child = store.start(['run', '--rm', '-i', 'busybox', 'cat'], {
      ...{ stdin: 'pipe', encoding: 'buffer', buffer: false, timeout: 500_000 },
    });
    Readable.from(Array(blocks).fill(block)).pipe(child.stdin!);
    const got = createHash('sha256');
    let peakKib = 0;
    for await (const chunk of child.stdout!) {
      got.update(chunk as Buffer);
      peakKib = Math.max(peakKib, residentKib(child.pid!));
    }
    expect((await child).exitCode).toBe(0);
    expect(peakKib).toBeGreaterThan(0);
    expect(peakKib).toBeLessThan(200 * 1024);
    expect(got.digest('hex')).toBe(sent.digest('hex'));
  }, 600_000);

  test('a reader that goes away ends the container, with exit code 141', async () => {
    const script = '{ $HRUN run --rm busybox yes; echo "code $?" >&2; } | head -n 1';
    const { stdout, stderr } = await store.shell(script);
    expect({ stdout, stderr }).toEqual({ stdout: 'y\n', stderr: 'code 141\n' });
    expect(store.containers()).toEqual([]);
  });

  test('output that cannot be written is said in one line', async () => {
    const result = await store.shell("$HRUN run --rm busybox sh -c 'echo x; sleep 100' >/dev/full");
    expect(result.exitCode).toBe(125);
    expect(result.stderr).toMatch(/^hrun: cannot write the container's output: .*ENOSPC.*\n$/);
  });

  test('a slow reader slows the process down, and loses nothing', async () => {
    const child = store.start(['run', '--rm', 'busybox', 'seq', '1', '300000'], { buffer: false });
    child.stdout!.pause();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    let text = '';
    for await (const chunk of child.stdout!) text += chunk;
    expect(text.split('\n').length).toBe(300_001);
    expect(text.endsWith('299999\n300000\n')).toBe(true);
    expect((await child).exitCode).toBe(0);
  });

  test('nothing is left behind', async () => {
    expect(store.containers()).toEqual([]);
    expect(store.names()).toEqual([]);
    await eventually(() => store.processes().length === 0);
    expect(existsSync(join(store.dir, 'lock'))).toBe(true);
  });
});
