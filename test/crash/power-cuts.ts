// SPDX-License-Identifier: Apache-2.0
// Cuts the power after every single operation of a command on a store, and looks at what is found then.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { rootAt } from '../../src/base/root.ts';
import type { Said } from '../fixtures/hrun.ts';
import { type CrashState, crashStates, wholeState } from './crash-states.ts';
import { readDisk, writeState } from './on-disk.ts';
import { traceProgram } from './trace.ts';
import { type View, viewStore } from './view.ts';

const STORE = 'data/store';
/** When commands are run that write the time into what they make. */
export const NOW = Date.parse('2024-08-01T00:00:00Z');
/** for a process of its own */
const FIXED_CLOCK = `data:text/javascript,${encodeURIComponent(
  `globalThis.Date = class extends Date { constructor(...a) { a.length > 0 ? super(...a) : super(${NOW}); } static now() { return ${NOW}; } };`,
)}`;
const CLI = join(import.meta.dirname, '../../src/cli/main.ts');

/** The command line of an hrun in a process of its own, from the sources; `dated`: at NOW. */
export function hrunCommand(words: readonly string[], dated: boolean): [string, ...string[]] {
  return [process.execPath, ...(dated ? ['--import', FIXED_CLOCK] : []), CLI, ...words];
}

/** A command that the power is cut in. */
export interface CutCommand {
  words: readonly string[];
  /** it writes the time into what it makes */
  dated: boolean;
  /** Runs the same again, with $HRUN_ROOT; undefined: not in this state. */
  again(root: string): Promise<Said | undefined>;
}

/** A store, the commands that change it, and all states in which a cut may leave it. */
export class PowerCuts {
  readonly #base: string;
  /** a directory of the store that somebody else writes to, and that no cut concerns */
  readonly #except: string | undefined;
  /** hashes of all states that were looked at */
  readonly states = new Set<string>();

  constructor(base: string, except?: string) {
    this.#base = base;
    this.#except = except && join(base, 'run', STORE, except);
    mkdirSync(join(base, 'run'), { recursive: true });
  }

  /** $HRUN_ROOT of the store. */
  get root(): string {
    return join(this.#base, 'run', STORE);
  }

  /** Runs the command for good in the store and on the side in every state that a cut may leave. Returns what was wrong. */
  async everywhere(command: CutCommand): Promise<string[]> {
    const run = join(this.#base, 'run');
    const started = readDisk(run, this.#except);
    const old = wholeState(started);
    const scope = { directory: run, except: this.#except };
    const { exitCode, stderr, operations } = await traceProgram(
      scope,
      join(this.#base, 'log'),
      hrunCommand(command.words, command.dated),
      {
        ...process.env,
        HRUN_ROOT: this.root,
        HRUN_NETWORK: 'none',
        HRUN_TEMPLATES: 'off',
        UV_USE_IO_URING: '0',
      },
    );
    expect(exitCode, `${command.words.join(' ')}: ${stderr}`).toBe(0);
    const complete = wholeState(readDisk(run, this.#except));
    const failures: string[] = [];
    const right = [old, complete];
    const [was, is] = [await this.#viewIn(old, right), await this.#viewIn(complete, right)];
    for (const state of crashStates(started, operations)) {
      this.states.add(state.hash);
      const done = state.after === operations.length;
      const wrong = await this.#check(state, right, done ? [is] : [was, is], is, command);
      if (wrong) failures.push(`${command.words.slice(0, 2).join(' ')} ${state.story}: ${wrong}`);
    }
    expect(wholeState(started).hash, 'the model does what the kernel did').toBe(complete.hash);
    return failures;
  }

  async #check(
    state: CrashState,
    right: CrashState[],
    allowed: View[],
    goal: View,
    command: CutCommand,
  ): Promise<string | undefined> {
    return await this.#inStore(state, async (dir) => {
      try {
        const found = await viewStore(rootAt(dir), state, right, STORE);
        if (!allowed.some((view) => same(view, found))) return `found ${JSON.stringify(found)}`;
        const again = await command.again(dir);
        if (!again) return undefined;
        if (!same(found, goal) && again.exitCode !== 0) return `the same again failed: ${again.stderr}`;
        const after = await viewStore(rootAt(dir), state, right, STORE);
        return same(after, goal)
          ? undefined
          : `the same again left ${JSON.stringify(after)}: ${again.stderr}`;
      } catch (error) {
        return String(error);
      }
    });
  }

  async #viewIn(state: CrashState, right: CrashState[]): Promise<View> {
    return await this.#inStore(state, (dir) => viewStore(rootAt(dir), state, right, STORE));
  }

  async #inStore<T>(state: CrashState, work: (dir: string) => Promise<T>): Promise<T> {
    const place = mkdtempSync(join(this.#base, 'cut-'));
    try {
      writeState(state, place);
      return await work(join(place, STORE));
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
}

function same(a: View, b: View): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
