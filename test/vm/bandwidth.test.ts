// SPDX-License-Identifier: Apache-2.0
// --network-bps, on a network namespace of the test's own. Rates are compared with each other, not with a clock's idea of fast.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';
import { hostNetworkObstacle, OwnNetwork, type TestServer } from './own-network.ts';

const cannot = hostNetworkObstacle();
const SLEEP = ['busybox', 'sleep', '1000'];
const BYTES = 1 << 20;
/** far below what an emulated machine reaches */
const RATE = 256 * 1024;
/** How long it takes at that rate, less what may pass at once, and with room for a slow machine. */
const LEAST_SECONDS = (0.7 * BYTES) / RATE;
const UNLIMITED_FACTOR = 2;

/** Seconds of the host's clock. */
interface Took {
  /** with the start of the command that it is a part of: never less than what it took */
  most: number;
  /** without */
  transfer: number;
}

describe.skipIf(cannot)(`bandwidth${cannot ? ` (this host cannot: ${cannot})` : ''}`, () => {
  const store = new TestStore();
  let host: OwnNetwork;
  let server: TestServer;

  const out = (...args: string[]) => host.out(...args);
  const run = (...args: string[]) => out('run', '-d', '--name', 'box', ...args, ...SLEEP);
  const inspected = () => out('inspect', '-f', '{{json .HostConfig.NetworkBps}}', 'box');
  /** How long a mebibyte takes to and from the container by way of a gateway. */
  async function timed(script: string): Promise<Took> {
    const times = [performance.now()];
    const running = host.tryHrun(['exec', 'box', 'sh', '-c', `echo begun; ${script} && echo done`]);
    running.stdout.on('data', () => times.push(performance.now()));
    expect(await running).toMatchObject({ stdout: 'begun\ndone\n', exitCode: 0 });
    const [before, begun, ...later] = times.map((time) => time / 1000);
    const done = later.at(-1) ?? begun!;
    return { most: done - before!, transfer: done - begun! };
  }
  const fetched = (gateway = '10.73.0.1') =>
    timed(`test $(wget -q -O - http://${gateway}:${server.port}/ | wc -c) = ${BYTES}`);
  const sent = (gateway = '10.73.0.1') =>
    timed(
      `test $(dd if=/dev/zero bs=64k count=16 2>/dev/null | nc -w 60 ${gateway} ${server.sinkPort}) = ${BYTES}`,
    );

  beforeAll(async () => {
    host = new OwnNetwork(store);
    await store.load(FIXTURES);
    await host.hrun(['network', 'create', '--subnet', '10.73.0.0/24', 'a']);
    await host.hrun(['network', 'create', '--subnet', '10.74.0.0/24', 'b']);
    server = await host.serve('0.0.0.0', BYTES);
  });
  afterEach(async () => {
    for (const id of store.containers()) await host.hrun(['rm', '-f', id]);
    await host.until(async () => (await host.shell('ip -o link show type tun | wc -l')).stdout === '0\n');
  });
  afterAll(async () => {
    for (const name of ['a', 'b']) await host.hrun(['network', 'rm', name]);
    host.close();
    store.remove();
  });

  test('is limited each way for itself, on every interface, also one that comes later', async () => {
    await run('--network', 'a', '--network-bps', `in=${RATE}`);
    expect(await inspected()).toBe(`{"In":${RATE},"Out":0}\n`);
    const [slow, fast] = [await fetched(), await sent()];
    expect(slow.most).toBeGreaterThan(LEAST_SECONDS);
    expect(fast.transfer).toBeLessThan(slow.transfer / UNLIMITED_FACTOR);
    await out('network', 'connect', 'b', 'box');
    expect((await fetched('10.74.0.1')).most).toBeGreaterThan(LEAST_SECONDS);
  });

  test('is limited out as well as in, and keeps close to the rate', async () => {
    await run('--network', 'a', '--network-bps', '256k');
    for (const took of [await fetched(), await sent()]) {
      expect(took.most).toBeGreaterThan(LEAST_SECONDS);
      expect(BYTES / took.transfer).toBeGreaterThan(RATE / 4);
    }
  });

  test('can be changed while the container runs, and is the same after a restart', async () => {
    await run('--network', 'a');
    expect(await inspected()).toBe('{"In":0,"Out":0}\n');
    const free = await sent();
    await out('update', '--network-bps', `out=${RATE}`, 'box');
    expect(await inspected()).toBe(`{"In":0,"Out":${RATE}}\n`);
    const changed = await sent();
    expect(changed.most).toBeGreaterThan(LEAST_SECONDS);
    expect(changed.transfer).toBeGreaterThan(UNLIMITED_FACTOR * free.transfer);
    await out('restart', '-t', '0', 'box');
    const limited = await sent();
    expect(limited.most).toBeGreaterThan(LEAST_SECONDS);
    await out('update', '--network-bps', '0', 'box');
    expect((await sent()).transfer).toBeLessThan(limited.transfer / UNLIMITED_FACTOR);
  });

  test('needs a network, and a rate', async () => {
    const says = (...args: string[]) => host.says('run', '--rm', ...args, 'busybox', 'true');
    expect(await says('--network', 'none', '--network-bps', '1m')).toContain('--network-bps needs a network');
    expect(await says('--network', 'a', '--network-bps', 'up=1m')).toContain('"up=1m" is not a rate');
    await run('--network', 'none');
    expect(await host.says('update', '--network-bps', '1m', 'box')).toContain('the container has no network');
  });
});
