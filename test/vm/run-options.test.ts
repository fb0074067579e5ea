// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIXTURES, TestStore } from './hrun.ts';

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

describe('a container', () => {
  test('has a kernel of its own, and sees itself as PID 1', async () => {
    const out = await store.script([], 'uname -r; echo $$; ls /proc | grep -c "^[0-9]"');
    const [kernel, pid, processes] = out.split('\n');
    expect(kernel).toMatch(/-hrun$/);
    expect(kernel).not.toBe(release());
    expect(pid).toBe('1');
    expect(Number(processes)).toBeLessThanOrEqual(4);
  });

  test('has the environment, names and files that Docker gives', async () => {
    const out = await store.script(
      ['-h', 'box', '--domainname', 'lan', '--add-host', 'db:10.1.2.3', '-e', 'A=b c'],
      'env | sort; hostname; cat /proc/sys/kernel/domainname; cat /etc/hostname; cat /etc/hosts',
    );
    expect(out).toContain('A=b c\n');
    expect(out).toContain('HOME=/root\n');
    expect(out).toContain('HOSTNAME=box\n');
    expect(out).toContain('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
    expect(out).not.toContain('TERM=');
    expect(out).toContain('\nbox\nlan\nbox\n127.0.0.1\tlocalhost\n');
    expect(out).toContain('10.1.2.3\tdb\n');
  });

  test('takes what its image says: working directory, environment, command', async () => {
    const { stdout } = await store.hrun([
      'run',
      '--rm',
      'debian:demo',
      'sh',
      '-c',
      'pwd; echo $LANG $DEMO $0',
    ]);
    expect(stdout).toBe('/srv/demo\nC.UTF-8 1 sh\n');
    expect((await store.hrun(['run', '--rm', '-i', 'busybox'], 'echo from $0\n')).stdout).toBe('from sh\n');
  });

  test('-w makes the directory, -u and --group-add set ids, by name and number', async () => {
    expect(await store.script(['-w', '/a/b', '-u', '1234:99'], 'pwd; id -u; id -g')).toBe('/a/b\n1234\n99\n');
    const out = await store.script(
      ['-u', 'daemon', '--group-add', 'audio'],
      'id -un; id -Gn',
      'debian:bookworm',
    );
    expect(out).toBe('daemon\ndaemon audio\n');
  });

  test('--entrypoint, and the command behind it', async () => {
    const { stdout } = await store.hrun([
      'run',
      '--rm',
      '--entrypoint',
      'echo',
      'busybox',
      '-n',
      'x',
      '--rm',
    ]);
    expect(stdout).toBe('x --rm');
  });

  test('capabilities: the default, added, dropped, none, all', async () => {
    const caps = 'grep -E "Cap(Eff|Bnd)" /proc/self/status | cut -f2 | sort -u';
    expect(await store.script([], caps)).toBe('00000000a80425fb\n');
    expect(await store.script(['--cap-drop', 'ALL', '--cap-add', 'chown'], caps)).toBe('0000000000000001\n');
    expect(await store.script(['--privileged'], caps)).toBe('000001ffffffffff\n');
    const user = await store.script(
      ['-u', '5', '--security-opt', 'no-new-privileges'],
      'grep -E "CapEff|NoNewPrivs" /proc/self/status',
    );
    expect(user).toBe('CapEff:\t0000000000000000\nNoNewPrivs:\t1\n');
  });

  test('a node of any device can be made, but only the default ones opened', async () => {
    const make = 'mknod /null c 1 3 && mknod /disk b $(tr : " " </sys/block/vda/dev) && mknod /kmsg c 1 11';
    const open = 'for n in null disk kmsg; do dd if=/$n of=/dev/null count=1 2>/dev/null; echo $?; done';
    expect(await store.script([], `${make}; ${open}`)).toBe('0\n1\n1\n');
    expect(await store.script(['--privileged'], `${make}; ${open}`)).toBe('0\n0\n0\n');
  });

  test('ulimits, /dev/shm, pids limit', async () => {
    const options = [
      '--ulimit',
      'nofile=100:200',
      '--ulimit',
      'core=0',
      '--shm-size',
      '16m',
      '--pids-limit',
      '50',
    ];
    const script =
      'ulimit -Sn; ulimit -Hn; ulimit -c; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2; cat /sys/fs/cgroup/pids.max';
    expect(await store.script(options, script)).toBe('100\n200\n0\n16384\n50\n');
    expect(
      await store.script([], 'ulimit -Sn; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2'),
    ).toBe('1024\n65536\n');
  });

  test('--read-only with --tmpfs', async () => {
    const script = 'touch /x 2>/dev/null || echo read-only; touch /run/y && grep " /run " /proc/mounts';
    const out = await store.script(['--read-only', '--tmpfs', '/run:rw,size=64m,mode=700,exec'], script);
    expect(out).toMatch(/^read-only\ntmpfs \/run tmpfs rw,nosuid,nodev,[a-z,]*size=65536k,mode=700/);
    expect(out).not.toContain('noexec');
  });

  test('sysctls, and a /proc that cannot be written', async () => {
    const script =
      'cat /proc/sys/net/ipv4/ip_forward; echo 0 2>/dev/null > /proc/sys/net/ipv4/ip_forward || echo no; wc -c < /proc/keys';
    const out = await store.start([
      'run',
      '--rm',
      '--sysctl',
      'net.ipv4.ip_forward=1',
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    expect(out.stdout).toBe('1\nno\n0\n');
  });

  test('memory and CPUs are those of the VM', async () => {
    const out = await store.script(
      ['-m', '256m', '--cpus', '1.5'],
      'nproc; grep MemTotal /proc/meminfo | tr -s " " | cut -d " " -f 2',
    );
    const [cpus, kib] = out.trim().split('\n').map(Number);
    expect(cpus).toBe(2);
    expect(kib).toBeGreaterThan(180 * 1024);
    expect(kib).toBeLessThan(256 * 1024);
  });

  test('--init reaps what the command leaves behind', async () => {
    const gone = 'for i in $(seq 60); do ps -o comm | grep -q sleep || break; sleep 0.5; done';
    const zombies = `(sleep 0.1 &) ; (sleep 0.1 &); sleep 1; ${gone}; ps -o pid,stat,comm | grep -c Z`;
    const { stdout } = await store.hrun([
      'run',
      '--rm',
      '--init',
      'busybox',
      'sh',
      '-c',
      `${zombies}; echo $$`,
    ]);
    expect(stdout.split('\n')[0]).toBe('0');
    expect(Number(stdout.split('\n')[1])).toBeGreaterThan(1);
  });

  test('has no network but its own loopback', async () => {
    expect(
      await store.script(
        ['--network', 'none'],
        'ls /sys/class/net; ping -c 1 -W 30 127.0.0.1 >/dev/null && echo up',
      ),
    ).toBe('lo\nup\n');
  });

  test('keeps what it wrote on its own disk, and nothing else', async () => {
    expect(
      await store.script([], 'echo x > /etc/new; sync; df -k / | tail -n 1 | tr -s " " | cut -d " " -f 2'),
    ).toMatch(/^10\d{6}\n$/);
    expect(await store.script([], 'ls /etc/new 2>/dev/null || echo gone')).toBe('gone\n');
  });

  test('--name, --label, --cidfile and what is kept of a container that ended', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hrun-cid-'));
    const cidfile = join(dir, 'cid');
    const args = [
      'run',
      '--name',
      'kept',
      '-l',
      'a=b',
      '--cidfile',
      cidfile,
      'busybox',
      'sh',
      '-c',
      'echo hi; exit 3',
    ];
    expect(await store.hrun(args)).toMatchObject({ exitCode: 3, stdout: 'hi\n', stderr: '' });
    const id = readFileSync(cidfile, 'utf8');
    expect(store.containers()).toEqual([id]);
    expect(store.state(id)).toMatchObject({ status: 'exited', exitCode: 3 });
    const log = readFileSync(join(store.dir, 'containers', id, 'container.log'), 'utf8');
    expect(JSON.parse(log)).toMatchObject({ log: 'hi\n', stream: 'stdout' });
    expect((await store.hrun(args)).stderr).toMatch(
      /^hrun: the container ID file .* is there already; .*\n$/,
    );
    rmSync(cidfile);
    expect((await store.hrun(args)).stderr).toMatch(
      /^hrun: the name kept is in use by container [0-9a-f]{12}; .*\n$/,
    );
    rmSync(dir, { recursive: true });
  });

  test('--env-file and variables of the caller', async () => {
    const file = join(store.dir, 'env');
    writeFileSync(file, '# c\nONE=1\nHERE\n');
    const { stdout } = await store.start(
      ['run', '--rm', '--env-file', file, '-e', 'TWO', 'busybox', 'sh', '-c', 'echo $ONE $HERE $TWO'],
      {
        env: { HRUN_ROOT: store.dir, HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'off', HERE: 'h', TWO: '2' },
      },
    );
    expect(stdout).toBe('1 h 2\n');
  });

  test('the word run can be left out, and -d goes on in the background', async () => {
    expect((await store.hrun(['--rm', 'busybox', 'echo', 'hi'])).stdout).toBe('hi\n');
    const { stdout, exitCode } = await store.hrun([
      '-d',
      '--rm',
      '--name',
      'back',
      'busybox',
      'sleep',
      '100',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(store.state(stdout.trim()).status).toBe('running');
    expect((await store.hrun(['ps'])).stdout).toMatch(/Up .* {3}back\n$/);
    expect(await store.hrun(['rm', 'back'])).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await store.hrun(['rm', '-f', 'back'])).toEqual({ exitCode: 0, stdout: 'back\n', stderr: '' });
    expect(store.containers()).not.toContain(stdout.trim());
  });

  test('create -a is what inspect says of it, as a container without a network has the one that leads nowhere', async () => {
    const attached = (id: string) =>
      store.ok(
        'inspect',
        '-f',
        '{{.Config.AttachStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}}',
        id,
      );
    const made = await store.ok('create', '-a', 'STDOUT', '--attach=stdin', '-i', 'busybox', 'true');
    expect(await attached(made)).toBe('true true false');
    expect(await attached(await store.ok('create', '-i', 'busybox', 'true'))).toBe('true true true');
    expect(await attached(await store.ok('run', '-d', 'busybox', 'true'))).toBe('false false false');
    expect((await store.hrun(['create', '-a', 'stdlog', 'busybox'])).stderr).toContain('is not a stream');
    const networks = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}';
    expect(await store.ok('inspect', '-f', networks, made)).toBe('none');
  });

  test('--trace-startup tells the stages', async () => {
    const { stderr } = await store.start(['run', '--rm', '--trace-startup', 'busybox', 'true'], {
      env: { ...store.env, HRUN_HEAD_START: 'off' },
    });
    const order = [
      'container made',
      'monitor started',
      'VM spawned',
      'agent answers',
      'process started',
      'process exited',
      'hrun ends',
    ];
    const places = order.map((label) => stderr.indexOf(label));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });
});
