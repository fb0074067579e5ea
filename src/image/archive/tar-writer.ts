// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import type { Sink } from '../../base/output-file.ts';
import { BLOCK, makeTarHeader, padding } from '../../tar/index.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Writes files into a tar archive, one after the other; each name once. */
export class TarWriter {
  readonly #sink: Sink;
  readonly #names = new Set<string>();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  async addBytes(name: string, bytes: Uint8Array): Promise<void> {
    await this.#begin(name, bytes.length);
    await this.#sink(bytes);
    await this.#sink(padding(bytes.length));
  }

  /** The whole of an open file, whose size must not change. */
  async addFile(name: string, handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    await this.#begin(name, size);
    for (let at = 0; at < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new Error(`${name} became shorter while it was read`);
      await this.#sink(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    await this.#sink(padding(size));
  }

  /** Two blocks of zeros end the archive. */
  async end(): Promise<void> {
    await this.#sink(Buffer.alloc(2 * BLOCK));
  }

  async #begin(name: string, size: number): Promise<void> {
    if (this.#names.has(name)) throw new Error(`${name} is in the archive twice`);
    this.#names.add(name);
    await this.#sink(makeTarHeader(name, size));
  }
}
