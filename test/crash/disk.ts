// SPDX-License-Identifier: Apache-2.0
// A file system as strict as POSIX allows: a file's data is on the disk after fsync of the file, a name after fsync of its
// directory and not before; rename is atomic; of what was not synced in one directory a power cut may take any end.

import { Pages } from './pages.ts';
import type { Operation } from './trace.ts';

export type Node = FileNode | DirectoryNode | LinkNode;

export interface LinkNode {
  kind: 'link';
  target: string;
}

export class FileNode {
  readonly kind = 'file';
  synced = Pages.EMPTY;
  #zeroed: { of: Pages; pages: Pages } | undefined;
  /** contents since the last sync, by the number of operations before each */
  #since: { at: number; pages: Pages }[] = [];

  get pages(): Pages {
    return this.#since.at(-1)?.pages ?? this.synced;
  }

  /** This length, but zeros where the synced content has nothing: sizes and blocks reached the disk, data did not. */
  get zeroed(): Pages {
    const { pages } = this;
    if (pages === this.synced) return pages;
    if (this.#zeroed?.of !== pages) this.#zeroed = { of: pages, pages: pages.zeroedSince(this.synced) };
    return this.#zeroed.pages;
  }

  change(at: number, pages: Pages): void {
    this.#since.push({ at, pages });
  }

  /** What was there when the sync began is durable. */
  sync(begun: number): void {
    const done = this.#since.filter(({ at }) => at < begun);
    this.synced = done.at(-1)?.pages ?? this.synced;
    this.#since = this.#since.slice(done.length);
  }
}

export class DirectoryNode {
  readonly kind = 'directory';
  /** as programs see it */
  readonly entries = new Map<string, Node>();
  /** what is on the disk for certain */
  readonly synced = new Map<string, Node>();
}

/** A change of names that is not on the disk for certain: in one directory, or by a rename in two. */
export interface NameChange {
  at: number;
  changes: { directory: DirectoryNode; name: string; node: Node | undefined }[];
}

type NamingOperation = Operation & { kind: 'mkdir' | 'symlink' | 'unlink' | 'rename' };

export class Disk {
  readonly root = new DirectoryNode();
  readonly #path: string;
  #pending: NameChange[] = [];
  readonly #positions = new Map<number, number>();
  readonly #appending = new Set<number>();

  /** `path` is the directory that all operations are below, and that is there for certain. */
  constructor(path: string) {
    this.#path = path;
  }

  get pending(): readonly NameChange[] {
    return this.#pending;
  }

  /** Files whose content is not all on the disk for certain. */
  unsyncedFiles(): FileNode[] {
    const files: FileNode[] = [];
    const walk = (directory: DirectoryNode) => {
      for (const node of directory.entries.values()) {
        if (node.kind === 'directory') walk(node);
        else if (node.kind === 'file' && node.pages !== node.synced) files.push(node);
      }
    };
    walk(this.root);
    return files;
  }

  /** Adds a file that was there before. */
  put(path: readonly string[], node: Node): void {
    const directory = path.slice(0, -1).reduce((parent, name) => {
      const child = parent.entries.get(name);
      if (child?.kind !== 'directory') throw new Error(`no directory ${name}`);
      return child;
    }, this.root);
    directory.entries.set(path.at(-1)!, node);
    directory.synced.set(path.at(-1)!, node);
  }

  /** Carries out operation number `at`. */
  apply(operation: Operation, at: number): void {
    switch (operation.kind) {
      case 'open':
        this.#open(operation, at);
        break;
      case 'write':
        this.#write(operation, at);
        break;
      case 'seek':
        this.#positions.set(operation.fd, operation.offset);
        break;
      case 'copy':
        this.#copy(operation, at);
        break;
      case 'truncate':
        this.#edit(operation.path, at, (pages) => pages.resize(operation.size));
        break;
      case 'punch':
        this.#edit(operation.path, at, (pages) => pages.zero(operation.offset, operation.length));
        break;
      case 'sync':
        this.#sync(operation);
        break;
      default:
        this.#name(at, this.#names(operation));
    }
  }

