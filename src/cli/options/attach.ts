// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../../base/errors.ts';
import type { StandardStream } from '../../core/container-options.ts';

const STREAMS: readonly StandardStream[] = ['stdin', 'stdout', 'stderr'];

/** Which streams -a names, in any case; undefined for none said. USAGE for what is no stream. */
export function parseAttach(texts: readonly string[]): StandardStream[] | undefined {
  if (texts.length === 0) return undefined;
  return texts.map((text) => {
    const stream = STREAMS.find((name) => name === text.toLowerCase());
    if (stream !== undefined) return stream;
    throw new HrunError('USAGE', `--attach "${text}" is not a stream`, { hint: `use ${STREAMS.join(', ')}` });
  });
}
