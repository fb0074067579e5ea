// SPDX-License-Identifier: Apache-2.0

export type { ImageToSave } from './archive/image-to-save.ts';
export { type LoadedImage, loadArchive } from './archive/load.ts';
export { openArchive, STDIN, unpackedStream } from './archive/open.ts';
export { type ArchiveFormat, saveArchive } from './archive/save.ts';
export { blobPath, readBlobFile, writeBlobFile } from './blob-store.ts';
export { checkImages, noteUnneeded } from './check/check-images.ts';
export { type FoundImage, findByReference, findImage } from './find.ts';
export { createdMs, type Image, imageOfManifest, imageSize, listImages, loadImage } from './image.ts';
export { recordImage } from './image-events.ts';
export { ensureLayer, type LayerInput, type WantedLayer } from './ingest.ts';
export { findLayerBlob, hasLayer, type LayerBlob, layerPath, openBlob } from './layer.ts';
export { assignNames, changeNames, type NamedManifest, readNames } from './names.ts';
export { addImage, layerDescriptor } from './new-image.ts';
export { addLayer, type NewLayer } from './new-layer.ts';
export { type Removal, removeImage } from './remove.ts';
export { mergedPath, rootDisks } from './root-disks.ts';
export { createScratch, type ScratchFile, sweepScratch } from './scratch.ts';
export { type ImageStore, lockImageStore, openImageStore } from './store.ts';
export { sweepStore, unneededFiles } from './sweep.ts';
export { type ImageUser, imageUsers } from './users.ts';
