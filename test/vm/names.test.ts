// SPDX-License-Identifier: Apache-2.0
// Names between containers of a network, on a network namespace of the test's own: the machine's network is never touched.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, isAlive, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork } from './own-network.ts';

const cannot = hostNetworkObstacle();
const GATEWAY = '10.88.0.1';
const SLEEP = ['busybox', 'sleep', '1000'];

/** A DNS server: what begins with "big" is too long for a datagram, and has its address by TCP only. */
const UPSTREAM = `
  const answer = (query, truncated) => {
    let end = 12;
    while (query[end]) end += query[end] + 1;
    const head = Buffer.from([query[0], query[1], truncated ? 0x83 : 0x81, 0x80, 0, 1, 0, truncated ? 0 : 1, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, truncated === undefined ? 77 : 66]);
    return Buffer.concat([head, query.subarray(12, end + 5), ...(truncated ? [] : [record])]);
  };
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    socket.send(answer(query, query.toString('latin1', 13, 16) === 'big'), port, address);
  });
  require('node:net').createServer((client) => client.on('data', (bytes) => {
    const reply = answer(bytes.subarray(2));
    client.write(Buffer.concat([Buffer.from([0, reply.length]), reply]));
  })).listen(53, '127.0.0.1', () => socket.bind(53, '127.0.0.1', () => console.log('up')));`;

