// SPDX-License-Identifier: Apache-2.0
// The arrows of ARCHITECTURE.md: an import or include may point only to a lower row, or into its own folder.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Folders from top to bottom; folders of one row never import each other. */
const TYPESCRIPT_ROWS = [
  ['src/cli'],
  ['src/bench'],
  ['src/core'],
  ['src/container', 'src/image', 'src/network', 'src/vm', 'src/volume'],
  ['src/registry', 'src/guest', 'src/tar', 'src/journal'],
  ['src/native'],
  ['src/oci'],
  ['src/base'],
];
const CXX_ROWS = [
  ['native/addon', 'native/monitor', 'native/launcher'],
  ['native/qemu', 'native/vmm', 'native/freeze'],
  ['native/boot', 'native/kvm', 'native/transport'],
  ['native/devices/platform', 'native/devices/virtio'],
  ['native/memory', 'native/erofs', 'native/jail', 'native/net', 'native/names'],
  ['native/base'],
  ['initrd'],
];

interface Arrow {
  from: string;
  to: string;
}

describe('the arrows between folders', () => {
  test('every TypeScript import points downwards', () => {
    expect(wrongArrows(typescriptArrows(), TYPESCRIPT_ROWS)).toEqual([]);
  });

  test('every C and C++ include points downwards', () => {
    expect(wrongArrows(includeArrows(), CXX_ROWS)).toEqual([]);
  });

  test('no TypeScript file takes part in an import cycle', () => {
    expect(cycles(typescriptArrows(false))).toEqual([]);
  });

  test('only src/native loads the addon', () => {
    const loaders = sources('src', /\.ts$/).filter((file) => /hrun\.node['"]/.test(read(file)));
    expect(loaders.map((file) => dirname(file))).toEqual(['src/native']);
  });

  test('only native/addon includes napi.h', () => {
    const users = sources('native', /\.(cc|h)$/).filter((file) => /#include [<"]napi\.h/.test(read(file)));
    expect(users.filter((file) => dirname(file) !== 'native/addon')).toEqual([]);
  });
});

function wrongArrows(arrows: Arrow[], rows: string[][]): string[] {
  const rowOf = (file: string) => {
    const index = rows.findIndex((row) => row.some((folder) => file.startsWith(`${folder}/`)));
    if (index < 0) throw new Error(`${file} stands in no folder of ARCHITECTURE.md`);
    return { index, folder: rows[index]!.find((folder) => file.startsWith(`${folder}/`)) };
  };
  return arrows
    .filter(({ from, to }) => {
      const [source, target] = [rowOf(from), rowOf(to)];
      return source.folder !== target.folder && target.index <= source.index;
    })
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** `includeLazy`: also `import()` calls, which cannot make a load-time cycle but still are arrows. */
function typescriptArrows(includeLazy = true): Arrow[] {
  const pattern = includeLazy
    ? /(?:from\s+|import\s+|import\()\s*'(\.{1,2}\/[^']+)'/g
    : /^(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.{1,2}\/[^']+)'/gm;
  return sources('src', /\.ts$/).flatMap((file) =>
    [...read(file).matchAll(pattern)].map((match) => ({
      from: file,
      to: relative(ROOT, resolve(ROOT, dirname(file), match[1]!)),
    })),
  );
}

function includeArrows(): Arrow[] {
  const files = [...sources('native', /\.(cc|h)$/), ...sources('initrd', /\.(c|h)$/)];
  const known = new Set(files);
  return files.flatMap((file) =>
    [...read(file).matchAll(/^#include "([^"]+)"/gm)].flatMap((match) => {
      const candidates = [
        join(dirname(file), match[1]!),
        join('native', match[1]!),
        join('initrd', match[1]!),
      ];
      const target = candidates.find((candidate) => known.has(candidate));
      return target ? [{ from: file, to: target }] : [];
    }),
  );
}

function cycles(arrows: Arrow[]): string[] {
  const next = Map.groupBy(arrows, (arrow) => arrow.from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    else if (!done.has(file)) {
      for (const arrow of next.get(file) ?? []) visit(arrow.to, [...path, file]);
      done.add(file);
    }
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

function sources(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
