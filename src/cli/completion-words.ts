// SPDX-License-Identifier: Apache-2.0
// What the operands of commands and the values of options can be, as Docker's completion has it: read from the store, which is left as it is.
import { constants } from 'node:os';
import type { Root } from '../base/root.ts';
import type { ListedContainer } from '../core/list-containers.ts';
import type { Candidate } from './complete.ts';

/** What is on the command line already. */
export interface Typed {
  root: Root;
  /** operands before the one to complete */
  operands: readonly string[];
  /** every word before the one to complete */
  words: readonly string[];
  beginning: string;
}

type Source = (typed: Typed) => Promise<Candidate[]> | Candidate[];

/** What the operands of a command can be, in the order in which it declares them. */
const OPERANDS: Readonly<Record<string, readonly Source[]>> = {
  run: [images],
  create: [images],
  start: [containers(hasEnded)],
  exec: [containers(isUnpaused)],
  attach: [containers(isUnpaused)],
  stop: [containers(isUp)],
  restart: [containers()],
  kill: [containers(isUp)],
  pause: [containers(isUnpaused)],
  unpause: [containers(({ state }) => state.status === 'paused')],
  wait: [containers(isUp)],
  rename: [containers()],
  update: [containers()],
  diff: [containers()],
  commit: [containers(), images],
  export: [containers()],
  logs: [containers()],
  port: [containers(isUp)],
  top: [containers(isUp)],
  stats: [containers(isUp)],
  rm: [removable],
  pull: [images],
  images: [images],
  rmi: [images],
  tag: [images, images],
  history: [images],
  save: [images],
  inspect: [inspectable],
  clone: [containers(isUnpaused)],
  'checkpoint create': [containers(isUnpaused)],
  'checkpoint ls': [containers()],
  'checkpoint rm': [containers(), checkpoints],
  'network connect': [networks, containers()],
  'network disconnect': [networks, members],
  'network inspect': [networks],
  'network rm': [networks],
  'volume inspect': [volumes],
  'volume rm': [volumes],
  'template inspect': [templates],
  'template rm': [templates],
  'bench startup': [images],
  'bench concurrency': [images],
  'bench density': [images],
};

/** What the value of an option can be, besides the choices that it declares. */
const VALUES: Readonly<Record<string, Source>> = {
  '--signal': signals,
  '--stop-signal': signals,
  '--network': networkModes,
  '--net': networkModes,
  '--volumes-from': containers(),
  '--attach': () => ['stdin', 'stdout', 'stderr'].map(plain),
  '--env': () => Object.keys(process.env).map(plain),
  '--restart': () => ['no', 'on-failure', 'always', 'unless-stopped'].map(plain),
  '--cap-add': capabilities,
  '--cap-drop': capabilities,
  '--ulimit': async () =>
    Object.keys((await import('../core/rlimits.ts')).RLIMIT_NUMBERS).map((name) => plain(`${name}=`)),
  '--log-opt': () => ['max-size=', 'max-file=', 'labels=', 'env='].map(plain),
  '--storage-opt': () => [plain('size=')],
  '--security-opt': () => ['no-new-privileges', 'seccomp=unconfined', 'systempaths=unconfined'].map(plain),
  '--platform': () => [plain('linux/amd64')],
  '--type': () => ['container', 'image', 'network', 'volume'].map(plain),
};

/** What can stand as an operand of the command; nothing where it is a new name or a file. What stands there is not offered again. */
export async function operandWords(command: string, index: number, typed: Typed): Promise<Candidate[]> {
  const found = (await OPERANDS[command]?.[index]?.(typed)) ?? [];
  return found.filter(({ word }) => !typed.operands.includes(word));
}

/** What can be the value of an option, by its long name. */
export async function optionValues(option: string | undefined, typed: Typed): Promise<Candidate[]> {
  return (await VALUES[option ?? '']?.(typed)) ?? [];
}

function plain(word: string): Candidate {
  return { word, description: '' };
}

