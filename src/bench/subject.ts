// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

/** A way to run a command in a new container and to remove it afterwards. */
export interface Subject {
  /** `hrun, template (qemu)`, `podman` */
  name: string;
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  /** what has to be there for a run, and what is to go after it: not in its time */
  around?: { before(): Promise<void>; after(): Promise<void> };
  /** it can write its stages to $HRUN_TRACE */
  traced: boolean;
}

/** What is compared, and why others are not. */
export interface Subjects {
  subjects: Subject[];
  /** one line each */
  absent: string[];
}

export interface TimedRun {
  /** from execve of the command to its exit */
  ms: number;
  failed: boolean;
  stderr: string;
}

/** Runs a subject once, without input, its output dropped. */
export async function timedRun({ argv, env }: Subject, more: NodeJS.ProcessEnv = {}): Promise<TimedRun> {
  const begin = process.hrtime.bigint();
  const { exitCode, stderr } = await execa(argv[0]!, argv.slice(1), {
    ...{ env: { ...env, ...more }, stdin: 'ignore', stdout: 'ignore', reject: false },
  });
  return { ms: millisecondsSince(begin), failed: exitCode !== 0, stderr };
}

export function millisecondsSince(begin: bigint): number {
  return Number(process.hrtime.bigint() - begin) / 1e6;
}
