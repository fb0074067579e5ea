// SPDX-License-Identifier: Apache-2.0
// --egress, on network namespaces of the test's own: a host, and another one with three addresses that stands for everything out there.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork, type TestServer } from './own-network.ts';

const cannot = hostNetworkObstacle();
const SLEEP = ['busybox', 'sleep', '1000'];
const DENIED = /unreachable|No route/;
const WORD = 'hello';
/** answers every question for good.example with 192.0.2.3, for bad.example with 192.0.2.4 */
const DNS = `
  const server = require('node:dgram').createSocket('udp4');
  server.on('message', (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const last = query.includes('good') ? 3 : 4;
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, last]);
    const head = Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])]);
    server.send(Buffer.concat([head, query.subarray(12, end), answer]), from.port, from.address);
  }).bind(53, '192.0.2.2', () => console.log('ready'));`;

describe.skipIf(cannot)(`egress${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;
  let outside: OwnNetwork;
  let server: TestServer;
  let own: TestServer;

  const out = (...args: string[]) => host.out(...args);
  const run = (name: string, ...args: string[]) =>
    out('run', '-d', '--name', name, '--network', 'a', '--dns', '192.0.2.2', ...args, ...SLEEP);
  /** "reached" when a server of a port counts what a container sends it, else why not. */
  async function sends(target: string, { from = 'box', port = server.sinkPort } = {}): Promise<string> {
    const script = `echo ${WORD} | nc -w 30 ${target} ${port} 2>&1`;
    const said = (await host.tryHrun(['exec', from, 'sh', '-c', script])).stdout.trim();
    return said === String(WORD.length + 1) ? 'reached' : said;
  }
  const denied = async (name = 'box') => {
    const [packets, bytes] = (await out('stats', '--no-stream', '--format', '{{.EgressDenied}}', name)).split(
      ' / ',
    );
    return { packets: Number(packets), bytes: bytes!.trim() };
  };
  const rules = async () => (await host.shell('nft list ruleset')).stdout;

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    outside = await host.neighbour();
    await outside.shell('ip addr add 192.0.2.3/24 dev out0; ip addr add 192.0.2.4/24 dev out0');
    server = await outside.serve('0.0.0.0', 1);
    own = await host.serve('0.0.0.0', 1);
    await outside.program(DNS);
    for (const [name, subnet] of [
      ['a', '10.81.0.0/24'],
      ['b', '10.82.0.0/24'],
    ])
      await host.hrun(['network', 'create', '--subnet', subnet!, name!]);
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    expect(await rules()).not.toContain('denied_');
  });
  afterAll(async () => {
    for (const name of ['a', 'b']) await host.hrun(['network', 'rm', name]);
    outside.close();
    host.close();
    store.remove();
  });

  test('leads to what is allowed, to neighbours and names, and nowhere else; what is denied is counted', async () => {
    await run('friend');
    await run('box', '--egress', 'allow=192.0.2.2/32', '--egress', 'allow=good.example');
    expect(await sends('192.0.2.2')).toBe('reached');
    expect(await denied()).toEqual({ packets: 0, bytes: '0B' });
    expect(await sends('192.0.2.3')).toMatch(DENIED);
    expect((await denied()).packets).toBeGreaterThan(0);
    expect(await sends('good.example')).toBe('reached');
    expect(await sends('192.0.2.3')).toBe('reached');
    expect(await sends('bad.example')).toContain('bad address');
    expect(await sends('192.0.2.4')).toMatch(DENIED);
    expect(await sends('10.81.0.1', { port: own.sinkPort })).toMatch(DENIED);
    expect(await sends('192.0.2.1', { port: own.sinkPort })).toMatch(DENIED);
    expect(await out('exec', 'box', 'ping', '-c', '1', '-W', '30', 'friend')).toContain('1 packets received');
    for (const target of ['192.0.2.4', 'bad.example'])
      expect(await sends(target, { from: 'friend' })).toBe('reached');
    expect(await out('inspect', '-f', '{{json .HostConfig.Egress}}', 'box', 'friend')).toBe(
      '["allow=192.0.2.2/32","allow=good.example"]\nnull\n',
    );
    expect(await out('stats', '--no-stream')).toContain('EGRESS DENIED');
  });

  test('stays what it was when networks come and go, and is mended by the next start after a flush', async () => {
    await run('box', '--egress', 'allow=192.0.2.2', '--egress', 'allow=*.good.example');
    expect(await sends('www.good.example')).toBe('reached');
    await sends('192.0.2.4');
    const before = await denied();
    expect(before.packets).toBeGreaterThan(0);
    await host.hrun(['network', 'create', '--subnet', '10.83.0.0/24', 'more']);
    expect(await denied()).toEqual(before);
    expect(await sends('192.0.2.3')).toBe('reached');
    await host.hrun(['network', 'rm', 'more']);
    await host.shell('nft flush ruleset');
    await run('friend');
    expect(await sends('192.0.2.4')).toMatch(DENIED);
    expect(await sends('192.0.2.2')).toBe('reached');
    expect(await sends('www.good.example')).toBe('reached');
  });

  test('holds in every network that the container is in, and for its address only as long as it has it', async () => {
    await run('box', '--egress', 'none', '--ip', '10.81.0.9');
    await out('network', 'connect', '--ip', '10.82.0.9', 'b', 'box');
    await out('network', 'disconnect', 'a', 'box');
    expect(await sends('192.0.2.2')).toMatch(DENIED);
    await run('next', '--ip', '10.81.0.9');
    expect(await sends('192.0.2.2', { from: 'next' })).toBe('reached');
    await out('restart', '-t', '0', 'box');
    expect(await sends('192.0.2.2')).toMatch(DENIED);
    await out('rm', '-f', 'box');
    await run('box', '--network', 'b', '--ip', '10.81.0.10');
    expect(await sends('192.0.2.2')).toBe('reached');
  });

  test('does not keep others from ports that the container publishes', async () => {
    const serve = ['busybox', 'sh', '-c', 'nc -ll -p 80 -e echo hello'];
    await out('run', '-d', '--name', 'box', '--network', 'a', '--egress', 'none', '-p', '8080:80', ...serve);
    const says = async (from: OwnNetwork, address: string) =>
      (await from.shell(`busybox nc ${address} 8080 </dev/null`)).stdout;
    await host.until(async () => (await says(host, '127.0.0.1')) === 'hello\n');
    expect(await says(outside, '192.0.2.1')).toBe('hello\n');
  });

  test('needs a network, and one of the user’s own for names', async () => {
    const says = (...args: string[]) => host.says('run', '--rm', ...args, 'busybox', 'true');
    expect(await says('--network', 'none', '--egress', 'none')).toContain('--egress needs a network');
    expect(await says('--network', 'bridge', '--egress', 'allow=a.example')).toContain(
      'names can be allowed only in a network of your own',
    );
    await out('run', '-d', '--name', 'box', '--network', 'bridge', '--egress', 'allow=192.0.2.2', ...SLEEP);
    expect(await sends('192.0.2.2')).toBe('reached');
    expect(await sends('192.0.2.3')).toMatch(DENIED);
  });
});
