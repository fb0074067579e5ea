// SPDX-License-Identifier: Apache-2.0
// Between the model of a disk and a real directory.
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { CrashState } from './crash-states.ts';
import { DirectoryNode, Disk, FileNode, type Node } from './disk.ts';
import { Pages } from './pages.ts';

/** A disk with everything that is below `directory` now but what is below `except`, all of it durable. */
export function readDisk(directory: string, except?: string): Disk {
  const disk = new Disk(directory);
  const add = (below: string[]) => {
    for (const name of readdirSync(join(directory, ...below)).sort()) {
      const path = [...below, name];
      const place = join(directory, ...path);
      if (place === except) continue;
      const node = readNode(place);
      disk.put(path, node);
      if (node.kind === 'directory') add(path);
    }
  };
  add([]);
  return disk;
}

/** Makes the files of a state below an empty directory. */
export function writeState({ nodes }: CrashState, directory: string): void {
  for (const [path, node] of nodes) {
    const target = join(directory, path);
    if (node.kind === 'directory') mkdirSync(target, { mode: 0o700 });
    else if (node.kind === 'link') symlinkSync(node.target, target);
    else writeFile(target, node.pages);
  }
}

function readNode(path: string): Node {
  const stat = lstatSync(path);
  if (stat.isDirectory()) return new DirectoryNode();
  if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
  const file = new FileNode();
  file.synced = readPages(path).resize(stat.size);
  return file;
}

const CHUNK = 1024 ** 2;

/** Long holes are common: what is all zeros is not kept. */
function readPages(path: string): Pages {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    const zeros = Buffer.alloc(CHUNK);
    let pages = Pages.EMPTY;
    for (let at = 0; ; at += CHUNK) {
      const count = readSync(fd, buffer, 0, CHUNK, at);
      if (count === 0) return pages;
      if (!buffer.subarray(0, count).equals(zeros.subarray(0, count)))
        pages = pages.write(at, buffer.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

function writeFile(path: string, pages: Pages): void {
  const fd = openSync(path, 'wx', 0o644);
  try {
    for (const [offset, bytes] of pages.extents) writeSync(fd, bytes, 0, bytes.length, offset);
    ftruncateSync(fd, pages.size);
  } finally {
    closeSync(fd);
  }
}
