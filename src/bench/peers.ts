// SPDX-License-Identifier: Apache-2.0
// Namespace containers of the same image, each in a storage of the bench's own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { errnoOf } from '../base/errors.ts';
import type { Subject, Subjects } from './subject.ts';

/** What all peers run, as files. */
export interface PeerImage {
  /** docker-archive with the image under NAME */
  archive: string;
  /** the name in it */
  name: string;
  /** its unpacked root */
  rootfs: string;
}

/** Sets a peer up; the string says why it is not there. */
type Peer = (dir: string, image: PeerImage, command: readonly string[]) => Promise<Subject | string>;

/** podman raises these to its own defaults, which not every host lets it. */
export const PODMAN_LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

const PEERS: Readonly<Record<string, Peer>> = {
  runc: (dir, image, command) => bundleRuntime('runc', dir, image, command),
  crun: (dir, image, command) => bundleRuntime('crun', dir, image, command),
  podman,
  docker,
  kata: async (dir, image, command) => {
    const name = await missing('kata-runtime', '--version');
    if (name) return name;
    const made = await podman(dir, image, command);
    if (typeof made === 'string') return made;
    return {
      ...made,
      name: 'kata',
      argv: made.argv.map((word) => (word === 'runc' ? 'kata-runtime' : word)),
    };
  },
};

export const PEER_NAMES = Object.keys(PEERS);

/** The peers that this host has, tried once. What they store in `dir` is for releasePeers to remove. */
export async function peerSubjects(
  names: readonly string[],
  dir: string,
  image: PeerImage,
  command: readonly string[],
): Promise<Subjects> {
  const subjects: Subject[] = [];
  const absent: string[] = [];
  for (const name of names) {
    const place = join(dir, name);
    mkdirSync(place, { recursive: true });
    const made = await PEERS[name]!(place, image, command);
    const reason = typeof made === 'string' ? made : await trial(made);
    if (reason === undefined) subjects.push(made as Subject);
    else absent.push(`${name}: ${reason}`);
  }
  return { subjects, absent };
}

/** Why a subject does not work here; undefined if it does. */
async function trial({ argv, env }: Subject): Promise<string | undefined> {
  const { exitCode, stderr } = await execa(argv[0]!, argv.slice(1), { env, reject: false, stdin: 'ignore' });
  return exitCode === 0
    ? undefined
    : `does not run here: ${stderr.trim().split('\n').at(-1) ?? `exit code ${exitCode}`}`;
}

/** Why a program is not there; undefined if it is. */
async function missing(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    await execa(program, args);
    return undefined;
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? 'not installed' : `${program} ${args.join(' ')} failed`;
  }
}

async function bundleRuntime(
  program: string,
  dir: string,
  image: PeerImage,
  command: readonly string[],
): Promise<Subject | string> {
  const reason = await missing(program, '--version');
  if (reason) return reason;
  await execa(program, ['spec'], { cwd: dir });
  const path = join(dir, 'config.json');
  const spec = JSON.parse(readFileSync(path, 'utf8'));
  spec.process.terminal = false;
  spec.process.args = command;
  spec.root = { path: image.rootfs, readonly: false };
  writeFileSync(path, JSON.stringify(spec));
  const words = ['--root', join(dir, 'state'), 'run', '--bundle', dir, 'bench'];
  return { name: program, argv: [program, ...words], env: process.env, traced: false };
}

async function podman(dir: string, image: PeerImage, command: readonly string[]): Promise<Subject | string> {
  const reason = await missing('podman', '--version');
  if (reason) return reason;
  const storage = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'run')];
  await execa('podman', [...storage, 'load', '-q', '-i', image.archive]);
  const words = ['run', '--rm', '--network', 'none', ...PODMAN_LIMITS, image.name, ...command];
  return {
    name: 'podman',
    argv: ['podman', '--runtime', 'runc', ...storage, ...words],
    env: process.env,
    traced: false,
  };
}

async function docker(_dir: string, image: PeerImage, command: readonly string[]): Promise<Subject | string> {
  const reason = await missing('docker', 'info');
  if (reason) return reason === 'not installed' ? reason : 'its daemon does not answer';
  await execa('docker', ['load', '-q', '-i', image.archive]);
  const words = ['run', '--rm', '--network', 'none', image.name, ...command];
  return { name: 'docker', argv: ['docker', ...words], env: process.env, traced: false };
}

/** Removes what peers have stored in `dir`, however far they got. */
export async function releasePeers(dir: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((each) => each === 'podman' || each === 'kata')) {
    if (!existsSync(join(dir, name))) continue;
    const storage = ['--root', join(dir, name, 'storage'), '--runroot', join(dir, name, 'run')];
    await execa('podman', [...storage, 'system', 'reset', '--force'], { reject: false });
  }
}
