// SPDX-License-Identifier: Apache-2.0
// dist/hrun.cjs, made by bundle.mjs. Node's own compile cache keeps what the first process of any command has compiled, and hashes the
// source each time; here each command has its own, named by what it was made from.
'use strict';
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const VERSION = 'VERSION';
const commands = ['COMMANDS'];
const file = join(__dirname, 'main.cjs');
const [, , first] = process.argv;
const directory = join(__dirname, '../build/compile-cache');
const cache = join(directory, `${VERSION}-${process.version}-${commands.includes(first) ? first : 'run'}`);

function compiledBefore() {
  try {
    return readFileSync(cache);
  } catch {
    return undefined; // whatever is in the way: it is compiled anew
  }
}

function keep(script) {
  const unfinished = `${cache}.${process.pid}`;
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(unfinished, script.createCachedData());
    renameSync(unfinished, cache);
  } catch {} // then the next one compiles, too
}

const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`;
const script = new Script(source, { filename: file, cachedData: compiledBefore() });
if (script.cachedDataRejected !== false) process.once('exit', () => keep(script));
script.runInThisContext()({}, require, { exports: {} }, file, __dirname);
