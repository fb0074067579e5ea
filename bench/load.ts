// SPDX-License-Identifier: Apache-2.0
// S1, S2: a real Debian image from an archive to something that can be started, beside podman and umoci.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, PROJECT, report, type Subject } from './harness.ts';

const IMAGE = 'debian:bookworm';

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-load-'));
try {
  const layout = join(PROJECT, 'build/fixtures/oci');
  const archive = join(dir, 'debian.tar');
  const copy = ['--insecure-policy', 'copy', '--quiet'];
  execFileSync('skopeo', [...copy, `oci:${layout}:${IMAGE}`, `oci-archive:${archive}:${IMAGE}`]);
  const subjects = [hrunLoad(archive), podmanLoad(archive), umociAndErofs(layout)];
  const measured = measure(subjects, { runs: 5 });
  const [ours, podman, umoci] = subjects.map(({ name }) => measured[name]!.median) as [
    number,
    number,
    number,
  ];
  const kept = report('load', measured, [
    { id: 'S1', what: 'hrun load / podman load', ratio: ours / podman, atMost: 0.4 },
    { id: 'S2', what: 'hrun load / umoci unpack + mkfs.erofs', ratio: ours / umoci, atMost: 0.35 },
  ]);
  process.exitCode = kept ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function hrunLoad(archive: string): Subject {
  const root = join(dir, 'hrun');
  return {
    name: 'hrun load',
    argv: [join(PROJECT, 'bin/hrun'), 'load', '-i', archive],
    env: { ...process.env, HRUN_ROOT: root },
    before: () => rmSync(root, { recursive: true, force: true }),
  };
}

function podmanLoad(archive: string): Subject {
  const root = join(dir, 'podman');
  const storage = ['--root', root, '--runroot', join(dir, 'podman-run')];
  return {
    name: 'podman load',
    argv: ['podman', ...storage, 'load', '-q', '-i', archive],
    before: () => {
      execFileSync('podman', [...storage, 'system', 'reset', '--force'], { stdio: 'ignore' });
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function umociAndErofs(layout: string): Subject {
  const bundle = join(dir, 'bundle');
  const image = join(dir, 'image.erofs');
  const script = 'umoci unpack --image "$0" "$1" && mkfs.erofs --quiet "$2" "$1/rootfs"';
  return {
    name: 'umoci unpack + mkfs.erofs',
    argv: ['sh', '-c', script, `${layout}:${IMAGE}`, bundle, image],
    before: () => {
      rmSync(bundle, { recursive: true, force: true });
      rmSync(image, { force: true });
    },
  };
}
