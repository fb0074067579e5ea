// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { recordEvent } from '../journal/index.ts';
import type { ContainerConfig } from './container-config.ts';

/** Records what happened to a container; with its labels, image and name, and `more`. */
export function recordContainer(
  root: Root,
  { id, name, image, labels }: Pick<ContainerConfig, 'id' | 'name' | 'image' | 'labels'>,
  action: string,
  more: Record<string, string> = {},
): void {
  const Attributes = { ...labels, image, name, ...more };
  recordEvent(root, {
    ...{ status: action, id, from: image, Type: 'container' as const, Action: action },
    Actor: { ID: id, Attributes },
  });
}
