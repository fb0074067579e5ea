// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';

/** include/linux/sched.h */
const PF_EXITING = 0x4;
/** of proc_pid_stat(5), counted from the state, which follows the name in parentheses */
const FLAGS_FIELD = 6;

/** True while a process has not begun to end: one that has lets go of its locks only when all its memory is gone. */
export function isProcessAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[FLAGS_FIELD]) & PF_EXITING) === 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}
