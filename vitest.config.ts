// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

// Three projects: `unit` is what `npm run check` runs; `vm` boots real guests; `kvm` is what takes minutes on /dev/kvm.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/vm/**', 'test/kvm/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'kvm',
          include: ['test/kvm/**/*.test.ts'],
          testTimeout: 1_800_000,
          fileParallelism: false,
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
