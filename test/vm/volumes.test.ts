// SPDX-License-Identifier: Apache-2.0
// Directories of the host and volumes in a container: what both sides see, and what neither gets to see.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, FIXTURES, isAlive, TestStore } from './hrun.ts';

const store = new TestStore();
const host = mkdtempSync(join(tmpdir(), 'hrun-shared-'));

beforeAll(() => store.load(FIXTURES));
afterAll(() => {
  store.remove();
  rmSync(host, { recursive: true, force: true });
});

/** An empty directory of the host. */
function directory(name: string): string {
  const path = join(host, name);
  mkdirSync(path);
  return path;
}

const POSIX = `
import fcntl, json, mmap, os
os.chdir('/data')
seen = {}
open('a', 'w').write('one')
os.chown('a', 1234, 5678); os.chmod('a', 0o4750)
os.setxattr('a', 'user.color', b'red')
os.link('a', 'hard'); os.symlink('a', 'soft'); os.mkdir('d', 0o2770)
open('b', 'w').write('two'); os.rename('b', 'd/c')
with open('map', 'w+b') as f:
    f.truncate(4096)
    m = mmap.mmap(f.fileno(), 4096); m[:3] = b'map'; m.flush()
    seen['mapped'] = os.pread(f.fileno(), 3, 0).decode()
fd = os.open('gone', os.O_RDWR | os.O_CREAT); os.write(fd, b'still'); os.unlink('gone')
seen['unlinked'] = os.pread(fd, 5, 0).decode()
one, two = open('lock', 'w'), open('lock', 'w')
fcntl.flock(one, fcntl.LOCK_EX)
try: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: seen['flock'] = 'refused'
fcntl.flock(one, fcntl.LOCK_UN); fcntl.flock(two, fcntl.LOCK_EX)
s = os.stat('a'); seen['a'] = [s.st_uid, s.st_gid, oct(s.st_mode), s.st_nlink]
seen['color'] = os.getxattr('hard', 'user.color').decode()
print(json.dumps(seen))
`;

describe('a directory of the host', () => {
  test('behaves as a file system does, and the host has the same owners, modes, links and names', async () => {
    const path = directory('posix');
    await store.load(join(FIXTURES, '../../workloads/oci'));
    const { stdout } = await store.hrun([
      ...['run', '--rm', '-v', `${path}:/data`, 'debian:workloads', 'python3', '-c', POSIX],
    ]);
    expect(JSON.parse(String(stdout))).toEqual({
      mapped: 'map',
      unlinked: 'still',
      flock: 'refused',
      a: [1234, 5678, '0o104750', 2],
      color: 'red',
    });
    const a = statSync(join(path, 'a'));
    expect([a.uid, a.gid, a.mode & 0o7777, a.nlink]).toEqual([1234, 5678, 0o4750, 2]);
    expect(readlinkSync(join(path, 'soft'))).toBe('a');
    expect(readFileSync(join(path, 'map'), 'latin1').slice(0, 3)).toBe('map');
    expect(readFileSync(join(path, 'd/c'), 'utf8')).toBe('two');
    expect(existsSync(join(path, 'gone'))).toBe(false);
  });

  test('shows at once what the host changes, and the host what the container changes', async () => {
    const path = directory('both');
    writeFileSync(join(path, 'news'), 'old');
    await store.hrun(['run', '-d', '--name', 'both', '-v', `${path}:/data`, 'busybox', 'sleep', '1000']);
    const cat = async () => (await store.hrun(['exec', 'both', 'cat', '/data/news'])).stdout;
    expect(await cat()).toBe('old');
    writeFileSync(join(path, 'news'), 'new and longer');
    expect(await cat()).toBe('new and longer');
    await store.hrun(['exec', 'both', 'sh', '-c', 'echo guest > /data/news']);
    expect(readFileSync(join(path, 'news'), 'utf8')).toBe('guest\n');
    await store.hrun(['rm', '-f', 'both']);
  });

  test('that may be cached shows what the host changes in time, and is not when another mount may not', async () => {
    const path = directory('cached');
    writeFileSync(join(path, 'news'), 'old');
    const start = ['run', '-d', '-v', `${path}:/data:cached`];
    const daemons = () => store.processes().filter((line) => line.includes('virtiofsd'));
    await store.ok(...start, '--name', 'cached', 'busybox', 'sleep', '1000');
    // The daemon needs a descriptor for each file that is remembered: it is for the host to allow so many.
    const mayRaise = (await store.shell('ulimit -Hn 1000000')).exitCode === 0;
    expect(daemons().every((line) => line.includes(mayRaise ? 'timeout=1' : 'timeout=0'))).toBe(true);
    const cat = () => store.ok('exec', 'cached', 'cat', '/data/news');
    expect(await cat()).toBe('old');
    writeFileSync(join(path, 'news'), 'new and longer');
    await eventually(async () => (await cat()) === 'new and longer');
    await store.ok('rm', '-f', 'cached');
    await store.ok(
      ...start,
      '-v',
      `${directory('strict')}:/b`,
      '--name',
      'strict',
      'busybox',
      'sleep',
      '1000',
    );
    expect(daemons().every((line) => line.includes('timeout=0'))).toBe(true);
    await store.ok('rm', '-f', 'strict');
  });

  test('mounted read-only cannot be written, by a privileged container that mounts it anew either', async () => {
    const path = directory('ro');
    writeFileSync(join(path, 'a'), 'kept');
    const script = `echo x > /data/a; touch /data/b; mount -o remount,rw /data; echo x > /data/a; rm /data/a
      mkdir /m && mount -t virtiofs hrun /m && echo x > /m/a && echo broken; touch /m/new && echo broken; ls /m`;
    const { stdout } = await store.hrun([
      ...['run', '--rm', '--privileged', '-v', `${path}:/data:ro`, 'busybox', 'sh', '-c', script],
    ]);
    expect(stdout).toBe('a\n');
    expect(readdirSync(path)).toEqual(['a']);
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('kept');
  });

  test('does not lead a container out of it by a symbolic link or by ".."', async () => {
    const path = directory('links');
    writeFileSync(join(host, 'secret'), 'of the host');
    symlinkSync(join(host, 'secret'), join(path, 'absolute'));
    symlinkSync('../secret', join(path, 'relative'));
    symlinkSync('/', join(path, 'root'));
    const script = `cat /data/absolute /data/relative /data/../secret 2>/dev/null; ls /data/root/${host} 2>/dev/null
      mkdir /m && mount -t virtiofs hrun /m; cat /m/absolute /m/relative /m/../secret 2>/dev/null; ls /m`;
    const { stdout } = await store.hrun([
      ...['run', '--rm', '--privileged', '-v', `${path}:/data`, 'busybox', 'sh', '-c', script],
    ]);
    expect(stdout).toBe('absolute\nrelative\nroot\n');
  });

  test('is made by -v when it is missing, an error for --mount', async () => {
    const made = join(host, 'made/below');
    const run = await store.hrun(['run', '--rm', '-v', `${made}:/data`, 'busybox', 'touch', '/data/x']);
    expect(run).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(readdirSync(made)).toEqual(['x']);
    const missing = join(host, 'missing');
    const mount = `type=bind,source=${missing},target=/data`;
    const { exitCode, stderr } = await store.hrun(['run', '--rm', '--mount', mount, 'busybox', 'true']);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(`bind source path does not exist: ${missing}`);
    expect(existsSync(missing)).toBe(false);
  });
});

