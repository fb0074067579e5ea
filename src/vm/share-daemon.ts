// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { HrunError } from '../base/errors.ts';
import { isExecutable } from '../base/executable.ts';

/** Where Debian's qemu-system-common has QEMU's virtiofsd. The program of the same name in Rust takes other options. */
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';

/** True where this user's containers can share directories of the host: root's, on a host that has the program for it. */
export function canShareDirectories(): boolean {
  return process.getuid?.() === 0 && existsSync(VIRTIOFSD);
}

/** The program that serves the host's directories to a guest; HOST_SETUP when it is not there. */
export function findShareDaemon(): string {
  if (isExecutable(VIRTIOFSD)) return VIRTIOFSD;
  throw new HrunError('HOST_SETUP', `${VIRTIOFSD}, which shares directories with a VM, is not there`, {
    hint: 'run: apt-get install qemu-system-common',
  });
}
