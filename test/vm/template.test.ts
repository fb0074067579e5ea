// SPDX-License-Identifier: Apache-2.0
// Containers that start from a machine booted in advance: docs/templates.md.
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

const store = new TestStore({ HRUN_TEMPLATES: 'use' });
beforeAll(async () => {
  await store.load(FIXTURES);
  await makeTemplate();
});
afterAll(() => store.remove());

/** False also for a process that is gone already. */
function isMonitor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('hrun-vmm');
  } catch {
    return false;
  }
}

async function makeTemplate(): Promise<string> {
  const { stdout, stderr, exitCode } = await store.hrun(['template', 'create']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return stdout.trim();
}

/** A guest knows by its kernel's command line that it is a copy. */
const IS_COPY = 'grep -q -- "--template" /proc/cmdline && echo copied || echo booted';

/** The guest's kernel finds its source of random numbers when it comes to it. */
const RNG =
  'for i in $(seq 60); do grep -qs virtio /sys/class/misc/hw_random/rng_current && break; sleep 0.5; done';

const templates = () => readdirSync(join(store.dir, 'templates'));

describe('a container from a template', () => {
  test('runs its command in a copy of the machine, which has its disk, its name and the time', async () => {
    const before = Date.now();
    const out = await store.script(
      ['--hostname', 'copied-host'],
      `${IS_COPY}; hostname; date +%s; echo kept > /file; cat /file`,
    );
    const [how, hostname, time, file] = out.trim().split('\n');
    expect({ how, hostname, file }).toEqual({ how: 'copied', hostname: 'copied-host', file: 'kept' });
    expect(Number(time) * 1000).toBeGreaterThan(before - 2000);
    expect(Number(time) * 1000).toBeLessThan(Date.now() + 2000);
  });

  test('has the devices that it would have booted with', async () => {
    const out = await store.script(
      ['-v', 'data:/data', '-v', `${store.dir}/cache:/host:ro`],
      `${IS_COPY}; echo x > /data/file; cat /data/file; ls -d /host; ${RNG}; cat /sys/class/misc/hw_random/rng_current`,
    );
    expect(out.split('\n').slice(0, 4)).toEqual(['copied', 'x', '/host', 'virtio_rng.0']);
  });

  test('has random bytes of its own from its hardware generator too', async () => {
    const script = `${IS_COPY}; ${RNG}; head -c 16 /dev/hwrng | od -An -tx1`;
    const read = () => store.hrun(['run', '--rm', '--privileged', 'busybox', 'sh', '-c', script]);
    const [one, other] = [await read(), await read()];
    for (const { stdout } of [one, other]) expect(stdout).toMatch(/^copied\n( [0-9a-f]{2}){16}\n$/);
    expect(one.stdout).not.toBe(other.stdout);
  });

  test('opens the disks of its machine only when it is privileged', async () => {
    const open = 'IFS=: read a b < /sys/block/vda/dev; mknod /disk b $a $b; head -c 1 /disk | wc -c';
    const script = ['busybox', 'sh', '-c', `${IS_COPY}; ${open}`];
    const all = await store.hrun(['run', '--rm', '--privileged', ...script]);
    expect({ out: all.stdout, err: all.stderr }).toEqual({ out: 'copied\n1\n', err: '' });
    const none = await store.hrun(['run', '--rm', ...script]);
    expect(none.stdout).toBe('copied\n0\n');
    expect(none.stderr).toMatch(/Operation not permitted/);
  });

  test('has all layers of its image, those that its template has no disks for too', async () => {
    for (let layer = 1; layer <= 6; layer++) {
      const image = layer === 1 ? 'busybox' : 'layers';
      await store.hrun(['run', '--name', 'layer', image, 'sh', '-c', `echo ${layer} > /layer.${layer}`]);
      expect((await store.hrun(['commit', 'layer', 'layers'])).exitCode).toBe(0);
      await store.hrun(['rm', 'layer']);
      const script = `${IS_COPY}; cat /layer.*; grep -c ' erofs ' /proc/mounts`;
      const { stdout } = await store.hrun(['run', '--rm', 'layers', 'sh', '-c', script]);
      const numbers = Array.from({ length: layer }, (_, index) => index + 1);
      expect(stdout.split('\n')).toEqual(['copied', ...numbers.map(String), '0', '']);
    }
  });

  test('passes input, output and exit code on, and can be entered', async () => {
    expect((await store.hrun(['run', '-i', '--rm', 'busybox', 'sh', '-c', 'cat; exit 7'], 'in')).stdout).toBe(
      'in',
    );
    const once = 'test -e /ran && exit 3; touch /ran; exec sleep 600';
    await store.hrun(['run', '-d', '--name', 'entered', 'busybox', 'sh', '-c', once]);
    await eventually(
      async () => (await store.hrun(['exec', 'entered', 'test', '-e', '/ran'])).exitCode === 0,
    );
    const { stdout } = await store.hrun(['exec', 'entered', 'sh', '-c', IS_COPY]);
    expect(stdout).toBe('copied\n');
    expect((await store.hrun(['stop', '-t', '1', 'entered'])).exitCode).toBe(0);
    expect((await store.hrun(['start', '-a', 'entered'])).exitCode).toBe(3);
    await store.hrun(['rm', '-f', 'entered']);
  });

  test('that is started again by its policy is a copy each time', async () => {
    await store.runsTwice(IS_COPY, 'copied\n');
  });
});

test('a hundred copies share no random bytes, no ids and no addresses', { timeout: 900_000 }, async () => {
  const script = [
    'head -c 16 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo',
    'cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id',
    'grep stack /proc/self/maps | cut -d- -f1',
    IS_COPY,
  ].join('; ');
  const lines: string[][] = [];
  for (let i = 0; i < 25; i++) {
    const four = Array.from({ length: 4 }, () => store.script([], script));
    lines.push(...(await Promise.all(four)).map((out) => out.trim().split('\n')));
  }
  expect(lines.map((each) => each[4])).toEqual(Array(100).fill('copied'));
  for (const what of [0, 1, 2, 3]) expect(new Set(lines.map((each) => each[what])).size).toBe(100);
});

describe('a template that is of no use', () => {
  const withoutProcess = (damageIt: (directory: string) => void) => (directory: string) => {
    rmSync(join(directory, 'process'));
    damageIt(directory);
  };
  const damage: Record<string, (directory: string) => void> = {
    'has a state that is none': withoutProcess((directory) =>
      writeFileSync(join(directory, 'state'), 'x'.repeat(50_000)),
    ),
    'has a state that was cut short': withoutProcess((directory) =>
      truncateSync(join(directory, 'state'), 20_000),
    ),
    'has lost its memory': (directory) => rmSync(join(directory, 'memory')),
    'has a memory of another size': (directory) => truncateSync(join(directory, 'memory'), 1 << 20),
    'has a memory of zeros': withoutProcess((directory) => {
      truncateSync(join(directory, 'memory'), 0);
      truncateSync(join(directory, 'memory'), 1 << 30);
    }),
  };
  for (const [what, damageIt] of Object.entries(damage)) {
    test(`because it ${what}: the machine is booted, and the user sees nothing of it`, async () => {
      const id = await makeTemplate();
      damageIt(join(store.dir, 'templates', id));
      const result = await store.hrun(
        ['run', '-i', '--rm', 'busybox', 'sh', '-c', `cat; ${IS_COPY}`],
        'in\n',
      );
      expect(result).toEqual({ exitCode: 0, stdout: 'in\nbooted\n', stderr: '' });
      await store.hrun(['template', 'rm', id]);
      expect(await store.script([], IS_COPY)).toBe('booted\n');
      await makeTemplate();
      expect(await store.script([], IS_COPY)).toBe('copied\n');
    });
  }
});

describe('a template whose process is of no use', () => {
  const damage: Record<string, (directory: string) => void> = {
    'is none': (directory) => writeFileSync(join(directory, 'process'), 'x'.repeat(50_000)),
    'was cut short': (directory) => truncateSync(join(directory, 'process'), 20_000),
    'lacks most of its memory': (directory) => truncateSync(join(directory, 'process'), 8 << 20),
    'goes with a memory of zeros': (directory) => {
      truncateSync(join(directory, 'process.memory'), 0);
      truncateSync(join(directory, 'process.memory'), 1 << 30);
    },
  };
  for (const [what, damageIt] of Object.entries(damage)) {
    test(`because it ${what}: the machine is copied, and the user sees nothing of it`, async () => {
      const id = await makeTemplate();
      damageIt(join(store.dir, 'templates', id));
      const script = `cat; ${IS_COPY}`;
      for (const said of ['first\n', 'second\n']) {
        const result = await store.hrun(['run', '-i', '--rm', 'busybox', 'sh', '-c', script], said);
        expect(result).toEqual({ exitCode: 0, stdout: `${said}copied\n`, stderr: '' });
      }
      const [shown] = JSON.parse(await store.ok('template', 'inspect', id));
      expect(shown).toMatchObject({ current: true, frozen: false });
      expect(await makeTemplate()).toBe(id);
      expect(existsSync(join(store.dir, 'templates', id, 'process'))).toBe(true);
    });
  }
});

test("what is not its template's fault is told as ever, and the template stays", async () => {
  const id = await makeTemplate();
  await store.hrun(['volume', 'create', '-o', 'size=128m', 'disk']);
  await store.hrun(['run', '-d', '--name', 'first', '-v', 'disk:/d', 'busybox', 'sleep', '600']);
  const second = await store.hrun(['run', '--rm', '-v', 'disk:/d', 'busybox', 'true']);
  expect(second.exitCode).toBe(125);
  expect(second.stderr).toMatch(/another running container has/);
  expect((await store.hrun(['template', 'ls', '-q'])).stdout).toBe(`${id}\n`);
  await store.hrun(['rm', '-f', 'first']);
});

describe('templates', () => {
  test('are listed, described and removed', async () => {
    const id = await makeTemplate();
    expect((await store.hrun(['template', 'ls', '-q'])).stdout).toBe(`${id}\n`);
    expect((await store.hrun(['template', 'ls'])).stdout).toMatch(
      /^ID +ENGINE +MEMORY +CPUS +NIC +CURRENT +CREATED +SIZE\n[0-9a-f]{12} +qemu +1GiB +1 +no +yes +.* ago +[\d.]+MB\n$/,
    );
    const [described] = JSON.parse((await store.hrun(['template', 'inspect', id.slice(0, 8)])).stdout);
    expect(described).toMatchObject({ id, current: true, inputs: { memoryMiB: 1024, vcpus: 1 } });
    expect(await store.hrun(['template', 'rm', id.slice(0, 6)])).toMatchObject({ exitCode: 0 });
    expect(templates()).toEqual([]);
    expect((await store.hrun(['template', 'rm', id])).stderr).toMatch(/no such template.*hrun template ls/);
  });

  test('are for one size of machine each', async () => {
    const { stdout } = await store.hrun(['template', 'create', '-m', '128m']);
    const id = stdout.trim();
    expect(await store.script(['-m', '128m'], IS_COPY)).toBe('copied\n');
    expect(await store.script(['-m', '160m'], IS_COPY)).toBe('booted\n');
    await store.hrun(['template', 'rm', id]);
  });

  test('are made once by many who want the same', async () => {
    const made = await Promise.all([1, 2, 3].map(() => makeTemplate()));
    expect(new Set(made).size).toBe(1);
    expect(templates()).toEqual([made[0]]);
  });

  test('are made in the background by the first container of a size', async () => {
    const own = new TestStore({ HRUN_TEMPLATES: 'auto' });
    try {
      await own.load(FIXTURES);
      expect(await own.script([], IS_COPY)).toBe('booted\n');
      await eventually(async () => (await own.hrun(['template', 'ls', '-q'])).stdout || undefined);
      expect(await own.script([], IS_COPY)).toBe('copied\n');
      await eventually(() => own.processes().length === 0);
    } finally {
      await own.remove();
    }
  });

  test('whose making was killed leave nothing that is taken for one', async () => {
    const [id] = templates();
    if (id) await store.hrun(['template', 'rm', id]);
    expect(templates()).toEqual([]);
    const making = store.start(['template', 'create']);
    const state = await eventually(() => templates().find((name) => name.endsWith('.making')));
    const monitor = await eventually(() => store.processIds().find((pid) => isMonitor(pid)));
    process.kill(monitor, 'SIGKILL');
    expect((await making).exitCode).toBe(1);
    expect(existsSync(join(store.dir, 'templates', state))).toBe(false);
    expect((await store.hrun(['template', 'ls', '-q'])).stdout).toBe('');
    expect(await makeTemplate()).toMatch(/^[0-9a-f]{64}$/);
  });
});

test('HRUN_TEMPLATES=off boots every machine; another word is an error', async () => {
  const off = await store.start(['run', '--rm', 'busybox', 'sh', '-c', IS_COPY], {
    env: { ...store.env, HRUN_TEMPLATES: 'off' },
  });
  expect(off.stdout).toBe('booted\n');
  const bad = await store.start(['run', '--rm', 'busybox', 'true'], {
    env: { ...store.env, HRUN_TEMPLATES: 'maybe' },
  });
  expect(bad).toMatchObject({
    exitCode: 125,
    stderr: expect.stringMatching(/HRUN_TEMPLATES=maybe.*auto, use, off/),
  });
  expect(readFileSync('/proc/cmdline', 'utf8')).not.toContain('--template');
});
