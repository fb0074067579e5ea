// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

// Two projects: `unit` needs no virtual machine and is what `npm run check` runs; `vm` boots real guests.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/vm/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          testTimeout: CI ? 300_000 : 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
