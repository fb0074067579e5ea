// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { installDir } from '../base/root.ts';

/** The built files that every VM needs, as absolute paths. */
export interface VmAssets {
  kernel: string;
  initrd: string;
  monitor: string;
}

/** Finds the guest kernel, the initrd and the monitor; HOST_SETUP when one is not built. */
export function findAssets(install: string = installDir()): VmAssets {
  return {
    kernel: built(join(install, 'build/kernel/vmlinux'), 'guest kernel'),
    initrd: built(join(install, 'build/initrd/initrd.cpio'), 'initrd'),
    monitor: built(join(install, 'build/native/hrun-vmm'), 'monitor'),
  };
}

function built(path: string, what: string): string {
  if (existsSync(path)) return path;
  throw new HrunError('HOST_SETUP', `the ${what} ${path} is not there`, { hint: 'run: npm run setup' });
}
