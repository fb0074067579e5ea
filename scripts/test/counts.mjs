// SPDX-License-Identifier: Apache-2.0
// Sums the counts that the lanes of scripts/test.sh left in a directory, one line at the end:
// `N passed, N failed[, N skipped]`. Exit code 1 if anything failed, or nothing ran.
//   <lane>.json   test/reporter.ts      <lane>.xml   ctest --output-junit      <lane>.lost   the lane gave no counts
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const dir = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(dir)) {
  const text = readFileSync(join(dir, file), 'utf8');
  if (file.endsWith('.json')) add(JSON.parse(text));
  if (file.endsWith('.xml')) for (const test of text.split('<testcase ').slice(1)) add(ctestCounts(test));
  if (file.endsWith('.lost')) add({ passed: 0, failed: 1, skipped: 0 });
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}

/** One ctest entry: the cases of a doctest program, or one test. A program that crashed after its cases failed once more. */
function ctestCounts(xml) {
  const ok = /status="run"/.test(xml);
  const cases = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped/.exec(xml);
  if (!cases) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  const [passed, failed, skipped] = cases.slice(1).map(Number);
  return { passed, failed: ok ? failed : Math.max(failed, 1), skipped };
}
