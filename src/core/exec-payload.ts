// SPDX-License-Identifier: Apache-2.0
import type { ContainerConfig } from '../container/index.ts';
import { encodeStart, type TerminalSize } from '../guest/index.ts';
import { capabilityMask } from './capabilities.ts';
import { mergeEnv, workingDirectory } from './process-config.ts';
import { fromUlimit, withDefaultRlimits } from './rlimits.ts';

/** Another process in a container. */
export interface ExecProcess {
  command: readonly string[];
  tty: boolean;
  stdin: boolean;
  /** nobody waits for it, nor sees its output */
  detach: boolean;
  /** NAME=value, or NAME to take it out of the container's */
  env: readonly string[];
  workingDir: string | undefined;
  user: string | undefined;
  privileged: boolean;
  terminalSize: TerminalSize | undefined;
}

/** The payload of its START: as the container's own process, with what the options change. */
export function execPayload(
  config: Pick<ContainerConfig, 'process' | 'hostname'>,
  options: ExecProcess,
): Buffer {
  const { process, hostname } = config;
  return encodeStart({
    args: options.command,
    env: mergeEnv(process.env, options, hostname),
    cwd: workingDirectory(options.workingDir ?? process.cwd),
    user: options.user ?? process.user,
    supplementaryGroups: process.groups,
    capabilities: options.privileged ? capabilityMask([], [], true) : BigInt(`0x${process.capabilities}`),
    rlimits: withDefaultRlimits(process.ulimits.map(fromUlimit)),
    initSession: false,
    tty: options.tty,
    stdin: options.stdin && !options.detach,
    noNewPrivileges: process.noNewPrivileges,
    reaper: false,
    detached: options.detach,
    terminalSize: options.terminalSize,
  });
}

/** The payload of a probe's START: docs/run.md, "Health". */
export function probePayload(config: ContainerConfig, command: readonly string[]): Buffer {
  return execPayload(config, {
    ...{ command, tty: false, stdin: false, detach: false, env: [], privileged: false },
    ...{ workingDir: undefined, user: undefined, terminalSize: undefined },
  });
}
