// SPDX-License-Identifier: Apache-2.0
// The registry client against servers that misbehave. The well-behaved case is test/registry/docker-registry.test.ts.
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  CredentialStore,
  Credentials,
  RegistryTable,
  RegistryTiming,
} from '../../src/registry/index.ts';
import { parseTagged, RegistryClient } from '../../src/registry/index.ts';
import { type BuiltImage, buildImage, makeTar, noise } from '../fixtures/built-image.ts';
import {
  answer,
  isBlob,
  type MisbehavingRegistry,
  startMisbehavingRegistry,
} from '../fixtures/misbehaving-registry.ts';

const QUICK: Partial<RegistryTiming> = { backoffMs: 1, maxBackoffMs: 20 };
const ANNA: Credentials = { kind: 'password', username: 'anna', password: 'secret' };

let registry: MisbehavingRegistry;
let other: MisbehavingRegistry;
let image: BuiltImage;

beforeEach(async () => {
  [registry, other] = await Promise.all([startMisbehavingRegistry(), startMisbehavingRegistry()]);
  image = buildImage({ tars: [makeTar({ data: noise(300_000) })] });
  registry.add('latest', image);
});

afterEach(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
});

function logins(credentials?: Credentials): CredentialStore {
  return { get: async () => credentials, put: async () => {}, erase: async () => false };
}

function client(credentials?: Credentials, table: RegistryTable = {}, timing = QUICK): RegistryClient {
  return new RegistryClient({ credentials: logins(credentials), table, timing });
}

function name(tag = 'latest') {
  return parseTagged(`${registry.address}/team/app:${tag}`);
}

async function fetchManifest(credentials?: Credentials, timing = QUICK) {
  using open = client(credentials, {}, timing);
  return await open.manifest(name());
}

async function fetchLayer(
  credentials?: Credentials,
  descriptor = image.manifest.layers[0]!,
  timing = QUICK,
): Promise<Buffer> {
  using open = client(credentials, {}, timing);
  const parts: Buffer[] = [];
  for await (const chunk of open.blob(name(), descriptor)) parts.push(chunk);
  return Buffer.concat(parts);
}

function layerBytes(): Buffer {
  return image.blobs.get(image.manifest.layers[0]!.digest)!;
}

const failing = (code: string) => expect.objectContaining({ name: 'HrunError', code });

describe('a manifest', () => {
  test('arrives with the digest of its bytes', async () => {
    expect(await fetchManifest()).toMatchObject({
      digest: image.descriptor.digest,
      bytes: image.manifestBytes,
    });
  });

  test('that is not what its digest says is refused', async () => {
    registry.manifests.set(image.descriptor.digest, {
      type: image.descriptor.mediaType,
      bytes: Buffer.from('{}'),
    });
    using open = client();
    const byDigest = { domain: registry.address, path: 'team/app', digest: image.descriptor.digest };
    await expect(open.manifest(byDigest)).rejects.toEqual(failing('DIGEST_MISMATCH'));
  });

  test('that differs from its Docker-Content-Digest is refused', async () => {
    registry.misbehave((request, response) => {
      if (!request.url!.includes('/manifests/')) return false;
      answer(response, 200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }, image.manifestBytes);
      return true;
    });
    await expect(fetchManifest()).rejects.toEqual(failing('DIGEST_MISMATCH'));
  });

  test.each(['with a length', 'without a length'])('of more than 4 MiB is refused (%s)', async (kind) => {
    registry.misbehave((request, response) => {
      if (!request.url!.includes('/manifests/')) return false;
      if (kind === 'with a length') answer(response, 200, {}, Buffer.alloc(4 * 1024 * 1024 + 1));
      else endless(response);
      return true;
    });
    await expect(fetchManifest()).rejects.toThrow(/more than 4194304 bytes/);
  });

  test('that does not exist says so', async () => {
    using open = client();
    const missing = open.manifest(name('nope'));
    await expect(missing).rejects.toEqual(failing('NO_SUCH_REMOTE_IMAGE'));
    await expect(missing).rejects.toThrow(/team\/app:nope/);
  });
});

