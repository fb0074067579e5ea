// SPDX-License-Identifier: Apache-2.0
// -v, --volume and --volumes-from, as Docker reads them.
import { posix, resolve } from 'node:path';
import { HrunError } from '../../base/errors.ts';
import type { MountRequest, VolumesFrom } from '../../core/container-options.ts';
import { checkVolumeName } from '../../volume/index.ts';

/** Options that change nothing here: SELinux labels, and what is so by default. */
const IGNORED = ['z', 'Z', 'consistent', 'private', 'rprivate'];
/** Docker's words for a mount that need not be consistent at every moment. */
const CACHED = ['cached', 'delegated'];
const PROPAGATED = ['shared', 'rshared', 'slave', 'rslave'];

/** `[HOST:]CONTAINER[:OPTIONS]`; USAGE in Docker's words, UNSUPPORTED for mounts that the host would have to pass on. */
export function parseVolume(spec: string): MountRequest {
  const parts = spec.split(':');
  if (parts.length > 3 || parts.includes('')) throw invalid(spec);
  const [source, target, mode = ''] = parts.length === 1 ? ['', parts[0]!] : parts;
  const place = containerPath(target!, (why) => invalid(spec, why));
  const host = hostPath(source!);
  const options = parseMode(mode, host !== undefined, spec);
  return {
    type: host === undefined ? 'volume' : 'bind',
    source: host ?? (source === '' ? '' : checkVolumeName(source!)),
    target: place,
    createSource: host !== undefined,
    ...{ options: '', labels: {}, driverOptions: {}, mode, spec },
    ...options,
  };
}

/** `CONTAINER[:ro|:rw]`. */
export function parseVolumesFrom(text: string): VolumesFrom {
  const [, container, mode] = /^([^:]+)(?::(ro|rw|z|Z))?$/.exec(text) ?? [];
  if (container === undefined) {
    throw new HrunError('USAGE', `invalid volumes-from: ${JSON.stringify(text)}`, {
      hint: 'use CONTAINER, CONTAINER:ro or CONTAINER:rw',
    });
  }
  return { container, readOnly: mode === 'ro' ? true : mode === 'rw' ? false : undefined };
}

/** A path in the container, normal; `fail` makes the error. */
export function containerPath(path: string, fail: (why: string) => HrunError): string {
  if (!path.startsWith('/')) throw fail(`invalid mount path: '${path}' mount path must be absolute`);
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '');
  if (normal === '/') throw fail("invalid specification: destination can't be '/'");
  return normal;
}

/** UNSUPPORTED for a propagation that would need the host's later mounts in the VM. */
export function checkPropagation(word: string): void {
  if (!PROPAGATED.includes(word)) return;
  throw new HrunError('UNSUPPORTED', `mount propagation "${word}" ends at a VM's kernel`, {
    hint: 'use rprivate, the default',
  });
}

/** The host's path that -v means; undefined for a volume's name. */
function hostPath(source: string): string | undefined {
  if (source.startsWith('/')) return posix.normalize(source).replace(/(?<=.)\/$/, '');
  return /^\.\.?(?:\/|$)/.test(source) ? resolve(source) : undefined;
}

function parseMode(mode: string, bind: boolean, spec: string) {
  const words = mode === '' ? [] : mode.split(',');
  for (const word of words) {
    const known = ['ro', 'rw', ...IGNORED, ...CACHED, ...PROPAGATED, ...(bind ? [] : ['nocopy'])];
    if (!known.includes(word) || words.filter((each) => each === word).length > 1)
      throw invalid(spec, `invalid mode: ${mode}`);
    checkPropagation(word);
  }
  if (words.includes('ro') && words.includes('rw')) throw invalid(spec, `invalid mode: ${mode}`);
  return {
    readOnly: words.includes('ro'),
    copy: !bind && !words.includes('nocopy'),
    cached: words.some((word) => CACHED.includes(word)),
  };
}

/** --mount consistency=…; undefined for a word that Docker does not know. */
export function isCached(word: string): boolean | undefined {
  return ['', 'default', 'consistent', ...CACHED].includes(word) ? CACHED.includes(word) : undefined;
}

function invalid(spec: string, why = ''): HrunError {
  return new HrunError('USAGE', `invalid volume specification: '${spec}'${why && `: ${why}`}`, {
    hint: 'use [HOST-DIRECTORY:|VOLUME:]CONTAINER-PATH[:OPTIONS]',
  });
}
