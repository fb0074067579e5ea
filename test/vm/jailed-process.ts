// SPDX-License-Identifier: Apache-2.0
// What the host's /proc says of a process that should be in a jail.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../src/base/errors.ts';

export interface JailedProcess {
  /** of every thread: capability sets, no_new_privs and seccomp mode, as in /proc/PID/status */
  threads: Record<string, string>[];
  /** namespaces that are not this process's own */
  ownNamespaces: string[];
  /** what its root directory holds */
  root: string[];
  /** where what is mounted, and the options there */
  mounts: { point: string; options: string[] }[];
  /** network interfaces */
  interfaces: string[];
  controlGroups: string;
  /** what its descriptors are, sockets and anonymous ones left out */
  files: string[];
  limits: string;
}

const NAMESPACES = ['mnt', 'net', 'ipc', 'uts', 'pid', 'user'];
const FIELDS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'];

export function jailedProcess(pid: number): JailedProcess {
  const proc = `/proc/${pid}`;
  const read = (name: string) => readFileSync(`${proc}/${name}`, 'utf8');
  const lines = (name: string) => read(name).trimEnd().split('\n');
  return {
    threads: readdirSync(`${proc}/task`).flatMap((id) => ifThere(() => status(`${proc}/task/${id}`))),
    ownNamespaces: NAMESPACES.filter(
      (name) => readlinkSync(`${proc}/ns/${name}`) !== readlinkSync(`/proc/self/ns/${name}`),
    ),
    root: readdirSync(`${proc}/root`).sort(),
    mounts: lines('mountinfo').map((line) => {
      const words = line.split(' ');
      return { point: words[4]!, options: words[5]!.split(',') };
    }),
    interfaces: lines('net/dev')
      .slice(2)
      .map((line) => line.split(':')[0]!.trim()),
    controlGroups: read('cgroup'),
    files: readdirSync(`${proc}/fd`)
      .flatMap((fd) => ifThere(() => readlinkSync(`${proc}/fd/${fd}`)))
      .filter((target) => target.startsWith('/')),
    limits: read('limits'),
  };
}

/** The process that a jailed one's parent is. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

/** No powers, none to get, and a system-call filter: what /proc says of each thread. */
export const POWERLESS = {
  ...{ CapInh: '0000000000000000', CapPrm: '0000000000000000', CapEff: '0000000000000000' },
  ...{ CapBnd: '0000000000000000', CapAmb: '0000000000000000', NoNewPrivs: '1', Seccomp: '2' },
};

/** A thread or a descriptor may be gone since it was listed. */
function ifThere<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) throw error;
    return [];
  }
}

function status(directory: string): Record<string, string> {
  const text = readFileSync(`${directory}/status`, 'utf8');
  return Object.fromEntries(
    FIELDS.map((name) => [name, new RegExp(`^${name}:\\t(.*)$`, 'm').exec(text)![1]!]),
  );
}
