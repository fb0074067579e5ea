// SPDX-License-Identifier: Apache-2.0
import { isDigest } from '../base/digest.ts';
import { HrunError, hasCode } from '../base/errors.ts';
import { fullName, parseTagged, type Reference } from '../registry/index.ts';
import { type Image, listImages, loadImage } from './image.ts';
import { readNames } from './names.ts';
import type { ImageStore } from './store.ts';

/** An image and how it was asked for. */
export interface FoundImage {
  image: Image;
  /** the name, when it was found by its name; undefined when found by its ID */
  name: Reference | undefined;
}

const HEX = /^[0-9a-f]{1,64}$/;

/**
 * The image that `text` means: an ID or digest in full, else a name (`debian`, `debian:12`, `debian@sha256:…`),
 * else the unique beginning of an ID. Throws NO_SUCH_IMAGE, AMBIGUOUS_ID or BAD_REFERENCE.
 */
export async function findImage(store: ImageStore, text: string): Promise<FoundImage> {
  const digest = isDigest(text) ? text : `sha256:${text}`;
  if (isDigest(digest)) {
    const images = await listImages(store);
    const image = images.find(({ id, descriptor }) => id === digest || descriptor.digest === digest);
    if (image) return { image, name: undefined };
    throw noSuchImage(text);
  }
  return (await findByName(store, text)) ?? { image: await findByPrefix(store, text), name: undefined };
}

/** The image that has exactly this name in the store; a digest in it outweighs the tag. */
export async function findByReference(store: ImageStore, wanted: Reference): Promise<Image | undefined> {
  const key = fullName(
    wanted.digest ? { domain: wanted.domain, path: wanted.path, digest: wanted.digest } : wanted,
  );
  const entries = await readNames(store.root);
  const entry =
    entries.find(({ name }) => name && fullName(name) === key) ?? entries.find(isDigestOf(wanted));
  if (!entry) return undefined;
  return await loadImage(
    store,
    entries.filter(({ descriptor }) => descriptor.digest === entry.descriptor.digest),
  );
}

/** A digest may also be the image's own manifest, in a repository that the image has a name in. */
function isDigestOf(wanted: Reference) {
  return ({ name, descriptor }: { name: Reference | undefined; descriptor: { digest: string } }) =>
    wanted.digest === descriptor.digest && name?.domain === wanted.domain && name.path === wanted.path;
}

async function findByName(store: ImageStore, text: string): Promise<FoundImage | undefined> {
  const name = parseUnlessPrefix(text);
  const image = name && (await findByReference(store, name));
  return image && { image, name };
}

/** Everything that is no valid name is an error, except what may begin an ID. */
function parseUnlessPrefix(text: string): Reference | undefined {
  try {
    return parseTagged(text);
  } catch (error) {
    if (hasCode(error, 'BAD_REFERENCE') && HEX.test(text.replace(/^sha256:/, ''))) return undefined;
    throw error;
  }
}

async function findByPrefix(store: ImageStore, text: string): Promise<Image> {
  const prefix = text.replace(/^sha256:/, '');
  if (!HEX.test(prefix)) throw noSuchImage(text);
  const matches = (await listImages(store)).filter(({ id }) => id.startsWith(`sha256:${prefix}`));
  if (matches.length > 1) {
    throw new HrunError('AMBIGUOUS_ID', `${matches.length} images have an ID that begins with ${prefix}`, {
      hint: 'give more digits',
    });
  }
  if (matches[0]) return matches[0];
  throw noSuchImage(text);
}

function noSuchImage(text: string): HrunError {
  return new HrunError('NO_SUCH_IMAGE', `no such image: ${text}`, { hint: 'see: hrun images' });
}
