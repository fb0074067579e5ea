// SPDX-License-Identifier: Apache-2.0
// Files of the host in a container: a walk of 20,000 small files as `git status` makes it (lstat of each, in its order), and
// 1 GiB written and read; for a bind mount, a named volume and a volume with a size, beside the host's own. Times are taken
// by the walker and dd themselves, after the VM is up. $HRUN_BENCH_FILES and $HRUN_BENCH_MIB make it smaller.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT, type Promised, report } from './harness.ts';

const FILES = Number(process.env.HRUN_BENCH_FILES ?? 20_000);
const MIB = Number(process.env.HRUN_BENCH_MIB ?? 1024);
const PER_DIRECTORY = 100;
const IMAGE = 'debian:demo';

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-volumes-'));
const host = join(dir, 'host');
const env = {
  ...process.env,
  HRUN_ROOT: join(dir, 'root'),
  HRUN_ENGINE: process.env.HRUN_ENGINE ?? 'qemu',
  HRUN_NETWORK: 'none',
  HRUN_TEMPLATES: 'off',
};

/** Makes the tree unless it is there, then prints seconds of: first walk, second walk, write, read. */
const WORK = `
import os, sys, time
base = sys.argv[1]; tree = base + '/tree'; files = int(sys.argv[2]); mib = int(sys.argv[3])
if not os.path.isdir(tree):
    for d in range(files // ${PER_DIRECTORY}):
        os.makedirs('%s/%d' % (tree, d))
        for f in range(${PER_DIRECTORY}):
            with open('%s/%d/%d' % (tree, d, f), 'w') as out: out.write('x' * 100)
os.sync()
def timed(work):
    start = time.monotonic(); work(); return time.monotonic() - start
def walk():
    count = 0
    for place, dirs, names in os.walk(tree):
        for name in names:
            os.lstat(place + '/' + name); count += 1
    assert count == files, count
block = b'x' * (1 << 20)
def write():
    with open(base + '/big', 'wb', buffering=0) as out:
        for i in range(mib): out.write(block)
        os.fsync(out.fileno())
def read():
    with open(base + '/big', 'rb', buffering=0) as file:
        while file.read(1 << 20): pass
times = [timed(walk), timed(walk), timed(write), timed(read)]
os.unlink(base + '/big')
print(' '.join('%.3f' % each for each in times))
`;

const WORKLOADS = ['first walk', 'second walk', 'write', 'read'] as const;

try {
  hrun('load', '-i', join(PROJECT, 'build/fixtures/oci'));
  hrun('volume', 'create', 'directory');
  hrun('volume', 'create', '-o', `size=${MIB + 1024}m`, 'disk');
  mkdirSync(host);
  writeFileSync(join(dir, 'work.py'), WORK);
  execFileSync('python3', [join(dir, 'work.py'), host, String(FILES), '1']);
  const bind = ['-v', `${host}:/data`];
  const subjects: Record<string, () => string> = {
    host: () => execFileSync('python3', [join(dir, 'work.py'), host, String(FILES), String(MIB)]).toString(),
    'bind mount': () => inContainer(bind),
    'bind mount, cached': () => inContainer(['-v', `${host}:/data:cached`]),
    volume: () => inContainer(['-v', 'directory:/data']),
    'volume with a size': () => inContainer(['-v', 'disk:/data']),
    "container's own disk": () => inContainer([]),
  };
  const measured: Record<string, number[]> = {};
  for (const [name, run] of Object.entries(subjects)) {
    measured[name] = run().trim().split(' ').map(Number);
    console.log(name, measured[name]);
  }
  process.exitCode = summarize(measured) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function hrun(...args: string[]): string {
  return execFileSync(join(PROJECT, 'bin/hrun'), args, { env, maxBuffer: 1 << 24 }).toString();
}

function inContainer(mounts: string[]): string {
  const command = ['mkdir -p /data; exec python3 -c "$0" /data', String(FILES), String(MIB)].join(' ');
  return hrun('run', '--rm', ...mounts, IMAGE, 'sh', '-c', command, WORK);
}

/** Each time as a figure, and the ratios of issue 4: to the host's own, and a volume with a size to a bind mount. */
function summarize(measured: Record<string, number[]>): boolean {
  const figures = Object.fromEntries(
    Object.entries(measured).flatMap(([name, times]) =>
      WORKLOADS.map((workload, index) => {
        const ms = times[index]! * 1000;
        return [`${name}: ${workload}`, { min: ms, median: ms, max: ms, runs: 1 }];
      }),
    ),
  );
  const ratios = Object.fromEntries(
    Object.entries(measured).map(([name, times]) => [
      name,
      Object.fromEntries(
        WORKLOADS.map((workload, index) => [workload, times[index]! / measured.host![index]!]),
      ),
    ]),
  );
  const walk = (name: string) => measured[name]![1]!;
  const promises: Promised[] = [
    {
      id: 'volumes',
      what: 'walk of small files, volume with a size / bind mount',
      ratio: walk('volume with a size') / walk('bind mount'),
      atMost: 1 / 3,
    },
  ];
  return report('volumes', figures, promises, { files: FILES, mebibytes: MIB, timesOfTheHost: ratios });
}
