// SPDX-License-Identifier: Apache-2.0
// initrd/protocol.h is the contract; src/guest/protocol.ts must say the same, all of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as protocol from '../../src/guest/protocol.ts';

const HEADER = readFileSync(join(import.meta.dirname, '../../initrd/protocol.h'), 'utf8').replace(
  /\/\*[\s\S]*?\*\//g,
  '',
);

/** The C enum, the prefix of its members, and its mirror. */
const ENUMS: [string, string, Record<string, number>][] = [
  ['hrun_stream', 'HRUN_', protocol.Stream],
  ['hrun_frame_type', 'HRUN_', protocol.FrameType],
  ['hrun_exit_flags', 'HRUN_EXIT_', protocol.ExitFlags],
  ['hrun_error_kind', 'HRUN_ERROR_', protocol.ErrorKind],
  ['hrun_attached_state', 'HRUN_STATE_', protocol.AttachedState],
  ['hrun_attach_flags', 'HRUN_ATTACH_', protocol.AttachFlags],
  ['hrun_stop_flags', 'HRUN_STOP_', protocol.StopFlags],
  ['hrun_stage', 'HRUN_STAGE_', protocol.Stage],
  ['hrun_configure_tag', 'HRUN_CONF_', protocol.ConfigureTag],
  ['hrun_configure_flags', 'HRUN_CONF_FLAG_', protocol.ConfigureFlags],
  ['hrun_address_family', 'HRUN_ADDRESS_', protocol.AddressFamily],
  ['hrun_address_flags', 'HRUN_ADDRESS_FLAG_', protocol.AddressFlags],
  ['hrun_route_flags', 'HRUN_ROUTE_FLAG_', protocol.RouteFlags],
  ['hrun_start_tag', 'HRUN_START_', protocol.StartTag],
  ['hrun_start_flags', 'HRUN_START_', protocol.StartFlags],
  ['hrun_archive', 'HRUN_ARCHIVE_', protocol.Archive],
];

describe('src/guest/protocol.ts', () => {
  test.each(ENUMS)('mirrors enum %s', (name, prefix, mirror) => {
    const members = Object.entries(enumMembers(name)).map(([key, value]) => {
      expect(key.startsWith(prefix)).toBe(true);
      return [key.slice(prefix.length), value];
    });
    expect(mirror).toEqual(Object.fromEntries(members));
  });

  test('mirrors every enum of the header', () => {
    const inHeader = [...HEADER.matchAll(/enum (\w+) \{/g)].map((match) => match[1]);
    expect(ENUMS.map(([name]) => name).sort()).toEqual(inHeader.sort());
  });

  test('mirrors every number of the header', () => {
    const defines = [...HEADER.matchAll(/^#define HRUN_(\w+) +(\S.*)$/gm)]
      .filter(([, name]) => name !== 'PROTOCOL_H')
      .map(([, name, value]) => [name, evaluate(value!)]);
    expect(defines.length).toBeGreaterThan(5);
    for (const [name, value] of defines) expect(protocol).toHaveProperty(String(name), value);
  });
});

function enumMembers(name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(HEADER)?.[1];
  if (body === undefined) throw new Error(`no enum ${name}`);
  return Object.fromEntries(
    [...body.matchAll(/(\w+)\s*=\s*(\d+)/g)].map((match) => [match[1]!, Number(match[2])]),
  );
}

/** A product of integer literals, as the header writes sizes. */
function evaluate(expression: string): number {
  return expression
    .replace(/[()u\s]/g, '')
    .split('*')
    .reduce((product, factor) => product * Number(factor), 1);
}
