// SPDX-License-Identifier: Apache-2.0
// Compiles the JSON schemas into TypeScript files that need no library: loading and running ajv's compiler
// costs more than the rest of a command's start. `node scripts/generate-validators.ts` writes the files;
// test/oci/validators.test.ts fails when they do not fit the schemas.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { configFileSchema } from '../src/core/config-schema.ts';
import { archiveManifestSchema, configSchema, indexSchema, manifestSchema } from '../src/oci/schemas.ts';

/** Generated file → exported function → schema. */
const FILES: Record<string, Record<string, object>> = {
  'src/oci/validators.generated.ts': {
    validateManifest: manifestSchema,
    validateIndex: indexSchema,
    validateConfig: configSchema,
    validateArchiveManifest: archiveManifestSchema,
  },
  'src/core/config-validator.generated.ts': { validateConfigFile: configFileSchema },
};

const HEADER = `// SPDX-License-Identifier: Apache-2.0
// Written by scripts/generate-validators.ts; change the schemas, not this file.
// biome-ignore-all lint: generated
// biome-ignore-all format: generated
// @ts-nocheck
`;

/** The text of every generated file, by its path in the repository. */
export function generateValidators(): Map<string, string> {
  return new Map(Object.entries(FILES).map(([path, schemas]) => [path, generate(schemas)]));
}

function generate(schemas: Record<string, object>): string {
  const ajv = new Ajv({ code: { source: true, esm: true, lines: true }, allowUnionTypes: true });
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema({ ...schema, $id: name });
  const names = Object.fromEntries(Object.keys(schemas).map((name) => [name, name]));
  const code = standaloneCode.default(ajv, names);
  if (/\brequire\(/.test(code)) throw new Error('a schema uses a keyword that needs ajv at run time');
  return `${HEADER}${code.replace(/^"use strict";/, '').trimEnd()}\n`;
}

if (import.meta.main) {
  for (const [path, text] of generateValidators()) writeFileSync(join(import.meta.dirname, '..', path), text);
}
