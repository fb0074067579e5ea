// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { HrunError } from '../base/errors.ts';

const RTMIN = 34;
const RTMAX = 64;

/** The Linux number of `SIGTERM`, `term`, `15`, `RTMIN+3` or `RTMAX-1`; USAGE for anything else. */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) return checked(Number(text), text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime) return checked(realTimeNumber(realTime), text);
  const number = (constants.signals as Record<string, number>)[`SIG${name}`];
  return checked(number ?? 0, text);
}

/** `SIGTERM` for 15; the number for one without a name. */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found ? found[0] : String(number);
}

function realTimeNumber([, base, sign, offset]: RegExpExecArray): number {
  const distance = Number(offset ?? 0);
  return (base === 'MIN' ? RTMIN : RTMAX) + (sign === '-' ? -distance : distance);
}

function checked(number: number, text: string): number {
  if (number >= 1 && number <= RTMAX) return number;
  throw new HrunError('USAGE', `unknown signal: ${text}`, { hint: 'use a name such as SIGTERM, or 1 to 64' });
}