test('a single file is bound alone: its neighbours are nowhere in the container', async () => {
  const path = directory('file');
  writeFileSync(join(path, 'one'), 'first');
  writeFileSync(join(path, 'two'), 'neighbour');
  const script =
    'cat /etc/hosts; echo changed > /etc/hosts; mkdir /m; mount -t virtiofs hrun /m; cat /m/*; ls /m';
  const { stdout } = await store.hrun([
    ...['run', '--rm', '--privileged', '-v', `${path}/one:/etc/hosts`, 'busybox', 'sh', '-c', script],
  ]);
  expect(stdout).toBe('firstchanged\n0\n');
  expect(readFileSync(join(path, 'one'), 'utf8')).toBe('changed\n');
});

describe('a named volume', () => {
  test('is filled from the image once, stays after the container, and cannot go while one has it', async () => {
    const shown = [
      '--format',
      '{{range .Mounts}}{{.Type}} {{.Name}} {{.RW}}{{end}} {{json .HostConfig.Binds}}',
    ];
    await store.script(['-v', 'conf:/etc'], 'echo mine > /etc/mine; rm /etc/group');
    const second = await store.hrun([
      ...['run', '--name', 'keeper', '-v', 'conf:/etc', 'busybox', 'sh', '-c', 'cat /etc/mine; ls -a /etc'],
    ]);
    expect(second.stdout).toContain('mine\n');
    expect(second.stdout).toContain('passwd');
    expect(second.stdout).not.toMatch(/group|hrun-copying/);
    expect((await store.hrun(['inspect', 'keeper', ...shown])).stdout).toBe(
      'volume conf true ["conf:/etc"]\n',
    );
    expect((await store.hrun(['ps', '-a', '--format', '{{.Mounts}}'])).stdout).toBe('conf\n');
    const refused = await store.hrun(['volume', 'rm', 'conf']);
    expect(refused.stderr).toMatch(/^hrun: remove conf: volume is in use - \[[0-9a-f]{64}\]/);
    await store.hrun(['rm', 'keeper']);
    expect(await store.hrun(['volume', 'rm', 'conf'])).toEqual({ exitCode: 0, stdout: 'conf\n', stderr: '' });
    expect(readdirSync(join(store.dir, 'volumes'))).toEqual(['.lock']);
  });

  test('is shared by running containers: each waits for the locks of the other', async () => {
    const count = `for i in $(seq 20); do flock /v/lock sh -c 'n=$(cat /v/n); echo $((n + 1)) > /v/n'; done`;
    await store.script(['-v', 'shared:/v'], 'echo 0 > /v/n');
    await Promise.all([1, 2].map(() => store.script(['-v', 'shared:/v'], count, 'debian:demo')));
    expect(await store.script(['-v', 'shared:/v:ro'], 'cat /v/n; touch /v/x 2>/dev/null || echo ro')).toBe(
      '40\nro\n',
    );
  });

  test('with a size is a disk of its own, full at that size, for one container at a time', async () => {
    const made = await store.hrun(['volume', 'create', '-o', 'size=128m', 'disk']);
    expect(made).toEqual({ exitCode: 0, stdout: 'disk\n', stderr: '' });
    const out = await store.script(['-v', 'disk:/etc'], 'ls /etc | grep -c passwd; echo kept > /etc/kept');
    expect(out).toBe('1\n');
    const fill =
      'cat /d/kept; dd if=/dev/zero of=/d/big bs=1M count=200 2>&1 | grep -o "No space left"; rm /d/big';
    expect(await store.script(['-v', 'disk:/d'], fill)).toBe('kept\nNo space left\n');
    await store.hrun(['run', '-d', '--name', 'owner', '-v', 'disk:/d', 'busybox', 'sleep', '1000']);
    const second = await store.hrun(['run', '--rm', '-v', 'disk:/d', 'busybox', 'true']);
    expect(second.exitCode).toBe(125);
    expect(second.stderr).toContain('another running container has');
    await store.hrun(['rm', '-f', 'owner']);
  });
});

