// SPDX-License-Identifier: Apache-2.0
// S9: private memory of an idle hrun-vmm, keeper and monitor, with the kvm engine, the guest's own memory left out. The guest is the bare-metal
// agent of test/guests/agent: the whole session is up, and nothing happens.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VmConfig } from '../src/vm/vm-config.ts';
import { MonitorRig } from '../test/vm/monitor-rig.ts';
import { PROJECT, report } from './harness.ts';

const GUEST_MEMORY = '/memfd:hrun-guest';
const SETTLE_MS = 1000;
const LIMIT_MIB = 5;

using rig = new MonitorRig();
const kernel = join(PROJECT, 'build/native/guests/agent.elf');
const change = { engine: 'kvm', qemu: undefined, kernel, memoryMiB: 1024 } as Partial<VmConfig>;
const directory = rig.container(['wait'], change);
const client = rig.run(directory);
await client.started;
await sleep(SETTLE_MS);
const { monitorPid, vmmPid } = rig.state(directory);
const mappings = new Map([
  ...[...privateMemory(monitorPid)].map(([name, kib]) => [`keeper ${name}`, kib] as const),
  ...privateMemory(vmmPid),
]);
process.kill(monitorPid, 'SIGTERM');
await client.ended;

for (const [name, kib] of [...mappings].sort(([, a], [, b]) => b - a).slice(0, 8))
  console.log(`${name.padEnd(44)} ${kib} KiB`);
const mib = [...mappings.values()].reduce((sum, kib) => sum + kib, 0) / 1024;
const what = 'MiB private to an idle hrun-vmm beyond guest memory';
const promise = { id: 'S9', what, ratio: mib, atMost: LIMIT_MIB };
process.exitCode = report('monitor-memory', {}, [promise], { kib: Object.fromEntries(mappings) }) ? 0 : 1;

/** KiB that only this process has, by the name of what is mapped. */
function privateMemory(pid: number): Map<string, number> {
  const sums = new Map<string, number>();
  let name = '';
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/.exec(line);
    if (mapping) name = mapping[1] || 'anonymous';
    const kib = Number(/^Private_(?:Clean|Dirty): +(\d+) kB$/.exec(line)?.[1] ?? 0);
    if (kib > 0 && !name.startsWith(GUEST_MEMORY)) sums.set(name, (sums.get(name) ?? 0) + kib);
  }
  return sums;
}
