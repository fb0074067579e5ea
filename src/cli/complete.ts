// SPDX-License-Identifier: Apache-2.0
// What could stand at the cursor of a command line that is being typed.
import { Command, type Option } from 'commander';
import { rootFromEnvironment } from '../base/root.ts';
import type { CliCommand } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';

/** A word and what it means. */
export interface Candidate {
  word: string;
  description: string;
}

/** What the operands of commands are, by the names that `configure` gives them. */
type Kind = 'container' | 'image';

const KINDS: Readonly<Record<string, Kind>> = { container: 'container', image: 'image' };

/** The words that can follow `words`, of which the last is the beginning of the one to complete; empty where files are meant. */
export async function complete(words: readonly string[]): Promise<Candidate[]> {
  const typed = words.slice(0, -1);
  const beginning = words.at(-1) ?? '';
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
  const place = whereIs(parser, typed);
  if (place.value) return (place.value.argChoices ?? []).map((word) => ({ word, description: '' }));
  if (beginning.startsWith('-') && place.optionsEnd === false) return parser.options.flatMap(ofOption);
  const operands = parser.registeredArguments;
  const operand = operands[Math.min(place.operands, operands.length - 1)];
  const kind =
    operand && (place.operands < operands.length || operand.variadic) ? KINDS[operand.name()] : undefined;
  return kind ? await names(kind) : [];
}

/** What the cursor stands at: the value of an option, or the n-th operand. */
interface Place {
  value: Option | undefined;
  operands: number;
  /** what begins with a dash is not hrun's any more */
  optionsEnd: boolean;
}

function whereIs(parser: Command, typed: readonly string[]): Place {
  let operands = 0;
  let value: Option | undefined;
  let optionsEnd = false;
  for (const word of typed) {
    if (value) value = undefined;
    else if (optionsEnd || !word.startsWith('-')) operands += 1;
    else if (word === '--') optionsEnd = true;
    else value = valueOption(parser, word);
    // `run` takes no option after the image
    optionsEnd ||= operands > 0 && parser.registeredArguments.length > 1;
  }
  return { value, operands, optionsEnd };
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

async function names(kind: Kind): Promise<Candidate[]> {
  const root = rootFromEnvironment();
  if (kind === 'container') {
    const { listContainers } = await import('../core/list-containers.ts');
    const containers = await listContainers(root, { all: true });
    return containers.map(({ config }) => ({ word: config.name, description: config.image }));
  }
  const [{ listImageRows }, { openImageStore }] = await Promise.all([
    import('../core/images.ts'),
    import('../image/index.ts'),
  ]);
  using store = await openImageStore(root);
  const rows = await listImageRows(store);
  return rows.flatMap(({ repository, tag }) =>
    repository && tag ? [{ word: `${repository}:${tag}`, description: '' }] : [],
  );
}
