// SPDX-License-Identifier: Apache-2.0
// JSON schemas (draft 7) of what images are made of. `node scripts/generate-validators.ts` compiles them
// into validators.generated.ts, so that no command pays for the compiler. Unknown properties are allowed,
// as image-spec considerations.md demands.

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_LAYERS = 512;
const MAX_MANIFESTS = 4096;

const mediaType = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$',
};
const digest = { type: 'string', pattern: '^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' };
const nullable = (type: string, rest: object = {}) => ({ type: [type, 'null'], ...rest });
const stringMap = nullable('object', { additionalProperties: { type: 'string' } });
const nameSet = nullable('object', { additionalProperties: { type: ['object', 'null'] } });

const platform = {
  type: 'object',
  required: ['os', 'architecture'],
  properties: {
    os: { type: 'string' },
    architecture: { type: 'string' },
    variant: { type: 'string' },
  },
};

const descriptor = {
  type: 'object',
  required: ['mediaType', 'digest', 'size'],
  properties: {
    mediaType,
    digest,
    size: { type: 'integer', minimum: 0, maximum: MAX_SAFE },
    urls: nullable('array', { items: { type: 'string' }, maxItems: 64 }),
    annotations: stringMap,
    platform,
  },
};

/** image-spec manifest.md and Docker's image manifest v2, schema 2. */
export const manifestSchema = {
  type: 'object',
  required: ['schemaVersion', 'config', 'layers'],
  properties: {
    schemaVersion: { enum: [2] },
    mediaType,
    config: descriptor,
    layers: { type: 'array', items: descriptor, maxItems: MAX_LAYERS },
    annotations: stringMap,
  },
};

/** image-spec image-index.md and Docker's manifest list. */
export const indexSchema = {
  type: 'object',
  required: ['schemaVersion', 'manifests'],
  properties: {
    schemaVersion: { enum: [2] },
    mediaType,
    manifests: { type: 'array', items: descriptor, maxItems: MAX_MANIFESTS },
    annotations: stringMap,
  },
};

const healthcheck = nullable('object', {
  properties: {
    Test: nullable('array', { items: { type: 'string' } }),
    Interval: { type: 'integer' },
    Timeout: { type: 'integer' },
    StartPeriod: { type: 'integer' },
    StartInterval: { type: 'integer' },
    Retries: { type: 'integer' },
  },
});

/** image-spec config.md, with the nulls that Docker writes for what is empty. */
export const configSchema = {
  type: 'object',
  required: ['architecture', 'os', 'rootfs'],
  properties: {
    created: nullable('string'),
    author: { type: 'string' },
    architecture: { type: 'string' },
    os: { type: 'string' },
    variant: { type: 'string' },
    config: nullable('object', {
      properties: {
        User: { type: 'string' },
        ExposedPorts: nameSet,
        Env: nullable('array', { items: { type: 'string' } }),
        Entrypoint: nullable('array', { items: { type: 'string' } }),
        Cmd: nullable('array', { items: { type: 'string' } }),
        Volumes: nameSet,
        WorkingDir: { type: 'string' },
        Labels: stringMap,
        StopSignal: { type: 'string' },
        Shell: nullable('array', { items: { type: 'string' } }),
        Healthcheck: healthcheck,
      },
    }),
    rootfs: {
      type: 'object',
      required: ['type'],
      properties: {
        type: { enum: ['layers'] },
        diff_ids: nullable('array', { items: digest, maxItems: MAX_LAYERS }),
      },
    },
    history: nullable('array', {
      items: {
        type: 'object',
        properties: {
          created: nullable('string'),
          created_by: { type: 'string' },
          author: { type: 'string' },
          comment: { type: 'string' },
          empty_layer: { type: 'boolean' },
        },
      },
    }),
  },
};

/** `manifest.json` of a docker-archive, as `docker save` writes it. */
export const archiveManifestSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['Config', 'Layers'],
    properties: {
      Config: { type: 'string' },
      RepoTags: nullable('array', { items: { type: 'string' } }),
      Layers: nullable('array', { items: { type: 'string' }, maxItems: MAX_LAYERS }),
    },
  },
};
