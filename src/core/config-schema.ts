// SPDX-License-Identifier: Apache-2.0

const registry = {
  type: 'object',
  additionalProperties: false,
  properties: {
    plainHttp: { type: 'boolean' },
    ca: { type: 'string', pattern: '^/' },
    mirrors: { type: 'array', items: { type: 'string', pattern: '^https?://[^/?#]+/?$' } },
    tokenRealms: { type: 'array', items: { type: 'string', pattern: '^https?://[^/?#]+/?$' } },
  },
};

/** JSON schema of hrun's configuration file, docs/configuration.md. */
export const configFileSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    registries: {
      type: 'object',
      additionalProperties: registry,
      propertyNames: { pattern: '^(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$' },
    },
    pull: {
      type: 'object',
      additionalProperties: false,
      properties: { parallelLayers: { type: 'integer', minimum: 1, maximum: 16 } },
    },
    cni: {
      type: 'object',
      additionalProperties: false,
      properties: {
        configDirectory: { type: 'string', pattern: '^/' },
        pluginDirectories: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^/[^:]*$' } },
      },
    },
  },
};
