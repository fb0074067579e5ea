// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';
import { familiarName, familiarRepository, fullName, type Reference } from '../registry/index.ts';
import { findImage } from './find.ts';
import { type Image, listImages } from './image.ts';
import { changeNames } from './names.ts';
import type { ImageStore } from './store.ts';
import { type ImageUser, imageUsers } from './users.ts';

/** What `rmi` did, in order. */
export type Removal = { kind: 'untagged'; name: string } | { kind: 'deleted'; id: Digest };

/**
 * Takes a name away, by Docker's rules: the image goes with its last name; by ID all names go, if they are of
 * one repository or `force` is given. Files are left to `sweepStore`. Throws IMAGE_IN_USE when a container
 * needs the image; `force` overrules a stopped one, which goes on working.
 */
export async function removeImage(store: ImageStore, text: string, force: boolean): Promise<Removal[]> {
  const found = await findImage(store, text);
  const image = (await listImages(store)).find(({ id }) => id === found.image.id) ?? found.image;
  const going = found.name ? namesGoingWith(image, found.name) : allNames(image, text, force);
  const last = going.length === image.tags.length + image.digests.length;
  if (last) checkUnused(image, text, force, await imageUsers(store.root));
  await dropNames(store, image, going, last);
  const untagged = going.map((name) => ({ kind: 'untagged' as const, name: familiarName(name) }));
  return last ? [...untagged, { kind: 'deleted', id: image.id }] : untagged;
}

/** The name, and with the last tag of its repository also the digests noted for it. */
function namesGoingWith(image: Image, name: Reference): Reference[] {
  const named = [...image.tags, ...image.digests].filter((each) => fullName(each) === fullName(name));
  const asked = named.length > 0 ? named : image.digests.filter((each) => each.digest === name.digest);
  const sameRepository = (other: Reference) => familiarRepository(other) === familiarRepository(name);
  const tagsLeft = image.tags.some((tag) => sameRepository(tag) && !asked.includes(tag));
  const digests = image.digests.filter((each) => sameRepository(each) && !asked.includes(each));
  return tagsLeft || name.digest ? asked : [...asked, ...digests];
}

function allNames(image: Image, text: string, force: boolean): Reference[] {
  const repositories = new Set(image.tags.map(familiarRepository));
  if (repositories.size <= 1 || force) return [...image.tags, ...image.digests];
  throw new HrunError('IMAGE_IN_USE', `image ${text} has names in ${repositories.size} repositories`, {
    hint: 'remove it name by name, or use -f',
  });
}

function checkUnused(image: Image, text: string, force: boolean, users: ImageUser[]): void {
  const mine = users.filter((user) => user.imageDigest === image.descriptor.digest);
  const user = mine.find(({ running }) => running) ?? (force ? undefined : mine[0]);
  if (!user) return;
  const state = user.running ? 'running' : 'stopped';
  const hint = user.running ? 'stop and remove the container first' : 'remove the container first, or use -f';
  const container = user.containerId.slice(0, 12);
  throw new HrunError('IMAGE_IN_USE', `image ${text} is used by the ${state} container ${container}`, {
    hint,
  });
}

async function dropNames(store: ImageStore, image: Image, going: Reference[], last: boolean): Promise<void> {
  const names = new Set(going.map(fullName));
  await changeNames(store.root, (entries) =>
    entries.filter(({ name, descriptor }) => {
      if (name) return !names.has(fullName(name));
      return !(last && descriptor.digest === image.descriptor.digest);
    }),
  );
}
