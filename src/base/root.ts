// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Where everything hrun keeps lives: docs/store.md describes the tree. All paths are absolute. */
export interface Root {
  /** $HRUN_ROOT, else /var/lib/hrun as root, else $XDG_DATA_HOME/hrun */
  readonly dir: string;
  /** OCI image layout: oci-layout, index.json, blobs/<algorithm>/<hex> */
  readonly images: string;
  /** EROFS images: <hex of diffID>.v<converter version>.erofs */
  readonly layers: string;
  /** one directory per container, named by its full id */
  readonly containers: string;
  /** one directory per volume, named by its name */
  readonly volumes: string;
  /** one directory per network, named by its name */
  readonly networks: string;
  /** machines booted in advance, one directory each: docs/templates.md */
  readonly templates: string;
  /** machines that wait for a container: docs/pool.md */
  readonly pool: string;
  /** machines that can be started before their container is made: docs/head-start.md */
  readonly headStart: string;
  /** prepared things that can be made again: empty ext4 disks, engine verdict */
  readonly cache: string;
  /** unfinished files; each is held by a lock while its writer lives */
  readonly tmp: string;
}

/** The store named by the environment. Creates nothing. */
export function rootFromEnvironment(env: NodeJS.ProcessEnv = process.env): Root {
  return rootAt(env.HRUN_ROOT ? resolve(env.HRUN_ROOT) : defaultDir(env));
}

export function rootAt(dir: string): Root {
  return {
    dir,
    images: join(dir, 'images'),
    layers: join(dir, 'layers'),
    containers: join(dir, 'containers'),
    volumes: join(dir, 'volumes'),
    networks: join(dir, 'networks'),
    templates: join(dir, 'templates'),
    pool: join(dir, 'pool'),
    headStart: join(dir, 'head-start'),
    cache: join(dir, 'cache'),
    tmp: join(dir, 'tmp'),
  };
}

/** The directory hrun is installed in: the one that holds package.json, bin/ and build/. */
export function installDir(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir);
  return dir;
}

function defaultDir(env: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/hrun';
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'hrun');
}
