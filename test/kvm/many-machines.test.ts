// SPDX-License-Identifier: Apache-2.0
// Machines in numbers: one after the other, and side by side.
import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  createAndStop,
  createGuest,
  kvmUsable,
  onKvm,
  type Running,
  resources,
} from '../native/micro-vm-guest.ts';

/** HRUN_TEST_CYCLES=10000 is the promise; a machine takes some 60 ms here, most of it KVM's tear-down. */
const CYCLES = Number(process.env.HRUN_TEST_CYCLES ?? 1000);

const MACHINES = 100;

describe.skipIf(!kvmUsable())(onKvm('many machines'), () => {
  it(`come and go ${CYCLES} times without leaving a descriptor, thread, mapping or memory behind`, async () => {
    for (let i = 0; i < 200; i++) await createAndStop();
    const before = resources();
    for (let i = 0; i < CYCLES; i++) await createAndStop();
    await expect.poll(() => resources().threads, { timeout: 30_000 }).toBeLessThanOrEqual(before.threads);
    const after = resources();
    expect(after).toMatchObject({ descriptors: before.descriptors, mappings: 0 });
    expect(after.rssKiB - before.rssKiB).toBeLessThan(32 * 1024); // JavaScript's heap comes and goes
  });

  it('run side by side: 100 of 32 MiB start, answer and end', async () => {
    const machines: Answering[] = [];
    const times: number[] = [];
    for (let i = 0; i < MACHINES; i++) {
      const begin = performance.now();
      machines.push(await startAnswering());
      times.push(performance.now() - begin);
    }
    console.log(growth(times));
    for (const { ask } of machines) expect(await ask('hallo')).toBe('hallo');
    for (const { socket } of machines) socket.destroy();
    const ends = await Promise.all(machines.map(({ vm }) => vm.ended));
    expect(new Set(ends.map(({ reason }) => reason))).toEqual(new Set(['reset']));
    expect(machines.every(({ text }) => text().endsWith('ok\n'))).toBe(true);
    await Promise.all(machines.map(({ vm }) => vm.stop()));
  });

  it('start at the same time', async () => {
    const machines = await Promise.all(
      Array.from({ length: MACHINES }, (_, i) =>
        createGuest('hello', { memoryMiB: 32, commandLine: `n=${i}` }),
      ),
    );
    await Promise.all(machines.map(({ vm }) => vm.start()));
    await Promise.all(machines.map(({ said }, i) => said(`command line: n=${i}\n`)));
    await Promise.all(machines.map(({ vm }) => vm.stop()));
  });
});

interface Answering extends Running {
  socket: Socket;
  /** sends some words; resolves with what comes back */
  ask(words: string): Promise<string>;
}

/** A machine that sleeps until something comes over vsock, and has answered once. */
async function startAnswering(): Promise<Answering> {
  const machine = await createGuest('vsock', { memoryMiB: 32, vsock: { slot: 2, cid: 3 } });
  await machine.vm.start();
  const socket = new Socket({ fd: await machine.vm.connect(1024) });
  const ask = async (words: string) => {
    socket.write(words);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  };
  await ask('first');
  return { ...machine, socket, ask };
}

/** From creation to the guest's first answer: the last ten machines against the first ten. */
function growth(times: number[]): string {
  const mean = (some: number[]) => some.reduce((sum, time) => sum + time, 0) / some.length;
  const [first, last] = [mean(times.slice(0, 10)), mean(times.slice(-10))];
  const percent = ((last / first - 1) * 100).toFixed(0);
  return `ms a machine: first ten ${first.toFixed(1)}, last ten ${last.toFixed(1)} (${percent} % more)`;
}
