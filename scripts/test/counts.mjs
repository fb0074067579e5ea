// SPDX-License-Identifier: Apache-2.0
// Sums what the lanes of scripts/test.sh left in a directory: says again, at the end of a long output, which tests failed
// and why, and last of all one line, `N passed, N failed[, N skipped]`. Exit code 1 if anything failed, or nothing ran.
//   <lane>.json   test/reporter.ts              <lane>.xml    ctest --output-junit
//   checks.txt    what scripts/check.sh said    <lane>.lost   the lane gave no counts
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

/** Lines of a failed test's output that are said again. */
const LINES = 25;

const dir = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(dir)) {
  const text = readFileSync(join(dir, file), 'utf8');
  const lane = basename(file, extname(file));
  if (file.endsWith('.json')) add(lane, JSON.parse(text));
  if (file.endsWith('.xml'))
    for (const test of text.split('<testcase ').slice(1)) add(lane, ctestCounts(test));
  if (file.endsWith('.txt')) add(lane, checkCounts(text));
  if (file.endsWith('.lost')) add(lane, { passed: 0, failed: 1, skipped: 0, failures: ['the lane itself'] });
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(lane, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  for (const failure of counts.failures) console.log(`FAILED (${lane}): ${failure}\n`);
}

/** A line that begins with ok or FAIL for each check, and below the latter what it said. */
function checkCounts(text) {
  const checks = text.split(/^(?=ok {4}|FAIL {2})/m).filter((check) => /^(ok|FAIL) /.test(check));
  const failures = checks
    .filter((check) => check.startsWith('FAIL'))
    .map((check) => check.slice('FAIL'.length).trim());
  if (checks.length === 0) failures.push('scripts/check.sh did not run');
  const passed = checks.filter((check) => check.startsWith('ok')).length;
  return { passed, failed: failures.length, skipped: 0, failures };
}

/** One ctest entry: the cases of a doctest program, or one test. A program that crashed after its cases failed once more. */
function ctestCounts(xml) {
  const ok = /status="run"/.test(xml);
  const cases = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped/.exec(xml);
  const failures = ok ? [] : [`${/name="([^"]*)"/.exec(xml)?.[1]}\n${whatFailed(xml)}`];
  if (!cases) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, failures };
  const [passed, failed, skipped] = cases.slice(1).map(Number);
  return { passed, failed: ok ? failed : Math.max(failed, 1), skipped, failures };
}

/** From the first line that tells of an error on; without one, the last lines. */
function whatFailed(xml) {
  const output = /<system-out>([\s\S]*?)<\/system-out>/.exec(xml)?.[1] ?? '';
  const lines = output.trimEnd().split('\n');
  const first = lines.findIndex((line) => /\bERROR\b|runtime error:|Assertion/.test(line));
  return (first >= 0 ? lines.slice(first, first + LINES) : lines.slice(-LINES)).join('\n');
}
