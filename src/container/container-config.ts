// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';

/** config.json of a container's directory: the container as its user asked for it. */
export interface ContainerConfig {
  version: 1;
  id: string;
  name: string;
  /** RFC 3339, UTC */
  created: string;
  /** the image as the user wrote it */
  image: string;
  /** digest of the image's manifest: the store keeps that image while the container is there */
  imageDigest: string;
  process: {
    args: string[];
    env: string[];
    cwd: string;
    user: string;
    tty: boolean;
    stdin: boolean;
    stopSignal: number;
  };
  hostname: string;
  labels: Record<string, string>;
  resources: { memoryMiB: number; vcpus: number };
  /** --rm */
  autoRemove: boolean;
}

const CONFIG_FILE = 'config.json';

/** Reads config.json; STORE_CORRUPT when it is not one, NO_SUCH_CONTAINER when there is none. */
export function readContainerConfig(directory: string): ContainerConfig {
  const path = join(directory, CONFIG_FILE);
  try {
    const config = JSON.parse(readFileSync(path, 'utf8')) as ContainerConfig;
    if (config.version === 1 && typeof config.id === 'string' && typeof config.name === 'string')
      return config;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new HrunError('STORE_CORRUPT', `${path} is damaged`, { hint: 'remove the container' });
}
