// SPDX-License-Identifier: Apache-2.0
// Several queues of a network interface, on a network namespace of the test's own: the machine's network is never touched.
import { availableParallelism } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork, type TestServer } from './own-network.ts';

const cannot = hostNetworkObstacle() ?? (availableParallelism() < 2 ? 'has one CPU' : undefined);
const SLEEP = ['busybox', 'sleep', '1000'];
const GATEWAY = '10.75.0.1';
const FLOWS = 8;
const BYTES = 500_000;

describe.skipIf(cannot)(
  `interfaces of several queues${cannot ? ` (this host cannot: ${cannot})` : ''}`,
  () => {
    const store = new TestStore();
    let host: OwnNetwork;
    let server: TestServer;

    const out = (...args: string[]) => host.out(...args);
    const run = (...args: string[]) =>
      out('run', '-d', '--name', 'box', '--cap-add', 'NET_ADMIN', '--network', 'a', ...args, ...SLEEP);
    const inBox = (script: string) => out('exec', 'box', 'sh', '-c', script);
    const queues = (name = 'eth0') => inBox(`ls /sys/class/net/${name}/queues | tr '\n' ' '`);
    const taps = async () => (await host.shell('ip -d -o link show type tun')).stdout;
    /** Several connections at once, each sending from the one CPU or the other, whose bytes are counted on the other side. */
    const flows = async () => {
      const one = (flow: number) =>
        `(taskset ${(flow % 2) + 1} wget -qO- http://${GATEWAY}:${server.port}/ | md5sum | cut -d' ' -f1;
        head -c ${BYTES} /dev/urandom | taskset ${2 - (flow % 2)} nc ${GATEWAY} ${server.sinkPort} | head -1) > /tmp/${flow} &`;
      const all = Array.from({ length: FLOWS }, (_, flow) => one(flow)).join('\n');
      return (await inBox(`rm -f /tmp/*\n${all}\nwait; cat /tmp/*`)).trim().split('\n');
    };
    const whole = () => Array.from({ length: FLOWS }, () => [server.md5, String(BYTES)]).flat();

    beforeAll(async () => {
      host = new OwnNetwork(store);
      await store.load(FIXTURES);
      await host.hrun(['network', 'create', '--subnet', '10.75.0.0/24', 'a']);
      await host.hrun(['network', 'create', '--subnet', '10.76.0.0/24', 'b']);
      server = await host.serve('0.0.0.0', BYTES);
    });
    afterEach(async () => {
      for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
      expect(await taps()).toBe('');
    });
    afterAll(async () => {
      for (const name of ['a', 'b']) await host.hrun(['network', 'rm', name]);
      host.close();
      store.remove();
    });

    test('are those of machines with several CPUs, and what is sent by all of them arrives unharmed', async () => {
      await run('--cpus', '2');
      expect(await queues()).toBe('rx-0 rx-1 tx-0 tx-1 ');
      expect(await taps()).toMatch(/qdisc noqueue .* multi_queue numqueues 2 numdisabled 0 /);
      expect(await flows()).toEqual(whole());
      expect(await inBox('sed -n "s/^Tcp: .* //p" /proc/net/snmp')).toBe('InCsumErrors\n0\n');
    });

    test('are none with one CPU', async () => {
      await run();
      expect(await queues()).toBe('rx-0 tx-0 ');
      expect(await taps()).not.toContain('multi_queue');
    });

    test('let no packets through from others’ addresses, by whichever queue', async () => {
      await run('--cpus', '2');
      for (const cpu of [1, 2]) {
        const ping = (options: string) => `taskset ${cpu} ping -c 1 -W ${options} ${GATEWAY} >/dev/null`;
        const said = await inBox(
          `${ping('5')} && echo own
         ip addr add 10.75.0.99/24 dev eth0; ${ping('1 -I 10.75.0.99')} || echo no other IP
         ip addr del 10.75.0.99/24 dev eth0
         ip link set eth0 down; ip link set eth0 address 02:42:0a:4b:00:63; ip link set eth0 up
         ${ping('1')} || echo no other MAC
         ip link set eth0 down; ip link set eth0 address 02:42:0a:4b:00:02; ip link set eth0 up
         ${ping('5')} && echo own again`,
        );
        expect(said).toBe('own\nno other IP\nno other MAC\nown again\n');
      }
    });

    test('come with a network that is connected while it runs, and go', async () => {
      await run('--cpus', '2');
      for (let round = 0; round < 2; round++) {
        await out('network', 'connect', 'b', 'box');
        expect(await queues('eth1')).toBe('rx-0 rx-1 tx-0 tx-1 ');
        expect((await taps()).match(/multi_queue numqueues 2 /g)).toHaveLength(2);
        for (const cpu of [1, 2]) await inBox(`taskset ${cpu} ping -c 1 -W 5 10.76.0.1`);
        await out('network', 'disconnect', 'b', 'box');
        expect(await inBox('ls /sys/class/net')).toBe('eth0\nlo\n');
      }
      expect(await flows()).toEqual(whole());
    });

    test('stay what they are when the container is given CPUs and when they are taken away', async () => {
      await run('--max-cpus', '2');
      const before = await queues();
      for (const cpus of ['2', '1', '2']) {
        await out('update', '--cpus', cpus, 'box');
        expect(await queues()).toBe(before);
        await inBox(`ping -c 1 -W 5 ${GATEWAY}`);
      }
      expect(await flows()).toEqual(whole());
      await out('restart', '-t', '0', 'box');
      expect(await flows()).toEqual(whole());
      await out('update', '--cpus', '1', 'box');
      expect(await inBox(`ping -c 1 -W 5 ${GATEWAY} >/dev/null && echo there`)).toBe('there\n');
    });

    test('are those that a checkpoint was made with', async () => {
      await run('--cpus', '2');
      expect(await flows()).toEqual(whole());
      await out('checkpoint', 'create', 'box', 'one');
      await out('start', '--checkpoint', 'one', 'box');
      expect(await queues()).toBe('rx-0 rx-1 tx-0 tx-1 ');
      expect(await flows()).toEqual(whole());
    });

    test('are limited together', async () => {
      await run('--cpus', '2', '--network-bps', `${BYTES}`);
      const begun = performance.now();
      expect(await flows()).toEqual(whole());
      expect((performance.now() - begun) / 1000).toBeGreaterThan((0.7 * FLOWS * BYTES) / BYTES);
    });
  },
);
