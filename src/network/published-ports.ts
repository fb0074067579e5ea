// SPDX-License-Identifier: Apache-2.0
// networks/.ports/<id>: what a container's keeper has published, in a file that it has locked as long as it lives
// (native/monitor/live_record.h). The directory is out of reach of monitors in their jails.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../base/errors.ts';
import { readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';

/** A port of the host that leads to a container's. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp';
  /** 0.0.0.0 for every address of the host */
  hostIp: string;
  hostPort: number;
  /** of the container */
  address: string;
  port: number;
}

const DIRECTORY = '.ports';
const ID = /^[0-9a-f]{64}$/;

/** What a running container has published; nothing for one that does not run. */
export function publishedPorts(root: Root, id: string): PublishedPort[] {
  try {
    return (JSON.parse(readRegularFile(join(root.networks, DIRECTORY, id))) as { ports: PublishedPort[] })
      .ports;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What all containers have published. Only while holding the lock of all networks. */
export function allPublishedPorts(root: Root): PublishedPort[] {
  return recordIds(root).flatMap((id) => publishedPorts(root, id));
}

/** Removes the records of keepers that were killed; true if there were any. Only while holding the lock of all networks. */
export function forgetDeadPorts(root: Root): boolean {
  const dead = recordIds(root).filter((id) => isDead(join(root.networks, DIRECTORY, id)));
  for (const id of dead) rmSync(join(root.networks, DIRECTORY, id), { force: true });
  return dead.length > 0;
}

function isDead(path: string): boolean {
  const lock = native().lockFile(path, { shared: false, wait: false });
  lock?.release();
  return lock !== null;
}

function recordIds(root: Root): string[] {
  try {
    return readdirSync(join(root.networks, DIRECTORY)).filter((name) => ID.test(name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
