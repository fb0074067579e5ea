// SPDX-License-Identifier: Apache-2.0
// Which containers need which images, read from the containers' own files (docs/store.md).
import { join } from 'node:path';
import { type Digest, isDigest } from '../base/digest.ts';
import { listDirectory } from '../base/directory.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { inStore } from '../base/store-error.ts';

/** A container and the manifest of its image. */
export interface ImageUser {
  containerId: string;
  imageDigest: Digest;
  running: boolean;
}

const CONTAINER_ID = /^[0-9a-f]{64}$/;

/** Every container that names an image. */
export async function imageUsers(root: Root): Promise<ImageUser[]> {
  return await inStore(root.containers, async () => {
    const ids = listDirectory(root.containers).filter((name) => CONTAINER_ID.test(name));
    const users = await Promise.all(ids.map((id) => readUser(join(root.containers, id), id)));
    return users.filter((user) => user !== undefined);
  });
}

async function readUser(dir: string, containerId: string): Promise<ImageUser | undefined> {
  const imageDigest = await readField(settingsPath(dir, 'config.json'), 'imageDigest');
  if (!isDigest(imageDigest)) return undefined;
  const status = await readField(join(dir, 'state.json'), 'status');
  return { containerId, imageDigest, running: status !== 'created' && status !== 'exited' };
}

async function readField(path: string, field: string): Promise<unknown> {
  try {
    return (JSON.parse(readRegularFile(path)) as Record<string, unknown> | null)?.[field];
  } catch (error) {
    if (error instanceof SyntaxError || isNoRegularFile(error)) return undefined; // a half-made container has no image yet
    throw error;
  }
}
