// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { assignNames, changeNames, findImage, type ImageStore, recordImage } from '../image/index.ts';
import { parseTagged } from '../registry/index.ts';

/** Gives an image one more name; the name is taken away from whichever image had it. */
export async function tagImage(store: ImageStore, source: string, target: string): Promise<void> {
  const name = parseTagged(target);
  if (name.digest) throw new HrunError('BAD_REFERENCE', `"${target}": a new name cannot have a digest`);
  const { image } = await findImage(store, source);
  await changeNames(store.root, (entries) => assignNames(entries, image.descriptor, [name]));
  recordImage(store.root, 'tag', image.id, target);
}
