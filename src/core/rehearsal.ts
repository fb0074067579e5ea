// SPDX-License-Identifier: Apache-2.0
// The image of the container that a machine rehearses before it waits for its own (docs/pool.md): one layer with one program and its interpreter.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../base/atomic-file.ts';
import { makeDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { makeWritableDisk } from '../container/index.ts';
import { native } from '../native/index.ts';
import { BLOCK, makeTarHeader, padding } from '../tar/index.ts';
import {
  type EmptyMachine,
  findAssets,
  REHEARSAL_SLOTS,
  type Rehearse,
  writeEmptyMachine,
} from '../vm/index.ts';
import { rehearsalPayloads } from './guest-config.ts';

/** How many disks a rehearsal has. */
export const REHEARSAL_DISKS = 2;

/** The program's path in it. */
const REHEARSAL_PROGRAM = '/true';
const NAME_DIGITS = 16;

/** Writes the settings of a machine that rehearses, and its disk, into its directory. */
export async function writeRehearsal(root: Root, directory: string, machine: EmptyMachine): Promise<void> {
  const writable = settingsPath(directory, 'rehearsal.ext4');
  await makeWritableDisk(root, writable);
  const disks = [
    { slot: REHEARSAL_SLOTS.writable, path: writable, readOnly: false },
    { slot: REHEARSAL_SLOTS.layer, path: await rehearsalLayer(root), readOnly: true },
  ];
  writeEmptyMachine(directory, machine, { disks, ...rehearsalPayloads(REHEARSAL_PROGRAM) });
}

/** The same for whoever makes templates. */
export function rehearseIn(root: Root): Rehearse {
  return (directory, machine) => writeRehearsal(root, directory, machine);
}

/** Its files, by their paths, and what they are called beside the initrd (initrd/rehearsal.c). */
const FILES = { true: 'hrun-rehearsed', loader: 'hrun-rehearsal' };

/** The EROFS image, which is made when it is not there. */
export async function rehearsalLayer(root: Root): Promise<string> {
  const layer = archive(dirname(findAssets().initrd));
  const name = createHash('sha256').update(layer).digest('hex').slice(0, NAME_DIGITS);
  const path = join(root.cache, `rehearsal.${name}.v${native().converterVersion}.erofs`);
  if (existsSync(path)) return path;
  await makeDirectory(root.cache, 0o700);
  await replaceFile(path, 0o600, async (file) => {
    const stream = native().openLayerStream({ outputFd: file.fd });
    try {
      await stream.write(layer);
      await stream.end();
    } catch (error) {
      await stream.abort();
      throw error;
    }
  });
  return path;
}

function archive(directory: string): Buffer {
  const entries = Object.entries(FILES).flatMap(([path, file]) => {
    const program = readFileSync(join(directory, file));
    return [makeTarHeader(path, program.length, 0o755), program, padding(program.length)];
  });
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}
