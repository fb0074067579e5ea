// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { EgressPolicy } from '../../core/container-options.ts';
import {
  formatSubnet,
  formatSubnet6,
  isPrefix,
  isPrefix6,
  parseIPv4,
  parseIPv6,
  sizeOf,
  sizeOf6,
} from '../../network/index.ts';

const NONE = 'none';
const NAME =
  /^(?:\*\.)?(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** --egress: `allow=10.0.0.0/8`, `allow=192.0.2.7`, `allow=fd00::/8`, `allow=example.com`, `allow=*.example.com`, or `none`; undefined when it is not given. USAGE. */
export function parseEgress(texts: readonly string[]): EgressPolicy | undefined {
  if (texts.length === 0) return undefined;
  const policy = { subnets: new Set<string>(), names: new Set<string>() };
  for (const text of texts.filter((each) => each !== NONE)) {
    const [, target] = /^allow=(.+)$/.exec(text) ?? [];
    if (target === undefined) throw wrong(text);
    if (target.includes(':')) policy.subnets.add(parseTarget6(target, text));
    else if (/^[\d./]+$/.test(target)) policy.subnets.add(parseTarget(target, text));
    else policy.names.add(checkName(target.toLowerCase().replace(/\.$/, ''), text));
  }
  const { subnets, names } = policy;
  if (texts.includes(NONE) && subnets.size + names.size > 0) {
    throw new HrunError('USAGE', '--egress none and --egress allow= contradict each other', {
      hint: 'leave one out',
    });
  }
  return { subnets: [...subnets], names: [...names] };
}

/** As a subnet without bits behind its prefix: `10.1.2.3/8` is all of 10.0.0.0/8. */
function parseTarget(target: string, text: string): string {
  const [address = '', prefix = '32', ...rest] = target.split('/');
  const number = parseIPv4(address);
  if (number === undefined || rest.length > 0 || !isPrefix(prefix)) throw wrong(text);
  const size = sizeOf({ first: 0, prefix: Number(prefix) });
  return formatSubnet({ first: number - (number % size), prefix: Number(prefix) });
}

/** The same of IPv6. */
function parseTarget6(target: string, text: string): string {
  const [address = '', prefix = '128', ...rest] = target.split('/');
  const number = parseIPv6(address);
  if (number === undefined || rest.length > 0 || !isPrefix6(prefix)) throw wrong(text);
  const size = sizeOf6({ prefix: Number(prefix) });
  return formatSubnet6({ first: number - (number % size), prefix: Number(prefix) });
}

function checkName(name: string, text: string): string {
  if (NAME.test(name)) return name;
  throw wrong(text);
}

function wrong(text: string): HrunError {
  return new HrunError('USAGE', `--egress ${JSON.stringify(text)} is not what a container may reach`, {
    hint: 'use allow=10.0.0.0/8, allow=192.0.2.7, allow=fd00::/8, allow=example.com, allow=*.example.com, or none',
  });
}
