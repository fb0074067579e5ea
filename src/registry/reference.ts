// SPDX-License-Identifier: Apache-2.0
// Image names, by the grammar and the normalization rules of Docker (the "distribution/reference" rules).
import { type Digest, isDigest } from '../base/digest.ts';
import { HrunError } from '../base/errors.ts';

/** A normalized image name; `domain` and `path` are always there. */
export interface Reference {
  /** host[:port] of the registry, `docker.io` for Docker Hub */
  readonly domain: string;
  /** the repository in the registry: `library/ubuntu` */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL_PREFIX = 'library/';
const DEFAULT_TAG = 'latest';
const MAX_NAME_LENGTH = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** Parses and normalizes what a user typed; no tag is added. Throws BAD_REFERENCE. */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text)) throw bad(text, 'a name cannot be 64 hexadecimal digits');
  const { name, digest } = splitDigest(text);
  const { domain, remainder } = splitDomain(name);
  const { path, tag } = splitTag(remainder, text);
  checkName(domain, path, text);
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
}

/** The reference with `:latest` added when it has neither a tag nor a digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag || reference.digest ? reference : { ...reference, tag: DEFAULT_TAG };
}

/** Parses and adds the default tag: `ubuntu` becomes docker.io/library/ubuntu:latest. */
export function parseTagged(text: string): Reference {
  return withDefaultTag(parseReference(text));
}

/** The full name: `docker.io/library/ubuntu:latest`. */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** The name as Docker shows it, without what normalization added: `ubuntu:latest`. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** The repository as Docker shows it: `ubuntu`, `localhost:5000/team/app`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
  return short.includes('/') ? path : short;
}

/** True when `text` is a valid registry name: host[:port]. */
export function isRegistryName(text: string): boolean {
  return DOMAIN.test(text);
}

/** Docker Hub has two names. */
export function canonicalDomain(domain: string): string {
  return domain === 'index.docker.io' ? DEFAULT_DOMAIN : domain;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest ? `@${digest}` : ''}`;
}

function splitDigest(text: string): { name: string; digest?: Digest } {
  const at = text.indexOf('@');
  if (at < 0) return { name: text };
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw bad(text, 'the part after @ is not a sha256 or sha512 digest');
  return { name: text.slice(0, at), digest };
}

/** The part before the first / is a domain when it looks like a host: has a dot, a port, an upper-case letter, or is localhost. */
function splitDomain(name: string): { domain: string; remainder: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = isDomain ? canonicalDomain(first) : DEFAULT_DOMAIN;
  const remainder = isDomain ? name.slice(slash + 1) : name;
  if (domain === DEFAULT_DOMAIN && !remainder.includes('/')) {
    return { domain, remainder: OFFICIAL_PREFIX + remainder };
  }
  return { domain, remainder };
}

function splitTag(remainder: string, text: string): { path: string; tag?: string } {
  const colon = remainder.indexOf(':');
  if (colon < 0) return { path: remainder };
  const tag = remainder.slice(colon + 1);
  if (!TAG.test(tag)) throw bad(text, 'the tag is not valid');
  return { path: remainder.slice(0, colon), tag };
}

function checkName(domain: string, path: string, text: string): void {
  if (path.toLowerCase() !== path) throw bad(text, 'the repository name must be lower case');
  if (!PATH.test(path) || !DOMAIN.test(domain)) throw bad(text);
  if (path.length > MAX_NAME_LENGTH) throw bad(text, `the repository name is longer than ${MAX_NAME_LENGTH}`);
}

function bad(text: string, why = 'the format is not valid'): HrunError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new HrunError('BAD_REFERENCE', `"${shown}" is not an image name: ${why}`, {
    hint: 'use [REGISTRY/]NAME[:TAG][@DIGEST]',
  });
}
