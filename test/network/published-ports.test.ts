// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { native } from '../../src/native/index.ts';
import { allPublishedPorts, forgetDeadPorts, publishedPorts } from '../../src/network/published-ports.ts';

const [LIVE, DEAD] = ['a'.repeat(64), 'b'.repeat(64)];
const PORT = { protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080, address: '172.31.0.2', port: 80 };

let root: Root;
const path = (id: string) => join(root.networks, '.ports', id);

beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-ports-')));
  mkdirSync(join(root.networks, '.ports'), { recursive: true });
  for (const id of [LIVE, DEAD]) writeFileSync(path(id), JSON.stringify({ version: 1, ports: [PORT] }));
  writeFileSync(path(`${LIVE}.unfinished`), '{');
});
afterEach(() => rmSync(root.dir, { recursive: true }));

describe('records of published ports', () => {
  test('are read by container, and all together', () => {
    expect(publishedPorts(root, LIVE)).toEqual([PORT]);
    expect(publishedPorts(root, 'c'.repeat(64))).toEqual([]);
    expect(allPublishedPorts(root)).toEqual([PORT, PORT]);
  });

  test('count as nothing when a power cut has left them empty', () => {
    writeFileSync(path(DEAD), '');
    expect(allPublishedPorts(root)).toEqual([PORT]);
  });

  test('go when nobody has them locked', () => {
    const lock = native().lockFile(path(LIVE), { shared: false, wait: false })!;
    expect(forgetDeadPorts(root)).toEqual([PORT]);
    expect([existsSync(path(LIVE)), existsSync(path(DEAD))]).toEqual([true, false]);
    expect(forgetDeadPorts(root)).toBeUndefined();
    lock.release();
    expect(forgetDeadPorts(root)).toEqual([PORT]);
  });

  test('that others than the firewall lead are none of its own', () => {
    writeFileSync(path(DEAD), JSON.stringify({ version: 1, ruled: false, ports: [PORT] }));
    expect(allPublishedPorts(root)).toEqual([PORT]);
    rmSync(path(LIVE));
    expect(forgetDeadPorts(root)).toEqual([]);
  });
});
