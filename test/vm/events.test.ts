// SPDX-License-Identifier: Apache-2.0
// hrun events: what commands and keepers tell the journal.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());

const ok = store.ok.bind(store);

/** What a busy host may need a while for. */
const polled = <T>(action: () => Promise<T>) => expect.poll(action, { timeout: 60_000 });

/** Actions of the container with this name, and one attribute of each. */
async function actionsOf(name: string, attribute = 'none'): Promise<string[]> {
  const format = `{{.Action}} {{index .Actor.Attributes "${attribute}"}}`;
  const lines = await ok(
    'events',
    '--since',
    '1',
    '--until',
    '0s',
    '-f',
    `container=${name}`,
    '--format',
    format,
  );
  return lines.split('\n').map((line) => line.replace('<no value>', '').trim());
}

describe('events', () => {
  test('of the whole life of a container, followed as they happen', async () => {
    const follower = store.start(['events', '-f', 'type=container', '--format', 'json']);
    let said = '';
    follower.stdout.on('data', (bytes) => (said += bytes));
    await eventually(() => follower.pid !== undefined);
    await ok('create', '--name', 'first', 'busybox', 'true'); // until it is heard, nobody knows that it listens
    await eventually(async () => {
      if (!said.includes('"first"'))
        await store.shell('$HRUN rename first first2; $HRUN rename first2 first');
      return said.includes('"first"');
    });
    const id = await ok('run', '-d', '--name', 'box', '-l', 'tier=front', 'busybox', 'sleep', '600');
    await ok('exec', 'box', 'true');
    await ok('pause', 'box');
    await ok('unpause', 'box');
    await ok('rename', 'box', 'crate');
    await ok('stop', '-t', '0', 'crate');
    await ok('rm', 'crate');
    await eventually(() => said.includes('"destroy"'));
    follower.kill('SIGINT');
    expect((await follower).exitCode).toBe(0);
    const lines = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ours = lines.filter((event) => event.id === id);
    expect(ours.map(({ Action }) => Action)).toEqual([
      ...[
        'create',
        'start',
        'exec_create: true',
        'exec_start: true',
        'exec_die',
        'pause',
        'unpause',
        'rename',
      ],
      ...['kill', 'die', 'stop', 'destroy'],
    ]);
    const attributes = { image: 'busybox', name: 'crate', tier: 'front', exitCode: '137' };
    expect(ours.find(({ Action }) => Action === 'die')).toMatchObject({
      from: 'busybox',
      Actor: { ID: id, Attributes: attributes },
    });
  });

  test('of a container with --rm are told by its keeper, when no hrun is there', async () => {
    await ok('run', '-d', '--rm', '--name', 'brief', 'busybox', 'sh', '-c', 'exit 3');
    await polled(() => actionsOf('brief', 'exitCode')).toEqual(['create', 'start', 'die 3', 'destroy']);
  });

  test('say that the guest ran out of memory', async () => {
    await store.hrun(['run', '--name', 'full', '-m', '64m', 'busybox', 'tail', '/dev/zero']);
    expect(await actionsOf('full', 'exitCode')).toEqual(['create', 'attach', 'start', 'oom', 'die 137']);
  });

  test('tell who looked at a container and who took something out of it', async () => {
    await ok('run', '-d', '--name', 'seen', 'busybox', 'sleep', '600');
    await ok('top', 'seen');
    await store.shell('$HRUN cp seen:/etc/hostname - | $HRUN cp - seen:/tmp');
    await store.shell('$HRUN export seen >/dev/null');
    const imageID = await ok('commit', '-m', 'why', 'seen', 'kept');
    const attached = store.start(['attach', 'seen']);
    await polled(() => actionsOf('seen')).toContain('attach');
    await ok('kill', 'seen');
    await attached;
    const actions = (await actionsOf('seen')).slice(2);
    expect(actions.filter((action) => !['archive-path', 'extract-to-dir'].includes(action))).toEqual([
      ...['top', 'export', 'commit', 'attach', 'kill', 'die'],
    ]);
    expect(actions).toEqual(expect.arrayContaining(['archive-path', 'extract-to-dir']));
    expect(await actionsOf('seen', 'imageRef')).toContain('commit kept:latest');
    expect(await actionsOf('seen', 'imageID')).toContain(`commit ${imageID}`);
    expect(await actionsOf('seen', 'comment')).toContain('commit why');
  });

  test('say that a container died whose keeper was killed', async () => {
    const id = await ok('run', '-d', '--name', 'orphan', 'busybox', 'sleep', '600');
    process.kill(store.state(id).monitorPid, 'SIGKILL');
    await polled(async () => (await ok('ps', '-a')).includes('Exited (137)')).toBe(true);
    await polled(() => actionsOf('orphan', 'exitCode')).toEqual(['create', 'start', 'die 137']);
  });

  test('of images and volumes', async () => {
    await ok('tag', 'busybox', 'copy:1');
    await ok('rmi', 'copy:1');
    await ok('volume', 'create', 'data');
    await ok('run', '--rm', '--name', 'user', '-v', 'data:/d', 'busybox', 'true');
    await ok('volume', 'rm', 'data');
    const told = async (filter: string) =>
      await ok('events', '--since', '1', '--until', '0s', '-f', filter, '--format', '{{.Action}}');
    expect(await told('image=copy:1')).toBe('tag\nuntag');
    expect(await told('volume=data')).toBe('create\nmount\ndestroy');
    const byGoNames = '{{.Type}} {{.Status}} {{.ID}} {{.Scope}} {{.Actor.ID}}';
    expect(
      await ok('events', '--since', '1', '--until', '0s', '-f', 'event=tag', '--format', byGoNames),
    ).toMatch(/^image tag (sha256:\w{64}) local \1$/);
    expect(await told('event=load')).toMatch(/^load/);
    await ok('save', '-o', '/dev/null', 'busybox');
    expect(await told('event=save')).toBe('save');
  });
});
