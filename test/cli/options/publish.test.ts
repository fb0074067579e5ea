// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseExpose, parsePublish } from '../../../src/cli/options/publish.ts';

const tcp = (port: number, hostPort: string, hostIp = '') => ({ protocol: 'tcp', port, hostIp, hostPort });

describe('--publish', () => {
  test.each([
    ['80', [tcp(80, '')]],
    ['8080:80', [tcp(80, '8080')]],
    [':80', [tcp(80, '')]],
    ['0:80', [tcp(80, '0')]],
    ['127.0.0.1:8080:80', [tcp(80, '8080', '127.0.0.1')]],
    ['127.0.0.1::80/tcp', [tcp(80, '', '127.0.0.1')]],
    ['[::1]:8080:80', [tcp(80, '8080', '::1')]],
    ['[0:0::0]::80', [tcp(80, '', '::')]],
    ['53:53/UDP', [{ ...tcp(53, '53'), protocol: 'udp' }]],
    ['8000-8001:80-81', [tcp(80, '8000'), tcp(81, '8001')]],
    ['8000-8010:80', [tcp(80, '8000-8010')]],
    ['80-81', [tcp(80, ''), tcp(81, '')]],
    ['target=80,published=8080,mode=ingress', [tcp(80, '8080')]],
    ['target=53,protocol=udp', [{ ...tcp(53, ''), protocol: 'udp' }]],
  ])('takes %s', (text, expected) => expect(parsePublish(text)).toEqual(expected));

  test.each([
    ['', 'no port specified: <empty>'],
    ['8080:', 'no port specified: 8080:<empty>'],
    ['8080:x', 'invalid containerPort: x'],
    ['0', 'invalid containerPort: 0'],
    ['8080:65536', 'invalid containerPort: 65536'],
    ['x:80', 'invalid hostPort: x'],
    ['9-8:80', 'invalid hostPort: 9-8'],
    ['80:80/icmp', 'invalid proto: icmp'],
    ['80:80/', 'invalid proto: '],
    ['1.2.3:80:80', 'invalid IP address: 1.2.3'],
    ['8000-8002:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8002'],
    ['target=80,port=3', "invalid publish opts format (should be name=value but got 'port=3')"],
    ['::1:80:80', 'invalid IP address: ::1'],
    ['[::1%lo]:80:80', 'invalid IP address: [::1%lo]'],
    ['[127.0.0.1]:80:80', 'invalid IP address: [127.0.0.1]'],
  ])('refuses %j', (text, message) => expect(() => parsePublish(text)).toThrow(message));
});

describe('--expose', () => {
  test('takes ports and ranges', () => {
    expect(parseExpose('80')).toEqual(['80/tcp']);
    expect(parseExpose('80-81/udp')).toEqual(['80/udp', '81/udp']);
  });

  test.each(['', 'x', '80:80', '81-80', '80/x', '0'])('refuses %j', (text) => {
    expect(() => parseExpose(text)).toThrow('invalid');
  });
});
