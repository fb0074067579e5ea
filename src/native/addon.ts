// SPDX-License-Identifier: Apache-2.0
// The seam to build/native/hrun.node: the only types of the addon, with units and errors.
// Every function that fails throws or rejects with a NativeError.

/** What the addon throws: `code` is an errno name, or one of the converter's own codes. */
export interface NativeError extends Error {
  code: string;
  /** converter: the path in the layer that was being read, if any */
  path?: string;
}

/** Codes beyond errno that LayerConverter rejects with. */
export type LayerErrorCode =
  | 'LAYER_CORRUPT' // gzip/zstd/tar broken or truncated
  | 'LAYER_LIMIT' // a limit was passed; the message names it
  | 'LAYER_NEEDS_LOWER' // a hard link to a file that only a lower layer can hold: mergeLayers can resolve it
  | 'LAYER_ABORTED';

/** Limits on one layer; each has a default in the converter, stated in docs/layers.md. */
export interface LayerLimits {
  /** bytes of tar after decompression */
  maxTarBytes?: number;
  /** once more than 1 GiB is inflated: inflated bytes per compressed byte */
  maxRatio?: number;
  maxEntries?: number;
  /** path components */
  maxDepth?: number;
  /** bytes of one pax header or GNU long name */
  maxHeaderBytes?: number;
  /** logical size of one file, holes included */
  maxFileBytes?: number;
}

export interface LayerResult {
  /** hex of the SHA-256 of the bytes as given (compressed) */
  blobSha256: string;
  blobBytes: number;
  /** hex of the SHA-256 of the tar: the diffID */
  tarSha256: string;
  tarBytes: number;
  erofsBytes: number;
  entries: number;
}

/** One layer blob to read: `length` bytes of `fd` from `offset`. The fd stays the caller's. */
export interface LayerSource {
  fd: number;
  offset: number;
  length: number;
}

export interface ConvertOptions {
  /** the EROFS image is written here, from offset 0; the caller syncs, checks the digests and renames */
  outputFd: number;
  /** if given, the blob's bytes as read are also written here, from offset 0 */
  blobFd?: number;
  limits?: LayerLimits;
}

/** A layer fed chunk by chunk, as it arrives from a registry. Inflate, hash and EROFS run in native threads. */
export interface LayerStream {
  /** Resolves when the converter can take more. The buffer must not change until then. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are in: finishes the image. Threads are gone when it settles. */
  end(): Promise<LayerResult>;
  /** Stops all threads; idempotent. Pending promises reject with LAYER_ABORTED. */
  abort(): Promise<void>;
}

/** A held lock (flock on an open file description): released by `release` or by the end of the process. */
export interface FileLock {
  release(): void;
}

/** A terminal in raw mode; `restore` sets the mode it had before. */
export interface RawTerminal {
  restore(): void;
}

export interface Addon {
  /** Part of a cached EROFS image's name: a new converter makes new images. */
  readonly converterVersion: number;
  /** Converts one layer blob (gzip, zstd or plain tar by its magic bytes) into one EROFS image. */
  convertLayer(source: LayerSource, options: ConvertOptions): Promise<LayerResult>;
  /** Same, fed by the caller. */
  openLayerStream(options: ConvertOptions): LayerStream;
  /**
   * Applies several layers, lowest first, into one EROFS image: what overlayfs would show of them, with the
   * whiteouts that still matter kept only when `bottom` is false.
   */
  mergeLayers(
    sources: LayerSource[],
    options: { outputFd: number; bottom: boolean; limits?: LayerLimits },
  ): Promise<{ erofsBytes: number; entries: number }>;
  /**
   * flock(2) on `path`, which is created (mode 0600) if missing. `shared` takes LOCK_SH.
   * With `wait` false returns null when somebody else holds it; with `wait` true resolves when held.
   */
  lockFile(path: string, options: { shared: boolean; wait: false }): FileLock | null;
  lockFile(path: string, options: { shared: boolean; wait: true }): Promise<FileLock>;
  /** Copies the allocated extents of a sparse file (reflink where the file system can); the copy has the same size. */
  copySparse(sourcePath: string, targetPath: string): Promise<void>;
  /** Sets the terminal `fd` to raw mode (cfmakeraw), for output too; throws ENOTTY when it is none. */
  rawTerminal(fd: number): RawTerminal;
}
