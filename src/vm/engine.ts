// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HrunError } from '../base/errors.ts';

/** What --engine takes. */
export const ENGINE_NAMES = ['auto', 'qemu', 'kvm'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** The engine part of vm.json. */
export interface Engine {
  engine: 'qemu';
  qemu: { binary: string; accel: 'tcg' };
}

const QEMU = 'qemu-system-x86_64';

/** Settles which engine runs the VM. HOST_SETUP when its program is missing, UNSUPPORTED for kvm. */
export function chooseEngine(name: EngineName, env: NodeJS.ProcessEnv = process.env): Engine {
  if (name === 'kvm') {
    throw new HrunError('UNSUPPORTED', 'the kvm engine is not built yet', { hint: 'use --engine qemu' });
  }
  return { engine: 'qemu', qemu: { binary: findProgram(QEMU, env), accel: 'tcg' } };
}

function findProgram(name: string, env: NodeJS.ProcessEnv): string {
  for (const dir of (env.PATH ?? '/usr/bin:/bin').split(delimiter)) {
    const path = join(dir || '.', name);
    if (dir.startsWith('/') && isExecutable(path)) return path;
  }
  throw new HrunError('HOST_SETUP', `${name} is not installed, or not in PATH`, {
    hint: 'run: apt-get install qemu-system-x86',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
