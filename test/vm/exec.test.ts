// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
  const options = ['-e', 'COLOUR=blue', '-w', '/tmp', '-u', '1000:1000', '--ulimit', 'nofile=77:88'];
  await store.hrun(['run', '-d', '--name', 'box', ...options, 'busybox', 'sleep', '1000']);
});
afterAll(async () => {
  await store.clear();
  store.remove();
});

/** Runs a shell script in the running container. */
function exec(options: string[], script: string, input?: string) {
  return store.hrun(['exec', ...options, 'box', 'sh', '-c', script], input);
}

describe('hrun exec', () => {
  test("runs as the container's own process does: user, directory, environment, limits, namespaces", async () => {
    const { stdout, stderr, exitCode } = await exec(
      [],
      'id -u; id -g; pwd; echo $COLOUR; ulimit -n; ulimit -Hn; hostname | wc -c; for p in self 1; do readlink /proc/$p/ns/mnt; done | uniq | wc -l',
    );
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: '1000\n1000\n/tmp\nblue\n77\n88\n13\n1\n',
      stderr: '',
      exitCode: 0,
    });
  });

  test('-u, -w, -e and --privileged change that', async () => {
    const { stdout } = await exec(
      ['-u', 'root', '-w', '/etc', '-e', 'COLOUR=red', '-e', 'NEW=1', '--privileged'],
      'id -u; pwd; echo $COLOUR $NEW; grep CapEff /proc/self/status',
    );
    expect(stdout).toBe('0\n/etc\nred 1\nCapEff:\t000001ffffffffff\n');
    const plain = await exec(['-u', '0'], 'grep CapEff /proc/self/status');
    expect(plain.stdout).toBe('CapEff:\t00000000a80425fb\n');
  });

  test('keeps standard output, error and the exit code apart', async () => {
    expect(await exec([], 'echo out; echo err >&2; exit 7')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
    });
    expect((await exec([], 'kill -9 $$')).exitCode).toBe(137);
  });

  test('-i passes standard input on, to the byte, and its end', async () => {
    const input = 'a line\n\0 and no line feed';
    expect((await exec(['-i'], 'cat', input)).stdout).toBe(input);
    expect((await exec([], 'cat | wc -c', 'not passed on')).stdout).toBe('0\n');
  });

  test('a command that is not there is 127, one that is no program 126, a user that is not there 1', async () => {
    expect(await store.hrun(['exec', 'box', 'nonesuch'])).toEqual({
      stdout: '',
      stderr: 'hrun: exec: "nonesuch": executable file not found in $PATH\n',
      exitCode: 127,
    });
    expect((await store.hrun(['exec', 'box', '/etc'])).exitCode).toBe(126);
    const nobody = await store.hrun(['exec', '-u', 'nonesuch', 'box', 'true']);
    expect(nobody).toMatchObject({ exitCode: 1, stdout: '' });
    expect(nobody.stderr).toMatch(/^hrun: .*nonesuch.*\n$/);
  });

  test('-d goes on in the background, with a terminal too, however much it writes', async () => {
    await exec(['-d', '-u', '0'], 'yes | head -c 1000000; echo plain >/tmp/plain');
    await exec(['-d', '-t', '-u', '0'], 'tty; yes | head -c 1000000; echo $(tty) >/tmp/terminal');
    const done = async () => (await exec([], 'cat /tmp/plain /tmp/terminal 2>&1')).stdout;
    await expect.poll(done, { timeout: 60_000 }).toMatch(/^plain\n\/dev\/pts\/\d+\n$/);
  });

  test('many at once do not mix', async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, n) => exec(['-i'], `cat; echo ${n}`, `input ${n}\n`)),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(
      Array.from({ length: 12 }, (_, n) => `input ${n}\n${n}\n`),
    );
  });

  test('needs a container that runs', async () => {
    const created = await store.hrun(['create', '--name', 'idle', 'busybox', 'true']);
    expect(created.exitCode).toBe(0);
    expect(await store.hrun(['exec', 'idle', 'true'])).toEqual({
      stdout: '',
      stderr: 'hrun: container idle is not running; see: hrun start idle\n',
      exitCode: 1,
    });
    expect((await store.hrun(['exec', 'nonesuch', 'true'])).exitCode).toBe(1);
  });

  test("the container's end ends it, with 137", async () => {
    await store.hrun(['run', '-d', '--name', 'short', 'busybox', 'sleep', '1000']);
    const running = store.start(['exec', 'short', 'sh', '-c', 'echo here; sleep 1000']);
    await eventually(() => running.stdout?.readableFlowing !== undefined);
    let text = '';
    running.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await eventually(() => text.includes('here'));
    await store.hrun(['kill', 'short']);
    expect((await running).exitCode).toBe(137);
  });
});

describe('hrun top', () => {
  test('shows the processes as the container numbers them', async () => {
    await exec(['-d'], 'exec sleep 4242');
    const { stdout } = await store.hrun(['top', 'box']);
    const [heading, first, ...rest] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
    expect(first).toMatch(/^1000 +1 +0 .* sleep 1000$/);
    expect(rest.join('\n')).toMatch(/^1000 +\d+ +0 .* sleep 4242$/m);
  });

  test('takes what people give ps', async () => {
    const { stdout } = await store.hrun(['top', 'box', '-o', 'pid,comm']);
    expect(stdout).toMatch(/^PID +COMMAND\n1 +sleep\n/);
    expect((await store.hrun(['top', 'box', 'aux'])).stdout).toMatch(/^USER +PID +%CPU/);
    expect(await store.hrun(['top', 'box', '-o', 'nonesuch'])).toMatchObject({ exitCode: 125, stdout: '' });
  });
});

describe('hrun stats', () => {
  test('shows what the container uses, and what its VM costs', async () => {
    const { stdout } = await store.hrun(['stats', '--no-stream', '--format', 'json', 'box']);
    const row = JSON.parse(stdout) as Record<string, string>;
    expect(row.Name).toBe('box');
    expect(Number(row.PIDs)).toBeGreaterThanOrEqual(1);
    expect(row.MemUsage).toMatch(/^[\d.]+[KM]iB \/ [\d.]+[MG]iB$/);
    expect(row.HostMem).toMatch(/^[\d.]+MiB$/);
    expect(row.CPUPerc).toMatch(/^\d+\.\d\d%$/);
  });

  test('a container that does not run has none', async () => {
    const { stdout } = await store.hrun(['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'idle']);
    expect(stdout).toBe('idle --\n');
  });
});
