// SPDX-License-Identifier: Apache-2.0
// A container in several networks, on a network namespace of the test's own: the machine's network is never touched.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const SLEEP = ['busybox', 'sleep', '1000'];

describe.skipIf(cannot)(`several networks${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;

  const out = (...args: string[]) => host.out(...args);
  const says = (...args: string[]) => host.says(...args);
  const leases = (name: string) => store.leases(name);

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    await host.hrun(['network', 'create', '--internal', '--subnet', '10.61.0.0/24', 'inner']);
    await host.hrun(['network', 'create', '--subnet', '10.62.0.0/24', 'a']);
    await host.hrun(['network', 'create', '--subnet', '10.63.0.0/24', '-o', 'mtu=1400', 'b']);
  });
  afterAll(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    for (const name of ['inner', 'a', 'b']) await host.hrun(['network', 'rm', name]);
    host.close();
    store.remove();
  });

  test('are an interface each; the first that leads out has the default route, the names and the ports', async () => {
    const networks = ['--network', 'inner', '--network', 'name=b,ip=10.63.0.9,alias=bee', '--network', 'a'];
    const options = [...networks, '--ip', '10.61.0.7', '-p', '127.0.0.1::80', '--hostname', 'server'];
    const serve = ['busybox', 'sh', '-c', 'nc -ll -p 80 -e echo hi'];
    await out('run', '-d', '--name', 'all', ...options, ...serve);
    expect(
      await out('exec', 'all', 'sh', '-c', 'ip route; cat /sys/class/net/eth1/mtu; tail -3 /etc/hosts'),
    ).toBe(
      'default via 10.63.0.1 dev eth1  metric 1 \ndefault via 10.62.0.1 dev eth2  metric 2 \n' +
        '10.61.0.0/24 dev eth0 scope link  src 10.61.0.7 \n10.62.0.0/24 dev eth2 scope link  src 10.62.0.2 \n' +
        '10.63.0.0/24 dev eth1 scope link  src 10.63.0.9 \n' +
        '1400\n10.61.0.7\tserver\n10.63.0.9\tserver\n10.62.0.2\tserver\n',
    );
    expect(await out('port', 'all')).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+\n$/);
    const port = (await out('port', 'all', '80')).trim().split(':')[1];
    await host.until(
      async () => (await host.shell(`busybox nc -w 5 127.0.0.1 ${port} </dev/null`)).stdout === 'hi\n',
    );
    const shown = '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{$net.IPAddress}},{{end}}';
    expect(await out('inspect', '-f', shown, 'all')).toBe('a 10.62.0.2,b 10.63.0.9,inner 10.61.0.7,\n');
    for (const name of ['inner', 'a', 'b']) {
      expect(await out('network', 'inspect', '-f', '{{range .Containers}}{{.Name}}{{end}}', name)).toBe(
        'all\n',
      );
      expect(await out('ps', '-q', '--filter', `network=${name}`)).toMatch(/^[0-9a-f]{12}\n$/);
    }
    expect(await out('ps', '-q', '--filter', 'network=bridge')).toBe('');
  });

  test('know their containers by name to whoever is in one of them, by whichever server', async () => {
    for (const [name, network] of [
      ['one', 'a'],
      ['two', 'inner'],
    ])
      await out('run', '-d', '--name', name!, '--network', network!, ...SLEEP);
    const pings = ['one', 'two', 'one.a', 'all'].map(
      (name) => `ping -c 1 -W 30 ${name} | sed -n 's/^PING //p'`,
    );
    expect(await out('exec', 'all', 'sh', '-c', pings.join('; '))).toBe(
      'one (10.62.0.3): 56 data bytes\ntwo (10.61.0.2): 56 data bytes\n' +
        'one.a (10.62.0.3): 56 data bytes\nall (10.63.0.9): 56 data bytes\n',
    );
    expect(await out('exec', 'one', 'ping', '-c', '1', '-W', '30', 'all')).toContain('(10.62.0.2)');
    expect((await host.tryHrun(['exec', 'one', 'ping', '-c', '1', '-W', '1', 'two'])).exitCode).not.toBe(0);
    expect((await host.tryHrun(['exec', 'one', 'ping', '-c', '1', '-W', '1', 'bee'])).exitCode).not.toBe(0);
    await out('rm', '-f', 'one', 'two', 'all');
  });

  test('are had all or none', async () => {
    const before = leases('a');
    const create = (...args: string[]) => says('create', ...args, 'busybox', 'true');
    expect(await create('--network', 'a', '--network', 'name=b,ip=10.62.0.3')).toContain(
      'the address 10.62.0.3 is not in the subnet 10.63.0.0/24 of network b',
    );
    expect(await create('--network', 'a', '--network', 'a')).toContain(
      'network "a" is specified multiple times',
    );
    expect(await create('--network', 'a', '--network', 'nowhere')).toContain('network nowhere not found');
    expect(leases('a')).toEqual(before);
  });
});
