// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { makeDirectory } from '../base/directory.ts';
import { errnoOf } from '../base/errors.ts';
import type { Root } from '../base/root.ts';
import { type KvmProbe, native } from '../native/index.ts';

/**
 * What /dev/kvm of this host is worth to us:
 * `hardware`  the processor runs the guest
 * `software`  guest kernel code is emulated, hundreds of times slower
 * `lacking`   an extension that the kvm engine needs is missing
 * `absent`    there is no /dev/kvm
 * `denied`    it may not be opened
 * `broken`    it cannot be used for another reason
 */
export interface KvmVerdict {
  state: 'hardware' | 'software' | 'lacking' | 'absent' | 'denied' | 'broken';
  /** for the first three: what was measured */
  probe: KvmProbe | undefined;
  /** for the last three: the error's name, for example EACCES */
  errno: string | undefined;
}

const DEVICE = '/dev/kvm';
const CACHE_VERSION = 1;

/** Looks at /dev/kvm. What it can do is measured once per boot of the host, in some milliseconds, and kept in the store. */
export async function assessKvm(root: Root): Promise<KvmVerdict> {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
    return verdictOf(readCached(root) ?? (await measure(root)));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return { state: stateOfError(errno), probe: undefined, errno };
  }
}

/** Identifies this boot of the host, and the KVM module that is loaded now. */
export function hostBoot(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const device = statSync(DEVICE, { throwIfNoEntry: false });
  return device ? `${boot} ${device.ino} ${device.ctimeMs}` : boot;
}

function verdictOf(probe: KvmProbe): KvmVerdict {
  const usable = probe.hardware ? 'hardware' : 'software';
  return { state: probe.missing.length > 0 ? 'lacking' : usable, probe, errno: undefined };
}

function stateOfError(errno: string): KvmVerdict['state'] {
  if (['ENOENT', 'ENODEV', 'ENXIO'].includes(errno)) return 'absent';
  return ['EACCES', 'EPERM'].includes(errno) ? 'denied' : 'broken';
}

interface Cached {
  version: number;
  boot: string;
  probe: KvmProbe;
}

function cachePath(root: Root): string {
  return join(root.cache, 'kvm.json');
}

/** Undefined when there is none that is still true; a damaged file counts as none. */
function readCached(root: Root): KvmProbe | undefined {
  try {
    const cached = JSON.parse(readFileSync(cachePath(root), 'utf8')) as Cached;
    return cached.version === CACHE_VERSION && cached.boot === hostBoot() ? cached.probe : undefined;
  } catch {
    return undefined;
  }
}

async function measure(root: Root): Promise<KvmProbe> {
  const probe = await native().probeKvm();
  const cached: Cached = { version: CACHE_VERSION, boot: hostBoot(), probe };
  await keep(root, `${JSON.stringify(cached)}\n`);
  return probe;
}

/** A store that cannot be written only means measuring again; whoever needs to write it says what is wrong. */
async function keep(root: Root, text: string): Promise<void> {
  try {
    await makeDirectory(root.cache, 0o700);
    await writeFileAtomic(cachePath(root), text);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
