// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { Archive, archiveOutput } from '../guest/index.ts';
import { openContainer } from './open-container.ts';
import { openGuest } from './service-vm.ts';

/** A change that a container made to its image's files. */
export interface FileChange {
  /** added, changed, deleted */
  kind: 'A' | 'C' | 'D';
  path: string;
}

/** A guest could tell of changes for ever. */
const MAX_BYTES = 256 * 1024 * 1024;

/** What a container has changed, sorted by path. */
export async function containerChanges(root: Root, text: string): Promise<FileChange[]> {
  await using guest = await openGuest(await openContainer(root, text));
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of archiveOutput(await guest.connect(), { operation: Archive.CHANGES })) {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new HrunError('LIMIT_EXCEEDED', `more than ${MAX_BYTES} bytes of changes`);
    pieces.push(piece);
  }
  return sorted(Buffer.concat(pieces).toString('utf8').split('\0').slice(0, -1).map(parse));
}

function parse(record: string): FileChange {
  const [kind, path] = [record[0], record.slice(1)];
  if ((kind === 'A' || kind === 'C' || kind === 'D') && path.startsWith('/')) return { kind, path };
  throw new HrunError('PROTOCOL', 'the guest told of a change of an unknown kind');
}

/** A directory stands before what is in it. */
function sorted(changes: FileChange[]): FileChange[] {
  const keyed = changes.map((change) => ({ change, key: change.path.replaceAll('/', '\0') }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ change }) => change);
}
