// SPDX-License-Identifier: Apache-2.0
// Machines of the kvm engine that are copies of one that was booted before (docs/templates.md). The guest is test/guests/agent: what it
// does as a template is what the agent of containers does.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bootTemplate, type TemplateInputs } from '../../src/vm/template.ts';
import type { VmConfig } from '../../src/vm/vm-config.ts';
import { guest, kvmUsable, onKvm } from '../native/micro-vm-guest.ts';
import { type MonitorClient, MonitorRig } from '../vm/monitor-rig.ts';
import { bareMetal } from './bare-metal.ts';

describe.skipIf(!kvmUsable())(onKvm('a template of the kvm engine'), () => {
  let rig: MonitorRig;
  let template: string;
  let count = 0;
  beforeAll(() => {
    rig = new MonitorRig();
  });
  beforeEach(async () => {
    template = await make();
  });
  afterAll(() => rig[Symbol.dispose]());

  const inputs = (change: Partial<TemplateInputs> = {}): TemplateInputs => ({
    ...rig.assets,
    kernel: guest('agent'),
    engine: { engine: 'kvm' },
    vcpus: 1,
    memoryMiB: 64,
    nic: false,
    ...change,
  });

  async function make(change: Partial<TemplateInputs> = {}): Promise<string> {
    const directory = join(rig.dir, `template-${count++}`);
    mkdirSync(directory, { mode: 0o700 });
    await bootTemplate(inputs(change), directory);
    return directory;
  }

  function container(word: string, change: Partial<VmConfig> = {}): string {
    return rig.container([word], bareMetal(change));
  }

  const copy = (directory: string): MonitorClient => rig.run(directory, undefined, template);
  const log = (directory: string) => readFileSync(join(directory, 'monitor.log'), 'utf8');

  test('is one file, of which the guest has touched little', () => {
    expect(readdirSync(template).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
    const { size, blocks, mode } = statSync(join(template, 'state'));
    expect(size).toBeGreaterThan(64 << 20);
    expect(blocks * 512).toBeLessThan(16 << 20);
    expect(mode & 0o777).toBe(0o600);
  });

  test('has copies that live the whole life of a container, in the jail, one after the other and at once', async () => {
    const first = container('exit');
    const client = copy(first);
    expect((await client.ended).exit).toMatchObject({ code: 7 });
    expect(client.output).toBe('hello from a bare-metal agent\n');
    expect(log(first)).toBe('');
    const several = [1, 2, 3].map(() => container('wait'));
    const clients = several.map(copy);
    await Promise.all(clients.map(({ started }) => started));
    for (const directory of several) process.kill(rig.state(directory).monitorPid, 'SIGTERM');
    for (const { ended } of clients) expect((await ended).exit).toMatchObject({ signal: 15 });
    expect(several.map(log)).toEqual(['', '', '']);
  });

  test('with several processors has copies that run on', async () => {
    template = await make({ vcpus: 4 });
    const directory = container('exit', { vcpus: 4 });
    expect((await copy(directory).ended).exit).toMatchObject({ code: 7 });
    expect(log(directory)).toBe('');
  });

  test.each<[string, (state: string) => void, RegExp]>([
    ['no snapshot', (state) => writeFileSync(state, 'x'.repeat(5000)), /is no snapshot/],
    ['cut short', (state) => truncateSync(state, 20_000), /is truncated/],
  ])('that is %s is taken away, and the machine boots', async (_what, damage, why) => {
    damage(join(template, 'state'));
    const directory = container('exit');
    const client = copy(directory);
    expect((await client.ended).exit).toMatchObject({ code: 7 });
    expect(client.output).toBe('hello from a bare-metal agent\n');
    expect(log(directory)).toMatch(why);
    expect(existsSync(join(template, 'state'))).toBe(false);
  });

  test('is not used by a machine of another size', async () => {
    for (const change of [{ memoryMiB: 128 }, { vcpus: 2 }]) {
      template = await make();
      const directory = container('exit', change);
      expect((await copy(directory).ended).exit).toMatchObject({ code: 7 });
      expect(log(directory)).toMatch(/which has another (size|number of vCPUs)/);
    }
  });

  test('whose disk is not there says so of the disk, and keeps the template', async () => {
    const disks = [{ slot: 3, path: '/nonexistent.erofs', readOnly: true }];
    const end = await copy(container('exit', { disks })).ended;
    expect(end.error?.message).toBe('open disk /nonexistent.erofs: No such file or directory');
    expect(existsSync(join(template, 'state'))).toBe(true);
  });

  test.each<[string, string, RegExp]>([
    ['that is not there', '/nonexistent', /open \/nonexistent: No such file or directory$/],
    ['that is none', '/etc/passwd', /\/etc\/passwd/],
    ['that ends before it is ready', guest('vsock'), /the guest powered off$/],
  ])('cannot be made of a kernel %s, and the error says why', async (_what, kernel, message) => {
    await expect(make({ kernel })).rejects.toMatchObject({
      code: 'TEMPLATE_FAILED',
      message: expect.stringMatching(message),
    });
  });
});
