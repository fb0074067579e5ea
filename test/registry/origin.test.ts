// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { mayReceivePassword, mayUse, serversOf } from '../../src/registry/origin.ts';

describe('which token servers get a password', () => {
  test.each([
    ['https://registry-1.docker.io', 'https://auth.docker.io', true],
    ['https://ghcr.io', 'https://ghcr.io', true],
    ['https://registry.example.com', 'https://registry.example.com:8443', true],
    ['https://registry.example.com', 'http://registry.example.com', false],
    ['https://registry.example.com', 'https://evil.test', false],
    ['https://registry.example.com', 'https://example.com.evil.test', false],
    ['https://registry.example.com', 'https://notexample.com', false],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001', true],
    ['http://registry.lan:5000', 'http://auth.registry.lan', false],
    ['http://registry.lan:5000', 'http://registry.lan:5000', true],
    ['https://10.0.0.1', 'https://10.0.0.1:8443', true],
    ['https://10.0.0.1', 'https://20.0.0.1', false],
    ['https://127.0.0.1', 'https://evil.test', false],
  ])('%s → %s: %s', (origin, realm, allowed) => {
    expect(mayReceivePassword(new URL(realm), new URL(origin), {})).toBe(allowed);
  });

  test('another site only when the configuration names it', () => {
    const settings = { tokenRealms: ['https://login.other.test'] };
    const origin = new URL('https://registry.example.com');
    expect(mayReceivePassword(new URL('https://login.other.test/token'), origin, settings)).toBe(true);
    expect(mayReceivePassword(new URL('https://login.other.test:8443/token'), origin, settings)).toBe(false);
  });
});

describe('where a registry is', () => {
  test('Docker Hub is registry-1.docker.io', () => {
    expect(serversOf('docker.io', {})).toMatchObject([
      { scheme: 'https:', authority: 'registry-1.docker.io' },
    ]);
  });

  test('mirrors come first, with their own settings', () => {
    const table = {
      'docker.io': { mirrors: ['http://mirror.lan:5000'] },
      'mirror.lan:5000': { plainHttp: true },
    };
    expect(serversOf('docker.io', table)).toMatchObject([
      { scheme: 'http:', authority: 'mirror.lan:5000', settings: { plainHttp: true } },
      { scheme: 'https:', authority: 'registry-1.docker.io' },
    ]);
  });

  test('plain http is for loopback and for what the configuration names', () => {
    const table = { 'plain.lan:5000': { plainHttp: true } };
    expect(serversOf('127.0.0.1:5000', {})[0]!.scheme).toBeUndefined();
    expect(serversOf('registry.lan:5000', {})[0]!.scheme).toBe('https:');
    expect(serversOf('plain.lan:5000', table)[0]!.scheme).toBe('http:');
    expect(mayUse(new URL('http://plain.lan:5000/x'), table)).toBe(true);
    expect(mayUse(new URL('http://127.0.0.1/x'), table)).toBe(true);
    expect(mayUse(new URL('http://127.0.0.1.evil.test/x'), table)).toBe(false);
    expect(mayUse(new URL('file:///etc/passwd'), table)).toBe(false);
  });
});