function containers(isWanted: (container: ListedContainer) => boolean = () => true): Source {
  return async ({ root }) => {
    const { listContainers } = await import('../core/list-containers.ts');
    const found = (await listContainers(root, { all: true })).filter(isWanted);
    return found.map(({ config }) => ({ word: config.name, description: config.image }));
  };
}

function hasEnded({ state }: ListedContainer): boolean {
  return state.status === 'created' || state.status === 'exited';
}

function isUp({ state }: ListedContainer): boolean {
  return ['running', 'paused', 'restarting'].includes(state.status);
}

function isUnpaused(container: ListedContainer): boolean {
  return isUp(container) && container.state.status !== 'paused';
}

/** With -f any container can go. */
async function removable(typed: Typed): Promise<Candidate[]> {
  const forced = typed.words.some((word) => word === '--force' || /^-[a-z]*f[a-z]*$/.test(word));
  return await containers(forced ? undefined : hasEnded)(typed);
}

async function images({ root }: Typed): Promise<Candidate[]> {
  const [{ listImageRows }, { openImageStore }] = await Promise.all([
    import('../core/images.ts'),
    import('../image/index.ts'),
  ]);
  using store = await openImageStore(root);
  const rows = await listImageRows(store);
  return rows.flatMap(({ repository, tag }) => (repository && tag ? [plain(`${repository}:${tag}`)] : []));
}

async function networks({ root }: Typed): Promise<Candidate[]> {
  const { DEFAULT_NETWORK, listNetworks, networkObstacle } = await import('../network/index.ts');
  const names = listNetworks(root).map(({ name }) => name);
  const withDefault = networkObstacle() === undefined ? [DEFAULT_NETWORK, ...names] : names;
  return [...new Set(withDefault)].map(plain);
}

async function networkModes(typed: Typed): Promise<Candidate[]> {
  const { USER_NETWORK, userNetworkObstacle } = await import('../network/index.ts');
  const user = userNetworkObstacle() === undefined ? [USER_NETWORK] : [];
  return [...(await networks(typed)), ...[...user, 'none'].map(plain)];
}

/** Containers of the network that stands before them. */
async function members(typed: Typed): Promise<Candidate[]> {
  const [network] = typed.operands;
  return await containers(({ config }) =>
    config.networks.some((each) => each.network === network || each.networkId.startsWith(network!)),
  )(typed);
}

async function volumes({ root }: Typed): Promise<Candidate[]> {
  const { listVolumes } = await import('../volume/index.ts');
  return listVolumes(root).map(({ name }) => plain(name));
}

/** Of the container that stands before them. */
async function checkpoints({ root, operands }: Typed): Promise<Candidate[]> {
  const { checkpointsOf } = await import('../core/checkpoints.ts');
  return (await checkpointsOf(root, operands[0]!, {})).map(plain);
}

async function templates({ root }: Typed): Promise<Candidate[]> {
  const { listTemplates } = await import('../vm/index.ts');
  return listTemplates(root).map(({ id }) => plain(id));
}

async function inspectable(typed: Typed): Promise<Candidate[]> {
  const kinds: Readonly<Record<string, Source>> = {
    container: containers(),
    image: images,
    network: networks,
    volume: volumes,
  };
  const asked = typed.words.flatMap((word, at) => (typed.words[at - 1] === '--type' ? [word] : []));
  const sources = asked.length > 0 ? asked.flatMap((kind) => kinds[kind] ?? []) : Object.values(kinds);
  return (await Promise.all(sources.map((source) => source(typed)))).flat();
}

/** As Docker offers them, without SIG, unless that is how the word begins. */
function signals({ beginning }: Typed): Candidate[] {
  const prefix = beginning.startsWith('SIG') ? 'SIG' : '';
  return Object.entries(constants.signals).map(([name, number]) => ({
    word: prefix + name.slice('SIG'.length),
    description: String(number),
  }));
}

async function capabilities(): Promise<Candidate[]> {
  const { CAPABILITIES } = await import('../core/capabilities.ts');
  return ['ALL', ...CAPABILITIES.map((name) => `CAP_${name}`)].map(plain);
}
