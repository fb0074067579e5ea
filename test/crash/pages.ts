// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

const PAGE = 4096;
const ZERO_PAGE = Buffer.alloc(PAGE);

/** The content of a file, holes left out. Never changes: each write makes another one. */
export class Pages {
  static readonly EMPTY = new Pages(0, new Map());
  readonly size: number;
  readonly #pages: ReadonlyMap<number, Buffer>;
  #hash: string | undefined;

  private constructor(size: number, pages: ReadonlyMap<number, Buffer>) {
    this.size = size;
    this.#pages = pages;
  }

  write(offset: number, data: Buffer): Pages {
    const pages = new Map(this.#pages);
    for (let done = 0; done < data.length; ) {
      const at = offset + done;
      const index = Math.floor(at / PAGE);
      const piece = data.subarray(done, done + PAGE - (at % PAGE));
      const page = Buffer.from(pages.get(index) ?? ZERO_PAGE);
      piece.copy(page, at % PAGE);
      if (page.equals(ZERO_PAGE)) pages.delete(index);
      else pages.set(index, page);
      done += piece.length;
    }
    return new Pages(Math.max(this.size, offset + data.length), pages);
  }

  resize(size: number): Pages {
    const pages = new Map([...this.#pages].filter(([index]) => index * PAGE < size));
    const last = pages.get(Math.floor(size / PAGE));
    if (last && size < this.size)
      pages.set(Math.floor(size / PAGE), Buffer.concat([last.subarray(0, size % PAGE), ZERO_PAGE], PAGE));
    return new Pages(size, pages);
  }

  zero(offset: number, length: number): Pages {
    return this.write(offset, Buffer.alloc(length));
  }

  /** Copies a stretch of another file, holes as holes. */
  copyFrom(source: Pages, fromOffset: number, offset: number, length: number): Pages {
    if (fromOffset % PAGE !== 0 || offset % PAGE !== 0) throw new Error('a copy of parts of pages');
    const first = fromOffset / PAGE;
    const count = Math.ceil(length / PAGE);
    const pages = new Map(this.#pages);
    for (const [index, page] of source.#pages)
      if (index >= first && index < first + count) pages.set(index - first + offset / PAGE, page);
    return new Pages(Math.max(this.size, offset + length), pages);
  }

  /** Without the pages that `synced` does not have, of the same length. */
  zeroedSince(synced: Pages): Pages {
    const pages = new Map(
      [...this.#pages.keys()].flatMap((index) => {
        const page = synced.#pages.get(index);
        return page ? [[index, page] as const] : [];
      }),
    );
    return new Pages(this.size, pages);
  }

  get extents(): Iterable<readonly [offset: number, page: Buffer]> {
    return [...this.#pages].map(([index, page]) => [
      index * PAGE,
      page.subarray(0, Math.min(PAGE, this.size - index * PAGE)),
    ]);
  }

  get hash(): string {
    this.#hash ??= this.#digest();
    return this.#hash;
  }

  #digest(): string {
    const hash = createHash('sha256').update(String(this.size));
    for (const [index, page] of [...this.#pages].sort(([a], [b]) => a - b))
      hash.update(`${index}:`).update(page);
    return hash.digest('hex');
  }
}
