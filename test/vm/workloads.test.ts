// SPDX-License-Identifier: Apache-2.0
// Real programs of Debian's, run as people run them: each in the background, talked to through exec.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

const LAYOUT = join(FIXTURES, '../../workloads/oci');
const IMAGE = 'debian:workloads';

let store: TestStore;
beforeAll(async () => {
  if (!existsSync(LAYOUT)) throw new Error(`${LAYOUT} is missing; run: scripts/setup.sh --test`);
  store = new TestStore();
  await store.load(LAYOUT);
});
afterAll(async () => {
  await store.clear();
  store.remove();
});

/** Runs a command that must succeed, and returns what it printed. */
async function hrun(args: string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await store.hrun(args, input);
  if (exitCode !== 0) throw new Error(JSON.stringify({ args, exitCode, stdout, stderr }));
  return stdout;
}

/** Runs a shell script in a container until it succeeds: a server is not there at once. */
async function eventually(container: string, script: string): Promise<string> {
  let last = '';
  for (let attempt = 0; attempt < 300; attempt++) {
    const { exitCode, stdout, stderr } = await store.hrun(['exec', container, 'sh', '-c', script]);
    if (exitCode === 0) return stdout;
    last = stdout + stderr;
    if (stderr.includes('is not running')) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${script} never succeeded: ${last}\n${await hrun(['logs', container])}`);
}

describe('postgresql', () => {
  const psql = (sql: string) => hrun(['exec', '-i', 'pg', 'psql', '-h', '/tmp', '-qAt'], sql);

  test('makes its database, takes a load, and keeps what it has committed when its VM is killed', {
    timeout: 600_000,
  }, async () => {
    const start =
      'PATH=$PATH:/usr/lib/postgresql/15/bin; test -d /var/lib/postgresql/db || initdb -D /var/lib/postgresql/db; exec postgres -D /var/lib/postgresql/db -k /tmp';
    await hrun(['run', '-d', '--name', 'pg', '-u', 'postgres', '-m', '512m', IMAGE, 'sh', '-c', start]);
    await eventually('pg', '/usr/lib/postgresql/15/bin/pg_isready -q -h /tmp');
    await hrun(['exec', 'pg', 'pgbench', '-h', '/tmp', '-q', '-i', '-s', '1', 'postgres']);
    const load = await hrun(['exec', 'pg', 'pgbench', '-h', '/tmp', '-c', '2', '-t', '25', 'postgres']);
    expect(load).toContain('number of transactions actually processed: 50/50');

    await psql("create table kept (t text); insert into kept values ('committed');");
    const id = (await hrun(['ps', '-q', '--no-trunc', '-f', 'name=pg'])).trim();
    process.kill(store.state(id).vmmPid, 'SIGKILL');
    expect(await hrun(['wait', 'pg'])).toBe('137\n');
    await hrun(['start', 'pg']);
    await eventually('pg', '/usr/lib/postgresql/15/bin/pg_isready -q -h /tmp');
    expect(await psql('select t from kept; select count(*) from pgbench_history;')).toBe('committed\n50\n');
    await hrun(['stop', '-t', '90', 'pg']);
    expect((await store.hrun(['logs', 'pg'])).stderr).toContain('database system is shut down');
  });
});

describe('redis', () => {
  test('keeps its data over stop and start', async () => {
    const command = ['redis-server', '--dir', '/var/lib/redis', '--appendonly', 'yes'];
    await hrun(['run', '-d', '--name', 'redis', '-u', 'redis', IMAGE, ...command]);
    await eventually('redis', 'redis-cli ping | grep PONG');
    const commands = Array.from({ length: 1000 }, (_, n) => `set key:${n} value:${n}\n`).join('');
    expect(await hrun(['exec', '-i', 'redis', 'redis-cli', '--pipe'], commands)).toContain(
      'errors: 0, replies: 1000',
    );
    await hrun(['stop', '-t', '90', 'redis']);
    await hrun(['start', 'redis']);
    await eventually('redis', 'redis-cli ping | grep PONG');
    expect(await hrun(['exec', 'redis', 'redis-cli', 'get', 'key:999'])).toBe('value:999\n');
  });
});

describe('nginx', () => {
  test('serves pages to curl beside it, and reloads on SIGHUP', async () => {
    await hrun(['run', '-d', '--name', 'web', IMAGE, 'nginx', '-g', 'daemon off;']);
    const page = await eventually('web', 'curl -sf http://localhost/');
    expect(page).toContain('Welcome to nginx');
    await hrun(['exec', 'web', 'sh', '-c', 'seq 200000 >/var/www/html/numbers']);
    expect(
      await hrun([
        'exec',
        'web',
        'sh',
        '-c',
        'curl -sf http://localhost/numbers | cksum; cksum </var/www/html/numbers',
      ]),
    ).toMatch(/^(\d+ \d+)\n\1\n$/);
    const add = 'printf "server { listen 81; return 200 reloaded; }" >/etc/nginx/conf.d/more.conf';
    await hrun(['exec', 'web', 'sh', '-c', add]);
    await hrun(['kill', '-s', 'HUP', 'web']);
    expect(await eventually('web', 'curl -sf http://localhost:81/')).toBe('reloaded');
    await hrun(['stop', '-t', '90', 'web']);
    expect(await hrun(['inspect', '-f', '{{.State.ExitCode}}', 'web'])).toBe('0\n');
  });
});

describe('tools', () => {
  test('a Python environment is made and works', async () => {
    const script =
      "python3 -m venv --without-pip /opt/env && /opt/env/bin/python -c \"import sys, sqlite3; print(sys.prefix, sqlite3.connect(':memory:').execute('select 6*7').fetchone()[0])\"";
    expect(await hrun(['run', '--rm', IMAGE, 'sh', '-c', script])).toBe('/opt/env 42\n');
  });

  test('a project is compiled with make and gcc', async () => {
    const script = `mkdir /src && cd /src
printf 'int twice(int n) { return 2 * n; }\\n' >twice.c
printf '#include <stdio.h>\\nint twice(int);\\nint main(void) { printf("%%d\\\\n", twice(21)); }\\n' >main.c
printf 'CFLAGS = -O2 -Wall -Werror\\nmain: main.o twice.o\\n' >Makefile
make -s -j2 && ./main`;
    expect(await hrun(['run', '--rm', '--cpus', '2', IMAGE, 'sh', '-c', script])).toBe('42\n');
  });

  test('apt-get installs a package', async () => {
    const script = 'apt-get install -qq /srv/packages/hello_*.deb >/dev/null 2>&1 && hello';
    expect(await hrun(['run', '--rm', IMAGE, 'sh', '-c', script])).toBe('Hello, world!\n');
  });
});