  #names(operation: NamingOperation): [path: string, node: Node | undefined][] {
    switch (operation.kind) {
      case 'mkdir':
        return [[operation.path, new DirectoryNode()]];
      case 'symlink':
        return [[operation.path, { kind: 'link', target: operation.target }]];
      case 'unlink':
        return [[operation.path, undefined]];
      case 'rename':
        return [
          [operation.from, undefined],
          [operation.to, this.#find(operation.from)],
        ];
    }
  }

  #copy({ from, fromOffset, path, offset, length }: Operation & { kind: 'copy' }, at: number): void {
    const source = this.#file(from);
    if (!source) throw new Error(`a copy from outside: ${from}`);
    this.#edit(path, at, (pages) => pages.copyFrom(source.pages, fromOffset, offset, length));
  }

  #open({ fd, path, create, truncate, append }: Operation & { kind: 'open' }, at: number): void {
    this.#positions.set(fd, 0);
    if (append) this.#appending.add(fd);
    else this.#appending.delete(fd);
    const node = this.#find(path);
    if (!node && create) this.#name(at, [[path, new FileNode()]]);
    else if (truncate) this.#edit(path, at, (pages) => pages.resize(0));
  }

  #write({ fd, path, offset, data }: Operation & { kind: 'write' }, at: number): void {
    const file = this.#file(path);
    if (!file) return; // unlinked: nobody can ever see it again
    const position = offset ?? (this.#appending.has(fd) ? file.pages.size : (this.#positions.get(fd) ?? 0));
    file.change(at, file.pages.write(position, data));
    if (offset === undefined) this.#positions.set(fd, position + data.length);
  }

  #edit(path: string, at: number, edit: (pages: Pages) => Pages): void {
    const file = this.#file(path);
    file?.change(at, edit(file.pages));
  }

  #sync({ path, begun }: Operation & { kind: 'sync' }): void {
    const node = this.#find(path);
    if (node?.kind === 'file') node.sync(begun);
    if (node?.kind !== 'directory') return;
    const kept = withPredecessors(this.#pending, (change) => change.at < begun && touches(change, node));
    for (const change of kept)
      for (const { directory, name, node: to } of change.changes) setName(directory.synced, name, to);
    this.#pending = this.#pending.filter((change) => !kept.has(change));
  }

  #name(at: number, names: [path: string, node: Node | undefined][]): void {
    const changes = names.map(([path, node]) => {
      const slash = path.lastIndexOf('/');
      const directory = this.#find(path.slice(0, slash));
      if (directory?.kind !== 'directory') throw new Error(`no directory for ${path}`);
      return { directory, name: path.slice(slash + 1), node };
    });
    for (const { directory, name, node } of changes) setName(directory.entries, name, node);
    this.#pending.push({ at, changes });
  }

  #file(path: string): FileNode | undefined {
    const node = this.#find(path);
    return node?.kind === 'file' ? node : undefined;
  }

  #find(path: string): Node | undefined {
    if (path === this.#path) return this.root;
    let node: Node | undefined = this.root;
    for (const name of path.slice(this.#path.length + 1).split('/')) {
      if (name === '' || name === '.') continue;
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    }
    return node;
  }
}

export function setName(entries: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node) entries.set(name, node);
  else entries.delete(name);
}

export function touches({ changes }: NameChange, directory: DirectoryNode): boolean {
  return changes.some((change) => change.directory === directory);
}

/** The wanted changes, and all that must have happened before them: each directory's changes reach the disk in order. */
export function withPredecessors(
  pending: readonly NameChange[],
  wanted: (change: NameChange) => boolean,
): Set<NameChange> {
  const kept = new Set<NameChange>();
  const needed = new Set<DirectoryNode>();
  for (const change of pending.toReversed()) {
    if (!wanted(change) && !change.changes.some(({ directory }) => needed.has(directory))) continue;
    kept.add(change);
    for (const { directory } of change.changes) needed.add(directory);
  }
  return new Set(pending.filter((change) => kept.has(change)));
}
