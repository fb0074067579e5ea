// SPDX-License-Identifier: Apache-2.0
// S4: a whole container, cold, beside a stock virtual machine that has only reached user space.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareStock } from './boot/prepare.ts';
import { measure, PROJECT, report } from './harness.ts';

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-boot-'));
try {
  const env = { ...process.env, HRUN_ROOT: join(dir, 'root'), HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'off' };
  const hrun = join(PROJECT, 'bin/hrun');
  const stock = prepareStock(dir);
  loadBusybox(hrun, env);
  const options = ['--rm', '--pull', 'never', '--network', 'none', '--engine', 'qemu', '-m', '512m'];
  const measured = measure(
    [
      { name: 'hrun run busybox true', argv: [hrun, 'run', ...options, 'busybox', 'true'], env },
      { name: `Debian ${stock.version} on -M pc`, argv: stock.argv },
    ],
    { runs: 10 },
  );
  const [ours, peer] = Object.values(measured);
  const ratio = ours!.median / peer!.median;
  const what = 'cold hrun run … true / stock kernel to user space';
  const kept = report('boot', measured, [{ id: 'S4', what, ratio, atMost: 0.45 }]);
  process.exitCode = kept ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function loadBusybox(hrun: string, env: NodeJS.ProcessEnv): void {
  const archive = join(dir, 'busybox.tar');
  const source = `oci:${join(PROJECT, 'build/fixtures/oci')}:busybox`;
  execFileSync('skopeo', [
    '--insecure-policy',
    'copy',
    '--quiet',
    source,
    `oci-archive:${archive}:busybox:latest`,
  ]);
  execFileSync(hrun, ['load', '-i', archive], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}
