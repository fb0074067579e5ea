// SPDX-License-Identifier: Apache-2.0
// What native/launcher knows of the options of `hrun run`: docs/head-start.md.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command } from '../../src/cli/commands/run.ts';
import { FlagParser } from '../../src/cli/flag-parser.ts';

const SOURCE = join(import.meta.dirname, '../../native/launcher/command_line.cc');

test('the launcher reads the options that it knows as the CLI does', () => {
  const parser = new FlagParser('hrun run');
  command.configure(parser);
  const known = [...readFileSync(SOURCE, 'utf8').matchAll(/\{(?:0|'(.)'), "([a-z-]+)", (true|false)\}/g)];
  expect(known.length).toBeGreaterThan(30);
  const launchers = known.map(([, letter, name, hasValue]) => ({
    short: letter && `-${letter}`,
    long: `--${name}`,
    hasValue: hasValue === 'true',
    optional: false,
  }));
  const cli = launchers.map(({ long }) => {
    const option = parser.options.find((each) => each.long === long);
    const { short, required, optional } = option ?? {};
    return { short, long, hasValue: required, optional: !required && optional };
  });
  expect(launchers).toEqual(cli);
});
