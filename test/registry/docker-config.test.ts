// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CredentialStore, dockerCredentials } from '../../src/registry/index.ts';

let dir: string;
let path: string;
let store: CredentialStore;
const PATH = process.env.PATH;
const ANNA = { kind: 'password', username: 'anna', password: 'se:cret' } as const;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrun-login-'));
  path = join(dir, 'docker', 'config.json');
  store = dockerCredentials(path);
});

afterEach(async () => {
  process.env.PATH = PATH;
  await rm(dir, { recursive: true });
});

async function config(value: object | string): Promise<void> {
  path = join(dir, 'config.json');
  store = dockerCredentials(path);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
}

async function read(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

const auth = Buffer.from('anna:se:cret').toString('base64');

describe('a login', () => {
  test('is kept where and as Docker keeps it, for the owner only', async () => {
    await store.put('localhost:5000', ANNA);
    expect(await read()).toEqual({ auths: { 'localhost:5000': { auth } } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'docker'))).mode & 0o777).toBe(0o700);
    expect(await store.get('localhost:5000')).toEqual(ANNA);
    expect(await readdir(join(dir, 'docker'))).toEqual(['config.json']);
  });

  test('for Docker Hub has the key that docker uses', async () => {
    await store.put('docker.io', ANNA);
    expect(await read()).toEqual({ auths: { 'https://index.docker.io/v1/': { auth } } });
    expect(await store.get('docker.io')).toEqual(ANNA);
  });

  test('leaves all else in the file as it was', async () => {
    await config({ auths: { a: { auth } }, HttpHeaders: { x: 'y' }, psFormat: 'table' });
    await store.put('b', ANNA);
    expect(await read()).toEqual({
      auths: { a: { auth }, b: { auth } },
      HttpHeaders: { x: 'y' },
      psFormat: 'table',
    });
  });

  test('goes through a symbolic link to the file it means', async () => {
    const target = join(dir, 'elsewhere.json');
    await writeFile(target, '{}');
    path = join(dir, 'config.json');
    await symlink(target, path);
    await dockerCredentials(path).put('b', ANNA);
    expect(JSON.parse(await readFile(target, 'utf8'))).toEqual({ auths: { b: { auth } } });
  });

  test('is erased once', async () => {
    await store.put('b', ANNA);
    expect(await store.erase('b')).toBe(true);
    expect(await store.get('b')).toBeUndefined();
    expect(await store.erase('b')).toBe(false);
  });

  test.each(['https://reg.test', 'https://reg.test/v1/', 'http://reg.test/', 'reg.test'])(
    'is found under the key %s',
    async (key) => {
      await config({ auths: { [key]: { auth } } });
      expect(await store.get('reg.test')).toEqual(ANNA);
      expect(await store.get('other.test')).toBeUndefined();
    },
  );

  test('with an identity token is no password', async () => {
    await store.put('b', { kind: 'identity-token', token: 't0k' });
    expect(await read()).toMatchObject({ auths: { b: { identitytoken: 't0k' } } });
    expect(await store.get('b')).toEqual({ kind: 'identity-token', token: 't0k' });
  });

  test.each(['{', '[]', '{"auths":[]}', '{"auths":{"b":7}}', '{"credsStore":7}'])(
    'cannot be read from %s, and the file is left alone',
    async (text) => {
      await config(text);
      await expect(store.get('b')).rejects.toEqual(expect.objectContaining({ code: 'CONFIG' }));
      await expect(store.put('b', ANNA)).rejects.toEqual(expect.objectContaining({ code: 'CONFIG' }));
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );
});

describe('a credential helper', () => {
  /** A real program that keeps one login in a file. */
  async function install(name: string): Promise<void> {
    const program = join(dir, `docker-credential-${name}`);
    const script = `#!/bin/sh
store=${join(dir, 'kept')}
case $1 in
  get) read -r server; [ -f "$store" ] && grep -q "\\"$server\\"" "$store" || { echo "credentials not found in native keychain"; exit 1; }; cat "$store" ;;
  store) cat > "$store" ;;
  erase) rm -f "$store" ;;
esac
`;
    await writeFile(program, script);
    await chmod(program, 0o755);
    process.env.PATH = `${dir}:${PATH}`;
  }

  test('keeps the login instead of the file', async () => {
    await install('test');
    await config({ credsStore: 'test' });
    await store.put('reg.test', ANNA);
    expect(await read()).toEqual({ auths: { 'reg.test': {} }, credsStore: 'test' });
    expect(await store.get('reg.test')).toEqual(ANNA);
    expect(await store.get('other.test')).toBeUndefined();
    expect(await store.erase('reg.test')).toBe(true);
    expect(await store.get('reg.test')).toBeUndefined();
  });

  test('is used for the registry it is named for', async () => {
    await install('test');
    await config({ credHelpers: { 'reg.test': 'test' }, auths: { 'other.test': { auth } } });
    await writeFile(join(dir, 'kept'), '{"ServerURL":"reg.test","Username":"<token>","Secret":"idt"}');
    expect(await store.get('reg.test')).toEqual({ kind: 'identity-token', token: 'idt' });
    expect(await store.get('other.test')).toEqual(ANNA);
  });

  test('that is missing, or is a path, is named in the error', async () => {
    await config({ credsStore: 'not-installed' });
    await expect(store.get('b')).rejects.toThrow(/docker-credential-not-installed is not installed/);
    await config({ credsStore: '../evil' });
    await expect(store.get('b')).rejects.toThrow(/not the name of a credential helper/);
  });
});
