// SPDX-License-Identifier: Apache-2.0
// One snapshot restored in numbers: one machine after the other, and side by side.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuest, kvmUsable, onKvm, resources, restoreGuest } from '../native/micro-vm-guest.ts';

const CYCLES = Number(process.env.HRUN_TEST_CYCLES ?? 1000);
const CLONES = 50;

const directory = mkdtempSync(join(tmpdir(), 'hrun-restores-'));
const snapshot = join(directory, 'snapshot');
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!kvmUsable())(onKvm('many restores of one snapshot'), () => {
  beforeAll(async () => {
    const { vm, said } = await createGuest('snapshot', { commandLine: 'clones', memoryMiB: 128 });
    await vm.start();
    await said('saved here\n');
    await vm.pause();
    await vm.snapshot(snapshot);
    await vm.stop();
  });

  it(`come and go ${CYCLES} times without leaving a descriptor, thread, mapping or memory behind`, async () => {
    for (let i = 0; i < 50; i++) await restoreAndStop();
    const before = resources();
    const mappings = mapped();
    for (let i = 0; i < CYCLES; i++) await restoreAndStop();
    await expect.poll(() => resources().threads, { timeout: 30_000 }).toBeLessThanOrEqual(before.threads);
    const after = resources();
    expect(after).toMatchObject({ descriptors: before.descriptors });
    expect(mapped()).toBe(mappings);
    expect(after.rssKiB - before.rssKiB).toBeLessThan(32 * 1024); // JavaScript's heap comes and goes
  });

  it(`run side by side: ${CLONES} that keep their memory to themselves`, async () => {
    const clones = await Promise.all(Array.from({ length: CLONES }, () => restoreGuest(snapshot)));
    await Promise.all(clones.map(({ vm }) => vm.start()));
    const names = clones.map((_, i) => String.fromCharCode(48 + i));
    await Promise.all(clones.map(({ vm }, i) => vm.writeConsole(Buffer.from(names[i]!))));
    await Promise.all(clones.map(({ said }, i) => said(`I am ${names[i]}\n`)));
    await Promise.all(clones.map(({ vm }) => vm.writeConsole(Buffer.from('\n'))));
    await Promise.all(clones.map(({ vm }) => vm.ended));
    expect(clones.map(({ text }) => text())).toEqual(names.map((name) => `I am ${name}\nok\n`));
    await Promise.all(clones.map(({ vm }) => vm.stop()));
  });
});

/** The guest goes on, writes its memory, and is stopped where it waits. */
async function restoreAndStop(): Promise<void> {
  const { vm, said } = await restoreGuest(snapshot);
  await vm.start();
  await vm.writeConsole(Buffer.from('x'));
  await said('I am x\n');
  await vm.stop();
}

function mapped(): number {
  return readFileSync('/proc/self/maps', 'utf8').split(snapshot).length - 1;
}
