// SPDX-License-Identifier: Apache-2.0
// The programs that CNI plug-ins are: finding them, and having one carry out a command (CNI specification 1.0, section 2).
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { isExecutable } from '../base/executable.ts';
import type { CniList, CniPlaces } from './cni-lists.ts';
import { cniFailure } from './cni-result.ts';

/** A plug-in of a list, ready to be told something. */
export interface CniProgram {
  /** path */
  program: string;
  /** its configuration as JSON text */
  input: string;
}

/** Those of Debian's package containernetworking-plugins. */
const PACKAGED = new Set([
  ...[
    'bandwidth',
    'bridge',
    'dhcp',
    'firewall',
    'host-device',
    'host-local',
    'ipvlan',
    'loopback',
    'macvlan',
  ],
  ...['portmap', 'ptp', 'sbr', 'static', 'tuning', 'vlan', 'vrf'],
]);
/** as kPluginMilliseconds of native/monitor/plugin_network.cc */
const LIMIT_MS = 60_000;
const MOST_OUTPUT = 1024 * 1024;

/** The program of each plug-in of a list, in its order. HOST_SETUP when one of them, or of their address managements, is missing. */
export function findCniPrograms(list: CniList, places: CniPlaces): string[] {
  for (const { ipam } of list.plugins) if (ipam !== undefined) findOne(ipam, list, places);
  return list.plugins.map(({ type }) => findOne(type, list, places));
}

function findOne(type: string, { name }: CniList, { pluginDirectories }: CniPlaces): string {
  const found = pluginDirectories.map((directory) => join(directory, type)).find(isExecutable);
  if (found !== undefined) return found;
  const where = pluginDirectories.join(', ');
  throw new HrunError(
    'HOST_SETUP',
    `CNI network ${name} needs the plug-in ${type}, which is not in ${where}`,
    {
      hint: PACKAGED.has(type)
        ? 'run: apt-get install containernetworking-plugins'
        : 'install it there, or name its directory in CNI_PATH',
    },
  );
}

/** Has a plug-in carry out a command; resolves to what it wrote. HOST_SETUP with what it says when it cannot. */
export async function runCniProgram(
  network: string,
  { program, input }: CniProgram,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const limits = { timeout: LIMIT_MS, maxBuffer: MOST_OUTPUT, killSignal: 'SIGKILL' } as const;
  return await new Promise((resolve, reject) => {
    const child = execFile(program, { env: { ...env }, cwd: '/', ...limits }, (error, output, log) => {
      if (!error) return resolve(output);
      reject(pluginError(network, program, whyNot(error, { output, log, killed: child.killed }), error));
    });
    child.stdin!.on('error', () => {}).end(input); // that it reads no further is told by how it ends
  });
}

/** One plug-in's failure, for the user. */
export function pluginError(network: string, program: string, why: string, cause?: unknown): HrunError {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return new HrunError('HOST_SETUP', `CNI network ${network}: plug-in ${name}: ${why}`, { cause });
}

/** Of one that was killed here, the reason; else its own words; else how it ended. */
function whyNot(
  { code, signal }: { code?: unknown; signal?: unknown },
  { output, log, killed }: { output: string; log: string; killed: boolean },
): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `wrote more than ${MOST_OUTPUT} bytes`;
  if (killed) return `did not end within ${LIMIT_MS / 1000} s`;
  const said = cniFailure(output, log);
  if (said !== undefined) return said;
  if (signal) return `was killed by ${signal}`;
  return typeof code === 'number' ? `ended with ${code} and said nothing` : `cannot be run: ${code}`;
}
