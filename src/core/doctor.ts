// SPDX-License-Identifier: Apache-2.0
import { accessSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf, HrunError } from '../base/errors.ts';
import { installDir, type Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import {
  assessKvm,
  checkIsolation,
  explain,
  findAssets,
  findProgram,
  type HostIsolation,
  type KvmVerdict,
  QEMU,
  type VirtualizationFacts,
  virtualizationFacts,
} from '../vm/index.ts';

/** One thing that was looked at. */
export interface Finding {
  subject: string;
  /** `problem`: containers cannot run; `slow`: they run, but not as they could; `weak`: they are guarded less than they could be */
  state: 'good' | 'slow' | 'weak' | 'problem';
  /** what was found, in plain words */
  found: string;
  /** what to do about it */
  advice?: string;
}

/** Bytes free under which a pull of an ordinary image is likely to fail. */
const LITTLE_SPACE = 2 * 1024 ** 3;

/** Looks at everything hrun needs from this host. */
export async function examineHost(root: Root, env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const verdict = await assessKvm(root);
  return [
    processor(virtualizationFacts()),
    kvm(verdict),
    engine(verdict),
    qemu(verdict, env),
    parts(),
    ...isolation(),
    addon(),
    mke2fs(env),
    ...store(root),
  ];
}

function processor({ extension, nested }: VirtualizationFacts): Finding {
  const where = nested ? 'this host is itself a virtual machine' : 'this host is a physical machine';
  const found = extension
    ? `${where}; its processor shows ${extension}`
    : `${where}; its processor shows no virtualization`;
  return { subject: 'processor', state: 'good', found };
}

function kvm(verdict: KvmVerdict): Finding {
  const { because, advice } = explain(verdict);
  const state = verdict.state === 'hardware' ? 'good' : 'slow';
  return { subject: 'KVM', state, found: because, ...(advice !== undefined && { advice }) };
}

function engine(verdict: KvmVerdict): Finding {
  const found =
    verdict.state === 'hardware'
      ? '--engine auto takes kvm: the processor runs guests'
      : '--engine auto takes qemu, software emulation: the same isolation and the same result, slower';
  return { subject: 'engine', state: 'good', found };
}

/** Only needed where the kvm engine is not taken. */
function qemu(verdict: KvmVerdict, env: NodeJS.ProcessEnv): Finding {
  const finding = attempt('QEMU', () => findProgram(QEMU.program, QEMU.package, env));
  return verdict.state === 'hardware' && finding.state === 'problem'
    ? { ...finding, state: 'good' }
    : finding;
}

function mke2fs(env: NodeJS.ProcessEnv): Finding {
  const path = `${env.PATH ?? ''}:/usr/sbin:/sbin`;
  return attempt('mke2fs', () => findProgram('mke2fs', 'e2fsprogs', { ...env, PATH: path }));
}

function parts(): Finding {
  return attempt('built parts', () => {
    findAssets();
    return `guest kernel, initrd and monitor are in ${installDir()}`;
  });
}

/** What the monitor's jail is made of here; without the monitor there is nothing to say, and parts() says that. */
function isolation(): Finding[] {
  let host: HostIsolation;
  try {
    host = checkIsolation(findAssets().monitor);
  } catch (error) {
    if (error instanceof HrunError) return [];
    throw error;
  }
  return [jail(host), controlGroups(host)];
}

function jail({ namespaces, landlock }: HostIsolation): Finding {
  const subject = 'isolation';
  if (namespaces === '')
    return { subject, state: 'good', found: 'monitors have namespaces and a root of their own' };
  const rest = landlock === '' ? 'a system-call filter and Landlock' : 'a system-call filter alone';
  const found = `this host refuses namespaces (${namespaces}): monitors have ${rest}`;
  const advice =
    'allow user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns';
  return { subject, state: 'weak', found, advice };
}

function controlGroups({ controlGroup }: HostIsolation): Finding {
  const subject = 'cgroups';
  if (controlGroup === '')
    return { subject, state: 'good', found: 'each VM gets a control group of its own' };
  const found = `VMs run without the host's limits: ${controlGroup}`;
  const advice =
    'run hrun as root, or in a delegated group: systemd-run --user --scope -p Delegate=yes hrun …';
  return { subject, state: 'weak', found, advice };
}

function addon(): Finding {
  return attempt('addon', () => `loaded, converter version ${native().converterVersion}`);
}

/** How much room there is can be told only of a store that can be reached. */
function store({ dir }: Root): Finding[] {
  try {
    const reached = existing(dir);
    rmdirSync(mkdtempSync(join(reached, '.hrun-doctor-')));
    return [{ subject: 'store', state: 'good', found: `${dir} can be written` }, room(dir, reached)];
  } catch (error) {
    const found = `${dir} cannot be written (${errnoOf(error)})`;
    const advice = 'run hrun as the user who owns it, or set HRUN_ROOT';
    return [{ subject: 'store', state: 'problem', found, advice }];
  }
}

function room(dir: string, reached: string): Finding {
  const { bavail, bsize } = statfsSync(reached);
  const free = bavail * bsize;
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free for ${dir}`;
  if (free >= LITTLE_SPACE) return { subject: 'disk', state: 'good', found };
  const advice = 'free some: hrun rmi removes images, hrun rm containers';
  return { subject: 'disk', state: 'problem', found, advice };
}

/** `path`, or the nearest directory above it that is there. */
function existing(path: string): string {
  try {
    accessSync(path);
    return path;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || path === '/') throw error;
    return existing(dirname(path));
  }
}

function attempt(subject: string, look: () => string): Finding {
  try {
    return { subject, state: 'good', found: look() };
  } catch (error) {
    if (!(error instanceof HrunError)) throw error;
    const { message, hint } = error;
    return { subject, state: 'problem', found: message, ...(hint !== undefined && { advice: hint }) };
  }
}
