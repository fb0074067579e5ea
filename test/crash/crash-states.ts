// SPDX-License-Identifier: Apache-2.0
// What a power cut may leave, after each operation of a command.
import { createHash } from 'node:crypto';
import type { DirectoryNode, Disk, FileNode, NameChange, Node } from './disk.ts';
import { setName, touches, withPredecessors } from './disk.ts';
import type { Pages } from './pages.ts';
import type { Operation } from './trace.ts';

/** A file system as it is found after the power came back: by path below its root. */
export interface CrashState {
  /** what was cut, for a failing test to say */
  story: string;
  nodes: Map<string, FoundNode>;
  hash: string;
}

export type FoundNode =
  | { kind: 'file'; pages: Pages }
  | { kind: 'directory' }
  | { kind: 'link'; target: string };

/** `kept`: it has reached the disk all the same; `dropped`: it has not; `zeroed`: only sizes and blocks have. */
const DATA = ['kept', 'dropped', 'zeroed'] as const;
type Data = (typeof DATA)[number];
type DataOf = (file: FileNode) => Data;

/** Every distinct state in which a cut after any of the operations may leave the disk, the last operation's at the end. */
export function* crashStates(
  disk: Disk,
  operations: readonly Operation[],
): Generator<CrashState & { after: number }> {
  const seen = new Set<string>();
  for (let at = 0; at <= operations.length; at++) {
    if (at > 0) disk.apply(operations[at - 1]!, at - 1);
    for (const state of statesNow(disk)) {
      const last = at === operations.length;
      if (seen.has(state.hash) && !last) continue;
      seen.add(state.hash);
      const story = `after ${at} of ${operations.length} (${describe(operations[at - 1])}): ${state.story}`;
      yield { ...state, story, after: at };
    }
  }
}

/** The disk as the programs see it. */
export function wholeState(disk: Disk): CrashState {
  return foundState(disk, new Set(disk.pending), () => 'kept', 'nothing lost');
}

function* statesNow(disk: Disk): Generator<CrashState> {
  const seen = new Set<string>();
  for (const [names, kept] of nameVariants(disk.pending)) {
    for (const [data, dataOf] of dataVariants(disk)) {
      const state = foundState(disk, kept, dataOf, `names ${names}, data ${data}`);
      if (seen.has(state.hash)) continue;
      seen.add(state.hash);
      yield state;
    }
  }
}

/** What happened to unsynced data: the same to all files, or to one of them alone. */
function* dataVariants(disk: Disk): Generator<[string, DataOf]> {
  for (const data of DATA) yield [data, () => data];
  const files = disk.unsyncedFiles();
  if (files.length < 2) return;
  for (const file of files) {
    for (const data of DATA.slice(1))
      yield [`${data} in one file`, (each) => (each === file ? data : 'kept')];
  }
}

/** Which unsynced names are on the disk: all, none, all but the last, and for each directory all but its own and only its own. */
function* nameVariants(pending: readonly NameChange[]): Generator<[string, Set<NameChange>]> {
  yield ['kept', new Set(pending)];
  yield ['lost', new Set()];
  const directories = new Set(pending.flatMap(({ changes }) => changes.map(({ directory }) => directory)));
  if (pending.length > 1) yield ['kept but the last', new Set(pending.slice(0, -1))];
  if (directories.size < 2) return;
  for (const directory of directories) {
    const example = pending.find((change) => touches(change, directory))!.changes[0]!.name;
    yield [`kept beside ${example}`, withPredecessors(pending, (change) => touches(change, directory))];
    yield [`lost beside ${example}`, withoutSuccessors(pending, directory)];
  }
}

/** Without the directory's changes, and without what comes after them in other directories. */
function withoutSuccessors(pending: readonly NameChange[], lost: DirectoryNode): Set<NameChange> {
  const cut = new Set([lost]);
  const kept = new Set<NameChange>();
  for (const change of pending) {
    if (change.changes.every(({ directory }) => !cut.has(directory))) kept.add(change);
    else for (const { directory } of change.changes) cut.add(directory);
  }
  return kept;
}

function foundState(disk: Disk, kept: ReadonlySet<NameChange>, dataOf: DataOf, story: string): CrashState {
  const views = new Map<DirectoryNode, Map<string, Node>>();
  const view = (directory: DirectoryNode) => {
    const known = views.get(directory) ?? new Map(directory.synced);
    views.set(directory, known);
    return known;
  };
  for (const change of disk.pending) {
    if (!kept.has(change)) continue;
    for (const { directory, name, node } of change.changes) setName(view(directory), name, node);
  }
  const nodes = new Map<string, FoundNode>();
  const walk = (directory: DirectoryNode, path: string) => {
    for (const [name, node] of view(directory)) {
      nodes.set(path + name, found(node, dataOf));
      if (node.kind === 'directory') walk(node, `${path}${name}/`);
    }
  };
  walk(disk.root, '');
  return { story, nodes, hash: hashOf(nodes) };
}

function found(node: Node, dataOf: DataOf): FoundNode {
  if (node.kind !== 'file') return node.kind === 'link' ? node : { kind: 'directory' };
  const data = dataOf(node);
  return {
    kind: 'file',
    pages: data === 'kept' ? node.pages : data === 'dropped' ? node.synced : node.zeroed,
  };
}

function hashOf(nodes: ReadonlyMap<string, FoundNode>): string {
  const hash = createHash('sha256');
  for (const [path, node] of [...nodes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const content = node.kind === 'file' ? node.pages.hash : node.kind === 'link' ? node.target : '';
    hash.update(JSON.stringify([path, node.kind, content]));
  }
  return hash.digest('hex');
}

function describe(operation: Operation | undefined): string {
  if (!operation) return 'nothing done';
  const path = operation.kind === 'rename' ? operation.to : operation.path;
  return `${operation.kind} ${path.split('/').slice(-2).join('/')}`;
}
