// SPDX-License-Identifier: Apache-2.0
// Machines in numbers: one after the other, and side by side.
import { describe, expect, it } from 'vitest';
import { createAndStop, createGuest, kvmUsable, type Running, resources } from '../native/micro-vm-guest.ts';

/** HRUN_TEST_CYCLES=10000 is the promise; a machine takes some 60 ms here, most of it KVM's tear-down. */
const CYCLES = Number(process.env.HRUN_TEST_CYCLES ?? 1000);

const MACHINES = 100;

describe.skipIf(!kvmUsable())('many machines', () => {
  it(`come and go ${CYCLES} times without leaving a descriptor, thread, mapping or memory behind`, async () => {
    for (let i = 0; i < 200; i++) await createAndStop();
    const before = resources();
    for (let i = 0; i < CYCLES; i++) await createAndStop();
    const after = resources();
    expect(after).toMatchObject({ descriptors: before.descriptors, threads: before.threads, mappings: 0 });
    expect(after.rssKiB - before.rssKiB).toBeLessThan(32 * 1024); // JavaScript's heap comes and goes
  });

  it('run side by side: 100 of 32 MiB start, answer and end', async () => {
    const machines: Running[] = [];
    const times: number[] = [];
    for (let i = 0; i < MACHINES; i++) {
      const begin = performance.now();
      const machine = await createGuest('hello', { memoryMiB: 32, commandLine: `n=${i}` });
      await machine.vm.start();
      await machine.said(`command line: n=${i}\n`);
      times.push(performance.now() - begin);
      machines.push(machine);
    }
    console.log(growth(times));
    await Promise.all(machines.map(({ vm }) => vm.writeConsole(Buffer.from('hallo'))));
    const ends = await Promise.all(machines.map(({ vm }) => vm.ended));
    expect(new Set(ends.map(({ reason }) => reason))).toEqual(new Set(['reset']));
    expect(machines.every(({ text }) => text().endsWith('read: hallo\nok\n'))).toBe(true);
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

/** From creation to the guest's answer: the first ten machines against the last ten, of which 100 run then. */
function growth(times: number[]): string {
  const mean = (some: number[]) => some.reduce((sum, time) => sum + time, 0) / some.length;
  const [first, last] = [mean(times.slice(0, 10)), mean(times.slice(-10))];
  const percent = ((last / first - 1) * 100).toFixed(0);
  return `ms a machine: first ten ${first.toFixed(1)}, last ten ${last.toFixed(1)} (${percent} % more)`;
}
