// SPDX-License-Identifier: Apache-2.0
// The guest kernel that containers run on, unmodified, on the kvm engine's machine: as far as every /dev/kvm can go.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installDir } from '../../src/base/root.ts';
import { kvmUsable, onKvm } from '../native/micro-vm-guest.ts';

const SECONDS = 600;
const PROGRAM = join(installDir(), 'build/native/kernel-boot/hrun_kernel_boot');
const KERNEL = join(installDir(), 'build/kernel/vmlinux');
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
const sharing = process.getuid?.() === 0 && existsSync(VIRTIOFSD);
const CANNOT_SHARE = ` (this host cannot: not root, or no ${VIRTIOFSD})`;

let dir: string;
let disk: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hrun-kernel-boot-'));
  disk = join(dir, 'root.erofs');
  mkdirSync(join(dir, 'root/dev'), { recursive: true });
  await execa('mkfs.erofs', [disk, join(dir, 'root')]);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(!kvmUsable())(onKvm('the guest kernel'), () => {
  test('finds all devices, answers over vsock, and mounts an EROFS root from virtio-blk', async () => {
    const mounted = 'VFS: Mounted root (erofs filesystem) readonly';
    const boot = await execa(PROGRAM, [KERNEL, disk, mounted, `${SECONDS}`], { reject: false });
    console.log(`${mounted} after ${boot.stderr.split('\n').find((line) => line.endsWith(' exits'))}`);
    expect(boot, boot.stdout.slice(-2000)).toMatchObject({ exitCode: 0 });
    const console_ = boot.stdout.replaceAll('\r', '');
    expect(console_).toContain('virtio_blk virtio2: [vda] 8 512-byte logical blocks');
    expect(console_).toContain('NET: Registered PF_VSOCK protocol family');
    expect(console_).toContain('erofs: (device vda): mounted');
    expect(boot.stderr).toContain('vsock: connect to vsock port 1024: Connection refused');
    expect(console_).not.toContain('Wrong magic'); // the empty slot
    expect(console_).not.toMatch(/BUG:|Oops|WARNING:|Call Trace/);
  });

  test.skipIf(!sharing)(
    `mounts a directory of the host as its root, by virtiofs${sharing ? '' : CANNOT_SHARE}`,
    async () => {
      const mounted = 'VFS: Mounted root (virtiofs filesystem) readonly';
      const boot = await execa(PROGRAM, [KERNEL, join(dir, 'root'), mounted, `${SECONDS}`], {
        reject: false,
      });
      console.log(`${mounted} after ${boot.stderr.split('\n').find((line) => line.endsWith(' exits'))}`);
      expect(boot, boot.stdout.slice(-2000)).toMatchObject({ exitCode: 0 });
      expect(boot.stdout).not.toMatch(/BUG:|Oops|WARNING:|Call Trace/);
    },
  );
});
