// SPDX-License-Identifier: Apache-2.0
// head-start/: directories of machines that can be started before anything is known of their container. docs/head-start.md.
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { listDirectory } from '../base/directory.ts';
import type { Root } from '../base/root.ts';
import { settingsPath } from '../base/settings.ts';
import { type EmptyMachine, writeEmptyMachine } from './empty-machine.ts';
import { isHeld } from './held.ts';

/** A machine that bin/hrun has started, for this process alone. */
export interface HeadStart {
  /** of its template */
  key: string;
  id: string;
  /** What is written begins its container. To close it ends the machine. */
  connection: Socket;
}

/** native/launcher/main.cc */
const VARIABLE = 'HRUN_HEAD_START';
const STARTED = /^(\d+) ([0-9a-f]{64}) ([0-9a-f]{64})$/;
const PREPARED = /^([0-9a-f]{64})\.[0-9a-f]{64}(\.nic)?$/;
/** What the name of one with an interface ends in; native/launcher/head_start.cc */
const WITH_NIC = '.nic';
/** A name that nobody starts by; native/monitor/keeper_head_start.cc */
const GOING = '.going';
const MAKING = '.making';
/** Until then a directory without a keeper is about to have one. */
const SETTLED_MS = 10_000;

/** Whether machines are given a head start. */
export function wantsHeadStart(env: NodeJS.ProcessEnv = process.env): boolean {
  return env[VARIABLE] !== 'off';
}

/** The machine that this process was given; what it starts is not told of it. */
export function takeGiven(env: NodeJS.ProcessEnv = process.env): HeadStart | undefined {
  const found = STARTED.exec(env[VARIABLE] ?? '');
  if (!found || Number(found[1]) < 3) return undefined;
  delete env[VARIABLE];
  try {
    const connection = new Socket({ fd: Number(found[1]), readable: true, writable: true });
    connection.on('error', () => {}); // whoever uses it hears of its end
    connection.unref(); // until then it keeps nobody here
    return { key: found[2]!, id: found[3]!, connection };
  } catch {
    return undefined; // not bin/hrun's
  }
}

/** Ends the machine of a head start that no container has taken. One whose keeper has not begun does not begin any more. */
export function dropHeadStart(root: Root, { id, connection }: HeadStart): void {
  connection.destroy();
  const directory = headStartDirectory(root, id);
  try {
    if (!isHeld(directory)) removeLeft(directory);
  } catch {} // it is swept later
}

/** Renamed first, so that nobody begins in it meanwhile. */
function removeLeft(directory: string): void {
  const going = directory.endsWith(GOING) ? directory : `${directory}${GOING}`;
  if (going !== directory) renameSync(directory, going);
  rmSync(going, { recursive: true, force: true });
}

/** Where the machine of a head start is until a container has it. */
export function headStartDirectory(root: Root, id: string): string {
  return join(root.headStart, id);
}

/** True once its keeper has read what is in its directory; false when it has ended, too. */
export function isUnderWay(directory: string): boolean {
  return (
    isHeld(directory) && statSync(join(directory, 'control.sock'), { throwIfNoEntry: false }) !== undefined
  );
}

/** Prepares the directory of a machine that is a copy of the template of that name, unless there is one, and clears away what is of no use. */
export function prepareHeadStart(root: Root, key: string, machine: EmptyMachine): void {
  const { id, inputs } = machine;
  mkdirSync(root.headStart, { recursive: true, mode: 0o700 });
  if (sweepHeadStarts(root, { key, nic: inputs.nic })) return;
  const making = headStartDirectory(root, `${id}${MAKING}`);
  mkdirSync(settingsPath(making), { recursive: true, mode: 0o700 });
  writeEmptyMachine(making, machine);
  renameSync(making, headStartDirectory(root, `${key}.${id}${inputs.nic ? WITH_NIC : ''}`));
}

/** Of a machine that is prepared. */
interface Prepared {
  /** of its template */
  key: string;
  /** whether it has an interface */
  nic: boolean;
}

/**
 * Removes what nobody is to start any more: of the kind of `wanted` all but one copy of that template, else of both kinds all, and what killed
 * processes have left. True when there is the one that is wanted.
 */
export function sweepHeadStarts(root: Root, wanted: Prepared | undefined): boolean {
  const names = listDirectory(root.headStart);
  const kept = wanted && names.find((name) => isSame(preparedAs(name), wanted));
  for (const name of names) {
    if (name === kept || (wanted && isOther(root, preparedAs(name), wanted)) || !isLeft(root, name)) continue;
    try {
      removeLeft(headStartDirectory(root, name));
    } catch {} // somebody has started it, or ends just now
  }
  return kept !== undefined;
}

/** Directories of machines that were killed, or of a launcher that was. */
export function leftHeadStarts(root: Root): string[] {
  const names = listDirectory(root.headStart).filter((name) => !PREPARED.test(name) && isLeft(root, name));
  return names.map((name) => headStartDirectory(root, name));
}

function preparedAs(name: string): Prepared | undefined {
  const [, key, nic] = PREPARED.exec(name) ?? [];
  return key === undefined ? undefined : { key, nic: nic !== undefined };
}

function isSame(prepared: Prepared | undefined, wanted: Prepared): boolean {
  return prepared?.key === wanted.key && prepared.nic === wanted.nic;
}

/** Of the other kind, and of a template that is there. */
function isOther(root: Root, prepared: Prepared | undefined, wanted: Prepared): boolean {
  return (
    prepared !== undefined && prepared.nic !== wanted.nic && existsSync(join(root.templates, prepared.key))
  );
}

function isLeft(root: Root, name: string): boolean {
  const directory = headStartDirectory(root, name);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!stat) return false;
  return PREPARED.test(name) || (!isHeld(directory) && Date.now() - stat.ctimeMs > SETTLED_MS);
}
