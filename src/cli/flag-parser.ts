// SPDX-License-Identifier: Apache-2.0
// Command lines as Docker's users write them: what Go's flag parser takes and commander does not.
import { Command, type Option } from 'commander';
import { HrunError } from '../base/errors.ts';

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** A commander command that also reads `--rm=true`, `-it=false` and `-u=1000`, and `-h` where that is no option of its own. */
export class FlagParser extends Command {
  #optionsEndAtOperand = false;

  override passThroughOptions(on = true): this {
    this.#optionsEndAtOperand = on;
    return super.passThroughOptions(on);
  }

  /** Parses the words behind the command's name; throws CommanderError, and USAGE for a truth value that is none. */
  parseFlags(argv: readonly string[]): void {
    const line = new CommandLine(this.options, argv, this.#optionsEndAtOperand);
    this.parse(line.words(), { from: 'user' });
  }
}

/** Rewrites each option as one word: `--name`, or `--name=value`. What is not known is left to commander to refuse. */
class CommandLine {
  readonly #options: readonly Option[];
  readonly #left: string[];
  readonly #optionsEndAtOperand: boolean;
  #written: string[] = [];

  constructor(options: readonly Option[], argv: readonly string[], optionsEndAtOperand: boolean) {
    this.#options = options;
    this.#left = [...argv];
    this.#optionsEndAtOperand = optionsEndAtOperand;
  }

  words(): string[] {
    for (let word = this.#left.shift(); word !== undefined; word = this.#left.shift()) {
      const operand = !word.startsWith('-') || word === '-';
      if (word === '--' || (operand && this.#optionsEndAtOperand)) {
        return [...this.#written, word, ...this.#left];
      }
      if (operand) this.#written.push(word);
      else if (word.startsWith('--')) this.#long(word);
      else this.#short(word.slice(1));
    }
    return this.#written;
  }

  #long(word: string): void {
    const [name = '', value] = word.split(/=(.*)/s, 2);
    const option = this.#options.find(({ long }) => long === name);
    if (option) this.#give(option, name, value);
    else this.#written.push(word);
  }

  /** One letter after the other: switches, up to one that has a value, which is the rest or the next word. */
  #short(letters: string): void {
    const name = `-${letters[0]}`;
    const rest = letters.slice(1);
    const option = this.#options.find(({ short }) => short === name);
    if (!option) this.#written.push(name === '-h' ? '--help' : `-${letters}`);
    else if (rest.startsWith('=')) this.#give(option, name, rest.slice(1));
    else if (option.required) this.#give(option, name, rest === '' ? undefined : rest);
    else {
      this.#give(option, name, undefined);
      if (rest !== '') this.#short(rest);
    }
  }

  #give(option: Option, name: string, given: string | undefined): void {
    const { long } = option;
    if (option.required) {
      const value = given ?? this.#left.shift();
      this.#written.push(value === undefined ? long! : `${long}=${value}`);
      return;
    }
    const on = given === undefined || truth(name, given);
    if (option.optional) this.#written.push(`${long}=${on}`);
    else if (on) this.#written.push(long!);
    else this.#written = this.#written.filter((word) => word !== long);
  }
}

function truth(name: string, value: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new HrunError('USAGE', `invalid argument "${value}" for "${name}"`, { hint: 'use true or false' });
}
