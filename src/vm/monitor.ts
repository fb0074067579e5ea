// SPDX-License-Identifier: Apache-2.0
// Starting and reaching hrun-vmm, the process that owns one VM: docs/monitor.md.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import { HrunError } from '../base/errors.ts';
import { isNoRegularFile, openRegularFile, readRegularFile } from '../base/regular-file.ts';
import { connectIn } from './socket.ts';

const LOG_FILE = 'monitor.log';

/**
 * Starts the monitor of a container's directory in a session of its own, so that it outlives this process.
 * Returns the connection that is its first client. With `service` only the container's files are served: docs/monitor.md.
 * `template` is the directory of the machine that is copied instead of booting one: docs/templates.md. `checkpoint` is that of the
 * machine that goes on: docs/checkpoint.md.
 */
export function startMonitor(
  program: string,
  directory: string,
  {
    service,
    template,
    checkpoint,
  }: { service?: boolean; template?: string | undefined; checkpoint?: string | undefined } = {},
): Duplex {
  const log = openMonitorLog(directory);
  try {
    const origin = checkpoint ? ['--restore', checkpoint] : template ? ['--from', template] : [];
    const words = [...(service ? ['--service'] : []), ...origin, directory];
    const child = spawn(program, words, {
      cwd: '/',
      detached: true,
      env: {},
      stdio: ['ignore', 'ignore', log, 'pipe'],
    });
    const socket = child.stdio[3] as Duplex;
    child.on('error', (error) => socket.destroy(cannotStart(program, error)));
    child.unref();
    return socket;
  } finally {
    closeSync(log);
  }
}

/** A descriptor for what the monitor of a directory has to say. */
export function openMonitorLog(directory: string): number {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  return openRegularFile(join(directory, LOG_FILE), flags, 0o600);
}

/** Sets the limits of vm.json around a VM that runs, as far as they can change; HOST_SETUP when the host cannot. `pid` is the VM's. */
export function limitMonitor(program: string, directory: string, pid: number): void {
  try {
    execFileSync(program, ['--limit', directory, String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (cause) {
    const said = String((cause as { stderr?: Buffer }).stderr ?? '').trim();
    throw new HrunError('HOST_SETUP', said.replace(/^hrun-vmm: /, '') || `${program} cannot be started`, {
      hint: 'see: hrun doctor',
      cause: cause as Error,
    });
  }
}

/**
 * Has the monitor of a VM that runs take up the network interface that vm.json has in a slot (`--plug`), or take it away (`--unplug`).
 * CONTAINER_STATE with what is in the way.
 */
export async function changeNic(
  program: string,
  what: '--plug' | '--unplug',
  { directory, slot }: { directory: string; slot: number },
): Promise<void> {
  await changeNetworks(program, [what, directory, String(slot)]);
}

/** Has the keeper of a VM look where vm.json says that its ports lead now, which it writes into the record of its ports. CONTAINER_STATE. */
export async function redirectPorts(program: string, directory: string): Promise<void> {
  await changeNetworks(program, ['--ports', directory]);
}

async function changeNetworks(program: string, words: string[]): Promise<void> {
  try {
    await promisify(execFile)(program, words);
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? '').trim();
    const why = said.replace(/^hrun-vmm: /, '') || `${program} cannot be started`;
    throw new HrunError('CONTAINER_STATE', `the container's networks cannot be changed now: ${why}`, {
      hint: 'try again, or stop the container first',
      cause: cause as Error,
    });
  }
}

/** The last line of a monitor's own log; empty when it had nothing to say, or is gone with its directory. */
export function monitorLastWords(directory: string): string {
  try {
    const lines = readRegularFile(join(directory, LOG_FILE)).trimEnd().split('\n');
    return lines.at(-1)!.replace(/^hrun-vmm: /, '');
  } catch (error) {
    if (isNoRegularFile(error)) return '';
    throw error;
  }
}

/** Connects to the control socket of a running monitor; CONTAINER_STATE when there is none. */
export async function connectMonitor(directory: string): Promise<Socket> {
  return await connectIn(directory, 'control.sock');
}

function cannotStart(program: string, cause: Error): HrunError {
  return new HrunError('HOST_SETUP', `the monitor ${program} cannot be started: ${cause.message}`, {
    hint: 'run: npm run setup',
    cause,
  });
}
