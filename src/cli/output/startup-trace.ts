// SPDX-License-Identifier: Apache-2.0
import { Stage } from '../../core/attach.ts';

const STAGES: Readonly<Record<number, string>> = {
  [Stage.MONITOR_STARTED]: 'monitor started',
  [Stage.VMM_SPAWNED]: 'VM spawned',
  [Stage.AGENT_CONNECTED]: 'agent answers',
  [Stage.CONFIGURED]: 'guest configured',
  [Stage.PROCESS_STARTED]: 'process started',
  [Stage.FIRST_OUTPUT]: 'first output',
  [Stage.PROCESS_EXITED]: 'process exited',
  [Stage.VMM_GONE]: 'VM gone',
};

/** Collects when each stage of a start was reached, all on CLOCK_MONOTONIC. */
export class StartupTrace {
  readonly #origin = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
  readonly #marks: { label: string; timeNs: bigint }[] = [];

  constructor() {
    this.mark('command begins');
  }

  /** A stage of this process, reached now. */
  mark(label: string): void {
    this.#marks.push({ label, timeNs: process.hrtime.bigint() });
  }

  /** A stage of the monitor, of protocol.h's enum hrun_stage. */
  stage(stage: number, timeNs: bigint): void {
    this.#marks.push({ label: STAGES[stage] ?? `stage ${stage}`, timeNs });
  }

  /** One line per stage: milliseconds since the start of this process, and since the stage before. */
  text(): string {
    this.mark('hrun ends');
    const sorted = this.#marks.toSorted((a, b) => Number(a.timeNs - b.timeNs));
    let before = this.#origin;
    const lines = sorted.map(({ label, timeNs }) => {
      const line = `${milliseconds(timeNs - this.#origin)} ms  ${milliseconds(timeNs - before)} ms  ${label}\n`;
      before = timeNs;
      return line;
    });
    return `  since start   this stage\n${lines.join('')}`;
  }
}

function milliseconds(ns: bigint): string {
  return (Number(ns) / 1e6).toFixed(1).padStart(10);
}
