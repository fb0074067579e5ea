// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

const CI = process.env.CI === 'true';

/** Containers of root would be in the network of the machine that the tests run on. */
const ENVIRONMENT = { HRUN_NETWORK: 'none', HRUN_TEMPLATES: 'off' };

// Three projects: `unit` is what `npm run check` runs; `vm` boots real guests; `kvm` is what takes minutes on /dev/kvm.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          env: ENVIRONMENT,
          include: ['test/**/*.test.ts'],
          exclude: ['test/vm/**', 'test/kvm/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'kvm',
          env: ENVIRONMENT,
          include: ['test/kvm/**/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'vm',
          env: ENVIRONMENT,
          include: ['test/vm/**/*.test.ts'],
          testTimeout: CI ? 300_000 : 120_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
