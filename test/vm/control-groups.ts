// SPDX-License-Identifier: Apache-2.0
// The host's control groups around VMs, in every hierarchy that there is.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Directories of a container's group. */
export function groupDirectories(id: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const own = readFileSync('/proc/self/cgroup', 'utf8').trimEnd().split('\n');
  const points = mounts.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4]!);
  const paths = own.map((line) => line.split(':')[2]!);
  return points
    .flatMap((point) => [...paths, '/'].map((path) => join(point, path, 'hrun', id)))
    .filter((path) => existsSync(path));
}

/** What the first of these files in the container's group says. */
export function limitOf(id: string, ...names: string[]): string | undefined {
  const files = groupDirectories(id).flatMap((directory) => names.map((name) => join(directory, name)));
  const file = files.find((path) => existsSync(path));
  return file === undefined ? undefined : readFileSync(file, 'utf8').trim();
}
