// SPDX-License-Identifier: Apache-2.0
import { HrunError } from '../base/errors.ts';
import { createdMs, findImage, type Image, type ImageStore, imageSize, listImages } from '../image/index.ts';
import { familiarRepository, type Reference } from '../registry/index.ts';

/** One line of `hrun images`: an image under one of its names. */
export interface ImageRow {
  image: Image;
  /** `debian`; undefined for an image without a name */
  repository: string | undefined;
  tag: string | undefined;
  /** as the registry of this repository knows the image */
  digest: string | undefined;
  /** bytes, unpacked */
  size: number;
}

export interface ImageFilters {
  /** a repository, `repository:tag`, or a pattern with `*`, `?` and `[…]` */
  reference?: string[];
  dangling?: boolean;
  /** `key` or `key=value`; all must hold */
  label?: string[];
  /** an image: only older ones */
  before?: string;
  /** an image: only newer ones */
  since?: string;
}

/** The images in the store, newest first, one row for each name with a tag. */
export async function listImageRows(store: ImageStore, filters: ImageFilters = {}): Promise<ImageRow[]> {
  const before =
    filters.before === undefined ? Infinity : createdMs((await findImage(store, filters.before)).image);
  const since =
    filters.since === undefined ? -Infinity : createdMs((await findImage(store, filters.since)).image);
  const images = (await listImages(store)).filter(
    (image) => hasLabels(image, filters.label ?? []) && createdMs(image) < before && createdMs(image) > since,
  );
  const rows = await Promise.all(images.map((image) => rowsOf(store, image)));
  return rows.flat().filter((row) => isWanted(row, filters));
}

/** Parses `--filter key=value` options. Throws USAGE. */
export function parseImageFilters(texts: readonly string[]): ImageFilters {
  const filters: ImageFilters = {};
  for (const text of texts) {
    const [, key, value] = /^([a-z]+)=(.+)$/s.exec(text) ?? [];
    if (key === 'reference' || key === 'label') filters[key] = [...(filters[key] ?? []), value!];
    else if (key === 'before' || key === 'since') filters[key] = value!;
    else if (key === 'dangling' && /^(?:true|false|1|0)$/.test(value!))
      filters.dangling = /^(?:true|1)$/.test(value!);
    else
      throw new HrunError('USAGE', `"${text}" is not a filter`, {
        hint: 'use reference=, dangling=, label=, before= or since=',
      });
  }
  return filters;
}

async function rowsOf(store: ImageStore, image: Image): Promise<ImageRow[]> {
  const size = await imageSize(store, image);
  const digestOf = (repository: string) =>
    image.digests.find((name) => familiarRepository(name) === repository)?.digest;
  const tagged = image.tags.map((name) => {
    const repository = familiarRepository(name);
    return { image, repository, tag: name.tag, digest: digestOf(repository), size };
  });
  const untagged = image.digests.filter(
    (name) => !tagged.some((row) => row.repository === familiarRepository(name)),
  );
  const rows = [...tagged, ...untagged.map((name) => untaggedRow(image, name, size))];
  const bare = { image, repository: undefined, tag: undefined, digest: undefined, size };
  return rows.length > 0 ? rows : [bare];
}

function untaggedRow(image: Image, name: Reference, size: number): ImageRow {
  return { image, repository: familiarRepository(name), tag: undefined, digest: name.digest, size };
}

function hasLabels(image: Image, wanted: string[]): boolean {
  const labels = image.config.config?.Labels ?? {};
  return wanted.every((text) => {
    const equals = text.indexOf('=');
    if (equals < 0) return Object.hasOwn(labels, text);
    return labels[text.slice(0, equals)] === text.slice(equals + 1);
  });
}

function isWanted(row: ImageRow, { reference, dangling }: ImageFilters): boolean {
  if (dangling !== undefined && (row.image.tags.length === 0) !== dangling) return false;
  if (!reference) return true;
  return row.image.tags.length > 0 && reference.some((pattern) => matchesReference(row, pattern));
}

/** Docker matches the familiar name, with or without its tag, as a path pattern. */
function matchesReference(row: ImageRow, pattern: string): boolean {
  const { repository = '', tag } = row;
  const glob = globPattern(pattern);
  return glob.test(repository) || (tag !== undefined && glob.test(`${repository}:${tag}`));
}

/** `*` and `?` stop at a slash, as Go's path.Match. Throws USAGE for an open bracket. */
function globPattern(pattern: string): RegExp {
  const source = pattern.replace(/\[\^?[^\]]+\]|[\\^$.|+(){}[\]*?]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1) return part.replaceAll('\\', '\\\\');
    return `\\${part}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (error) {
    throw new HrunError('USAGE', `"${pattern}" is not a pattern`, { cause: error });
  }
}
