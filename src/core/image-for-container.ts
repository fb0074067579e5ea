// SPDX-License-Identifier: Apache-2.0
import { hasCode } from '../base/errors.ts';
import { findImage, type Image, type ImageStore } from '../image/index.ts';
import { HOST_PLATFORM, platformRank } from '../oci/index.ts';
import { parseTagged } from '../registry/index.ts';
import type { ContainerOptions } from './container-options.ts';
import type { Report } from './progress.ts';

/**
 * The image to make a container of: by id or name from the store, else pulled as --pull says. The registry's
 * client is loaded only when it is needed.
 */
export async function imageForContainer(
  store: ImageStore,
  options: Pick<ContainerOptions, 'image' | 'pull' | 'platform'>,
  report: Report,
): Promise<Image> {
  const { platform } = options;
  const present = options.pull === 'always' ? undefined : await findPresent(store, options.image);
  if (present && platformRank(present.config, platform ?? HOST_PLATFORM) !== undefined) return present;
  const { ensureImage } = await import('./pull.ts');
  return await ensureImage(store, parseTagged(options.image), options.pull, { platform, report });
}

async function findPresent(store: ImageStore, text: string): Promise<Image | undefined> {
  try {
    return (await findImage(store, text)).image;
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_IMAGE')) return undefined;
    throw error;
  }
}
