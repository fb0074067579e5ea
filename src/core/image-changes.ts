// SPDX-License-Identifier: Apache-2.0
// `--change` of commit and import: the Dockerfile instructions that change an image's configuration.
import { posix } from 'node:path';
import { HrunError } from '../base/errors.ts';
import { type ImageHealthcheck, type ProcessConfig, parsePortRange } from '../oci/index.ts';
import { durationNs } from './go-duration.ts';
import { expandVariables, instructionWords, keyValues } from './instruction-words.ts';

type Instruction = (config: ProcessConfig, rest: string) => ProcessConfig;

const DEFAULT_SHELL = ['/bin/sh', '-c'];

const INSTRUCTIONS: Readonly<Record<string, Instruction>> = {
  CMD: (config, rest) => ({ ...config, Cmd: commandOf(config, rest) }),
  // The old command was made for the old entrypoint.
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: commandOf(config, rest), Cmd: null }),
  ENV: (config, rest) => ({
    ...config,
    Env: withVariables(config.Env ?? [], keyValues(expand(config, rest))),
  }),
  EXPOSE: (config, rest) => ({
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...keys(expandedWords(config, rest).flatMap(portsOf)) },
  }),
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: healthcheck(rest) }),
  LABEL: (config, rest) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(keyValues(expand(config, rest))) },
  }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), rest] }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: oneWord(config, 'STOPSIGNAL', rest) }),
  USER: (config, rest) => ({ ...config, User: oneWord(config, 'USER', rest) }),
  VOLUME: (config, rest) => ({
    ...config,
    Volumes: { ...config.Volumes, ...keys(jsonStrings(rest) ?? expandedWords(config, rest)) },
  }),
  WORKDIR: (config, rest) => ({
    ...config,
    WorkingDir: posix.resolve(config.WorkingDir || '/', oneWord(config, 'WORKDIR', rest)),
  }),
};

/** Applies instructions in their order; `CMD` after `ENTRYPOINT` or before, as in a Dockerfile. Throws USAGE. */
export function applyChanges(config: ProcessConfig, changes: readonly string[]): ProcessConfig {
  let changed = config;
  let cmd: ProcessConfig['Cmd'];
  for (const change of changes) {
    const [, word = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*)$/.exec(change) ?? [];
    const name = word.toUpperCase();
    const apply = Object.hasOwn(INSTRUCTIONS, name) ? INSTRUCTIONS[name] : undefined;
    if (!apply) throw new HrunError('USAGE', `${name || '""'} is not a valid change command`);
    if (rest.trim() === '') throw new HrunError('USAGE', `--change: ${name} requires an argument`);
    changed = apply(changed, rest.trim());
    if (name === 'CMD') cmd = changed.Cmd;
  }
  return cmd ? { ...changed, Cmd: cmd } : changed;
}

/** The JSON form is a command as it stands, the other one is for a shell. */
function commandOf(config: ProcessConfig, rest: string): string[] {
  return jsonStrings(rest) ?? [...(config.Shell ?? DEFAULT_SHELL), rest];
}

function jsonStrings(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function withVariables(env: readonly string[], pairs: [string, string][]): string[] {
  const merged = new Map(env.map((entry) => [entry.split('=', 1)[0]!, entry]));
  for (const [name, value] of pairs) merged.set(name, `${name}=${value}`);
  return [...merged.values()];
}

function expand(config: ProcessConfig, text: string): string {
  return expandVariables(text, config.Env ?? []);
}

function expandedWords(config: ProcessConfig, text: string): string[] {
  return instructionWords(expand(config, text));
}

function oneWord(config: ProcessConfig, name: string, rest: string): string {
  const words = expandedWords(config, rest);
  if (words.length === 1) return words[0]!;
  throw new HrunError('USAGE', `--change: ${name} requires exactly one argument`);
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** `80`, `53/udp`, `8000-8010/tcp` */
function portsOf(text: string): string[] {
  const range = parsePortRange(text);
  if (!range) throw new HrunError('USAGE', `--change: invalid port: ${text}`);
  const { first, last, protocol } = range;
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

const DURATIONS: Readonly<Record<string, string>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/** `NONE`, or options and `CMD command`; times in nanoseconds, as Docker's images have them. */
function healthcheck(text: string): ImageHealthcheck {
  const result: Record<string, number> = {};
  let rest = text;
  for (let option = /^--([a-z-]+)=(\S+)\s*/.exec(rest); option; option = /^--([a-z-]+)=(\S+)\s*/.exec(rest)) {
    const [whole, name, value] = option as unknown as [string, string, string];
    const field = Object.hasOwn(DURATIONS, name) ? DURATIONS[name] : undefined;
    if (field) result[field] = durationNs(value);
    else if (name === 'retries' && /^\d+$/.test(value)) result.Retries = Number(value);
    else throw new HrunError('USAGE', `--change: unknown option of HEALTHCHECK: --${name}=${value}`);
    rest = rest.slice(whole.length);
  }
  if (/^none$/i.test(rest)) return { Test: ['NONE'] };
  const [, command] = /^cmd\s+([\s\S]+)$/i.exec(rest) ?? [];
  if (!command) throw new HrunError('USAGE', '--change: HEALTHCHECK wants CMD or NONE');
  const exec = jsonStrings(command);
  return { Test: exec ? ['CMD', ...exec] : ['CMD-SHELL', command], ...result };
}
