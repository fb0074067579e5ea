// SPDX-License-Identifier: Apache-2.0
// images/index.json: the names of images, one descriptor for each (docs/store.md).
import { join } from 'node:path';
import { HrunError, hasCode } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { inStore } from '../base/store-error.ts';
import { native } from '../native/index.ts';
import { type Descriptor, type ImageIndex, OCI_INDEX, parseIndex, REF_NAME } from '../oci/index.ts';
import { fullName, parseReference, type Reference } from '../registry/index.ts';
import { readIfThere } from './blob-store.ts';
import { replaceFile } from './scratch.ts';

/** An entry of index.json: an image manifest and the name it has, if any. */
export interface NamedManifest {
  /** undefined: an image that lost its names */
  name: Reference | undefined;
  descriptor: Descriptor;
}

/** All entries, in the order they were made. Throws STORE_CORRUPT or STORE_UNREADABLE. */
export async function readNames(root: Root): Promise<NamedManifest[]> {
  const path = indexPath(root);
  const bytes = await inStore(path, () => readIfThere(path));
  return bytes ? parseNames(bytes, path) : [];
}

/** Changes the entries under images/lock; `change` gets them as they are and returns them as they shall be. */
export async function changeNames(
  root: Root,
  change: (names: NamedManifest[]) => NamedManifest[] | Promise<NamedManifest[]>,
): Promise<void> {
  const path = indexPath(root);
  await inStore(path, async () => {
    const lock = await native().lockFile(join(root.images, 'lock'), { shared: false, wait: true });
    try {
      const changed = await change(await readNames(root));
      const text = `${JSON.stringify(asIndex(changed), null, 2)}\n`;
      await replaceFile(root, path, text);
    } finally {
      lock.release();
    }
  });
}

/** Gives `descriptor` the names, taking them away from other images; one that loses its last keeps a nameless entry. */
export function assignNames(
  entries: NamedManifest[],
  descriptor: Descriptor,
  names: readonly Reference[],
): NamedManifest[] {
  const taken = new Set(names.map(fullName));
  const isTaken = (entry: NamedManifest) => entry.name !== undefined && taken.has(fullName(entry.name));
  const kept = entries.filter((entry) => !isTaken(entry) && !isNameless(entry, descriptor));
  const losers = entries.filter((entry) => isTaken(entry) && entry.descriptor.digest !== descriptor.digest);
  const nameless = losers
    .filter((loser) => !kept.some((entry) => entry.descriptor.digest === loser.descriptor.digest))
    .map((loser) => ({ name: undefined, descriptor: loser.descriptor }));
  const given =
    names.length > 0 ? names.map((name) => ({ name, descriptor })) : [{ name: undefined, descriptor }];
  const needed = names.length > 0 || !kept.some((entry) => entry.descriptor.digest === descriptor.digest);
  return [...kept, ...unique(nameless), ...(needed ? given : [])];
}

function isNameless(entry: NamedManifest, descriptor: Descriptor): boolean {
  return entry.name === undefined && entry.descriptor.digest === descriptor.digest;
}

function unique(entries: NamedManifest[]): NamedManifest[] {
  return [...new Map(entries.map((entry) => [entry.descriptor.digest, entry])).values()];
}

function indexPath(root: Root): string {
  return join(root.images, 'index.json');
}

function parseNames(bytes: Buffer, path: string): NamedManifest[] {
  try {
    return parseIndex(bytes, path).manifests.map((descriptor) => {
      const name = descriptor.annotations?.[REF_NAME];
      return { name: name === undefined ? undefined : parseReference(name), descriptor };
    });
  } catch (error) {
    if (!hasCode(error, 'BAD_IMAGE') && !hasCode(error, 'BAD_REFERENCE')) throw error;
    throw new HrunError('STORE_CORRUPT', `${path} is damaged: ${error.message}`, {
      hint: 'move it away, then pull or load the images again: their layers are kept',
      cause: error,
    });
  }
}

function asIndex(entries: NamedManifest[]): ImageIndex {
  const manifests = entries.map(({ name, descriptor: { annotations: _, ...descriptor } }) =>
    name === undefined ? descriptor : { ...descriptor, annotations: { [REF_NAME]: fullName(name) } },
  );
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}
