// SPDX-License-Identifier: Apache-2.0
// A real terminal, driven through tmux.
import { join } from 'node:path';
import { execa } from 'execa';
import type { TestStore } from './hrun.ts';

/** A shell in a tmux of its own. */
export class Terminal {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async open(store: TestStore, columns = 100, rows = 30): Promise<Terminal> {
    const terminal = new Terminal(join(store.dir, `tmux-${process.hrtime.bigint()}`));
    const size = ['-x', String(columns), '-y', String(rows)];
    const words = [`HRUN_ROOT=${store.dir}`, 'HRUN_ENGINE=qemu', 'HRUN_NETWORK=none', 'HRUN_TEMPLATES=off'];
    const env = words.flatMap((word) => ['-e', word]);
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...env, 'sh');
    await terminal.shows(/[#$]$/); // or what is typed comes before its prompt
    return terminal;
  }

  async type(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  async line(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
    await this.type('Enter');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p')).trimEnd();
  }

  /** Waits until the screen matches. */
  async shows(pattern: RegExp): Promise<string> {
    for (let attempt = 0; attempt < 1200; attempt++) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the terminal never showed ${pattern}:\n${await this.screen()}`);
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {});
  }

  async #tmux(...args: string[]): Promise<string> {
    return (await execa('tmux', ['-S', this.#socket, ...args])).stdout;
  }
}
