// SPDX-License-Identifier: Apache-2.0
// The stock set-up that bench/boot.ts measures against, and a check that it really reaches user space.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../harness.ts';

const QEMU = 'qemu-system-x86_64';
const MEMORY_MIB = '512'; // hrun run's default

export interface Stock {
  /** Debian's kernel release */
  readonly version: string;
  /** boots it to user space, and ends */
  readonly argv: string[];
}

/** Debian's cloud kernel and its initrd, to which a program is added that runs first and restarts. */
export function prepareStock(dir: string): Stock {
  execFileSync(join(PROJECT, 'scripts/fixtures/stock-kernel.sh'), { stdio: 'inherit' });
  const from = join(PROJECT, 'build/stock-kernel');
  const initrd = join(dir, 'initrd.img');
  writeFileSync(initrd, Buffer.concat([firstProgram(dir), readFileSync(join(from, 'initrd.img'))]));
  const kernel = ['-kernel', join(from, 'vmlinuz'), '-initrd', initrd];
  const append = ['-append', 'console=ttyS0 quiet rdinit=/hrun-bench reboot=t'];
  const machine = [
    '-M',
    'pc',
    '-accel',
    'tcg',
    '-m',
    MEMORY_MIB,
    '-nodefaults',
    '-display',
    'none',
    '-no-reboot',
  ];
  const argv = [QEMU, ...machine, '-serial', 'stdio', ...kernel, ...append];
  const console = execFileSync(argv[0]!, argv.slice(1), { encoding: 'utf8', timeout: 120_000 });
  if (!console.includes('hrun-bench: user space'))
    throw new Error(`the stock kernel did not boot: ${console}`);
  return { version: readFileSync(join(from, 'version'), 'utf8').trim(), argv };
}

/** A cpio archive with the one program; the kernel unpacks archives one after the other. */
function firstProgram(dir: string): Buffer {
  const root = join(dir, 'first');
  mkdirSync(root);
  const source = join(import.meta.dirname, 'userspace.c');
  execFileSync('gcc', ['-O2', '-static', '-o', join(root, 'hrun-bench'), source]);
  return execFileSync('cpio', ['--quiet', '-o', '-H', 'newc'], {
    cwd: root,
    input: 'hrun-bench\n',
    maxBuffer: 64 << 20,
  });
}
