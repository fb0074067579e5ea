// SPDX-License-Identifier: Apache-2.0
// Counts a vitest run for scripts/test.sh, with what failed and why, and prints why each skipped test was skipped. In CI
// a skip counts as a failure, unless its reason, or "(…)" at the end of a name, begins with "this host cannot": something no
// set-up could give the machine.
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

const ALLOWED = /^this host cannot/;
const ALLOWED_IN_NAME = /\((this host cannot: [^()]*)\)/;

export default class CountReporter implements Reporter {
  readonly #failures: string[] = [];
  #passed = 0;
  #skipped = 0;

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'passed') this.#passed++;
    else if (result.state === 'failed') this.#failures.push(told(nameOf(test), result.errors));
    else this.#skip(nameOf(test), ALLOWED_IN_NAME.exec(nameOf(test))?.[1] ?? noteOf(result));
  }

  /** A file that cannot be loaded has no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    for (const error of module.errors()) this.#failures.push(told(module.relativeModuleId, [error]));
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const path = process.env.HRUN_TEST_COUNTS;
    const failures = [...this.#failures, ...unhandled.map((error) => told('outside a test', [error]))];
    const counts = { passed: this.#passed, failed: failures.length, skipped: this.#skipped, failures };
    if (path) writeFileSync(path, JSON.stringify(counts));
  }

  #skip(name: string, reason: string): void {
    const mayBe = process.env.CI !== 'true' || ALLOWED.test(reason);
    if (mayBe) this.#skipped++;
    else this.#failures.push(`${name}: skipped in CI: ${reason}`);
    console.log(`${mayBe ? 'skipped' : 'FAIL: skipped in CI'}: ${name}: ${reason}`);
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

function told(name: string, errors: readonly { message: string; stack?: string }[]): string {
  return [name, ...errors.map((error) => error.stack ?? error.message)].join('\n');
}

function noteOf(result: object): string {
  return 'note' in result && typeof result.note === 'string' ? result.note : 'no reason given';
}
