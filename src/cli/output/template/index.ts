// SPDX-License-Identifier: Apache-2.0
// `--format`: the part of Go's text/template that Docker's users use.
import { at, FUNCTIONS, isTrue, show } from './functions.ts';
import { templateError } from './lexer.ts';
import { type Command, type Node, type Operand, type Pipeline, parseTemplate } from './parser.ts';

/** A parsed template; applied to a value it gives text. */
export type Template = (data: object) => string;

/** Parses `source`; `\t` and `\n` typed as two characters count as tab and newline. Throws USAGE. */
export function compileTemplate(source: string): Template {
  const nodes = parseTemplate(source.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  return (data) => render(nodes, { dot: data, root: data, variables: new Map() });
}

/** `{{.ID}}\t{{.Names}}` → the headings of its fields in a table: those that are known, else their names in words. */
export function fieldsOf(source: string, known: ReadonlyMap<string, string>): string {
  const heading = (name: string) => known.get(name) ?? name.replace(/([a-z])([A-Z])/g, '$1 $2').toUpperCase();
  return source.replace(
    /\{\{[^}]*?\.(\w+)(?: "([^"]+)")?[^}]*\}\}/g,
    (_, name: string, label: string | undefined) =>
      label === undefined ? heading(name) : label.slice(label.lastIndexOf('.') + 1).replace(/[-_]/g, ' '),
  );
}

interface Scope {
  dot: unknown;
  root: object;
  variables: Map<string, unknown>;
}

function render(nodes: Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const value = evaluate(node.pipeline, scope);
  if (node.kind === 'print') return show(value);
  if (node.kind === 'assign') {
    scope.variables.set(node.name, value);
    return '';
  }
  if (node.kind === 'range') return renderRange(node, value, scope);
  const inner = node.kind === 'with' ? { ...scope, dot: value } : scope;
  return isTrue(value) ? render(node.body, inner) : render(node.otherwise, scope);
}

function renderRange(node: Extract<Node, { kind: 'range' }>, value: unknown, scope: Scope): string {
  const items: [unknown, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(Object(value)).sort(([a], [b]) => (a < b ? -1 : 1));
  if (items.length === 0) return render(node.otherwise, scope);
  return items
    .map(([key, item]) => {
      const variables = new Map(scope.variables);
      const [first, second] = node.names;
      if (second !== undefined) variables.set(first!, key).set(second, item);
      else if (first !== undefined) variables.set(first, item);
      return render(node.body, { ...scope, dot: item, variables });
    })
    .join('');
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  return pipeline.reduce<unknown>(
    (piped, command, index) => run(command, index === 0 ? [] : [piped], scope),
    undefined,
  );
}

function run([first, ...rest]: Command, piped: unknown[], scope: Scope): unknown {
  if (first?.kind !== 'word' || isLiteral(first.text)) {
    const value = operand(first!, scope);
    const values = [...rest.map((each) => operand(each, scope)), ...piped];
    if (typeof value === 'function') return callMethod(value as Method, values);
    if (values.length > 0) throw templateError('only a function takes arguments');
    return value;
  }
  const name = first.text;
  if (!Object.hasOwn(FUNCTIONS, name)) throw templateError(`there is no function "${name}"`);
  return FUNCTIONS[name]!(...rest.map((each) => operand(each, scope)), ...piped);
}

/** `.Label "key"`: what a row can be asked. */
type Method = (...values: unknown[]) => unknown;

function callMethod(method: Method, values: unknown[]): unknown {
  if (values.length === method.length) return method(...values);
  throw templateError(`${method.name} takes ${method.length} argument, not ${values.length}`);
}

function operand(part: Operand, scope: Scope): unknown {
  if (part.kind === 'value') return part.value;
  if (part.kind === 'nested') return follow(evaluate(part.pipeline, scope), part.path, false);
  if (part.kind === 'field') return follow(scope.dot, part.path, scope.dot === scope.root);
  if (part.kind === 'word') {
    if (isLiteral(part.text)) return part.text === 'nil' ? undefined : part.text === 'true';
    return run([part], [], scope);
  }
  if (part.name === '') return follow(scope.root, part.path, true);
  if (!scope.variables.has(part.name)) throw templateError(`there is no variable $${part.name}`);
  return follow(scope.variables.get(part.name), part.path, false);
}

function isLiteral(word: string): boolean {
  return word === 'true' || word === 'false' || word === 'nil';
}

/** A field that no object of this kind has is a mistake in the template; a key that a table lacks is no value. */
function follow(value: unknown, path: string[], strict: boolean): unknown {
  const [first] = path;
  if (strict && first !== undefined && !(first in Object(value))) {
    throw templateError(`there is no field "${first}"; there are ${Object.keys(Object(value)).join(', ')}`);
  }
  return path.reduce<unknown>(at, value);
}
