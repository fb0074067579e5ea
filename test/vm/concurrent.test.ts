// SPDX-License-Identifier: Apache-2.0
// Two hundred hrun commands at the same time on one store.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

interface Result {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

/** All of them are started before the first is waited for. */
async function together(commands: string[][]): Promise<Result[]> {
  const running = commands.map((args) => store.start(args, { timeout: 1_100_000 }));
  return (await Promise.all(running)) as Result[];
}

const times = (count: number, command: (index: number) => string[]) =>
  Array.from({ length: count }, (_, i) => command(i));
const succeeded = (results: Result[]) => results.filter(({ exitCode }) => exitCode === 0);
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

const ok = store.ok.bind(store);

describe('two hundred commands at once', { timeout: 1_200_000 }, () => {
  test('each do their work or say why not, and leave a store in order', async () => {
    await ok('create', '--name', 'moved', 'busybox', 'true');
    await ok('create', '--name', 'removed', 'busybox', 'true');
    const groups = {
      create: times(40, (i) => [
        'create',
        '--name',
        `own-${i}`,
        '-v',
        `shared-${i % 4}:/d`,
        'busybox',
        'true',
      ]),
      same: times(20, () => ['create', '--name', 'same', 'busybox', 'true']),
      tag: times(20, (i) => ['tag', 'busybox', `copy-${i}:1`]),
      volume: times(20, (i) => ['volume', 'create', `volume-${i % 10}`]),
      rename: times(20, (i) => ['rename', 'moved', `moved-${i}`]),
      remove: times(10, () => ['rm', 'removed']),
      ps: times(40, () => ['ps', '-a', '-q']),
      images: times(20, () => ['images', '-q']),
      inspect: times(10, () => ['inspect', 'busybox']),
    };
    const commands = Object.entries(groups).flatMap(([name, list]) => list.map((args) => ({ name, args })));
    expect(commands).toHaveLength(200);
    const results = await together(commands.map(({ args }) => args));
    const of = (name: keyof typeof groups) => results.filter((_, i) => commands[i]!.name === name);

    for (const { exitCode, stderr } of results) {
      expect([0, 1, 125]).toContain(exitCode);
      expect(lines(stderr).length).toBe(exitCode === 0 ? 0 : 1);
    }
    for (const name of ['create', 'tag', 'volume', 'ps', 'images', 'inspect'] as const)
      expect(
        of(name).filter(({ exitCode }) => exitCode !== 0),
        name,
      ).toEqual([]);
    for (const name of ['same', 'remove', 'rename'] as const)
      expect(succeeded(of(name)), name).toHaveLength(1);

    const names = lines(await ok('ps', '-a', '--format', '{{.Names}}'));
    const own = times(40, (i) => [`own-${i}`]).flat();
    expect(names).toHaveLength(42);
    expect(names).toEqual(expect.arrayContaining([...own, 'same', expect.stringMatching(/^moved-\d+$/)]));
    expect(store.names().sort()).toEqual(names.sort());
    expect(lines(await ok('volume', 'ls', '-q'))).toHaveLength(14);
    const repositories = lines(await ok('images', '--format', '{{.Repository}}'));
    expect(repositories.filter((name) => name.startsWith('copy-'))).toHaveLength(20);
    const created = await ok(
      'events',
      '--since',
      '1',
      '--until',
      '0s',
      '-f',
      'event=create',
      '-f',
      'type=container',
    );
    expect(lines(created)).toHaveLength(43);
    expect((await store.hrun(['system', 'check'])).exitCode).toBe(0);
  });
});
