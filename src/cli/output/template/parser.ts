// SPDX-License-Identifier: Apache-2.0
import { type Piece, splitTemplate, type Token, templateError } from './lexer.ts';

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipeline: Pipeline }
  | { kind: 'assign'; name: string; pipeline: Pipeline }
  | { kind: 'if' | 'with'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { kind: 'range'; names: string[]; pipeline: Pipeline; body: Node[]; otherwise: Node[] };

/** Commands joined by `|`: the result of one is the last argument of the next. */
export type Pipeline = Command[];
/** A function and its arguments, or one operand alone. */
export type Command = Operand[];
export type Operand =
  | Extract<Token, { kind: 'field' | 'variable' | 'value' | 'word' }>
  | { kind: 'nested'; pipeline: Pipeline; path: string[] }; // (…).A

/** Parses the subset of Go's text/template that docs/images.md lists. Throws USAGE. */
export function parseTemplate(source: string): Node[] {
  const reader = new Reader(splitTemplate(source));
  const { nodes, end } = parseList(reader);
  if (end) throw templateError(`{{${end}}} closes nothing`);
  return nodes;
}

class Reader {
  readonly #pieces: Piece[];
  #at = 0;

  constructor(pieces: Piece[]) {
    this.#pieces = pieces;
  }

  next(): Piece | undefined {
    return this.#pieces[this.#at++];
  }
}

interface List {
  nodes: Node[];
  /** the word that ended it: `end`, `else`, `else if`; undefined at the end of the template */
  end: string | undefined;
  /** the rest of `{{else if …}}` */
  rest: Token[];
}

function parseList(reader: Reader): List {
  const nodes: Node[] = [];
  for (let piece = reader.next(); piece; piece = reader.next()) {
    if (piece.kind === 'text') {
      nodes.push(piece);
      continue;
    }
    const [first, ...rest] = piece.tokens;
    const word = first?.kind === 'word' ? first.text : '';
    if (word === 'end' || word === 'else') return { nodes, end: word, rest };
    if (word === 'if' || word === 'with' || word === 'range') nodes.push(parseBlock(word, rest, reader));
    else nodes.push(parseAction(piece.tokens));
  }
  return { nodes, end: undefined, rest: [] };
}

function parseBlock(kind: 'if' | 'with' | 'range', tokens: Token[], reader: Reader): Node {
  const { names, rest } = kind === 'range' ? rangeNames(tokens) : { names: [], rest: tokens };
  const pipeline = parsePipeline(rest);
  const body = parseList(reader);
  const otherwise = body.end === 'else' ? parseElse(kind, body.rest, reader) : [];
  if (!body.end) throw templateError(`{{${kind}}} without {{end}}`);
  if (kind === 'range') return { kind, names, pipeline, body: body.nodes, otherwise };
  return { kind, pipeline, body: body.nodes, otherwise };
}

function parseElse(kind: string, rest: Token[], reader: Reader): Node[] {
  const [first, ...condition] = rest;
  if (first?.kind === 'word' && first.text === 'if') return [parseBlock('if', condition, reader)];
  const list = parseList(reader);
  if (list.end !== 'end') throw templateError(`{{${kind}}} without {{end}}`);
  return list.nodes;
}

/** `$i, $v := pipeline` */
function rangeNames(tokens: Token[]): { names: string[]; rest: Token[] } {
  const assign = tokens.findIndex((token) => token.kind === 'symbol' && token.text === ':=');
  if (assign < 0) return { names: [], rest: tokens };
  const names = tokens.slice(0, assign).flatMap((token) => (token.kind === 'variable' ? [token.name] : []));
  return { names, rest: tokens.slice(assign + 1) };
}

function parseAction(tokens: Token[]): Node {
  const [first, second, ...rest] = tokens;
  if (first?.kind === 'variable' && second?.kind === 'symbol' && second.text === ':=') {
    return { kind: 'assign', name: first.name, pipeline: parsePipeline(rest) };
  }
  return { kind: 'print', pipeline: parsePipeline(tokens) };
}

function parsePipeline(tokens: Token[]): Pipeline {
  const queue = [...tokens];
  const pipeline = takePipeline(queue);
  if (queue.length > 0) throw templateError('a parenthesis closes nothing');
  return pipeline;
}

/** Takes commands up to the end or to a closing parenthesis, which it leaves. */
function takePipeline(queue: Token[]): Pipeline {
  const commands: Command[] = [[]];
  while (queue.length > 0) {
    const token = queue[0]!;
    if (token.kind === 'symbol' && token.text === ')') break;
    queue.shift();
    if (token.kind !== 'symbol') commands.at(-1)!.push(token);
    else if (token.text === '|') commands.push([]);
    else if (token.text === '(') commands.at(-1)!.push(takeNested(queue));
    else throw templateError(`"${token.text}" has no place here`);
  }
  if (commands.some((command) => command.length === 0)) throw templateError('an action is empty');
  return commands;
}

function takeNested(queue: Token[]): Operand {
  const pipeline = takePipeline(queue);
  const end = queue.shift();
  if (end?.kind !== 'symbol') throw templateError('a parenthesis is not closed');
  return { kind: 'nested', pipeline, path: end.path };
}
