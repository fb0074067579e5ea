// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { recordContainer } from '../container/index.ts';
import { askProcesses } from './ask-agent.ts';
import { openRunning } from './open-container.ts';

/** A process as the container sees it. */
export interface ContainerProcessInfo {
  pid: number;
  /** 0: none in the container */
  parent: number;
  uid: number;
  state: string;
  /** "pts/0", or "?" without one */
  terminal: string;
  /** seconds */
  cpuTime: number;
  started: Date;
  residentKiB: number;
  virtualKiB: number;
  threads: number;
  name: string;
  command: string;
}

/** The processes of a running container, in the order of their pids. */
export async function containerProcesses(root: Root, text: string): Promise<ContainerProcessInfo[]> {
  const { directory, config } = await openRunning(root, text);
  const [heading = '', ...lines] = await askProcesses(directory);
  recordContainer(root, config, 'top');
  const [hz = 100, now = 0] = heading.split('\t').map(Number);
  return lines.map((line) => parseProcess(line, hz, now)).sort((a, b) => a.pid - b.pid);
}

function parseProcess(line: string, hz: number, now: number): ContainerProcessInfo {
  const fields = line.split('\t');
  const number = (index: number) => Number(fields[index]) || 0;
  return {
    pid: number(0),
    parent: number(1),
    uid: number(2),
    state: fields[3] ?? '?',
    terminal: terminalName(number(4)),
    cpuTime: number(5) / hz,
    started: new Date(Date.now() - ((now - number(6)) * 1000) / hz),
    residentKiB: number(7),
    virtualKiB: number(8),
    threads: number(9),
    name: fields[10] ?? '',
    command: fields.slice(11).join(' '),
  };
}

const PTS_MAJOR = 136;

/** proc(5): the minor number is in bits 31 to 20 and 7 to 0, the major one in bits 15 to 8. */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return major === PTS_MAJOR ? `pts/${minor}` : '?';
}
