// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { applyChanges } from '../../src/core/image-changes.ts';

describe('--change', () => {
  test.each<[string, object]>([
    ['CMD ["a", "b c"]', { Cmd: ['a', 'b c'] }],
    ['CMD a "b c"', { Cmd: ['/bin/sh', '-c', 'a "b c"'] }],
    ['env A=1 B="2 $HOME" C=\'$HOME\'', { Env: ['HOME=/h', 'A=1', 'B=2 /h', 'C=$HOME'] }],
    ['ENV A some text', { Env: ['HOME=/h', 'A=some text'] }],
    [`ENV HOME=$${'{NONE:-/x}'}`, { Env: ['HOME=/x'] }],
    ['EXPOSE 80 53/udp 90-91', { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '90/tcp': {}, '91/tcp': {} } }],
    ['LABEL a=b "c d"="e f"', { Labels: { a: 'b', 'c d': 'e f' } }],
    ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
    ['USER ada:staff', { User: 'ada:staff' }],
    ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
    ['VOLUME ["/c d"]', { Volumes: { '/c d': {} } }],
    ['WORKDIR /x/../y', { WorkingDir: '/y' }],
    ['STOPSIGNAL SIGINT', { StopSignal: 'SIGINT' }],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f localhost',
      { Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'], Interval: 90e9, Retries: 3 } },
    ],
  ])('%s', (change, expected) => {
    const base = { Env: ['HOME=/h'] };
    expect(applyChanges(base, [change])).toEqual({ ...base, ...expected });
  });

  test('a new entrypoint drops the old command, unless a command is given too', () => {
    const base = { Cmd: ['old'], Entrypoint: ['old'] };
    expect(applyChanges(base, ['ENTRYPOINT ["new"]'])).toEqual({ Cmd: null, Entrypoint: ['new'] });
    const both = { Cmd: ['c'], Entrypoint: ['new'] };
    expect(applyChanges(base, ['CMD ["c"]', 'ENTRYPOINT ["new"]'])).toEqual(both);
    expect(applyChanges(base, ['ENTRYPOINT ["new"]', 'CMD ["c"]'])).toEqual(both);
  });

  test('a relative WORKDIR is below the one before', () => {
    expect(applyChanges({ WorkingDir: '/a' }, ['WORKDIR b', 'WORKDIR c'])).toEqual({ WorkingDir: '/a/b/c' });
  });

  test.each([
    'FROM x',
    'RUN make',
    '',
    'CMD',
    'EXPOSE http',
    'LABEL a',
    'USER a b',
    'HEALTHCHECK curl',
    'constructor x',
  ])('refuses %s', (change) => {
    expect(() => applyChanges({}, [change])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
