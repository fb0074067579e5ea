// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { LogAttributeOption, LogOptions } from '../../core/container-options.ts';
import { parseBytes } from './quantity.ts';

const ATTRIBUTES: readonly LogAttributeOption[] = ['labels', 'labels-regex', 'env', 'env-regex'];

/** All --log-opt of a driver; USAGE for a key that it does not have. */
export function parseLogOptions(driver: LogOptions['driver'], entries: readonly string[]): LogOptions {
  const options: LogOptions = { driver, maxBytes: 0, maxFiles: 1 };
  for (const entry of entries) {
    const [key, value = ''] = entry.split(/=(.*)/s, 2);
    if (driver === 'json-file' && key === 'max-size') options.maxBytes = maxSize(value);
    else if (driver === 'json-file' && key === 'max-file') options.maxFiles = maxFile(value);
    else if (driver === 'json-file' && isAttribute(key)) {
      options.attributes = { ...options.attributes, [key]: checked(key, value) };
    } else throw unknown(entry, driver);
  }
  if (options.maxFiles > 1 && options.maxBytes === 0) {
    throw new HrunError('USAGE', '--log-opt max-file needs a max-size', {
      hint: 'for example --log-opt max-size=10m',
    });
  }
  return options;
}

function isAttribute(key: string | undefined): key is LogAttributeOption {
  return ATTRIBUTES.some((name) => name === key);
}

/** A pattern has to be one. */
function checked(key: LogAttributeOption, value: string): string {
  try {
    if (key.endsWith('-regex')) new RegExp(value);
    return value;
  } catch (cause) {
    throw new HrunError('USAGE', `--log-opt ${key}: ${JSON.stringify(value)} is not a regular expression`, {
      cause,
    });
  }
}

/** -1 is unlimited, as with Docker. */
function maxSize(value: string): number {
  return value === '-1' ? 0 : parseBytes(value, '--log-opt max-size');
}

function maxFile(value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new HrunError('USAGE', `--log-opt max-file ${JSON.stringify(value)} is not a number from 1`);
}

function unknown(entry: string, driver: string): HrunError {
  return new HrunError('USAGE', `--log-opt ${JSON.stringify(entry)} means nothing to the driver ${driver}`, {
    hint: `json-file has max-size, max-file, ${ATTRIBUTES.join(', ')}`,
  });
}
