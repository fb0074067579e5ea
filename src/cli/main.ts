// SPDX-License-Identifier: Apache-2.0
import { main } from './dispatch.ts';

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
