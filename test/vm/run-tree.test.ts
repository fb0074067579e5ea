// SPDX-License-Identifier: Apache-2.0
// The tree in the guest is the one that another implementation unpacks.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeEveryCaseLayout } from '../fixtures/every-case-image.ts';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
let scratch: string;
let lister: string;
beforeAll(async () => {
  store = new TestStore();
  scratch = mkdtempSync(join(tmpdir(), 'hrun-tree-'));
  lister = join(scratch, 'list_tree');
  const source = join(import.meta.dirname, 'tree/list_tree.c');
  await execa('gcc', ['-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', lister, source]);
  await store.load(FIXTURES);
  await writeEveryCaseLayout(join(scratch, 'cases'), { layout: FIXTURES, name: 'busybox' });
  await store.load(join(scratch, 'cases'));
});
afterAll(() => {
  store.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** What umoci makes of an image, listed. */
async function unpacked(layout: string, name: string): Promise<string[]> {
  const bundle = join(scratch, 'bundle');
  await execa('umoci', ['unpack', '--image', `${layout}:${name}`, bundle]);
  const { stdout } = await execa(lister, [join(bundle, 'rootfs')], { maxBuffer: 1 << 28 });
  rmSync(bundle, { recursive: true });
  return stdout.split('\n');
}

/** What a container of the image sees, listed by the same program, which comes in by standard input. */
async function seenInGuest(image: string): Promise<string[]> {
  const run = 'cat > /mnt/l && chmod +x /mnt/l && exec /mnt/l /';
  const child = store.start(['run', '--rm', '-i', '--tmpfs', '/mnt:exec', image, 'sh', '-c', run], {
    ...{ stdin: 'pipe', input: readFileSync(lister), maxBuffer: 1 << 28 },
  });
  const { stdout, stderr, exitCode } = await child;
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return String(stdout).trimEnd().split('\n');
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(' '));
}

/** A directory that has its time from umoci's work: no layer describes it, or a whiteout changed it. */
function isTouched(line: string, since: number): boolean {
  const [, mode, , time] = line.split(' ');
  return mode!.startsWith('4') && mode!.length === 5 && Number(time) >= since;
}

/** The mount points of /etc/hosts and its like are made in it. */
function withoutTimeOfEtc(line: string): string {
  return nameOf(line) === 'etc' ? line.slice(0, line.lastIndexOf(' ')) : line;
}

describe('the root of a container', () => {
  test.each([
    ['busybox', ''],
    ['debian:demo', ''],
    ['every-case:1', 'cases'],
    ['many-layers:1', 'cases'],
  ])('%s is what umoci unpacks: modes, owners, times, links, xattrs, content', async (image, layout) => {
    const path = layout ? join(scratch, layout) : FIXTURES;
    const start = Math.floor(Date.now() / 1000);
    const [expected, seen] = [await unpacked(path, image), await seenInGuest(image)];
    const left = new Set(expected.filter((line) => isTouched(line, start)).map(nameOf));
    expect(left.size).toBeLessThan(10);
    const compared = (lines: string[]) =>
      lines.filter((line) => !left.has(nameOf(line))).map(withoutTimeOfEtc);
    expect(expected.length).toBeGreaterThan(50);
    const unexpected = compared(seen).filter((line) => !compared(expected).includes(line));
    expect(unexpected.slice(0, 20)).toEqual([]);
    expect(compared(seen)).toEqual(compared(expected));
  });

  test('a directory that upper layers only imply keeps what the layer below says of it', async () => {
    const usr = (lines: string[]) => lines.find((line) => nameOf(line) === 'usr');
    expect(usr(await seenInGuest('debian:demo'))).toBe(usr(await unpacked(FIXTURES, 'debian:demo')));
  });

  test('an image without layers is an empty root', async () => {
    const layout = join(scratch, 'empty');
    await execa('umoci', ['init', '--layout', layout]);
    await execa('umoci', ['new', '--image', `${layout}:empty`]);
    await store.load(layout);
    const result = await store.hrun(['run', '--rm', 'empty', '/bin/sh']);
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toMatch(/^hrun: exec: "\/bin\/sh"[^\n]*no such file[^\n]*\n$/i);
  });
});
