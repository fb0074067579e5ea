// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { planPorts } from '../../src/core/publish.ts';

const HTTP = { protocol: 'tcp', port: 80, hostIp: '', hostPort: '8080' } as const;
const IMAGE = { ExposedPorts: { '80/tcp': {}, 443: {}, '99/sctp': {} } };

describe('the ports of a container', () => {
  test('are those of the image, of --expose and of -p', () => {
    const { exposed, bindings } = planPorts(
      { publish: [HTTP], publishAll: false, expose: ['53/udp'] },
      IMAGE,
    );
    expect(exposed.sort()).toEqual(['80/tcp', '443/tcp', '99/sctp', '53/udp'].sort());
    expect(bindings).toEqual([HTTP]);
  });

  test('get with -P any port of the host, but for those that -p names', () => {
    const { bindings } = planPorts({ publish: [HTTP], publishAll: true, expose: ['53/udp'] }, IMAGE);
    expect(bindings).toEqual([
      HTTP,
      { protocol: 'tcp', port: 443, hostIp: '', hostPort: '' },
      { protocol: 'udp', port: 53, hostIp: '', hostPort: '' },
    ]);
  });

  test('are published by the hundred, not by the ten thousand', () => {
    const publish = Array.from({ length: 1025 }, () => HTTP);
    expect(() => planPorts({ publish, publishAll: false, expose: [] }, {})).toThrow(
      '1025 ports are too many',
    );
  });
});
