// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { recordEvent } from '../journal/index.ts';

/** Records what happened to an image; `id` is its digest, or the name that it was asked for by. */
export function recordImage(
  root: Root,
  action: 'pull' | 'load' | 'import' | 'save' | 'tag' | 'untag' | 'delete',
  id: string,
  name: string = id,
): void {
  recordEvent(root, {
    ...{ status: action, id, Type: 'image' as const, Action: action },
    Actor: { ID: id, Attributes: { name } },
  });
}
