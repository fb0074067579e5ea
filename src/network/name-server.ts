// SPDX-License-Identifier: Apache-2.0
// The DNS server of a network: one process, `hrun-vmm --names`, which is started with the network's first container and ends by itself
// when none has run for a while. docs/networks.md, "Names".
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, HrunError } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { isLocked, native } from '../native/index.ts';
import { isCniNetwork } from './cni-lists.ts';
import { DEFAULT_NETWORK, type Network, networkDirectory, storeTag } from './network.ts';
import { hostNameServers } from './resolvers.ts';
import { tableName } from './rules.ts';
import { USER_NETWORK } from './user-mode.ts';

/** Locked by the server as long as it lives; its process id. */
const SERVER = 'resolver';
/** Whom it asks for other names, one a line. It is touched, under its lock, by whoever is about to start a container. */
const SERVERS = 'servers';
const LOG = 'resolver.log';
const RECORDS = 'names';
const STOP_ATTEMPTS = 100;
const STOP_PAUSE_MS = 10;

/** True for a network whose containers know each other by name: as under Docker every one but the default, passt's, in which it is alone, and those of CNI plug-ins. */
export function servesNames({ name }: Pick<Network, 'name'>): boolean {
  return name !== DEFAULT_NETWORK && name !== USER_NETWORK && !isCniNetwork(name);
}

/** Where a network's keepers write down their containers' names. */
export function nameRecords(root: Root, network: Network): string {
  return join(networkDirectory(root, network.name), RECORDS);
}

/** Sees to it that names are served in a network whose bridge is up. Only while holding the lock of all networks. HOST_SETUP. */
export async function ensureNameServer(root: Root, network: Network, program: string): Promise<void> {
  const directory = networkDirectory(root, network.name);
  const path = join(directory, SERVERS);
  const lock = await native().lockFile(path, { shared: false, wait: true });
  try {
    const servers = network.internal ? '' : hostNameServers().join('\n');
    if (readFileSync(path, 'utf8') === servers) utimesSync(path, new Date(), new Date());
    else writeFileSync(path, servers);
    if (!isLocked(join(directory, SERVER)))
      await startServer(directory, network, { program, table: tableName(storeTag(root)) });
  } finally {
    lock.release();
  }
}

/** Ends the server of a network that is to go, and waits for it. Only while holding the lock of all networks. */
export async function stopNameServer(root: Root, network: Network): Promise<void> {
  const path = join(networkDirectory(root, network.name), SERVER);
  for (let attempt = 0; attempt < STOP_ATTEMPTS && isLocked(path); attempt++) {
    endProcess(Number(readFileSync(path, 'utf8')));
    await sleep(STOP_PAUSE_MS);
  }
}

/** Takes the names of a container that has left a network away. Only while holding the lock of all networks. */
export function forgetStation(root: Root, network: Network, id: string): void {
  rmSync(join(nameRecords(root, network), id), { force: true });
}

/** Gives a running container another name. Only while holding the lock of all networks. */
export function renameStation(root: Root, network: Network, id: string, before: string, after: string): void {
  const path = join(nameRecords(root, network), id);
  try {
    const text = readFileSync(path, 'utf8');
    const file = openSync(path, 'r+'); // the file stays the one that is locked, and blanks at its end mean nothing
    writeSync(file, text.replace(`name ${before}\n`, `name ${after}\n`).padEnd(text.length, '\n'), 0);
    closeSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Resolves when it can be asked. */
async function startServer(
  directory: string,
  { name, gateway }: Network,
  { program, table }: { program: string; table: string },
): Promise<void> {
  const log = openSync(join(directory, LOG), 'w', 0o600);
  try {
    const child = spawn(program, ['--names', directory, gateway, table], {
      ...{ cwd: '/', detached: true, env: {}, stdio: ['ignore', 'pipe', log] },
    });
    const ready = await new Promise<boolean>((resolve) => {
      child.on('error', () => resolve(false));
      child.stdout!.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
    child.stdout?.destroy();
    child.unref();
    if (ready) return;
  } finally {
    closeSync(log);
  }
  const why = readFileSync(join(directory, LOG), 'utf8')
    .trim()
    .replace(/^hrun-vmm: /, '');
  throw new HrunError(
    'HOST_SETUP',
    `names of network ${name} cannot be served: ${why || 'it does not start'}`,
    {
      hint: `another DNS server of this host may have all addresses: let it leave ${gateway} alone`,
    },
  );
}

function endProcess(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
