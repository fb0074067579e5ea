// SPDX-License-Identifier: Apache-2.0
// templates/<key>/ is whole once it has its name: made under templates/<key>.lock in templates/<key>.making. docs/templates.md.
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, syncFile } from '../base/atomic-file.ts';
import { listDirectory, makeDirectory } from '../base/directory.ts';
import { errnoOf, HrunError } from '../base/errors.ts';
import { isNoRegularFile, readRegularFile } from '../base/regular-file.ts';
import type { Root } from '../base/root.ts';
import { native } from '../native/index.ts';
import {
  bootTemplate,
  FROZEN_FILES,
  freezeTemplate,
  type Rehearse,
  type TemplateInputs,
  templateFiles,
  templateKey,
} from './template.ts';

/** A machine that was booted in advance. */
export interface Template {
  /** 64 hex digits */
  id: string;
  /** RFC 3339 */
  created: string;
  inputs: TemplateInputs;
  /** false once one of its inputs is another: nothing starts from it any more */
  current: boolean;
  /** bytes on the host's disk */
  size: number;
  /** machines are thawed from it: docs/frozen.md */
  frozen: boolean;
  /** why that was not possible */
  notFrozen?: string | undefined;
}

const KEY = /^[0-9a-f]{64}$/;
const DESCRIPTION = 'template.json';
/** Of different sizes of machines, each with and without an interface; the oldest goes. */
const MOST_TEMPLATES = 16;
const MAKE_AGAIN_MS = 600_000;

/** The directory of the template of these inputs; undefined when there is none. */
export function findTemplate(root: Root, inputs: TemplateInputs): string | undefined {
  const key = templateKey(inputs);
  return key && isWhole(root, key, inputs) ? join(root.templates, key) : undefined;
}

/**
 * Makes the template of these inputs unless it is there, with the process that it was made with, and returns its id. With `wait` false, undefined when somebody makes
 * it already. TEMPLATE_FAILED when the machine does not boot.
 */
export async function makeTemplate(
  root: Root,
  inputs: TemplateInputs,
  { wait, rehearse }: { wait: boolean; rehearse: Rehearse },
): Promise<string | undefined> {
  const key = templateKey(inputs);
  if (!key)
    throw new HrunError('HOST_SETUP', 'a template needs kernel, initrd and engine', {
      hint: 'run: npm run setup',
    });
  if (!wait && !existsSync(root.dir)) return undefined; // the store has gone meanwhile
  await makeDirectory(root.templates, 0o700);
  const path = join(root.templates, `${key}.lock`);
  const lock =
    native().lockFile(path, { shared: false, wait: false }) ??
    (wait && (await native().lockFile(path, { shared: false, wait: true })));
  if (!lock) return undefined;
  try {
    const found = isWhole(root, key, inputs) ? readTemplate(root, key) : undefined;
    if (!found || (wait ? hasLostProcess(found) : isToBeMadeAgain(found)))
      await make(root, key, inputs, rehearse);
    return key;
  } finally {
    await rm(path, { force: true });
    lock.release();
  }
}

/** Whether it is time to make a template again that has lost its process: where no machine can be thawed, not for each that starts. */
export function isToBeMadeAgain(template: Template): boolean {
  return hasLostProcess(template) && Date.now() - Date.parse(template.created) > MAKE_AGAIN_MS;
}

/** A process that did not thaw was taken away. */
function hasLostProcess({ inputs, frozen, notFrozen }: Template): boolean {
  return inputs.engine.engine === 'qemu' && !frozen && notFrozen === undefined;
}

/** All that are whole, newest first. */
export function listTemplates(root: Root): Template[] {
  const templates = listDirectory(root.templates).flatMap((name) =>
    KEY.test(name) ? (readTemplate(root, name) ?? []) : [],
  );
  return templates.sort((a, b) => b.created.localeCompare(a.created));
}

/** Removes one; a machine that is being copied from it is not disturbed. */
export async function removeTemplate(root: Root, id: string): Promise<void> {
  const going = join(root.templates, `${id}.going`);
  await rm(going, { recursive: true, force: true });
  try {
    await rename(join(root.templates, id), going);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  await rm(going, { recursive: true, force: true });
}

/** What nobody starts from any more, and what was cut off. */
export async function sweepTemplates(root: Root): Promise<void> {
  const names = listDirectory(root.templates); // before: what comes meanwhile is whole
  const templates = listTemplates(root);
  const old = templates.filter(({ current }, index) => !current || index >= MOST_TEMPLATES);
  for (const { id } of old) await removeTemplate(root, id);
  for (const name of names) {
    if (name.endsWith('.going')) await rm(join(root.templates, name), { recursive: true, force: true });
    if (KEY.test(name) && !templates.some(({ id }) => id === name)) await removeTemplate(root, name);
  }
}

/** A template that has failed has lost its state. */
function isWhole(root: Root, key: string, inputs: TemplateInputs): boolean {
  return templateFiles(inputs).every((name) => existsSync(join(root.templates, key, name)));
}

async function make(root: Root, key: string, inputs: TemplateInputs, rehearse: Rehearse): Promise<void> {
  const making = join(root.templates, `${key}.making`);
  await rm(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o700 });
  try {
    await bootTemplate(inputs, making);
    const notFrozen = inputs.engine.engine === 'qemu' ? await freeze(inputs, making, rehearse) : undefined;
    const files = [...templateFiles(inputs), ...FROZEN_FILES];
    for (const name of readdirSync(making))
      if (!files.includes(name)) await rm(join(making, name), { recursive: true });
    const description = join(making, DESCRIPTION);
    await writeFile(
      description,
      JSON.stringify({ version: 1, created: new Date().toISOString(), inputs, notFrozen }),
    );
    await syncFile(description);
    await syncDirectory(making);
    await removeTemplate(root, key);
    await rename(making, join(root.templates, key));
    await syncDirectory(root.templates);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  await sweepTemplates(root);
}

/** What is in the way: copies are made without it. */
async function freeze(
  inputs: TemplateInputs,
  making: string,
  rehearse: Rehearse,
): Promise<string | undefined> {
  try {
    await freezeTemplate(inputs, making, rehearse);
    return undefined;
  } catch (error) {
    if (error instanceof HrunError) return error.message;
    throw error;
  }
}

/** Undefined when it is not whole. */
export function readTemplate(root: Root, id: string): Template | undefined {
  const directory = join(root.templates, id);
  try {
    const { created, inputs, notFrozen } = JSON.parse(
      readRegularFile(join(directory, DESCRIPTION)),
    ) as Template;
    const whole = templateFiles(inputs).map((name) => statSync(join(directory, name)));
    const frozen = FROZEN_FILES.flatMap(
      (name) => statSync(join(directory, name), { throwIfNoEntry: false }) ?? [],
    );
    const size = [...whole, ...frozen].reduce((sum, { blocks }) => sum + blocks * 512, 0);
    return {
      ...{ id, created, inputs, current: templateKey(inputs) === id, size },
      ...{ frozen: frozen.length === FROZEN_FILES.length, notFrozen },
    };
  } catch (error) {
    if (error instanceof SyntaxError || isNoRegularFile(error)) return undefined;
    throw error;
  }
}
