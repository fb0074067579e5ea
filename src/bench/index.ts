// SPDX-License-Identifier: Apache-2.0
export { type ConcurrencyResult, type ConcurrencyRow, measureConcurrency } from './concurrency.ts';
export { type DensityResult, type DensityRow, measureDensity } from './density.ts';
export { PEER_NAMES } from './peers.ts';
export { measureStartup, type StartupOptions, type StartupResult, type StartupRow } from './startup.ts';
export { ratioText, startupPage } from './startup-page.ts';
export type { Summary } from './statistics.ts';