describe('a registry that is unwell', () => {
  test('is asked again after 503, and after as long as it says', async () => {
    let failures = 0;
    registry.misbehave((request, response) => {
      if (request.url === '/v2/' || failures++ >= 2) return false;
      answer(response, 503, { 'retry-after': '0' });
      return true;
    });
    await expect(fetchManifest()).resolves.toBeDefined();
    expect(failures).toBe(3);
  });

  test('is given up after some attempts, with its own words', async () => {
    registry.misbehave((request, response) => {
      if (request.url === '/v2/') return false;
      answer(response, 429, {}, '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}');
      return true;
    });
    await expect(fetchManifest()).rejects.toThrow(/answered 429: slow down/);
    expect(registry.seen.filter(({ url }) => url.includes('manifests'))).toHaveLength(5);
  });

  test('is unreachable at once when nobody listens', async () => {
    const address = registry.address;
    await registry[Symbol.asyncDispose]();
    using open = client();
    const refused = open.manifest(parseTagged(`${address}/x`));
    await expect(refused).rejects.toEqual(failing('REGISTRY_UNREACHABLE'));
    await expect(refused).rejects.toThrow(/connection refused/);
  });

  test('that never answers is given up', async () => {
    registry.misbehave((request) => request.url !== '/v2/');
    await expect(fetchManifest(undefined, { ...QUICK, responseMs: 500 })).rejects.toEqual(
      failing('REGISTRY_UNREACHABLE'),
    );
  });

  test('that does not speak HTTP is told apart', async () => {
    const server = createServer((socket) => socket.end('220 smtp.example ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    using open = client();
    await expect(open.manifest(parseTagged(`127.0.0.1:${port}/x`))).rejects.toEqual(
      failing('REGISTRY_ERROR'),
    );
    server.close();
  });

  test('that sends endless headers is cut off', async () => {
    registry.misbehave((request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(200, { 'x-much': 'y'.repeat(200_000) }).end();
      return true;
    });
    await expect(fetchManifest()).rejects.toEqual(failing('REGISTRY_ERROR'));
  });
});

describe('a blob', () => {
  test('goes on where a reset connection left off', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request) || request.headers.range) return false;
      response.writeHead(200, { 'content-length': String(layerBytes().length), etag: '"v1"' });
      response.write(layerBytes().subarray(0, 100_000), () => response.destroy());
      return true;
    });
    expect((await fetchLayer()).equals(layerBytes())).toBe(true);
    expect(registry.seen.at(-1)!.range).toMatch(/^bytes=\d+-$/);
  });

  test('is taken from the start by a server without ranges, and what is known is skipped', async () => {
    let first = true;
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      response.writeHead(200, { 'content-length': String(layerBytes().length) });
      if (first) response.write(layerBytes().subarray(0, 70_000), () => response.destroy());
      else response.end(layerBytes());
      first = false;
      return true;
    });
    expect((await fetchLayer()).equals(layerBytes())).toBe(true);
  });

  test('that comes from another offset than asked for is refused', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      if (request.headers.range) {
        answer(
          response,
          206,
          { 'content-range': `bytes 0-9/${layerBytes().length}` },
          layerBytes().subarray(0, 10),
        );
        return true;
      }
      response.writeHead(200, { 'content-length': String(layerBytes().length) });
      response.write(layerBytes().subarray(0, 70_000), () => response.destroy());
      return true;
    });
    await expect(fetchLayer()).rejects.toThrow(/another part/);
  });

  test('that keeps breaking off is given up', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      response.writeHead(200, { 'content-length': String(layerBytes().length) });
      response.write('x', () => response.destroy());
      return true;
    });
    await expect(fetchLayer()).rejects.toEqual(failing('REGISTRY_UNREACHABLE'));
    expect(registry.seen.filter(({ url }) => url.includes('blobs')).length).toBeLessThanOrEqual(5);
  });

  test('with another length than the manifest says is refused before it is read', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      answer(response, 200, {}, Buffer.alloc(layerBytes().length + 1));
      return true;
    });
    await expect(fetchLayer()).rejects.toEqual(failing('DIGEST_MISMATCH'));
  });

  test('that does not end is cut off at its size', async () => {
    registry.misbehave((request, response) => isBlob(request) && endless(response));
    await expect(fetchLayer()).rejects.toThrow(/has more than/);
  });

  test('that is shorter than its size is given up', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.end('short');
      return true;
    });
    await expect(fetchLayer()).rejects.toThrow(/ends after 5 of/);
  });

  test('that drips is given up as stalled', async () => {
    registry.misbehave((request, response) => {
      if (!isBlob(request)) return false;
      response.writeHead(200, { 'content-length': String(layerBytes().length) });
      const drip = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(drip));
      return true;
    });
    const impatient = fetchLayer(undefined, undefined, { ...QUICK, stallMs: 400 });
    await expect(impatient).rejects.toThrow(/next to nothing/);
  });
});

