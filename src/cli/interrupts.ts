// SPDX-License-Identifier: Apache-2.0
// What a signal to the CLI, or Ctrl-C typed into a raw terminal, means for the container it runs.
import { constants } from 'node:os';
import type { Session } from '../core/attach.ts';

const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
] as const;

type ForwardedSignal = (typeof FORWARDED)[number];

/** Signals that end a start at once; Ctrl-C does the second time. */
const END_START: readonly string[] = ['SIGHUP', 'SIGQUIT', 'SIGTERM'];
const CTRL_C = 0x03;
const INSISTED = 3;

/**
 * Passes signals on to the container's process. Before it runs there is nobody to pass them to: then they end
 * the start. A process that ignores three of SIGINT and SIGTERM is left alone and `givenUp` called, as Docker does.
 */
export class Interrupts implements Disposable {
  /** 128+n when signal n ended the start */
  startEndedBy: number | undefined;
  #session: Session | undefined;
  readonly #givenUp: () => void;
  readonly #handlers = new Map<ForwardedSignal, () => void>();
  readonly #waiting: number[] = [];
  #started = false;
  /** Ctrl-C before the process runs, typed or as a signal */
  #earlyInterrupts = 0;
  #insisted = 0;

  /** Catches signals from here on: before there is anything that they must not leave behind. */
  constructor(givenUp: () => void) {
    this.#givenUp = givenUp;
    for (const name of FORWARDED) {
      const handler = () => this.#signal(name);
      this.#handlers.set(name, handler);
      process.on(name, handler);
    }
  }

  /** Where signals go. */
  connect(session: Session): void {
    this.#session = session;
  }

  /** The process runs: what came too early reaches it now. */
  started(): void {
    this.#started = true;
    for (const number of this.#waiting) this.#session?.signal(number);
  }

  /** Looks at what is typed while the VM boots: Ctrl-C twice ends the start. */
  typed(bytes: Buffer): void {
    if (this.#started) return;
    for (const byte of bytes) if (byte === CTRL_C) this.#interruptEarly();
  }

  [Symbol.dispose](): void {
    for (const [name, handler] of this.#handlers) process.off(name, handler);
  }

  #signal(name: ForwardedSignal): void {
    const number = constants.signals[name];
    if (this.#started) this.#forward(name, number);
    else if (END_START.includes(name)) this.#endStart(number);
    else this.#keep(number);
  }

  /** For the process, once it runs. */
  #keep(number: number): void {
    if (!this.#waiting.includes(number)) this.#waiting.push(number);
    if (number === constants.signals.SIGINT) this.#interruptEarly();
  }

  #interruptEarly(): void {
    if (++this.#earlyInterrupts >= 2) this.#endStart(constants.signals.SIGINT);
  }

  #forward(name: ForwardedSignal, number: number): void {
    this.#session?.signal(number);
    if (name !== 'SIGINT' && name !== 'SIGTERM') return;
    if (++this.#insisted >= INSISTED) this.#givenUp();
  }

  #endStart(number: number): void {
    if (this.startEndedBy !== undefined) return;
    this.startEndedBy = 128 + number;
    this.#session?.stop(constants.signals.SIGKILL, 0);
  }
}
