// SPDX-License-Identifier: Apache-2.0
// The default network, on a network namespace of the test's own: the machine's network is never touched.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, HRUN, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const GATEWAY = '172.31.0.1';
const NETWORK = ['--network', 'bridge'];

describe.skipIf(cannot)(`the default network${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
  });
  afterAll(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    host.close();
    store.remove();
  });

  const run = async (options: string[], script: string) =>
    (await host.hrun(['run', '--rm', ...NETWORK, ...options, 'busybox', 'sh', '-c', script])).stdout;
  const taps = async () => (await host.shell('ip -o link show type tun | cut -d: -f2')).stdout.trim();
  const leases = () => readdirSync(join(store.dir, 'networks/bridge/leases'));

  test('gives a container an address, its gateway, names and resolvers', async () => {
    const out = await run(
      ['--hostname', 'web', '--dns', '192.0.2.53', '--add-host', 'host:host-gateway'],
      'ip -o -4 addr show eth0 | cut -d" " -f7; ip route; tail -2 /etc/hosts; cat /etc/resolv.conf',
    );
    expect(out).toBe(
      `172.31.0.2/16\ndefault via ${GATEWAY} dev eth0 \n172.31.0.0/16 dev eth0 scope link  src 172.31.0.2 \n` +
        `172.31.0.2\tweb\n${GATEWAY}\thost\nnameserver 192.0.2.53\n`,
    );
  });

  test('leads to servers of the host, and what is sent arrives unharmed', async () => {
    const server = await host.serve(GATEWAY, 4 * 1024 * 1024);
    const out = await run([], `wget -qO- http://${GATEWAY}:${server.port}/ | md5sum | cut -d' ' -f1`);
    expect(out.trim()).toBe(server.md5);
    const up = await run([], `head -c 2000000 /dev/zero | nc ${GATEWAY} ${server.sinkPort} | head -1`);
    expect(up.trim()).toBe('2000000');
  });

  test('does not lead to services that listen on the loopback of the host only', async () => {
    const server = await host.serve('127.0.0.1', 100);
    const out = await run([], `wget -qO- http://${GATEWAY}:${server.port}/ 2>&1 || true`);
    expect(out).toContain('Connection refused');
  });

  test('leads out by the address of the host, and nobody out there leads in', async () => {
    const outside = await host.neighbour();
    const server = await outside.serve('192.0.2.2', 1000);
    const out = await run([], `wget -qO- http://192.0.2.2:${server.port}/ | md5sum | cut -d' ' -f1`);
    expect(out.trim()).toBe(server.md5);
    await outside.shell('ip route add 172.31.0.0/16 via 192.0.2.1'); // only now: what went before was translated
    const id = (await host.hrun(['run', '-d', ...NETWORK, 'busybox', 'sleep', '1000'])).stdout.trim();
    expect((await host.shell('busybox ping -c 1 -W 30 172.31.0.2')).exitCode).toBe(0);
    expect((await outside.shell('busybox ping -c 1 -W 30 172.31.0.1')).exitCode).toBe(0);
    expect((await outside.shell('busybox ping -c 1 -W 1 172.31.0.2')).exitCode).not.toBe(0);
    await host.hrun(['rm', '-f', id]);
    outside.close();
  });

  test('connects containers, both of which are shown by inspect', async () => {
    const id = (
      await host.hrun(['run', '-d', ...NETWORK, 'busybox', 'sh', '-c', 'nc -ll -p 80 -e echo hi'])
    ).stdout.trim();
    const shown = await host.hrun([
      'inspect',
      '-f',
      '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.bridge.MacAddress}}',
      id,
    ]);
    const [address, mac] = shown.stdout.trim().split(' ');
    expect(mac).toBe('02:42:ac:1f:00:02');
    await host.until(
      async () => (await host.shell(`busybox nc -w 5 ${address} 80 </dev/null`)).stdout === 'hi\n',
    );
    expect(await run([], `ping -c 1 -W 30 ${address} >/dev/null && nc ${address} 80 </dev/null`)).toBe(
      'hi\n',
    );
    await host.hrun(['rm', '-f', id]);
  });

  test('lets no packets through from addresses that are not the container’s', async () => {
    const out = await run(
      ['--cap-add', 'NET_ADMIN'],
      `ping -c 1 -W 30 ${GATEWAY} >/dev/null && echo own
       ip addr add 172.31.0.99/16 dev eth0; ping -c 1 -W 1 -I 172.31.0.99 ${GATEWAY} >/dev/null || echo no other IP
       ip link set eth0 down; ip link set eth0 address 02:42:ac:1f:00:63; ip link set eth0 up
       ping -c 1 -W 1 ${GATEWAY} >/dev/null || echo no other MAC`,
    );
    expect(out).toBe('own\nno other IP\nno other MAC\n');
  });

  test('leaves no interface and no lease behind, not even of a container whose monitor is killed', async () => {
    await host.until(async () => (await taps()) === '');
    expect(leases()).toEqual([]);
    const id = (await host.hrun(['run', '-d', '--rm', ...NETWORK, 'busybox', 'sleep', '1000'])).stdout.trim();
    expect([await taps(), leases()]).toEqual([expect.stringMatching(/^hr\w+$/), ['172.31.0.2']]);
    process.kill(store.state(id).monitorPid, 'SIGKILL');
    await host.until(async () => (await taps()) === '');
    await host.hrun(['ps', '-a']);
    await run([], 'true');
    await host.until(async () => leases().length === 0);
  });

  test('is mended by the next start when somebody has flushed the firewall and removed the bridge', async () => {
    const bridge = (await host.shell('ip -o link show type bridge | cut -d: -f2')).stdout.trim();
    await host.shell(`nft flush ruleset; ip link del ${bridge}`);
    expect(await run([], `ping -c 1 -W 30 ${GATEWAY} >/dev/null && echo there`)).toBe('there\n');
    expect((await host.shell('nft list ruleset')).stdout).toContain('masquerade');
  });

  test('is the default for root, and --network none has the loopback alone', async () => {
    const script = [
      `HRUN_NETWORK= ${HRUN} run --rm busybox ls /sys/class/net`,
      `${HRUN} run --rm --network none busybox ls /sys/class/net`,
    ];
    expect((await host.shell(script.join(' && '))).stdout).toBe('eth0\nlo\nlo\n');
  });

  test('is apart from networks of the user’s own, which have the addresses that are asked for', async () => {
    await host.hrun(['network', 'create', '--subnet', '10.77.0.0/24', '--internal', 'db']);
    const started = [
      'run',
      '-d',
      '--network',
      'db',
      '--ip',
      '10.77.0.9',
      '--mac-address',
      '02:00:00:00:00:09',
    ];
    const id = (await host.hrun([...started, 'busybox', 'sleep', '1000'])).stdout.trim();
    const inside = await host.hrun([
      'exec',
      id,
      'sh',
      '-c',
      'cat /sys/class/net/eth0/address; ip route; ping -c 1 -W 30 10.77.0.1 >/dev/null && echo gateway',
    ]);
    expect(inside.stdout).toBe(
      '02:00:00:00:00:09\n10.77.0.0/24 dev eth0 scope link  src 10.77.0.9 \ngateway\n',
    );
    expect(await run([], 'ping -c 1 -W 1 10.77.0.9 >/dev/null || echo apart')).toBe('apart\n');
    await expect(host.hrun([...started, 'busybox', 'true'])).rejects.toThrow('10.77.0.9 is already in use');
    await expect(host.hrun(['network', 'rm', 'db'])).rejects.toThrow('network db is in use');
    await host.hrun(['stop', '-t', '0', id]);
    await host.hrun(['start', id]);
    expect((await host.hrun(['exec', id, 'ping', '-c', '1', '-W', '30', '10.77.0.1'])).stdout).toContain(
      '1 packets received',
    );
    await host.hrun(['rm', '-f', id]);
    await host.hrun(['network', 'rm', 'db']);
    expect((await host.hrun(['network', 'ls', '--format', '{{.Name}}'])).stdout).toBe('bridge\n');
    expect((await host.shell('ip -o link show type bridge | wc -l')).stdout.trim()).toBe('1');
  });

  test('serves the files of a stopped container without a network', async () => {
    const id = (await host.hrun(['create', ...NETWORK, 'busybox', 'true'])).stdout.trim();
    expect((await host.hrun(['cp', `${id}:/etc/passwd`, '-'])).stdout).toContain('root:');
    await host.hrun(['rm', id]);
  });
});
