// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';

/** capabilities(7) in the order of their numbers, from 0. */
export const CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...[
    'LINUX_IMMUTABLE',
    'NET_BIND_SERVICE',
    'NET_BROADCAST',
    'NET_ADMIN',
    'NET_RAW',
    'IPC_LOCK',
    'IPC_OWNER',
  ],
  ...[
    'SYS_MODULE',
    'SYS_RAWIO',
    'SYS_CHROOT',
    'SYS_PTRACE',
    'SYS_PACCT',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_NICE',
  ],
  ...[
    'SYS_RESOURCE',
    'SYS_TIME',
    'SYS_TTY_CONFIG',
    'MKNOD',
    'LEASE',
    'AUDIT_WRITE',
    'AUDIT_CONTROL',
    'SETFCAP',
  ],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
];

/** What a container has unless asked otherwise: Docker's list. */
const DEFAULTS = [
  ...[
    'CHOWN',
    'DAC_OVERRIDE',
    'FSETID',
    'FOWNER',
    'MKNOD',
    'NET_RAW',
    'SETGID',
    'SETUID',
    'SETFCAP',
    'SETPCAP',
  ],
  ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
];

const ALL = maskOf(CAPABILITIES);

/** The mask for --cap-add, --cap-drop and --privileged, by Docker's rules; USAGE for an unknown name. */
export function capabilityMask(add: readonly string[], drop: readonly string[], privileged: boolean): bigint {
  const added = add.map(canonicalName);
  const dropped = drop.map(canonicalName);
  if (privileged) return ALL;
  const addsAll = added.includes('ALL');
  const kept = addsAll ? ALL : dropped.includes('ALL') ? 0n : maskOf(DEFAULTS);
  const withAdded = kept | maskOf(added.filter((name) => name !== 'ALL'));
  return withAdded & ~maskOf(dropped.filter((name) => name !== 'ALL'));
}

function canonicalName(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL' || CAPABILITIES.includes(name)) return name;
  throw new HrunError('USAGE', `unknown capability: ${text}`, { hint: 'see: man 7 capabilities' });
}

function maskOf(names: readonly string[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n);
}
