// SPDX-License-Identifier: Apache-2.0
// Health checks: the image's and the user's, probed by the monitor while no hrun runs.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore();
beforeAll(async () => {
  await store.load(FIXTURES);
  await ok('create', '--name', 'base', 'busybox', 'sleep', '600');
  const check = 'HEALTHCHECK --interval=200ms --timeout=1m --retries=2 CMD echo looked; test ! -e /ill';
  await ok('commit', '--change', check, 'base', 'checked');
  await ok('rm', 'base');
});
afterEach(() => store.clear());
afterAll(() => store.remove());

const ok = store.ok.bind(store);

interface Health {
  Status: string;
  FailingStreak: number;
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

const health = async (name = 'box') =>
  JSON.parse(await ok('inspect', '-f', '{{json .State.Health}}', name)) as Health;
const status = () => ok('ps', '-a', '--format', '{{.Status}}');
const becomes = (wanted: string) =>
  expect.poll(async () => (await health()).Status, { timeout: 60_000 }).toBe(wanted);

describe('a container with a health check', () => {
  test('of its image is starting until its first probe', async () => {
    await ok('run', '-d', '--name', 'box', '--health-interval', '10m', 'checked');
    expect(await health()).toEqual({ Status: 'starting', FailingStreak: 0, Log: [] });
    expect(await status()).toMatch(/^Up .* \(health: starting\)$/);
    expect(await ok('ps', '-f', 'health=starting', '--format', '{{.Names}}')).toBe('box');
  });

  test('of its image is healthy, unhealthy and healthy again, as its probes find', async () => {
    await ok('run', '-d', '--name', 'box', '--health-interval', '1s', 'checked');
    await becomes('healthy');
    expect(await status()).toMatch(/^Up .* \(healthy\)$/);
    await ok('exec', 'box', 'touch', '/ill');
    await becomes('unhealthy');
    expect(await status()).toMatch(/^Up .* \(unhealthy\)$/);
    expect(await ok('ps', '-f', 'health=healthy', '-q')).toBe('');
    await ok('exec', 'box', 'rm', '/ill');
    await becomes('healthy');
    expect(await health()).toMatchObject({ FailingStreak: 0 });
    const events = await ok(
      'events',
      '--since',
      '1',
      '--until',
      '0s',
      '-f',
      'event=health_status',
      '--format',
      '{{.Action}}',
    );
    expect(events.split('\n').map((line) => line.replace('health_status: ', ''))).toEqual([
      'healthy',
      'unhealthy',
      'healthy',
    ]);
  });

  test('keeps the last five results, each with at most 4096 bytes of what was said', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      '--health-cmd',
      'echo x >>/count; yes | head -c 6000; exit 4',
      '--health-interval',
      '50ms',
      'busybox',
      'sleep',
      '600',
    );
    await expect
      .poll(async () => Number((await ok('exec', 'box', 'wc', '-l', '/count')).split(' ')[0]), {
        timeout: 60_000,
      })
      .toBeGreaterThan(6);
    const { Log, FailingStreak, Status } = await health();
    expect(Status).toBe('unhealthy');
    expect(FailingStreak).toBeGreaterThan(5);
    expect(Log).toHaveLength(5);
    for (const { Output, ExitCode, Start, End } of Log) {
      expect({ ExitCode, Output }).toEqual({ ExitCode: 4, Output: `${'y\n'.repeat(2048)}...` });
      expect(Date.parse(Start)).toBeLessThanOrEqual(Date.parse(End));
    }
  });

  test('has its probe killed when it takes too long', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      '--health-cmd',
      'echo here; exec sleep 12345',
      '--health-interval',
      '300ms',
      '--health-timeout',
      '5s',
      '--health-retries',
      '1',
      'busybox',
      'sleep',
      '600',
    );
    await becomes('unhealthy');
    const { Log } = await health();
    expect(Log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (5s): here\n' });
    const sleeps = (await ok('top', 'box')).split('\n').filter((line) => line.includes('12345'));
    expect(sleeps.length).toBeLessThan(2);
  });

  test('fails within its start period without being counted', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      '--health-cmd',
      'test -e /ready',
      '--health-start-period',
      '10m',
      '--health-start-interval',
      '100ms',
      '--health-interval',
      '10m',
      '--health-retries',
      '1',
      'busybox',
      'sleep',
      '600',
    );
    await expect.poll(async () => (await health()).Log.length, { timeout: 60_000 }).toBe(5);
    expect(await health()).toMatchObject({ Status: 'starting', FailingStreak: 0 });
    await ok('exec', 'box', 'touch', '/ready');
    await becomes('healthy');
  });

  test('is not probed while it is paused, and starting again after a restart', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'box',
      '--health-cmd',
      'test -e /hang && sleep 1000; true',
      '--health-interval',
      '200ms',
      'busybox',
      'sleep',
      '600',
    );
    await becomes('healthy');
    await ok('pause', 'box');
    expect(await status()).toMatch(/^Up .* \(Paused\)$/);
    expect(await health()).toMatchObject({ Status: 'unhealthy' });
    const before = (await health()).Log;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await health()).Log).toEqual(before);
    await ok('unpause', 'box');
    await becomes('healthy');
    await ok('exec', 'box', 'touch', '/hang');
    await ok('stop', '-t', '0', 'box');
    expect(await health()).toMatchObject({ Status: 'unhealthy' });
    await ok('start', 'box');
    expect(await health()).toMatchObject({ Status: 'starting', Log: [] });
  });

  test('that cannot be carried out is unhealthy, and says why', async () => {
    await ok('create', '--name', 'base', 'busybox', 'sleep', '600');
    await ok(
      'commit',
      '--change',
      'HEALTHCHECK --interval=100ms --retries=1 CMD ["nonesuch"]',
      'base',
      'odd',
    );
    await ok('run', '-d', '--name', 'box', 'odd');
    await becomes('unhealthy');
    const [first] = (await health()).Log;
    expect(first).toMatchObject({ ExitCode: -1 });
    expect(first!.Output).toContain('exec: "nonesuch": executable file not found in $PATH');
  });

  test('can be without it, and its image tells of it', async () => {
    expect(JSON.parse(await ok('inspect', '-f', '{{json .Config.Healthcheck}}', 'checked'))).toEqual({
      Test: ['CMD-SHELL', 'echo looked; test ! -e /ill'],
      Interval: 200e6,
      Timeout: 60e9,
      Retries: 2,
    });
    await ok('run', '-d', '--name', 'box', '--no-healthcheck', 'checked');
    expect(await status()).not.toContain('(');
    expect(await ok('inspect', '-f', '{{json .Config.Healthcheck}}{{.State.Health}}', 'box')).toMatch(
      /^\{"Test":\["NONE"\]\}<no value>$/,
    );
    expect(await ok('ps', '-f', 'health=none', '--format', '{{.Names}}')).toBe('box');
  });
});
