// SPDX-License-Identifier: Apache-2.0
// Bundles the CLI into dist/: one entry, one chunk per command that is loaded on demand.
// dist/hrun.js turns on Node's compile cache before anything else is compiled: the CLI's start-up
// time is part of every container's.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const unfinished = join(root, 'dist.new'); // an hrun that is called meanwhile finds the old bundle
rmSync(unfinished, { recursive: true, force: true });
await build({
  entryPoints: { main: join(root, 'src/cli/main.ts') },
  outdir: unfinished,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  chunkNames: 'chunk-[hash]',
  // Packages written as CommonJS ask for `require`.
  banner: {
    js: "import{createRequire as __hrunRequire}from'node:module';const require=__hrunRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
writeFileSync(
  join(unfinished, 'hrun.js'),
  `import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
enableCompileCache(join(import.meta.dirname, '..', 'build', 'compile-cache'));
await import('./main.js');
`,
);
rmSync(dist, { recursive: true, force: true });
renameSync(unfinished, dist);