describe('volumes without a name', () => {
  test('go with --rm and rm -v, stay with rm, and are found by volume prune', async () => {
    const volumes = async () => (await store.hrun(['volume', 'ls', '-q', '-f', 'dangling=true'])).stdout;
    const before = await volumes();
    await store.script(['-v', '/data'], 'touch /data/x');
    expect(await volumes()).toBe(before);
    await store.hrun(['run', '--name', 'one', '-v', '/data', 'busybox', 'touch', '/data/x']);
    await store.hrun(['rm', '-v', 'one']);
    expect(await volumes()).toBe(before);
    await store.hrun(['run', '--name', 'two', '-v', '/data', 'busybox', 'touch', '/data/x']);
    await store.hrun(['rm', 'two']);
    expect((await volumes()).length).toBe(String(before).length + 65);
    expect((await store.hrun(['volume', 'prune', '-f'])).stdout).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n/);
    expect(await volumes()).toBe(before);
  });

  test('are shared by --volumes-from, and outlive their first container as long as another has them', async () => {
    await store.hrun([
      'run',
      '--name',
      'first',
      '-v',
      '/data',
      'busybox',
      'sh',
      '-c',
      'echo given > /data/x',
    ]);
    const second = ['--name', 'second', '--volumes-from', 'first:ro'];
    const script = 'cat /data/x; touch /data/y 2>/dev/null || echo ro';
    const { stdout } = await store.hrun(['run', ...second, 'busybox', 'sh', '-c', script]);
    expect(stdout).toBe('given\nro\n');
    await store.hrun(['rm', '-v', 'first']);
    expect((await store.hrun(['start', '-a', 'second'])).stdout).toBe('given\nro\n');
    await store.hrun(['rm', '-v', 'second']);
  });
});

test('a killed monitor leaves no daemon of its shares behind', async () => {
  const path = directory('killed');
  await store.hrun(['run', '-d', '--name', 'killed', '-v', `${path}:/data`, 'busybox', 'sleep', '1000']);
  const id = store.containers().find((each) => store.state(each).status === 'running')!;
  const { monitorPid } = store.state(id);
  expect(store.processes().some((line) => line.includes('virtiofsd'))).toBe(true);
  process.kill(monitorPid, 'SIGKILL');
  await eventually(
    () => !isAlive(monitorPid) && store.processes().every((line) => !line.includes('virtiofsd')),
  );
  await store.hrun(['rm', '-f', 'killed']);
});

test('a container whose share daemon is killed ends, and says why', async () => {
  const path = directory('daemon');
  const running = store.start(['run', '--rm', '-v', `${path}:/data`, 'busybox', 'sleep', '1000']);
  const pid = await eventually(() =>
    readdirSync('/proc').find((each) => /^\d+$/.test(each) && daemonOf(each, store.dir)),
  );
  await store.reached('running');
  process.kill(Number(pid), 'SIGKILL');
  const { exitCode, stderr } = await running;
  expect(exitCode).toBe(137);
  expect(stderr).toContain("the daemon that shares the host's directories has ended");
});

/** True for the first of the daemon's two processes, which is the monitor's child. */
function daemonOf(pid: string, dir: string): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
    const above = readFileSync(`/proc/${parent}/cmdline`, 'utf8');
    return line.includes('virtiofsd') && line.includes(dir) && above.includes('hrun-vmm');
  } catch {
    return false;
  }
}
