// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { takeTurn } from '../../src/core/start-turn.ts';
import { temporaryRoot } from '../fixtures/store-root.ts';

test('twice as many machines as there are CPUs may boot, and the next one when one of them is up', async () => {
  await using root = await temporaryRoot();
  const id = 'c'.repeat(64);
  const held = await Promise.all(
    Array.from({ length: 2 * availableParallelism() }, () => takeTurn(root, id)),
  );
  let came = false;
  const next = takeTurn(root, id).then((turn) => {
    came = true;
    return turn;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(came).toBe(false);
  for (const turn of held) turn.release();
  (await next).release();
});
