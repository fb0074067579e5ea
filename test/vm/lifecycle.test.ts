// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterEach(() => store.clear());
afterAll(() => store.remove());

/** Runs a command that must succeed, and returns what it printed. */
async function hrun(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await store.hrun(args);
  if (exitCode !== 0 || stderr !== '') throw new Error(JSON.stringify({ args, exitCode, stdout, stderr }));
  return stdout;
}

async function status(name: string): Promise<string> {
  return (await hrun('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name)).trimEnd();
}

/** Waits until a container has written that. */
async function says(name: string, text: string): Promise<void> {
  await expect.poll(() => hrun('logs', name), { timeout: 60_000 }).toBe(text);
}

describe('a container that is made and started', () => {
  test('is created, runs when it is started, and keeps what it has written over a restart', async () => {
    const id = (
      await hrun('create', '--name', 'cc', 'busybox', 'sh', '-c', 'echo x >>/log; cat /log; sleep 1000')
    ).trimEnd();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await status('cc')).toBe('created 0');
    expect(await hrun('start', id.slice(0, 6))).toBe(`${id.slice(0, 6)}\n`);
    expect(await status('cc')).toBe('running 0');
    expect(await hrun('start', 'cc')).toBe('cc\n');
    await says('cc', 'x\n');
    await hrun('restart', '-t', '0', 'cc');
    await says('cc', 'x\nx\nx\n');
  });

  test('start -a shows its output and exits with its code; -i feeds it', async () => {
    await hrun('create', '--name', 'once', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3');
    expect(await store.hrun(['start', '-a', 'once'])).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 3,
    });
    await hrun('create', '-i', '--name', 'cat', 'busybox', 'cat');
    expect((await store.hrun(['start', '-a', '-i', 'cat'], 'some input')).stdout).toBe('some input');
    expect(await store.hrun(['start', '-a', 'once', 'cat'])).toMatchObject({ exitCode: 125 });
  });

  test('one with --rm goes at its end, not before', async () => {
    await hrun('create', '--rm', '--name', 'gone', 'busybox', 'true');
    expect(await hrun('ps', '-a', '--format', '{{.Names}}')).toBe('gone\n');
    await hrun('start', '-a', 'gone');
    expect(await hrun('ps', '-aq')).toBe('');
  });

  test('what cannot start says why, and its state tells', async () => {
    await hrun('create', '--name', 'bad', 'busybox', 'nonesuch');
    expect(await store.hrun(['start', 'bad'])).toMatchObject({
      exitCode: 1,
      stderr: 'hrun: exec: "nonesuch": executable file not found in $PATH\n',
    });
    expect(await status('bad')).toBe('exited 127');
  });
});

