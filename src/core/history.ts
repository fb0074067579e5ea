// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { findImage, type ImageStore, layerPath } from '../image/index.ts';

/** One step of how an image was made. */
export interface HistoryRow {
  /** the image's ID for the newest step, undefined for those below */
  id: string | undefined;
  created: string | undefined;
  createdBy: string;
  /** bytes, unpacked */
  size: number;
  comment: string;
}

/** The steps of an image, the newest first. Layers that no step tells of come last. */
export async function imageHistory(store: ImageStore, text: string): Promise<HistoryRow[]> {
  const { image } = await findImage(store, text);
  const layers = image.diffIds.map((diffId) => layerSize(layerPath(store.root, diffId)));
  const rows = (image.config.history ?? []).map((entry) => ({
    created: entry.created ?? undefined,
    createdBy: entry.created_by ?? '',
    size: entry.empty_layer ? 0 : (layers.shift() ?? 0),
    comment: entry.comment ?? '',
  }));
  const untold = layers.map((size) => ({ created: undefined, createdBy: '', size, comment: '' }));
  return [...untold.reverse(), ...rows.reverse()].map((row, index) => ({
    id: index === 0 ? image.id : undefined,
    ...row,
  }));
}

function layerSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
