// SPDX-License-Identifier: Apache-2.0
// The addon's KVM part, with the bare-metal guests of test/guests on a real /dev/kvm.
import { once } from 'node:events';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { installDir } from '../../src/base/root.ts';
import { native } from '../../src/native/index.ts';
import { createAndStop, createGuest, guest, kvmUsable, onKvm, resources } from './micro-vm-guest.ts';

const usable = kvmUsable();

describe.skipIf(!usable)(onKvm('probeKvm'), () => {
  it('tells abilities and measures speed', async () => {
    const probe = await native().probeKvm();
    expect(probe).toMatchObject({ apiVersion: 12, missing: [] });
    expect(probe.maxVcpus).toBeGreaterThanOrEqual(32);
    expect(probe.hardware).toBe(probe.instructionsPerSecond > 50e6);
  });
});

describe.skipIf(!usable)(onKvm('MicroVm'), () => {
  it('boots a guest, carries its console both ways and tells how it ended', async () => {
    const { vm, said, text } = await createGuest('hello', { commandLine: 'a=b' });
    await vm.start();
    await said('command line: a=b\n');
    expect(await vm.writeConsole(Buffer.from('hallo'))).toBe(5);
    expect(await vm.ended).toEqual({ reason: 'reset', message: 'the guest powered off' });
    expect(text()).toContain('read: hallo\nok\n');
    expect(vm.statistics().exits).toBeGreaterThan(10);
    await vm.stop();
  });

  it('opens vsock streams to the guest', async () => {
    const { vm, said } = await createGuest('vsock', { vsock: { slot: 2, cid: 3 } });
    await vm.start();
    await said('listening');
    const socket = new Socket({ fd: await vm.connect(1024) });
    const data = Buffer.alloc(300_000, 'echo ');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    socket.write(data);
    while (Buffer.concat(received).length < data.length) await once(socket, 'data');
    expect(Buffer.concat(received).equals(data)).toBe(true);
    socket.destroy();
    expect((await vm.ended).reason).toBe('reset');
    await vm.stop();
  });

  it('pauses and resumes', async () => {
    const { vm, said } = await createGuest('pause', { vcpus: 2 });
    await vm.start();
    await said('counting');
    await vm.pause();
    expect(await vm.writeConsole(Buffer.from('x'))).toBe(1);
    await vm.resume();
    expect((await vm.ended).reason).toBe('reset');
    await vm.stop();
  });

  it('reports a triple fault with the registers', async () => {
    const { vm } = await createGuest('faults', { commandLine: 't' });
    await vm.start();
    const end = await vm.ended;
    expect(end.reason).toBe('triple-fault');
    expect(end.message).toMatch(/^the guest took a triple fault \(vCPU 0 at [0-9a-f]{16}\)\nrip /);
    await vm.stop();
  });

  it('stops a guest that never ends, and answers "gone" afterwards', async () => {
    const { vm } = await createGuest('faults', { commandLine: 's' });
    await vm.start();
    const stopped = vm.stop();
    expect((await vm.ended).reason).toBe('stopped');
    await stopped;
    await vm.stop();
    await expect(vm.start()).rejects.toMatchObject({ code: 'ECANCELED' });
    await expect(vm.connect(1)).rejects.toMatchObject({ code: 'ECANCELED' });
  });

  it('refuses a missing kernel, a bad one and a bad configuration', async () => {
    await expect(createGuest('nothing')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(createGuest('', { kernel: import.meta.filename })).rejects.toMatchObject({
      code: 'ENOEXEC',
    });
    await expect(createGuest('hello', { vcpus: 33 })).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(createGuest('hello', { memoryMiB: 1 })).rejects.toMatchObject({ code: 'EINVAL' });
    const slot = { slot: 23, cid: 3 };
    await expect(createGuest('hello', { vsock: slot })).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('works in several worker threads at once, also when they end without stop()', async () => {
    const addon = join(installDir(), 'build', 'native', 'hrun.node');
    const code = `
      const { parentPort } = require('node:worker_threads');
      const { createMicroVm } = require(${JSON.stringify(addon)});
      createMicroVm({ kernel: ${JSON.stringify(guest('faults'))}, memoryMiB: 16, onConsole() {} }).then(async (vm) => {
        await vm.start();
        const end = await vm.ended;
        parentPort.postMessage(end.reason);
      });`;
    const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true }));
    const reasons = await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect(reasons.flat()).toEqual(['reset', 'reset', 'reset', 'reset']);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('leaves nothing behind', async () => {
    for (let i = 0; i < 20; i++) await createAndStop();
    const before = resources();
    for (let i = 0; i < 100; i++) await createAndStop();
    const after = resources();
    expect(after).toMatchObject({ descriptors: before.descriptors, mappings: 0 });
    expect(after.threads - before.threads).toBeLessThan(10); // Node may have started one of its own; a leak would be 100
  });
});
