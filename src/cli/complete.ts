// SPDX-License-Identifier: Apache-2.0
// What could stand at the cursor of a command line that is being typed.
import { Command, type Option } from 'commander';
import { rootFromEnvironment } from '../base/root.ts';
import type { CliCommand } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { operandWords, optionValues } from './completion-words.ts';

/** A word and what it means. */
export interface Candidate {
  word: string;
  description: string;
}

/**
 * The words that can follow `words`, of which the last is the beginning of the one to complete; empty where files are meant. An equals
 * sign may stand between an option and its value, or be a word of its own, as bash takes it.
 */
export async function complete(words: readonly string[]): Promise<Candidate[]> {
  const last = words.at(-1) ?? '';
  const [, option, value] = /^(--[a-z-]+=)(.*)$/s.exec(last) ?? [];
  if (option !== undefined) {
    const values = await wordsAfter([...words.slice(0, -1), option.slice(0, -1)], value!);
    return values.map(({ word, description }) => ({ word: option + word, description }));
  }
  const isSign = (word: string, at: number) => word === '=' && words[at - 1]?.startsWith('--') === true;
  const typed = words.slice(0, -1).filter((word, at) => !isSign(word, at));
  return await wordsAfter(typed, isSign(last, words.length - 1) ? '' : last);
}

async function wordsAfter(typed: readonly string[], beginning: string): Promise<Candidate[]> {
  const found = findCommand(typed);
  const candidates = found
    ? await ofCommand(await found.entry.load(), found.rest, beginning)
    : commandNames(typed);
  return candidates.filter(({ word }) => word.startsWith(beginning));
}

/** `container` and the like stand before the second words of Docker's management commands. */
function commandNames(typed: readonly string[]): Candidate[] {
  const all = Object.entries(COMMANDS).flatMap(([name, { summary, managed }]) =>
    [name, managed].flatMap((each) => (each === undefined ? [] : [{ words: each.split(' '), summary }])),
  );
  const next = all.filter(
    ({ words }) => words.length > typed.length && typed.every((word, at) => words[at] === word),
  );
  const seen = new Map<string, string>();
  for (const { words, summary } of next) {
    const word = words[typed.length]!;
    if (!seen.has(word))
      seen.set(word, words.length === typed.length + 1 ? summary : `commands for a ${word}`);
  }
  return [...seen].map(([word, description]) => ({ word, description }));
}

async function ofCommand(
  { command: spec }: { command: CliCommand },
  typed: readonly string[],
  beginning: string,
): Promise<Candidate[]> {
  const parser = new Command(spec.name);
  spec.configure(parser);
  const { value, operands, optionsEnd } = whereIs(parser, typed);
  const line = { root: rootFromEnvironment(), operands, words: typed, beginning };
  if (value?.argChoices) return value.argChoices.map((word) => ({ word, description: '' }));
  if (value) return await optionValues(value.long, line);
  if (beginning.startsWith('-') && !optionsEnd) return parser.options.flatMap(ofOption);
  const { registeredArguments: declared } = parser;
  const last = declared.length - 1;
  if (operands.length > last && declared[last]?.variadic !== true) return [];
  return await operandWords(spec.name, Math.min(operands.length, last), line);
}

/** What the cursor stands at: the value of an option, or the operand after these. */
interface Place {
  value: Option | undefined;
  operands: string[];
  /** what begins with a dash is not hrun's any more */
  optionsEnd: boolean;
}

function whereIs(parser: Command, typed: readonly string[]): Place {
  const operands: string[] = [];
  let value: Option | undefined;
  let optionsEnd = false;
  for (const word of typed) {
    if (value) value = undefined;
    else if (optionsEnd || !word.startsWith('-')) operands.push(word);
    else if (word === '--') optionsEnd = true;
    else value = valueOption(parser, word);
    // `run` takes no option after the image
    optionsEnd ||= operands.length > 0 && endsOptions(parser);
  }
  return { value, operands, optionsEnd };
}

/** True for commands whose last operands are another program's command line. */
function endsOptions({ registeredArguments: declared }: Command): boolean {
  return declared.length > 1 && declared.at(-1)?.variadic === true;
}

/** The option that wants the next word as its value, if this one is such an option. */
function valueOption(parser: Command, word: string): Option | undefined {
  if (word.includes('=')) return undefined;
  const option = parser.options.find(({ short, long }) => word === long || (short && word === short));
  return option?.required ? option : undefined;
}

function ofOption({ long, description, hidden }: Option): Candidate[] {
  return long && !hidden ? [{ word: long, description }] : [];
}
