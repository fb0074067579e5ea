// SPDX-License-Identifier: Apache-2.0
// hrun in a real terminal, driven through tmux.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { heldBoot } from './booting.ts';
import { eventually, FIXTURES, HRUN, TestStore } from './hrun.ts';
import { Terminal } from './terminal.ts';

let store: TestStore;
let terminal: Terminal;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());
afterEach(async () => {
  await terminal?.close();
  // A shell that is process one does not heed the SIGHUP; what a failed test left behind must not fail the next.
  await store.clear();
});

describe('hrun -t in a terminal', () => {
  test('is an interactive shell without -i, and gives the terminal back', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(`${HRUN} -t --rm -h box busybox sh`);
    await terminal.shows(/\/ # *$/);
    await terminal.line('tty; echo TERM=$TERM; stty size; echo $((6*7))');
    const screen = await terminal.shows(/^42$/m);
    expect(screen).toContain('/dev/pts/0');
    expect(screen).toContain('TERM=xterm');
    expect(screen).toContain('30 100');
    await terminal.line('exit 5');
    await terminal.shows(/^# *$/m);
    await terminal.line('echo code $?; stty -a');
    const after = await terminal.shows(/code 5[\s\S]*echo/);
    expect(after).toMatch(/(?:^| )icanon/m);
    expect(after).toMatch(/(?:^| )opost/m);
  });

  test('Ctrl-C, Ctrl-D and Ctrl-Z are bytes for the guest', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(`${HRUN} run -it --rm busybox sh`);
    await terminal.shows(/\/ # *$/);
    // Each program says that it is there before the key is pressed: until then the key is the shell's.
    await terminal.line("sh -c 'echo one; sleep 1000'");
    await terminal.shows(/^one$/m);
    await terminal.type('C-c');
    await terminal.line('echo status $?');
    await terminal.shows(/status 130/);
    await terminal.line("sh -c 'echo two; exec sleep 1000'");
    await terminal.shows(/^two$/m);
    await terminal.type('C-z');
    await terminal.shows(/Stopped/);
    await terminal.line('kill -9 %1; wait; echo reading; cat; echo input ended');
    await terminal.shows(/^reading$/m);
    await terminal.line('three');
    await terminal.shows(/^three\nthree$/m);
    await terminal.type('C-d');
    await terminal.shows(/^input ended$/m);
    await terminal.line('exit');
    await terminal.shows(/^# *$/m);
  });

  test('a new window size reaches the process', async () => {
    terminal = await Terminal.open(store, 80, 24);
    await terminal.line(
      `${HRUN} -t --rm busybox sh -c 'trap "stty size" WINCH; stty size; while :; do sleep 0.1; done'`,
    );
    await terminal.shows(/24 80/);
    await terminal.resize(120, 40);
    await terminal.shows(/40 120/);
    const size = '{{.Actor.Attributes.height}} {{.Actor.Attributes.width}}';
    const events = ['events', '--since', '1', '--until', '0s', '-f', 'event=resize', '--format', size];
    await eventually(async () => (await store.ok(...events)).split('\n').includes('40 120'));
    await terminal.type('C-c');
  });

  test('what the guest writes is not changed on its way: a bare line feed stays one', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(`clear; ${HRUN} -t --rm busybox sh -c 'stty -opost; printf "ab\\ncd\\r\\n"'`);
    await terminal.shows(/ab\n {2}cd/);
  });

  test('Ctrl-C twice while the VM boots ends the start', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(`${HRUN} -t --rm busybox sleep 1000; echo code $?`);
    await heldBoot(store);
    await terminal.type('C-c');
    await new Promise((resolve) => setTimeout(resolve, 500)); // two signals at once would be one
    await terminal.type('C-c');
    await terminal.shows(/code 130/);
    expect(store.containers()).toEqual([]);
  });

  test('typing ahead is not lost, and echoed at most by the terminal here and the one in the guest', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(`clear; ${HRUN} -t --rm busybox sh -c 'read line; echo "<$line>"'`);
    await store.reached('starting');
    await terminal.line('typed ahead');
    const screen = await terminal.shows(/^<typed ahead>$/m);
    expect(screen.match(/^typed ahead/gm)!.length).toBeLessThanOrEqual(2);
    await terminal.shows(/^# *$/m);
  });

  test('the terminal going away reaches the process as SIGHUP, and nothing is left', async () => {
    terminal = await Terminal.open(store);
    await terminal.line(
      `${HRUN} -t --rm busybox sh -c 'trap "exit 0" HUP; echo ready; while :; do sleep 0.1; done'`,
    );
    await terminal.shows(/^ready$/m);
    await terminal.close();
    await eventually(() => store.processes().length === 0);
    expect(store.containers()).toEqual([]);
  });
});

describe('hrun -t without a terminal', () => {
  test('gives the process one, and leaves standard input alone', async () => {
    const { exitCode, stdout, stderr } = await store.hrun([
      'run',
      '--rm',
      '-t',
      'busybox',
      'sh',
      '-c',
      'tty; echo e >&2',
    ]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '/dev/pts/0\r\ne\r\n', stderr: '' });
  });
});
