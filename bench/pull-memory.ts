// SPDX-License-Identifier: Apache-2.0
// S6: the most memory that `hrun pull` ever holds while it pulls an image of 1 GB in four layers, none
// of which compresses.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTarHeader } from '../src/tar/index.ts';
import { startRegistry } from '../test/fixtures/registry.ts';
import { PROJECT, report } from './harness.ts';

const LAYERS = 4;
const LAYER_BYTES = 250_000_000;
const LIMIT_MB = 200;

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-memory-'));
const registry = await startRegistry();
try {
  const layout = buildLayout();
  const target = `docker://${registry.address}/big`;
  const flags = ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false'];
  execFileSync('skopeo', [...flags, `oci:${layout}:big`, target], { stdio: 'inherit' });
  const env = { ...process.env, HRUN_ROOT: join(dir, 'root') };
  const argv = ['pull', '-q', `${registry.address}/big`];
  const child = spawn(join(PROJECT, 'bin/hrun'), argv, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const peak = await peakMemory(child);
  console.log(`peak memory of hrun pull: ${peak.toFixed(0)} MB`);
  const what = `MB at the peak of pulling 1 GB, of ${LIMIT_MB} MB`;
  const kept = report('pull-memory', {}, [{ id: 'S6', what, ratio: peak / LIMIT_MB, atMost: 1 }], {
    peakMB: peak,
  });
  process.exitCode = kept ? 0 : 1;
} finally {
  await registry.close();
  rmSync(dir, { recursive: true, force: true });
}

/** An OCI layout with one image of `LAYERS` layers of noise. */
function buildLayout(): string {
  const layout = join(dir, 'layout');
  execFileSync('umoci', ['init', '--layout', layout]);
  execFileSync('umoci', ['new', '--image', `${layout}:big`]);
  mkdirSync(join(dir, 'tars'));
  for (let index = 0; index < LAYERS; index++) {
    const tar = join(dir, 'tars', `${index}.tar`);
    writeNoise(tar, `noise${index}`);
    execFileSync('umoci', ['raw', 'add-layer', '--image', `${layout}:big`, tar]);
    rmSync(tar);
  }
  return layout;
}

function writeNoise(path: string, name: string): void {
  const fd = openSync(path, 'w');
  writeSync(fd, makeTarHeader(name, LAYER_BYTES));
  const chunk = Buffer.alloc(1_000_000);
  for (let done = 0; done < LAYER_BYTES; done += chunk.length) writeSync(fd, randomFillSync(chunk));
  writeSync(fd, Buffer.alloc(512 - (LAYER_BYTES % 512 || 512) + 1024));
  closeSync(fd);
}

/** VmHWM in MB, read until the process has ended: it only grows, so that the last reading is the peak. */
async function peakMemory(child: ChildProcess): Promise<number> {
  let kilobytes = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      kilobytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? kilobytes);
    } catch {
      // it has just ended
    }
  }, 5);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`hrun pull ended with ${code}`);
  return (kilobytes * 1024) / 1e6;
}
