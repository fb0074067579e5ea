// SPDX-License-Identifier: Apache-2.0
// The options of commands other than run.
import { describe, expect, test } from 'vitest';
import { parseLogOptions } from '../../../src/cli/options/log.ts';
import { parsePruneFilters } from '../../../src/cli/options/prune.ts';
import { parseRestartPolicy } from '../../../src/cli/options/restart.ts';
import { parseStorageOptions } from '../../../src/cli/options/storage.ts';
import { parseTime } from '../../../src/cli/options/time.ts';
import { parseContainerFilters, wantsStopped } from '../../../src/core/container-filters.ts';

describe('a time', () => {
  const now = Date.parse('2024-05-06T07:08:09.500Z');

  test('is a span ago, seconds since 1970, or RFC 3339, to the nanosecond', () => {
    expect(parseTime('1h30m', '--since', now)).toBe('2024-05-06T05:38:09.500000000Z');
    expect(parseTime('1.5s', '--since', now)).toBe('2024-05-06T07:08:08.000000000Z');
    expect(parseTime('1714979289', '--since', now)).toBe('2024-05-06T07:08:09.000000000Z');
    expect(parseTime('1714979289.000000001', '--since', now)).toBe('2024-05-06T07:08:09.000000001Z');
    expect(parseTime('2024-05-06T09:08:09.123456789+02:00', '--since', now)).toBe(
      '2024-05-06T07:08:09.123456789Z',
    );
    expect(parseTime('2024-05-06', '--since', now)).toBe('2024-05-06T00:00:00.000000000Z');
  });

  test('is nothing else', () => {
    for (const bad of ['', 'yesterday', '10', '5x', '2024-13-45'].filter((text) => text !== '10')) {
      expect(() => parseTime(bad, '--since', now)).toThrow(/--since ".*" is not a time/);
    }
  });
});

describe('options of the container', () => {
  test("restart policies are Docker's four", () => {
    expect(parseRestartPolicy('on-failure:5')).toEqual({ name: 'on-failure', maximumRetries: 5 });
    expect(parseRestartPolicy('always')).toEqual({ name: 'always', maximumRetries: 0 });
    for (const bad of ['', 'sometimes', 'always:3', 'on-failure:', 'on-failure:-1']) {
      expect(() => parseRestartPolicy(bad)).toThrow(/is not a policy/);
    }
  });

  test('log options belong to their driver', () => {
    expect(parseLogOptions('json-file', ['max-size=10m', 'max-file=3'])).toEqual({
      driver: 'json-file',
      maxBytes: 10 << 20,
      maxFiles: 3,
    });
    expect(parseLogOptions('json-file', ['max-size=-1']).maxBytes).toBe(0);
    expect(() => parseLogOptions('json-file', ['max-file=3'])).toThrow(/needs a max-size/);
    expect(() => parseLogOptions('none', ['max-size=1m'])).toThrow(/means nothing to the driver none/);
    expect(() => parseLogOptions('json-file', ['nonesuch=1'])).toThrow(/means nothing/);
    expect(parseLogOptions('json-file', ['labels=a,b', 'env-regex=^X']).attributes).toEqual({
      labels: 'a,b',
      'env-regex': '^X',
    });
    expect(() => parseLogOptions('json-file', ['env-regex=['])).toThrow(/is not a regular expression/);
  });

  test("the disk's size is whole MiB and not too small", () => {
    expect(parseStorageOptions([])).toBeUndefined();
    expect(parseStorageOptions(['size=1g'])).toBe(1 << 30);
    expect(parseStorageOptions(['size=134217729'])).toBe(129 << 20);
    expect(() => parseStorageOptions(['size=1m'])).toThrow(/too small/);
    expect(() => parseStorageOptions(['quota=1m'])).toThrow(/is not known/);
  });
});

describe('filters', () => {
  test('of ps are keys that exist with values that make sense', () => {
    const filters = parseContainerFilters(['label=a=b', 'label=c', 'status=exited']);
    expect([...filters]).toEqual([
      ['label', ['a=b', 'c']],
      ['status', ['exited']],
    ]);
    expect(wantsStopped(filters)).toBe(true);
    expect(wantsStopped(parseContainerFilters(['name=x']))).toBe(false);
    expect(() => parseContainerFilters(['nonesuch=1'])).toThrow(/is not a filter/);
    expect(() => parseContainerFilters(['status'])).toThrow(/is not a filter/);
    expect(() => parseContainerFilters(['status=asleep'])).toThrow(/is not a status/);
  });

  test('of prune are until and labels', () => {
    expect(parsePruneFilters(['label=a', 'label!=b=c'])).toEqual({
      until: undefined,
      labels: ['a'],
      withoutLabels: ['b=c'],
    });
    expect(parsePruneFilters(['until=2024-05-06T07:08:09Z']).until).toBe(Date.parse('2024-05-06T07:08:09Z'));
    expect(() => parsePruneFilters(['age=1'])).toThrow(/is not a filter/);
  });
});
