// SPDX-License-Identifier: Apache-2.0
// Counts a vitest run for scripts/test.sh, and prints why each skipped test was skipped. In CI a skip counts as a
// failure, unless its reason begins with "this host cannot": something no set-up could give the machine.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const ALLOWED = /^this host cannot/;

export default class CountReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === 'passed') this.#passed++;
    else if (result.state === 'failed') this.#failed++;
    else this.#skip(`${test.module.relativeModuleId} > ${test.fullName}`, noteOf(result));
  }

  /** A file that cannot be loaded has no tests that could fail. */
  onTestModuleEnd(module: TestModule): void {
    this.#failed += module.errors().length;
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const path = process.env.HRUN_TEST_COUNTS;
    const counts = { passed: this.#passed, failed: this.#failed + unhandled.length, skipped: this.#skipped };
    if (path) writeFileSync(path, JSON.stringify(counts));
  }

  #skip(name: string, reason: string): void {
    const mayBe = process.env.CI !== 'true' || ALLOWED.test(reason);
    if (mayBe) this.#skipped++;
    else this.#failed++;
    console.log(`${mayBe ? 'skipped' : 'FAIL: skipped in CI'}: ${name}: ${reason}`);
  }
}

function noteOf(result: object): string {
  return 'note' in result && typeof result.note === 'string' ? result.note : 'no reason given';
}
