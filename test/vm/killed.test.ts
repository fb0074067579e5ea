// SPDX-License-Identifier: Apache-2.0
// kill -9 of the CLI, a monitor or a machine, anywhere in the life of containers. The order of things is random, but the same in each
// run; HRUN_TEST_SEED chooses another, HRUN_TEST_KILLS how many.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsPath } from '../../src/base/settings.ts';
import { eventually, FIXTURES, isAlive, TestStore } from './hrun.ts';

const SEED = Number(process.env.HRUN_TEST_SEED ?? 1);
const KILLS = Number(process.env.HRUN_TEST_KILLS ?? 200);
const MOST_CONTAINERS = 4;
const LONGEST_DELAY_MS = 1000;

let store: TestStore;
beforeAll(async () => {
  store = new TestStore();
  await store.load(FIXTURES);
});
afterAll(() => store.remove());

interface Listed {
  ID: string;
  Names: string;
  State: string;
}

type Victim = 'cli' | 'monitor or machine';

/** One command and what it must have done if it returned 0. */
interface Step {
  args: string[];
  holds(after: Listed[]): boolean;
}

/** mulberry32: small, and the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** `hrun ps` must always answer, whatever was killed. */
async function list(): Promise<Listed[]> {
  const { exitCode, stdout, stderr } = await store.start(['ps', '-a', '--no-trunc', '--format', 'json'], {
    timeout: 90_000,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return String(stdout)
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Listed);
}

function chooseStep(random: (below: number) => number, number: number, now: Listed[]): Step {
  const some = now[random(Math.max(1, now.length))];
  if (!some || (now.length < MOST_CONTAINERS && random(3) === 0)) return makeStep(random, number);
  const temporary = isTemporary(some.ID);
  const named = (all: Listed[]) => all.find(({ ID }) => ID === some.ID);
  // With --rm its keeper removes it as soon as its machine was killed.
  const there = (all: Listed[]) => named(all) !== undefined || temporary;
  const steps: Step[] = [
    { args: ['start', some.Names], holds: there },
    { args: ['stop', '-t', '0', some.Names], holds: (all) => named(all)?.State !== 'running' },
    { args: ['exec', some.Names, 'true'], holds: there },
    { args: ['rm', '-f', some.Names], holds: (all) => named(all) === undefined },
    {
      args: ['rename', some.Names, `renamed${number}`],
      holds: (all) => named(all)?.Names === `renamed${number}` || (temporary && !named(all)),
    },
    { args: ['pause', some.Names], holds: there },
  ];
  return steps[random(steps.length)]!;
}

/** True for a container that was made with --rm, and for one that is gone already. */
function isTemporary(id: string): boolean {
  try {
    const config = readFileSync(settingsPath(join(store.dir, 'containers', id), 'config.json'), 'utf8');
    return (JSON.parse(config) as { autoRemove: boolean }).autoRemove;
  } catch {
    return true;
  }
}

function makeStep(random: (below: number) => number, number: number): Step {
  const name = `made${number}`;
  const listed = (all: Listed[]) => all.some(({ Names }) => Names === name);
  const command = random(3) === 0 ? ['create'] : ['run', '-d'];
  const temporary = random(4) === 0;
  return {
    args: [...command, ...(temporary ? ['--rm'] : []), '--name', name, 'busybox', 'sleep', '100000'],
    holds: (all) => temporary || listed(all),
  };
}

/** Runs the step and kills the victim somewhere in it. Resolves to the exit code; undefined when the command itself was killed. */
async function runAndKill(
  step: Step,
  victim: Victim,
  random: (below: number) => number,
): Promise<number | undefined> {
  const command = store.start(step.args, { timeout: 90_000 });
  const delay = random(LONGEST_DELAY_MS);
  const pick = random(1000);
  const killer = new Promise((resolve) => setTimeout(resolve, delay)).then(() => {
    const targets = victim === 'cli' ? [command.pid!] : store.processIds();
    const target = targets[pick % Math.max(1, targets.length)];
    if (target !== undefined && (victim !== 'cli' || command.exitCode === null)) kill(target);
  });
  const { exitCode } = await command;
  await killer;
  return exitCode;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * What the list says is what is so: a machine that runs has a keeper, one that ended has no processes. A keeper that dies while the list is
 * made, or right after, may be in it; the next list knows.
 */
async function isTruthful(all: Listed[]): Promise<void> {
  for (const { ID, State } of all) {
    const own = () => store.processes().filter((line) => line.includes(ID));
    if (isUp(State) && !hasKeeper(ID)) {
      const again = (await list()).find((each) => each.ID === ID);
      expect({ ID, State: again?.State, isUp: isUp(again?.State) }).toMatchObject({ isUp: false });
    } else if (State === 'exited') await eventually(() => own().length === 0);
  }
}

function isUp(state: string | undefined): boolean {
  return state === 'running' || state === 'paused';
}

/** False for a container that is gone, too. */
function hasKeeper(id: string): boolean {
  try {
    return isAlive(store.state(id).monitorPid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

test(`${KILLS} kills at random moments: nothing acknowledged is lost, every state is truthful, nothing is left over`, {
  timeout: 3_600_000,
}, async () => {
  const random = generator(SEED);
  let now: Listed[] = [];
  for (let number = 0; number < KILLS; number++) {
    const step = chooseStep(random, number, now);
    const victim: Victim = random(2) === 0 ? 'cli' : 'monitor or machine';
    const exitCode = await runAndKill(step, victim, random);
    now = await list();
    const context = { number, step: step.args.join(' '), victim, exitCode };
    // A monitor that was killed after the command has returned takes what it kept with it: only --rm does that.
    if (exitCode === 0) expect({ ...context, holds: step.holds(now) }).toEqual({ ...context, holds: true });
    await isTruthful(now);
  }
  if (now.length > 0) await store.hrun(['rm', '-f', ...now.map(({ Names }) => Names)]);
  expect(await list()).toEqual([]);
  await eventually(() => store.processes().length === 0);
  expect(store.containers()).toEqual([]);
  // The name of a container that is gone is free, whoever tidies it up.
  await store.hrun(['run', '--rm', 'busybox', 'true']);
  await eventually(() => readdirSync(join(store.dir, 'containers/names')).length === 0);
  expect(readdirSync(join(store.dir, 'tmp')).filter((name) => name.startsWith('container-'))).toEqual([]);
});
