// SPDX-License-Identifier: Apache-2.0
// GNU's sparse format 1.0: the content begins with a map in decimal lines, filled up to a full block.
import { BLOCK } from './header.ts';
import { type Content, damaged } from './reader.ts';

/** [start, length] of a piece of a file that is no hole */
export type Extent = [number, number];

const MAX_EXTENTS = 100_000;

/** Reads the map at the beginning of a sparse file's content; checks that it fits content and file. */
export async function readSparseMap(content: Content, realSize: number): Promise<Extent[]> {
  const lines = mapLines(content);
  const count = await nextNumber(lines);
  if (count > MAX_EXTENTS) throw damaged('a sparse file in too many pieces');
  const extents: Extent[] = [];
  let end = 0;
  for (let index = 0; index < count; index++) {
    const start = await nextNumber(lines);
    const length = await nextNumber(lines);
    if (start < end || start + length > realSize) throw damaged('a sparse file with a wrong map');
    end = start + length;
    extents.push([start, length]);
  }
  if (content.left !== extents.reduce((sum, [, length]) => sum + length, 0)) {
    throw damaged('a sparse file with a wrong map');
  }
  return extents;
}

/** The map as it stands in an archive, in whole blocks. */
export function sparseMapText(extents: readonly Extent[], realSize: number): Buffer {
  const lines = [extents.length + 1, ...extents.flat(), realSize, 0];
  const text = Buffer.from(`${lines.join('\n')}\n`);
  return Buffer.concat([text, Buffer.alloc((BLOCK - (text.length % BLOCK)) % BLOCK)]);
}

async function* mapLines(content: Content): AsyncGenerator<string, never> {
  let rest = '';
  for (;;) {
    const end = rest.indexOf('\n');
    if (end >= 0) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    } else {
      rest += (await content.take(BLOCK)).toString('latin1');
      if (rest.length > BLOCK + 20) throw damaged('a sparse file with a wrong map');
    }
  }
}

async function nextNumber(lines: AsyncGenerator<string, never>): Promise<number> {
  const { value } = await lines.next();
  if (!/^\d{1,15}$/.test(value)) throw damaged('a sparse file with a wrong map');
  return Number(value);
}
