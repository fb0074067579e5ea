// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import { HrunError } from '../base/errors.ts';
import type { ProcessConfig } from '../oci/index.ts';
import type { ContainerOptions } from './container-options.ts';
import { signalNumber } from './signal-number.ts';

/** The process of a container: the image's config with what the user asked for on top. */
export interface ContainerProcess {
  entrypoint: string[];
  cmd: string[];
  /** both together */
  args: string[];
  /** NAME=value; HOME is added in the guest, where the user's entry in passwd is known */
  env: string[];
  cwd: string;
  /** user[:group]; empty is root */
  user: string;
  stopSignal: number;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type ProcessOptions = Pick<
  ContainerOptions,
  'command' | 'entrypoint' | 'env' | 'workingDir' | 'user' | 'tty' | 'stopSignal'
>;

/** Merges as Docker does; USAGE when there is no command, or the working directory is not absolute. */
export function containerProcess(
  image: ProcessConfig,
  options: ProcessOptions,
  hostname: string,
): ContainerProcess {
  return {
    ...mergeArgs(image, options),
    env: mergeEnv(image.Env ?? [], options, hostname),
    cwd: workingDirectory(options.workingDir ?? image.WorkingDir),
    user: options.user ?? image.User ?? '',
    stopSignal: signalNumber(options.stopSignal ?? (image.StopSignal || 'SIGTERM')),
  };
}

/** The image's Cmd belongs to its Entrypoint: replacing the latter drops the former. */
function mergeArgs(image: ProcessConfig, { command, entrypoint: asked }: ProcessOptions) {
  const entrypoint = [...(asked ?? image.Entrypoint ?? [])];
  const cmd = [...(command.length > 0 || asked ? command : (image.Cmd ?? []))];
  const args = [...entrypoint, ...cmd];
  if (args.length > 0) return { entrypoint, cmd, args };
  throw new HrunError('USAGE', 'no command given, and the image has none', {
    hint: 'name a command after the image',
  });
}

/** Docker's defaults, then `image`, then what the user asked for. */
export function mergeEnv(
  image: readonly string[],
  { env, tty }: Pick<ProcessOptions, 'env' | 'tty'>,
  hostname: string,
): string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : [])];
  const merged = new Map<string, string>();
  for (const entry of [...defaults, ...image, ...env]) {
    const equals = entry.indexOf('=');
    if (equals < 0) merged.delete(entry);
    else merged.set(entry.slice(0, equals), entry);
  }
  return [...merged.values()];
}

/** An absolute, normalized path; USAGE for a relative one. */
export function workingDirectory(path: string | undefined): string {
  if (!path) return '/';
  if (path.startsWith('/')) return posix.normalize(path).replace(/(.)\/$/, '$1');
  throw new HrunError('USAGE', `the working directory ${JSON.stringify(path)} is not an absolute path`);
}