describe('credentials', () => {
  /** The registry wants basic authentication for everything. */
  function wantsPassword(redirectTo?: string): void {
    registry.misbehave((request, response) => {
      if (request.headers.authorization === undefined) {
        answer(response, 401, { 'www-authenticate': 'Basic realm="here"' });
        return true;
      }
      if (redirectTo === undefined || !isBlob(request)) return false;
      answer(response, 307, { location: `${redirectTo}${request.url}` });
      return true;
    });
  }

  test('are sent only when they are asked for', async () => {
    await fetchManifest(ANNA);
    expect(registry.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test('do not follow a redirect to another port of the same host', async () => {
    wantsPassword(other.url);
    other.add('latest', image);
    expect((await fetchLayer(ANNA)).equals(layerBytes())).toBe(true);
    expect(registry.seen.some(({ authorization }) => authorization !== undefined)).toBe(true);
    expect(other.seen).toHaveLength(1);
    expect(other.seen[0]!.authorization).toBeUndefined();
  });

  test.each(['asks', 'does not ask'])(
    'are not given to a redirect target that asks for them, when the registry %s itself',
    async (kind) => {
      if (kind === 'asks') wantsPassword(other.url);
      else
        registry.misbehave((request, response) => {
          if (!isBlob(request)) return false;
          answer(response, 307, { location: `${other.url}${request.url}` });
          return true;
        });
      other.misbehave((_, response) => {
        answer(response, 401, { 'www-authenticate': `Basic realm="x", Bearer realm="${other.url}/token"` });
        return true;
      });
      await expect(fetchLayer(ANNA)).rejects.toEqual(failing('REGISTRY_DENIED'));
      expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    },
  );

  test('in the location of a redirect are not sent', async () => {
    wantsPassword(other.url.replace('http://', 'http://mallory:x@'));
    other.add('latest', image);
    await fetchLayer(ANNA);
    expect(other.seen[0]!.authorization).toBeUndefined();
  });

  test('that are wrong are told as wrong', async () => {
    registry.misbehave((_, response) => {
      answer(response, 401, { 'www-authenticate': 'Basic realm="here"' });
      return true;
    });
    await expect(fetchManifest(ANNA)).rejects.toThrow(/refused the login/);
    await expect(fetchManifest()).rejects.toThrow(/access to .* is denied/);
  });

  test('are not used for a foreign layer, which comes from its own URL', async () => {
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const foreign = buildImage({ layerType: type, layer: { urls: [`${other.url}/files/layer`] } });
    const layer = foreign.manifest.layers[0]!;
    wantsPassword();
    other.misbehave((_, response) => {
      answer(response, 200, {}, foreign.blobs.get(layer.digest)!);
      return true;
    });
    const bytes = await fetchLayer(ANNA, layer);
    expect(bytes.equals(foreign.blobs.get(layer.digest)!)).toBe(true);
    expect(other.seen).toMatchObject([{ url: '/files/layer', authorization: undefined }]);
  });

  test('are not sent to a token server of another site', async () => {
    registry.misbehave((_, response) => {
      answer(response, 401, { 'www-authenticate': 'Bearer realm="https://evil.invalid/token",service="s"' });
      return true;
    });
    await expect(fetchManifest(ANNA)).rejects.toThrow(/password to be sent to https:\/\/evil\.invalid/);
  });

  test('are exchanged for a token, which is used for all of the image', async () => {
    const tokens = wantsToken();
    await fetchLayer(ANNA);
    expect(tokens.requests).toHaveLength(1);
    expect(tokens.requests[0]).toMatchObject({ authorization: `Basic ${btoa('anna:secret')}` });
    expect(new URL(tokens.requests[0]!.url, other.url).searchParams.get('scope')).toBe(
      'repository:team/app:pull',
    );
  });

  test('that are an identity token go to the token server in a POST, never to the registry', async () => {
    const tokens = wantsToken();
    await fetchLayer({ kind: 'identity-token', token: 'refresh-me' });
    expect(tokens.requests).toMatchObject([{ method: 'POST', authorization: undefined }]);
    expect(new URLSearchParams(tokens.bodies[0])).toEqual(
      new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: 'refresh-me',
        client_id: 'hrun',
        service: 's',
        scope: 'repository:team/app:pull',
      }),
    );
    expect(registry.seen.some(({ authorization }) => authorization?.includes('refresh-me'))).toBe(false);
  });

  test.each(['a\r\nx-injected: 1', '', 'a b'])(
    'a token server that gives %j as token is refused',
    async (token) => {
      wantsToken(token);
      await expect(fetchManifest(ANNA)).rejects.toThrow(/no usable token/);
    },
  );

  /** `other` gives tokens for `registry`. */
  function wantsToken(token = 'the-token') {
    const bodies: string[] = [];
    registry.misbehave((request, response) => {
      if (request.url === '/v2/' || request.headers.authorization === `Bearer ${token}`) return false;
      answer(response, 401, { 'www-authenticate': `Bearer realm="${other.url}/token",service="s"` });
      return true;
    });
    other.misbehave((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (chunk) => parts.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(parts).toString());
        answer(response, 200, {}, JSON.stringify({ token, expires_in: 300 }));
      });
      return true;
    });
    return { requests: other.seen, bodies };
  }
});

