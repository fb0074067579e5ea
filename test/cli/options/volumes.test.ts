// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseMount } from '../../../src/cli/options/mount.ts';
import { parseVolume, parseVolumesFrom } from '../../../src/cli/options/volume.ts';

describe('-v', () => {
  test.each([
    ['/data', { type: 'volume', source: '', target: '/data', copy: true, createSource: false }],
    ['pg:/data', { type: 'volume', source: 'pg', target: '/data', readOnly: false, copy: true }],
    ['pg:/data:nocopy', { type: 'volume', copy: false }],
    ['/a//b/:/data/', { type: 'bind', source: '/a/b', target: '/data', createSource: true, copy: false }],
    ['/a:/b:ro,z', { type: 'bind', readOnly: true, mode: 'ro,z', spec: '/a:/b:ro,z' }],
    ['./sub:/b', { type: 'bind', source: resolve('sub'), target: '/b' }],
    ['..:/b', { type: 'bind', source: resolve('..'), target: '/b' }],
    ['/a:/b:rprivate', { type: 'bind', readOnly: false, cached: false }],
    ['/a:/b:ro,cached', { readOnly: true, cached: true, mode: 'ro,cached' }],
    ['pg:/data:delegated', { type: 'volume', cached: true }],
  ])('%s', (text, wanted) => {
    expect(parseVolume(text)).toMatchObject(wanted);
  });

  test.each([
    ['a:b:c:d', "invalid volume specification: 'a:b:c:d'"],
    ['', "invalid volume specification: ''"],
    [':/x', "invalid volume specification: ':/x'"],
    ['/a:b', 'mount path must be absolute'],
    ['/a:/', "destination can't be '/'"],
    ['/a:/x/..', "destination can't be '/'"],
    ['/a:/b:rx', 'invalid mode: rx'],
    ['/a:/b:ro,ro', 'invalid mode: ro,ro'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
    ['/a:/b:nocopy', 'invalid mode: nocopy'],
    ['a/b:/c', 'includes invalid characters for a local volume name'],
    ['/a:/b:rshared', 'mount propagation "rshared" ends at a VM\'s kernel'],
  ])('%j is refused', (text, message) => {
    expect(() => parseVolume(text)).toThrow(message);
  });

  test('--volumes-from takes a mode', () => {
    expect(parseVolumesFrom('db')).toEqual({ container: 'db', readOnly: undefined });
    expect(parseVolumesFrom('db:ro')).toEqual({ container: 'db', readOnly: true });
    expect(() => parseVolumesFrom('db:rx')).toThrow('invalid volumes-from');
  });
});

describe('--mount', () => {
  test.each([
    ['type=bind,source=/a,target=/b', { type: 'bind', source: '/a', target: '/b', createSource: false }],
    ['type=bind,src=/a,dst=/b,ro', { type: 'bind', readOnly: true, cached: false }],
    ['type=bind,src=/a,dst=/b,consistency=cached', { cached: true }],
    ['type=bind,src=/a,dst=/b,consistency=consistent', { cached: false }],
    ['type=bind,src=/a,dst=/b,readonly=false', { readOnly: false }],
    ['type=bind,"src=/a,b",dst=/b', { source: '/a,b' }],
    ['target=/b', { type: 'volume', source: '', copy: true }],
    ['source=pg,target=/b,volume-nocopy,volume-label=x=y', { source: 'pg', copy: false, labels: { x: 'y' } }],
    ['source=pg,target=/b,volume-opt=size=1g', { driverOptions: { size: '1g' } }],
    ['type=tmpfs,target=/b,tmpfs-size=1m,tmpfs-mode=1770', { options: 'size=1048576,mode=1770' }],
  ])('%s', (text, wanted) => {
    expect(parseMount(text)).toMatchObject(wanted);
  });

  test.each([
    ['type=bind,source=/a', 'target is required'],
    ['type=bind,target=/a', 'field Source must not be empty'],
    ['type=bind,source=a,target=/b', 'mount path must be absolute'],
    ['type=tmpfs,source=/a,target=/b', 'field Source must not be specified'],
    ['type=nfs,target=/b', 'mount type "nfs" is not known'],
    ['type=bind,source=/a,target=/b,color=red', "unexpected key 'color' in 'color=red'"],
    ['type=bind,source,target=/b', "invalid field 'source' must be a key=value pair"],
    ['type=bind,source=/a,target=/b,ro=maybe', 'invalid value: maybe'],
    ['type=bind,source=/a,target=/b,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
    ['type=bind,source=/a,target=/b,bind-propagation=shared', 'mount propagation "shared"'],
    ['type=bind,source=/a,target=/b,consistency=lazy', 'consistency "lazy" is not known'],
    ['target=/b,volume-driver=nfs', 'no volume driver "nfs"'],
    ['type=bind,"source=/a,target=/b', 'a quote is out of place'],
  ])('%j is refused', (text, message) => {
    expect(() => parseMount(text)).toThrow(message);
  });
});