describe('a container that runs', () => {
  test('stop asks it first, then ends it; the exit code tells which', async () => {
    const script = 'trap "exit 5" TERM; trap "exit 6" USR1; echo ready; while :; do sleep 0.05; done';
    await hrun('run', '-d', '--name', 'kind', '--stop-timeout', '60', 'busybox', 'sh', '-c', script);
    await says('kind', 'ready\n');
    await hrun('run', '-d', '--name', 'deaf', '--stop-timeout', '0', 'busybox', 'sleep', '1000');
    expect(await hrun('stop', 'kind', 'deaf')).toBe('kind\ndeaf\n');
    expect(await status('kind')).toBe('exited 5');
    expect(await status('deaf')).toBe('exited 137');
    expect(await hrun('stop', 'kind')).toBe('kind\n');
    await hrun('start', 'kind');
    await says('kind', 'ready\nready\n');
    await hrun('stop', '-s', 'USR1', 'kind');
    expect(await status('kind')).toBe('exited 6');
  });

  test('kill sends a signal, by default the last one', async () => {
    await hrun(
      'run',
      '-d',
      '--name',
      'kk',
      'busybox',
      'sh',
      '-c',
      'trap "exit 4" HUP; echo ready; while :; do sleep 0.05; done',
    );
    await says('kk', 'ready\n');
    const waiting = store.hrun(['wait', 'kk']);
    await hrun('kill', '-s', 'HUP', 'kk');
    expect(await waiting).toEqual({ exitCode: 0, stdout: '4\n', stderr: '' });
    expect(await hrun('wait', 'kk')).toBe('4\n');
    await hrun('start', 'kk');
    await hrun('kill', 'kk');
    expect(await status('kk')).toBe('exited 137');
    expect(await store.hrun(['kill', 'kk'])).toMatchObject({ exitCode: 1, stdout: '' });
    expect((await store.hrun(['kill', '-s', 'NONESUCH', 'kk'])).exitCode).toBe(1);
  });

  test('pause stops its processes and unpause lets them go on; stop and kill work in between', async () => {
    await hrun('run', '-d', '--name', 'pp', 'busybox', 'sh', '-c', 'while :; do echo tick; sleep 0.05; done');
    await hrun('pause', 'pp');
    expect(await status('pp')).toBe('paused 0');
    expect(await hrun('ps', '--format', '{{.Status}}')).toMatch(/^Up .* \(Paused\)\n$/);
    expect((await store.hrun(['exec', 'pp', 'true'])).exitCode).toBe(1);
    expect((await store.hrun(['pause', 'pp'])).stderr).toBe('hrun: container pp is already paused\n');
    const before = await hrun('logs', 'pp');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await hrun('logs', 'pp')).toBe(before);
    await hrun('unpause', 'pp');
    for (let now = before; now === before; ) now = await hrun('logs', 'pp');
    expect(await status('pp')).toBe('running 0');
    await hrun('pause', 'pp');
    await hrun('stop', '-t', '1', 'pp');
    expect(await status('pp')).toBe('exited 137');
    await hrun('start', 'pp');
    await hrun('pause', 'pp');
    await hrun('kill', 'pp');
    expect(await status('pp')).toBe('exited 137');
  });

  test('a name as inspect shows it is a name; rm -f of what is not there is no failure', async () => {
    await hrun('create', '--name', 'slash', 'busybox', 'true');
    expect(await hrun('inspect', '-f', '{{.Name}}', '/slash')).toBe('/slash\n');
    expect(await hrun('rm', '/slash')).toBe('/slash\n');
    expect(await store.hrun(['rm', '-f', 'slash'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('no such container'),
    });
    expect(await store.hrun(['rm', 'slash'])).toMatchObject({ exitCode: 1 });
  });

  test('run -a joins only the streams that it names', async () => {
    const both = 'cat; echo out; echo err >&2';
    const run = (...options: string[]) =>
      store.hrun(['run', '--rm=true', '-i', ...options, 'busybox', 'sh', '-c', both], 'in ');
    expect(await run('-a', 'STDIN', '-a=stdout')).toEqual({ exitCode: 0, stdout: 'in out\n', stderr: '' });
    expect(await store.hrun(['run', '--rm', '-a', 'stderr', 'busybox', 'sh', '-c', both])).toEqual({
      ...{ exitCode: 0, stdout: '', stderr: 'err\n' },
    });
    expect(await run('-a', 'bogus')).toMatchObject({ exitCode: 125 });
    expect(await run('-a', 'stdout', '-d')).toMatchObject({ exitCode: 125 });
  });

  test('rename gives it another name at once, and frees the old one', async () => {
    await hrun('run', '-d', '--name', 'old', 'busybox', 'sleep', '1000');
    await hrun('rename', 'old', 'new');
    expect(await hrun('ps', '--format', '{{.Names}}')).toBe('new\n');
    expect((await store.hrun(['stop', 'old'])).exitCode).toBe(1);
    await hrun('create', '--name', 'old', 'busybox', 'true');
    expect(await store.hrun(['rename', 'new', 'old'])).toMatchObject({ exitCode: 1 });
    await hrun('rm', '-f', 'new');
    expect(store.names()).toEqual(['old']);
  });

  test('several may attach; each gets the output from then on, and all of them its end', async () => {
    await hrun(
      'run',
      '-d',
      '-i',
      '--name',
      'aa',
      'busybox',
      'sh',
      '-c',
      'while read line; do echo got $line; done; exit 9',
    );
    const watchers = [
      store.start(['attach', '--no-stdin', 'aa']),
      store.start(['attach', '--no-stdin', 'aa']),
    ];
    const heard = new Set<object>();
    for (const watcher of watchers) watcher.stdout.on('data', () => heard.add(watcher));
    const speaker = store.start(['attach', 'aa'], { stdin: 'pipe' });
    const all = () => {
      speaker.stdin!.write('hello\n');
      return heard.size;
    };
    await expect.poll(all, { timeout: 60_000 }).toBe(watchers.length); // until then nobody knows that they listen
    speaker.stdin!.end('one\ntwo\n');
    expect((await speaker).exitCode).toBe(9);
    for (const watcher of watchers) {
      const { exitCode, stdout } = await watcher;
      expect(exitCode).toBe(9);
      expect(stdout).toMatch(/^(got hello\n)+got one\ngot two\n$/);
    }
  });
});