describe('redirects', () => {
  const redirectAll = (location: (url: string) => string) =>
    registry.misbehave((request, response) => {
      if (request.url === '/v2/') return false;
      answer(response, 302, { location: location(request.url!) });
      return true;
    });

  test('that go round in a circle end', async () => {
    redirectAll((url) => url);
    await expect(fetchManifest()).rejects.toThrow(/redirected more than 5 times/);
  });

  test.each(['file:///etc/passwd', 'http://198.51.100.1/x', 'gopher://x/', 'javascript:1', 'http://'])(
    'to %s are refused',
    async (location) => {
      redirectAll(() => location);
      await expect(fetchManifest()).rejects.toEqual(failing('REGISTRY_ERROR'));
    },
  );
});

describe('mirrors', () => {
  test('are asked first, and the registry when they fail', async () => {
    const table = { [registry.address]: { mirrors: [other.url] } };
    using open = client(undefined, table);
    expect((await open.manifest(name())).digest).toBe(image.descriptor.digest);
    expect(other.seen.length).toBeGreaterThan(0);
    expect(registry.seen.length).toBeGreaterThan(0);
    other.add('latest', image);
    registry.seen.length = 0;
    expect((await open.manifest(name())).digest).toBe(image.descriptor.digest);
    expect(registry.seen).toHaveLength(0);
  });
});

describe('a list of tags', () => {
  test('is followed through its pages, and only on the registry itself', async () => {
    registry.misbehave((request, response) => {
      if (!request.url!.includes('/tags/list')) return false;
      const last = request.url!.includes('last=');
      const link: Record<string, string> = last
        ? {}
        : { link: `<${other.url}/v2/team/app/tags/list?last=b>; rel="next"` };
      answer(response, 200, link, JSON.stringify({ name: 'team/app', tags: last ? ['c'] : ['a', 'b'] }));
      return true;
    });
    using open = client();
    expect(await open.tags(name())).toEqual(['a', 'b', 'c']);
    expect(other.seen).toEqual([]);
  });
});

function endless(response: import('node:http').ServerResponse): true {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65536, 0x20)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
  return true;
}
