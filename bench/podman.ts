// SPDX-License-Identifier: Apache-2.0
// podman as a peer, on a storage of its own.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PODMAN_LIMITS } from '../src/bench/peers.ts';

const RUN = ['--runtime', 'runc'];
const LIMITS = ['--network', 'none', ...PODMAN_LIMITS];

export class Podman {
  readonly #storage: string[];

  /** `ownNetworks`: bridges of netavark, whose configuration is in `dir` too; the environment of this process says so from here on. */
  constructor(dir: string, { ownNetworks = false } = {}) {
    if (ownNetworks) {
      const networks = `network_backend = "netavark"\nnetwork_config_dir = "${join(dir, 'podman-networks')}"\n`;
      process.env.CONTAINERS_CONF = join(dir, 'containers.conf');
      writeFileSync(process.env.CONTAINERS_CONF, `[network]\n${networks}`);
    }
    this.#storage = ['--root', join(dir, 'podman'), '--runroot', join(dir, 'podman-run')];
  }

  /** The command line of `podman ARGS`. */
  argv(...args: string[]): string[] {
    return ['podman', ...RUN, ...this.#storage, ...args];
  }

  /** The command line of `podman COMMAND ARGS` that makes a container; COMMAND is run or create. */
  making(command: string, ...args: string[]): string[] {
    return this.argv(command, ...LIMITS, ...args);
  }

  /** Runs a command line of this podman's; returns its standard output. */
  run(argv: readonly string[]): string {
    return execFileSync(argv[0]!, argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Loads the images of an OCI layout. */
  load(layout: string, image: string): void {
    this.run(this.argv('pull', '-q', `oci:${layout}:${image}`));
    const [id] = this.run(this.argv('images', '-q')).trim().split('\n');
    this.run(this.argv('tag', id!, `bench/${image}`));
  }

  /** Ends and removes everything. */
  reset(): void {
    execFileSync('podman', [...this.#storage, 'system', 'reset', '--force'], { stdio: 'ignore' });
  }
}
