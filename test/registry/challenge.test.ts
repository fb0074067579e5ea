// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';

test.each([
  ['Basic realm="x"', [['basic', { realm: 'x' }]]],
  ['Basic', [['basic', {}]]],
  [
    'Bearer realm="https://auth.example/token",service="s",scope="repository:a:pull,push"',
    [['bearer', { realm: 'https://auth.example/token', service: 's', scope: 'repository:a:pull,push' }]],
  ],
  ['bEARER Realm=a , service = "b \\" c"', [['bearer', { realm: 'a', service: 'b " c' }]]],
  [
    'Basic realm="a", Bearer realm="b", error="c"',
    [
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'b', error: 'c' }],
    ],
  ],
  [
    'Bearer realm="open',
    [
      ['bearer', {}],
      ['realm', {}],
    ],
  ],
  ['', []],
  ['"""', []],
  ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
  ['Bearer __proto__="x"', [['bearer', { ['__proto__']: 'x' }]]],
])('%s', (header, expected) => {
  const parsed = parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }]);
  expect(parsed).toEqual(expected);
});
