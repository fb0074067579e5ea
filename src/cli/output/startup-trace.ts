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
  #origin = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
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
    if (timeNs < this.#origin) this.#origin = timeNs; // a head start, before Node.js
    this.#marks.push({ label: STAGES[stage] ?? `stage ${stage}`, timeNs });
  }

  /** One line per stage: milliseconds since the start of this process, and since the stage before. */
  text(): string {
    const lines = this.#spans().map(
      ({ label, begin, end }) =>
        `${milliseconds(end - this.#origin)} ms  ${milliseconds(end - begin)} ms  ${label}\n`,
    );
    return `  since start   this stage\n${lines.join('')}`;
  }

  /** The same as a Chrome trace (Trace Event Format, complete events), for chrome://tracing or Perfetto. */
  chromeTrace(): string {
    const traceEvents = this.#spans().map(({ label, begin, end }) => ({
      ...{ name: label, cat: 'start', ph: 'X', pid: process.pid, tid: process.pid },
      ...{ ts: microseconds(begin - this.#origin), dur: microseconds(end - begin) },
    }));
    return JSON.stringify({ displayTimeUnit: 'ms', traceEvents });
  }

  /** The stages in order; each begins where the one before ended. */
  #spans(): { label: string; begin: bigint; end: bigint }[] {
    this.mark('hrun ends');
    const sorted = this.#marks.toSorted((a, b) => Number(a.timeNs - b.timeNs));
    this.#marks.pop();
    return sorted.map(({ label, timeNs }, index) => ({
      ...{ label, begin: sorted[index - 1]?.timeNs ?? this.#origin, end: timeNs },
    }));
  }
}

function microseconds(ns: bigint): number {
  return Number(ns) / 1e3;
}

function milliseconds(ns: bigint): string {
  return (Number(ns) / 1e6).toFixed(1).padStart(10);
}
