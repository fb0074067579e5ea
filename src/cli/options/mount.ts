// SPDX-License-Identifier: Apache-2.0
// --mount, as Docker reads it: comma-separated key=value, fields in double quotes where they hold a comma.
import { resolve } from 'node:path';
import { HrunError } from '../../base/errors.ts';
import type { MountRequest } from '../../core/container-options.ts';
import { checkVolumeName } from '../../volume/index.ts';
import { parseBytes } from './quantity.ts';
import { checkPropagation, containerPath, isCached } from './volume.ts';

const TYPES = ['bind', 'volume', 'tmpfs'] as const;
type MountType = (typeof TYPES)[number];

const NAMES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};

/** Which type a key belongs to; those of none belong to all. */
const KEYS: Readonly<Record<string, MountType | undefined>> = {
  type: undefined,
  source: undefined,
  target: undefined,
  readonly: undefined,
  consistency: undefined,
  'bind-propagation': 'bind',
  'bind-recursive': 'bind',
  'bind-create-src': 'bind',
  'volume-nocopy': 'volume',
  'volume-label': 'volume',
  'volume-driver': 'volume',
  'volume-opt': 'volume',
  'tmpfs-size': 'tmpfs',
  'tmpfs-mode': 'tmpfs',
};

/** Keys that are a switch when they have no value. */
const SWITCHES = ['readonly', 'volume-nocopy', 'bind-create-src'];

type Fields = ReadonlyMap<string, readonly string[]>;

/** USAGE in Docker's words for what is wrong. */
export function parseMount(text: string): MountRequest {
  const fields = fieldsOf(text);
  const last = (key: string) => fields.get(key)?.at(-1);
  const type = mountType(last('type') ?? 'volume', text);
  checkKeys(fields, type, text);
  const target = last('target');
  if (target === undefined) throw invalid(text, 'target is required');
  checkPropagation(last('bind-propagation') ?? '');
  return {
    type,
    source: mountSource(type, last('source') ?? '', text),
    target: containerPath(target, (why) => invalid(text, why)),
    readOnly: isOn(last('readonly'), text),
    mode: '',
    copy: type === 'volume' && !isOn(last('volume-nocopy'), text),
    createSource: type === 'bind' && isOn(last('bind-create-src'), text),
    cached: consistency(last('consistency') ?? '', text),
    options: tmpfsOptions(last('tmpfs-size'), last('tmpfs-mode'), text),
    labels: pairs(fields.get('volume-label')),
    driverOptions: pairs(fields.get('volume-opt')),
    spec: undefined,
  };
}

function consistency(word: string, text: string): boolean {
  const cached = isCached(word);
  if (cached !== undefined) return cached;
  throw invalid(
    text,
    `consistency ${JSON.stringify(word)} is not known: use consistent, cached or delegated`,
  );
}

function fieldsOf(text: string): Fields {
  const fields = new Map<string, string[]>();
  const matches = [...text.matchAll(/(?<=^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)];
  if (matches.map(([whole]) => whole).join(',') !== text) throw invalid(text, 'a quote is out of place');
  for (const [, quoted, plain] of matches) {
    const field = quoted?.replaceAll('""', '"') ?? plain!;
    const [written = '', value] = field.split(/=(.*)/s, 2);
    const key = NAMES[written.toLowerCase()] ?? written.toLowerCase();
    if (value === undefined && !SWITCHES.includes(key))
      throw invalid(text, `invalid field '${field}' must be a key=value pair`);
    if (!Object.hasOwn(KEYS, key)) throw invalid(text, `unexpected key '${written}' in '${field}'`);
    fields.set(key, [...(fields.get(key) ?? []), value ?? 'true']);
  }
  return fields;
}

function mountType(text: string, mount: string): MountType {
  const type = TYPES.find((each) => each === text.toLowerCase());
  if (type) return type;
  throw invalid(mount, `mount type ${JSON.stringify(text)} is not known: use ${TYPES.join(', ')}`);
}

function checkKeys(fields: Fields, type: MountType, text: string): void {
  for (const key of fields.keys()) {
    const owner = KEYS[key];
    if (owner !== undefined && owner !== type)
      throw invalid(text, `cannot mix '${owner}-*' options with mount type '${type}'`);
  }
  const driver = fields.get('volume-driver')?.at(-1) ?? 'local';
  if (driver !== 'local')
    throw invalid(text, `there is no volume driver ${JSON.stringify(driver)}, only local`);
  const recursive = fields.get('bind-recursive')?.at(-1) ?? 'enabled';
  if (recursive !== 'enabled') throw invalid(text, `bind-recursive=${recursive} is not there, only enabled`);
}

function mountSource(type: MountType, source: string, text: string): string {
  if (type === 'tmpfs' && source !== '') throw invalid(text, 'field Source must not be specified');
  if (type === 'volume') return source === '' ? '' : checkVolumeName(source);
  if (type === 'bind' && source === '') throw invalid(text, 'field Source must not be empty');
  if (type === 'bind' && !/^(?:\/|\.\.?(?:\/|$))/.test(source))
    throw invalid(text, `invalid mount path: '${source}' mount path must be absolute`);
  return type === 'bind' ? resolve(source) : '';
}

function isOn(value: string | undefined, text: string): boolean {
  if (value === undefined || ['0', 'false'].includes(value.toLowerCase())) return false;
  if (['1', 'true'].includes(value.toLowerCase())) return true;
  throw invalid(text, `invalid value: ${value}`);
}

function tmpfsOptions(size: string | undefined, mode: string | undefined, text: string): string {
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode))
    throw invalid(text, `invalid value for tmpfs-mode: ${mode}`);
  const options = [
    ...(size === undefined ? [] : [`size=${parseBytes(size, 'tmpfs-size')}`]),
    ...(mode === undefined ? [] : [`mode=${mode}`]),
  ];
  return options.join(',');
}

function pairs(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => text.split(/=(.*)/s, 2)).map(([key, value = '']) => [key, value]),
  );
}

function invalid(text: string, why: string): HrunError {
  return new HrunError('USAGE', `invalid argument ${JSON.stringify(text)} for "--mount" flag: ${why}`);
}
