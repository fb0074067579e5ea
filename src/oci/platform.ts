// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import type { Descriptor, Platform } from './descriptor.ts';

/** Other names of an architecture, as `--platform` and registries spell them; the value is the one in images. */
const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};

/** What this host runs. */
export const HOST_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

/** Parses `os/arch[/variant]`, `os` or `arch` (as Docker's `--platform`). Throws USAGE. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new HrunError('USAGE', `"${text}" is not a platform`, {
      hint: 'use OS/ARCH, for example linux/amd64',
    });
  }
  const [first, second, variant] = parts as [string, string | undefined, string | undefined];
  if (second !== undefined)
    return normalize({ os: first, architecture: second, ...(variant && { variant }) });
  if (first === 'linux') return HOST_PLATFORM;
  return normalize({ os: 'linux', architecture: first });
}

/** `linux/arm64/v8` as people write it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}

/** How well an image of platform `offered` serves `wanted`: 0 is exact, undefined not at all. */
export function platformRank(offered: Platform, wanted: Platform): number | undefined {
  const [a, b] = [normalize(offered), normalize(wanted)];
  if (a.os !== b.os || a.architecture !== b.architecture) return undefined;
  const [have, most] = [variantLevel(a), variantLevel(b)];
  return have <= most ? most - have : undefined;
}

/** The entry of an index that serves `wanted` best, the first of equals; undefined when none does. */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  let best: { rank: number; descriptor: Descriptor } | undefined;
  for (const descriptor of manifests) {
    const rank = descriptor.platform && platformRank(descriptor.platform, wanted);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, descriptor };
  }
  return best?.descriptor;
}

function normalize(platform: Platform): Platform {
  const architecture = platform.architecture.toLowerCase();
  const known = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined;
  const variant = (platform.variant || known?.variant || '').toLowerCase();
  const result = { os: platform.os.toLowerCase(), architecture: known?.architecture ?? architecture };
  return variant ? { ...result, variant } : result;
}

/** Variants are levels: an amd64/v3 host runs v2 images, arm/v7 runs v6. No variant is the base level. */
function variantLevel({ architecture, variant }: Platform): number {
  const base = architecture === 'arm64' ? 8 : architecture === 'arm' ? 7 : 1;
  const level = /^v?(\d)/.exec(variant ?? '');
  return level ? Number(level[1]) : base;
}
