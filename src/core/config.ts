// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf, HrunError, systemMessage } from '../base/errors.ts';
import type { Validator } from '../oci/index.ts';
import type { RegistryTable } from '../registry/index.ts';
import { validateConfigFile } from './config-validator.generated.ts';

/** hrun's configuration, docs/configuration.md. */
export interface Config {
  readonly registries: RegistryTable;
  readonly pull: { readonly parallelLayers: number };
  /** where CNI lists and plug-ins are, if not where they are looked for */
  readonly cni: CniConfig;
}

/** Absolute paths. */
interface CniConfig {
  readonly configDirectory?: string;
  readonly pluginDirectories?: readonly string[];
}

interface ConfigFile {
  registries?: RegistryTable;
  pull?: { parallelLayers?: number };
  cni?: CniConfig;
}

const SYSTEM_FILE = '/etc/hrun/config.json';
const DEFAULT_PARALLEL_LAYERS = 3;

/**
 * Reads $HRUN_CONFIG if it is set, else /etc/hrun/config.json and then $XDG_CONFIG_HOME/hrun/config.json, whose
 * settings win registry by registry. Throws CONFIG with the file and the place in it.
 */
export async function loadConfig(env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const files = env.HRUN_CONFIG
    ? [await readConfigFile(env.HRUN_CONFIG, true)]
    : [await readConfigFile(SYSTEM_FILE, false), await readConfigFile(userFile(env), false)];
  const [first, second = {}] = files as [ConfigFile, ConfigFile?];
  return {
    registries: { ...first.registries, ...second.registries },
    pull: { parallelLayers: DEFAULT_PARALLEL_LAYERS, ...first.pull, ...second.pull },
    cni: { ...first.cni, ...second.cni },
  };
}

function userFile(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'hrun', 'config.json');
}

async function readConfigFile(path: string, required: boolean): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!required && (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR')) return {};
    throw new HrunError('CONFIG', `${path} cannot be read: ${systemMessage(error)}`, { cause: error });
  }
  return parseConfigFile(text, path);
}

function parseConfigFile(text: string, path: string): ConfigFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HrunError('CONFIG', `${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const validate: Validator = validateConfigFile;
  if (validate(value)) return value as ConfigFile;
  const [first] = validate.errors ?? [];
  const odd = first?.params?.additionalProperty;
  const what = odd === undefined ? (first?.message ?? 'is not valid') : `has no setting "${odd}"`;
  throw new HrunError('CONFIG', `${path}: ${first?.instancePath || 'the file'} ${what}`, {
    hint: 'see docs/configuration.md',
  });
}
