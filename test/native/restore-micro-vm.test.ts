// SPDX-License-Identifier: Apache-2.0
// Snapshots through the addon, with the bare-metal guests of test/guests on a real /dev/kvm.
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuest, kvmUsable, onKvm, restoreGuest } from './micro-vm-guest.ts';

const usable = kvmUsable();
const directory = mkdtempSync(join(tmpdir(), 'hrun-snapshot-'));
const snapshot = join(directory, 'clones');
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!usable)(onKvm('MicroVm.snapshot and restoreMicroVm'), () => {
  beforeAll(async () => {
    const { vm, said } = await createGuest('snapshot', { commandLine: 'clones' });
    await vm.start();
    await said('saved here');
    await expect(vm.snapshot(snapshot)).rejects.toMatchObject({ code: 'EBUSY' });
    await vm.pause();
    await vm.snapshot(snapshot);
    await vm.stop();
  });

  it('leaves one file by its name, and restores it as often as one likes', async () => {
    expect(readdirSync(directory)).toEqual(['clones']);
    const before = readFileSync(snapshot);
    for (const name of 'ABC') {
      const { vm, said, text } = await restoreGuest(snapshot);
      await vm.start();
      await vm.writeConsole(Buffer.from(name));
      await said(`I am ${name}\n`);
      await vm.writeConsole(Buffer.from('\n'));
      expect((await vm.ended).reason).toBe('reset');
      expect(text()).toBe(`I am ${name}\nok\n`);
      await vm.stop();
    }
    expect(readFileSync(snapshot).equals(before)).toBe(true);
  });

  it('refuses a file that is truncated, corrupted, of another version or none at all', async () => {
    const bad = join(directory, 'bad');
    const refused = async (code: string, message: RegExp) =>
      expect(restoreGuest(bad)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await refused('ENOENT', /^open .*bad: No such file/);
    copyFileSync(snapshot, bad);
    truncateSync(bad, 5000);
    await refused('EBADMSG', /^restore .*bad, which is truncated: 5000 bytes instead of \d+: Bad message$/);
    writeFileSync(bad, flipped(200));
    await refused('EBADMSG', /which is corrupted: (section \d+\.\d+|its header) has another checksum/);
    writeFileSync(bad, flipped(8));
    await refused('EOPNOTSUPP', /which is of version \d+ \(this is version 1\)/);
    writeFileSync(bad, 'nothing of the kind, but long enough to have had a header');
    await refused('EBADMSG', /which is no snapshot/);
  });

  it('wants the devices that the machine had', async () => {
    const withVsock = join(directory, 'vsock');
    const { vm } = await createGuest('vsock', { vsock: { slot: 2, cid: 3 } });
    await vm.start();
    await vm.pause();
    await vm.snapshot(withVsock);
    await vm.stop();
    await expect(restoreGuest(withVsock)).rejects.toMatchObject({ code: 'EINVAL' });
    const restored = await restoreGuest(withVsock, { vsock: { slot: 2, cid: 3 } });
    await restored.vm.stop();
  });
});

/** The snapshot with the lowest bit of one byte changed. */
function flipped(offset: number): Buffer {
  const bytes = readFileSync(snapshot);
  bytes[offset]! ^= 1;
  return bytes;
}
