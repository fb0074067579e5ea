// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Root, rootAt } from '../../src/base/root.ts';
import { examineHost } from '../../src/core/doctor.ts';
import { hostInfo } from '../../src/core/host-info.ts';
import { assessKvm, chooseEngine } from '../../src/vm/index.ts';

let root: Root;
beforeEach(() => {
  root = rootAt(mkdtempSync(join(tmpdir(), 'hrun-engine-')));
});
afterEach(() => rmSync(root.dir, { recursive: true }));

/** The kept measurement, changed. False where this host has no KVM to measure. */
async function changeCached(
  change: (cached: { boot: string; probe: { hardware: boolean } }) => void,
): Promise<boolean> {
  if ((await assessKvm(root)).probe === undefined) return false;
  const path = join(root.cache, 'kvm.json');
  const cached = JSON.parse(readFileSync(path, 'utf8'));
  change(cached);
  writeFileSync(path, JSON.stringify(cached));
  return true;
}

describe('the choice of an engine', () => {
  test('auto never takes a KVM that is not hardware, and says so once', async () => {
    const verdict = await assessKvm(root);
    const [first, second] = [await chooseEngine(root, 'auto'), await chooseEngine(root, 'auto')];
    expect(second).toEqual({ engine: first.engine, remark: undefined });
    expect(first.engine.engine).toBe(verdict.state === 'hardware' ? 'kvm' : 'qemu');
    expect(first.remark !== undefined).toBe(verdict.state !== 'hardware');
    expect(first.remark ?? '').not.toContain('\n');
  });

  test('auto takes kvm when it was measured to be hardware in this boot', async (context) => {
    const measured = await changeCached(({ probe }) => {
      probe.hardware = true;
    });
    if (!measured) context.skip('this host cannot be measured: it has no usable /dev/kvm');
    expect(await chooseEngine(root, 'auto')).toEqual({ engine: { engine: 'kvm' }, remark: undefined });
  });

  test.each(['another boot', 'damaged'])(
    'a measurement is made again when the kept one is of %s',
    async (how) => {
      const before = await assessKvm(root);
      await changeCached((cached) => {
        cached.boot = how;
        cached.probe.hardware = !cached.probe.hardware;
      });
      if (how === 'damaged' && before.probe) writeFileSync(join(root.cache, 'kvm.json'), '{');
      expect((await assessKvm(root)).state).toBe(before.state);
    },
  );

  test('a store that cannot be written does not keep it from being made', async () => {
    const unwritable = rootAt('/proc/hrun');
    expect((await chooseEngine(unwritable, 'auto')).engine).toBeDefined();
  });

  test('qemu that is not installed is named, with its package', async () => {
    const chosen = chooseEngine(root, 'qemu', { PATH: root.dir });
    await expect(chosen).rejects.toMatchObject({
      code: 'HOST_SETUP',
      message: expect.stringContaining('qemu-system-x86_64'),
      hint: 'run: apt-get install qemu-system-x86',
    });
  });
});

describe('hrun doctor', () => {
  test('finds nothing that keeps containers from running where the tests run', async () => {
    const findings = await examineHost(root);
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['KVM', 'isolation', 'cgroups']),
    );
  });

  test('says which program is missing, and what to do', async () => {
    const qemu = (await examineHost(root, { PATH: root.dir })).find(({ subject }) => subject === 'QEMU');
    expect(qemu).toMatchObject({
      found: expect.stringContaining('not installed'),
      advice: expect.any(String),
    });
  });

  test('reports a store that cannot be written', async () => {
    const findings = await examineHost(rootAt('/proc/hrun'));
    expect(findings.find(({ subject }) => subject === 'store')).toMatchObject({ state: 'problem' });
  });
});

test('hrun info describes the host and an empty store', async () => {
  const info = await hostInfo(root);
  expect(info).toMatchObject({ Containers: 0, Images: 0, RootDir: root.dir });
  expect(info).toMatchObject({
    ...{ DockerRootDir: root.dir, ContainersRunning: 0, ContainersPaused: 0, ContainersStopped: 0 },
    ...{ Driver: 'erofs', NCPU: availableParallelism(), OSType: 'linux', Architecture: 'x86_64' },
    ...{ Swarm: { LocalNodeState: 'inactive' }, ServerVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    ...{
      OperatingSystem: expect.stringMatching(/./),
      KernelVersion: release(),
      CgroupVersion: expect.stringMatching(/^[12]$/),
    },
  });
  expect(info.Engine.Name).toBe(info.KVM.State === 'hardware' ? 'kvm' : 'qemu');
});
