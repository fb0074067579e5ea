// SPDX-License-Identifier: Apache-2.0
// Published ports, on a network namespace of the test's own: the machine's network is never touched.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const GATEWAY = '172.31.0.1';
const NETWORK = ['--network', 'bridge'];
const SERVER = ['busybox', 'sh', '-c', 'exec nc -ll -p 80 -e echo hi'];
const UDP_SERVER = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 53)); print("up", flush=True)
while True:
  data, peer = s.recvfrom(99); s.sendto(data + b" from " + peer[0].encode(), peer)`;

describe.skipIf(cannot)(`published ports${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;
  let outside: OwnNetwork | undefined;

  const start = async (options: string[], command = SERVER) =>
    (await host.hrun(['run', '-d', ...NETWORK, ...options, ...command])).stdout.trim();
  const ask = async (address: string, port: number | string, from = host, seconds = 30) =>
    (await from.shell(`busybox nc -w ${seconds} ${address} ${port} </dev/null`)).stdout.trim();
  const refused = async (args: string[]) => {
    const { exitCode, stderr } = await host.tryHrun(args);
    expect(exitCode).not.toBe(0);
    return stderr.trim();
  };
  const inspect = async (id: string, template: string) =>
    (await host.hrun(['inspect', '-f', template, id])).stdout.trim();
  const mapped = async () => (await host.shell("nft list ruleset | grep -c ' : 172.31'")).stdout.trim();
  const clear = async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
  };

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
  });
  afterEach(async () => {
    await clear();
    outside?.close();
    outside = undefined;
  });
  afterAll(async () => {
    await clear();
    host.close();
    store.remove();
  });

  test('are reached from the host, its loopback, outside, other containers and the container itself', async () => {
    outside = await host.neighbour();
    const id = await start(['-p', '8080:80', '-p', '127.0.0.1:8081:80']);
    await host.until(async () => (await ask('172.31.0.2', 80)) === 'hi');
    for (const address of ['127.0.0.1', '127.0.0.2', GATEWAY, '192.0.2.1']) {
      expect([address, await ask(address, 8080)]).toEqual([address, 'hi']);
    }
    expect(await ask('127.0.0.1', 8081)).toBe('hi');
    expect(await ask('192.0.2.1', 8081, host, 5)).toBe('');
    expect(await ask('192.0.2.1', 8080, outside)).toBe('hi');
    const inside = `nc -w 30 ${GATEWAY} 8080 </dev/null; nc -w 30 192.0.2.1 8080 </dev/null`;
    expect((await host.hrun(['run', '--rm', ...NETWORK, 'busybox', 'sh', '-c', inside])).stdout).toBe(
      'hi\nhi\n',
    );
    expect((await host.hrun(['exec', id, 'sh', '-c', inside])).stdout).toBe('hi\nhi\n');
    await host.hrun(['network', 'create', 'other']);
    const other = await host.hrun(['run', '--rm', '--network', 'other', 'busybox', 'sh', '-c', inside]);
    expect(other.stdout).toBe('hi\nhi\n');
    await host.hrun(['network', 'rm', 'other']);
    // What is for the host's loopback only is not to be had by a packet for 127.0.0.1 that comes from outside.
    await outside.shell(
      'ip link set lo down; ip route add 127.0.0.0/8 via 192.0.2.1 table 9; ip rule add pref 1 to 127.0.0.1 table 9; ip rule add pref 2 table local; ip rule del pref 0; sysctl -qw net.ipv4.conf.all.route_localnet=1',
    );
    expect(await ask('127.0.0.1', 8081, outside, 5)).toBe('');
  });

  test('keep the client’s address, and carry UDP', async () => {
    outside = await host.neighbour();
    const id = await start(['-p', '5353:53/udp'], ['debian:demo', 'python3', '-c', UDP_SERVER]);
    await host.until(async () => (await host.hrun(['logs', id])).stdout === 'up\n');
    const datagram = (address: string) =>
      `node -e 'const s = require("dgram").createSocket("udp4"); s.on("message", (m) => { console.log(String(m)); s.close(); });
       const send = () => s.send("hello", 5353, "${address}"); send(); setInterval(send, 1000).unref(); setTimeout(() => process.exit(1), 60000).unref()'`;
    expect((await outside.shell(datagram('192.0.2.1'))).stdout).toBe('hello from 192.0.2.2\n');
    expect((await host.shell(datagram('192.0.2.1'))).stdout).toBe('hello from 192.0.2.1\n');
    expect((await host.shell(datagram('127.0.0.1'))).stdout).toBe(`hello from ${GATEWAY}\n`);
    expect((await host.hrun(['port', id])).stdout).toBe('53/udp -> 0.0.0.0:5353\n');
  });

  describe('a UDP client that does not stop sending', () => {
    let heard = '';
    beforeEach(async () => {
      heard = '';
      outside = await host.neighbour();
      const client = await outside.program(
        `const s = require("node:dgram").createSocket("udp4"); s.on("message", (m) => console.log(String(m)));
         s.bind(4444, () => { setInterval(() => s.send("hello", 5353, "192.0.2.1"), 100); console.log("up"); })`,
      );
      client.stdout!.on('data', (bytes) => {
        heard += bytes;
      });
      // So that flows are remembered, as on any host that has other rules.
      await host.shell(
        'nft add table inet x; nft "add chain inet x in { type filter hook input priority 0; }"; nft add rule inet x in ct state new counter',
      );
      await host.until(async () => /packets [1-9]/.test((await host.shell('nft list table inet x')).stdout));
    });
    afterEach(() => host.shell('nft delete table inet x'));

    const serve = (port: number) =>
      start(
        ['-p', `${port}:53/udp`],
        ['debian:demo', 'python3', '-c', UDP_SERVER.replace('" from', `" at ${port} from`)],
      );

    test('reaches a port that is published meanwhile', async () => {
      await serve(5353);
      await host.until(async () => heard.includes('hello at 5353 from 192.0.2.2'));
    });

    const ends: [string, (id: string) => Promise<unknown>][] = [
      ['was given back', (id) => host.hrun(['rm', '-f', id])],
      [
        'of a killed keeper was cleared away',
        async (id) => {
          process.kill(store.state(id).monitorPid, 'SIGKILL');
          await host.until(async () => (await host.hrun(['ps', '-q'])).stdout === '');
        },
      ],
    ];
    test.each(ends)(
      'reaches the host again once the port %s, not whoever has the address next',
      async (_, end) => {
        const id = await serve(5353);
        await host.until(async () => heard.includes('hello at 5353 from 192.0.2.2'));
        await host.shell('nft add rule inet x in udp dport 5353 counter');
        const counted = async () => (await host.shell('nft list table inet x')).stdout;
        expect(await counted()).toMatch(/dport 5353 counter packets 0/);
        await end(id);
        await host.until(async () => /dport 5353 counter packets [1-9]/.test(await counted()));
      },
    );

    test('reaches the next container of a port that was given back, not an address of before', async () => {
      const first = await serve(5353);
      await host.until(async () => heard.includes('hello at 5353 from 192.0.2.2'));
      const address = await inspect(first, '{{.NetworkSettings.IPAddress}}');
      await host.hrun(['rm', '-f', first]);
      const other = await serve(5354); // has the address of the first, or comes behind it
      heard = '';
      const second = await serve(5353);
      await host.until(async () => heard.includes('hello at 5353 from 192.0.2.2'));
      const others = [await inspect(other, '{{.NetworkSettings.IPAddress}}'), address];
      expect(others).not.toContain(await inspect(second, '{{.NetworkSettings.IPAddress}}'));
      expect(heard).not.toContain('5354');
    });
  });

  test('are shown by port, inspect and ps as Docker shows them, while the container runs', async () => {
    const id = await start([
      '-p',
      '8080:80',
      '-p',
      '9000-9002:90-92',
      '-p',
      '127.0.0.1::81',
      '--expose',
      '7000/udp',
    ]);
    const random = (await host.hrun(['port', id, '81'])).stdout.trim();
    expect(random).toMatch(/^127\.0\.0\.1:\d{4,5}$/);
    expect((await host.hrun(['port', id])).stdout).toBe(
      `80/tcp -> 0.0.0.0:8080\n81/tcp -> ${random}\n` +
        '90/tcp -> 0.0.0.0:9000\n91/tcp -> 0.0.0.0:9001\n92/tcp -> 0.0.0.0:9002\n',
    );
    expect(await refused(['port', id, '7000/udp'])).toContain(
      `no public port '7000/udp' published for ${id}`,
    );
    expect(
      await inspect(
        id,
        '{{json (index .NetworkSettings.Ports "80/tcp")}}{{json (index .NetworkSettings.Ports "7000/udp")}}',
      ),
    ).toBe('[{"HostIp":"0.0.0.0","HostPort":"8080"}]null');
    expect(
      await inspect(
        id,
        '{{json (index .HostConfig.PortBindings "81/tcp")}}{{json (index .Config.ExposedPorts "7000/udp")}}',
      ),
    ).toBe('[{"HostIp":"127.0.0.1","HostPort":""}]{}');
    const listed = async (filter: string) =>
      (await host.hrun(['ps', '-q', '--filter', filter])).stdout !== '';
    for (const filter of ['publish=8080', 'publish=8000-8100/tcp', 'expose=80', 'expose=7000/udp'])
      expect([filter, await listed(filter)]).toEqual([filter, true]);
    for (const filter of ['publish=80', 'publish=8080/udp', 'expose=8080', 'expose=7000'])
      expect([filter, await listed(filter)]).toEqual([filter, false]);
    expect(await refused(['ps', '--filter', 'publish=x'])).toContain('"x" is not a port');
    const ps = async () => (await host.hrun(['ps', '-a', '--format', '{{.Ports}}'])).stdout.trim();
    expect(await ps()).toBe(
      `0.0.0.0:8080->80/tcp, ${random}->81/tcp, 0.0.0.0:9000-9002->90-92/tcp, 7000/udp`,
    );
    await host.hrun(['stop', '-t', '0', id]);
    expect([await ps(), await inspect(id, '{{json .NetworkSettings.Ports}}'), await mapped()]).toEqual([
      '',
      '{}',
      '0',
    ]);
  });

  test('with -P are those that image and --expose name, on ports that are chosen anew on every start', async () => {
    const id = await start(['-P', '--expose', '80', '--expose', '81-82/udp']);
    const ports = async () => (await host.hrun(['port', id])).stdout.trim().split('\n');
    const first = await ports();
    expect(first.map((line) => line.replace(/\d+$/, ''))).toEqual([
      '80/tcp -> 0.0.0.0:',
      '81/udp -> 0.0.0.0:',
      '82/udp -> 0.0.0.0:',
    ]);
    await host.until(async () => (await ask('127.0.0.1', first[0]!.split(':')[1]!)) === 'hi');
    await host.hrun(['restart', '-t', '0', id]);
    const second = await ports();
    expect(second).not.toEqual(first);
    await host.until(async () => (await ask('127.0.0.1', second[0]!.split(':')[1]!)) === 'hi');
  });

  test('that are taken, by a container or any process of the host, keep a container from starting', async () => {
    const id = await start(['-p', '8080:80']);
    const again = ['run', '--rm', ...NETWORK, '-p', '8080:80', 'busybox', 'true'];
    const taken = 'hrun: Bind for 0.0.0.0:8080 failed: port is already allocated';
    expect(await refused(again)).toBe(taken);
    expect(
      await refused(['run', '--rm', ...NETWORK, '-p', '127.0.0.1:8080:80', 'busybox', 'true']),
    ).toContain('Bind for 127.0.0.1:8080 failed: port is already allocated');
    await host.hrun(['run', '--rm', ...NETWORK, '-p', '8080:80/udp', 'busybox', 'true']);
    const range = await start(['-p', '8080-8081:80']);
    expect((await host.hrun(['port', range, '80'])).stdout).toBe('0.0.0.0:8081\n');
    expect(await refused(['run', '--rm', ...NETWORK, '-p', '8080-8081:80', 'busybox', 'true'])).toContain(
      'Bind for 0.0.0.0:8080-8081 failed: all ports are allocated',
    );
    await host.until(async () => (await ask('127.0.0.1', 8080)) === 'hi');
    await host.hrun(['stop', '-t', '0', id]);
    await host.hrun(again);
    const server = await host.serve('127.0.0.1', 100);
    expect(
      await refused(['run', '--rm', ...NETWORK, '-p', `${server.port}:80`, 'busybox', 'true']),
    ).toContain(`Bind for 0.0.0.0:${server.port} failed: port is already allocated`);
    expect(
      await refused(['run', '--rm', ...NETWORK, '-p', '203.0.113.9:80:80', 'busybox', 'true']),
    ).toContain('Bind for 203.0.113.9:80 failed: the host has no such address');
    expect(store.containers()).toHaveLength(2);
  });

  test('go to one of two containers that want the same', async () => {
    const both = await Promise.all(
      [1, 2].map(() => host.tryHrun(['run', '-d', ...NETWORK, '-p', '8080:80', ...SERVER])),
    );
    expect(both.map(({ exitCode }) => exitCode).sort()).toEqual([0, 125]);
    expect(both.find(({ exitCode }) => exitCode !== 0)!.stderr).toContain('port is already allocated');
    await host.until(async () => (await ask('127.0.0.1', 8080)) === 'hi');
    expect(await mapped()).toBe('1');
  });

  test('of a container whose keeper was killed are free at once, and cleared away by the next command', async () => {
    const id = await start(['-p', '8080:80', '-p', '8081:81']);
    process.kill(store.state(id).monitorPid, 'SIGKILL');
    await host.until(async () => (await host.shell('ip -o link show type tun')).stdout === '');
    const next = await start(['-p', '8080:80']);
    await host.until(async () => (await ask('127.0.0.1', 8080)) === 'hi');
    expect((await host.hrun(['ps', '--format', '{{.Ports}}'])).stdout).toBe('0.0.0.0:8080->80/tcp\n');
    await host.until(async () => (await mapped()) === '1');
    expect(readdirSync(join(store.dir, 'networks/.ports'))).toEqual([next]);
  });

  test('come back with the next start after somebody has flushed the firewall', async () => {
    const id = await start(['-p', '8080:80']);
    await host.until(async () => (await ask('127.0.0.1', 8080)) === 'hi');
    await host.shell('nft flush ruleset');
    await start(['-p', '8082:80']);
    await host.until(async () => (await ask('127.0.0.1', 8082)) === 'hi');
    expect(await ask('127.0.0.1', 8080)).toBe('hi');
    await host.shell('nft flush ruleset');
    await host.hrun(['stop', '-t', '0', id]);
    expect(await inspect(id, '{{.State.Status}} {{.State.Error}}')).toBe('exited');
  });

  test('are taken again by a restart policy, a free one anew', async () => {
    const id = await start(['--restart', 'always', '-p', '8080:80', '-p', '81']);
    const before = (await host.hrun(['port', id, '81'])).stdout;
    await host.hrun(['exec', id, 'kill', '-TERM', '1']);
    await host.shell(`kill -9 ${store.state(id).vmmPid}`);
    await host.until(async () => (await inspect(id, '{{.RestartCount}} {{.State.Status}}')) === '1 running');
    await host.until(async () => (await ask('127.0.0.1', 8080)) === 'hi');
    expect((await host.hrun(['port', id, '81'])).stdout).not.toBe(before);
    expect(await mapped()).toBe('2');
  });
});
