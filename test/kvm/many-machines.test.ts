// SPDX-License-Identifier: Apache-2.0
// Machines in numbers: one after the other, and side by side.
import { describe, expect, it } from 'vitest';
import { createAndStop, createGuest, kvmUsable, resources } from '../native/micro-vm-guest.ts';

describe.skipIf(!kvmUsable())('many machines', () => {
  it('come and go 10,000 times without leaving a descriptor, thread, mapping or memory behind', async () => {
    for (let i = 0; i < 200; i++) await createAndStop();
    const before = resources();
    for (let i = 0; i < 10_000; i++) await createAndStop();
    const after = resources();
    expect(after).toMatchObject({ descriptors: before.descriptors, threads: before.threads, mappings: 0 });
    expect(after.rssKiB - before.rssKiB).toBeLessThan(32 * 1024); // JavaScript's heap comes and goes
  });

  it('run side by side: 100 of 32 MiB start, answer and end', async () => {
    const machines = await Promise.all(
      Array.from({ length: 100 }, (_, i) => createGuest('hello', { memoryMiB: 32, commandLine: `n=${i}` })),
    );
    await Promise.all(machines.map(({ vm }) => vm.start()));
    await Promise.all(machines.map(({ said }, i) => said(`command line: n=${i}\n`)));
    await Promise.all(machines.map(({ vm }) => vm.writeConsole(Buffer.from('hallo'))));
    const ends = await Promise.all(machines.map(({ vm }) => vm.ended));
    expect(new Set(ends.map(({ reason }) => reason))).toEqual(new Set(['reset']));
    expect(machines.every(({ text }) => text().endsWith('read: hallo\nok\n'))).toBe(true);
    await Promise.all(machines.map(({ vm }) => vm.stop()));
  });
});
