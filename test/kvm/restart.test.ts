// SPDX-License-Identifier: Apache-2.0
// Restart policies, with the bare-metal agent of test/guests/agent: a run takes milliseconds.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newContainerId } from '../../src/container/id.ts';
import type { VmConfig } from '../../src/vm/vm-config.ts';
import { kvmUsable, onKvm } from '../native/micro-vm-guest.ts';
import { PATIENCE_MS } from '../vm/hrun.ts';
import { AttachFlags, type MonitorClient, MonitorRig, processEnd } from '../vm/monitor-rig.ts';
import { bareMetal } from './bare-metal.ts';

const SIGTERM = 15;
const SIGUSR1 = 10;

let rig: MonitorRig;
beforeAll(() => {
  rig = new MonitorRig();
});
afterAll(() => rig[Symbol.dispose]());

/** Starts a container whose guest does what `word` says. */
function start(word: string, policy: NonNullable<VmConfig['restart']>['policy'], maximumRetries = 0) {
  const restart = { policy, maximumRetries };
  const directory = rig.container([word], bareMetal({ id: newContainerId(), restart }));
  return { directory, client: rig.run(directory) };
}

/** Resolves with the state once it is as wanted. */
async function reached(directory: string, wanted: (state: ReturnType<MonitorRig['state']>) => boolean) {
  for (const begun = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 1))) {
    const state = existsSync(join(directory, 'state.json')) ? rig.state(directory) : undefined;
    if (state && wanted(state)) return state;
    if (performance.now() - begun > PATIENCE_MS) throw new Error(`still ${JSON.stringify(state)}`);
  }
}

/** Attaches once the container is in the wait before its `count`th restart. */
async function inWait(directory: string, count: number): Promise<MonitorClient> {
  await reached(directory, (state) => state.status === 'restarting' && state.restartCount >= count);
  return await rig.attach(directory, AttachFlags.STDOUT);
}

describe.skipIf(!kvmUsable())(onKvm('a container with a restart policy'), () => {
  test('on-failure:2 fails three times, and each run is a whole one', async () => {
    const { directory, client } = start('exit', 'on-failure', 2);
    expect((await client.ended).gone).toMatchObject({ code: 7 });
    const { monitorPid } = rig.state(directory);
    const state = await reached(directory, ({ status }) => status === 'exited');
    expect(state).toMatchObject({ exitCode: 7, restartCount: 2, monitorPid });
    await processEnd(monitorPid);
    const lines = readFileSync(join(directory, 'container.log'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(existsSync(join(directory, 'control.sock'))).toBe(false);
  });

  test('STOP during the wait ends it, and the state tells of the last run', async () => {
    const { directory } = start('exit', 'always');
    const { monitorPid } = await reached(directory, ({ status }) => status === 'restarting');
    const client = await inWait(directory, 5);
    client.session.stop(SIGTERM, 1000);
    await client.ended;
    await processEnd(monitorPid);
    expect(rig.state(directory)).toMatchObject({ status: 'exited', exitCode: 7 });
    expect(existsSync(join(directory, 'control.sock'))).toBe(false);
  });

  test('whoever attaches during the wait is told so', async () => {
    const { directory } = start('exit', 'unless-stopped');
    const client = await inWait(directory, 5);
    expect((await client.ended).error?.message).toBe('the container is restarting, wait until it is running');
    process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    await reached(directory, ({ status }) => status === 'exited');
  });

  test.each([
    ['STOP', (client: MonitorClient) => client.session.stop(SIGTERM, 1000)],
    ['its stop signal', (client: MonitorClient) => client.session.signal(SIGTERM)],
  ])('that a client has ended by %s stays ended', async (_how, end) => {
    const { directory, client } = start('wait', 'always');
    await client.started;
    end(client);
    await client.ended;
    await processEnd(rig.state(directory).monitorPid);
    expect(rig.state(directory)).toMatchObject({ status: 'exited', restartCount: 0 });
  });

  test('runs again after another signal, and after kill -9 of its VM, under the same keeper', async () => {
    const { directory, client } = start('wait', 'always');
    await client.started;
    const first = rig.state(directory);
    client.session.signal(SIGUSR1);
    await client.ended;
    const second = await reached(
      directory,
      ({ status, restartCount }) => status === 'running' && restartCount === 1,
    );
    expect(second.monitorPid).toBe(first.monitorPid);
    process.kill(second.vmmPid, 'SIGKILL');
    const third = await reached(
      directory,
      ({ status, restartCount }) => status === 'running' && restartCount === 2,
    );
    expect(third.monitorPid).toBe(first.monitorPid);
    process.kill(third.monitorPid, 'SIGTERM');
    await reached(directory, ({ status }) => status === 'exited');
  });

  test('whose VM is killed the moment that its state says it runs has run, and runs again', async () => {
    for (let round = 0; round < 20; round++) {
      const { directory } = start('wait', 'always');
      const { vmmPid } = await reached(directory, ({ status }) => status === 'running');
      process.kill(vmmPid, 'SIGKILL');
      const { monitorPid } = await reached(
        directory,
        ({ status, restartCount }) => status === 'running' && restartCount === 1,
      );
      process.kill(monitorPid, 'SIGTERM');
      await reached(directory, ({ status }) => status === 'exited');
    }
  });

  test('that cannot be started is not tried again', async () => {
    const restart = { policy: 'always', maximumRetries: 0 } as const;
    const directory = rig.container(['exit'], bareMetal({ kernel: '/nonexistent', restart }));
    expect((await rig.run(directory).ended).error?.kind).toBe(9);
    await processEnd(rig.state(directory).monitorPid);
    expect(rig.state(directory)).toMatchObject({ status: 'exited', restartCount: 0 });
  });
});
