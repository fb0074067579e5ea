// SPDX-License-Identifier: Apache-2.0
export { BLOCK, makeTarHeader, padding, parseTarHeader, type TarHeader } from './header.ts';
export { type PackOptions, packTree } from './pack.ts';
export { type UnpackOptions, unpackTar } from './unpack.ts';
