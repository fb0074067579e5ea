// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseEgress } from '../../../src/cli/options/egress.ts';

describe('--egress', () => {
  test('that is not given allows everything, and none allows nothing', () => {
    expect(parseEgress([])).toBeUndefined();
    expect(parseEgress(['none'])).toEqual({ subnets: [], names: [] });
  });

  test('is subnets, addresses and names, each once', () => {
    const given = [
      '10.1.2.3/8',
      '192.0.2.7',
      '0.0.0.0/0',
      'Example.COM.',
      '*.example.org',
      '192.0.2.7/32',
      'fd12::9/8',
      '2001:DB8::1',
    ];
    expect(parseEgress(given.map((target) => `allow=${target}`))).toEqual({
      subnets: ['10.0.0.0/8', '192.0.2.7/32', '0.0.0.0/0', 'fd00::/8', '2001:db8::1/128'],
      names: ['example.com', '*.example.org'],
    });
  });

  test.each([
    '',
    'all',
    'deny=10.0.0.0/8',
    'allow=',
    'allow=10.0.0.0/33',
    'allow=10.0.0/8',
    'allow=1.2.3.4/8/8',
    'allow=a b',
    'allow=fd00::1/129',
    'allow=fd00::1%eth0',
    'allow=fd00::/8/8',
    'allow=*',
    'allow=a.*.example',
    'allow=https://example.com',
    `allow=${'a'.repeat(64)}.example`,
  ])('cannot be %j', (text) => {
    expect(() => parseEgress([text])).toThrow('is not what a container may reach');
  });

  test('cannot be none and something', () => {
    expect(() => parseEgress(['none', 'allow=10.0.0.0/8'])).toThrow('contradict each other');
  });
});
