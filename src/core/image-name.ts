// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { parseTagged, type Reference } from '../registry/index.ts';

/** The name for a new image, `latest` if it has no tag; undefined when none is given. Throws BAD_REFERENCE. */
export function newImageName(text: string | undefined): Reference | undefined {
  if (!text) return undefined;
  const name = parseTagged(text);
  if (name.digest) throw new HrunError('BAD_REFERENCE', `"${text}": a new name cannot have a digest`);
  return name;
}
