// SPDX-License-Identifier: Apache-2.0
// Clones of containers with networks, on a network namespace of the test's own: the machine's network is never touched.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const SERVE = 'httpd -p 80 -h /tmp; n=0; while :; do n=$((n+1)); echo $n >/tmp/index.html; sleep 1; done';

describe.skipIf(cannot)(
  `a clone of a container with networks${cannot ? ` (this host cannot: ${cannot})` : ''}`,
  () => {
    const store = new TestStore();
    let host: OwnNetwork;

    const out = (...args: string[]) => host.out(...args);
    const run = (...options: string[]) =>
      out('run', '-d', '--name', 'one', ...options, 'busybox', 'sh', '-c', SERVE);
    const inside = (name: string, script: string) => out('exec', name, 'sh', '-c', script);
    const addresses = async (name: string) =>
      await inside(
        name,
        'ip -o addr | sed -n "s/.*: \\(eth[0-9]\\) *\\(inet6* [^ ]*\\) .*scope global.*/\\1 \\2/p"',
      );
    const leases = () => ['a', 'b'].map((name) => store.leases(name));
    const fetch = async (port: string) =>
      (await host.shell(`timeout 30 busybox wget -qO- http://127.0.0.1:${port}/`)).stdout.trim();

    beforeAll(async () => {
      host = new OwnNetwork(store);
      await store.load(FIXTURES);
      const ipv6 = ['--ipv6', '--subnet', 'fd00:71::/64'];
      await host.hrun(['network', 'create', '--subnet', '10.71.0.0/24', ...ipv6, 'a']);
      await host.hrun(['network', 'create', '--subnet', '10.72.0.0/24', 'b']);
    });
    afterEach(async () => {
      for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
      expect(leases()).toEqual([[], []]);
      await host.until(async () => (await host.shell('ip -o link show type tun')).stdout === '');
    });
    afterAll(async () => {
      for (const name of ['a', 'b']) await host.hrun(['network', 'rm', name]);
      host.close();
      store.remove();
    });

    test('has addresses, names and ports of its own, in the same networks, and goes on', async () => {
      await run('--network', 'a', '--network', 'b', '-p', '127.0.0.1:8080:80');
      await host.until(async () => Number(await fetch('8080')) > 1);
      await out('clone', 'one', 'two');
      expect(await addresses('one')).toBe(
        'eth0 inet 10.71.0.2/24\neth0 inet6 fd00:71::2/64\neth1 inet 10.72.0.2/24\n',
      );
      expect(await addresses('two')).toBe(
        'eth0 inet 10.71.0.3/24\neth0 inet6 fd00:71::3/64\neth1 inet 10.72.0.3/24\n',
      );
      const short = (await out('ps', '-q', '--filter', 'name=two')).trim();
      expect(await inside('two', `grep -c ${short} /etc/hosts; ip route | sed -n /default/p`)).toBe(
        '3\ndefault via 10.71.0.1 dev eth0 \ndefault via 10.72.0.1 dev eth1  metric 1 \n',
      );
      for (const [from, to] of [
        ['one', 'two'],
        ['two', 'one'],
      ])
        expect(await inside(from!, `ping -4 -c 1 -W 30 ${to} | head -1`)).toMatch(
          to === 'two' ? /10\.7[12]\.0\.3/ : /10\.7[12]\.0\.2/,
        );
      const [, port] = /^80\/tcp -> 127\.0\.0\.1:(\d+)\n$/.exec(await out('port', 'two')) ?? [];
      expect(port).not.toBe('8080');
      await host.until(async () => Number(await fetch(port!)) > 2);
      await out('restart', '-t', '0', 'two');
      expect(await addresses('two')).toContain('10.71.0.3');
    });

    test('goes on from its own checkpoints with its own addresses', async () => {
      await run('--network', 'a');
      await out('clone', 'one', 'two');
      await out('checkpoint', 'create', 'two', 'kept');
      await out('start', '--checkpoint', 'kept', 'two');
      expect(await addresses('two')).toBe('eth0 inet 10.71.0.3/24\neth0 inet6 fd00:71::3/64\n');
      expect(await inside('two', 'ping -c 1 -W 30 10.71.0.1 >/dev/null && echo there')).toBe('there\n');
    });

    test('may reach no more than its source, and has an address that was made up where that has one of its choice', async () => {
      const outside = await host.neighbour();
      await outside.shell('ip addr add 192.0.2.3/24 dev out0');
      const { port } = await outside.serve('0.0.0.0', 100);
      const reached = (address: string) =>
        inside('two', `timeout 5 wget -qO- http://${address}:${port}/ | wc -c`);
      await run('--network', 'a', '--ip', '10.71.0.9', '--egress', 'allow=192.0.2.2');
      await out('clone', 'one', 'two');
      expect(await addresses('two')).toContain('eth0 inet 10.71.0.2/24');
      expect(await reached('192.0.2.2')).toBe('100\n');
      expect(await reached('192.0.2.3')).toBe('0\n');
      await out('network', 'disconnect', 'a', 'one');
      await out('rm', '-f', 'two');
      await out('clone', 'one', 'two');
      await out('network', 'connect', 'a', 'two');
      expect(await reached('192.0.2.2')).toBe('100\n');
      expect(await reached('192.0.2.3')).toBe('0\n');
      outside.close();
    });

    test('of a container whose address has changed while it ran has one of its own, be it the earlier one', async () => {
      await run('--network', 'a');
      await out('network', 'disconnect', 'a', 'one');
      await out('run', '-d', '--name', 'other', '--network', 'a', 'busybox', 'sleep', '1000');
      await out('network', 'connect', 'a', 'one');
      await out('rm', '-f', 'other');
      await out('clone', 'one', 'two');
      expect([await addresses('one'), await addresses('two')]).toEqual([
        'eth0 inet 10.71.0.3/24\neth0 inet6 fd00:71::3/64\n',
        'eth0 inet 10.71.0.2/24\neth0 inet6 fd00:71::2/64\n',
      ]);
      expect(await inside('two', 'cat /sys/class/net/eth0/address')).toBe('02:42:0a:47:00:02\n');
    });

    test('that cannot be made gives back what it was given', async () => {
      await run('--network', 'a');
      expect(await host.says('clone', 'one', 'one')).toContain('is in use');
      await out('pause', 'one');
      expect(await host.says('clone', 'one', 'two')).toContain('paused');
      expect(leases()[0]).toEqual(['10.71.0.2', 'fd00:71::2']);
      expect(store.containers()).toHaveLength(1);
    });
  },
);
