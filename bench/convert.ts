// SPDX-License-Identifier: Apache-2.0
// The converter alone, beside what it cannot do without (inflating the layer, hashing the tar) and beside what it
// replaces. All in one run; the layer is in the page cache.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, PROJECT, report, type Subject } from './harness.ts';

const IMAGE = 'debian:bookworm';
const CONVERT = join(PROJECT, 'build/native/test/erofs/erofs_convert');
const LAYOUT = join(PROJECT, 'build/fixtures/oci');

const dir = mkdtempSync(join(tmpdir(), 'hrun-bench-convert-'));
try {
  const blob = layerBlob();
  const tar = join(dir, 'layer.tar');
  execFileSync('sh', ['-c', 'gzip -dc "$0" >"$1"', blob, tar]);
  const image = join(dir, 'image');
  const subjects: Subject[] = [
    { name: 'convert', argv: [CONVERT, image, blob], before: () => rmSync(image, { force: true }) },
    { name: 'inflate (igzip)', argv: ['sh', '-c', 'igzip -dc "$0" >/dev/null', blob] },
    { name: 'SHA-256 of the tar (openssl)', argv: ['openssl', 'dgst', '-sha256', tar] },
    umociAndErofs(),
  ];
  const measured = measure(subjects, { runs: 9 });
  const [convert, inflate, hash, umoci] = subjects.map(({ name }) => measured[name]!.median) as [
    number,
    number,
    number,
    number,
  ];
  const kept = report('convert', measured, [
    {
      id: 'S3',
      what: 'convert / the slower of inflate and hash',
      ratio: convert / Math.max(inflate, hash),
      atMost: 1.3,
    },
    { id: 'S7', what: 'peak MiB while a layer of 1 GiB is converted', ratio: peakMiB(), atMost: 64 },
    { id: 'convert', what: 'convert / umoci unpack + mkfs.erofs', ratio: convert / umoci, atMost: 0.35 },
  ]);
  process.exitCode = kept ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** Of the whole process, for one file of random bytes. */
function peakMiB(): number {
  const [blob, image] = [join(dir, 'large.tar.gz'), join(dir, 'large.erofs')];
  const script = 'head -c 1G /dev/urandom >"$0/large" && tar -C "$0" -cf - large | igzip -1 >"$1"';
  execFileSync('bash', ['-c', script, dir, blob]);
  const output = execFileSync(CONVERT, [image, blob], { encoding: 'utf8' });
  return Number(/^peak KiB (\d+)$/m.exec(output)![1]) / 1024;
}

interface Manifest {
  layers: { digest: string }[];
}

interface Index {
  manifests: { digest: string; annotations?: Record<string, string> }[];
}

/** The one layer of the debootstrapped image. */
function layerBlob(): string {
  const blobPath = (digest: string) => join(LAYOUT, 'blobs', digest.replace(':', '/'));
  const index = JSON.parse(readFileSync(join(LAYOUT, 'index.json'), 'utf8')) as Index;
  const named = index.manifests.find(
    (entry) => entry.annotations?.['org.opencontainers.image.ref.name'] === IMAGE,
  );
  const manifest = JSON.parse(readFileSync(blobPath(named!.digest), 'utf8')) as Manifest;
  return blobPath(manifest.layers[0]!.digest);
}

function umociAndErofs(): Subject {
  const [bundle, image] = [join(dir, 'bundle'), join(dir, 'umoci.erofs')];
  return {
    name: 'umoci unpack + mkfs.erofs',
    argv: [
      'sh',
      '-c',
      'umoci unpack --image "$0" "$1" && mkfs.erofs --quiet "$2" "$1/rootfs"',
      `${LAYOUT}:${IMAGE}`,
      bundle,
      image,
    ],
    before: () => {
      rmSync(bundle, { recursive: true, force: true });
      rmSync(image, { force: true });
    },
  };
}