describe('what people look at', () => {
  test('ps filters, formats and limits', async () => {
    await hrun('run', '-d', '--name', 'up', '-l', 'a=1', '-l', 'b=2', 'busybox', 'sleep', '1000');
    await hrun('create', '--name', 'made', '-l', 'a=2', 'debian:bookworm', 'true');
    await store.hrun(['run', '--name', 'failed', 'busybox', 'sh', '-c', 'exit 3']);
    const names = (...args: string[]) => hrun('ps', '--format', '{{.Names}}', ...args);
    expect(await names()).toBe('up\n');
    expect(await names('-a')).toBe('failed\nmade\nup\n');
    expect(await names('-l')).toBe('failed\n');
    expect(await names('-n', '2')).toBe('failed\nmade\n');
    expect(await names('-f', 'status=created', '-f', 'status=running')).toBe('made\nup\n');
    expect(await names('-f', 'exited=3')).toBe('failed\n');
    expect(await names('-a', '-f', 'label=a', '-f', 'label=b=2')).toBe('up\n');
    expect(await names('-a', '-f', 'ancestor=debian:bookworm')).toBe('made\n');
    expect(await names('-a', '-f', 'name=^(up|made)$')).toBe('made\nup\n');
    expect(await names('-f', 'before=failed')).toBe('made\nup\n');
    expect(await store.hrun(['ps', '-f', 'nonesuch=1'])).toMatchObject({ exitCode: 125 });
    expect(await store.hrun(['ps', '-n', 'many'])).toMatchObject({ exitCode: 125 });
    const asked = await hrun('ps', '--format', 'table {{.Label "a"}}\t{{.Size}}\t{{.CreatedAt}}');
    expect(asked).toMatch(
      /^a +SIZE +CREATED AT\n1 +[\d.]+kB \(virtual [\d.]+MB\) +[\d-]{10} [\d:]{8} \+0000 UTC\n$/,
    );
    const row = JSON.parse(await hrun('ps', '--format', 'json', '--no-trunc')) as Record<string, string>;
    expect(row).toMatchObject({ Names: 'up', State: 'running', Command: '"sleep 1000"', Labels: 'a=1,b=2' });
    expect(row.ID).toHaveLength(64);
  });

  test("inspect has Docker's shape", async () => {
    const options = [
      '-e',
      'A=b',
      '--cap-add',
      'NET_ADMIN',
      '-m',
      '64m',
      '--read-only',
      '--ulimit',
      'nofile=10:20',
    ];
    await hrun('create', '--name', 'ii', '--entrypoint', 'sh', ...options, 'busybox', '-c', 'true');
    const [it] = JSON.parse(await hrun('inspect', 'ii')) as [Record<string, never>];
    expect(it).toMatchObject({
      Path: 'sh',
      Args: ['-c', 'true'],
      Name: '/ii',
      State: { Status: 'created', Running: false, Pid: 0, StartedAt: '0001-01-01T00:00:00Z' },
      Config: { Entrypoint: ['sh'], Cmd: ['-c', 'true'], Image: 'busybox', StopSignal: 'SIGTERM' },
      HostConfig: {
        CapAdd: ['NET_ADMIN'],
        Memory: 64 << 20,
        ReadonlyRootfs: true,
        Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      },
    });
    const sizes = await hrun('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'ii');
    const [rw, rootFs] = sizes.split(' ').map(Number);
    expect(rootFs! - rw!).toBeGreaterThan(1_000_000);
    expect(await hrun('inspect', '--type', 'image', '-f', '{{.Os}}', 'busybox')).toBe('linux\n');
    expect(await store.hrun(['inspect', 'nonesuch'])).toMatchObject({ exitCode: 1, stdout: '[]\n' });
  });

  test('system df -v shows each image, container and volume', async () => {
    await hrun('create', '--name', 'shown', '-v', 'vol:/v', 'busybox', 'true');
    const [images, containers, volumes] = (await hrun('system', 'df', '-v'))
      .split('\n\n')
      .filter((text) => text.includes('   '));
    expect(images).toMatch(/^busybox +latest +[0-9a-f]{12} .* 1$/m);
    expect(containers).toMatch(/^[0-9a-f]{12} +busybox +"true" +1 +[\d.]+kB .* Created +shown$/m);
    expect(volumes).toMatch(/^vol +1 +[\d.]+k?B$/m);
    await hrun('rm', 'shown');
    await hrun('volume', 'rm', 'vol');
    expect(await store.hrun(['system', 'df', '-v', '--format', 'json'])).toMatchObject({ exitCode: 125 });
  });

  test('--storage-opt size is the size of its disk', async () => {
    const out = await hrun('run', '--rm', '--storage-opt', 'size=256m', 'busybox', 'df', '-m', '/');
    const total = Number(out.trimEnd().split('\n').at(-1)!.split(/ +/)[1]);
    expect(total).toBeGreaterThan(100);
    expect(total).toBeLessThan(256);
  });
});

describe('prune', () => {
  test('removes what does not run and images that nothing needs, and says how much that gave', async () => {
    await hrun('run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000');
    await hrun('create', '--name', 'labelled', '-l', 'keep=1', 'busybox', 'true');
    await hrun('create', '--name', 'goes', 'busybox', 'true');
    expect(await hrun('container', 'prune', '-f', '--filter', 'label!=keep')).toMatch(
      /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: [\d.]+kB\n$/,
    );
    expect(await hrun('ps', '-a', '--format', '{{.Names}}')).toBe('labelled\nstays\n');
    await hrun('tag', 'busybox', 'another:name');
    expect(await hrun('image', 'prune', '-f')).toBe('Total reclaimed space: 0B\n');
    expect(await store.hrun(['container', 'prune'])).toEqual({
      exitCode: 125,
      stdout: '',
      stderr: 'hrun: no terminal to ask on; use -f\n',
    });
    expect(await hrun('system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}')).toMatch(
      /^Images \d 1\nContainers 2 1\nLocal Volumes 0 0\nCache 1 1\n$/,
    );
  });
});