describe.skipIf(cannot)(`names in a network${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;

  const server = () => Number(readFileSync(join(store.dir, 'networks/db/resolver'), 'utf8'));
  const start = async (name: string, options: string[] = [], command = SLEEP) =>
    (await host.hrun(['run', '-d', '--network', 'db', '--name', name, ...options, ...command])).stdout.trim();
  const asked = async (script: string, options: string[] = [], image = 'busybox') =>
    (await host.tryHrun(['run', '--rm', '--network', 'db', ...options, image, 'sh', '-c', script])).stdout;
  /** The addresses of a name, as a container sees it that is there. */
  const addresses = async (id: string, name: string) => {
    const out = (await host.tryHrun(['exec', id, 'nslookup', name])).stdout.split('\n\n').slice(1).join('\n');
    return [...out.matchAll(/^Address: (.*)$/gm)].map(([, address]) => address).sort();
  };

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    await host.hrun(['network', 'create', '--subnet', '10.88.0.0/24', 'db']);
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
  });
  afterAll(async () => {
    await host.hrun(['network', 'rm', 'db']);
    host.close();
    store.remove();
  });

  test('are those of containers, their IDs, host names and aliases, with the network’s or without', async () => {
    const web = await start('web', ['--network-alias', 'www', '--hostname', 'Server']);
    const api = await start('api', ['--network-alias', 'www']);
    for (const name of ['web', 'WEB', 'web.db', web.slice(0, 12), 'server']) {
      expect([name, await addresses(api, name)]).toEqual([name, ['10.88.0.2']]);
    }
    expect(await addresses(web, 'www')).toEqual(['10.88.0.2', '10.88.0.3']);
    const pointer = (await host.hrun(['exec', web, 'nslookup', '10.88.0.3'])).stdout;
    expect(pointer).toContain('3.0.88.10.in-addr.arpa\tname = api.db');
    expect((await host.hrun(['exec', web, 'cat', '/etc/resolv.conf'])).stdout).toMatch(
      new RegExp(`^nameserver ${GATEWAY}\n(search.*\n)?options (.* )?ndots:0\n$`),
    );
    const inspected = await host.hrun([
      'inspect',
      '-f',
      '{{json .NetworkSettings.Networks.db.DNSNames}}',
      web,
    ]);
    expect(JSON.parse(inspected.stdout)).toEqual(['web', 'www', web.slice(0, 12), 'Server']);
  });

  test('go when their container stops, is renamed or loses its keeper, and come with the next start', async () => {
    const [web, api, db] = [await start('web'), await start('api'), await start('pg')];
    await host.hrun(['stop', '-t', '0', api]);
    expect(await addresses(web, 'api')).toEqual([]);
    await host.hrun(['start', api]);
    expect(await addresses(web, 'api')).toEqual(['10.88.0.3']);
    await host.hrun(['rename', 'api', 'app']);
    expect([await addresses(web, 'api'), await addresses(web, 'app')]).toEqual([[], ['10.88.0.3']]);
    await host.hrun(['restart', '-t', '0', 'app']);
    expect([await addresses(web, 'api'), await addresses(web, 'app')]).toEqual([[], ['10.88.0.3']]);
    process.kill(store.state(db).monitorPid, 'SIGKILL');
    await host.until(async () => (await addresses(web, 'pg')).length === 0);
    await host.hrun(['ps']);
    expect(readdirSync(join(store.dir, 'networks/db/names')).sort()).toEqual([web, api].sort());
  });

  test('of others are asked for by UDP and TCP of the servers that the container wants', async () => {
    const upstream = await host.program(UPSTREAM);
    const script = 'getent ahostsv4 small.example | head -1; getent ahostsv4 big.example | head -1';
    const out = await asked(script, ['--dns', '127.0.0.2', '--dns', '127.0.0.1'], 'debian:bookworm');
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['192.0.2.66', '192.0.2.77', '']);
    upstream.kill('SIGKILL');
    expect(await asked('nslookup small.example', ['--dns', '127.0.0.1'])).toContain('SERVFAIL');
  });

  test('are served on the network only, and to its containers only', async () => {
    await start('web');
    expect((await host.shell(`busybox timeout 2 busybox nslookup web ${GATEWAY}`)).stdout).not.toContain(
      '10.88.0.2',
    );
    await host.hrun(['network', 'create', 'other']);
    const other = await host.tryHrun(['run', '--rm', '--network', 'other', 'busybox', 'nslookup', 'web']);
    expect(other.stdout).not.toContain('10.88.0.2');
    expect(
      await host.tryHrun([
        'run',
        '--rm',
        '--network',
        'other',
        'busybox',
        'timeout',
        '2',
        'nslookup',
        'web',
        GATEWAY,
      ]),
    ).not.toMatchObject({ exitCode: 0 });
    await host.hrun(['network', 'rm', 'other']);
    const listening = (await host.shell("ss -lntuH sport = :53 | awk '{ print $5 }'")).stdout;
    expect(listening).toBe(`${GATEWAY}:53\n${GATEWAY}:53\n`);
  });

  test('are served by one process in a jail, which the next start brings back when it was killed', async () => {
    const web = await start('web');
    const first = server();
    await start('api');
    expect(server()).toBe(first);
    const status = readFileSync(`/proc/${first}/status`, 'utf8');
    expect(status).toMatch(/CapEff:\t0+\n/);
    expect(status).toMatch(/NoNewPrivs:\t1\n/);
    expect(status).toMatch(/Seccomp:\t2\n/);
    expect(existsSync(`/proc/${first}/root/db/network.json`)).toBe(true);
    process.kill(first, 'SIGKILL');
    await host.until(async () => !isAlive(first));
    expect(await addresses(web, 'api')).toEqual([]);
    await start('third');
    expect(server()).not.toBe(first);
    expect(await addresses(web, 'api')).toEqual(['10.88.0.3']);
  });

  test('are served as long as a container is to run again, and no longer', async () => {
    const id = await start('web', ['--restart', 'always'], ['busybox', 'sh', '-c', 'sleep 1; exit 1']);
    const pid = server();
    await host.until(
      async () => Number((await host.hrun(['inspect', '-f', '{{.RestartCount}}', id])).stdout) >= 3,
    );
    expect(isAlive(pid)).toBe(true);
    await host.hrun(['rm', '-f', id]);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await host.until(async () => !isAlive(pid));
    const again = await start('web');
    expect(await addresses(again, 'web')).toEqual(['10.88.0.2']);
  });

  test('are not there in the default network, nor for names that cannot be', async () => {
    const run = (...args: string[]) => host.tryHrun(['run', '--rm', ...args, 'busybox', 'true']);
    const alias = await run('--network', 'bridge', '--network-alias', 'x');
    expect(alias.stderr).toContain(
      'network-scoped alias is supported only for containers in user defined networks',
    );
    expect((await run('--network', 'db', '--network-alias', 'a b')).stderr).toContain('is not a name');
    expect(existsSync(join(store.dir, 'networks/bridge/resolver'))).toBe(false);
  });

  test('cannot be served where another server has the port, which is said', async () => {
    await host.hrun(['network', 'create', '--subnet', '10.89.0.0/24', 'taken']);
    const rival = await host.program(
      `require('node:dgram').createSocket('udp4').bind(53, '10.89.0.1', () => console.log('up'))`,
    );
    const { stderr, exitCode } = await host.tryHrun(['run', '--rm', '--network', 'taken', 'busybox', 'true']);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(
      'names of network taken cannot be served: listen on 10.89.0.1:53: Address already in use',
    );
    rival.kill('SIGKILL');
    await host.hrun(['network', 'rm', 'taken']);
  });
});
