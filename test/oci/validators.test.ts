// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateValidators } from '../../scripts/generate-validators.ts';
import { parseImageConfig, parseManifest } from '../../src/oci/index.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 2 };
const manifest = { schemaVersion: 2, config, layers: [layer] };
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

describe('the generated validators', () => {
  test.each([...generateValidators().keys()])('%s fits the schemas', (path) => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8');
    expect(text === generateValidators().get(path), 'run: node scripts/generate-validators.ts').toBe(true);
  });
});

describe('a manifest', () => {
  const parse = (value: unknown, type?: string) =>
    parseManifest(Buffer.from(JSON.stringify(value)), type, 'it');

  test('is accepted as OCI and as Docker write it', () => {
    expect(parse(manifest).kind).toBe('manifest');
    expect(parse({ ...manifest, mediaType: OCI_MANIFEST }, OCI_MANIFEST).mediaType).toBe(OCI_MANIFEST);
    expect(parse({ schemaVersion: 2, manifests: [] }, DOCKER_LIST).kind).toBe('index');
  });

  test.each([
    ['a list', [manifest]],
    ['null', null],
    ['schema 1', { ...manifest, schemaVersion: 1 }],
    ['no layers', { schemaVersion: 2, config }],
    ['a digest that is a path', { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] }],
    ['an upper-case digest', { ...manifest, layers: [{ ...layer, digest: digest.replaceAll('0', 'A') }] }],
    ['another algorithm', { ...manifest, layers: [{ ...layer, digest: `md5:${'0'.repeat(32)}` }] }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    ['a size that is no number', { ...manifest, layers: [{ ...layer, size: '2' }] }],
    ['a size beyond exact numbers', { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] }],
    ['an unknown layer type', { ...manifest, layers: [{ ...layer, mediaType: 'text/html' }] }],
    [
      'a config that is no image config',
      { ...manifest, config: { ...config, mediaType: 'application/vnd.cncf.helm' } },
    ],
    ['too many layers', { ...manifest, layers: Array(513).fill(layer) }],
    ['an index inside', { ...manifest, manifests: [] }],
    ['another media type', { ...manifest, mediaType: 'text/plain' }],
    ['the type of an index', { ...manifest, mediaType: DOCKER_LIST }],
  ])('with %s is refused', (_, value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'BAD_IMAGE' }));
  });

  test('that is announced as something else is refused', () => {
    expect(() => parse({ ...manifest, mediaType: OCI_MANIFEST }, DOCKER_LIST)).toThrow(/announced as/);
  });
});

describe('an image config', () => {
  const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)), 'it');
  const good = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };

  test('may have nulls where Docker writes them', () => {
    const nulls = { Env: null, Cmd: null, Entrypoint: null, Volumes: null, Labels: null };
    expect(parse({ ...good, config: nulls, history: null }).os).toBe('linux');
  });

  test.each([
    ['Env of numbers', { ...good, config: { Env: [1] } }],
    ['a Cmd that is text', { ...good, config: { Cmd: 'sh' } }],
    ['labels of objects', { ...good, config: { Labels: { a: {} } } }],
    ['no rootfs', { architecture: 'amd64', os: 'linux' }],
    ['a diffID that is a path', { ...good, rootfs: { type: 'layers', diff_ids: ['../x'] } }],
  ])('with %s is refused', (_, value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'BAD_IMAGE' }));
  });

  test('that is not UTF-8 is refused', () => {
    expect(() => parseImageConfig(Buffer.from([0x7b, 0xff, 0x7d]), 'it')).toThrow(/not JSON/);
  });
});
