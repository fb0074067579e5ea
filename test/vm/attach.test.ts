// SPDX-License-Identifier: Apache-2.0
// hrun attach, and leaving a container by the detach keys, in a real terminal.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, HRUN, TestStore } from './hrun.ts';
import { Terminal } from './terminal.ts';

const store = new TestStore();
const terminals: Terminal[] = [];
beforeAll(() => store.load(FIXTURES));
afterAll(() => store.remove());
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
  await store.clear();
});

async function openTerminal(): Promise<Terminal> {
  const terminal = await Terminal.open(store);
  terminals.push(terminal);
  return terminal;
}

const ok = store.ok.bind(store);

async function actionsOf(name: string): Promise<string[]> {
  const filter = ['-f', `container=${name}`, '--format', '{{.Action}}'];
  return (await ok('events', '--since', '1', '--until', '0s', ...filter)).split('\n');
}

describe('in a terminal', () => {
  test('Ctrl-P Ctrl-Q leaves a container that goes on, and attach comes back to it', async () => {
    const terminal = await openTerminal();
    await terminal.line(`${HRUN} run -it --name shell busybox sh`);
    await terminal.shows(/\/ # *$/);
    await terminal.line('echo $((40+2)); mine=kept');
    await terminal.shows(/^42$/m);
    await terminal.type('C-p', 'C-q');
    await terminal.shows(/read escape sequence\n# *$/);
    await terminal.line('clear; echo code $?');
    await terminal.shows(/^code 0$/m);
    expect(await ok('ps', '--format', '{{.Names}} {{.Status}}')).toMatch(/^shell Up/);
    await terminal.resize(80, 24);
    await terminal.line(`clear; ${HRUN} attach shell`);
    await terminal.shows(/\/ # *$/);
    await terminal.line('echo $mine; stty size');
    await terminal.shows(/^kept\n24 80$/m);
    await terminal.line('exit 4');
    await terminal.shows(/\n# *$/);
    await terminal.line('echo code $?');
    await terminal.shows(/^code 4$/m);
    const joined = ['create', 'attach', 'start', 'detach', 'attach', 'resize', 'resize', 'die'];
    expect(await actionsOf('shell')).toEqual(joined);
  });

  test('several clients see the same, and each may type', async () => {
    const first = await openTerminal();
    const second = await openTerminal();
    await first.line(`${HRUN} run -it --name shared busybox sh`);
    await first.shows(/\/ # *$/);
    const listener = store.start(['attach', '--no-stdin', 'shared']);
    let heard = '';
    listener.stdout.on('data', (bytes) => (heard += bytes));
    const joined = async () => {
      await first.line('');
      return heard;
    };
    await expect.poll(joined, { timeout: 60_000 }).not.toBe('');
    await second.line(`${HRUN} attach shared`);
    await second.shows(/\/ # *$/);
    await second.line('echo from $((1+1))');
    await first.shows(/^from 2$/m);
    await first.line('echo from $((2-1)); exit 3');
    await second.shows(/^from 1$/m);
    expect((await listener).exitCode).toBe(3);
    expect(heard).toMatch(/from 2[\s\S]*from 1/);
  });

  test('other detach keys leave an exec, which goes on', async () => {
    await ok('run', '-d', '--name', 'host', 'busybox', 'sleep', '600');
    const terminal = await openTerminal();
    const script = 'echo in; while ! test -e /go; do sleep 0.1; done; echo done >/left';
    await terminal.line(`${HRUN} exec -it --detach-keys ctrl-a,x host sh -c '${script}'`);
    await terminal.shows(/^in$/m);
    await terminal.type('C-a', 'x');
    await terminal.shows(/\n# *$/);
    expect(
      await ok('exec', 'host', 'sh', '-c', 'touch /go; until test -s /left; do sleep 0.1; done; cat /left'),
    ).toBe('done');
    expect(await actionsOf('host')).toContain('exec_detach');
  });
});
