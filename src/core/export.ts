// SPDX-License-Identifier: Apache-2.0
import { writeOutputFile } from '../base/output-file.ts';
import type { Root } from '../base/root.ts';
import { recordContainer } from '../container/index.ts';
import { Archive, archiveOutput } from '../guest/index.ts';
import { openContainer } from './open-container.ts';
import { openGuest } from './service-vm.ts';

/** All files of a container as one tar, through `sink`, which takes its bytes in order. */
export async function exportContainer(
  root: Root,
  text: string,
  sink: (bytes: Buffer) => void | Promise<void>,
): Promise<void> {
  const container = await openContainer(root, text);
  await using guest = await openGuest(container);
  recordContainer(root, container.config, 'export');
  for await (const piece of archiveOutput(await guest.connect(), { operation: Archive.EXPORT }))
    await sink(piece);
}

/** The same in the file `path`, which appears only when it is whole. */
export async function exportContainerTo(root: Root, text: string, path: string): Promise<void> {
  await writeOutputFile(path, 0o600, (sink) => exportContainer(root, text, sink));
}
