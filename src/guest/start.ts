// SPDX-License-Identifier: Apache-2.0
import { StartFlags, StartTag } from './protocol.ts';
import { TlvWriter } from './tlv.ts';

/** A resource limit; `resource` is Linux's RLIMIT_* number, undefined is unlimited. */
export interface Rlimit {
  resource: number;
  soft: bigint | undefined;
  hard: bigint | undefined;
}

/** The process a session starts: the content of a START frame. */
export interface Start {
  args: readonly string[];
  /** NAME=value */
  env: readonly string[];
  cwd: string;
  /** user[:group], names or numbers; empty is root */
  user: string;
  supplementaryGroups: readonly string[];
  /** mask of Linux capability numbers */
  capabilities: bigint;
  rlimits: readonly Rlimit[];
  /** the container's own process rather than an exec */
  initSession: boolean;
  tty: boolean;
  /** standard input is fed by the client; else it is /dev/null */
  stdin: boolean;
  noNewPrivileges: boolean;
  /** a small init is PID 1 and the command its child */
  reaper: boolean;
  /** nobody wants the output, and the process goes on when the client leaves */
  detached?: boolean;
  terminalSize: TerminalSize | undefined;
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

const UNLIMITED = 0xffff_ffff_ffff_ffffn;

/** The payload of a START frame. */
export function encodeStart(start: Start): Buffer {
  const tlv = new TlvWriter();
  for (const arg of start.args) tlv.string(StartTag.ARG, arg);
  for (const entry of start.env) tlv.string(StartTag.ENV, entry);
  tlv.string(StartTag.CWD, start.cwd);
  if (start.user) tlv.string(StartTag.USER, start.user);
  for (const group of start.supplementaryGroups) tlv.string(StartTag.GROUP, group);
  tlv.u64(StartTag.CAPS, start.capabilities);
  for (const limit of start.rlimits) tlv.bytes(StartTag.RLIMIT, rlimitBytes(limit));
  tlv.u32(StartTag.FLAGS, flagsOf(start));
  if (start.terminalSize) tlv.bytes(StartTag.SIZE, sizeBytes(start.terminalSize));
  return tlv.finish('the command, its arguments and its environment');
}

/** u16 rows, u16 columns: START's size and RESIZE's payload. */
export function sizeBytes({ rows, columns }: TerminalSize): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt16LE(Math.min(rows, 0xffff), 0);
  bytes.writeUInt16LE(Math.min(columns, 0xffff), 2);
  return bytes;
}

function flagsOf(start: Start): number {
  return (
    (start.initSession ? StartFlags.INIT_SESSION : 0) |
    (start.tty ? StartFlags.TTY : 0) |
    (start.stdin ? StartFlags.STDIN : 0) |
    (start.noNewPrivileges ? StartFlags.NO_NEW_PRIVS : 0) |
    (start.reaper ? StartFlags.REAPER : 0) |
    (start.detached ? StartFlags.DETACHED : 0)
  );
}

function rlimitBytes({ resource, soft, hard }: Rlimit): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(resource, 0);
  bytes.writeBigUInt64LE(soft ?? UNLIMITED, 8);
  bytes.writeBigUInt64LE(hard ?? UNLIMITED, 16);
  return bytes;
}

/** The payload of a START whose output is the list of the container's processes. */
export function encodeProcessList(): Buffer {
  const tlv = new TlvWriter();
  tlv.u32(StartTag.FLAGS, StartFlags.PROCESSES);
  return tlv.finish('the request');
}
