// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostNameServers, networkResolvers, resolvers } from '../../src/network/resolvers.ts';

const NOTHING = { servers: [], search: [], options: [] };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-resolvers-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

describe('resolv.conf of a container', () => {
  test('is the host’s without servers on its loopback', () => {
    const host = file(
      'a',
      '# host\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.2\nsearch a.example b\noptions edns0\n',
    );
    expect(resolvers(NOTHING, [host])).toBe('nameserver 10.0.0.2\nsearch a.example b\noptions edns0\n');
  });

  test('names the servers behind the host’s own resolver, else public ones', () => {
    const stub = file('a', 'nameserver 127.0.0.53\n');
    const real = file('b', 'nameserver 192.0.2.1\n');
    expect(resolvers(NOTHING, [stub, real])).toBe('nameserver 192.0.2.1\n');
    expect(resolvers(NOTHING, [stub, join(dir, 'missing')])).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
  });

  test('names the network’s server where it has one, and asks it for short names first', () => {
    const host = file('a', 'nameserver 127.0.0.53\nsearch a.example\noptions edns0\n');
    expect(networkResolvers(NOTHING, '10.5.0.1', [host])).toBe(
      'nameserver 10.5.0.1\nsearch a.example\noptions edns0 ndots:0\n',
    );
    const asked = { servers: ['1.1.1.1'], search: ['.'], options: ['ndots:2'] };
    expect(networkResolvers(asked, '10.5.0.1', [host])).toBe('nameserver 10.5.0.1\noptions ndots:2\n');
  });

  test('has behind it the servers that the host itself asks, on its loopback too', () => {
    const host = file('a', 'nameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver ::1\nnameserver x\n');
    expect(hostNameServers(host)).toEqual(['127.0.0.53', 'fe80::1%eth0', '::1']);
    expect(hostNameServers(file('b', ''))).toEqual(['8.8.8.8', '8.8.4.4']);
  });

  test('is as the user asks, part by part', () => {
    const host = file('a', 'nameserver 10.0.0.2\nsearch a.example\n');
    const asked = { servers: ['1.1.1.1'], search: ['.'], options: ['ndots:2'] };
    expect(resolvers(asked, [host])).toBe('nameserver 1.1.1.1\noptions ndots:2\n');
    expect(resolvers({ ...NOTHING, search: ['c'] }, [host])).toBe('nameserver 10.0.0.2\nsearch c\n');
  });
});
