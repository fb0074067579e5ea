// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../base/digest.ts';

/** What happens while an image comes in, for whoever wants to show it. */
export type ImageProgress =
  | { kind: 'resolving'; image: string }
  | { kind: 'layers'; layers: readonly { id: Digest; bytes: number }[] }
  | { kind: 'layer'; id: Digest; phase: 'exists' | 'transferring' | 'done'; bytes: number; total: number }
  | { kind: 'note'; text: string };

/** Called synchronously and often: must be quick and must not throw. */
export type Report = (progress: ImageProgress) => void;
