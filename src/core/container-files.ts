// SPDX-License-Identifier: Apache-2.0
// What is at a path of a container.
import { posix } from 'node:path';
import { HrunError, hasCode } from '../base/errors.ts';
import { Archive, archiveOutput } from '../guest/index.ts';
import type { Guest } from './service-vm.ts';

/** A file of a container. */
export interface ContainerFile {
  /** type and permission bits, as stat(2) */
  mode: number;
  isDirectory: boolean;
  isFile: boolean;
  /** of a symbolic link: the path in the container that it leads to in the end, whether there is a file or not */
  resolved: string | undefined;
}

const TYPE_MASK = 0o170000;
const DIRECTORY = 0o040000;
const FILE = 0o100000;
const SYMBOLIC_LINK = 0o120000;
/** The guest could tell a longer one; paths have 4096 bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** The file at an absolute path; undefined when there is none. */
export async function statInContainer(guest: Guest, path: string): Promise<ContainerFile | undefined> {
  try {
    return parse(await answer(guest, path));
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined;
    throw error;
  }
}

async function answer(guest: Guest, path: string): Promise<string> {
  let text = '';
  for await (const piece of archiveOutput(await guest.connect(), { operation: Archive.STAT, args: [path] })) {
    text += piece.toString('utf8');
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return text;
}

function parse(text: string): ContainerFile {
  const [mode = '', , , , , resolved = ''] = text.split('\0');
  if (!/^[0-7]{1,7}$/.test(mode)) throw new HrunError('PROTOCOL', 'the guest told of a file without a mode');
  const bits = Number.parseInt(mode, 8);
  const type = bits & TYPE_MASK;
  return {
    mode: bits,
    isDirectory: type === DIRECTORY,
    isFile: type === FILE,
    resolved: type === SYMBOLIC_LINK && resolved.startsWith('/') ? resolved : undefined,
  };
}

/** An absolute path in a container, cleaned as Docker does; "/" or "/." at its end is kept. */
export function containerPath(text: string): string {
  const clean = posix.normalize(`/${text}`).replace(/(.)\/$/, '$1');
  if (/(?:^|\/)\.$/.test(text)) return clean === '/' ? '/.' : `${clean}/.`;
  return text.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}
