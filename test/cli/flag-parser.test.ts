// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { FlagParser } from '../../src/cli/flag-parser.ts';

function parse(words: string[], { ownH = false, operandEnds = true } = {}) {
  const parser = new FlagParser('test').exitOverride().configureOutput({ writeErr: () => {} });
  parser.option('--rm').option('-i, --interactive').option('-t, --tty').option('--no-trunc');
  parser.option('-u, --user <name>').option('--sig-proxy [bool]', '', 'true');
  parser.option('-e, --env <name>', '', (value: string, before: string[] = []) => [...before, value]);
  if (ownH) parser.option('-h, --hostname <name>');
  parser.argument('[words...]');
  if (operandEnds) parser.passThroughOptions();
  (parser as FlagParser).parseFlags(words);
  const { trunc, sigProxy, ...options } = parser.opts();
  return {
    ...options,
    ...(!trunc && { trunc }),
    ...(sigProxy !== 'true' && { sigProxy }),
    words: parser.args,
  };
}

describe("a command line in Go's manner", () => {
  test.each<[string, object]>([
    ['--rm=true image', { rm: true }],
    ['--rm --rm=false image', {}],
    ['-it image', { interactive: true, tty: true }],
    ['-it=false image', { interactive: true }],
    ['-i -t=0 image', { interactive: true }],
    ['--no-trunc=true image', { trunc: false }],
    ['--no-trunc=F image', {}],
    ['-u=1000 image', { user: '1000' }],
    ['-u1000 image', { user: '1000' }],
    ['-u 1000 image', { user: '1000' }],
    ['-itu 1000 image', { interactive: true, tty: true, user: '1000' }],
    ['--user=a=b image', { user: 'a=b' }],
    ['--user= image', { user: '' }],
    ['-e --rm -e A=1 image', { env: ['--rm', 'A=1'] }],
    ['-e=A=1 --rm=false image', { env: ['A=1'] }],
    ['--sig-proxy=false image', { sigProxy: 'false' }],
    ['--sig-proxy image', {}],
  ])('%s', (line, options) => {
    expect(parse(line.split(' '))).toEqual({ ...options, words: ['image'] });
  });

  test('ends at the operand of a command that takes another command, and at --', () => {
    expect(parse(['--rm', 'image', '--rm=false', '-it'])).toEqual({
      rm: true,
      words: ['image', '--rm=false', '-it'],
    });
    expect(parse(['--', '-u=1'])).toEqual({ words: ['-u=1'] });
    expect(parse(['one', '--rm=1', 'two'], { operandEnds: false })).toEqual({
      rm: true,
      words: ['one', 'two'],
    });
  });

  test('-h is help, unless the command has another -h', () => {
    expect(() => parse(['-h'])).toThrow(expect.objectContaining({ code: 'commander.helpDisplayed' }));
    expect(parse(['-h', 'box', 'image'], { ownH: true })).toEqual({ hostname: 'box', words: ['image'] });
  });

  test('what is no truth value is an error of the user, and so is an option that is not known', () => {
    expect(() => parse(['--rm=maybe'])).toThrow(
      expect.objectContaining({ code: 'USAGE', message: 'invalid argument "maybe" for "--rm"' }),
    );
    expect(() => parse(['-iz'])).toThrow("unknown option '-z'");
    expect(() => parse(['--nope=1'])).toThrow("unknown option '--nope=1'");
    expect(() => parse(['-u'])).toThrow('argument missing');
  });
});
