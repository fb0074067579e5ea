// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { recordEvent } from '../journal/index.ts';

/** Records what happened to a volume. */
export function recordVolume(
  root: Root,
  action: 'create' | 'mount' | 'destroy',
  name: string,
  more: Record<string, string> = {},
): void {
  const Attributes = { driver: 'local', ...more };
  recordEvent(root, { Type: 'volume', Action: action, Actor: { ID: name, Attributes } });
}
