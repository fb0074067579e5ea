// SPDX-License-Identifier: Apache-2.0
// A network interface that comes and goes while a machine of the kvm engine runs, on a network namespace of the test's own.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settingsPath } from '../../src/base/settings.ts';
import { kvmUsable } from '../native/micro-vm-guest.ts';
import { TestStore } from '../vm/hrun.ts';
import { MonitorRig } from '../vm/monitor-rig.ts';
import { hostNetworkObstacle, OwnNetwork } from '../vm/own-network.ts';
import { bareMetal } from './bare-metal.ts';

const cannot = kvmUsable() ? hostNetworkObstacle() : 'no usable /dev/kvm';
const PROGRAM = join(import.meta.dirname, '../../build/native/hrun-vmm');
const NIC = {
  ...{ slot: 19, tap: 'hrun-test0', bridge: 'br0', mac: '02:00:00:00:00:07', mtu: 1400 },
  addresses: ['10.71.0.9/24'],
};

describe.skipIf(cannot)(`--plug and --unplug${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  const rig = new MonitorRig();
  let host: OwnNetwork;

  const taps = async () => (await host.shell('ip -d -o link show type tun')).stdout;

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await host.shell('ip link add br0 type bridge; ip link set br0 up');
  });
  afterAll(() => {
    host.close();
    rig[Symbol.dispose]();
    store.remove();
  });

  test.each([
    [1, /^(?!.* multi_queue )/s],
    [2, / multi_queue numqueues 2 numdisabled 0 /],
  ])('give a jailed monitor of %i vCPUs a tap interface, and have it let go of it', async (vcpus, queues) => {
    const directory = rig.container(['wait'], bareMetal({ vcpus }));
    const client = rig.run(directory);
    await client.started;
    const file = settingsPath(directory, 'vm.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), nics: [NIC] }));
    const change = (what: string) => host.shell(`${PROGRAM} ${what} ${directory} ${NIC.slot}`);
    for (let round = 0; round < 5; round++) {
      expect(await change('--plug')).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await taps()).toMatch(/hrun-test0: .*LOWER_UP.* mtu 1400 .*master br0/);
      expect(await taps()).toMatch(queues);
      expect(await change('--plug')).toMatchObject({ exitCode: 0 }); // it is there
      expect(await change('--unplug')).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await taps()).toBe('');
    }
    expect(await change('--unplug')).toMatchObject({ exitCode: 0 });
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    expect((await client.ended).exit).toMatchObject({ signal: 15 });
    expect(readFileSync(join(directory, 'monitor.log'), 'utf8')).toBe('');
  });
});
