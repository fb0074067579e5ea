// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../base/root.ts';
import { recordEvent } from '../journal/index.ts';
import type { Network } from './network.ts';

/** Records what happened between a network and a container. */
export function recordNetwork(
  root: Root,
  { id, name }: Pick<Network, 'id' | 'name'>,
  action: 'connect' | 'disconnect',
  container: string,
): void {
  const Attributes = { container, name, type: 'bridge' };
  recordEvent(root, { Type: 'network', Action: action, Actor: { ID: id, Attributes } });
}
